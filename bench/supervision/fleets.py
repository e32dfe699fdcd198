"""Three masters under one roof: how each is started and signalled, who its workers are, and what they hold."""

import os
import re
import signal
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(TOP, 'bench', 'harness'))

from accounting import connections_by_worker, descendants, pss_bytes, send, start_ticks  # noqa: E402
from servers import environment, folder_peers, free_port  # noqa: E402

APPLICATION = os.path.join(TOP, 'bench', 'peers', 'fastapi')
STARTED_WITHIN_S = 30
SETTLED_S = 0.25  # a worker of Forklift that is so old has said READY long since


class DidNot(Exception):
    """The server did not get where it was to be."""


class Fleet:
    """A master and its workers on a port of their own over a root of their own. Ended by close()."""

    reloads = scales = respawns = True

    def __init__(self, root, workers, options):
        self.root, self.count, self.options, self.port = root, workers, options, free_port()
        os.makedirs(root, exist_ok=True)
        self.log_path = f'{root}.log'
        with open(self.log_path, 'wb') as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env=environment(FASTAPI_LOG_LEVEL='info'))

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
        return sorted(connections_by_worker(self.workers(), self.port).values(), reverse=True)

    def close(self):
        pids = descendants(self.pid)
        send(reversed(pids), signal.SIGCONT)  # stopped ones too; ours, and known by their parent
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                pass
        left = pids if self.process.poll() is None else [pid for pid in pids if pid != self.pid]
        send(reversed(left), signal.SIGKILL)
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
        said = subprocess.run([master, '--version'], capture_output=True, text=True, check=True, env=environment())
        return said.stdout.strip()


class OfFastapi(Fleet):
    """The benchmark's FastAPI application, under a master that says when a worker is ready."""

    def command(self):
        return [os.path.join(APPLICATION, 'start'), str(self.port), self.root, str(self.count), self.name]

    @classmethod
    def version(cls, _):
        peer = folder_peers(APPLICATION)[cls.name]
        if peer.missing():
            raise DidNot(peer.missing())
        return peer.version()


class Gunicorn(OfFastapi):
    name = 'gunicorn'

    def ready(self):
        done = {int(pid) for pid in re.findall(r'\[(\d+)\] \[INFO\] Application startup complete', self.log())}
        return [worker for worker in self.workers() if worker in done]


class Uvicorn(OfFastapi):
    name = 'uvicorn'
    reloads = scales = respawns = False  # 0.17: HUP and TTIN end it, and nobody looks after its workers

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


FLEETS = {fleet.name: fleet for fleet in (Forklift, Gunicorn, Uvicorn)}
