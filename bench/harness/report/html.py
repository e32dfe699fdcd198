"""The page: one HTML file that brings all it needs; light and dark, narrow and wide, without a script and without the network."""

import os
import re
from html import escape

from printable import harmless

from . import figures, findings, panels, tables
from .verdicts import FAILS, HOLDS, NONE_IN_RUN

_CSS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'page.css')
_PILLS = {HOLDS: ('holds', '✓'), FAILS: ('fails', '✗')}


def text(report):
    """The whole page."""
    with open(_CSS, encoding='utf-8') as file:
        css = file.read()
    report = harmless(report)
    sections = [section for section in [_verdicts(report), _findings(report)] + panels.sections(report) + _tables(report)
                + [_reproduce(report)] if section]
    links = ''.join(f'<a href="#{name}">{escape(title)}</a>' for name, title, _ in sections)
    body = '\n'.join(f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{escape(title)}</h2>\n'
                     f'{content}\n</section>' for name, title, content in sections)
    return ('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<title>Forklift benchmark: {escape(report.preset)}, {escape(figures.when(report.started))}</title>\n'
            f'<style>\n{css}</style>\n</head>\n<body>\n'
            f'<header>{_head(report)}<nav aria-label="Contents">{links}</nav></header>\n<main>\n{body}\n</main>\n'
            '<footer>Made from report.json alone; <code>bench report report.json</code> makes it again.</footer>\n</body>\n</html>\n')


def _head(report):
    states = [row.state for row in report.rows]
    facts = [('rows', len(states))] + [(word, states.count(state)) for state, word in (
        ('ok', 'ok'), ('INVALID', 'INVALID'), ('skipped', 'skipped'), ('missing', 'not reached')) if states.count(state)]
    runs = sum(len(row.runs) for row in report.rows)
    facts += [('runs', runs), ('minutes', f'{report.seconds / 60:.0f}'), ('seed', report.seed)]
    about = {**report.environment, 'cores': re.sub(r'^(\d+)', r'\1 cores', str(report.environment.get('cores', '')))}
    machine = ' · '.join(str(about[key]) for key in ('cpu', 'cores', 'kernel', 'distribution') if about.get(key))
    partial = '' if report.complete else ('<p class="warning" role="note">Partial: it was stopped before its end. What it holds is valid.'
                                          '</p>')
    return (f'<h1>Forklift benchmark <span class="about">{escape(report.preset)}</span></h1>'
            f'<p class="lead">{escape(figures.when(report.started))}{" · " + escape(machine) if machine else ""}</p>'
            f'<ul class="facts">{"".join(f"<li><b>{escape(str(value))}</b> {escape(name)}</li>" for name, value in facts)}</ul>{partial}')


def _marked(words):
    """Paths as code, ratios in bold."""
    escaped = escape(words)
    escaped = re.sub(r'\b(?:upload|download)/[\w/]*\w', lambda match: f'<code>{match.group(0)}</code>', escaped)
    return re.sub(r'\d[\d.]*(?: ± (?:&lt;)?[\d.]+)?×(?: \[[\d.–]+\])?', lambda match: f'<b>{match.group(0)}</b>', escaped)


def _verdicts(report):
    by_conclusion = {}
    for verdict in findings.in_run(report):
        by_conclusion.setdefault(verdict.conclusion, []).append(verdict)
    cards = []
    for conclusion, verdicts in by_conclusion.items():
        halves = ''.join(f'<div><span class="who">{escape(verdict.subject)}</span>{_pill(verdict.result)}<p>{_marked(verdict.because)}</p>'
                         '</div>' for verdict in verdicts)
        cards.append(f'<div class="verdict"><h3>{escape(conclusion[0].upper() + conclusion[1:])}</h3>{halves}</div>')
    about = ('<p class="about">What the article of 2022 concluded, looked at again on this machine: in CPU per request, which no cable '
             'bounds.</p>') if cards else f'<p class="about">{escape(NONE_IN_RUN)}</p>'
    return 'verdicts', 'The article’s five conclusions', about + f'<div class="verdicts">{"".join(cards)}</div>'


def _pill(result):
    css, sign = _PILLS.get(result, ('', '–'))
    return f'<span class="pill {css}">{sign} {escape(result)}</span>'


def _findings(report):
    groups = findings.grouped(report)
    if not groups:
        return 'findings', 'Findings', '<p class="about">Nothing to compare yet: a finding needs two rows that are ok.</p>'
    size, connections = figures.reference_load(report)
    about = (f'<p class="about">At {figures.size(size)} and {connections} connections. ± is half the 95 % interval; a '
             'ratio whose interval holds 1 is called no difference.</p>')
    return 'findings', 'Findings', about + ''.join(
        f'<h3 class="group">{escape(title)}</h3><ul class="findings">{"".join(f"<li>{_marked(words)}</li>" for words in said)}</ul>'
        for title, said in groups)


def _tables(report):
    article = tables.article_tables(report)
    opened = article[:1] + [table for table in article[1:] if not table.name.startswith('article-')]
    folded = [table for table in article if table not in opened]
    content = ''.join(f'<h3>{escape(table.title)}</h3>{_table(table)}' for table in opened[:1])
    content += ''.join(f'<details><summary>{escape(table.title)}</summary>{_table(table)}</details>' for table in folded)
    content += ''.join(f'<h3>{escape(table.title)}</h3>{_table(table)}' for table in opened[1:])
    content += f'<p class="note">{escape(tables.article.PAST_NOTE)}</p>' if article else ''
    found = [('article', 'The article’s tables', content or '<p class="about">None of its endpoints was measured.</p>')]
    for name, title, table in (('results', 'Every row', tables.results(report)), ('ceilings', 'Ceilings', tables.ceilings(report)),
                               ('versions', 'Versions', tables.peers(report)), ('machine', 'Machine', tables.environment(report))):
        if table:
            found.append((name, title, _table(table) + (f'<p class="note">{escape(table.note)}</p>' if table.note else '')))
    return found


def _table(table):
    head = ''.join(f'<th scope="col" class="{kind}{" wrap" if len(name) > 12 and kind != tables.TEXT else ""}">{escape(name.strip())}</th>'
                   for name, kind in table.columns)
    body = []
    for line, cells in table.lines:
        if line == tables.GROUP:
            body.append(f'<tr class="group"><th scope="rowgroup" colspan="{len(table.columns)}"><span>{escape(cells[0])}</span></th></tr>')
            continue
        body.append(f'<tr class="{line}">' + ''.join(_cell(column, cell) for column, cell in zip(table.columns, cells)) + '</tr>')
    tall = ' tall' if len(table.lines) > 40 else ''
    return (f'<div class="scroll{tall}" tabindex="0" role="region" aria-label="{escape(table.title)}"><table>'
            f'<caption hidden>{escape(table.title)}</caption><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>')


def _cell(column, cell):
    name, kind = column
    css = {'API': 'api', 'remark': 'remark', 'note': 'remark', 'notes': 'remark', 'value': 'value'}.get(name, '')
    css = ' '.join(filter(None, (kind if kind != tables.TEXT else '', css, 'state' if cell == 'INVALID' else '')))
    return f'<td class="{css}">{escape(cell)}</td>' if css else f'<td>{escape(cell)}</td>'


def _reproduce(report):
    commit = str(report.environment.get('commit', '')).split(' ')[0]
    again = report.environment.get('command', f'bench run --{report.preset}')
    again += '' if '--seed' in again else f' --seed {report.seed}'
    steps = ([f'git checkout {commit}'] if re.fullmatch('[0-9a-f]{7,40}', commit) else []) + [
        './bench/run --quick      # installs what is missing, builds', f'build/bench/{again.removeprefix("build/bench/")}',
        'build/bench/bench compare report.json results/NEW/report.json']
    content = f'<pre tabindex="0" aria-label="How to make this report again">{escape(chr(10).join(steps))}</pre>'
    if report.commands:
        content += ('<h3>How servers and clients were started</h3><pre tabindex="0" aria-label="Exact commands">'
                    + escape('\n'.join(report.commands)) + '</pre>')
    return 'reproduce', 'How to reproduce', content
