"""Drain by progress: after a reload a transfer that moves goes on, one that stands still is ended."""
# ctest: waits

import os
import re
import signal
import threading
import time

import pytest

from http_support import DISK_WRITE, begin_upload, eventually, request_bytes

WINDOW = "600ms"
MANY = 60  # steps of 50 ms: five windows


def reload(program, generation):
    program.signal(signal.SIGHUP)
    program.log_shows(f"generation {generation} serves")


class Uploads:
    """Each on a thread of its own, at so many bytes a second. Their results are there when all have ended."""

    def __init__(self, program, size, rate):
        self.program, self.size, self.rate = program, size, rate
        self.threads, self.results = [], []

    def _run(self, name, begun):
        piece = self.rate // 20
        try:
            with self.program.client() as client:
                client.send(request_bytes("PUT", f"/files/{name}", None, headers=(f"Content-Length: {self.size}",)))
                begin = time.monotonic()
                for sent in range(0, self.size, piece):
                    client.send(b"x" * min(piece, self.size - sent))
                    begun.set()
                    time.sleep(max(0.0, begin + (sent + piece) / self.rate - time.monotonic()))
                self.results.append(client.response("PUT").status)
        except (OSError, AssertionError) as error:
            self.results.append(repr(error))
            begun.set()

    def begin(self):
        """One more, of which the first bytes are sent."""
        begun, before = threading.Event(), len(self.program.parts())
        self.threads.append(threading.Thread(target=self._run, args=(f"upload-{len(self.threads)}", begun)))
        self.threads[-1].start()
        begun.wait()
        eventually(lambda: len(self.program.parts()) > before, "it has arrived")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for thread in self.threads:
            thread.join()


def test_a_transfer_that_moves_outlives_any_number_of_reloads(master):
    program = master("--drain-idle-timeout", WINDOW, "--drain-min-rate", "1K", workers=1)
    (old,) = program.workers()
    step = 500
    begun = 10_000
    request = request_bytes("POST", DISK_WRITE, b"x" * (begun + step * MANY))
    with program.client() as client:
        client.send(request[: -step * MANY])
        eventually(program.parts, "the upload has begun")
        for index in range(MANY):
            if index % 6 == 0:
                reload(program, 2 + index // 6)
            client.send(b"x" * step)
            time.sleep(0.05)
        assert client.response("POST").status in (200, 201)
    eventually(lambda: old not in program.workers(), "the old worker leaves")
    assert len(program.visible()) == 1


def test_a_transfer_that_stands_still_ends_with_the_drain_idle_timeout(master):
    program = master("--drain-idle-timeout", WINDOW, workers=1)
    (old,) = program.workers()
    with program.client() as client:
        begin_upload(program, client)
        time.sleep(1.5)
        assert program.parts()  # it may stand still, as long as its worker serves
        reload(program, 2)
        eventually(lambda: old not in program.workers(), "the old worker leaves", within=10)
        client.ended()
    assert program.visible() == []


def test_a_transfer_that_trickles_ends_with_the_drain_idle_timeout(master):
    program = master("--drain-idle-timeout", WINDOW, "--drain-min-rate", "1K", workers=1)
    (old,) = program.workers()
    with program.client() as client:
        begin_upload(program, client)
        reload(program, 2)
        gone_by = time.monotonic() + 10
        while old in program.workers():
            assert time.monotonic() < gone_by
            try:
                client.send(b"x")
            except OSError:
                pass
            time.sleep(0.05)
    assert program.visible() == []


def test_a_slow_download_outlives_a_reload(master):
    program = master("--drain-idle-timeout", WINDOW, "--drain-min-rate", "1K", workers=1)
    body = os.urandom(24 * 1024 * 1024)
    assert program.request("PUT", "/files/big", body).status == 201
    with program.client(receive_buffer=64 * 1024) as client:
        client.request("GET", "/files/big")
        assert client.head()[0] == 200
        reload(program, 2)
        got = b""
        for _ in range(MANY):
            got += client.take(min(len(body) // MANY, len(body) - len(got)))
            time.sleep(0.05)
        got += client.take(len(body) - len(got))
    assert got == body


def test_no_upload_is_cut_by_more_reloads_than_there_may_be_old_generations(master):
    program = master("--graceful-timeout", "3s", workers=1)
    begin = time.monotonic()
    with Uploads(program, size=300_000, rate=20_000) as uploads:
        for number in range(11):
            uploads.begin()
            program.signal(signal.SIGHUP)
            time.sleep(max(0.0, begin + (number + 1) * 0.75 - time.monotonic()))
            assert len(program.workers()) <= 8 + 2 + 1  # who serves and who is to follow it, and a check
        program.log_shows(r"the reload to generation \d+ waits: .* --max-old-generations 8 allows, .* 1 \(1 worker\), 2 \(1 worker\)")
    assert uploads.results == [201] * 11
    eventually(lambda: len(program.workers()) == 1, "the old generations are gone")
    waited = re.findall(r"the reload to generation (\d+) waits", program.log_text())
    program.log_shows(f"generation {waited[-1]} serves")
    assert "cut" not in program.log_text().replace("would cut them", "")
    assert len(program.visible()) == 11


def test_a_reload_that_waits_goes_on_when_what_it_waits_for_is_too_slow(master):
    program = master("--max-old-generations", "1", "--drain-idle-timeout", WINDOW, workers=1)
    (old,) = program.workers()
    with program.client() as client, Uploads(program, size=100_000, rate=20_000) as uploads:
        begin_upload(program, client)
        uploads.begin()
        reload(program, 2)
        program.signal(signal.SIGHUP)
        program.log_shows(r"the reload to generation 3 waits: .* must end its transfers first: 1 \(1 worker\)")
        client.ended()  # it stands still
        assert old in program.workers()  # the other one moves
    assert uploads.results == [201]
    program.log_shows("generation 3 serves")
    program.log_shows("the drain cut 1 transfer: 1 too slow for --drain-min-rate, 0 still running")


def test_a_stop_waits_for_an_upload_for_longer_than_for_idle_clients(master):
    program = master(workers=1)
    with program.client() as client:
        rest = begin_upload(program, client)
        program.signal(signal.SIGTERM)
        assert client.silent(2)
        client.send(rest)
        assert client.response("POST").status == 200
    assert program.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_what_a_reload_waits_for_and_says_how_many_it_cut(master, number):
    program = master("--max-old-generations", "1", "--graceful-timeout", "500ms", workers=1)
    with program.client() as client, program.client() as other:
        for each in (client, other):
            each.send(request_bytes("POST", DISK_WRITE, b"x" * 100_000)[:50_000])
        eventually(lambda: len(program.parts()) == 2, "the uploads have begun")
        reload(program, 2)
        program.signal(signal.SIGHUP)
        program.log_shows("the reload to generation 3 waits")
        program.signal(number)
        assert program.process.wait(10) == 0
    program.log_shows("the drain cut 2 transfers: 0 too slow for --drain-min-rate, 2 still running when its time was over")
    assert program.visible() == []
