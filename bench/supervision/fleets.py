"""Three masters under one roof: how each is started and signalled, who its workers are, and what they hold."""

import os
import re
import signal
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 'bench', 'floor'))

from servers import descendants, free_port  # noqa: E402

APPLICATION = os.path.join(TOP, 'bench', 'peers', 'fastapi')
PYTHON = '/usr/bin/python3'
STARTED_WITHIN_S = 30
SETTLED_S = 0.25  # a worker of Forklift that is so old has said READY long since


class DidNot(Exception):
    """The server did not get where it was to be."""


def environment(root):
    own = {key: value for key, value in os.environ.items() if not key.startswith('FORKLIFT_') and key != 'WEB_CONCURRENCY'}
    return dict(own, FASTAPI_ROOT=root, TMPDIR=root, PYTHONDONTWRITEBYTECODE='1')


def start_ticks(pid):
    """When the process began, in ticks since boot; None: gone, or a zombie."""
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as file:
            fields = file.read().rsplit(')', 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in 'ZX' else int(fields[19])


def pss_bytes(pid):
    try:
        with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as file:
            return int(re.search(r'^Pss:\s+(\d+) kB', file.read(), re.M).group(1)) * 1024
    except (OSError, AttributeError):
        return 0


def sockets_of(pid):
    found = set()
    try:
        for number in os.listdir(f'/proc/{pid}/fd'):
            try:
                link = os.readlink(f'/proc/{pid}/fd/{number}')
            except FileNotFoundError:
                continue
            if link.startswith('socket:['):
                found.add(int(link[8:-1]))
    except (FileNotFoundError, PermissionError):
        pass
    return found


def established(port):
    """Inodes of the established connections whose local port is this one (proc(5), net/tcp)."""
    found = set()
    with open('/proc/net/tcp', encoding='ascii') as file:
        for line in file.readlines()[1:]:
            fields = line.split()
            if fields[3] == '01' and int(fields[1].split(':')[1], 16) == port:
                found.add(int(fields[9]))
    return found


class Fleet:
    """A master and its workers on a port of their own over a root of their own. Ended by close()."""

    reloads = scales = respawns = True

    def __init__(self, root, workers, options):
        self.root, self.count, self.options, self.port = root, workers, options, free_port()
        os.makedirs(root, exist_ok=True)
        self.log_path = f'{root}.log'
        with open(self.log_path, 'wb') as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env=environment(root))

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        with open(self.log_path, encoding='utf-8', errors='replace') as file:
            return file.read()

    def children(self):
        try:
            with open(f'/proc/{self.pid}/task/{self.pid}/children', encoding='ascii') as file:
                found = [int(child) for child in file.read().split()]
        except FileNotFoundError:
            return []
        return [child for child in found if start_ticks(child) is not None]

    def workers(self):
        """Processes that are workers, ready or not."""
        return self.children()

    def ready(self):
        """Workers that serve."""
        raise NotImplementedError

    def wait(self, condition, what, within=STARTED_WITHIN_S):
        end = time.monotonic() + within
        while not condition():
            if time.monotonic() > end:
                raise DidNot(f'{self.name}: not within {within} s: {what}\n{self.log()[-2000:]}')
            time.sleep(0.02)

    def up(self, count=None):
        count = count or self.count
        self.wait(lambda: self.process.poll() is None and self.is_up(count), f'{count} workers serve')

    def is_up(self, count, without=()):
        workers = self.workers()
        return len(workers) == count == len(self.ready()) and not set(workers) & set(without)

    def signal(self, number):
        self.process.send_signal(number)

    def pss(self):
        return sum(pss_bytes(pid) for pid in descendants(self.pid))

    def connections_per_worker(self):
        here = established(self.port)
        return sorted((len(sockets_of(worker) & here) for worker in self.workers()), reverse=True)

    def close(self):
        pids = descendants(self.pid)
        for pid in reversed(pids):  # stopped ones too; ours, and known by their parent
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                pass
        for pid in reversed(pids):
            try:
                if pid != self.pid or self.process.poll() is None:
                    os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()


class Forklift(Fleet):
    name = 'forklift'

    def command(self):
        build = self.options.build
        return [os.path.join(build, 'master', 'master'), '--worker-binary', os.path.join(build, 'worker', 'worker'), '--workers',
                str(self.count), '--bind', f'127.0.0.1:{self.port}', '--root', self.root] + self.options.master_option

    def ready(self):
        now = time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf('SC_CLK_TCK')
        age = SETTLED_S * os.sysconf('SC_CLK_TCK')
        began = {worker: start_ticks(worker) for worker in self.workers()}
        return [worker for worker, ticks in began.items() if ticks is not None and now - ticks >= age]

    @staticmethod
    def version(options):
        master = os.path.join(options.build, 'master', 'master')
        said = subprocess.run([master, '--version'], capture_output=True, text=True, check=True, env=environment(''))
        return said.stdout.strip()


class Gunicorn(Fleet):
    name = 'gunicorn'

    def command(self):
        return [PYTHON, '-m', 'gunicorn', '--chdir', APPLICATION, '--bind', f'127.0.0.1:{self.port}', '--workers',
                str(self.count), '--worker-class', 'uvicorn.workers.UvicornWorker', '--log-level', 'info', 'app:app']

    def ready(self):
        done = {int(pid) for pid in re.findall(r'\[(\d+)\] \[INFO\] Application startup complete', self.log())}
        return [worker for worker in self.workers() if worker in done]

    @staticmethod
    def version(_):
        return versions('gunicorn', 'uvicorn', 'fastapi')


class Uvicorn(Fleet):
    name = 'uvicorn'
    reloads = scales = respawns = False  # 0.17: HUP and TTIN end it, and nobody looks after its workers

    def command(self):
        return [PYTHON, '-m', 'uvicorn', '--app-dir', APPLICATION, '--host', '127.0.0.1', '--port', str(self.port), '--workers',
                str(self.count), '--no-access-log', '--log-level', 'info', 'app:app']

    def workers(self):
        found = []
        for child in self.children():
            try:
                with open(f'/proc/{child}/cmdline', 'rb') as file:
                    if b'spawn_main' in file.read():  # beside them runs a resource tracker
                        found.append(child)
            except FileNotFoundError:
                pass
        return found

    def ready(self):
        done = {int(pid) for pid in re.findall(r'Started server process \[(\d+)\]', self.log())}
        return [worker for worker in self.workers() if worker in done]

    @staticmethod
    def version(_):
        return versions('uvicorn', 'fastapi')


def versions(*packages):
    code = 'import sys, importlib.metadata as m; print(*(f"{p} {m.version(p)}" for p in sys.argv[1:]), sep=", ")'
    found = subprocess.run([PYTHON, '-c', code, *packages], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise DidNot(f'{packages[0]} is not installed: {found.stderr.strip().splitlines()[-1]}')
    return found.stdout.strip()


FLEETS = {fleet.name: fleet for fleet in (Forklift, Gunicorn, Uvicorn)}
