"""Logs that nobody reads: nothing waits for them."""
# ctest: waits

import contextlib
import os
import re
import signal
import threading
import time

from conftest import Master
from http_support import eventually, request_bytes, start  # noqa: F401

LONG = ("User-Agent: " + "x" * 1000,)


class UnreadMaster(Master):
    """Its standard error is read only while `reading` is set."""

    def __init__(self, *options, **more):
        self.reading = threading.Event()
        self.reading.set()
        super().__init__(*options, **more)

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line.decode(errors="replace"))
            self.reading.wait()

    def fill_log(self):
        """By a description of its own, so that the master's stays one that waits."""
        self.reading.clear()
        own = os.open(f"/proc/{self.pid}/fd/2", os.O_WRONLY | os.O_NONBLOCK)
        for size in (4096, 2):
            full = 0
            while full < 5:  # the reader may have been within a line
                try:
                    os.write(own, b"#\n" * (size // 2))
                    full = 0
                except BlockingIOError:
                    full += 1
                    time.sleep(0.02)
        os.close(own)


def replaced(program, old):
    return eventually(lambda: len(program.workers()) == 2 and not set(old) & set(program.workers()), "others work")


def test_a_master_whose_log_nobody_reads_respawns_reloads_and_stops(tmp_path):
    program = UnreadMaster(tmp_path / "root", workers=2)
    try:
        program.fill_log()
        old = program.workers()
        for worker in old:
            os.kill(worker, signal.SIGKILL)
        old += replaced(program, old) and program.workers()
        program.signal(signal.SIGHUP)
        replaced(program, old)
        assert program.request("GET", "/healthz").status == 200
        program.reading.set()
        time.sleep(0.2)
        program.signal(signal.SIGUSR2)
        program.log_shows(r"\[\d+\] nobody read the log for a while: lines dropped here: [1-9]\d*\n")
        program.log_shows("USR2")
        program.fill_log()
        program.signal(signal.SIGTERM)
        assert program.process.wait(30) == 0
    finally:
        if program.process.poll() is None:
            program.process.kill()
        program.reading.set()
        program.stop()


class Lines:
    """Counts what comes out of a FIFO, from when it is begun."""

    def __init__(self, fifo):
        self.end, self.over, self.text = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK), False, b""
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while True:
            over = self.over
            piece = b""
            with contextlib.suppress(BlockingIOError):
                piece = os.read(self.end, 1 << 16)
            self.text += piece
            if not piece:
                if over:
                    break
                time.sleep(0.005)

    def finish(self):
        self.over = True
        self.thread.join()
        os.close(self.end)
        return self.text.decode().splitlines()


def test_a_worker_whose_access_log_nobody_reads_goes_on_serving(master, tmp_path):
    fifo = tmp_path / "access"
    os.mkfifo(fifo)
    read = Lines(fifo)
    program = master("--timeout", "1s", "--access-logfile", str(fifo), workers=1)
    before = program.workers()
    asked = 1500  # more than a pipe and what is kept can hold
    try:
        with program.client(timeout=5) as client:
            for _ in range(asked):
                client.send(request_bytes("GET", "/healthz", headers=LONG))
                assert client.response().status == 200
            time.sleep(2.5)
            program.log_shows("nobody reads the access log: its lines are dropped from here on")
        assert program.workers() == before
        read.thread.start()
        while "the access log is read again" not in program.log_text():
            assert program.request("GET", "/healthz").status == 200
            asked += 1
            assert asked < 3000
            time.sleep(0.01)
        program.stop()
    finally:
        if not read.thread.ident:
            read.thread.start()
        program.stop() if program.process.poll() is None else None
        lines = read.finish()
    assert "stood still" not in program.log_text()
    dropped = int(re.search(r"read again; lines dropped: (\d+)", program.log_text()).group(1))
    assert dropped > 0
    assert len(lines) + dropped == asked
    assert all(re.fullmatch(r'127\.0\.0\.1 - - \[.*\] "GET /healthz HTTP/1\.1" 200 .*', line) for line in lines)


def test_a_worker_serves_before_its_access_logs_reader_comes(start, tmp_path):
    fifo = tmp_path / "access"
    os.mkfifo(fifo)
    program = start("--access-logfile", str(fifo))
    assert program.request("GET", "/healthz?early").status == 200
    read = Lines(fifo)
    read.thread.start()
    eventually(lambda: b"/healthz?early" in read.text, "the line")
    read.finish()
