"""Which cores the server may use and which the client: disjoint where there are enough, shared and said so where not."""

import os
from dataclasses import dataclass

DISJOINT_CORES = 4  # from here on a server of N processes and its client get a half each


@dataclass(frozen=True)
class Placement:
    server: tuple
    client: tuple

    @property
    def shared(self):
        return bool(set(self.server) & set(self.client))

    def __str__(self):
        if self.shared:
            return f'server and client share CPU {_listed(self.client)}: not enough cores'
        return f'server on CPU {_listed(self.server)}, client on CPU {_listed(self.client)}'


def _listed(cpus):
    return ','.join(map(str, cpus))


def usable():
    return sorted(os.sched_getaffinity(0))


def default_workers(cpus):
    """How many processes xN means: one for each core that the client leaves."""
    return len(cpus) // 2 if len(cpus) >= DISJOINT_CORES else len(cpus)


def place(model, cpus, server_cpus=(), client_cpus=()):
    """Placement of a process model. server_cpus, client_cpus: what the user wants instead."""
    half = len(cpus) // 2
    if len(cpus) >= DISJOINT_CORES:
        server, client = cpus[:half], cpus[half:]
    elif len(cpus) == 1 or model == 'xN':
        server = client = cpus
    else:
        server, client = cpus[:1], cpus[1:]
    server, client = tuple(server_cpus or server), tuple(client_cpus or client)
    return Placement(server if model == 'xN' else server[:1], client)


def parse(text):
    """'0,2-3' as a list of CPUs; ValueError."""
    found = []
    try:
        for part in text.split(','):
            first, _, last = part.partition('-')
            found += range(int(first), int(last or first) + 1)
    except ValueError:
        found = []
    if not found or not set(found) <= set(usable()):
        raise ValueError(f'{text!r} is no list of CPUs such as 0-3 or 0,2; this process may use {_listed(usable())}')
    return found
