"""What a Report looks like: on a terminal, as Markdown, as CSV and as one HTML page. Made from model.Report alone."""

import os
import sys

import model
from command_line import Parser
from printable import harmless

from . import csv_file, html, markdown, readme, terminal

FORMATS = {'md': markdown.text, 'csv': csv_file.text, 'html': html.text}


def write_all(report, directory):
    """report.md, report.csv and report.html beside report.json, each whole or not at all. The first OSError, after the others were tried."""
    failed = []
    for suffix, text in FORMATS.items():
        try:
            model.write_whole(os.path.join(directory, f'report.{suffix}'), text(report))
        except OSError as error:
            failed.append(error)
    if failed:
        raise failed[0]


def main(argv):
    """`bench report`: shows a report and makes its other files again, or prints one of them."""
    parser = Parser(prog='bench report', description='Shows a report, and makes its .md, .csv and .html again.')
    parser.add_argument('report', metavar='DIR|report.json')
    parser.add_argument('--out', metavar='DIR', help='where to write (default: beside the JSON)')
    parser.add_argument('--format', choices=['terminal', *FORMATS], help='only prints it so, and writes no file')
    parser.add_argument('--readme', action='store_true', help='only prints the table of README.md: one process of each server, CPU per request')
    arguments = parser.parse_args(argv)
    path = os.path.join(arguments.report, 'report.json') if os.path.isdir(arguments.report) else arguments.report
    try:
        report = model.load(path)
        out = arguments.out or os.path.dirname(path) or '.'
        if not arguments.format and not arguments.readme:
            os.makedirs(out, exist_ok=True)
            write_all(report, out)
    except model.BadReport as error:
        print(f'bench report: {error}', file=sys.stderr)
        return 2
    except OSError as error:
        print(f'bench report: {error.filename}: {error.strerror}', file=sys.stderr)
        return 2
    if arguments.readme:
        sys.stdout.write(readme.text(harmless(report)))
    elif arguments.format in FORMATS:
        sys.stdout.write(FORMATS[arguments.format](report))
    else:
        terminal.show(report, sys.stdout)
    return 0
