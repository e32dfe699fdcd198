"""The sections of charts of the page: which rows go into which panel, and a sentence where there is nothing to draw."""

from html import escape

from . import charts, figures

_FOLD = 6  # panels that are shown; the rest of a section folds

# kind of work → the ceilings that a row of it can hit
_PLAIN = ('none kept', 'page cache', 'read')  # durability classes of what the article did
_CEILINGS = {'read': ('sendfile_download', 'client download'), 'none kept': ('receive_discard', 'client upload'),
             'page cache': ('receive_store', 'client upload')}


def sections(report):
    """[(id, title, content)]."""
    colours = charts.Colours(figures.servers(report))
    rows = figures.all_at_reference(report)
    size, connections = figures.reference_load(report)
    load = f'{figures.size(size)}, {connections} connections, closed loop. '
    return [_cpu(rows, load, colours), _rate(report, rows, load, colours), _strategies(rows, load, colours),
            _latency(report, rows, colours), _size(report, connections, colours),
            _scaling(report, size, connections, colours), _balance(rows, colours)]


def _by_endpoint(rows):
    """(endpoint, durability class) → rows: classes are never beside each other in a panel."""
    found = {}
    for row in sorted(rows, key=lambda row: (figures.endpoint_order(row.cell.endpoint), row.cell.durability != 'page cache',
                                             figures.row_order(row.cell))):
        found.setdefault((row.cell.endpoint, row.cell.durability), []).append(row)
    return found


def _panel(title, chart, beside='', caption=''):
    """beside: after the title, in grey: the durability class, or a load that is not the section's."""
    name = f'<span class="api">{escape(title)}</span>' if '/' in title else escape(title)
    name += f' <span class="beside">{escape(beside)}</span>' if beside else ''
    below = f'<figcaption>{escape(caption)}</figcaption>' if caption else ''
    return f'<figure><h3>{name}</h3>{chart}{below}</figure>'


def _grid(panels, fold=None):
    fold = fold or len(panels)
    grid = f'<div class="panels">{"".join(panels[:fold])}</div>'
    if len(panels) > fold:
        grid += (f'<details><summary>{len(panels) - fold} more</summary><div class="panels">{"".join(panels[fold:])}</div></details>')
    return grid


def _section(name, title, about, panels, nothing, legend='', fold=None):
    if not panels:
        return name, title, f'<p class="about">{escape(nothing)}</p>'
    return name, title, f'<p class="about">{escape(about)}</p>{legend}{_grid(panels, fold)}'


def _legend(rows, colours, dashes=True):
    """Servers by colour and marker, process models by dashes."""
    items = []
    for server in sorted({row.cell.server for row in rows}, key=figures.server_order):
        mark = charts.Drawing(12, '', '')
        mark.add('line', 'curve ' + colours.css(server), x1=0, y1=6, x2=26, y2=6)
        mark.mark(13.0, 6.0, colours.shape(server), f'mark {colours.css(server)}')
        items.append(f'<li><svg viewBox="0 0 26 12" aria-hidden="true">{"".join(mark.parts)}</svg>{escape(figures.name_of(server))}</li>')
    for css, words in (('curve alone', 'alone'), ('curve one', '×1'), ('curve', '×N')) if dashes else ():
        line = f'<line class="{css} c7" x1="0" y1="6" x2="26" y2="6"/>'
        items.append(f'<li><svg viewBox="0 0 26 12" aria-hidden="true">{line}</svg>{words}</li>')
    return f'<ul class="legend">{"".join(items)}</ul>'


def _cpu(rows, load, colours):
    panels = [_panel(endpoint, charts.bars(mine, 'cpu_us', 'CPU µs per request', colours), durability)
              for (endpoint, durability), mine in _by_endpoint(rows).items()]
    return _section('cpu', 'CPU per request', load + 'µs of all threads of the server’s processes; shorter is better. Whiskers: 95 % '
                    'interval of the median.', panels, 'No closed-loop row was measured, so there are no bars.')


def _rate(report, rows, load, colours):
    panels = []
    for (endpoint, durability), mine in _by_endpoint(rows).items():
        wanted = _CEILINGS.get(durability, ('receive_store', 'disk', 'client upload'))
        ceilings = [ceiling for ceiling in report.ceilings if ceiling.name in wanted and ceiling.bytes == mine[0].cell.bytes]
        drawn = charts.near(mine, 'rate', ceilings)
        far = [f'{ceiling.name} {figures.number(ceiling.rate)}' for ceiling in ceilings if ceiling.rate and ceiling not in drawn]
        caption = f'off this scale: {", ".join(far)}' if far else ''
        panels.append(_panel(endpoint, charts.bars(mine, 'rate', 'requests/s', colours, ceilings), durability, caption))
    shared = any(run.shared_cores for row in rows for run in row.runs)
    return _section('rate', 'Requests per second', load + 'Longer is better. A hollow bar with ≤ is bound by a ceiling or by the client: '
                    'it says how fast those are. Dashed lines are ceilings of one process.' + (
                        ' Servers of many processes share their cores with the client here.' if shared else ''),
                    panels, 'No closed-loop row was measured, so there are no bars.')


def _strategies(rows, load, colours):
    """The endpoints of one server beside each other, on one scale; a single process where there is one."""
    panels = []
    for server in sorted({row.cell.server for row in rows if row.cell.server != figures.FLOOR}, key=figures.server_order):
        fleets = {}
        for row in rows:
            if row.cell.server == server and row.cell.endpoint in figures.ARTICLE_ORDER and row.cell.durability in _PLAIN:
                fleets.setdefault((row.cell.workers, row.cell.model), []).append(row)
        mine = min(fleets.items(), default=((), []))[1]
        if len(mine) > 1:
            chart = charts.bars_by_endpoint(mine, 'cpu_us', 'CPU µs per request', colours)
            panels.append(_panel(figures.label(mine[0].cell), chart))
    return _section('strategies', 'Strategy against strategy', load + 'CPU µs per request of the article’s endpoints within one server, '
                    'apart where their durability is not the same.', panels, 'No server was measured at two of the article’s endpoints.')


def _latency(report, rows, colours):
    opened = [row for row in report.rows if row.cell.tool == 'open']
    panels = []
    for (endpoint, durability, rate), mine in _grouped(opened).items():
        chart = charts.percentiles(mine, colours)
        if chart:
            panels.append(_panel(endpoint, chart, f'{durability}, open loop, {rate:g} requests/s'))
    largest = {}
    for row in rows:
        largest[row.cell.server] = max(largest.get(row.cell.server, 1), row.cell.workers)
    ends = [row for row in rows if row.cell.server != figures.FLOOR and row.cell.workers in (1, largest[row.cell.server])]
    for (endpoint, durability), mine in _by_endpoint(ends).items():
        chart = charts.percentiles(mine, colours)
        if chart:
            panels.append(_panel(endpoint, chart, f'{durability}, closed loop' if opened else durability))
    how = 'An open loop counts from the intended start. ' if opened else ''
    return _section('latency', 'Latency by percentile', 'All runs together, as far out as ten requests lie beyond; lower is better. ' + how
                    + 'A closed loop waits with the server, so a pause hides the requests that it kept away (coordinated omission).',
                    panels, 'There are no latencies to draw.', _legend(opened + ends, colours), _FOLD)


def _grouped(rows):
    found = {}
    for row in sorted(rows, key=lambda row: (figures.endpoint_order(row.cell.endpoint), row.cell.rate, figures.row_order(row.cell))):
        found.setdefault((row.cell.endpoint, row.cell.durability, row.cell.rate), []).append(row)
    return found


def _charted(rows, draw, colours):
    """One panel an endpoint and durability class where draw() finds enough."""
    charted = {key: draw(mine, colours) for key, mine in _by_endpoint(rows).items()}
    return [_panel(endpoint, chart, durability) for (endpoint, durability), chart in charted.items() if chart]


def _varied(rows, what):
    """The rows of servers that were measured with more than one of it: those that have lines, and so a place in the legend."""
    found = {}
    for row in rows:
        found.setdefault((row.cell.server, row.cell.endpoint), set()).add(what(row.cell))
    return [row for row in rows if len(found[row.cell.server, row.cell.endpoint]) > 1]


def _size(report, connections, colours):
    rows = [row for row in report.rows if row.cell.tool == 'wrk' and row.cell.connections == connections and not row.bound_by
            and (row.cell.workers == 1 or row.cell.model == 'xN')]
    panels = _charted(rows, charts.against_size, colours)
    rows = _varied(rows, lambda cell: cell.bytes)
    return _section('size', 'Throughput against size', f'MB/s of file bytes at {connections} connections, both axes logarithmic; bound '
                    'rows are left out.', panels, 'Only one size was measured, so there is nothing to draw against size.',
                    _legend(rows, colours), _FOLD)


def _scaling(report, size, connections, colours):
    rows = [row for row in report.rows if row.cell.tool == 'wrk' and (row.cell.bytes, row.cell.connections) == (size, connections)
            and not row.bound_by and row.cell.server != figures.FLOOR]
    panels = _charted(rows, charts.against_workers, colours)
    rows = _varied(rows, lambda cell: cell.workers)
    return _section('scaling', 'Scaling against workers', 'Requests/s over the number of worker processes; bound rows are left out.',
                    panels, 'No server was measured with more than one number of workers.', _legend(rows, colours, dashes=False), _FOLD)


def _balance(rows, colours):
    chart = charts.balance(rows, colours)
    caption = '1× is the fair share; a dot is a worker in mid-load, over all endpoints and runs'
    panels = [_panel('Share of connections', chart, caption=caption)] if chart else []
    return _section('balance', 'Worker balance', 'How evenly a fleet’s workers hold the connections.', panels,
                    'No fleet of several workers was measured, so there is no balance to show.')
