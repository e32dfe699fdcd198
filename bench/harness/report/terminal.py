"""The report on a terminal: aligned tables, findings and verdicts; colour only where it is wanted."""

import os
import shutil
import textwrap

from printable import harmless

from . import article, figures, findings, tables
from .verdicts import FAILS, HOLDS, NONE_IN_RUN

BOLD, DIM, RED, GREEN = '1', '2', '31', '32'


def wants_colour(stream):
    """A terminal that did not say NO_COLOR."""
    return stream.isatty() and not os.environ.get('NO_COLOR') and os.environ.get('TERM') != 'dumb'


class _Pen:
    """Writes to a stream, with colour or without."""

    def __init__(self, stream, colour):
        self.stream, self.colour = stream, colour
        self.width = max(100, shutil.get_terminal_size().columns) if stream.isatty() else 0  # 0: nothing is cut

    def paint(self, words, code):
        return f'\x1b[{code}m{words}\x1b[0m' if self.colour and code and words else words

    def line(self, words=''):
        self.stream.write(words + '\n')

    def title(self, words):
        self.line()
        self.line(self.paint(words, BOLD))

    def prose(self, words, lead='  '):
        self.line(textwrap.fill(words, 110, initial_indent=lead, subsequent_indent=' ' * len(lead), break_long_words=False,
                                break_on_hyphens=False))


def show(report, stream, colour=None):
    """Every row, what it says, and the article's first table for the largest fleet; the Markdown has the others.

    colour: None asks the stream.
    """
    report, pen = harmless(report), _Pen(stream, wants_colour(stream) if colour is None else colour)
    took = f'{report.seconds / 60:.0f} min, seed {report.seed}'
    pen.line(pen.paint(f'Benchmark {report.preset}, {figures.when(report.started)}, {took}', BOLD))
    if not report.complete:
        pen.line(pen.paint('Partial: it was stopped before its end.', RED))
    for table in tables.article_tables(report)[:1]:
        _table(pen, table)
        pen.prose(article.PAST_NOTE)
    for table in (tables.ceilings(report), tables.results(report, brief=True)):
        if table:
            _table(pen, table)
            if table.note:
                pen.prose(table.note)
    for heading, sentences in findings.grouped(report):
        pen.title(heading)
        for sentence in sentences:
            pen.prose(sentence, '  - ')
    _verdicts(pen, report)


def _verdicts(pen, report):
    pen.title('The article\'s five conclusions')
    told = findings.in_run(report)
    if not told:
        pen.prose(NONE_IN_RUN)
    for verdict in told:
        result = pen.paint(verdict.result, {HOLDS: GREEN, FAILS: RED}.get(verdict.result, DIM))
        pen.line(f'  {verdict.conclusion}, {verdict.subject}: {result}')
        pen.prose(verdict.because, '      ')


def _table(pen, table):
    cells = [line for kind, line in table.lines if kind != tables.GROUP]
    widths = [max([len(name.strip())] + [len(line[index]) for line in cells]) for index, (name, _) in enumerate(table.columns)]
    pen.title(table.title)
    pen.line('  ' + pen.paint(_aligned([name.strip() for name, _ in table.columns], widths, table), BOLD).rstrip())
    for kind, line in table.lines:
        if kind == tables.GROUP:
            pen.line(f'  {pen.paint(line[0], BOLD)}')
            continue
        pen.line('  ' + _line(pen, kind, line, widths, table))


def _line(pen, kind, line, widths, table):
    """Greyed where it does not count; the reason of an INVALID row in red. What the window has no room for is cut."""
    if pen.width:
        room = pen.width - 2 - sum(widths[:-1]) - 2 * (len(widths) - 1)
        line = line[:-1] + [line[-1] if len(line[-1]) <= room else line[-1][:max(room - 1, 0)] + '…']
    if kind == tables.OK:
        padded = [_pad(cell, width, column) for cell, width, column in zip(line, widths, table.columns)]
        return '  '.join(pen.paint(cell, DIM if grey else '') for cell, grey in zip(padded, table.greyed)).rstrip()
    whole = _aligned(line, widths, table).rstrip()
    if kind != tables.BAD:
        return pen.paint(whole, DIM)
    return pen.paint(whole[:len(whole) - len(line[-1])], DIM) + pen.paint(line[-1], RED)


def _pad(cell, width, column):
    return cell.ljust(width) if column[1] == tables.TEXT else cell.rjust(width)


def _aligned(cells, widths, table):
    return '  '.join(_pad(cell, width, column) for cell, width, column in zip(cells, widths, table.columns))
