"""Files that are not in memory, on a disk that is slow: who waits for them keeps nobody else waiting."""

# ctest: alone

import os
import re
import time

import pytest

from http_support import WORKER, Client, Program, eventually, pattern
from slow_disk import SlowDisk, Unavailable

SIZE = 3 << 20
RATE = 256 << 10  # bytes a second: what is read at once takes seconds
FAST = 1 << 30
FILES = 4


@pytest.fixture
def disk():
    try:
        with SlowDisk(64) as made:
            yield made
    except Unavailable as missing:
        pytest.skip(str(missing))


@pytest.fixture
def worker(disk, request):
    """Over files 0, 1 ... that nothing of is in memory."""
    for number in range(FILES):
        with open(f"{disk.root}/{number}", "wb") as file:
            file.write(pattern(SIZE, number))
    disk.forget()
    disk.limit.set(RATE)
    program = Program(WORKER, disk.root, "--download-strategy", request.param, "--graceful-timeout", "1s", prefix=disk.prefix)
    yield program
    disk.limit.set(FAST)
    assert program.stop() == 0


def bytes_read(pid):
    """From disks, by that process."""
    with open(f"/proc/{pid}/io") as file:
        return int(re.search(r"read_bytes: (\d+)", file.read()).group(1))


@pytest.mark.parametrize("worker", ["sendfile", "sendfile_job"], indirect=True)
def test_downloads_that_wait_for_a_slow_disk_keep_nobody_waiting(disk, worker):
    clients = [Client(worker.port) for _ in range(FILES)]
    for number, client in enumerate(clients):
        client.request("GET", f"/files/{number}")
    eventually(lambda: bytes_read(worker.pid) > 0, "the disk is read")
    for _ in range(20):
        asked = time.monotonic()
        assert worker.request("GET", "/healthz").status == 200
        assert time.monotonic() - asked < 2, "a read at this rate takes four seconds"
        time.sleep(0.1)
    disk.limit.set(FAST)
    for number, client in enumerate(clients):
        assert client.response().body == pattern(SIZE, number)
        client.socket.close()


@pytest.mark.parametrize("worker", ["sendfile"], indirect=True)
def test_a_client_that_leaves_while_its_file_is_read_leaves_nothing_open(disk, worker):
    before = worker.descriptors()
    clients = [Client(worker.port) for _ in range(FILES)]
    for number, client in enumerate(clients):
        client.request("GET", f"/files/{number}")
    eventually(lambda: bytes_read(worker.pid) > 0, "the disk is read")
    for client in clients:
        client.reset()
    disk.limit.set(FAST)
    eventually(lambda: worker.descriptors() == before, "nothing is left open")
    assert os.path.exists(f"{disk.root}/0") and worker.request("GET", "/files/0").body == pattern(SIZE, 0)
