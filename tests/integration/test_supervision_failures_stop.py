"""Failures that users of other masters reported around the end of things. The list: docs/supervision.md."""

import os
import re
import shutil
import signal
import time

from http_support import CHECKS_FOR_EVER, SANITIZED, WORKER, begin_upload, compiled, eventually, port_is_free, replace
from supervision_support import answers, exists, queue_requests, replaced


def test_requests_in_the_queue_are_answered_when_term_comes(master):
    program = master(workers=2)
    workers = program.workers()
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    clients = queue_requests(program.port, 20)
    program.signal(signal.SIGTERM)
    program.log_shows("stopping when all is answered")
    for worker in workers:
        os.kill(worker, signal.SIGCONT)
    assert answers(clients) == [200] * 20
    assert program.process.wait(10) == 0


def test_requests_in_the_queue_outlive_the_worker_that_would_have_taken_them(master):
    program = master(workers=1)
    (worker,) = program.workers()
    os.kill(worker, signal.SIGSTOP)
    clients = queue_requests(program.port, 50)
    os.kill(worker, signal.SIGKILL)
    assert answers(clients) == [200] * 50
    replaced(program, [worker], 1)


def test_every_worker_ends_with_0_when_term_comes_to_all_of_them_at_once(master):
    program = master(workers=3)
    assert program.request("GET", "/healthz").status == 200
    workers = program.workers()
    for pid in [program.pid, *workers, *workers]:  # as a terminal or an init that signals the whole group
        os.kill(pid, signal.SIGTERM)
    assert program.process.wait(10) == 0
    endings = re.findall(r"worker \d+ \(slot \d+\) (.*)", program.log_text())
    ended = [ending for ending in endings if "exited" in ending or "killed" in ending]
    assert len(ended) >= 3 and set(ended) == {"exited with status 0"}, program.log_text()


def test_a_stop_reaches_a_worker_that_could_not_hear_it_when_it_was_said(master):
    program = master(workers=2)
    deaf = program.workers()[0]
    os.kill(deaf, signal.SIGSTOP)
    program.signal(signal.SIGTERM)
    program.log_shows("stopping when all is answered")
    eventually(lambda: len(program.workers()) == 1, "the other is gone")
    os.kill(deaf, signal.SIGCONT)
    assert program.process.wait(3 if not SANITIZED else 10) == 0
    assert not re.search("does not go|killed|aborted", program.log_text()), program.log_text()


def test_when_the_master_is_killed_in_mid_upload_the_port_is_free_at_once_and_the_upload_is_whole(master):
    program = master(workers=2)
    workers = program.workers()
    with program.client() as client:
        rest = begin_upload(program, client)
        killed_at = time.monotonic()
        program.signal(signal.SIGKILL)
        eventually(lambda: port_is_free(program.port), "the port is free")
        took = time.monotonic() - killed_at
        client.send(rest)
        assert client.response("POST").status in (200, 201)
    assert took < (3.0 if SANITIZED else 0.5), took
    eventually(lambda: not any(exists(worker) for worker in workers), "the workers are gone")
    assert len(program.visible()) == 1


def test_an_init_that_loses_patience_leaves_no_worker_behind(master):
    program = master("--graceful-timeout", "60s", workers=2)
    workers = program.workers()
    with program.client() as client:
        rest = begin_upload(program, client)
        program.signal(signal.SIGTERM)
        program.log_shows("stopping when all is answered")
        program.signal(signal.SIGKILL)
        eventually(lambda: port_is_free(program.port), "the port is free", within=5)
        client.send(rest)
        assert client.response("POST").status in (200, 201)
    eventually(lambda: not any(exists(worker) for worker in workers), "the workers are gone", within=5)


def test_the_last_worker_and_a_configuration_check_that_end_at_once_do_not_crash_a_master_that_stops(master, tmp_path):
    binary = tmp_path / "worker"
    shutil.copy(WORKER, binary)
    program = master(binary=binary, workers=1)
    (worker,) = program.workers()
    replace(binary, compiled(CHECKS_FOR_EVER, tmp_path / "hanging"))
    program.signal(signal.SIGHUP)
    checker = eventually(lambda: len(program.workers()) == 2 and program.workers()[-1], "the check runs")
    with program.client() as client:
        begin_upload(program, client)
        program.signal(signal.SIGTERM)
        program.log_shows("stopping when all is answered")
        program.signal(signal.SIGSTOP)
        for pid in (worker, checker):
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not exists(worker) and not exists(checker), "both are dead")
        program.signal(signal.SIGCONT)  # and hears of both in one turn of its loop
        assert program.process.wait(10) == 0
