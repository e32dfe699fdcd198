"""A client may vanish at any byte: nothing of it stays."""

import random

import pytest

from http_support import CHUNKED, UPLOADS, chunked, eventually, pattern, request_bytes, start  # noqa: F401

BODY = pattern(600_000)
ROUNDS = 40


@pytest.mark.parametrize("way", ["close", "reset", "half-close"])
@pytest.mark.parametrize("target", [*UPLOADS, "/files/never"])
def test_an_upload_that_breaks_off_leaves_nothing(start, target, way):
    worker = start("--buffer-memory", "512K")
    method = "PUT" if target == "/files/never" else "POST"
    assert worker.request("PUT", "/files/first", BODY).status == 201
    eventually(lambda: worker.sockets() == 1, "the first client is gone")
    before = sorted(worker.descriptors())
    chance = random.Random(42)
    for index in range(ROUNDS):
        framed = (chunked(BODY, 50_000), CHUNKED) if index % 2 else (BODY, ())
        data = request_bytes(method, target, *framed)
        cut = chance.choice([chance.randrange(len(data)), chance.randrange(200), len(data) - 1 - chance.randrange(5)])
        client = worker.client()
        client.send(data[:cut])
        if way == "reset":
            client.reset()
            continue
        if way == "half-close":
            client.socket.shutdown(1)
            in_the_body = cut >= data.index(b"\r\n\r\n") + 4
            assert client.rest().startswith(b"HTTP/1.1 400 ") == in_the_body  # it can still be told
        client.socket.close()
    eventually(lambda: worker.parts() == [], "the parts are gone")
    eventually(lambda: sorted(worker.descriptors()) == before, "the descriptors are closed")
    assert worker.visible() == ["first"]
    bodies = [pattern(300_000, seed) for seed in range(3)]  # and no slab is lost: there are four
    for body in bodies:
        assert worker.request("POST", target if method == "POST" else UPLOADS[1], body).status == 200


@pytest.mark.parametrize("way", ["close", "reset"])
@pytest.mark.parametrize("target", ["/files/first", "/files/download/stream/sync_read?name=first"])
def test_a_download_that_breaks_off_leaves_nothing(start, target, way):
    worker = start("--buffer-memory", "512K")
    body = pattern(4 << 20)
    assert worker.request("PUT", "/files/first", body).status == 201
    eventually(lambda: worker.sockets() == 1, "the first client is gone")
    before = sorted(worker.descriptors())
    for index in range(ROUNDS):
        client = worker.client(receive_buffer=8192)
        client.request("GET", target)
        if index % 3:
            client.head()
            client.take(1 + index * 1000)
        client.reset() if way == "reset" else client.socket.close()
    eventually(lambda: sorted(worker.descriptors()) == before, "the descriptors are closed")
    assert worker.request("GET", target).body == body


@pytest.mark.parametrize("target", UPLOADS)
def test_a_client_that_goes_right_after_its_last_byte_may_be_stored_but_only_whole(start, target):
    worker = start()
    for _ in range(ROUNDS):
        client = worker.client()
        client.request("POST", target, BODY)
        client.reset()
    eventually(lambda: worker.parts() == [] and worker.sockets() == 1, "everything is settled")
    for name in worker.visible():
        with open(f"{worker.root}/{name}", "rb") as file:
            assert file.read() == BODY


def test_a_connection_that_is_reset_without_a_word_is_nothing_special(start):
    worker = start()
    for _ in range(200):
        worker.client().reset()
    assert worker.request("GET", "/healthz").status == 200
