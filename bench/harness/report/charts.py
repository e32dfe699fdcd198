"""The charts of a report, each a panel of svg.WIDTH: bars with whiskers, lines, percentile curves, dots of balance."""

import math
from dataclasses import dataclass, field

from stats import Histogram

from . import figures
from .figures import number, size
from .svg import GLYPH, WIDTH, Drawing, Linear, Log, shorten

LABELS, FIGURES = 104, 64  # widths of the columns left and right of the bars
PATHS = 194  # of the left one where it holds endpoints
ROW, GAP = 19, 7  # heights; the gap is between one process and many

PALETTE = {name: index for index, name in enumerate(figures.SERVER_ORDER + (figures.FLOOR,))}
OWN_COLOURS = 4  # for servers of the user's own, after those above


class Colours:
    """Each server's colour class and marker shape, the same all over the page."""

    def __init__(self, servers):
        own = [name for name in servers if name not in PALETTE]
        self.indexes = {**PALETTE, **{name: len(PALETTE) + index % OWN_COLOURS for index, name in enumerate(own)}}

    def css(self, server):
        return f'c{self.indexes[server]}'

    def shape(self, server):
        return self.indexes[server] % 4


def short_label(cell, pixels=LABELS - 6):
    """'gunicorn ×4'; a long name of a server gives way, never the number of workers."""
    tail = ' alone' if cell.model == 'alone' else f' ×{cell.workers}'
    name = 'Forklift' if cell.server == 'forklift' else cell.server
    return shorten(name, pixels - len(tail) * GLYPH) + tail


def bars(rows, metric, unit, colours, ceilings=()):
    """One bar a row with a whisker over its 95 % interval, single processes first; rows that are not ok keep their place and say why.

    Ceilings are lines through the single processes only: they were measured with one process.
    """
    found = [(row, figures.estimate(row, metric)) for row in sorted(rows, key=lambda row: row.cell.workers > 1)]
    single = sum(row.cell.workers == 1 for row, _ in found)
    top = max((estimate.high for _, estimate in found if estimate), default=1.0) or 1.0
    shown = near(rows, metric, ceilings)
    scale = Linear(0, max([top] + [ceiling.rate for ceiling in shown]) * 1.02, LABELS, WIDTH - FIGURES)
    head = 13 * len(shown) + (5 if shown else 2)
    tops = [head + ROW * index + (GAP if single and index >= single else 0) for index in range(len(found))]
    drawing = Drawing(tops[-1] + ROW + 4, f'{unit}, {rows[0].cell.endpoint}', _spoken(found, unit))
    for index, ceiling in enumerate(shown):
        _ceiling(drawing, scale(ceiling.rate), 10 + 13 * index, tops[single - 1] + ROW, f'{ceiling.name} {number(ceiling.rate)}')
    for y, (row, estimate) in zip(tops, found):
        _bar(drawing, scale, y, row, estimate, metric, colours.css(row.cell.server), short_label(row.cell))
    drawing.line(LABELS, head, LABELS, tops[-1] + ROW, 'axis')
    return drawing.text()


def bars_by_endpoint(rows, metric, unit, colours):
    """The endpoints of one server, under a heading for each durability class: what is below different ones is different work."""
    found = [(row, figures.estimate(row, metric)) for row in sorted(rows, key=lambda row: figures.endpoint_order(row.cell.endpoint))]
    classes = list(dict.fromkeys(row.cell.durability for row, _ in found))
    top = max((estimate.high for _, estimate in found if estimate), default=1.0) or 1.0
    scale = Linear(0, top * 1.02, PATHS, WIDTH - FIGURES)
    drawing = Drawing(ROW * (len(found) + len(classes)) + 4, f'{unit}, {figures.label(rows[0].cell)}', _spoken(found, unit))
    y = 0
    for durability in classes:
        drawing.words(0, y + 14, durability, 'muted')
        start = y = y + ROW
        for row, estimate in (pair for pair in found if pair[0].cell.durability == durability):
            _bar(drawing, scale, y, row, estimate, metric, colours.css(row.cell.server), short_endpoint(row.cell.endpoint))
            y += ROW
        drawing.line(PATHS, start, PATHS, y, 'axis')
    return drawing.text()


def near(rows, metric, ceilings):
    """The ceilings that fit beside the bars without dwarfing them, the lowest first; none where no single process is shown."""
    found = [figures.estimate(row, metric) for row in rows]
    top = max((estimate.high for estimate in found if estimate), default=1.0)
    single = any(row.cell.workers == 1 for row in rows)
    return sorted((ceiling for ceiling in ceilings if single and 0 < ceiling.rate <= 2.5 * top), key=lambda ceiling: ceiling.rate)


def _ceiling(drawing, x, y, bottom, text):
    drawing.line(x, y - 9, x, bottom, 'ceiling')
    left = x + 6 + len(text) * GLYPH > WIDTH
    drawing.words(x - 4 if left else x + 4, y, text, 'muted', 'end' if left else 'start')


def _bar(drawing, scale, y, row, estimate, metric, colour, name):
    middle = y + ROW / 2
    whole = f'{figures.label(row.cell)}, {row.cell.endpoint}, {row.cell.durability}'
    if not estimate:
        drawing.words(scale.start - 8, middle + 4, name, 'muted', 'end', whole)
        text = 'not reached' if row.state == 'missing' else f'{row.state}: {figures.reason(row)}'
        css = 'bad' if row.state == 'INVALID' else 'muted'
        drawing.words(scale.start + 6, middle + 4, shorten(text, WIDTH - scale.start - 8), css, title=text)
        return
    bound = row.bound_by and metric == 'rate'
    told = f'{whole}: {number(estimate.median)} [{number(estimate.low)}, {number(estimate.high)}], {estimate.count} runs' + (
        '; what bounds it, see its remark' if row.bound_by else '')
    drawing.words(scale.start - 8, middle + 4, name, '', 'end', whole)
    drawing.add('rect', f'bar {colour}' + (' bound' if bound else '') + (' many' if row.cell.workers > 1 else ''), told,
                x=float(scale.start), y=middle - 5, width=max(scale(estimate.median) - scale.start, 1.0), height=10)
    if estimate.count > 1:
        _whisker(drawing, scale(estimate.low), scale(estimate.high), middle)
    drawing.words(WIDTH - 2, middle + 4, ('≤ ' if bound else '') + number(estimate.median), 'figure', 'end')


def _whisker(drawing, low, high, y):
    drawing.line(low, y, high, y, 'whisker')
    drawing.line(low, y - 3, low, y + 3, 'whisker')
    drawing.line(high, y - 3, high, y + 3, 'whisker')


def _spoken(found, unit):
    words = (f'{figures.label(row.cell)} {number(estimate.median) if estimate else row.state}' for row, estimate in found)
    return f'{"; ".join(words)} ({unit})'


@dataclass
class Series:
    """A line: points are (x, y, low, high) in figures; markers only where asked for."""
    cell: object
    points: list = field(default_factory=list)
    marks: bool = True
    line: str = ''  # CSS: how the process model is told apart


def _line(cell):
    return 'alone' if cell.model == 'alone' else 'one' if cell.workers == 1 else ''


def lines(series, x, y, unit, title, colours, height=194):
    """x, y: (scale class, (low, high), ticks or None, words of a tick)."""
    left, right, head, foot = 46, 12, 24, 20
    across = x[0](*x[1], left, WIDTH - right)
    up = y[0](*y[1], height - foot, head)
    spoken = '; '.join(f'{figures.label(one.cell)} {number(one.points[0][1])} to {number(one.points[-1][1])}' for one in series)
    drawing = Drawing(height, title, f'{spoken} ({unit})')
    drawing.words(0, 10, unit, 'muted')
    for tick in up.ticks():
        drawing.line(left, up(tick), WIDTH - right, up(tick), 'grid')
        drawing.words(left - 6, up(tick) + 4, y[3](tick), 'muted', 'end')
    for tick in x[2] or across.ticks():
        drawing.line(across(tick), height - foot, across(tick), height - foot + 4, 'axis')
        half = len(x[3](tick)) * GLYPH / 2
        drawing.words(min(across(tick), WIDTH - half), height - 4, x[3](tick), 'muted', 'middle')
    drawing.line(left, height - foot, WIDTH - right, height - foot, 'axis')
    for one in series:
        _series(drawing, one, across, up, colours)
    return drawing.text()


def _series(drawing, series, across, up, colours):
    cell = series.cell
    colour = colours.css(cell.server)
    path = ' '.join(f'{across(x):.1f},{up(y):.1f}' for x, y, _, _ in series.points)
    drawing.add('polyline', f'curve {colour}' + (f' {series.line}' if series.line else ''), figures.label(cell), points=path)
    for x, y, low, high in series.points if series.marks else ():
        if abs(up(low) - up(high)) > 1:
            drawing.line(across(x), up(low), across(x), up(high), 'whisker')
        drawing.mark(across(x), up(y), colours.shape(cell.server), f'mark {colour}', f'{figures.label(cell)}: {number(y)}')


def percentiles(rows, colours):
    """Latency of each row's runs together, from the median to where at least ten requests lie beyond; None without data."""
    series, depth = [], 1.0
    for row in rows:
        merged = Histogram()
        for run in row.runs:
            merged.merge(run.histogram)
        if row.state != 'ok' or merged.total < 20:
            continue
        deepest = min(math.log10(merged.total / 10), 4.0)
        steps = [0.30103 + index * (deepest - 0.30103) / 32 for index in range(33)] if deepest > 0.4 else []
        slowest = max(run.latency_max_ms for run in row.runs) or math.inf
        points = [(step, max(min(merged.percentile(100 - 100 * 10 ** -step) / 1e3, slowest), 1e-3)) for step in steps]
        if points:
            series.append(Series(row.cell, [(x, value, value, value) for x, value in points], marks=False, line=_line(row.cell)))
            depth = max(depth, deepest)
    if not series:
        return None
    heights = [point[1] for one in series for point in one.points]
    ticks = [tick for tick in (0.30103, 1.0, 2.0, 3.0, 4.0) if tick <= depth + 1e-9]
    return lines(series, (Linear, (0.30103, depth), ticks, lambda tick: f'{100 - 100 * 10 ** -tick:.4g} %'),
                 (Log, (min(heights), max(heights)), None, _figure), 'ms, by percentile', f'Latency, {rows[0].cell.endpoint}', colours)


def _figure(value):
    return f'{value / 1000:g}k' if value >= 1000 else f'{value:g}'


def _measured(rows, metric, where, scale=1.0):
    """One series a fleet: points at where(cell), of the rows that are ok."""
    found = {}
    for row in rows:
        estimate = figures.estimate(row, metric)
        if estimate and estimate.median > 0:
            fleet = (row.cell.server, row.cell.model, row.cell.workers) if where is not workers_of else row.cell.server
            series = found.setdefault(fleet, Series(row.cell, line='' if where is workers_of else _line(row.cell)))
            series.points.append((where(row.cell), estimate.median / scale, estimate.low / scale, estimate.high / scale))
    for series in found.values():
        series.points.sort()
    return [series for series in found.values() if len(series.points) > 1]


def workers_of(cell):
    return cell.workers


def against_size(rows, colours):
    """MB/s of bodies over the size of the file; None with fewer than two sizes."""
    series = _measured(rows, 'bytes_per_s', lambda cell: cell.bytes, 1e6)
    if not series:
        return None
    sizes = sorted({point[0] for one in series for point in one.points})
    heights = [point[1] for one in series for point in one.points]
    shown = sizes if len(sizes) <= 6 else sizes[::math.ceil(len(sizes) / 6)]
    bounds = (math.log10(sizes[0]), math.log10(sizes[-1]))
    for one in series:
        one.points = [(math.log10(x), *rest) for x, *rest in one.points]
    return lines(series, (Linear, bounds, [math.log10(each) for each in _apart(shown)], lambda tick: size(round(10 ** tick))),
                 (Log, (min(heights), max(heights)), None, _figure), 'MB/s', f'Throughput against size, {rows[0].cell.endpoint}', colours)


def _apart(sizes):
    """Those whose labels have room: on a log scale over the panel, 52 px each."""
    room = (math.log10(sizes[-1]) - math.log10(sizes[0])) * 52 / (WIDTH - 60) or 1
    kept = []
    for each in sizes:
        if not kept or math.log10(each) - math.log10(kept[-1]) >= room:
            kept.append(each)
    return kept


def against_workers(rows, colours):
    """Requests/s over the number of workers; a master's one worker counts, a worker alone only where there is no other."""
    supervised = {row.cell.server for row in rows if row.cell.model == 'x1'}
    series = _measured([row for row in rows if row.cell.model != 'alone' or row.cell.server not in supervised], 'rate', workers_of)
    if not series:
        return None
    counts = sorted({int(point[0]) for one in series for point in one.points})
    top = max(point[3] for one in series for point in one.points)
    ticks = counts if len(counts) <= 8 else counts[::math.ceil(len(counts) / 8)]
    return lines(series, (Linear, (counts[0], counts[-1]), ticks, lambda tick: f'×{tick:g}'), (Linear, (0, top * 1.05), None, _figure),
                 'requests/s, by workers', f'Scaling, {rows[0].cell.endpoint}', colours)


def balance(rows, colours):
    """Connections of each worker as a share of its fair part, a dot for each worker in each run; None without a fleet."""
    fleets = {}
    for row in sorted(rows, key=lambda row: figures.row_order(row.cell)):
        for run in row.good if row.state == 'ok' and row.cell.workers > 1 else ():
            fair = sum(run.connections_per_worker) / max(len(run.connections_per_worker), 1)
            if fair:
                fleets.setdefault((row.cell.server, row.cell.workers), (row.cell, []))[1].extend(
                    count / fair for count in run.connections_per_worker)
    if not fleets:
        return None
    top = max(2.0, max(max(shares) for _, shares in fleets.values()))
    scale = Linear(0, top, LABELS + 6, WIDTH - FIGURES)
    bottom = 4 + 24 * len(fleets)
    spoken = '; '.join(f'{figures.label(cell)} {min(shares):.0%} to {max(shares):.0%} of the fair share'
                       for cell, shares in fleets.values())
    drawing = Drawing(bottom + 20, 'Connections of each worker', spoken)
    for tick in scale.ticks(4 if top <= 4 else 3):
        drawing.line(scale(tick), 2, scale(tick), bottom, 'axis' if tick == 1 else 'grid')
        drawing.words(scale(tick), bottom + 14, f'{tick:g}×', 'muted', 'middle')
    for index, (cell, shares) in enumerate(fleets.values()):
        middle = 4 + 24 * index + 12.0
        drawing.words(LABELS - 8, middle + 4, short_label(cell), '', 'end', figures.label(cell))
        for share in sorted(set(round(share, 2) for share in shares)):
            drawing.mark(scale(share), middle, 0, f'dot {colours.css(cell.server)}', f'{share:.2f} of the fair share')
        drawing.words(WIDTH - 2, middle + 4, f'{min(shares):.1f}–{max(shares):.1f}×', 'figure', 'end')
    return drawing.text()


def short_endpoint(name):
    """The end of a path: two parts of it where they fit, else the last, which then is long enough to be known by."""
    two = '/'.join(name.split('/')[-2:])
    return two if len(two) <= 20 else name.rsplit('/', maxsplit=1)[-1]
