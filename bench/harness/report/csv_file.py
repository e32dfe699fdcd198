"""The report as CSV: one line a run, and one a row with medians and their intervals."""

import csv
import io
from dataclasses import asdict, fields

from model import Cell
from printable import harmless

from . import figures

_CELL = [field.name for field in fields(Cell)]
_METRICS = list(figures.METRICS)
_HEADER = (['kind', 'run', 'state', 'bound_by'] + _CELL + ['requests', 'seconds'] + _METRICS
           + [f'{metric}_{end}' for metric in _METRICS for end in ('low', 'high')] + ['shared_cores', 'strategy', 'reason', 'notes'])


def text(report):
    """kind: 'run' for each run, valid or not; 'median' for each row that is ok; 'none' for a row without any run."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _HEADER, restval='', lineterminator='\n')
    writer.writeheader()
    for row in harmless(report).rows:
        about = {'state': row.state, 'bound_by': row.bound_by, **asdict(row.cell)}
        writer.writerows({**about, **_run(row, index, run)} for index, run in enumerate(row.runs, 1))
        if row.state == 'ok':
            writer.writerow({**about, **_medians(row)})
        elif not row.runs:
            writer.writerow({**about, 'kind': 'none', 'reason': figures.reason(row)})
    return out.getvalue()


def _run(row, index, run):
    return {'kind': 'run', 'run': index, 'state': 'ok' if run.valid else 'INVALID', 'requests': run.requests,
            'seconds': f'{run.seconds:.6g}', **{metric: f'{figures.METRICS[metric](run, row.cell):.6g}' for metric in _METRICS},
            'shared_cores': int(run.shared_cores), 'strategy': run.strategy, 'reason': '; '.join(run.invalid),
            'notes': '; '.join(run.notes)}


def _medians(row):
    line = {'kind': 'median'}
    for metric in _METRICS:
        found = figures.estimate(row, metric)
        line |= {metric: f'{found.median:.6g}', f'{metric}_low': f'{found.low:.6g}', f'{metric}_high': f'{found.high:.6g}'}
    return line
