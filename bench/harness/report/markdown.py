"""The report as Markdown: findings first, then the tables."""

from printable import harmless

from . import article, figures, findings, tables
from .verdicts import NONE_IN_RUN


def text(report):
    report = harmless(report)
    parts = [f'# Benchmark: {report.preset}', f'{figures.when(report.started)}, {report.seconds / 60:.0f} minutes, seed {report.seed}'
             + ('' if report.complete else '. **Partial**: stopped before its end')]
    parts += ['## The article\'s five conclusions', _table(_verdicts(report)) if findings.in_run(report) else NONE_IN_RUN]
    for heading, sentences in findings.grouped(report):
        parts += [f'## {heading}', '\n'.join(f'- {sentence}' for sentence in sentences)]
    own = tables.article_tables(report)
    for table in own:
        parts += [f'## {table.title}', _table(table)]
    parts += [article.PAST_NOTE] if own else []
    for table in (tables.results(report), tables.ceilings(report), tables.peers(report), tables.environment(report)):
        if table:
            parts += [f'## {table.title}', _table(table)] + ([table.note] if table.note else [])
    if report.commands:
        parts += ['## Commands', '```sh\n' + '\n'.join(report.commands) + '\n```']
    return '\n\n'.join(parts) + '\n'


def _verdicts(report):
    table = tables.Table('verdicts', '', [(name, tables.TEXT) for name in ('conclusion', 'of', 'verdict', 'because')])
    table.lines = [(tables.OK, [verdict.conclusion, verdict.subject, f'**{verdict.result}**', verdict.because])
                   for verdict in findings.in_run(report)]
    return table


def _table(table):
    """A heading of a group has a line of its own; what is greyed elsewhere is in italics here."""
    lines = ['| ' + ' | '.join(name.strip() for name, _ in table.columns) + ' |',
             '|' + '|'.join('---' if kind == tables.TEXT else '--:' for _, kind in table.columns) + '|']
    for line, cells in table.lines:
        if line == tables.GROUP:
            lines.append(f'| **{_cell(cells[0])}** |' + ' |' * (len(table.columns) - 1))
            continue
        past = [line == tables.GREYED or kind == tables.PAST for _, kind in table.columns]
        lines.append('| ' + ' | '.join(f'*{_cell(cell)}*' if grey and cell else _cell(cell) for cell, grey in zip(cells, past)) + ' |')
    return '\n'.join(lines)


def _cell(words):
    return words.replace('|', '\\|').replace('*', '\\*').replace('\n', ' ') if not words.startswith('**') else words
