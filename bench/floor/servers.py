"""Servers under load: how each is started, on which CPU, what it has used so far, and how it ends."""

import os
import shutil
import socket
import subprocess
import sys
import time

from endpoints import DISCARD, SAMPLE

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

NGINX = '''
daemon off; worker_processes 1; pid {root}.pid; error_log {root}.log crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; keepalive_timeout 60s;
  client_max_body_size 1g; client_body_buffer_size 128k; client_body_temp_path {root}/.parts;
  server {{
    listen 127.0.0.1:{port};
    location = /upload {{ alias {root}/$request_id; dav_methods PUT; }}
    location /files/ {{ alias {root}/; }}
  }}
}}
'''


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def descendants(pid):
    found = [pid]
    for one in found:
        try:
            for task in os.listdir(f'/proc/{one}/task'):
                with open(f'/proc/{one}/task/{task}/children', encoding='ascii') as file:
                    found += [int(child) for child in file.read().split()]
        except FileNotFoundError:
            pass
    return found


class Server:
    """A command on a port over a root of its own, pinned to one CPU."""

    def __init__(self, name, command, root, port, cpu):
        self.name, self.command, self.root, self.port = name, command, root, port
        self.cpu, self.process = cpu, None

    def start(self):
        with open(f'{self.root}.log', 'wb') as log:
            self.process = subprocess.Popen(['taskset', '-c', str(self.cpu)] + self.command, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        sys.exit(f'{self.name} did not start: {self.log()}')

    def log(self):
        with open(f'{self.root}.log', encoding='utf-8', errors='replace') as file:
            return file.read()[-2000:]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def cpu_seconds(self):
        """Time on a CPU of all threads of the process and its children, from the scheduler (ns; proc(5) schedstat).

        A thread that ends takes its time with it: pools here live as long as their process.
        """
        total = 0
        for process in descendants(self.process.pid):
            for task in os.listdir(f'/proc/{process}/task'):
                with open(f'/proc/{process}/task/{task}/schedstat', encoding='ascii') as file:
                    total += int(file.read().split()[0])
        return total / 1e9

    def ticks_seconds(self):
        """The same from utime + stime, in ticks of 10 ms: a check on the finer figure."""
        total = 0
        for process in descendants(self.process.pid):
            with open(f'/proc/{process}/stat', encoding='ascii') as file:
                fields = file.read().rsplit(')', 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf('SC_CLK_TCK')

    def settle(self):
        """Waits until the server is through with what wrk left it at its end: else the next server pays for it."""
        deadline, last = time.monotonic() + 5, self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(0.05)
            now = self.cpu_seconds()
            if now - last < 0.005:
                return
            last = now

    def stored(self):
        """The files published below the root, but for the one it serves."""
        for directory, names, files in os.walk(self.root):
            names[:] = [name for name in names if not name.startswith('.')]
            yield from (os.path.join(directory, name) for name in files if name != SAMPLE)

    def clean(self):
        for path in self.stored():
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass


class Fleet:
    """Starts servers below one directory, each with a root that holds the sample, and ends them."""

    def __init__(self, options, directory, sample):
        self.options, self.directory, self.sample = options, directory, sample
        self.servers = []

    def close(self):
        for server in self.servers:
            server.stop()

    def _start(self, name, command_of):
        port, root = free_port(), os.path.join(self.directory, f'{name}-{len(self.servers)}')
        os.makedirs(os.path.join(root, '.parts'), mode=0o700)
        with open(os.path.join(root, SAMPLE), 'wb') as file:
            file.write(self.sample)
        server = Server(name, command_of(port, root), root, port, self.options.server_cpu)
        self.servers.append(server)
        server.start()
        return server

    def floor(self, program):
        binary = os.path.join(self.options.build, 'bench', f'floor_{program}')
        return self._start('floor', lambda port, root: [binary, str(port)] + ([] if program == DISCARD else [root]))

    def worker(self):
        binary = os.path.join(self.options.build, 'worker', 'worker')
        return self._start('worker', lambda port, root: [binary, '--bind', f'127.0.0.1:{port}', '--root', root, '--durability',
                                                         'none', '--log-level', 'error'] + self.options.worker_option)

    def nginx(self):
        def command(port, root):
            with open(f'{root}.conf', 'w', encoding='ascii') as file:
                file.write(('user root;' if os.getuid() == 0 else '') + NGINX.format(root=root, port=port))
            return [shutil.which('nginx') or '/usr/sbin/nginx', '-c', f'{root}.conf']
        return self._start('nginx', command)

    def fastapi(self, runner):
        start = os.path.join(TOP, 'bench', 'peers', 'fastapi', 'start')
        return self._start(runner, lambda port, root: [start, runner, str(port), root])
