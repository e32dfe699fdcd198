"""What a master stands on: process 1 of a container, its umask."""

import os
import shutil
import signal
import stat
import subprocess

import pytest

from http_support import children, eventually

IN_NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


def may_unshare():
    return os.getuid() == 0 and shutil.which("unshare") and subprocess.run([*IN_NAMESPACE, "true"]).returncode == 0


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
