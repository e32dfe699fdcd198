"""One load on one server: wrk on a CPU of its own, and what both used for it; and a check that the work is done."""

import os
import re
import resource
import subprocess
import sys
from typing import NamedTuple

import verify

CONNECTIONS = 100

LUA = '''
wrk.method = os.getenv("LOAD_METHOD")
local body = os.getenv("LOAD_BODY")
if body ~= "" then
  local file = assert(io.open(body, "rb"))
  wrk.body = file:read("*a")
  file:close()
  wrk.headers["Content-Type"] = os.getenv("LOAD_TYPE")
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d\\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.timeout, e.status))
end
'''


class Figures(NamedTuple):
    cpu_us: float    # of the server, a request
    rate: float      # requests a second
    wrk_busy: float  # share of its CPU that wrk used


class Missing(Exception):
    """The server says 501: its kernel or file system lacks the mechanism."""


def children_cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Load:
    def __init__(self, options, directory):
        self.options, self.wrk = options, None
        self.lua = os.path.join(directory, 'load.lua')
        with open(self.lua, 'w', encoding='ascii') as file:
            file.write(LUA)

    def close(self):
        if self.wrk and self.wrk.poll() is None:
            self.wrk.kill()
            self.wrk.wait()

    def run(self, server, target, seconds):
        """Figures of one wrk run. A server may be so slow that no request of the first hundred ends in it: then a longer one."""
        for length in (seconds, 3 * seconds, 10 * seconds):
            figures = self._run(server, target, length)
            if figures:
                return figures
            print(f'  note: {server.name} {target.path}: no answer in {length} s', file=sys.stderr)
        sys.exit(f'{server.name} {target.path}: no answer\n{server.log()}')

    def _run(self, server, target, seconds):
        """One wrk run. The files it left are removed, outside the measurement."""
        environment = dict(os.environ, LOAD_METHOD=target.method, LOAD_BODY=target.body, LOAD_TYPE=target.content_type)
        before, wrk_before = server.usage(), children_cpu_seconds()
        self.wrk = subprocess.Popen(
            ['taskset', '-c', str(self.options.wrk_cpu), 'wrk', f'-c{CONNECTIONS}', '-t1', f'-d{seconds}s', '--timeout', '20s',
             '-s', self.lua, f'http://127.0.0.1:{server.port}{target.path}'],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
        output = self.wrk.communicate()[0]
        if not server.alive():
            sys.exit(f'{server.name} died under load: {server.log()}')
        used = (server.usage() - before).cpu_s
        wrk_used = children_cpu_seconds() - wrk_before
        server.settle()
        server.clean()
        requests, duration_s = self._answered(server, output)
        if requests == 0:
            return None
        return Figures(used / requests * 1e6, requests / duration_s, min(1.0, wrk_used / duration_s))

    @staticmethod
    def _answered(server, output):
        result = re.search(r'^RESULT (\d+) (\d+) (\d+) (\d+)$', output, re.MULTILINE)
        if not result:
            sys.exit(f'wrk failed against {server.name}:\n{output}')
        requests, duration_us, socket_errors, bad_status = (int(word) for word in result.groups())
        if socket_errors or bad_status:
            sys.exit(f'{server.name}: {requests} requests, {socket_errors} socket errors, {bad_status} not 2xx/3xx\n'
                     f'{output}\n{server.log()}')
        return requests, duration_us / 1e6


def check(server, target, payload):
    """The server does the work, or this ends; Missing: the kernel can't."""
    _, complaints = verify.before(server, target, payload)
    if complaints and complaints[0].startswith('501'):
        raise Missing(complaints[0])
    if complaints:
        sys.exit(f'{server.name} {target.path}: ' + '; '.join(complaints))
