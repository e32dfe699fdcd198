"""What may be said about the rows of a report: estimates, comparisons, ranks, and how figures are written."""

import re
from dataclasses import dataclass
from statistics import median

from ceilings import CLIENT_BUSY
from endpoints import BY_NAME
from model import DURABILITY
from stats import Estimate, ratio

from .article import APIS

ARTICLE_ORDER = tuple(api.name for api in APIS)
SERVER_ORDER = ('forklift', 'uvicorn', 'gunicorn', 'nginx', 'lighttpd', 'h2o', 'caddy')
NAMES = {'forklift': 'Forklift', 'gunicorn': 'gunicorn+uvicorn'}
BELOW = 0.95  # of the floor's CPU: what is nearer may be its noise
BELOW_SUM = 0.9  # of the floor's CPU and its client's: with less, the work can't have been done on the client's time either
ABOVE = 1.1  # of a ceiling: what is nearer is bound by it
RUNS_ENOUGH = 6  # from so many on there is a 95 % interval of a median
ELSEWHERE = 0.3   # on a machine that did nothing else, kernel threads came to 0.2 at most, mostly under 0.1
FLOOR = 'floor'  # what the machine can do: shown beside the servers, never ranked among them

# name → figure of one run; sizes and times in the units of their names
METRICS = {
    'rate': lambda run, cell: run.rate,
    'cpu_us': lambda run, cell: run.cpu_us_per_request,
    'client_us': lambda run, cell: run.client_us_per_request,
    'machine_us': lambda run, cell: run.machine_us_per_request,
    'all_us': lambda run, cell: run.cpu_us_per_request + run.client_us_per_request,
    'mean_ms': lambda run, cell: run.latency_mean_ms,
    'max_ms': lambda run, cell: run.latency_max_ms,
    'memory_bytes': lambda run, cell: run.memory_peak_bytes,
    'bytes_per_cpu_s': lambda run, cell: cell.bytes * run.requests / run.server_cpu_s if run.server_cpu_s else 0.0,
    'bytes_per_s': lambda run, cell: cell.bytes * run.rate,
    'client_busy': lambda run, cell: run.client_busy,
    'switches': lambda run, cell: run.context_switches / run.requests if run.requests else 0.0,
    'p50_ms': lambda run, cell: run.percentile_ms(50),
    'p90_ms': lambda run, cell: run.percentile_ms(90),
    'p99_ms': lambda run, cell: run.percentile_ms(99),
    'p99.9_ms': lambda run, cell: run.percentile_ms(99.9),
    'tail': lambda run, cell: run.percentile_ms(99) / (run.percentile_ms(50) or 1e-9),
}
MORE_IS_BETTER = {'rate', 'bytes_per_cpu_s', 'bytes_per_s'}


def values(row, metric):
    return [METRICS[metric](run, row.cell) for run in row.runs]


def estimate(row, metric):
    """The Estimate over the runs of a row that is ok, else None: a bad run spoils its cell."""
    return Estimate(values(row, metric)) if row is not None and row.state == 'ok' else None


def compared(over, under, metric):
    """The Estimate of over ÷ under by pairs of runs; None when either is not ok or has a figure of nothing.

    Its `sign` is 1 or -1 when its interval lies above or below 1, 0 when it holds 1 or stands on one run. All that is said of two rows,
    in words and by their ranks, goes by it.
    """
    if over is None or under is None or over.state != 'ok' or under.state != 'ok':
        return None
    tops, bottoms = values(over, metric), values(under, metric)
    if not all(value > 0 for value in tops + bottoms):
        return None
    found = ratio(tops, bottoms)
    found.sign = sign_of(found)
    return found


def sign_of(found):
    """Of a ratio: 1 when its interval is above 1, -1 below, 0 when it holds 1 or stands on one run."""
    return 0 if found.count < 2 else (found.low > 1) - (found.high < 1)


def chance(runs):
    """How often an interval of the median of so many runs misses it: it is what the median lies in by chance alone."""
    return 1.0 if runs < 2 else 2 * 0.5 ** runs if runs < RUNS_ENOUGH else 0.05


def busy_elsewhere(row):
    """'' or that the machine did much that is in no account: by strangers, or by somebody on the server's behalf."""
    share = median(run.elsewhere for run in row.good) if row.good else 0.0
    return f'the machine used {share:.0%} more CPU than server and client: theirs may not be all' if share > ELSEWHERE else ''


def rankable(row, metric):
    """A bound rate is not the server's, that of an open loop is the client's choice, an invalid one nobody's; CPU that may not be all is no
    figure.
    """
    if row.state != 'ok' or row.cell.server == FLOOR or metric in ('cpu_us', 'bytes_per_cpu_s') and busy_elsewhere(row):
        return False
    return metric not in ('rate', 'bytes_per_s') or (not row.bound_by and row.cell.tool == 'wrk')


def ranks(rows, metric, without=()):
    """key → '1', '≈2' … among rows of one durability class and load: 1 + how many are better outside the noise; ≈: level with another.

    without: cells that get no rank.
    """
    known = [row for row in rows if rankable(row, metric) and row.cell not in without]
    worse = -1 if metric in MORE_IS_BETTER else 1
    found = {}
    for mine in known:
        ratios = [compared(mine, other, metric) for other in known if other is not mine]
        signs = [ratio.sign if ratio else 0 for ratio in ratios]
        if signs:  # else nobody to be ranked against
            found[mine.cell.key] = ('≈' if 0 in signs else '') + str(signs.count(worse) + 1)
    return found


def floor_of(report, cell):
    """(server's, client's) CPU in µs a request of the floor program that does the same work, from its row, else its ceiling; None."""
    same = ('endpoint', 'bytes', 'connections', 'durability', 'tool', 'rate')
    row = report.row(server=FLOOR, **{name: getattr(cell, name) for name in same})
    if row is not None and row.state == 'ok':
        return estimate(row, 'cpu_us').median, estimate(row, 'client_us').median
    program = BY_NAME[cell.endpoint].floor if cell.endpoint in BY_NAME else ''
    return next(((ceiling.cpu_us, ceiling.client_us) for ceiling in report.ceilings
                 if (ceiling.name, ceiling.bytes) == (program, cell.bytes) and ceiling.cpu_us), None)


@dataclass(frozen=True)
class Below:
    """A row that costs its server less than the floor program's work. floor, floor_client, client: µs a request; accounted: the sum of
    server and client is no less than the floor's, so somebody did the work.
    """
    floor: float
    floor_client: float
    client: float
    total: float
    accounted: bool

    def __str__(self):
        said = f'below the floor ({number(self.floor)} µs): its client pays {number(self.client)} µs, the floor\'s {number(self.floor_client)} µs'
        return said if self.accounted else (f'{said}; {number(self.total)} µs in all are less than the floor\'s '
                                            f'{number(self.floor + self.floor_client)}: work is missing or not accounted for')


def below_floor(report, row):
    """The Below of a row, or None."""
    floor = floor_of(report, row.cell) if row.state == 'ok' and row.cell.server != FLOOR else None
    if floor is None or estimate(row, 'cpu_us').high >= BELOW * floor[0]:
        return None
    total = estimate(row, 'all_us')
    return Below(*floor, estimate(row, 'client_us').median, total.median, total.high >= BELOW_SUM * sum(floor))


def unaccounted(report):
    """The cells whose server and client together need less CPU than the floor: nothing is concluded from their CPU per request."""
    return {row.cell for row in report.rows if (below := below_floor(report, row)) and not below.accounted}


def limit(report, row):
    """'' or what bounds a row's requests/s, as it is said beside them; or that they are more than that ceiling, which can't be."""
    if not row.bound_by or row.state != 'ok':
        return ''
    names = (row.bound_by,)
    if row.bound_by == 'the client':
        if estimate(row, 'client_busy').median > CLIENT_BUSY:
            return 'bound by the client'
        names = ('client upload' if row.cell.is_upload else 'client download',)
    best = max((ceiling.rate for ceiling in report.ceilings if ceiling.name in names and ceiling.bytes == row.cell.bytes), default=0)
    share = estimate(row, 'rate').median / best if best else 1
    if share <= ABOVE:
        return f'bound by {row.bound_by}'
    return f'{share:.2g} times the ceiling {names[0]}: more than the work takes at best, so not all of it may have been done'


@dataclass(frozen=True)
class Contest:
    """What makes rows comparable: the same work, load and durability class, and as many serving processes."""
    endpoint: str
    bytes: int
    connections: int
    durability: str
    tool: str
    rate: float
    workers: int

    @property
    def title(self):
        load = f'{self.connections} connections' if self.tool == 'wrk' else f'open loop, {self.rate:g} requests/s'
        return f'{self.endpoint} · {size(self.bytes)} · {load} · {self.durability} · {processes(self.workers)}'


def contest_of(cell):
    return Contest(cell.endpoint, cell.bytes, cell.connections, cell.durability, cell.tool, cell.rate, cell.workers)


def contests(report):
    """Contest → its rows, in the article's order, own endpoints after."""
    found = {}
    for row in report.rows:
        found.setdefault(contest_of(row.cell), []).append(row)
    order = sorted(found, key=lambda c: (endpoint_order(c.endpoint), c.bytes, c.tool != 'wrk', c.connections, c.rate,
                                         DURABILITY.index(c.durability), c.workers))
    return {contest: sorted(found[contest], key=lambda row: row_order(row.cell)) for contest in order}


def endpoint_order(name):
    return (ARTICLE_ORDER.index(name), name) if name in ARTICLE_ORDER else (len(ARTICLE_ORDER), name)


def server_order(name):
    if name == FLOOR:
        return (99, name)
    return (SERVER_ORDER.index(name), name) if name in SERVER_ORDER else (50, name)


def row_order(cell):
    return (server_order(cell.server), ('alone', 'x1', 'xN').index(cell.model), cell.workers)


def processes(count):
    return 'one process' if count == 1 else f'{count} processes'


def servers(report):
    return sorted({row.cell.server for row in report.rows}, key=server_order)


def endpoints(report):
    return sorted({row.cell.endpoint for row in report.rows}, key=endpoint_order)


def reference_load(report):
    """(bytes, connections) of most closed-loop cells: what the bars and the findings are about; (0, 0) when there is none."""
    counts = {}
    for row in report.rows:
        if row.cell.tool == 'wrk':
            load = (row.cell.bytes, row.cell.connections)
            counts[load] = counts.get(load, 0) + 1
    return max(counts, key=lambda load: (counts[load], load[1] == 100, load[0] == 262144), default=(0, 0))


def all_at_reference(report):
    """Closed-loop rows at the reference load, in every durability class."""
    load = reference_load(report)
    return [row for row in report.rows if row.cell.tool == 'wrk' and (row.cell.bytes, row.cell.connections) == load]


def at_reference(report):
    """The same, in one class: page cache where an endpoint was measured with more than one."""
    rows = all_at_reference(report)
    plain = {(row.cell.server, row.cell.endpoint) for row in rows if row.cell.durability == 'page cache'}
    return [row for row in rows if row.cell.durability == 'page cache' or (row.cell.server, row.cell.endpoint) not in plain]


def name_of(server):
    return NAMES.get(server, server)


def label(cell):
    """'Forklift alone', 'uvicorn ×4'."""
    return f'{name_of(cell.server)} {"alone" if cell.model == "alone" else f"×{cell.workers}"}'


def reason(row):
    """Why a row is not ok, in words: each reason once."""
    if row.state == 'skipped':
        return row.skipped
    if row.state == 'missing':
        return 'not reached'
    return '; '.join(dict.fromkeys(word for run in row.runs for word in run.invalid))


def when(started):
    """'2026-11-24T00:12:00Z' as people write it."""
    match = re.fullmatch(r'(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[:\d.]*(?:Z|\+00:00)', started)
    return f'{match.group(1)} {match.group(2)} UTC' if match else started


def size(count):
    """Bytes as people say them: '256 KiB'."""
    for unit in ('B', 'KiB', 'MiB', 'GiB'):
        if count < 1024 or unit == 'GiB':
            return f'{count:.4g} {unit}'
        count /= 1024
    return ''


def number(value):
    """Three or four digits that mean something."""
    if value >= 1000:
        return f'{value:,.0f}'
    return f'{value:.0f}' if value >= 100 or value == 0 else f'{value:.1f}' if value >= 10 else f'{value:.2f}'


def noise(found):
    """Half the 95 % interval, as a share of the median: '±1.2 %'."""
    if found.count < 2:
        return '±?'
    if not found.median:
        return '±0'
    half = (found.high - found.low) / 2 / found.median
    return f'±{half:.1%}'.replace('%', ' %') if half >= 0.0005 else '±<0.1 %'


def times(found):
    """A ratio with half its 95 % interval: '1.31 ± 0.04×'; with both ends where it is lopsided: '2.30× [1.20–4.40]'.

    What is read must hold 1, or not, as the interval does: else it gets its ends, and as many digits as that takes.
    """
    digits = 2 if found.median < 10 else 1
    if found.count < 2:
        return f'{found.median:.{digits}f}×'
    down, up, half = found.median - found.low, found.high - found.median, (found.high - found.low) / 2
    lopsided = max(down, up) > 2 * min(down, up) and half > 0.05 * found.median
    middle, around = round(found.median, digits), round(half, digits)
    if not lopsided and _holds_1(middle - around, middle + around) == _holds_1(found.low, found.high):
        return f'{found.median:.{digits}f} ± {f"{half:.{digits}f}" if around else f"<{10 ** -digits:g}"}×'  # ± 0.00 nobody can know
    while digits < 6 and _holds_1(round(found.low, digits), round(found.high, digits)) != _holds_1(found.low, found.high):
        digits += 1
    return f'{found.median:.{digits}f}× [{found.low:.{digits}f}–{found.high:.{digits}f}]'


def _holds_1(low, high):
    return low <= 1 <= high
