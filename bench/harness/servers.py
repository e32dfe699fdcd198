"""Servers under load: which there are, how each is started on which CPUs, what it has used so far, and how it ends.

A server of one's own is a folder (--peer-dir) like those in bench/peers, with two files:

  start       an executable: start PORT ROOT WORKERS VARIANT. Serves 127.0.0.1:PORT in the foreground until SIGTERM, with WORKERS
              processes or threads, without an access log. ROOT holds sample.bin; uploads become files anywhere below it. What begins
              with a dot there is not looked at: temporary files, configuration. On the same file system, for a rename.
  peer.json   {"names": {"NAME": ["alone", "xN"]},     server as the report calls it, given as VARIANT → its process models
               "endpoints": ["PUT", "GET"],            names of endpoints.py, "article" for all thirteen, or a map NAME → {"path": ...,
                                                       "unique": whether the client must vary it}; see Payload.at for what is usual
               "durability": "page cache",             of uploads, one of model.DURABILITY
               "needs": ["nginx", "/a/file", "python3:fastapi"],   programs, files, modules of Debian's Python
               "version": "nginx -v",                  a shell command, run in the folder, VARIANT is $1
               "notes": ["..."]}
"""

import itertools
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import time

import groups
from accounting import Account, adopt_orphans, at_work, connections_by_worker, end_strays, send, sockets_astray, spawn, threads_astray
from endpoints import ARTICLE, BY_NAME, DISCARD, SAMPLE

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = os.path.join(TOP, 'bench', 'peers')
PYTHON = '/usr/bin/python3'
STARTED_WITHIN_S, STOPPED_WITHIN_S = 30, 5


class ServerError(Exception):
    """A server that did not come up, or can't be started; in words."""


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def environment(**more):
    """Ours, without what would configure a server behind our back."""
    own = {key: value for key, value in os.environ.items() if not key.startswith('FORKLIFT_') and key != 'WEB_CONCURRENCY'}
    return dict(own, PYTHONDONTWRITEBYTECODE='1', PATH=own.get('PATH', os.defpath) + ':/usr/sbin:/sbin', **more)


def raise_descriptors():
    """Ours, which servers inherit: a thousand connections need more than the usual 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65536)), hard))


class Server:
    """A running server on a port over a root of its own. cpus: those it may use; none: all."""

    running = set()
    strays = []  # names of what was ended before a server began, until somebody says so

    def __init__(self, name, command, root, port, workers=1, cpus=()):
        self.name, self.root, self.port, self.workers, self.cpus = name, root, port, workers, cpus
        pinned = ['taskset', '-c', ','.join(map(str, sorted(cpus)))] if cpus else []
        self.command = pinned + command
        raise_descriptors()
        adopt_orphans()
        if not Server.running:
            Server.strays += end_strays()
        self.group = groups.make()
        with open(f'{root}.log', 'wb') as log:
            self.process = spawn(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment(),
                                 start_new_session=True,  # ^C is for us, who then stop it
                                 preexec_fn=self.group and self.group.enter)
        self.account = Account(self.process.pid, self.group)
        Server.running.add(self)

    def wait_until_up(self, greeting):
        """Until it accepts, has answered the greeting ('': not asked for) and is idle; ServerError when that does not come."""
        deadline = time.monotonic() + STARTED_WITHIN_S
        while time.monotonic() < deadline and self.alive():
            try:
                with socket.create_connection(('127.0.0.1', self.port), 1) as client:
                    if greeting:
                        client.settimeout(STARTED_WITHIN_S)
                        client.sendall(greeting)
                        if not client.recv(1):
                            raise ConnectionError
                self.settle()
                return
            except OSError:
                time.sleep(0.02)
        said = self.log()
        self.stop()
        raise ServerError(f'{self.name} did not start: {said}')

    def alive(self):
        return self.process.poll() is None

    def log(self):
        with open(f'{self.root}.log', encoding='utf-8', errors='replace') as file:
            return file.read()[-2000:]

    def stop(self):
        """Ends it with all it started; the processes that would not end."""
        ours = self.account.pids()
        if self.alive():
            self.process.terminate()
            try:
                self.process.wait(STOPPED_WITHIN_S)
            except subprocess.TimeoutExpired:
                pass
        deadline = time.monotonic() + STOPPED_WITHIN_S
        while (ours | self.account.pids()) and time.monotonic() < deadline:
            ours = self.account.pids()
            send(ours, signal.SIGKILL)
            self.process.poll()
            time.sleep(0.01)
        left = self.account.pids()
        if self.process.pid not in left:
            self.process.wait()
        if self.group:
            self.group.remove()
        Server.running.discard(self)
        return left

    def usage(self):
        """accounting.Usage since the start. Take one now and then: what ends is accounted for as it was last seen."""
        return self.account.usage()

    def memory_bytes(self):
        """PSS of the tree now."""
        return self.account.memory_bytes()

    def connections(self, without=()):
        """Established connections of each worker process now, the most first; not those to a client's port in `without`."""
        return sorted(connections_by_worker(self.account.pids(), self.port, without).values(), reverse=True)

    def astray(self):
        """What it does now that can't be accounted for or that no other server may, in words: who listens, and on which cores it runs."""
        listens, others = sockets_astray(self.account.pids(), self.port)
        others -= self.account.pids()  # who was started meanwhile
        complaints = [] if listens else ["the socket that listens on the port is at no process of the server's"]
        if others:
            complaints.append(f"{len(others)} processes that are none of the server's hold its sockets")
        threads, kernel = threads_astray(self.account.pids(), self.cpus) if self.cpus else (0, 0)
        if threads > kernel:
            complaints.append(f'{threads - kernel} threads of the server may run on other cores than it was given')
        return complaints

    def settle(self):
        """Waits until the server is through with what a client left it at its end: else the next server pays for it."""
        deadline, last = time.monotonic() + STARTED_WITHIN_S, self.usage().cpu_s
        while time.monotonic() < deadline:
            time.sleep(0.05)
            now = self.usage().cpu_s
            if now - last < 0.005 and not any(map(at_work, self.account.pids())):  # on a busy machine it may have to wait for its turn
                return
            last = now

    def stored(self):
        """The files published below the root, but for the one it serves."""
        for directory, names, files in os.walk(self.root):
            names[:] = [name for name in names if not name.startswith('.')]
            yield from (os.path.join(directory, name) for name in files if name != SAMPLE and not name.startswith('.'))

    def stored_now(self):
        """How many there are at this moment: all of its processes are stopped while they are counted."""
        stopped = self.account.pids()
        try:
            send(stopped, signal.SIGSTOP)
            return sum(1 for _ in self.stored())
        finally:
            send(stopped, signal.SIGCONT)

    def clean(self):
        for path in self.stored():
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass


class Peer:
    """One server program that can be started."""

    greeting = b'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
    counter = itertools.count()

    def __init__(self, name, models, notes=()):
        self.name, self.models, self.notes = name, tuple(models), list(notes)

    def missing(self):
        """Why it can't run here; '': it can."""
        raise NotImplementedError

    def version(self):
        """One line."""
        raise NotImplementedError

    def endpoints(self):
        """Names of what it serves, of endpoints.BY_NAME."""
        raise NotImplementedError

    def durability(self, endpoint, asked='page cache'):
        """How far an upload to the endpoint has gone when it is answered, one of model.DURABILITY."""
        if not BY_NAME[endpoint].body:
            return 'read'
        return self._kept(asked) if BY_NAME[endpoint].keeps else 'none kept'

    def _kept(self, _asked):
        return 'page cache'

    def target(self, endpoint, payload):
        return payload.at(BY_NAME[endpoint])

    def command(self, port, root, model, workers, durability, endpoint):
        raise NotImplementedError

    def start(self, model, workers, directory, payload, cpus=(), durability='page cache', endpoint=''):
        """A Server that answers, over a fresh root below the directory that holds the sample. endpoint: the floor has a program for each."""
        if self.missing():
            raise ServerError(self.missing())
        workers = workers if model == 'xN' else 1
        port, root = free_port(), os.path.join(directory, f'{self.name}-{next(Peer.counter)}')
        os.makedirs(root)
        with open(os.path.join(root, SAMPLE), 'wb') as file:
            file.write(payload.data)
        server = Server(self.name, self.command(port, root, model, workers, durability, endpoint), root, port, workers, cpus)
        try:
            server.wait_until_up(self.greeting)
        except BaseException:
            server.stop()
            raise
        return server


class Forklift(Peer):
    """options: more of them for worker and master."""

    DURABILITY = {'fdatasync': 'data', 'fsync+directory': 'full'}

    def __init__(self, build, options=()):
        super().__init__('forklift', ('alone', 'x1', 'xN'))
        self.worker, self.master = (os.path.join(build, name, name) for name in ('worker', 'master'))
        self.options = list(options)

    def missing(self):
        return next((f'{path} is not built' for path in (self.worker, self.master) if not os.access(path, os.X_OK)), '')

    def version(self):
        return said([self.worker, '--version'])

    def endpoints(self):
        return list(BY_NAME)

    def _kept(self, asked):
        return asked if asked in self.DURABILITY else 'page cache'

    def command(self, port, root, model, workers, durability, endpoint):
        program = [self.worker] if model == 'alone' else [self.master, '--worker-binary', self.worker, '--workers', str(workers)]
        return program + ['--bind', f'127.0.0.1:{port}', '--root', root, '--durability', self.DURABILITY.get(durability, 'none'),
                          '--log-level', 'error'] + self.options


class Floor(Peer):
    """What this machine can do at best: a C program an endpoint, so start() has to be told which."""

    greeting = b''

    def __init__(self, build):
        super().__init__('floor', ('alone',), ['A page of C without parsing, limits or errors: no server can be cheaper by much.'])
        self.build = build

    def program(self, endpoint):
        return os.path.join(self.build, 'bench', f'floor_{BY_NAME[endpoint].floor}')

    def missing(self):
        return next((f'{self.program(name)} is not built' for name in BY_NAME if not os.access(self.program(name), os.X_OK)), '')

    def version(self):
        return 'bench/floor'

    def endpoints(self):
        return list(BY_NAME)

    def target(self, endpoint, payload):
        return payload.at_floor(BY_NAME[endpoint])

    def command(self, port, root, model, workers, durability, endpoint):
        return [self.program(endpoint), str(port)] + ([] if BY_NAME[endpoint].floor == DISCARD else [root])


class FolderPeer(Peer):
    """A server of a folder with `start` and peer.json, as the top of this file says."""

    def __init__(self, folder, about, name):
        super().__init__(name, about['names'][name], about.get('notes', ()))
        self.folder, self.about = folder, about
        listed = about['endpoints']
        self.served = {endpoint: {} for endpoint in ARTICLE} if listed == 'article' else dict.fromkeys(listed, {})
        if isinstance(listed, dict):
            self.served = listed

    def missing(self):
        return next((f'{need.split(":")[-1]} is not installed' for need in self.about.get('needs', ()) if not is_there(need)), '')

    def version(self):
        return said(['sh', '-c', self.about['version'], 'version', self.name], self.folder)

    def endpoints(self):
        return list(self.served)

    def _kept(self, _asked):
        return self.about.get('durability', 'page cache')

    def target(self, endpoint, payload):
        return payload.at(BY_NAME[endpoint], **self.served[endpoint])

    def command(self, port, root, model, workers, durability, endpoint):
        return [os.path.join(self.folder, 'start'), str(port), root, str(workers), self.name]


def said(command, folder=None):
    """The first line that a command prints, without paths of this machine."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment(), timeout=30)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0].strip() if lines else 'unknown'


def is_there(need):
    """A program, an absolute path, or python3:MODULE."""
    if need.startswith('python3:'):
        code = f'import importlib.util, sys; sys.exit(importlib.util.find_spec({need[8:]!r}) is None)'
        return os.path.exists(PYTHON) and subprocess.run([PYTHON, '-c', code], check=False).returncode == 0
    return os.path.exists(need) if need.startswith('/') else shutil.which(need, path=environment()['PATH']) is not None


def folder_peers(folder):
    """name → FolderPeer of a folder."""
    path = os.path.join(folder, 'peer.json')
    try:
        with open(path, encoding='utf-8') as file:
            about = json.load(file)
        peers = {name: FolderPeer(os.path.abspath(folder), about, name) for name in about['names']}
    except OSError as error:
        raise ServerError(f'{path}: {error.strerror}') from None
    except (ValueError, KeyError, TypeError) as error:
        raise ServerError(f'{path}: {error!r}; what it must hold is said at the top of bench/harness/servers.py') from None
    unknown = [endpoint for peer in peers.values() for endpoint in peer.served if endpoint not in BY_NAME]
    if unknown:
        raise ServerError(f'{path}: no endpoint {unknown[0]!r}; there are: {" ".join(BY_NAME)}')
    return peers


def catalogue(build, folders=(), options=()):
    """Every server by its name: Forklift, the floor, bench/peers, and the folders of the user's own."""
    adopt_orphans()  # what asking for versions leaves behind is ended before anything is measured
    peers = {'forklift': Forklift(build, options), 'floor': Floor(build)}
    own = [entry.path for entry in sorted(os.scandir(PEERS), key=lambda entry: entry.name) if entry.is_dir()]
    for folder in own + list(folders):
        for name, peer in folder_peers(folder).items():
            if name in peers:
                raise ServerError(f'{folder}: there is a server {name!r} already')
            peers[name] = peer
    return peers
