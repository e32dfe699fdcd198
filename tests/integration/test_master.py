"""The master and its workers, from outside: who starts, who is replaced, how it ends."""
# ctest: waits

import os
import signal
import socket
import subprocess
import time

import pytest

from http_support import MASTER, SANITIZED, WORKER, begin_upload, environment, eventually, port_is_free, request_bytes

# A worker that dies is to be replaced within 200 ms; sanitizers and a loaded machine get more.
REPLACED_WITHIN = 3.0 if SANITIZED else 0.2


def test_a_file_goes_up_and_comes_down_through_two_workers(master):
    program = master(workers=2)
    assert len(program.workers()) == 2
    body = os.urandom(256 * 1024)
    assert program.request("PUT", "/files/a.bin", body).status == 201
    assert program.request("GET", "/files/a.bin").body == body


def run_second(*options):
    return subprocess.run(
        [MASTER, "--workers", "1", "--worker-binary", WORKER, *options],
        env=environment(), capture_output=True, text=True, timeout=30, check=False,
    )


def test_a_second_instance_on_the_same_port_is_refused_with_the_reason(master, tmp_path):
    program = master()
    second = run_second("--bind", f"127.0.0.1:{program.port}", "--root", str(tmp_path / "other"))
    assert second.returncode == 1
    assert f"cannot listen on 127.0.0.1:{program.port}" in second.stderr
    assert "another instance" in second.stderr
    assert program.request("GET", "/healthz").status == 200


def test_a_second_instance_with_the_same_pid_file_is_refused_and_the_file_stays(master, tmp_path):
    pid_file = tmp_path / "pid"
    program = master("--pid", str(pid_file))
    assert pid_file.read_text() == f"{program.pid}\n"
    second = run_second("--bind", "127.0.0.1:0", "--pid", str(pid_file), "--root", str(tmp_path / "other"))
    assert second.returncode == 1
    assert f"held by process {program.pid}" in second.stderr
    assert pid_file.read_text() == f"{program.pid}\n"
    assert program.stop() == 0
    assert not pid_file.exists()


def test_a_pid_file_left_by_a_crash_is_taken_over(master, tmp_path):
    pid_file = tmp_path / "pid"
    pid_file.write_text("1\n")
    program = master("--pid", str(pid_file))
    assert pid_file.read_text() == f"{program.pid}\n"


def test_a_text_file_named_as_the_pid_file_is_refused_and_stays(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("what I must not lose\n")
    ended = run_second("--bind", "127.0.0.1:0", "--root", str(tmp_path / "root"), "--pid", str(notes))
    assert ended.returncode == 1
    assert f"the pid file {notes} holds something else" in ended.stderr
    assert notes.read_text() == "what I must not lose\n"


def test_a_start_at_which_no_worker_becomes_ready_ends_with_3(tmp_path):
    ended = run_second("--bind", "127.0.0.1:0", "--root", str(tmp_path), "--worker-binary", "/bin/false")
    assert ended.returncode == 3
    assert "no worker ever became ready, the last one exited with status 1" in ended.stderr


def test_a_user_that_does_not_exist_is_named_before_any_worker_is_started(tmp_path):
    ended = run_second("--bind", "127.0.0.1:0", "--root", str(tmp_path), "--user", "nosuch")
    assert ended.returncode == 1
    assert 'there is no user "nosuch"' in ended.stderr
    assert "worker" not in ended.stderr


def script(path):
    path.write_text(f'#!/bin/sh\nexec "{WORKER}" "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_a_worker_binary_that_is_a_script_is_refused_with_the_reason(tmp_path):
    wrapper = script(tmp_path / "wrapper")
    ended = run_second("--bind", "127.0.0.1:0", "--root", str(tmp_path / "root"), "--worker-binary", wrapper)
    assert ended.returncode == 1
    assert f"{wrapper} is a script (#!)" in ended.stderr
    assert "--worker-binary must name the program itself" in ended.stderr


def test_a_worker_that_was_killed_is_replaced_and_no_connection_is_refused(master):
    program = master(workers=1)
    took = []
    for _ in range(3):
        (worker,) = program.workers()
        os.kill(worker, signal.SIGKILL)
        killed_at = time.monotonic()
        assert program.request("GET", "/healthz").status == 200
        took.append(time.monotonic() - killed_at)
        assert worker not in program.workers()
    assert min(took) < REPLACED_WITHIN, took


def test_an_upload_that_a_crash_interrupted_leaves_nothing_visible(master):
    program = master(workers=1)
    with program.client() as client:
        client.send(request_bytes("PUT", "/files/half.bin", b"x" * 200_000)[:100_000])
        eventually(program.parts, "the upload has begun")
        os.kill(program.workers()[0], signal.SIGKILL)
        client.ended()
    assert program.request("GET", "/files/half.bin").status == 404
    assert program.visible() == []


def test_a_worker_whose_loop_stands_still_is_replaced(master):
    program = master("--timeout", "1s", workers=2)
    stuck = program.workers()[0]
    os.kill(stuck, signal.SIGSTOP)
    eventually(lambda: stuck not in program.workers() and len(program.workers()) == 2, "the stuck worker is replaced")
    assert "stood still" in program.log_text()
    assert program.request("GET", "/healthz").status == 200


def test_idle_workers_are_not_taken_for_stuck(master):
    program = master("--timeout", "1s", workers=2)
    before = program.workers()
    time.sleep(2.5)
    assert program.workers() == before


def test_term_lets_an_upload_finish_and_takes_no_new_connections(master):
    program = master(workers=2)
    with program.client() as client:
        rest = begin_upload(program, client)
        program.signal(signal.SIGTERM)
        eventually(lambda: len(program.workers()) == 1, "the idle worker is gone")
        client.send(rest)
        assert client.response("POST").status in (200, 201)
    assert program.stop() == 0
    assert len(program.visible()) == 1


def test_term_waits_no_longer_than_the_graceful_timeout(master):
    program = master("--graceful-timeout", "500ms", workers=1)
    with program.client() as client:
        begin_upload(program, client)
        program.signal(signal.SIGTERM)
        assert program.process.wait(10) == 0
    assert program.visible() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_int_and_quit_end_at_once(master, number):
    program = master(workers=2)
    with program.client() as client:
        begin_upload(program, client)
        program.signal(number)
        assert program.process.wait(10) == 0
    assert "does not go" not in program.log_text()
    assert program.visible() == []


def test_a_second_term_kills(master):
    program = master("--graceful-timeout", "60s", workers=1)
    with program.client() as client:
        begin_upload(program, client)
        program.signal(signal.SIGTERM)
        program.log_shows("stopping when all is answered")
        program.signal(signal.SIGTERM)
        assert program.process.wait(10) == 0
    program.log_shows("killing what is left")


def test_ttin_and_ttou_change_the_number_of_workers(master):
    program = master(workers=1)
    program.signal(signal.SIGTTIN)
    eventually(lambda: len(program.workers()) == 2, "a second worker")
    program.signal(signal.SIGTTOU)
    eventually(lambda: len(program.workers()) == 1, "one worker again")
    assert program.request("GET", "/healthz").status == 200


def test_when_the_master_is_killed_its_workers_leave_and_the_port_is_free(master):
    program = master(workers=2)
    workers = program.workers()
    program.signal(signal.SIGKILL)
    eventually(lambda: port_is_free(program.port), "the port is free", within=5)
    eventually(lambda: not any(os.path.exists(f"/proc/{worker}") for worker in workers), "the workers are gone")


def test_when_the_master_is_killed_an_upload_is_finished(master):
    program = master(workers=1)
    with program.client() as client:
        rest = begin_upload(program, client)
        program.signal(signal.SIGKILL)
        program.log_shows("the master is gone")
        client.send(rest)
        assert client.response("POST").status in (200, 201)


def test_a_unix_socket_serves_is_refused_to_a_second_instance_and_removed_at_the_end(master, tmp_path):
    path = tmp_path / "master.sock"
    program = master("--bind", f"unix:{path}")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
    second = run_second("--bind", f"unix:{path}", "--root", str(tmp_path / "other"))
    assert second.returncode == 1
    assert f"cannot listen on unix:{path}" in second.stderr
    assert program.stop() == 0
    assert not path.exists()


def test_a_stale_unix_socket_is_replaced(master, tmp_path):
    path = tmp_path / "master.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    master("--bind", f"unix:{path}")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_the_terminals_interrupt_reaches_the_master_alone(master):
    program = master(workers=2)
    for worker in program.workers():
        assert os.getpgid(worker) == worker != os.getpgid(program.pid)


def test_a_worker_inherits_what_it_needs_and_nothing_else(master):
    program = master(workers=1)
    (worker,) = program.workers()
    with open(f"/proc/{worker}/environ", "rb") as variables:
        assert b"slot=0 generation=1 listeners=1" in variables.read()
    links = {int(fd): os.readlink(f"/proc/{worker}/fd/{fd}") for fd in os.listdir(f"/proc/{worker}/fd")}
    assert links[0] == "/dev/null"
    assert links[3].startswith("socket:")
    assert links[6].startswith("socket:")
    assert sum(link.startswith("socket:") for link in links.values()) == 2
    assert not any(link.endswith("/worker") for link in links.values())
    assert not any("scoreboards" in link for link in links.values()), "nothing to map a sibling's region with"


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become somebody else")
def test_workers_become_the_named_user_and_keep_no_groups(master, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    os.chown(root, 65534, 65534)
    for directory in [tmp_path, *tmp_path.parents]:
        if not os.stat(directory).st_mode & 0o001:
            os.chmod(directory, os.stat(directory).st_mode | 0o001)
    groups_of_another = [4, 24]
    program = master("--user", "nobody", root=root, workers=1, preexec=lambda: os.setgroups(groups_of_another))
    with open(f"/proc/{program.workers()[0]}/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    assert set(fields["Uid"].split()) == {"65534"}
    assert set(fields["Gid"].split()) == {"65534"}
    assert set(fields["Groups"].split()) <= {"65534"}
    assert program.request("PUT", "/files/mine", b"x").status == 201
