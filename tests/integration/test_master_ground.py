"""What a master stands on: process 1 of a container, its umask, what its parent left behind."""

import os
import resource
import signal
import stat
import subprocess

import pytest

from http_support import IN_NAMESPACE, children, eventually, may_unshare

def state_of(pid):
    """One letter, Z for a zombie; nothing where it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as line:
            return line.read().rsplit(") ", 1)[1][0]
    except (FileNotFoundError, ProcessLookupError):
        return None


@pytest.mark.skipif(not may_unshare(), reason="no process namespaces here")
def test_as_process_1_the_master_reaps_strangers_replaces_workers_and_ends_when_told(master):
    program = master(prefix=IN_NAMESPACE, workers=2)
    (first,) = children(program.pid)
    workers = children(first)
    assert len(workers) == 2
    # Two grandchildren whose parent is gone: the kernel gives them to process 1.
    orphans = "(sleep 0.2 &); (sleep 0.3 &)"
    subprocess.run(["nsenter", "--target", str(first), "--pid", "sh", "-c", orphans], check=True)
    strangers = eventually(lambda: len(children(first)) == 4 and set(children(first)) - set(workers), "two strangers")
    eventually(lambda: not any(state_of(stranger) for stranger in strangers), "they are reaped")
    assert children(first) == workers
    os.kill(workers[0], signal.SIGKILL)
    eventually(lambda: len(children(first)) == 2 and workers[0] not in children(first), "the worker is replaced")
    assert program.request("GET", "/healthz").status == 200
    os.kill(first, signal.SIGTERM)
    assert program.process.wait(10) == 0


@pytest.mark.parametrize("options, mode", [([], 0o640), (["--umask", "077"], 0o600), (["--umask", "0"], 0o666)])
def test_files_have_the_mode_that_umask_leaves(master, options, mode):
    program = master(*options, workers=1, preexec=lambda: os.umask(0o022))
    assert program.request("PUT", "/files/a", b"x").status == 201
    assert stat.S_IMODE(os.stat(os.path.join(program.root, "a")).st_mode) == mode


def all_blocked():
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def test_signals_that_a_parent_blocked_are_heard(master):
    program = master(workers=1, preexec=all_blocked)
    (worker,) = program.workers()
    os.kill(worker, signal.SIGKILL)
    eventually(lambda: program.workers() not in ([], [worker]), "it is replaced")
    program.signal(signal.SIGHUP)
    program.log_shows("reloaded")
    assert program.stop() == 0


@pytest.mark.parametrize("closed", [[0], [1], [0, 1]])
def test_standard_descriptors_that_a_parent_closed_are_nobodys(master, closed):
    program = master(workers=1, preexec=lambda: [os.close(fd) for fd in closed])
    for fd in closed:
        assert os.readlink(f"/proc/{program.pid}/fd/{fd}") == "/dev/null"
    assert program.request("PUT", "/files/a", b"x").status == 201
    assert program.stop() == 0


def test_a_file_over_the_size_limit_costs_its_own_upload_only(master):
    few = 200_000_000  # more than the memory of the fleet
    program = master(workers=1, preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (few, few)))
    (worker,) = program.workers()
    with program.client() as slow:
        slow.send(b"PUT /files/slow HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        big = subprocess.run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "PUT", "--data-binary", "@-",
             "-H", "Transfer-Encoding: chunked", f"http://127.0.0.1:{program.port}/files/big"],
            input=bytes(few + 1), capture_output=True, check=False,
        )
        assert big.stdout == b"413"
        slow.send(b"cd")
        assert slow.response("PUT").status == 201
    assert program.workers() == [worker] and program.visible() == ["slow"]
