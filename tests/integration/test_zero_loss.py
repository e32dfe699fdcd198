"""No connection, queued or established, is lost by a reload, by scaling, by a stop or by another worker's crash."""

# ctest: alone
import errno
import os
import re
import signal
import socket
import threading
import time

from conftest import Master
from http_support import SANITIZED, Client, begin_upload, eventually, pattern, port_is_free, request_bytes, state_of
from socket_count import connections

HEALTH = request_bytes("GET", "/healthz")


class Callers:
    """Clients that constantly connect, ask once and leave. Who is refused was never connected; whoever is connected
    and gets no whole answer is lost."""

    def __init__(self, port, count=4):
        self.address = ("127.0.0.1", port)
        self.answered, self.refused, self.lost = 0, 0, []
        self.over = False
        self.threads = [threading.Thread(target=self._run) for _ in range(count)]

    def _run(self):
        while not self.over:
            with socket.socket() as caller:
                caller.settimeout(20)
                try:
                    caller.connect(self.address)
                except ConnectionRefusedError:
                    self.refused += 1
                    time.sleep(0.01)
                    continue
                self._ask(caller)

    def _ask(self, caller):
        try:
            caller.sendall(HEALTH)
            answer = caller.recv(1000)
            if answer.startswith(b"HTTP/1.1 200"):
                self.answered += 1
            else:
                self.lost.append(answer)
        except OSError as error:
            self.lost.append(errno.errorcode.get(error.errno, repr(error)))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        eventually(lambda: self.answered > 10, "callers are answered")
        return self

    def __exit__(self, *_):
        self.over = True
        for thread in self.threads:
            thread.join()

    def more(self, count=20):
        before = self.answered
        eventually(lambda: self.answered >= before + count, "callers are answered")


def test_reloads_lose_no_connection(master):
    program = master(workers=2)
    with Callers(program.port) as callers:
        for generation in range(2, 6):
            program.signal(signal.SIGHUP)
            program.log_shows(f"generation {generation} serves")
            callers.more()
    assert (callers.lost, callers.refused) == ([], 0)


def test_growing_and_shrinking_lose_no_connection(master):
    program = master(workers=2)
    with Callers(program.port) as callers:
        for workers in [3, 4, 3, 2, 1, 2]:
            grows = workers > len(program.workers())
            program.signal(signal.SIGTTIN if grows else signal.SIGTTOU)
            eventually(lambda wanted=workers: len(program.workers()) == wanted, f"{workers} workers")
            callers.more()
    assert (callers.lost, callers.refused) == ([], 0)


def test_a_crash_of_one_worker_costs_only_the_connections_it_held(master):
    program = master("--keep-alive", "60s", workers=3)
    time.sleep(0.5)  # all serve
    held = [Client(program.port) for _ in range(9)]
    for client in held:
        client.send(HEALTH)
        client.response()
    unlucky = max(program.workers(), key=connections)
    lost = connections(unlucky)
    assert 3 <= lost < 9
    os.kill(unlucky, signal.SIGKILL)
    program.log_shows("is process", times=4)
    alive = 0
    for client in held:
        try:
            client.send(HEALTH)
            alive += client.response().status == 200
        except (OSError, AssertionError):
            pass
        client.socket.close()
    assert alive == 9 - lost


def queued_at_stopped_workers(program, count):
    for worker in program.workers():
        os.kill(worker, signal.SIGSTOP)
    queued = [Client(program.port) for _ in range(count)]
    for client in queued:
        client.send(HEALTH)
    return queued


def test_what_is_queued_when_every_worker_stands_still_is_answered_by_their_successors(master):
    program = master(workers=2)
    workers, queued = program.workers(), queued_at_stopped_workers(program, 30)
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    for client in queued:
        assert client.response().status == 200
        client.socket.close()


def test_term_answers_what_is_queued(master):
    program = master(workers=2)
    workers, queued = program.workers(), queued_at_stopped_workers(program, 50)
    program.signal(signal.SIGTERM)
    program.log_shows("stopping when all is answered")
    for worker in workers:
        os.kill(worker, signal.SIGCONT)
    for client in queued:
        answer = client.response()
        assert (answer.status, answer["connection"]) == (200, "close")
        client.socket.close()
    assert program.process.wait(30) == 0


def test_term_under_load_refuses_newcomers_and_loses_nobody(master):
    program = master(workers=2)
    with Callers(program.port, count=8) as callers:
        program.signal(signal.SIGTERM)
        assert program.process.wait(30) == 0
        eventually(lambda: callers.refused > 8, "callers are refused")
    assert callers.lost == []


def test_a_stop_frees_the_address_while_an_upload_is_still_finishing(master):
    program = master(workers=2)
    with program.client() as client:
        rest = begin_upload(program, client)
        program.signal(signal.SIGTERM)
        assert free(program, within=3)
        client.send(rest)
        assert client.response("POST").status in (200, 201)
    assert program.process.wait(30) == 0


def idle_connections(program, count):
    clients = [Client(program.port) for _ in range(count)]
    for client in clients:
        client.send(HEALTH)
        assert client.response()["connection"] != "close"
    return clients


def test_idle_connections_outlive_a_reload_for_one_more_request(master):
    program = master("--keep-alive", "20s", workers=2)
    old = program.workers()
    clients = idle_connections(program, 10)
    program.signal(signal.SIGHUP)
    program.log_shows("generation 2 serves")
    time.sleep(2)  # longer than a moment: nothing is closed under the client's feet
    for client in clients:
        client.send(HEALTH)
        answer = client.response()
        assert (answer.status, answer["connection"]) == (200, "close")
        assert client.ended()
        client.socket.close()
    eventually(lambda: not set(old) & set(program.workers()), "the old workers leave")


def test_idle_connections_that_say_nothing_end_with_their_keep_alive(master):
    program = master("--keep-alive", "1500ms", workers=1)
    (old,) = program.workers()
    clients = idle_connections(program, 3)
    program.signal(signal.SIGHUP)
    for client in clients:
        assert client.ended()
        client.socket.close()
    eventually(lambda: old not in program.workers(), "the old worker leaves", within=10)


def test_a_stop_does_not_wait_for_idle_connections(master):
    program = master("--keep-alive", "60s", workers=1)
    clients = idle_connections(program, 3)
    program.signal(signal.SIGTERM)
    assert program.process.wait(10) == 0
    assert all(client.ended() for client in clients)


def test_when_the_master_is_killed_a_slow_download_ends_well_and_the_port_is_free_at_once(master, tmp_path):
    program = master(workers=2)
    body = pattern(8 << 20)
    assert program.request("PUT", "/files/big", body).status == 201
    with program.client(receive_buffer=4096) as client:
        client.request("GET", "/files/big")
        status, headers = client.head()
        assert (status, int(headers["content-length"])) == (200, len(body))
        received = client.take(100_000)
        program.signal(signal.SIGKILL)
        killed_at = time.monotonic()
        successor = Master(tmp_path / "other", bind=f"127.0.0.1:{program.port}", workers=1) if free(program) else None
        took = time.monotonic() - killed_at
        assert successor, "a new master can listen"
        assert took < (10 if SANITIZED else 3), took  # one second for the port, the rest is the start
        assert received + client.take(len(body) - len(received)) == body
    assert successor.request("GET", "/healthz").status == 200
    assert successor.stop() == 0


def free(program, within=1.0):
    """The port can be bound within a second after the master's death."""
    end = time.monotonic() + (5 if SANITIZED else within)
    while time.monotonic() < end:
        if port_is_free(program.port):
            return True
        time.sleep(0.005)
    return False


def test_the_dead_workers_counts_are_in_what_the_master_says_at_the_end(master):
    program = master(workers=2)
    for _ in range(3):
        for _ in range(5):
            assert program.request("GET", "/healthz").status == 200
        time.sleep(0.1)  # an answer is counted once it is out
        os.kill(program.workers()[0], signal.SIGKILL)
        eventually(lambda: len(program.workers()) == 2, "it is replaced")
    time.sleep(0.2)
    assert program.stop() == 0
    assert "answered 15 requests on 15 connections, published 0 uploads, broke off 0 downloads" in program.log_text()


def test_an_aborted_worker_says_where_it_stood_and_what_its_connections_did(master):
    """The signal by which the watchdog ends a worker that stands still, here sent to one that does not."""
    program = master(workers=1)
    aborted = program.workers()
    with program.client() as slow:
        slow.send(request_bytes("PUT", "/files/slow", b"x" * 100_000)[:50_000])
        eventually(lambda: program.parts() and state_of(aborted[0]) == "S", "the upload has begun, and waits")
        os.kill(aborted[0], signal.SIGABRT)
        program.log_shows(r"connections: 1\b")
        eventually(lambda: program.workers() and program.workers() != aborted, "it is replaced")
    said = program.log_text()
    where, did = said.split(f"worker {aborted[0]} aborted; it stood at")[1].split("what its connections were doing:")
    assert "uv_run" in where and "worker(main+" in where, said
    assert re.search(r"in receive by \S+, received \d+, sent 0, waits for the client's bytes", did), said
