"""What a benchmark is made of, and how it is kept: cells, runs, reports, and their JSON.

A *cell* is one thing that is measured: a server under a process model, one endpoint, one load. A *run* is one repeat of a cell.
A *report* is all of it, with the machine it was measured on. Everything else in the harness makes or shows these; only this file
knows the JSON (schema SCHEMA). Units are in the names; sizes are bytes, times are as the name says.
"""

import json
import math
import os
import re
from dataclasses import asdict, dataclass, field, fields

from printable import line as printable_line
from stats import Histogram

SCHEMA = 1

# How far an upload has gone when it is answered. Rows of different classes are never ranked against each other.
DURABILITY = ('none kept', 'page cache', 'fdatasync', 'fsync+directory', 'read')  # 'read': a download

# Process models. alone: one process, no master; x1: a master over one worker; xN: over one worker a core.
MODELS = ('alone', 'x1', 'xN')


@dataclass(frozen=True)
class Cell:
    """What is measured. Two reports are compared cell by cell: equal cells are the same measurement."""
    server: str            # 'forklift', 'uvicorn', 'gunicorn', 'nginx', 'lighttpd', 'h2o', 'caddy', 'floor', or a folder of the user's
    model: str             # one of MODELS
    workers: int
    endpoint: str          # the article's path below /files/ ('upload/single'), or 'PUT' and 'GET' of the general routes
    bytes: int             # size of the file itself
    connections: int
    durability: str = 'page cache'
    tool: str = 'wrk'      # 'wrk': closed loop; 'open': open loop at `rate`
    rate: float = 0.0      # open loop: requests a second that are meant to be sent

    @property
    def is_upload(self):
        return self.durability != 'read'

    @property
    def key(self):
        """One line that names the cell; unique in a report."""
        load = f'{self.connections}c' if self.tool == 'wrk' else f'{self.rate:g}/s'
        return f'{self.server} {self.model}({self.workers}) {self.endpoint} {self.bytes} {load} {self.durability}'


@dataclass
class Run:
    """One repeat of a cell. A run with a word in `invalid` is shown and never counted."""
    seconds: float                       # length of the load, by the client's clock
    requests: int                        # answered with 2xx, whole
    latency_mean_ms: float
    latency_max_ms: float
    histogram: Histogram                 # of latencies, in microseconds
    server_cpu_s: float                  # all threads of the server's process tree, during the load and the settling after it
    machine_cpu_s: float                 # busy time of all cores less the client's, in the same span
    client_cpu_s: float
    client_cores: int                    # cores the client may use
    shared_cores: bool                   # server and client share cores: there were not enough
    memory_peak_bytes: int               # PSS of the tree, sampled; tmpfs pages of the server's files do not count
    connections_per_worker: list = field(default_factory=list)  # sampled in mid-load, processes that held none included
    context_switches: int = 0            # voluntary and not, of the server's tree
    strategy: str = ''                   # what the server says it really used ('' when it does not say)
    invalid: list = field(default_factory=list)   # reasons, in words; any of them makes the run worthless
    notes: list = field(default_factory=list)     # worth knowing, harmless

    @property
    def valid(self):
        return not self.invalid

    @property
    def rate(self):
        """Requests a second."""
        return self.requests / self.seconds if self.seconds else 0.0

    @property
    def cpu_us_per_request(self):
        return self.server_cpu_s / self.requests * 1e6 if self.requests else 0.0

    @property
    def client_us_per_request(self):
        return self.client_cpu_s / self.requests * 1e6 if self.requests else 0.0

    @property
    def machine_us_per_request(self):
        return self.machine_cpu_s / self.requests * 1e6 if self.requests else 0.0

    def percentile_ms(self, percent):
        """Of the latencies; a bucket of the histogram is known by its middle, which may lie above the slowest answer in it."""
        found = self.histogram.percentile(percent) / 1e3
        return min(found, self.latency_max_ms) if self.latency_max_ms > 0 else found

    @property
    def elsewhere(self):
        """CPU that others used meanwhile, or the kernel for nobody, as a share of what server and client used."""
        known = self.server_cpu_s + self.client_cpu_s
        return (self.machine_cpu_s - self.server_cpu_s) / known if known else 0.0

    @property
    def client_busy(self):
        """Share of its cores that the client used."""
        return self.client_cpu_s / (self.seconds * self.client_cores) if self.seconds and self.client_cores else 0.0

    @property
    def concurrency(self):
        """Requests in the system by Little's law (rate times mean latency): what the load really was."""
        return self.rate * self.latency_mean_ms / 1e3


@dataclass
class Row:
    """A cell with its runs, in the order they were made, and what bounds it."""
    cell: Cell
    runs: list = field(default_factory=list)
    bound_by: str = ''     # '' or a ceiling's name, 'the client': the requests/s are not the server's, its CPU figures are
    skipped: str = ''      # why it was never run: 'caddy is not installed', '501: no O_DIRECT here'

    @property
    def good(self):
        return [run for run in self.runs if run.valid]

    @property
    def state(self):
        """'ok', 'skipped', 'INVALID' (one bad run spoils the cell: its errors are part of how it serves) or 'missing' (not reached)."""
        if self.skipped:
            return 'skipped'
        if not self.runs:
            return 'missing'
        return 'ok' if len(self.good) == len(self.runs) else 'INVALID'


@dataclass
class Ceiling:
    """What this machine can do at best: 'receive_discard', 'receive_store', 'sendfile_download', 'disk', 'client upload', 'client download'."""
    name: str
    bytes: int             # size of a request; disk: of a write
    rate: float            # requests a second, median; 0: could not be measured
    interval: tuple = (0.0, 0.0)  # 95 %
    note: str = ''
    cpu_us: float = 0.0    # of a floor program: its CPU for a request, median; 0: not known
    client_us: float = 0.0  # and its client's


@dataclass
class Report:
    """One benchmark. `complete` is False while it runs and after ^C: then it is a valid report of what was measured."""
    preset: str
    started: str                                       # ISO 8601, UTC
    environment: dict = field(default_factory=dict)    # what environment.py says, in the order it is shown
    commands: list = field(default_factory=list)       # exact commands: how the servers and clients were started
    peers: dict = field(default_factory=dict)          # server → {'version': ..., 'notes': [...]}
    ceilings: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    seed: int = 0
    seconds: float = 0.0                               # how long it took
    complete: bool = False

    def row(self, **wanted):
        """The first row whose cell has these attributes, or None."""
        return next((row for row in self.rows if all(getattr(row.cell, k) == v for k, v in wanted.items())), None)

    def to_json(self):
        def plain(value):
            return value.to_list() if isinstance(value, Histogram) else value
        rows = [{'cell': asdict(row.cell), 'bound_by': row.bound_by, 'skipped': row.skipped,
                 'runs': [{key: plain(value) for key, value in vars(run).items()} for run in row.runs]} for row in self.rows]
        top = {key: value for key, value in vars(self).items() if key not in ('rows', 'ceilings')}
        return {'schema': SCHEMA, **top, 'ceilings': [asdict(ceiling) for ceiling in self.ceilings], 'rows': rows}

    def save(self, path):
        """Written whole or not at all; a run is a line."""
        data, lines = self.to_json(), []
        for row in data['rows']:
            lines += map(json.dumps, row['runs'])
            row['runs'] = [f'@run {number}@' for number in range(len(lines) - len(row['runs']), len(lines))]
        text = re.sub('"@run ([0-9]+)@"', lambda found: lines[int(found[1])], json.dumps(data, indent=1))
        write_whole(path, text + '\n')


def write_whole(path, text):
    """A file of this text, or what was there before; an OSError names it."""
    try:
        with open(path + '.new', 'w', encoding='utf-8', newline='') as file:
            file.write(text)
        os.replace(path + '.new', path)
    except OSError as error:
        if os.path.isfile(path + '.new'):
            os.unlink(path + '.new')
        raise OSError(error.errno, error.strerror, path) from None


class BadReport(Exception):
    """A file that is no report, in words for the user."""


def load(path):
    """The report in a file; BadReport names the file and what is wrong with it."""
    try:
        with open(path, encoding='utf-8') as file:
            data = json.load(file, parse_constant=_finite, parse_float=_finite, parse_int=_whole)
        if data['schema'] != SCHEMA:
            raise BadReport(f'{path}: schema {data["schema"]!r}, this program reads {SCHEMA}')
        rows = [_typed(Row(_typed(Cell(**row['cell'])), [_run(run) for run in row['runs']], row['bound_by'], row['skipped']))
                for row in data['rows']]
        ceilings = [_typed(Ceiling(**{**ceiling, 'interval': tuple(ceiling['interval'])})) for ceiling in data['ceilings']]
        top = {key: value for key, value in data.items() if key not in ('schema', 'rows', 'ceilings')}
        return _typed(Report(rows=rows, ceilings=ceilings, **top))
    except OSError as error:
        raise BadReport(f'{path}: {error.strerror}') from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadReport(f'{path}: not a report of this program ({printable_line(str(error))})') from None


def _finite(text):
    """A number of the JSON. NaN and what is too large for a float are none that anything could be told from."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f'{text} is no number of a report')
    return value


def _whole(text):
    if len(text) > 18:
        raise ValueError(f'{text[:18]}... is no number of a report')
    return int(text)


ELEMENTS = {'interval': (int, float), 'connections_per_worker': int, 'invalid': str, 'notes': str, 'commands': str}


def _run(data):
    return _typed(Run(**{**data, 'histogram': Histogram.from_list(data['histogram'])}))


def _typed(made):
    """The dataclass, when its fields hold what they say; a whole number serves as a float."""
    for each in fields(made):
        value = getattr(made, each.name)
        if not isinstance(value, (int, float) if each.type is float else each.type):
            raise TypeError(f'{each.name} of a {type(made).__name__.lower()} is {value!r}')
        if not all(isinstance(one, ELEMENTS.get(each.name, object)) for one in (value if isinstance(value, (list, tuple)) else ())):
            raise TypeError(f'{each.name} of a {type(made).__name__.lower()} holds something else than it should')
    return made
