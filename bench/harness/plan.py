"""What a benchmark measures: presets, and what the user chooses instead, into cells.

A preset names servers with their process models, endpoints, sizes, connections and durability classes. Where the user names servers,
endpoints or models, every such server is measured at every such endpoint that it serves.
"""

from dataclasses import dataclass, field, replace
from statistics import median

import wrk
from cores import default_workers
from endpoints import ARTICLE, BY_NAME
from model import Cell

RAW, FORM = 'upload/stream/async_read_and_disk_write', 'upload/single/stream/async_read_sync_write'
DOWNLOAD = 'download/file'
TELLING = (RAW, FORM, DOWNLOAD, 'PUT', 'GET')   # endpoints at which one other thing is varied
DURABILITY = {'none': 'page cache', 'data': 'fdatasync', 'full': 'fsync+directory'}  # as master and worker call it
SAMPLE_BYTES = 262144

ALL_MODELS = ('alone', 'x1', 'xN')
ARTICLE_SERVERS = {'forklift': ALL_MODELS, 'uvicorn': ('x1', 'xN'), 'gunicorn': ('x1', 'xN')}
EVERY_SERVER = {**ARTICLE_SERVERS, 'nginx': ('x1', 'xN'), 'lighttpd': ('x1', 'xN'), 'h2o': ('x1', 'xN'), 'caddy': ('x1', 'xN')}


class UsageError(Exception):
    """What can't be measured, with the remedy."""


@dataclass(frozen=True)
class Preset:
    about: str
    servers: dict                  # server → process models
    endpoints: tuple
    sizes: tuple = (SAMPLE_BYTES,)
    connections: tuple = (100,)
    durability: tuple = ('page cache',)
    repeats: int = 3
    seconds: tuple = (3.0, 10.0)   # shortest and longest load; between them what fits into the directory at the floor's rate
    warm_up_s: float = 1.0
    only: dict = field(default_factory=dict)  # endpoint → server → models, where not every server meets every endpoint
    star: bool = False             # sizes, connections, durability and workers are varied one at a time


_QUICK_ONE = {'forklift': ('alone', 'xN'), 'uvicorn': ('x1',), 'gunicorn': ('xN',)}
_QUICK_STATIC = {'forklift': ('x1',), 'nginx': ('x1',)}
QUICK = {  # what a newcomer asks first: upload and download beside FastAPI and nginx, a worker alone and a fleet
    RAW: {'forklift': ALL_MODELS, 'uvicorn': ('x1', 'xN'), 'gunicorn': ('xN',)},
    FORM: _QUICK_ONE,
    DOWNLOAD: _QUICK_ONE,
    'PUT': _QUICK_STATIC,
    'GET': _QUICK_STATIC,
}
PRESETS = {
    'quick': Preset('a telling choice in under 3 minutes', EVERY_SERVER, tuple(QUICK), seconds=(1.0, 1.0), warm_up_s=0.2, only=QUICK),
    'article': Preset("the article's thirteen endpoints beside its servers, one process and many", ARTICLE_SERVERS, ARTICLE),
    'full': Preset('every endpoint, and sizes, connections, durability and workers varied one at a time (hours)', EVERY_SERVER,
                   tuple(BY_NAME), (1024, 65536, SAMPLE_BYTES, 1 << 20, 16 << 20), (1, 8, 64, 512), tuple(DURABILITY.values()),
                   repeats=5, star=True),
}


@dataclass(frozen=True)
class Plan:
    preset: str
    cells: list
    repeats: int
    seconds: tuple
    warm_up_s: float
    connections: int      # of the ceilings
    open_percent: tuple   # open loop: of the slowest contender's rate


def make(options, peers, cpus):
    """The Plan that the options ask for; UsageError."""
    preset = PRESETS[options.preset]
    chosen = replace(preset, only={} if options.servers or options.endpoints or options.models else preset.only,
                     servers=_servers(options, preset, peers), endpoints=tuple(endpoints(options.endpoints) or preset.endpoints),
                     sizes=tuple(options.sizes or preset.sizes), connections=tuple(options.connections or preset.connections),
                     durability=tuple(DURABILITY[name] for name in options.durability or ()) or preset.durability,
                     star=preset.star and not options.cross)
    _check_load(options, chosen)
    workers = options.workers or default_workers(cpus)
    cells = list(dict.fromkeys(_star(chosen, peers, workers) if chosen.star else _product(chosen, peers, workers)))
    if not cells:
        raise UsageError('none of these servers serves any of these endpoints under these models: '
                         + '; '.join(_served(name, peers[name]) for name in chosen.servers if name in peers))
    cells += [replace(cell, tool='open', rate=rate) for rate in options.rates or () for cell in cells]
    seconds = (options.seconds, options.seconds) if options.seconds else chosen.seconds
    return Plan(options.preset, cells, options.repeats or chosen.repeats, seconds, min(chosen.warm_up_s, seconds[1]),
                _base(chosen.connections, 64), tuple(options.open or ()))


def endpoints(names):
    """Whole names, else what ends in the given words (disk_write, single/sync), else what holds them."""
    found = []
    for name in names or ():
        some = ([e for e in BY_NAME if e == name] or [e for e in BY_NAME if e.endswith(('/' + name, '_' + name))]
                or [e for e in BY_NAME if name in e.split('/')] or (list(BY_NAME) if name == 'all' else []))
        if not some:
            raise UsageError(f'no endpoint {name!r}; there are: all {" ".join(BY_NAME)}')
        found += some
    return list(dict.fromkeys(found))


def _servers(options, preset, peers):
    """server → models. A server that the preset doesn't know gets all that it has."""
    unknown = [name for name in options.servers or () if name not in peers]
    if unknown:
        raise UsageError(f'no server {unknown[0]!r}; there are: {" ".join(peers)}')
    return {name: options.models or preset.servers.get(name) or peers[name].models for name in options.servers or preset.servers}


def _check_load(options, preset):
    if options.threads:
        for connections in preset.connections:
            why = wrk.check_threads(connections, options.threads)
            if why:
                raise UsageError(why)
    if max(preset.sizes) > wrk.BODY_BYTES_MAX:
        raise UsageError(f'wrk keeps whole bodies in Lua: files of at most {wrk.BODY_BYTES_MAX} bytes (--sizes)')


def _served(name, peer):
    """What a server has, in words."""
    served = peer.endpoints()
    names = [endpoint for endpoint in served if endpoint not in ARTICLE] + (["the article's"] if set(ARTICLE) <= set(served) else [
        endpoint for endpoint in served if endpoint in ARTICLE])
    return f'{name} serves {", ".join(names)} ({", ".join(peer.models)})'


def fitting(peer, models):
    """The models that a server has of those wanted. One process stands for one, with a master or without."""
    other = {'x1': 'alone', 'alone': 'x1'}
    return list(dict.fromkeys(model if model in peer.models else other.get(model) for model in models
                              if model in peer.models or other.get(model) in peer.models))


def _contenders(preset, peers, endpoint):
    """(server, model) of all that serve the endpoint."""
    for server, models in preset.only.get(endpoint, preset.servers).items():
        if server in peers and endpoint in peers[server].endpoints():
            yield from ((server, model) for model in fitting(peers[server], models))


def _cells(preset, peers, workers, endpoint, size, connections, asked):
    """One endpoint under one load, by all servers. A class of durability that a server doesn't have is no cell of its."""
    for server, model in _contenders(preset, peers, endpoint):
        durability = peers[server].durability(endpoint, asked)
        if durability == asked or asked == preset.durability[0]:
            yield Cell(server, model, workers if model == 'xN' else 1, endpoint, size, connections, durability)


def _product(preset, peers, workers):
    for endpoint in preset.endpoints:
        for size in preset.sizes:
            for connections in preset.connections:
                for asked in preset.durability:
                    yield from _cells(preset, peers, workers, endpoint, size, connections, asked)


def _base(values, usual):
    return usual if usual in values else values[0]


def _star(preset, peers, workers):
    """All endpoints at the usual load; then one thing varied at a time, at few endpoints."""
    size, connections, asked = _base(preset.sizes, SAMPLE_BYTES), _base(preset.connections, 64), preset.durability[0]
    telling = [endpoint for endpoint in preset.endpoints if endpoint in TELLING] or preset.endpoints
    for endpoint in preset.endpoints:
        yield from _cells(preset, peers, workers, endpoint, size, connections, asked)
    for endpoint in telling:
        for other in preset.sizes:
            yield from _cells(preset, peers, workers, endpoint, other, connections, asked)
        for other in preset.connections:
            yield from _cells(preset, peers, workers, endpoint, size, other, asked)
    for endpoint in preset.endpoints:
        for other in preset.durability:
            yield from _cells(preset, peers, workers, endpoint, size, connections, other)
    many = replace(preset, servers={server: ('xN',) for server, models in preset.servers.items() if 'xN' in models})
    for endpoint in telling:
        for count in (1 << n for n in range(workers.bit_length()) if 1 << n < workers):
            yield from _cells(many, peers, count, endpoint, size, connections, asked)


def open_cells(rows, percents):
    """Open-loop cells at so many percent of what the slowest contender of an endpoint can do, for all that did it."""
    groups = {}
    for row in rows:
        if row.state == 'ok' and row.cell.tool == 'wrk' and row.cell.server != 'floor':
            cell = row.cell
            groups.setdefault((cell.endpoint, cell.bytes, cell.connections, cell.durability), []).append(row)
    telling = [group for key, group in groups.items() if key[0] in TELLING] or list(groups.values())
    for group in telling:
        slowest = min(median(run.rate for run in row.good) for row in group)
        for percent in percents:
            yield from (replace(row.cell, tool='open', rate=float(max(1, round(slowest * percent / 100)))) for row in group)
