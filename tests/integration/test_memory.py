"""However large a file is, however many come at once, a worker stays small.
FORKLIFT_TEST_FULL=1 moves 3 GiB instead of 300 MB."""
# ctest: alone

import hashlib
import os
import shutil
import tempfile
import threading
import time

import pytest

from http_support import (  # noqa: F401
    ASYNC_WRITE, CHUNKED, DISK_WRITE, FULL, MASTER, SANITIZED, WORKER, Program, children, eventually, memory_bytes, pattern, start,
)  # fmt: skip

SIZE = 3 << 30 if FULL else 300_000_000
MOST = 64 << 20
BLOCK = 1 << 20

pytestmark = pytest.mark.skipif(SANITIZED, reason="sanitizers need memory of their own")


class Watch:
    """Polls the memory of processes and keeps the most it saw."""

    def __init__(self, pids):
        self.most, self.pids, self.stopped = 0, pids, threading.Event()
        self.thread = threading.Thread(target=self._poll)

    def _poll(self):
        while True:
            self.most = max(self.most, *(memory_bytes(pid) for pid in self.pids))
            if self.stopped.wait(0.02):
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()
        assert 0 < self.most < MOST, f"{self.most >> 20} MiB"


@pytest.fixture(scope="module")
def pair():
    """A master with two workers, over a root with room for a large file."""
    shm = shutil.disk_usage("/dev/shm").free if os.path.isdir("/dev/shm") else 0
    base = tempfile.mkdtemp(prefix="forklift-memory-", dir="/dev/shm" if shm > 2 * SIZE else None)
    master = Program(MASTER, base + "/root", "--workers", "2", "--worker-binary", WORKER, "--graceful-timeout", "1s")
    eventually(lambda: len(children(master.pid)) == 2, "two workers run")
    yield master
    assert master.stop() == 0
    shutil.rmtree(base)


def blocks():
    """SIZE bytes, of which no two blocks are alike."""
    base = bytearray(pattern(BLOCK))
    for number in range(0, SIZE, BLOCK):
        base[:8] = number.to_bytes(8, "big")
        yield bytes(base[: min(BLOCK, SIZE - number)])


WAYS = [(DISK_WRITE, "counted"), (ASYNC_WRITE, "chunked"), ("/files/large", "counted"), (DISK_WRITE, "chunked"),
        (ASYNC_WRITE, "counted"), ("/files/large", "chunked")]  # fmt: skip


@pytest.mark.parametrize("target, framing", WAYS if FULL else WAYS[:3])
def test_a_large_file_goes_up_and_comes_down_in_little_memory(pair, target, framing):
    sent, received = hashlib.sha256(), hashlib.sha256()
    with Watch(children(pair.pid)), pair.client(timeout=300) as client:
        counted = framing == "counted"
        client.request(
            "PUT" if target == "/files/large" else "POST",
            target,
            headers=(f"Content-Length: {SIZE}",) if counted else CHUNKED,
        )
        for block in blocks():
            sent.update(block)
            client.send(block if counted else f"{len(block):x}\r\n".encode() + block + b"\r\n")
        if not counted:
            client.send(b"0\r\n\r\n")
        assert client.response().status in (200, 201, 204)
        (name,) = pair.visible()
        way = "/files/" if counted else "/files/download/stream/sync_read?name="
        client.request("GET", way + name)
        status, headers = client.head()
        assert status == 200 and int(headers["content-length"]) == SIZE
        left = SIZE
        while left:
            block = client.take(min(left, BLOCK))
            received.update(block)
            left -= len(block)
    assert received.digest() == sent.digest()
    os.unlink(os.path.join(pair.root, name))


@pytest.mark.parametrize("target", [DISK_WRITE, ASYNC_WRITE])
def test_a_hundred_uploads_held_open_need_little_memory(start, target):
    worker = start()
    size = 4 << 20
    body = pattern(size)
    with Watch([worker.pid]):
        clients = [worker.client() for _ in range(100)]
        for index, client in enumerate(clients):
            framing = CHUNKED[0] if index % 2 else f"Content-Length: {size}"
            client.request("POST", target, headers=(framing,))
            client.send((f"{size:x}\r\n".encode() if index % 2 else b"") + body[: 300_000 + index])
        eventually(lambda: len(worker.parts()) == 100, "all uploads have begun")
        time.sleep(0.1)
        for index, client in enumerate(clients):
            client.send(body[300_000 + index :] + (b"\r\n0\r\n\r\n" if index % 2 else b""))
        for client in clients:
            assert client.response().status == 200
            client.socket.close()
    assert all(os.path.getsize(os.path.join(worker.root, name)) == size for name in worker.visible())


def test_a_thousand_idle_clients_need_little_memory(start):
    worker = start("--worker-connections", "2000")
    with Watch([worker.pid]):
        clients = [worker.client() for _ in range(1000)]
        for client in clients:
            client.request("GET", "/healthz", headers=("X-Padding: " + "x" * 20_000,))
        for client in clients:
            assert client.response().status == 200
        for client in clients:
            client.socket.close()
