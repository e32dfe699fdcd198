"""The tables of a report, as plain data: what the terminal, the Markdown and the page draw each in its own way."""

from dataclasses import dataclass, field

from . import article, figures
from .figures import label, name_of, noise, number

TEXT, RIGHT, PAST = 'text', 'right', 'past'  # kinds of columns; past: the article's figures, greyed
OK, GREYED, BAD, GROUP = 'ok', 'greyed', 'bad', 'group'  # kinds of lines; a group line has one cell: the heading of those below


@dataclass
class Table:
    """columns: [(name, kind)]; lines: [(kind, [text])]."""
    name: str
    title: str
    columns: list
    lines: list = field(default_factory=list)
    note: str = ''

    @property
    def greyed(self):
        return [kind == PAST for _, kind in self.columns]


def _columns(text, right=(), past=()):
    return [(name, TEXT) for name in text] + [(name, RIGHT) for name in right] + [(name, PAST) for name in past]


_ARTICLE_FIGURES = ('Requests', 'Requests/sec', 'Avg latency (ms)')
_MORE = ('CPU µs/request', 'MB/CPU-s', 'durability', 'remark')


def _medians(row):
    """The article's three figures, CPU per request, bytes per CPU-second, and the durability class."""
    if row is None or row.state != 'ok':
        return [_state(row), '–', '–', '–', '–', row.cell.durability if row else '']
    found = {metric: figures.estimate(row, metric) for metric in ('rate', 'mean_ms', 'cpu_us', 'bytes_per_cpu_s')}
    middle = min(row.runs, key=lambda run: abs(run.rate - found['rate'].median))
    return [f'{middle.requests}', f'{found["rate"].median:.2f}', f'{found["mean_ms"].median:.2f}', f'{found["cpu_us"].median:.1f}',
            f'{found["bytes_per_cpu_s"].median / 1e6:.0f}', row.cell.durability]


def _state(row):
    return 'not measured' if row is None else 'not reached' if row.state == 'missing' else row.state


def _kind(row):
    if row is None or row.state in ('skipped', 'missing'):
        return GREYED
    return BAD if row.state == 'INVALID' else OK


def remark(report, row):
    """What must be known beside the figures of a row."""
    if row is None:
        return ''
    if row.state != 'ok':
        return f'{row.state}: {figures.reason(row)}'
    words = [words_of_it] if (words_of_it := figures.limit(report, row)) else []
    words += [str(below)] if (below := figures.below_floor(report, row)) else []
    words += [words_of_it] if (words_of_it := figures.busy_elsewhere(row)) else []
    if any(run.shared_cores for run in row.runs):
        words.append('shared cores')
    strategies = dict.fromkeys(run.strategy for run in row.runs if run.strategy)
    words += [f'used {" and ".join(strategies)}'] if strategies else []
    return ', '.join(words + list(dict.fromkeys(note for run in row.runs for note in run.notes)))


def fleets(report):
    """[(server, model, workers)] that serve any of the article's endpoints at the reference load: the largest of each model."""
    found = {}
    for row in figures.at_reference(report):
        cell = row.cell
        if cell.endpoint in figures.ARTICLE_ORDER and cell.server != figures.FLOOR:
            key = (cell.server, cell.model)
            found[key] = max(found.get(key, 0), cell.workers)
    order = ('xN', 'x1', 'alone')
    return sorted(((server, model, workers) for (server, model), workers in found.items()),
                  key=lambda fleet: (figures.server_order(fleet[0]), order.index(fleet[1])))


def _at(report, server, model, workers, endpoint):
    return next((row for row in figures.at_reference(report) if (row.cell.server, row.cell.model, row.cell.workers, row.cell.endpoint)
                 == (server, model, workers, endpoint)), None)


def by_endpoint(report, server, model, workers):
    """The article's first table, for one fleet: one row an endpoint."""
    many = model == 'xN'
    past = f'2022 {name_of(server if server == "gunicorn" else "uvicorn")} ×{article.WORKERS if many else 1}'
    columns = [('async', TEXT), ('API', TEXT), ('Body', TEXT), ('stream', TEXT)] + [(name, RIGHT) for name in _ARTICLE_FIGURES + _MORE[:2]]
    table = Table(f'article-{server}-{model}', f'{name_of(server)}, {"alone" if model == "alone" else f"×{workers}"}: each endpoint',
                  columns + [('durability', TEXT), (f'{past}: Requests/sec', PAST), ('Avg latency (ms)', PAST), ('remark', TEXT)],
                  note=article.PAST_NOTE)
    for api in article.APIS:
        row = _at(report, server, model, workers, api.name)
        table.lines.append((_kind(row), api.words + _medians(row) + article.past(api, server, many) + [remark(report, row)]))
    return table


def by_server(report, many):
    """The article's second table: the same endpoint on each server."""
    chosen = [fleet for fleet in fleets(report) if (fleet[1] == 'xN') == many]
    workers = article.WORKERS if many else 1
    table = Table(f'servers-{"many" if many else "one"}', f'The servers beside each other, {"many processes" if many else "one process"}',
                  [('server', TEXT), ('API', TEXT), ('stream', TEXT)] + [(name, RIGHT) for name in _ARTICLE_FIGURES + _MORE[:2]]
                  + [(name, TEXT) for name in _MORE[2:]], note=article.PAST_NOTE)
    for api in article.APIS:
        rows = [(fleet, _at(report, *fleet, api.name)) for fleet in chosen]
        if not any(row for _, row in rows):
            continue
        stream = api.words[3]
        for (server, model, count), row in rows:
            name = f'{name_of(server)} {"alone" if model == "alone" else f"×{count}"}'
            table.lines.append((_kind(row), [name, api.name, stream] + _medians(row) + [remark(report, row)]))
        for server in ('uvicorn', 'gunicorn'):
            if (server, many) in api.past:
                rate, latency = article.past(api, server, many)
                name = f'{name_of(server)} ×{workers}, 2022'
                table.lines.append((GREYED, [name, api.name, stream, '–', rate, latency, '–', '–', '', '80 connections']))
    return table if table.lines else None


def one_beside_many(report):
    """Single process beside multi-process: each server and endpoint that has both."""
    table = Table('processes', 'One process beside many', _columns(('server', 'API', 'durability'), (
        'Requests/sec ×1', 'Requests/sec ×N', 'gain', 'Avg latency ×1 (ms)', 'Avg latency ×N (ms)', 'CPU µs/request ×1',
        'CPU µs/request ×N', 'MB/CPU-s ×1', 'MB/CPU-s ×N')) + [('remark', TEXT)])
    for one, many in one_and_many(report):
        line = [f'{name_of(one.cell.server)} ×{many.cell.workers}', one.cell.endpoint, one.cell.durability]
        if one.state != 'ok' or many.state != 'ok':
            bad = one if one.state != 'ok' else many
            table.lines.append((_kind(bad), line + [_state(bad)] + ['–'] * 8 + [remark(report, bad)]))
            continue
        gain = figures.compared(many, one, 'rate')
        both = [[f'{figures.estimate(row, metric).median / scale:.{digits}f}' for row in (one, many)]
                for metric, scale, digits in (('rate', 1, 2), ('mean_ms', 1, 2), ('cpu_us', 1, 1), ('bytes_per_cpu_s', 1e6, 0))]
        bound = ', '.join(f'×{row.cell.workers} {figures.limit(report, row)}' for row in (one, many) if row.bound_by)
        gained = '–' if bound or gain is None else figures.times(gain)
        table.lines.append((OK, line + both[0] + [gained] + both[1] + both[2] + both[3] + [bound]))
    return table if table.lines else None


def one_and_many(report):
    """[(one process, many)] of the same server and work at the reference load: ×1 where it was measured, else alone."""
    rows, pairs = figures.at_reference(report), []
    for many in sorted((row for row in rows if row.cell.model == 'xN' and row.cell.server != figures.FLOOR),
                       key=lambda row: (figures.endpoint_order(row.cell.endpoint), figures.row_order(row.cell))):
        ones = [row for row in rows if (row.cell.server, row.cell.endpoint, row.cell.durability)
                == (many.cell.server, many.cell.endpoint, many.cell.durability) and row.cell.model != 'xN']
        if ones:
            pairs.append((max(ones, key=lambda row: row.cell.model == 'x1'), many))
    return pairs


RESULT_METRICS = (('mean ms', 'mean_ms'), ('p50', 'p50_ms'), ('p90', 'p90_ms'), ('p99', 'p99_ms'), ('p99.9', 'p99.9_ms'), ('max', 'max_ms'))


def results(report, brief=False):
    """Every row, in groups of what may be compared; ranks only within a group."""
    latencies = RESULT_METRICS[:1] + RESULT_METRICS[3:4] if brief else RESULT_METRICS
    more = () if brief else ('MB/CPU-s', 'machine µs', 'memory MiB', 'conns/worker', 'switches/req', 'client busy')
    table = Table('results', 'Every row', [('server', TEXT), ('durability', TEXT)] + [(name, RIGHT) for name in (
        'CPU µs/req', '±', 'rank', 'client µs', 'req/s', '± ', 'rank ') + tuple(name for name, _ in latencies) + more] + [('remark', TEXT)],
        note='± is half the 95 % interval of the median (with fewer than six runs: half their range, which of three runs holds the median '
             'in 75 % of cases). ≈: level with another row, the interval of their ratio, run by run, holds 1. Ranks are within a group and its '
             'durability class; a bound row has no rank in requests/s, one whose work is not accounted for none in CPU, an INVALID one none at all. Shared cores: with the client. '
             'Client µs: the client\'s CPU for a request; settings that spare the server some may cost it.')
    doubted = figures.unaccounted(report)
    for contest, rows in figures.contests(report).items():
        table.lines.append((GROUP, [contest.title]))
        cpu_ranks, rate_ranks = figures.ranks(rows, 'cpu_us', doubted), figures.ranks(rows, 'rate')
        for row in rows:
            line = [label(row.cell), row.cell.durability]
            if row.state != 'ok':
                table.lines.append((_kind(row), line + [_state(row)] + ['–'] * (6 + len(latencies) + len(more)) + [remark(report, row)]))
                continue
            cpu, rate = figures.estimate(row, 'cpu_us'), figures.estimate(row, 'rate')
            line += [number(cpu.median), noise(cpu), cpu_ranks.get(row.cell.key, '–'), number(figures.estimate(row, 'client_us').median),
                     number(rate.median), noise(rate), rate_ranks.get(row.cell.key, '–')]
            line += [number(figures.estimate(row, metric).median) for _, metric in latencies] + ([] if brief else _accounts(row))
            table.lines.append((OK, line + [remark(report, row)]))
    return table if table.lines else None


def _accounts(row):
    found = {metric: figures.estimate(row, metric).median for metric in
             ('bytes_per_cpu_s', 'machine_us', 'memory_bytes', 'switches', 'client_busy')}
    shares = [count for run in row.runs for count in run.connections_per_worker]
    spread = f'{min(shares)}–{max(shares)}' if shares else '–'
    return [number(found['bytes_per_cpu_s'] / 1e6), number(found['machine_us']), number(found['memory_bytes'] / 2**20), spread,
            f'{found["switches"]:.2f}', f'{found["client_busy"]:.0%}'.replace('%', ' %')]


def ceilings(report):
    columns = _columns(('ceiling', 'size'), ('req/s', '95 %', 'MB/s', 'CPU µs/req', 'client µs')) + [('note', TEXT)]
    table = Table('ceilings', 'What this machine can do at best', columns)
    for item in report.ceilings:
        found = ['–'] * 3
        if item.rate > 0:
            interval = f'{number(item.interval[0])}–{number(item.interval[1])}'
            found = [number(item.rate), interval, number(item.rate * item.bytes / 1e6)]
        note = item.note or ('' if item.rate > 0 else 'could not be measured')
        found += [number(cost) if cost else '–' for cost in (item.cpu_us, item.client_us)]
        table.lines.append((OK if item.rate > 0 else GREYED, [item.name, figures.size(item.bytes), *found, note]))
    return table if table.lines else None


def peers(report):
    table = Table('peers', 'Versions', _columns(('server', 'version', 'notes')))
    for name, about in report.peers.items():
        version = about.get('version') or '–'
        table.lines.append((OK if about.get('version') else GREYED, [name_of(name), version, '; '.join(about.get('notes', []))]))
    return table if table.lines else None


def environment(report):
    lines = [(OK, [str(key), ', '.join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)])
             for key, value in report.environment.items()]
    return Table('environment', 'Machine', _columns(('what', 'value')), lines) if lines else None


def article_tables(report):
    """The article's two tables: endpoints for each fleet, servers beside each other, then one process beside many."""
    found = [by_endpoint(report, *fleet) for fleet in fleets(report)]
    return [table for table in found + [by_server(report, True), by_server(report, False), one_beside_many(report)] if table]
