"""A worker that is killed takes nothing with it that was answered, and leaves nothing that was not."""

import json
import os
import signal
import time

import pytest

from http_support import (  # noqa: F401
    ASYNC_WRITE, DISK_WRITE, MASTER, SANITIZED, WORKER, Client, Program, Threads, children, eventually, pattern, start,
)  # fmt: skip

SENDERS = 8
SOON = 5.0 if SANITIZED else 0.2


def size_of(number):
    return 150_000 + 997 * number % 200_000


SIZES = {size_of(number) for number in range(10_000)}


def body_of(sender, number):
    return pattern(size_of(number), seed=sender * 31 + number)


class Stream(Threads):
    """Clients that upload one file after the other, and remember what they were answered."""

    def __init__(self, port, come_back):
        super().__init__(self._run, [(sender,) for sender in range(SENDERS)])
        self.port, self.come_back = port, come_back
        self.answered = []  # (sender, number, path)
        self.asked = set()

    def _run(self, sender):
        number = 0
        while not self.over.is_set():
            try:
                with Client(self.port) as client:
                    while not self.over.is_set():
                        number += 1
                        self._upload(client, sender, number)
            except (OSError, AssertionError):
                if not self.come_back:
                    return

    def _upload(self, client, sender, number):
        body = body_of(sender, number)
        if number % 3 == 0:
            name = f"put/{sender}/{number}"
            self.asked.add(name)
            client.request("PUT", "/files/" + name, body)
        else:
            client.request("POST", DISK_WRITE if number % 3 == 1 else ASYNC_WRITE, body)
        response = client.response()
        assert response.status in (200, 201), response
        self.answered.append((sender, number, json.loads(response.body)["file_path"]))


def check(program, stream):
    for sender, number, name in stream.answered:
        with open(os.path.join(program.root, name), "rb") as file:
            assert file.read() == body_of(sender, number), name
    known = {name for _, _, name in stream.answered}
    # Published, and killed before the answer: whole all the same.
    unanswered = set(program.visible()) - known
    for name in unanswered:
        with open(os.path.join(program.root, name), "rb") as file:
            content = file.read()
        assert len(content) in SIZES and content == pattern(len(content), seed=content[0]), name
    return unanswered


def test_a_worker_killed_while_files_arrive_keeps_what_it_answered(start):
    worker = start()
    held = [worker.client(), worker.client()]
    with Stream(worker.port, come_back=False) as stream:
        for client, target in zip(held, (DISK_WRITE, ASYNC_WRITE)):
            client.request("POST", target, headers=("Content-Length: 1000000",))
            client.send(b"h" * 500_000)
        eventually(lambda: len(stream.answered) >= 100, "files arrive")
        worker.process.kill()
        worker.process.wait()
    for client in held:
        client.socket.close()
    assert len(check(worker, stream)) <= SENDERS
    assert len(worker.parts()) >= len(held)
    left = sorted(worker.parts())
    patient = start("--part-age", "1h")
    time.sleep(1.1)  # until the parts are old enough for others to sweep them
    assert set(left) <= set(patient.parts()), "they are too young to be swept"
    last = start("--part-age", "1s")
    eventually(lambda: last.parts() == [], "the parts are swept")
    for _, _, name in stream.answered:
        assert os.path.exists(os.path.join(last.root, name))


def serves(port):
    try:
        with Client(port, timeout=1) as client:
            client.request("GET", "/healthz")
            return client.response().status == 200
    except (OSError, AssertionError):
        return False


def test_a_master_replaces_a_killed_worker_and_nothing_that_was_answered_is_lost(start):
    master = start("--workers", "2", "--worker-binary", WORKER, binary=MASTER)
    eventually(lambda: len(children(master.pid)) == 2 and serves(master.port), "two workers serve")
    with Stream(master.port, come_back=True) as stream:
        for kill in range(4):
            count = len(stream.answered)
            eventually(lambda: len(stream.answered) >= count + 50, "files arrive")
            workers = children(master.pid)
            os.kill(workers[kill % 2], signal.SIGKILL)
            eventually(
                lambda: len(children(master.pid)) == 2 and workers[kill % 2] not in children(master.pid), "it is replaced"
            )
    assert len(check(master, stream)) <= 4 * SENDERS


@pytest.mark.parametrize("workers", [1, 2])
def test_a_replacement_serves_within_a_fifth_of_a_second(start, workers):
    master = start("--workers", str(workers), "--worker-binary", WORKER, binary=MASTER)
    eventually(lambda: len(children(master.pid)) == workers and serves(master.port), "the workers serve")
    taken = []
    for _ in range(3):
        begin = time.monotonic()
        for pid in children(master.pid):
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: serves(master.port), "it serves again")
        taken.append(time.monotonic() - begin)
        eventually(lambda: len(children(master.pid)) == workers, "all are replaced")
        time.sleep(0.3)
    assert sorted(taken)[1] < SOON, taken  # the median: other tests run beside this one
