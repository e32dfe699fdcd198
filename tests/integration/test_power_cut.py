"""What a power cut, and the death of workers and master, leave of uploads: all that was acknowledged, and nothing half."""

# ctest: alone

import contextlib
import fcntl
import hashlib
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time

import pytest

from http_support import FULL, MASTER, SANITIZED, WORKER, Client, Program, Threads, children, eventually
from supervision_support import exists

ROUNDS = 200 if FULL else 2
KILL_UPLOADS = 2000 if FULL else 400
CLIENTS = 4
STRATEGIES = ["blocking", "pool", "splice", "uring"]

GOING_DOWN = 0x8004587D  # FS_IOC_GOINGDOWN
NO_LOG_FLUSH = struct.pack("I", 2)  # what is not on the disk by now never will be

LYING_DISK = "int fdatasync(int fd) { (void)fd; return 0; }\n"


def content(generation, size):
    """A file that proves by itself that it is whole, and tells which of its name it is."""
    rest = b"%010d" % generation + os.urandom(size)
    return hashlib.sha256(rest).hexdigest().encode() + rest


def generation_of(path):
    """None: not whole."""
    with open(path, "rb") as file:
        data = file.read()
    if hashlib.sha256(data[64:]).hexdigest().encode() != data[:64]:
        return None
    return int(data[64:74])


class Load(Threads):
    """Clients that upload under new names and replace files of their own; `acknowledged` is the last generation of each
    name that was answered with a 2xx."""

    def __init__(self, port, first_generation=1):
        super().__init__(self._run, [(number,) for number in range(CLIENTS)])
        self.port, self.acknowledged = port, {}
        self.count, self.generation = 0, first_generation

    def _run(self, number):
        generation, client = self.generation, None
        while not self.over.is_set():
            generation += 1
            name = f"kept/{number}" if generation % 2 else f"new/{number}/{generation}"
            try:
                client = client or Client(self.port, timeout=5)
                client.request("PUT", f"/files/{name}", content(generation, random.choice([0, 5_000, 200_000])))
                status = client.response("PUT").status
            except (OSError, AssertionError):
                client = None
                time.sleep(0.005)
                continue
            if status in (201, 204):
                self.acknowledged[name] = generation
                self.count += 1


def losses(root, acknowledged):
    """What is not as it was promised, in words."""
    wrong = []
    for directory, directories, names in os.walk(root):
        if directory == str(root):
            directories[:] = [name for name in directories if name not in (".forklift", "lost+found")]
        for name in names:
            if generation_of(os.path.join(directory, name)) is None:
                wrong.append(f"{name} is not whole")
    for name, generation in acknowledged.items():
        path = os.path.join(root, name)
        if not os.path.exists(path):
            wrong.append(f"{name} is gone")
        elif (generation_of(path) or 0) < generation:
            wrong.append(f"{name} is not the file that was acknowledged")
    return wrong


def parts(root):
    return [os.path.join(where, name) for where, _, names in os.walk(os.path.join(root, ".forklift", "parts")) for name in names]


def serve(root, *options):
    # No port of its own may be left to a worker that outlives its master for a moment.
    return Program(MASTER, root, "--workers", "2", "--worker-binary", WORKER, "--part-age", "1s", *options)


def kill_all(program):
    """Nobody gets to say a word."""
    everybody = children(program.pid)
    program.process.kill()
    for pid in everybody:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    program.process.wait()
    program.stop()
    for pid in everybody:
        eventually(lambda: not exists(pid), f"{pid} is gone")


def leaves_no_parts_after_restart(root):
    for part in parts(root):
        os.utime(part, (1, 1))  # an hour later
    program = serve(root)
    try:
        eventually(lambda: not parts(root), "the parts of the dead are swept")
    finally:
        assert program.stop() == 0


class Disk:
    """An ext4 of its own, which can lose its power."""

    def __init__(self, directory):
        self.image, self.root = os.path.join(directory, "image"), os.path.join(directory, "mounted")
        os.mkdir(self.root)
        with open(self.image, "wb") as image:
            image.truncate(512 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True)
        self.mount()

    def mount(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.root], check=True)

    def unmount(self):
        def unmounted():
            return subprocess.run(["umount", self.root], stderr=subprocess.DEVNULL).returncode == 0

        eventually(unmounted, "the disk is unmounted")

    def cut_power(self):
        fd = os.open(self.root, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, GOING_DOWN, NO_LOG_FLUSH)
        finally:
            os.close(fd)


@pytest.fixture
def disk():
    if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
        pytest.skip("needs root and mkfs.ext4")
    where = tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    try:
        made = Disk(where)
    except subprocess.CalledProcessError:
        shutil.rmtree(where)
        pytest.skip("no loop devices here")
    yield made
    made.unmount()
    shutil.rmtree(where)


def power_cut(disk, number):
    """One round; gives what was lost and how many uploads were acknowledged."""
    for name in os.listdir(disk.root):
        if name != "lost+found":
            shutil.rmtree(os.path.join(disk.root, name))
    os.sync()
    program = serve(disk.root, "--durability", "full", "--upload-strategy", STRATEGIES[number % len(STRATEGIES)])
    try:
        with Load(program.port) as load:
            eventually(lambda: load.count >= CLIENTS, "uploads are acknowledged")
            time.sleep(random.uniform(0.05, 0.5))
            disk.cut_power()
            time.sleep(0.05)  # nothing may be acknowledged now either
    finally:
        kill_all(program)
    disk.unmount()
    disk.mount()
    return losses(disk.root, load.acknowledged), load.count


def test_a_power_cut_loses_no_upload_that_was_acknowledged_and_shows_none_that_is_half(disk):
    acknowledged = 0
    for number in range(ROUNDS):
        lost, count = power_cut(disk, number)
        assert not lost, f"round {number}: {lost}"
        acknowledged += count
        leaves_no_parts_after_restart(disk.root)
    print(f"{ROUNDS} rounds, {acknowledged} acknowledged uploads")


@pytest.mark.skipif(bool(SANITIZED), reason="a sanitizer wants to be loaded first")
def test_the_power_cut_shows_when_fdatasync_is_left_out(disk, tmp_path, monkeypatch):
    compiler = shutil.which("cc") or pytest.skip("no C compiler")
    source, library = tmp_path / "lying.c", tmp_path / "lying.so"
    source.write_text(LYING_DISK)
    subprocess.run([compiler, "-shared", "-fPIC", source, "-o", library], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    assert any(power_cut(disk, number)[0] for number in range(10)), "ten power cuts lost nothing"


def test_uploads_survive_workers_and_a_master_that_are_killed_at_random(tmp_path):
    root = tmp_path / "root"
    program, kills = serve(root, "--durability", "none"), 0
    try:
        with Load(program.port) as load:
            while load.count < KILL_UPLOADS:
                time.sleep(random.uniform(0.05, 0.3))
                workers = children(program.pid)
                if workers:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(random.choice(workers), signal.SIGKILL)
                        kills += 1
            time.sleep(random.uniform(0, 0.05))
            kill_all(program)
    finally:
        kill_all(program) if program.process.poll() is None else None
    assert not re.search("Sanitizer|runtime error", "".join(program.log))
    assert not losses(root, load.acknowledged)
    leaves_no_parts_after_restart(root)
    print(f"{load.count} acknowledged uploads, {kills} workers killed")
