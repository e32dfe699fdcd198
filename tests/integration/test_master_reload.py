"""SIGHUP: new workers before old ones, and back again when they are no good."""

import os
import re
import shutil
import signal
import subprocess
import threading

import pytest

from http_support import (
    CHECKS_FOR_EVER, DISK_WRITE, MASTER, ONLY_CHECKS, WORKER, Client, begin_upload, compiled, environment, eventually, replace,
)  # fmt: skip


def reload(program, generation):
    program.signal(signal.SIGHUP)
    program.log_shows(f"generation {generation} serves")


class Traffic:
    """Requests one after the other, each on a connection of its own; counts those that fail."""

    def __init__(self, port):
        self.port = port
        self.done = 0
        self.failures = []
        self.over = False
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.over:
            try:
                with Client(self.port) as client:
                    client.request("POST", DISK_WRITE, b"x" * 1000)
                    status = client.response("POST").status
                    if status not in (200, 201):
                        self.failures.append(status)
            except (OSError, AssertionError, EOFError) as error:
                self.failures.append(repr(error))
            self.done += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()


def test_a_reload_replaces_every_worker_and_no_request_fails(master):
    program = master(workers=2)
    before = program.workers()
    with Traffic(program.port) as traffic:
        for generation in range(2, 7):
            eventually(lambda seen=traffic.done: traffic.done > seen + 3, "traffic flows")
            reload(program, generation)
    eventually(lambda: len(program.workers()) == 2, "the old workers are gone")
    assert not set(before) & set(program.workers())
    assert traffic.failures == []
    assert len(program.visible()) == traffic.done


def test_an_upload_outlives_a_reload(master):
    program = master(workers=1)
    (old,) = program.workers()
    with program.client() as client:
        rest = begin_upload(program, client)
        reload(program, 2)
        assert program.request("GET", "/healthz").status == 200
        assert old in program.workers()
        client.send(rest)
        assert client.response("POST").status in (200, 201)
    eventually(lambda: old not in program.workers(), "the old worker leaves")


def test_a_reload_to_a_binary_that_dies_is_rolled_back(master, tmp_path):
    binary = tmp_path / "worker"
    shutil.copy(WORKER, binary)
    program = master(binary=binary, workers=2)
    before = program.workers()
    replace(binary, "/bin/false")
    program.signal(signal.SIGHUP)
    program.log_shows("not reloaded, everything stays as it is: its check exited with status 1")
    assert program.workers() == before
    assert program.request("GET", "/healthz").status == 200
    replace(binary, WORKER)
    reload(program, 2)
    assert program.request("GET", "/healthz").status == 200


def test_a_reload_to_a_binary_that_passes_the_check_and_dies_at_its_start_is_rolled_back(master, tmp_path):
    dying = compiled(ONLY_CHECKS, tmp_path / "dying")
    binary = tmp_path / "worker"
    shutil.copy(WORKER, binary)
    program = master(binary=binary, workers=2)
    before = program.workers()
    replace(binary, dying)
    program.signal(signal.SIGHUP)
    program.log_shows("reload rolled back, generation 1 stays: a worker of generation 2 exited with status 7")
    assert program.workers() == before
    assert program.request("GET", "/healthz").status == 200


@pytest.mark.parametrize(
    "line, reason",
    [
        ("this is no configuration", r"forklift\.toml"),
        ("upload-strategy = 'nonsense'", "--upload-strategy .*'nonsense' is not valid"),
        ("user = 'nobody-knows-me'", 'there is no user "nobody-knows-me"'),
        ("access-logfile = '/nowhere/access.log'", "cannot open the access log /nowhere/access.log"),
        ("sample = '/nowhere'", "--sample"),
        ("bind = ['nonsense:']", "--bind"),
    ],
)
def test_a_broken_configuration_is_found_by_a_process_that_is_not_the_master(master, tmp_path, line, reason):
    config = tmp_path / "forklift.toml"
    config.write_text("")
    program = master("--config", str(config), workers=1)
    before = program.workers()
    config.write_text(line + "\n")
    program.signal(signal.SIGHUP)
    program.log_shows("not reloaded, everything stays as it is: .*" + reason)
    assert program.workers() == before
    assert program.request("GET", "/healthz").status == 200


def test_a_check_that_hangs_does_not_hold_the_master(master, tmp_path):
    binary = tmp_path / "worker"
    shutil.copy(WORKER, binary)
    program = master(binary=binary, workers=1)
    replace(binary, compiled(CHECKS_FOR_EVER, tmp_path / "hanging"))
    program.signal(signal.SIGHUP)
    checker = eventually(lambda: len(program.workers()) == 2 and program.workers()[-1], "the check runs")
    assert program.request("GET", "/healthz").status == 200
    program.signal(signal.SIGHUP)
    program.log_shows("a configuration is being checked; the next reload follows")
    replace(binary, WORKER)
    os.kill(checker, signal.SIGKILL)
    program.log_shows("not reloaded, everything stays as it is: its check was killed by SIGKILL")
    program.log_shows("generation 2 serves")


@pytest.mark.parametrize("binary", [MASTER, WORKER])
def test_check_config_says_what_would_keep_a_worker_from_starting(tmp_path, binary):
    def check(*options):
        command = [binary, *options, "--check-config"]
        if binary == MASTER:
            command += ["--worker-binary", WORKER]
        return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=30, check=False)

    good = check("--root", str(tmp_path / "new"))
    assert (good.returncode, good.stdout) == (0, "configuration ok\n"), good.stderr
    assert not (tmp_path / "new").exists()
    for option, name in (("--download-strategy", "nonsense"), ("--upload-strategy", "memory")):
        for root in (tmp_path, tmp_path / "new", "/nonexistent"):
            bad = check("--root", str(root), option, name)
            assert bad.returncode == 1 and f"{option} (from command line): '{name}' is not valid" in bad.stderr


@pytest.mark.parametrize("name", ["memory", "nonsense"])
def test_a_master_starts_no_worker_for_a_strategy_that_there_is_not(tmp_path, name):
    command = [MASTER, "--bind", "127.0.0.1:0", "--root", str(tmp_path / "root"), "--worker-binary", WORKER, "--upload-strategy", name]
    ended = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2 and f"'{name}' is not valid" in ended.stderr and "exited with" not in ended.stderr
    assert not (tmp_path / "root").exists()


def test_a_reload_to_a_binary_that_is_not_there_changes_nothing(master, tmp_path):
    binary = tmp_path / "worker"
    shutil.copy(WORKER, binary)
    program = master(binary=binary, workers=1)
    before = program.workers()
    os.unlink(binary)
    program.signal(signal.SIGHUP)
    program.log_shows("not reloaded, everything stays as it is: --worker-binary")
    assert program.workers() == before


def test_a_reload_to_a_script_changes_nothing_and_says_why(master, tmp_path):
    binary, wrapper = tmp_path / "worker", tmp_path / "wrapper"
    shutil.copy(WORKER, binary)
    wrapper.write_text(f'#!/bin/sh\nexec "{WORKER}" "$@"\n')
    program = master(binary=binary, workers=1)
    before = program.workers()
    shutil.copymode(WORKER, wrapper)
    os.rename(wrapper, binary)
    program.signal(signal.SIGHUP)
    program.log_shows(rf"not reloaded, everything stays as it is: {re.escape(str(binary))} is a script \(#!\).*the program itself")
    assert program.workers() == before


def test_a_worker_that_dies_in_mid_deployment_is_replaced_by_what_was_deployed_before(master, tmp_path):
    binary = tmp_path / "worker"
    shutil.copy(WORKER, binary)
    program = master(binary=binary, workers=1)
    replace(binary, "/bin/false")
    os.kill(program.workers()[0], signal.SIGKILL)
    assert program.request("GET", "/healthz").status == 200


def test_a_reload_takes_a_new_configuration_and_refuses_a_broken_one(master, tmp_path):
    config = tmp_path / "forklift.toml"
    config.write_text("graceful-timeout = '5s'\n")
    program = master("--config", str(config), workers=1)
    config.write_text("this is no configuration")
    program.signal(signal.SIGHUP)
    program.log_shows("not reloaded, everything stays as it is")
    assert program.request("GET", "/healthz").status == 200
    config.write_text("graceful-timeout = '6s'\n")
    reload(program, 2)
    (worker,) = eventually(lambda: len(program.workers()) == 1 and program.workers(), "one worker")
    with open(f"/proc/{worker}/cmdline", "rb") as arguments:
        assert b"6s" in arguments.read() or b"6000ms" in arguments.read()


def test_reloads_in_quick_succession_end_with_one_fleet(master):
    program = master(workers=2)
    for _ in range(10):
        program.signal(signal.SIGHUP)
    program.log_shows("reloaded: generation")
    reloads = len(re.findall("reloading: generation", program.log_text()))
    program.log_shows(r"reloaded: generation \d+ serves", times=reloads)
    eventually(lambda: len(program.workers()) == 2, "two workers")
    assert program.request("GET", "/healthz").status == 200
