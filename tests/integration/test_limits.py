"""Every limit has an answer, and nobody starves who stays within them."""
# ctest: waits

import os
import threading

import pytest

from http_support import (  # noqa: F401
    CHUNKED, UPLOADS, begin_upload, chunked, eventually, pattern, request_bytes, shared, start,
)  # fmt: skip


def test_a_head_may_have_so_many_bytes_and_no_more(start):
    worker = start("--limit-headers", "4K")
    rest = len(request_bytes("GET", "/healthz", headers=("X: ",)))
    assert worker.request("GET", "/healthz", headers=("X: " + "x" * (4096 - rest),)).status == 200
    for more in (1, 100_000):
        response = worker.request("GET", "/healthz", headers=("X: " + "x" * (4096 - rest + more),))
        assert response.status == 431 and b"head-too-large" in response.body


def test_a_head_may_have_so_many_fields_and_no_more(start):
    worker = start("--limit-header-count", "10")
    assert worker.request("GET", "/healthz", headers=["X: y"] * 9).status == 200
    response = worker.request("GET", "/healthz", headers=["X: y"] * 10)
    assert response.status == 431 and b"too-many-fields" in response.body


def test_a_target_may_have_so_many_bytes_and_no_more(start):
    worker = start("--limit-target", "100")
    assert worker.request("GET", "/" + "x" * 99).status == 404
    for more in (100, 50_000):
        response = worker.request("GET", "/" + "x" * more)
        assert response.status == 414 and b"target-too-long" in response.body


def test_connections_above_the_most_wait_and_are_served_later(start):
    worker = start("--worker-connections", "3")
    clients = [worker.client() for _ in range(8)]
    for client in clients:
        client.request("GET", "/healthz")
    for client in clients[:3]:
        assert client.response().status == 200
    for client in clients[3:]:
        assert client.silent(0.1)
    for index, client in enumerate(clients):
        client.socket.close() if index < 3 else None
    for client in clients[3:]:
        assert client.response().status == 200
        client.socket.close()


def test_silent_connections_do_not_lock_others_out(start):
    worker = start("--worker-connections", "3", "--header-timeout", "5m", "--keep-alive", "5m")
    silent = [worker.client() for _ in range(3)]
    others = [worker.client() for _ in range(3)]
    for other in others:
        other.request("GET", "/healthz")
        assert other.response().status == 200  # long before the silent ones' deadline
    last = worker.client()  # those who were answered and ask no more are silent too
    last.request("GET", "/healthz")
    assert last.response().status == 200
    for client in [*silent, *others, last]:
        client.socket.close()


def test_a_full_worker_closes_nobody_who_is_in_the_middle_of_something(start):
    worker = start("--worker-connections", "2")
    with worker.client() as sending, worker.client() as asking, worker.client() as waiting:
        rest = begin_upload(worker, sending)
        asking.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
        waiting.request("GET", "/healthz")
        assert waiting.silent(3)  # for longer than one may be silent meanwhile
        sending.send(rest)
        assert sending.response("POST").status == 200
        asking.send(b"\r\n")
        assert asking.response().status == 200
        assert waiting.response().status == 200


def test_a_silent_connection_is_kept_as_long_as_it_may_be_silent_where_there_is_room(start):
    worker = start("--worker-connections", "3", "--keep-alive", "5m")
    with worker.client() as silent, worker.client() as other:
        for client in (silent, other):
            client.request("GET", "/healthz")
            assert client.response().status == 200
        assert silent.silent(3) and other.silent(0.1)
        silent.request("GET", "/healthz")
        assert silent.response().status == 200


def test_a_connection_that_ends_makes_room_for_one(start):
    worker = start("--worker-connections", "1")
    for _ in range(50):
        assert worker.request("GET", "/healthz").status == 200


def everybody(worker, count, action):
    """Runs the action on so many connections at once; every one must come through."""
    failures = []

    def one(index):
        try:
            with worker.client(timeout=120) as client:
                action(client, index)
        except Exception as failure:  # noqa: BLE001: told below
            failures.append((index, failure))

    threads = [threading.Thread(target=one, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("target", UPLOADS)
@pytest.mark.parametrize("framing", ["counted", "chunked"])
def test_many_uploads_at_once_finish_with_hardly_any_memory(start, target, framing):
    worker = start("--buffer-memory", "512K")
    body = pattern(500_000)

    def upload(client, _):
        for _ in range(2):
            framed = (body, ()) if framing == "counted" else (chunked(body, 70_000), CHUNKED)
            client.request("POST", target, *framed)
            assert client.response().status == 200

    everybody(worker, 40, upload)
    assert len(worker.visible()) == 80
    assert all(os.path.getsize(os.path.join(worker.root, name)) == len(body) for name in worker.visible())
    assert worker.parts() == []


@pytest.mark.parametrize("target", UPLOADS)
def test_uploads_that_stand_still_keep_no_memory_from_others(start, target):
    worker = start("--buffer-memory", "512K")
    body = pattern(400_000)
    idle = []
    for index in range(20):
        idle.append(worker.client())
        framing = CHUNKED[0] if index % 2 else f"Content-Length: {len(body)}"
        idle[-1].request("POST", target, headers=(framing,))
        idle[-1].send(b"61a80\r\n" + body[:1000] if index % 2 else body[:1000])
    eventually(lambda: len(worker.parts()) == 20, "the idle uploads have begun")
    assert worker.request("POST", target, body).status == 200
    for index, client in enumerate(idle):
        client.send(body[1000:] + (b"\r\n0\r\n\r\n" if index % 2 else b""))
        assert client.response().status == 200
        client.socket.close()


@pytest.mark.parametrize("way", ["/files/", "/files/download/stream/sync_read?name="])
def test_downloads_that_are_not_read_keep_no_memory_from_others(start, way):
    """Not even with the next request waiting behind them."""
    worker = start("--buffer-memory", "512K")
    body = pattern(4 << 20)
    assert worker.request("PUT", "/files/big.bin", body).status == 201
    behind = request_bytes("POST", UPLOADS[0], b"behind")
    idle = [worker.client(receive_buffer=4096) for _ in range(10)]
    for client in idle:
        client.send(request_bytes("GET", way + "big.bin") + behind)
        assert client.head()[0] == 200
    assert worker.request("PUT", "/files/other.bin", body).status == 201
    for client in idle:
        assert client.take(len(body)) == body
        assert client.response().status == 200
        client.socket.close()


def test_a_client_that_never_reads_its_answers_keeps_no_memory_from_others(start):
    worker = start("--buffer-memory", "512K")
    flood = request_bytes("GET", "/files/none") * 2000
    deaf = [worker.client(receive_buffer=4096) for _ in range(8)]
    for client in deaf:
        client.socket.setblocking(False)
        for _ in range(8):
            try:
                client.socket.send(flood)
            except BlockingIOError:
                break
    assert worker.request("PUT", "/files/x.bin", pattern(1 << 20)).status == 201
    for client in deaf:
        client.socket.close()
