"""README's table: server CPU for one request, like with like: one process each, Forklift's worker without its master wherever that was measured."""

import textwrap

from columns import markdown

from . import figures, findings
from .figures import compared, estimate, label, number

ROWS = (('upload, raw body', 'upload/stream/async_read_and_disk_write'), ('upload, form', 'upload/single/stream/async_read_sync_write'),
        ('upload, JSON with base64', 'upload/raw/json/base64decode'), ('upload', 'PUT'), ('download, streamed', 'download/stream/sync_read'),
        ('download, file', 'download/file'), ('download', 'GET'))


def text(report):
    """The table and what must be said of it; in Markdown, as it stands in README.md."""
    rows = [row for row in figures.at_reference(report) if row.cell.workers == 1 and row.cell.server != figures.FLOOR]
    chosen = {(row.cell.server, row.cell.endpoint): row for row in sorted(rows, key=lambda row: ('xN', 'x1', 'alone').index(row.cell.model))}
    lines = [(words, endpoint) for words, endpoint in ROWS if any(key[1] == endpoint for key in chosen)]
    servers = sorted({server for server, endpoint in chosen if endpoint in [name for _, name in lines]}, key=figures.server_order)
    doubted = figures.unaccounted(report)
    table = [[f'{words}: `{_request(endpoint)}`'] + _cells([chosen.get((server, endpoint)) for server in servers], doubted)
             for words, endpoint in lines]
    names = [_name([chosen[key] for key in chosen if key[0] == server and key[1] in [name for _, name in lines]]) for server in servers]
    return markdown([''] + names, table) + '\n\n' + _note(report, rows, chosen, doubted) + '\n'


def _request(endpoint):
    if endpoint in ('PUT', 'GET'):
        return f'{endpoint} /files/NAME'
    return f'{"GET" if endpoint.startswith("download/") else "POST"} /files/{endpoint}'


def _name(rows):
    """A column's: the server with its process models."""
    return ' or '.join(dict.fromkeys(label(row.cell) for row in rows))


def _cells(rows, doubted):
    """rows: of one endpoint, the first Forklift's, None where a server has none."""
    fair = [row for row in rows if row and row.state == 'ok' and row.cell not in doubted]
    best = min(fair, key=lambda row: estimate(row, 'cpu_us').median, default=None)
    mine = rows[0] if rows[0] in fair and rows[0].cell.server == 'forklift' else None
    return [_cell(row, row in fair, best, mine) for row in rows]


def _cell(row, fair, best, mine):
    if row is None:
        return ''
    if row.state != 'ok':
        return _state(row)
    words = number(estimate(row, 'cpu_us').median)
    if not fair:
        return f'({words}) †'
    bold = row is best or _level(row, best)
    return (f'**{words}**' if bold else words) + (' ≈' if row is not mine and mine is not None and _level(row, mine) else '')


def _state(row):
    return 'not reached' if row.state == 'missing' else row.state


def _level(row, other):
    found = compared(row, other, 'cpu_us')
    return found is not None and not found.sign


def _note(report, rows, chosen, doubted):
    size, connections = figures.reference_load(report)
    runs = sorted({len(row.runs) for row in chosen.values() if row.state == 'ok'})
    said = [f'Microseconds of server CPU for one request: {figures.size(size)} files, {connections} connections, one process that serves, '
            f'medians of {" or ".join(map(str, runs)) or "no"} runs by turns. *alone*: one process; *×1*: a master over one worker. '
            '**Bold**: the least, and what is level with it. ≈: level with Forklift; no difference outside the noise, as the interval of their '
            'ratio, run by run, holds 1.']
    if any(row.cell in doubted for row in chosen.values()):
        said.append('†: less than the work takes at best, even with its client\'s time: not ranked.')
    below = [(row, found) for row in chosen.values() if (found := figures.below_floor(report, row)) and found.accounted]
    if below:
        said.append('Part of the work is done on the client\'s time by ' + ', '.join(f'{label(row.cell)} ({row.cell.endpoint})' for row, _ in below)
                    + ': below the floor.')
    return textwrap.fill(' '.join(said + findings.sureness(report)), 140, break_long_words=False, break_on_hyphens=False)
