"""Who is too slow is let go: with a word where a request was begun, silently where none was."""
# ctest: waits

import threading
import time

import pytest

from http_support import ASYNC_WRITE, CHUNKED, DISK_WRITE, UPLOADS, WORKER, eventually, running, start  # noqa: F401

HEADER, KEEP_ALIVE, STALL = 1.0, 0.6, 1.5
EARLIEST = 0.9  # of a deadline: the loop's clock may be a little behind


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    options = ["--header-timeout", "1s", "--keep-alive", "600ms", "--stall-timeout", "1500ms", "--body-rate-min", "1K"]
    with running(WORKER, tmp_path_factory.mktemp("slow") / "root", *options) as program:
        with open(program.root + "/big.bin", "wb") as file:
            file.truncate(64 << 20)
        yield program


def seconds(action):
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


def test_a_client_that_says_nothing_is_let_go_silently(worker):
    with worker.client() as client:
        assert seconds(lambda: client.ended()) > HEADER * EARLIEST
        assert client.received == b""


def test_a_head_that_stands_still_is_answered_408(worker):
    with worker.client() as client:
        client.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: ")
        answers = []
        assert seconds(lambda: answers.append(client.response())) > HEADER * EARLIEST
        assert answers[0].status == 408 and answers[0]["Connection"] == "close" and client.ended()


def test_a_head_that_trickles_is_answered_408(worker):
    with worker.client() as client:
        client.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: ")
        stopped = threading.Event()

        def trickle():
            while not stopped.wait(0.05):
                try:
                    client.send(b"x")
                except OSError:
                    return

        sender = threading.Thread(target=trickle)
        sender.start()
        answers = []
        taken = seconds(lambda: answers.append(client.response()))
        stopped.set()
        sender.join()
        assert answers[0].status == 408 and HEADER * EARLIEST < taken < HEADER + 8


def test_an_idle_client_is_let_go_silently_after_its_answer(worker):
    with worker.client() as client:
        client.request("GET", "/healthz")
        assert client.response().status == 200
        idle = seconds(lambda: client.ended())
        assert KEEP_ALIVE * EARLIEST < idle and client.received == b""


def test_how_long_a_client_may_be_idle_has_nothing_to_do_with_how_long_its_head_may_take(start):
    worker = start("--header-timeout", "60s", "--keep-alive", "600ms")
    with worker.client() as client:
        client.request("GET", "/healthz")
        assert client.response().status == 200
        assert seconds(lambda: client.ended()) > KEEP_ALIVE * EARLIEST


def test_a_client_that_asks_again_in_time_is_kept(worker):
    with worker.client() as client:
        for _ in range(5):
            client.request("GET", "/healthz")
            assert client.response().status == 200
            time.sleep(KEEP_ALIVE / 3)


def test_a_body_that_stands_still_is_answered_408_and_leaves_nothing(worker):
    clients = []
    begin = time.monotonic()
    for target in UPLOADS:
        for framing in ("Content-Length: 1000000", CHUNKED[0]):
            for begun in (b"", b"1000\r\nbegun", b"1000\r\n" + b"b" * 0x1000 + b"\r\n"):
                clients.append(worker.client())
                clients[-1].request("POST", target, headers=(framing,))
                clients[-1].send(begun)
    for client in clients:
        response = client.response()
        assert time.monotonic() - begin > STALL * EARLIEST
        assert response.status == 408 and response["Connection"] == "close" and client.ended()
        client.socket.close()
    eventually(lambda: worker.parts() == [], "the parts are gone")


def test_an_upload_slower_than_the_minimum_rate_is_answered_408(worker):
    """All at once, since a rate is judged after ten seconds."""
    clients = [worker.client() for _ in range(4)]
    fast = worker.client()
    fast.request("PUT", "/files/fast", headers=("Content-Length: 1000000",))
    for index, client in enumerate(clients):
        framing = CHUNKED[0] if index % 2 else "Content-Length: 1000000"
        client.request("POST", ASYNC_WRITE if index // 2 else DISK_WRITE, headers=(framing,))
    open_ones = set(clients)
    begin = time.monotonic()
    sent = 0
    while open_ones and time.monotonic() - begin < 40:
        fast.send(b"f" * 600)
        sent += 600
        for index, client in enumerate(clients):
            if client not in open_ones:
                continue
            client.send(b"1\r\nx\r\n" if index % 2 else b"xx")
            if not client.silent(0.01):
                open_ones.discard(client)
                assert client.response().status == 408
                assert time.monotonic() - begin > 9
        time.sleep(0.2)
    assert not open_ones
    fast.send(b"f" * (1_000_000 - sent))
    assert fast.response().status == 201
    for client in [*clients, fast]:
        client.socket.close()
    eventually(lambda: worker.parts() == [], "the parts are gone")


@pytest.mark.parametrize("way", ["/files/big.bin", "/files/download/stream/sync_read?name=big.bin"])
def test_a_download_that_nobody_reads_is_ended(worker, way):
    with worker.client(receive_buffer=4096) as client:
        client.request("GET", way)
        assert client.head()[0] == 200
        assert worker.reads("big.bin")
        eventually(lambda: not worker.reads("big.bin"), "the file is closed")


@pytest.mark.parametrize("way", ["/files/big.bin", "/files/download/stream/sync_read?name=big.bin"])
def test_a_download_that_is_read_slowly_goes_on(worker, way):
    with worker.client(receive_buffer=1 << 20) as client:
        client.request("GET", way)
        size = int(client.head()[1]["content-length"])
        begin = time.monotonic()
        while time.monotonic() - begin < 2 * STALL:
            size -= len(client.take(1 << 20))
            time.sleep(0.1)
        client.take(size)


def test_a_client_that_never_closes_after_a_refusal_is_let_go(worker):
    eventually(lambda: worker.sockets() == 1, "everyone else is gone")
    with worker.client() as client:
        client.request("PUT", "/files/..", headers=("Content-Length: 5",))
        assert client.response().status == 400 and client.ended()
        eventually(lambda: worker.sockets() == 1, "the connection is closed")
