"""bench compare A.json B.json: what changed from one report to another, cell by cell.

Exit status: 0 no regression, 1 a regression (worse outside the noise, by more than --threshold percent; or a cell that was ok in A and
in B is INVALID, skipped or absent), 2 wrong usage, an unreadable report, or nothing to compare.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict, dataclass
from statistics import median
from typing import Callable

import model
import printable
from command_line import Parser, percent as percentage
from stats import IndependentRatio

COVERAGE_MIN = 0.9  # three runs against three; with fewer, noise would be taken for a difference too often

# Said in the heading, as it's what most comparisons are about; everything else that differs in the environment is a warning.
SUBJECT = ('commit',)
# Never the same twice, or without influence on the figures.
CHANGES_ALWAYS = ('load average', 'command', 'directory')


@dataclass(frozen=True)
class Metric:
    name: str              # as --metric takes it
    title: str
    unit: str
    lower_is_better: bool
    of: Callable           # Run -> figure in `unit`


METRICS = (
    Metric('cpu', 'CPU per request', 'µs', True, lambda run: run.cpu_us_per_request),
    Metric('rate', 'requests/s', '/s', False, lambda run: run.rate),
    Metric('p99', 'p99 latency', 'ms', True, lambda run: run.percentile_ms(99)),
    Metric('memory', 'memory peak', 'MiB', True, lambda run: run.memory_peak_bytes / 2 ** 20),
)

BETTER, WORSE, SAME, NOT_COMPARABLE = 'better', 'worse', '≈', 'not comparable'


@dataclass
class Comparison:
    """One metric of one cell in both reports; ratio is B to A, low and high its 95 % interval."""
    cell: model.Cell
    metric: Metric
    verdict: str
    why: str = ''          # of 'not comparable'; otherwise what to bear in mind
    a: float = 0.0         # medians
    b: float = 0.0
    ratio: float = 0.0
    low: float = 0.0
    high: float = 0.0
    regression: bool = False
    mended: bool = False   # INVALID in A and ok in B
    chance: float = 0.0    # that the interval misses the truth: its coverage is 1 less this

    def to_json(self):
        figures = {key: value for key, value in vars(self).items() if key not in ('cell', 'metric')}
        return {'cell': asdict(self.cell), 'metric': self.metric.name, 'unit': self.metric.unit, **figures}


def compare(before, after, metrics=METRICS, threshold=5.0, allow_missing=False):
    """The Comparisons of all cells of two reports, in the order of the first; threshold in percent. allow_missing: B may have fewer."""
    rows_a, rows_b = ({row.cell: row for row in report.rows} for report in (before, after))
    cells = list(rows_a) + [cell for cell in rows_b if cell not in rows_a]
    return [judge(cell, metric, rows_a.get(cell), rows_b.get(cell), threshold, allow_missing) for cell in cells for metric in metrics]


def judge(cell, metric, row_a, row_b, threshold, allow_missing=False):
    """The Comparison of one metric; a row is None where its report has no such cell."""
    why = why_not(cell, metric, row_a, row_b)
    if why:
        return Comparison(cell, metric, NOT_COMPARABLE, why, regression=broke(row_a, row_b, allow_missing), mended=mended(row_a, row_b))
    values_a, values_b = ([metric.of(run) for run in row.good] for row in (row_a, row_b))
    if min(values_a + values_b) <= 0:
        return Comparison(cell, metric, NOT_COMPARABLE, 'a run without this figure')
    found = IndependentRatio(values_b, values_a)
    if found.coverage < COVERAGE_MIN - 1e-9:
        return Comparison(cell, metric, NOT_COMPARABLE, f'too few runs to tell from noise ({len(values_a)} and {len(values_b)})')
    result = Comparison(cell, metric, SAME, caveat(row_a, row_b, found), median(values_a), median(values_b), found.median, found.low,
                        found.high, chance=1 - found.coverage)
    if not found.low <= 1 <= found.high:
        worse = (found.median > 1) == metric.lower_is_better
        result.verdict = WORSE if worse else BETTER
        result.regression = worse and abs(found.median - 1) * 100 > threshold
    return result


def why_not(cell, metric, row_a, row_b):
    """Why the figures of two rows say nothing about each other, or ''."""
    for name, row in (('A', row_a), ('B', row_b)):
        if row is None:
            return f'not in {name}'
        if row.state != 'ok':
            reasons = [row.skipped] if row.skipped else [reason for run in row.runs for reason in run.invalid]
            return f'{row.state} in {name}' + (f': {reasons[0]}' if reasons else '')
        if metric.name == 'rate' and row.bound_by:
            return f'bound by {row.bound_by} in {name}'
    if metric.name == 'rate' and cell.tool == 'open':
        return 'the rate was given'
    if shares_cores(row_a) != shares_cores(row_b):
        return 'server and client shared cores in one of the two'
    return ''


def broke(row_a, row_b, allow_missing):
    """Whether a cell that was ok is not any more."""
    if row_a is None or row_a.state != 'ok':
        return False
    if row_b is not None and row_b.state in ('ok', 'INVALID'):
        return row_b.state == 'INVALID'
    return not allow_missing


def mended(row_a, row_b):
    return bool(row_a and row_b) and (row_a.state, row_b.state) == ('INVALID', 'ok')


def shares_cores(row):
    return any(run.shared_cores for run in row.good)


def caveat(row_a, row_b, found):
    strategies = [' and '.join(sorted({run.strategy for run in row.good})) for row in (row_a, row_b)]
    if strategies[0] != strategies[1]:
        return f'strategy {strategies[0] or "unknown"}, then {strategies[1] or "unknown"}'
    return '' if found.coverage >= 0.95 else f'few runs: a {found.coverage:.0%} interval'


def warnings(before, after):
    """What differs between two reports and may be the reason why their figures do."""
    found = []
    for key in list(dict.fromkeys([*before.environment, *after.environment])):
        was, is_now = (report.environment.get(key, 'not said') for report in (before, after))
        if was != is_now and key.lower() not in SUBJECT + CHANGES_ALWAYS:
            found.append(f'{key} differs: {was} in A, {is_now} in B')
    for server in sorted(set(before.peers) & set(after.peers)):
        was, is_now = (report.peers[server].get('version', '') for report in (before, after))
        if was != is_now:
            found.append(f'{server} differs: {was} in A, {is_now} in B')
    found += [f'{name} is partial: it was stopped before the end' for name, report in (('A', before), ('B', after)) if not report.complete]
    return found


def headline(name, path, report):
    commit = next((f', commit {value}' for key, value in report.environment.items() if key.lower() in SUBJECT), '')
    return f'{name}: {path} ({report.preset}, {report.started}{commit})'


def summary(comparisons, threshold):
    """Lines that say how it went."""
    judged = [each for each in comparisons if each.verdict != NOT_COMPARABLE]
    count = {verdict: sum(each.verdict == verdict for each in comparisons) for verdict in (BETTER, WORSE, SAME, NOT_COMPARABLE)}
    lines = [', '.join(f'{number} {verdict}' for verdict, number in count.items())]
    if len(judged) >= 20:
        lines.append(f'Were A and B the same, chance alone would take about {sum(each.chance for each in judged):.0f} of these {len(judged)} '
                     'comparisons out of the noise, and what differs between two sessions some more.')
    lines += [f'MENDED {key}: {why}, ok in B' for key, why in unmeasured(comparisons, lambda each: each.mended).items()]
    broken = unmeasured(comparisons, lambda each: each.regression)
    lines += [f'REGRESSION {key}: ok in A, {why}' for key, why in broken.items()]
    if any(not why.startswith('INVALID') for why in broken.values()):
        lines.append('(--allow-missing: B may have fewer cells than A.)')
    lines += [f'REGRESSION {each.cell.key}: {each.metric.title} {percent(each.ratio)} ({percent(each.low)} to {percent(each.high)})'
              for each in comparisons if each.regression and each.verdict == WORSE]
    if not judged and not broken:
        lines.append('Nothing could be compared.')
    elif not any(each.regression for each in comparisons):
        lines.append(f'No regression of more than {threshold:g} % outside the noise.')
    return lines


def unmeasured(comparisons, wanted):
    """key → why, of the cells that could not be compared, each once."""
    return {each.cell.key: each.why for each in comparisons if each.verdict == NOT_COMPARABLE and wanted(each)}


def percent(ratio):
    return f'{(ratio - 1) * 100:+.1f} %'


def exit_status(comparisons):
    if any(each.regression for each in comparisons):
        return 1
    return 0 if any(each.verdict != NOT_COMPARABLE for each in comparisons) else 2


def figures(each):
    """(A → B, ratio with interval) of a Comparison, as text."""
    if each.verdict == NOT_COMPARABLE:
        return '', ''
    return (f'{each.a:.4g} → {each.b:.4g} {each.metric.unit}', f'{each.ratio:.3f}× ({each.low:.3f}–{each.high:.3f})')


COLOURS = {BETTER: '32', WORSE: '33', SAME: '90', NOT_COMPARABLE: '90'}


def text(heads, warned, comparisons, threshold, colour):
    """For a terminal."""
    def paint(code, words):
        return f'\033[{code}m{words}\033[0m' if colour else words
    lines = heads + [paint('33', f'warning: {line}') for line in warned]
    cell = None
    for each in comparisons:
        if each.cell != cell:
            cell = each.cell
            lines += ['', paint('1', cell.key)]
        values, ratio = figures(each)
        verdict = paint('1;31' if each.regression else COLOURS[each.verdict], each.verdict) + (f' ({each.why})' if each.why else '')
        lines.append(f'  {each.metric.title:<16} {values:>26}  {ratio:<22} {verdict}' if values else f'  {each.metric.title:<16} {verdict}')
    lines.append('')
    return '\n'.join(lines + [paint('1;31', line) if line.startswith('REGRESSION') else line for line in summary(comparisons, threshold)])


def markdown(heads, warned, comparisons, threshold):
    """For a pull request."""
    lines = [f'- {line}' for line in heads] + [f'- warning: {line}' for line in warned]
    lines += ['', '| cell | metric | A → B | B/A (95 %) | verdict |', '|---|---|--:|--:|---|']
    for each in comparisons:
        verdict = (f'**{each.verdict}**' if each.regression else each.verdict) + (f' ({each.why})' if each.why else '')
        columns = (each.cell.key, each.metric.title, *figures(each), verdict)
        lines.append('| ' + ' | '.join(column.replace('|', '\\|').replace('\n', ' ') for column in columns) + ' |')
    return '\n'.join(lines + ['', *(f'{line}  ' for line in summary(comparisons, threshold))])


def as_json(heads, warned, comparisons, threshold):
    return json.dumps({'reports': heads, 'warnings': warned, 'threshold_percent': threshold, 'summary': summary(comparisons, threshold),
                       'exit_status': exit_status(comparisons), 'comparisons': [each.to_json() for each in comparisons]}, indent=1)


def chosen_metrics(names):
    """The Metrics of 'cpu,p99'."""
    known = {metric.name: metric for metric in METRICS}
    unknown = [name for name in names.split(',') if name not in known]
    if unknown:
        raise argparse.ArgumentTypeError(f'no metric {unknown[0]!r}: choose from {",".join(known)}')
    return tuple(known[name] for name in names.split(','))


def parse(argv):
    parser = Parser(prog='bench compare', description=__doc__)
    parser.add_argument('before', metavar='A.json', help='the report to compare with, or its folder')
    parser.add_argument('after', metavar='B.json')
    parser.add_argument('--metric', type=chosen_metrics, default=METRICS, metavar='NAME,...',
                        help='of cpu,rate,p99,memory (default: all): only these are shown and judged')
    parser.add_argument('--threshold', type=percentage, default=5.0, metavar='PERCENT', help='how much worse is a regression (default: 5)')
    parser.add_argument('--allow-missing', action='store_true',
                        help='B may have fewer cells than A: skipped, not reached or not in it at all is no regression (INVALID is)')
    parser.add_argument('--format', choices=('text', 'markdown', 'json'), default='text')
    return parser.parse_args(argv)


def load(path):
    return printable.harmless(model.load(os.path.join(path, 'report.json') if os.path.isdir(path) else path))


def main(argv):
    try:
        arguments = parse(argv)
        before, after = load(arguments.before), load(arguments.after)
    except SystemExit as end:
        return end.code
    except model.BadReport as bad:
        print(f'bench compare: {bad}', file=sys.stderr)
        return 2
    heads = [headline('A', arguments.before, before), headline('B', arguments.after, after)]
    comparisons = compare(before, after, arguments.metric, arguments.threshold, arguments.allow_missing)
    shown = heads, warnings(before, after), comparisons, arguments.threshold
    if arguments.format == 'text':
        print(text(*shown, colour=sys.stdout.isatty() and not os.environ.get('NO_COLOR')))
    else:
        print({'markdown': markdown, 'json': as_json}[arguments.format](*shown))
    return exit_status(comparisons)
