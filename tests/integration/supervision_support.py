"""For the tests of reported failures: load that counts, workers that misbehave at boot, a busy machine."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from http_support import DISK_WRITE, WORKER, Client, Threads, eventually, request_bytes, state_of

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "bench", "supervision"))

from client import Load, Payload  # noqa: E402

SAMPLE = "sample.bin"
CYCLE_S = 30  # any one cycle of reload or scaling

# Stands in for a worker: does what MODE says (a word, and milliseconds or an exit code), then is the worker. "slot0 WORD"
# is for the worker in slot 0 alone.
MISBEHAVING = r"""
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  char word[32] = "ok", slot[8] = "";
  int number = 0;
  FILE* file = fopen(MODE, "re");
  if (file != NULL) {
    if (fscanf(file, "slot0 %31s %d", word, &number) >= 1) strcpy(slot, "slot=0 ");
    else { rewind(file); if (fscanf(file, "%31s %d", word, &number) < 1) strcpy(word, "ok"); }
    fclose(file);
  }
  const char* inherited = getenv("FORKLIFT_INHERIT");
  if (argc > 0 && inherited != NULL && strstr(inherited, slot) != NULL) {
    if (strcmp(word, "sleep") == 0) usleep((useconds_t)number * 1000);
    if (strcmp(word, "exit") == 0) return number;
    if (strcmp(word, "crash") == 0) raise(SIGSEGV);
    if (strcmp(word, "burn") == 0) for (clock_t end = clock() + number * (CLOCKS_PER_SEC / 1000); clock() < end;) {}
  }
  execv(WORKER, argv);
  return 127;
}
"""


class MisbehavingWorker:
    """A worker's binary of which the test says how it boots."""

    def __init__(self, directory):
        compiler = shutil.which("cc") or pytest.skip("no C compiler")
        self.path, self.mode = str(directory / "misbehaving"), str(directory / "mode")
        source = directory / "misbehaving.c"
        source.write_text(MISBEHAVING)
        paths = [f'-DMODE="{self.mode}"', f'-DWORKER="{os.path.abspath(WORKER)}"']
        subprocess.run([compiler, "-D_GNU_SOURCE", *paths, source, "-o", self.path], check=True)

    def boots(self, how):
        with open(self.mode + ".new", "w") as file:
            file.write(how)
        os.rename(self.mode + ".new", self.mode)


@pytest.fixture
def misbehaving(tmp_path):
    return MisbehavingWorker(tmp_path)


class LoadOn:
    """The load of bench/supervision on a program, on a thread of its own. Its figures are there when it is over."""

    def __init__(self, program, rate=120, size=4096):
        payload = Payload(size, SAMPLE)
        with open(os.path.join(program.root, SAMPLE), "wb") as file:
            file.write(payload.data)
        self.load, self.over, self.figures = Load(program.port, payload, rate), threading.Event(), None
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    async def _run(self):
        async with self.load:
            while not self.over.is_set():
                await asyncio.sleep(0.01)
        self.figures = self.load.figures()

    def __enter__(self):
        self.thread.start()
        eventually(lambda: self.load.fates["ok"] > 20, "requests are answered")
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def answered(self):
        return self.load.fates["ok"]


class SlowUploads(Threads):
    """Uploads that take a tenth of a second each, so that there is always one on its way: what failed, and how many did not."""

    def __init__(self, program, clients=4):
        super().__init__(self._run, [()] * clients)
        self.program, self.failed, self.done = program, [], 0

    def _run(self):
        body = b"x" * 20_000
        while not self.over.is_set():
            try:
                with self.program.client() as client:
                    client.send(request_bytes("POST", DISK_WRITE, None, headers=(f"Content-Length: {len(body)}",)))
                    trickle(client, body, 0.1)
                    status = client.response("POST").status
                    if status not in (200, 201):
                        self.failed.append(status)
            except (OSError, AssertionError) as error:
                self.failed.append(repr(error))
            self.done += 1


@contextlib.contextmanager
def busy_machine(times=2):
    """So many loops that never rest on each CPU."""
    count = times * len(os.sched_getaffinity(0))
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def reload_then_kill(program):
    """One reload, then the death of a newcomer: two workers serve before and after each."""
    old = program.workers()
    program.signal(signal.SIGHUP)
    replaced(program, old, 2)
    victim = program.workers()[0]
    os.kill(victim, signal.SIGKILL)
    replaced(program, [victim], 2)


def queue_requests(port, count, target="/healthz"):
    """Connections that nobody has accepted yet, each with a request on it."""
    clients = []
    for _ in range(count):
        clients.append(Client(port))
        clients[-1].send(request_bytes("GET", target, headers=("Connection: close",)))
    return clients


def answers(clients):
    """What became of each: a status, or the error."""
    found = []
    for client in clients:
        try:
            found.append(client.response().status)
        except (OSError, AssertionError) as error:
            found.append(repr(error))
        client.socket.close()
    return found


def spawns(program):
    return len(re.findall(r"is process \d+", program.log_text()))


def exists(pid):
    """Runs, or is stopped; a zombie is gone."""
    return state_of(pid) not in ("", "Z", "X")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def replaced(program, old, count):
    """All of `old` are gone, and `count` others are there."""
    return eventually(lambda: len(program.workers()) == count and not set(old) & set(program.workers()), "others work", CYCLE_S)


def trickle(client, data, over_s, each=lambda: None):
    """Sends the data evenly over so many seconds, twenty pieces a second."""
    pieces = max(1, int(over_s * 20))
    size, begin = -(-len(data) // pieces), time.monotonic()
    for number in range(pieces):
        client.send(data[number * size : (number + 1) * size])
        each()
        time.sleep(max(0.0, begin + (number + 1) * over_s / pieces - time.monotonic()))
