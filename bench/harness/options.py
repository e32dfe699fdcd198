"""The options of `bench run`."""

import argparse
import os

import cores
from command_line import amount, count, number, whole
from plan import DURABILITY, PRESETS
from model import MODELS
from wrk import BODY_BYTES_MAX

UNITS = {'k': 1 << 10, 'm': 1 << 20, 'g': 1 << 30, 't': 1 << 40}


def size(text):
    """'262144', '256k', '1M' in bytes."""
    unit = UNITS.get(text[-1:].lower(), 1)
    return number(text, lambda text: int(text[:-1] if unit > 1 else text) * unit, lambda value: value >= 1,
                  f'size such as 65536, 64k or 1M, of at most {BODY_BYTES_MAX >> 20}M')


def cpus(text):
    try:
        return cores.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def existing_directory(text):
    if not os.path.isdir(text) or not os.access(text, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f'{text!r} is no directory that can be written to')
    return os.path.abspath(text)


def add(parser, build):
    """Puts the options on the parser of `run`."""
    presets = parser.add_argument_group('presets (default --quick)').add_mutually_exclusive_group()
    for name, preset in PRESETS.items():
        presets.add_argument(f'--{name}', dest='preset', action='store_const', const=name, help=preset.about)
    parser.set_defaults(preset='quick')
    _add_choice(parser.add_argument_group('what is measured'))
    _add_load(parser.add_argument_group('how'))
    where = parser.add_argument_group('where')
    where.add_argument('--dir', type=existing_directory, default='/dev/shm', help='the servers\' files go below it (default /dev/shm: memory)')
    where.add_argument('--out', metavar='DIR', help='the report: a folder that is empty or not there (default results/PRESET-TIME)')
    where.add_argument('--force', action='store_true', help='--out may hold a report, which is replaced')
    where.add_argument('--build', default=build, required=not build, help='build directory' + (f' (default {build})' if build else ''))
    where.add_argument('--server-cpus', type=cpus, default=(), metavar='LIST', help='CPUs of the server, such as 0-3')
    where.add_argument('--client-cpus', type=cpus, default=(), metavar='LIST', help='CPUs of the client')
    where.add_argument('--quiet', action='store_true', help='no progress')


def _add_choice(group):
    group.add_argument('--servers', nargs='+', metavar='NAME', help='forklift, uvicorn, gunicorn, nginx, lighttpd, h2o, caddy, floor ...')
    group.add_argument('--endpoints', nargs='+', metavar='NAME', help='names or their ends: disk_write, single/sync, download/file, PUT, all')
    group.add_argument('--models', nargs='+', choices=MODELS, help='process models: no master, a master over one worker, over N')
    group.add_argument('--sizes', nargs='+', type=size, metavar='BYTES', help='sizes of the file, such as 1k 256k 1M')
    group.add_argument('--connections', nargs='+', type=count, metavar='N', help='connections of the client')
    group.add_argument('--durability', nargs='+', choices=DURABILITY, help='how far Forklift goes before it answers')
    group.add_argument('--workers', type=count, metavar='N', help='workers of xN (default one for each core the client leaves)')
    group.add_argument('--cross', action='store_true', help='with --full: every combination instead of one thing at a time (days)')
    group.add_argument('--peer-dir', action='append', default=[], metavar='DIR', help='a server of your own (docs/benchmark.md)')
    group.add_argument('--forklift-option', action='append', default=[], metavar='OPTION',
                       help='one more for master and worker, such as --forklift-option=--base64=libb64')


def _add_load(group):
    group.add_argument('--repeats', type=count, metavar='N', help='runs of each cell')
    group.add_argument('--seconds', type=amount, metavar='S', help='length of each load, instead of what the floor allows')
    group.add_argument('--threads', type=count, metavar='N', help="wrk's threads; must divide the connections (default: the client's cores)")
    group.add_argument('--open', nargs='*', type=amount, metavar='PERCENT',
                       help='then open loop as well, for percentiles: at so many percent of what the slowest server of an upload or download '
                            'can do (default 50 70 90)')
    group.add_argument('--rates', nargs='+', type=amount, metavar='RATE', help='open loop as well, at so many requests a second')
    group.add_argument('--seed', type=whole, help='of the order of the runs (default random; it is in the report)')


def finish(options):
    """What argparse can't say by itself."""
    if options.open is not None and not options.open:
        options.open = [50.0, 70.0, 90.0]
    return options
