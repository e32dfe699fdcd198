"""What each signal does to the master, to its workers and to a worker alone: the rows of docs/signals.md."""

import fcntl
import os
import pty
import signal
import subprocess
import termios
import time

import pytest

from http_support import MASTER, WORKER, begin_upload, environment, eventually, start  # noqa: F401


def lines_of(path):
    return path.read_text().splitlines() if path.exists() else []


def rotate(path):
    """As logrotate does; gives the rotated file."""
    rotated = path.with_suffix(".1")
    os.rename(path, rotated)
    return rotated


def test_usr1_lets_every_worker_open_its_access_log_anew(master, tmp_path):
    log = tmp_path / "access.log"
    program = master("--access-logfile", str(log), workers=2)
    program.request("GET", "/healthz?before")
    eventually(lambda: len(lines_of(log)) == 1, "a line")
    rotated = rotate(log)
    program.signal(signal.SIGUSR1)
    program.log_shows("the access log is open anew", times=2)
    for _ in range(20):
        program.request("GET", "/healthz?after")
    eventually(lambda: len(lines_of(log)) == 20, "twenty lines in the new file")
    assert len(lines_of(rotated)) == 1


def test_usr1_keeps_the_old_access_log_where_a_new_one_cannot_be_had(master, tmp_path):
    directory = tmp_path / "logs"
    directory.mkdir()
    log = directory / "access.log"
    program = master("--access-logfile", str(log), workers=1)
    os.rename(directory, tmp_path / "moved")
    program.signal(signal.SIGUSR1)
    program.log_shows("the access log could not be opened anew, the old file stays")
    program.request("GET", "/healthz")
    eventually(lambda: len(lines_of(tmp_path / "moved" / "access.log")) == 1, "the line is in the old file")


def test_usr1_lets_a_worker_alone_open_its_access_log_anew(start, tmp_path):
    log = tmp_path / "access.log"
    program = start("--access-logfile", str(log))
    program.request("GET", "/healthz?before")
    eventually(lambda: len(lines_of(log)) == 1, "a line")
    rotated = rotate(log)
    program.process.send_signal(signal.SIGUSR1)
    eventually(log.exists, "the new file")
    program.request("GET", "/healthz?after")
    eventually(lambda: len(lines_of(log)) == 1, "a line in the new file")
    assert len(lines_of(rotated)) == 1


def test_usr2_does_nothing_and_says_so(master):
    program = master(workers=1)
    before = program.workers()
    program.signal(signal.SIGUSR2)
    program.log_shows(r"SIGUSR2 \(upgrade of the master\) is not supported: ignored")
    assert program.workers() == before
    assert program.request("GET", "/healthz").status == 200


def comes_at_once(number):
    """The signal waits already when the master's first instruction runs."""

    def in_child():
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        os.kill(os.getpid(), number)

    return in_child


def command_of(tmp_path, *options):
    return [MASTER, "--workers", "2", "--worker-binary", WORKER, "--bind", "127.0.0.1:0", "--root", str(tmp_path / "root"), *options]


@pytest.mark.parametrize("name", ["TERM", "INT", "QUIT"])
def test_a_stop_that_comes_while_the_master_starts_ends_it_with_0(tmp_path, name):
    ended = subprocess.run(
        command_of(tmp_path), env=environment(), preexec_fn=comes_at_once(getattr(signal, f"SIG{name}")),
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "stopping" in ended.stderr


@pytest.mark.parametrize(
    "name, shown",
    [("HUP", "generation 2 serves"), ("USR1", "open their access logs anew"), ("USR2", "is not supported: ignored"),
     ("TTIN", "to have 3 workers"), ("TTOU", "to have 1 worker")],
)  # fmt: skip
def test_what_comes_while_the_master_starts_is_obeyed_once_it_is_up(master, name, shown):
    program = master(workers=2, preexec=comes_at_once(getattr(signal, f"SIG{name}")))
    program.log_shows(shown)
    assert program.request("GET", "/healthz").status == 200


@pytest.mark.parametrize("option", ["--help", "--check-config"])
def test_term_ends_a_master_that_only_looks(tmp_path, option):
    ended = subprocess.run(
        command_of(tmp_path, option), env=environment(), preexec_fn=comes_at_once(signal.SIGTERM),
        capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == -signal.SIGTERM


IGNORED_BY_WORKERS = ["HUP", "USR1", "USR2", "TTIN", "TTOU", "WINCH", "INT", "QUIT", "PIPE"]


def test_workers_ignore_the_signals_of_the_master_and_of_the_terminal(master):
    program = master(workers=2)
    before = program.workers()
    for worker in before:
        for name in IGNORED_BY_WORKERS:
            os.kill(worker, getattr(signal, f"SIG{name}"))
    for _ in range(10):
        assert program.request("GET", "/healthz").status == 200
    assert program.workers() == before


@pytest.mark.parametrize("name", ["HUP", "USR2", "TTIN", "TTOU", "WINCH", "PIPE"])
def test_a_worker_alone_ignores_what_is_meant_for_a_master(start, name):
    program = start()
    program.process.send_signal(getattr(signal, f"SIG{name}"))
    assert program.request("GET", "/healthz").status == 200


def test_a_second_int_kills(master):
    program = master(workers=1)
    os.kill(program.workers()[0], signal.SIGSTOP)  # so that it takes no leave by itself
    program.signal(signal.SIGINT)
    program.log_shows("stopping")
    told_at = time.monotonic()
    program.signal(signal.SIGINT)
    assert program.process.wait(10) == 0
    assert time.monotonic() - told_at < 2.5  # without it: three seconds
    program.log_shows("killing what is left")


def test_a_worker_alone_answers_what_it_has_begun_after_term(start):
    program = start("--graceful-timeout", "30s")
    with program.client() as client:
        rest = begin_upload(program, client)
        program.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        client.send(rest)
        assert client.response("POST").status in (200, 201)
    assert program.process.wait(10) == 0


@pytest.mark.parametrize("signals", [["INT"], ["QUIT"], ["TERM", "TERM"], ["TERM", "INT"]])
def test_a_worker_alone_ends_at_once_after_int_quit_or_a_second_term(start, signals):
    program = start("--graceful-timeout", "30s")
    with program.client() as client:
        begin_upload(program, client)
        for name in signals:
            program.process.send_signal(getattr(signal, f"SIG{name}"))
            time.sleep(0.1)
        assert program.process.wait(5) == 0
    assert program.visible() == []


def test_a_fleet_keeps_the_size_that_ttin_gave_it_over_a_reload(master):
    program = master(workers=1)
    program.signal(signal.SIGTTIN)
    eventually(lambda: len(program.workers()) == 2, "a second worker")
    program.log_shows("to have 2 workers")
    program.signal(signal.SIGHUP)
    program.log_shows("generation 2 serves")
    eventually(lambda: len(program.workers()) == 2, "two workers")
    time.sleep(0.2)
    assert len(program.workers()) == 2


def take_terminal(descriptor):
    def in_child():
        os.setsid()
        fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)

    return in_child


def test_a_master_whose_terminal_is_closed_reloads_and_goes_on(master):
    ours, theirs = pty.openpty()
    program = master(workers=1, preexec=take_terminal(theirs))
    os.close(theirs)
    os.close(ours)  # the kernel sends SIGHUP to the session's leader
    program.log_shows("generation 2 serves")
    assert program.request("GET", "/healthz").status == 200


def test_term_sent_to_one_worker_replaces_it_and_loses_nothing(master):
    program = master("--graceful-timeout", "30s", workers=1)
    (old,) = program.workers()
    with program.client() as client:
        rest = begin_upload(program, client)
        os.kill(old, signal.SIGTERM)
        assert program.request("GET", "/healthz").status == 200
        assert old in program.workers()
        client.send(rest)
        assert client.response("POST").status in (200, 201)
    eventually(lambda: old not in program.workers() and len(program.workers()) == 1, "the old worker leaves")
