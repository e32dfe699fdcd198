"""The accept gate: connections are spread evenly, and nobody waits behind a worker that does not take them."""

# ctest: alone
import contextlib
import os
import signal
import socket
import time

import pytest

from http_support import SANITIZED, Client, eventually, request_bytes
from socket_count import connections

# What issue 4 allows a connection to wait behind a stalled worker; sanitizers and loaded machines get more.
NOT_BEHIND_A_STALLED = 2.0 if SANITIZED else 0.5
HEALTH = request_bytes("GET", "/healthz")
LASTING = ("--keep-alive", "60s", "--worker-connections", "1000")


@pytest.fixture
def clients():
    with contextlib.ExitStack() as stack:
        yield stack


def connect(program, clients, count, pause=0.0):
    """So many connections at once, or one after the other, that stay open."""
    made = []
    for _ in range(count):
        made.append(clients.enter_context(Client(program.port)))
        time.sleep(pause)
    return made


def asked(made):
    """Each gets an answer, so each has been accepted."""
    for client in made:
        client.send(HEALTH)
    for client in made:
        assert client.response().status == 200


def all_serve(program):
    """The log tells of READY; a worker counts once it has been told to accept, a moment later."""

    def each_takes_one():
        with contextlib.ExitStack() as stack:
            asked(connect(program, stack, len(program.workers())))
            return min(spread(program)) > 0

    eventually(each_takes_one, "every worker takes connections")
    eventually(lambda: max(spread(program)) == 0, "those are gone")


def spread(program):
    return sorted(connections(pid) for pid in program.workers())


def fair(counts):
    return max(counts) <= 1.1 * sum(counts) / len(counts) + 1


@pytest.mark.parametrize("pause", [0.0, 0.003], ids=["at once", "one after the other"])
@pytest.mark.parametrize("workers", [2, 4, 8])
def test_a_hundred_lasting_connections_are_spread_evenly(master, clients, workers, pause):
    program = master(*LASTING, workers=workers)
    all_serve(program)
    asked(connect(program, clients, 100, pause))
    counts = spread(program)
    assert sum(counts) == 100
    assert fair(counts), counts


def test_the_shared_mode_takes_every_connection_too(master, clients):
    program = master(*LASTING, "--accept", "shared", workers=4)
    asked(connect(program, clients, 100))
    assert sum(spread(program)) == 100


def slowest_of(program, count):
    """New connections one after the other, each answered before the next: the longest wait."""
    slowest = 0.0
    for _ in range(count):
        began = time.monotonic()
        assert program.request("GET", "/healthz").status == 200
        slowest = max(slowest, time.monotonic() - began)
    return slowest


def first_of(program, clients, newcomer):
    """Who has to begin or turn before it counts takes its first connection; the few before go elsewhere."""

    def takes_one():
        asked(connect(program, clients, 1))
        return connections(newcomer) > 0

    eventually(takes_one, "it takes a connection")


def test_no_connection_waits_behind_a_stopped_worker(master, clients):
    program = master(*LASTING, workers=4)
    all_serve(program)
    stopped = program.workers()[0]
    os.kill(stopped, signal.SIGSTOP)
    try:
        # It holds none, all others soon hold some: by the count alone everything would be its to take.
        for _ in range(30):
            began = time.monotonic()
            asked(connect(program, clients, 1))
            assert time.monotonic() - began < NOT_BEHIND_A_STALLED
        counts = [connections(pid) for pid in program.workers() if pid != stopped]
        assert sum(counts) == 30
        assert fair(counts), counts
    finally:
        os.kill(stopped, signal.SIGCONT)
    first_of(program, clients, stopped)
    asked(connect(program, clients, 20))
    assert connections(stopped) > 10, "once it turns again it is the one with the fewest"


def test_no_connection_waits_behind_a_draining_worker(master, clients):
    program = master(*LASTING, workers=3)
    asked(connect(program, clients, 30))
    upload = clients.enter_context(Client(program.port))
    upload.send(request_bytes("PUT", "/files/slow", b"x" * 100_000)[:50_000])
    eventually(program.parts, "the upload has begun")
    program.signal(signal.SIGTTOU)
    program.log_shows("is to have 2 workers")
    assert slowest_of(program, 30) < NOT_BEHIND_A_STALLED


def test_no_connection_waits_for_a_booting_worker(master, clients):
    program = master(*LASTING, workers=2)
    asked(connect(program, clients, 20))
    before = program.workers()
    program.signal(signal.SIGTTIN)
    booting = eventually(lambda: set(program.workers()) - set(before), "the third boots").pop()
    os.kill(booting, signal.SIGSTOP)
    try:
        asked(connect(program, clients, 10))
        assert slowest_of(program, 30) < NOT_BEHIND_A_STALLED
        assert connections(booting) == 0
    finally:
        os.kill(booting, signal.SIGCONT)


def test_a_newcomer_gets_the_next_connections_until_all_have_the_same(master, clients):
    program = master(*LASTING, workers=2)
    asked(connect(program, clients, 40))
    before = program.workers()
    program.signal(signal.SIGTTIN)
    newcomer = eventually(lambda: set(program.workers()) - set(before), "a third worker").pop()
    first_of(program, clients, newcomer)
    asked(connect(program, clients, 20, pause=0.002))
    assert connections(newcomer) >= 18, spread(program)


def context_switches(pid):
    """How often it went to sleep by itself."""
    with open(f"/proc/{pid}/status") as status:
        return sum(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt_switches"))


def test_an_idle_fleet_sleeps(master, clients):
    program = master("--keep-alive", "60s", "--accept", "gate", workers=4)
    all_serve(program)
    asked(connect(program, clients, 2))  # two workers hold one, two none: gates are shut
    time.sleep(1)
    began, before = time.monotonic(), {pid: context_switches(pid) for pid in program.workers()}
    time.sleep(4)
    for pid, switches in before.items():
        # Deadlines of open connections are looked at four times a second, a beat comes once a second.
        allowed = 1.5 if connections(pid) == 0 else 6
        assert (context_switches(pid) - switches) / (time.monotonic() - began) <= allowed


def test_connections_over_a_unix_socket_are_spread_evenly_too(master, clients, tmp_path):
    path = tmp_path / "socket"
    program = master(*LASTING, "--bind", f"unix:{path}", workers=4)
    all_serve(program)
    for _ in range(40):
        client = clients.enter_context(socket.socket(socket.AF_UNIX))
        client.connect(str(path))
        client.sendall(HEALTH)
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
    sockets = [sum(link.startswith("socket:") for link in links(pid)) for pid in program.workers()]
    assert max(sockets) - min(sockets) <= 2, sockets


def links(pid):
    return [os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")]
