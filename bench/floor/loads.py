"""One load on one server: wrk on a CPU of its own, and what both used for it; and a check that the work is done."""

import sys
from typing import NamedTuple

import verify
from wrk import WrkError, run_wrk

CONNECTIONS = 100

class Figures(NamedTuple):
    cpu_us: float    # of the server, a request
    rate: float      # requests a second
    wrk_busy: float  # share of its CPU that wrk used


class Missing(Exception):
    """The server says 501: its kernel or file system lacks the mechanism."""


class Load:
    """`directory` is where wrk's output goes."""

    def __init__(self, options, directory):
        self.options, self.directory = options, directory

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
        before = server.usage()
        try:
            load = run_wrk(server, target, CONNECTIONS, 1, seconds, [self.options.wrk_cpu], self.directory)
        except WrkError as error:
            sys.exit(f'{server.name}: {error}')
        if not server.alive():
            sys.exit(f'{server.name} died under load: {server.log()}')
        used = (server.usage() - before).cpu_s
        server.settle()
        server.clean()
        if load.errors:
            sys.exit(f'{server.name}: {load.requests} requests, {", ".join(load.errors)}\n{server.log()}')
        if load.requests == 0:
            return None
        return Figures(used / load.requests * 1e6, load.requests / load.seconds, min(1.0, load.client_cpu_s / load.seconds))


def check(server, target, payload):
    """The server does the work, or this ends; Missing: the kernel can't."""
    _, complaints = verify.before(server, target, payload)
    if complaints and complaints[0].startswith('501'):
        raise Missing(complaints[0])
    if complaints:
        sys.exit(f'{server.name} {target.path}: ' + '; '.join(complaints))
