"""Failures that users of other masters reported of long transfers, and of masters that live long. Scaled in time: what takes an
hour against a deadline of a minute elsewhere takes thirty seconds against one of a second here."""
# ctest: waits

import contextlib
import fcntl
import os
import re
import signal
import subprocess
import threading
import time

import pytest

from http_support import ASYNC_WRITE, DISK_WRITE, SANITIZED, begin_upload, eventually, pattern, request_bytes
from supervision_support import LoadOn, descriptors, reload_then_kill, trickle

DEADLINES = ("--timeout", "1s", "--graceful-timeout", "1s", "--stall-timeout", "1s", "--body-rate-min", "0")


def test_an_upload_thirty_times_as_long_as_every_deadline_outlives_ten_reloads(master):
    program = master(*DEADLINES, workers=1)
    (old,) = program.workers()
    body, count = pattern(600_000), 0
    begin = time.monotonic()

    def reload_now_and_then():
        nonlocal count
        if time.monotonic() - begin > (count + 1) * 2.7 and count < 10:
            program.signal(signal.SIGHUP)
            count += 1

    with program.client() as client, LoadOn(program, rate=50) as load:
        client.send(request_bytes("PUT", "/files/long.bin", None, headers=(f"Content-Length: {len(body)}",)))
        trickle(client, body, 30, each=reload_now_and_then)
        assert client.response("PUT").status == 201
    assert program.request("GET", "/files/long.bin").body == body
    program.log_shows("generation 11 serves")
    assert load.figures["lost"] == 0, load.figures
    assert load.figures["max_ms"] < 1000 or SANITIZED, load.figures
    assert not re.search("aborted|stood still|without progress", program.log_text())
    eventually(lambda: old not in program.workers() and len(program.workers()) == 1, "the old worker leaves")


def test_an_upload_that_stands_still_does_not_hold_an_old_worker_for_ever(master):
    program = master("--graceful-timeout", "1s", "--stall-timeout", "1s", workers=1)
    (old,) = program.workers()
    with program.client() as client:
        begin_upload(program, client)
        program.signal(signal.SIGHUP)
        eventually(lambda: old not in program.workers(), "the old worker is gone", within=10)
    assert program.visible() == []


@contextlib.contextmanager
def slow_uploads_on_old_generations(program, reloads):
    """After each a reload: its worker is left with it. Gives their clients."""
    with contextlib.ExitStack() as stack:
        clients = []
        for generation in range(2, reloads + 2):
            clients.append(stack.enter_context(program.client()))
            clients[-1].send(request_bytes("POST", DISK_WRITE, b"x" * 100_000)[:50_000])
            eventually(lambda: len(program.parts()) == len(clients), "the upload has begun")
            program.signal(signal.SIGHUP)
            program.log_shows(f"generation {generation} serves")
        yield clients


def test_old_generations_with_slow_uploads_are_bounded(master):
    program = master("--graceful-timeout", "60s", "--body-rate-min", "0", workers=1)
    with slow_uploads_on_old_generations(program, 8) as clients:
        for _ in range(3):
            program.signal(signal.SIGHUP)
        program.log_shows("the reload to generation 10 waits: as many old generations drain as")
        time.sleep(0.5)
        assert len(program.workers()) == 9  # eight old ones, and who serves
        assert program.request("GET", "/healthz").status == 200
        clients[0].reset()
        program.log_shows("generation (10|11|12) serves")  # the reload that waited
        assert len(program.workers()) <= 10


def test_old_generations_that_drain_take_no_place_of_a_worker_that_serves(master):
    program = master("--graceful-timeout", "60s", "--body-rate-min", "0", workers=2)
    with slow_uploads_on_old_generations(program, 5):
        draining = 5
        eventually(lambda: len(program.workers()) == draining + 2, "five drain", within=5)
        for _ in range(2):
            newest = max(program.workers())
            os.kill(newest, signal.SIGKILL)
            eventually(lambda gone=newest: gone not in program.workers(), "it is gone")
            eventually(lambda: len(program.workers()) == draining + 2, "and replaced", within=5)
            assert program.request("GET", "/healthz").status == 200
        program.signal(signal.SIGTTIN)
        eventually(lambda: len(program.workers()) == draining + 3, "one more", within=5)


def test_reloads_and_crashes_leave_no_descriptor_behind(master):
    program = master(workers=2)

    def now():
        return descriptors(program.pid), sorted(descriptors(worker) for worker in program.workers())

    assert program.request("GET", "/healthz").status == 200
    time.sleep(0.5)  # until the connection of that request is gone on the server's side too
    before = now()
    for _ in range(15):
        reload_then_kill(program)
    assert program.request("GET", "/healthz").status == 200
    eventually(lambda: now() == before, f"as many descriptors as before: {before}", within=5)


def test_a_storm_of_signals_leaves_a_master_that_serves_and_stops(master):
    program = master(workers=2)
    storm = (signal.SIGHUP, signal.SIGTTIN, signal.SIGCHLD, signal.SIGUSR1, signal.SIGTTOU, signal.SIGUSR2, signal.SIGWINCH)
    with LoadOn(program, rate=50) as load:
        for number in range(3500):
            program.signal(storm[number % len(storm)])
            if number % 100 == 0:
                time.sleep(0.01)
    assert load.figures["lost"] == 0, load.figures
    eventually(lambda: 1 <= len(program.workers()) <= 1000, "workers")
    assert program.request("GET", "/healthz").status == 200
    assert not re.search("aborted|was killed", program.log_text())
    assert program.stop() == 0


FIFREEZE, FITHAW = 0xC0045877, 0xC0045878  # ioctl_fsfreeze, linux/fs.h


@pytest.fixture
def freezing_disk(tmp_path):
    """An ext4 of its own, and a function that has it stand still for so many seconds, as a sick disk would."""
    image, mountpoint = tmp_path / "image", tmp_path / "disk"
    mountpoint.mkdir()
    with open(image, "wb") as file:
        file.truncate(32 << 20)
    made = os.getuid() == 0 and subprocess.run(["mkfs.ext4", "-q", image], capture_output=True, check=False).returncode == 0
    if not made or subprocess.run(["mount", "-o", "loop", image, mountpoint], capture_output=True, check=False).returncode != 0:
        pytest.skip("no right to mount")

    def stand_still(seconds):
        directory = os.open(mountpoint, os.O_RDONLY)
        try:
            fcntl.ioctl(directory, FIFREEZE, 0)
            try:
                time.sleep(seconds)
            finally:
                fcntl.ioctl(directory, FITHAW, 0)
        finally:
            os.close(directory)

    yield mountpoint, stand_still
    for _ in range(50):
        if subprocess.run(["umount", mountpoint], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    subprocess.run(["umount", "-l", mountpoint], check=True)


@pytest.mark.parametrize("target", [ASYNC_WRITE, DISK_WRITE])
def test_a_disk_that_stands_still_kills_no_worker_and_no_upload(master, freezing_disk, target):
    disk, stand_still = freezing_disk
    program = master("--timeout", "1s", root=disk / "root", workers=2)
    before, request = program.workers(), request_bytes("POST", target, pattern(2_000_000))
    with program.client() as client, program.client() as other:
        client.send(request[:1_000_000])
        eventually(program.parts, "the upload has begun")
        freezer = threading.Thread(target=stand_still, args=(3,))
        freezer.start()
        time.sleep(0.2)
        sender = threading.Thread(target=client.send, args=(request[1_000_000:],))
        sender.start()
        time.sleep(1.5)
        if target == ASYNC_WRITE:  # its loop turns though the disk does not
            other.request("GET", "/healthz")
            assert other.response().status == 200
        assert client.silent(0.1)
        freezer.join()
        sender.join()
        assert client.response("POST").status in (200, 201)
    assert program.workers() == before
    assert "stood still" not in program.log_text()
    program.stop()
