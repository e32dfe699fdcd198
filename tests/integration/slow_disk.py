"""A file system whose reads are as slow as one likes: ext4 on a loop device behind a cgroup's I/O limit."""

import contextlib
import os
import subprocess
import tempfile
import time

V1 = '/sys/fs/cgroup/blkio'
V2 = '/sys/fs/cgroup'
ENTER = ('/bin/sh', '-c', 'echo $$ > "$0" && exec "$@"')


class Unavailable(Exception):
    """What this machine lacks, in words."""


def run(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError as missing:
        raise Unavailable(f'no {command[0]} here') from missing
    if done.returncode != 0:
        raise Unavailable(f'{command[0]}: {done.stderr.strip()}')


def write(path, text):
    try:
        with open(path, 'w') as file:
            file.write(text)
    except OSError as error:
        raise Unavailable(f'{path}: {error.strerror}') from error


def has_io(controllers):
    try:
        with open(controllers) as file:
            return 'io' in file.read().split()
    except OSError:
        return False


def eventually_done(step, attempts=200):
    """What is just ending keeps a mount or a group busy for a moment."""
    for attempt in range(attempts):
        try:
            return step()
        except (OSError, Unavailable):
            if attempt == attempts - 1:
                raise
            time.sleep(0.05)


class Limit:
    """A cgroup (version 2 where it has `io`, else 1) that may read so many bytes a second of one device."""

    def __init__(self, device):
        self.device = f'{os.major(device)}:{os.minor(device)}'
        self.is_v2 = has_io(f'{V2}/cgroup.controllers')
        if self.is_v2 and not has_io(f'{V2}/cgroup.subtree_control'):
            write(f'{V2}/cgroup.subtree_control', '+io')
        self.group = f'{V2 if self.is_v2 else V1}/forklift-{os.getpid()}'
        try:
            os.mkdir(self.group)
        except OSError as error:
            raise Unavailable(f'no cgroup for an I/O limit: {error.strerror}') from error

    def set(self, bytes_per_second):
        if self.is_v2:
            write(f'{self.group}/io.max', f'{self.device} rbps={bytes_per_second}')
        else:
            write(f'{self.group}/blkio.throttle.read_bps_device', f'{self.device} {bytes_per_second}')

    def remove(self):
        eventually_done(lambda: os.rmdir(self.group))


class SlowDisk:
    """For a `with`. `root` is where it is mounted; a program started with `prefix` before its command reads slowly.
    Raises Unavailable where that cannot be had: it needs root, loop devices and a cgroup with I/O limits."""

    def __init__(self, megabytes, directory=None):
        directory = directory or ('/dev/shm' if os.path.isdir('/dev/shm') else None)
        self.megabytes = megabytes
        self.where = tempfile.mkdtemp(prefix='forklift-slow-', dir=directory)
        self.image, self.root = f'{self.where}/image', f'{self.where}/mounted'
        self.limit = None

    def __enter__(self):
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make(self):
        if os.geteuid() != 0:
            raise Unavailable('needs root')
        os.mkdir(self.root)
        with open(self.image, 'wb') as image:
            image.truncate(self.megabytes << 20)
        run('mkfs.ext4', '-q', '-F', self.image)
        self.mount()
        self.limit = Limit(os.stat(self.root).st_dev)

    def mount(self):
        run('mount', '-o', 'loop', self.image, self.root)

    def forget(self):
        """Nothing of it is in memory any more: neither what files hold nor where they are."""
        os.sync()
        eventually_done(lambda: run('umount', self.root))
        self.mount()

    @property
    def prefix(self):
        return (*ENTER, f'{self.limit.group}/cgroup.procs')

    def __exit__(self, *_):
        if self.limit:
            self.limit.remove()
        if os.path.ismount(self.root):
            eventually_done(lambda: run('umount', self.root))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.image)
            os.rmdir(self.root)
        os.rmdir(self.where)
