"""Drain by progress: after a reload a transfer that moves goes on, one that stands still is ended."""

import os
import signal
import time

from http_support import DISK_WRITE, eventually, request_bytes

WINDOW = "600ms"
MANY = 60  # steps of 50 ms: five windows


def reload(program, generation):
    program.signal(signal.SIGHUP)
    program.log_shows(f"generation {generation} serves")


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
        client.send(request_bytes("POST", DISK_WRITE, b"x" * 100_000)[:50_000])
        eventually(program.parts, "the upload has begun")
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
        client.send(request_bytes("POST", DISK_WRITE, b"x" * 100_000)[:50_000])
        eventually(program.parts, "the upload has begun")
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


def test_the_oldest_generation_ends_when_there_are_too_many(master):
    program = master("--max-old-generations", "1", "--graceful-timeout", "1s", workers=1)
    clients = []
    try:
        for generation in (2, 3):
            clients.append(program.client())
            clients[-1].send(request_bytes("POST", DISK_WRITE, b"x" * 100_000)[:50_000])
            eventually(lambda count=generation - 1: len(program.parts()) == count, "the upload has begun")
            reload(program, generation)
        assert "must end before the next reload" in program.log_text()
        assert len(program.workers()) <= 2
        assert program.request("GET", "/healthz").status == 200
    finally:
        for client in clients:
            client.socket.close()
