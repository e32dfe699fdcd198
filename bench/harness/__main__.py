"""Measures file upload and download, and compares what was measured.

  bench run [--quick | --article | --full] ...   measures; writes a folder with report.json, .md, .csv and .html
  bench report DIR|report.json                   shows a report, and writes its other files again
  bench compare A.json B.json                    what changed from A to B; exit status 1: a regression outside the noise
  bench postdata make FILE OUT                   a form-data body like the article's, for wrk

Each has --help.
"""

import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)  # until main() can end in order

import argparse  # noqa: E402
import importlib  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402

sys.dont_write_bytecode = True

from command_line import Parser  # noqa: E402

COMMANDS = {'run': 'run_command', 'report': 'report', 'compare': 'compare', 'postdata': 'postdata'}


def main(arguments):
    parser = Parser(prog='bench', description=__doc__)
    parser.add_argument('--build', default='', help=argparse.SUPPRESS)  # the launcher in the build directory gives it
    parser.add_argument('command', nargs='?', metavar='|'.join(COMMANDS))
    parser.add_argument('arguments', nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.command not in COMMANDS:
        parser.error((f'no command {options.command!r}' if options.command else 'name a command') + f': {", ".join(COMMANDS)}')
    command = importlib.import_module(COMMANDS[options.command])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if options.command == 'run':
        return command.main(options.arguments, options.build)
    return command.main(options.arguments)


if __name__ == '__main__':
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
        sys.exit(status)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # `bench report DIR | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:  # such as a full disk below the output; not 1, which says something of what was measured
        print(f'bench: {error.filename or "the output"}: {error.strerror}', file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(3)
