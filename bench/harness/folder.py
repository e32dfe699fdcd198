"""A report's folder: report.json, and what is made from it for people. `bench report` makes it again."""

import argparse
import importlib
import importlib.util
import os
import sys

import model

FILES = {'report.md': 'report.markdown', 'report.csv': 'report.csv_file', 'report.html': 'report.html'}


def _text_of(module, report):
    return importlib.import_module(module).text(report)


def write(report, out):
    """Everything but the JSON."""
    for name, module in FILES.items():
        if not importlib.util.find_spec('report'):
            return
        with open(os.path.join(out, name + '.new'), 'w', encoding='utf-8', newline='') as file:
            file.write(_text_of(module, report))
        os.replace(os.path.join(out, name + '.new'), os.path.join(out, name))


def show(report, stream=None):
    stream = stream or sys.stdout
    if not importlib.util.find_spec('report'):
        for row in report.rows:
            print(row.cell.key, row.state, row.bound_by, row.skipped, *(f'{run.rate:.0f}/s {run.cpu_us_per_request:.1f}us m{run.machine_us_per_request:.1f}us busy {run.client_busy:.2f} L {run.concurrency:.0f} {run.memory_peak_bytes>>20}M {run.connections_per_worker} {run.context_switches} {run.strategy} {run.notes}' for run in row.runs), sep=' | ')
        return
    colour = stream.isatty() and not os.environ.get('NO_COLOR')
    importlib.import_module('report.terminal').show(report, stream, colour)


def main(arguments):
    """`bench report`: 0, or 2 when there is no report."""
    parser = argparse.ArgumentParser(prog='bench report', description='Shows a report, and writes its Markdown, CSV and HTML again.')
    parser.add_argument('path', metavar='DIR|report.json')
    parser.add_argument('--out', metavar='DIR', help='where to write (default: beside the JSON)')
    options = parser.parse_args(arguments)
    path = os.path.join(options.path, 'report.json') if os.path.isdir(options.path) else options.path
    try:
        report = model.load(path)
        out = options.out or os.path.dirname(path) or '.'
        os.makedirs(out, exist_ok=True)
        write(report, out)
    except (model.BadReport, OSError) as error:
        print(f'bench report: {error}', file=sys.stderr)
        return 2
    show(report)
    return 0
