"""`bench run`: from the command line to a folder with a report."""

import os
import random
import shlex
import shutil
import signal
import sys
import time
from datetime import datetime, timezone

import cores
import environment
import folder
import options as run_options
import plan as plans
import printable
import report as reports
import timetable
from command_line import USAGE, Parser
from load import LoadError
from model import MODELS, Report
from progress import Progress, duration_text
from runner import Bench, Saver, too_large
from servers import ServerError, catalogue

OK, FAILED, BROKEN = 0, 1, 3
ROOM_BYTES_MIN = 512 << 20
FULL_BYTES = 1 << 20


class Stopped(KeyboardInterrupt):
    """By a signal; status: what the shell is told."""

    def __init__(self, number):
        super().__init__()
        self.status = 128 + number


def stop_on_signals():
    """^C and TERM end a run in order, even where the shell had a job in the background ignore them."""
    def stop(number, _frame):
        ignore_signals()  # a second ^C would cut short the ending of the servers
        raise Stopped(number)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def ignore_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def main(arguments, build, command=None):
    """The exit status: see --help; 128 + signal when interrupted."""
    parser = Parser(prog='bench run', description=__doc__ + '\n\nExit status: 0 all cells valid or skipped, 1 a cell is INVALID, '
                    '2 wrong usage or nothing that can be measured,\n3 the system failed it, such as by a full disk, 130 interrupted '
                    '(the report so far is kept).')
    run_options.add(parser, build)
    options = run_options.finish(parser.parse_args(arguments))
    try:
        options.build = os.path.abspath(options.build)
        peers = catalogue(options.build, options.peer_dir, options.forklift_option)
        plan = plans.make(options, peers, cores.usable())
        check_tools(options, plan)
        check_any(plan, peers)
    except (plans.UsageError, ServerError) as error:
        print(f'bench run: {error}', file=sys.stderr)
        return USAGE
    return run(options, plan, peers, command or ['bench', 'run', *arguments])


def check_tools(options, plan):
    if not environment.program('wrk'):
        raise plans.UsageError('wrk is not installed (.ci/install bench)')
    needed = max(ROOM_BYTES_MIN, 4 * max(cell.bytes * cell.connections for cell in plan.cells))
    if shutil.disk_usage(options.dir).free < needed:
        raise plans.UsageError(f'{options.dir} has less than {needed >> 20} MiB free; name another directory (--dir)')
    binary = os.path.join(options.build, 'bench', 'open_loop')
    if (plan.open_percent or any(cell.tool == 'open' for cell in plan.cells)) and not os.access(binary, os.X_OK):
        raise plans.UsageError(f'open loop needs {binary}, which is not built')


def check_any(plan, peers):
    """Nothing is begun where every cell would be skipped."""
    reasons = [peers[cell.server].missing() or too_large(cell) for cell in plan.cells]
    if all(reasons):
        raise plans.UsageError(f'nothing can be measured: {"; ".join(dict.fromkeys(reasons))}')


def new_report(options, plan, peers, command):
    report = Report(plan.preset, datetime.now(timezone.utc).isoformat(timespec='seconds'))
    report.seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(31)
    report.environment = environment.describe(options, command)
    for model in MODELS:
        if any(cell.model == model for cell in plan.cells):
            placement = cores.place(model, cores.usable(), options.server_cpus, options.client_cpus)
            report.environment[f'pinning {model}'] = str(placement)
    report.environment['runs'] = (f'{plan.repeats} of each cell, by turns in random order; warm-up {plan.warm_up_s:g} s; '
                                  f'load {plan.seconds[0]:g} to {plan.seconds[1]:g} s')
    report.environment['warning'] = environment.busy_warning()
    report.environment = {name: text for name, text in report.environment.items() if text}
    for name in dict.fromkeys(cell.server for cell in plan.cells):
        missing = peers[name].missing()
        report.peers[name] = {'version': missing or peers[name].version(), 'notes': list(peers[name].notes)}
    return report


def run(options, plan, peers, command):
    started = time.monotonic()
    out = options.out or os.path.join('results', f'{plan.preset}-{datetime.now(timezone.utc):%Y%m%d-%H%M%S}')
    try:
        folder.prepare(out, options.force, folder.room_for(plan))
    except folder.FolderError as error:
        print(f'bench run: {error}', file=sys.stderr)
        return USAGE
    report = new_report(options, plan, peers, command)
    progress = Progress(timetable.BEGIN_S + timetable.TOUCH_S, quiet=options.quiet)
    for warning in warnings(options, plan, report):
        progress.note(warning)
    saver, status = Saver(os.path.join(out, 'report.json'), started, progress.note), OK
    stop_on_signals()
    bench = Bench(options, plan, peers, report, progress, saver)
    try:
        progress.note(f'{len(plan.cells)} cells, {plan.repeats} times each, about {duration_text(timetable.whole_s(plan))}; '
                      f'seed {report.seed}; report in {out}/')
        bench.run()
    except Stopped as stopped:
        status = stopped.status
    except (OSError, LoadError, ServerError) as error:  # no room in --dir, no more processes
        full = shutil.disk_usage(options.dir).free < FULL_BYTES
        print(f'bench run: {printable.line(str(error))}{f"; {options.dir} is full" if full else ""}', file=sys.stderr)
        status = BROKEN
    finally:
        ignore_signals()
        bench.close()
        saver.now(report)
    return finish(report, out, status)


def warnings(options, plan, report):
    if report.environment.get('warning'):
        yield report.environment['warning']
    durable = any(cell.durability in ('fdatasync', 'fsync+directory') for cell in plan.cells)
    if durable and environment.in_memory(options.dir):
        yield f'{options.dir} is memory: fdatasync costs nothing there; --dir names a directory on a disk'
    if 'Release' not in report.environment['build'] or 'SANITIZED' in report.environment['build']:
        yield f'figures of this build mean little: {report.environment["build"]}'


def finish(report, out, status):
    """Writes and shows the report; the exit status."""
    unwritten = folder.keep(report, out)
    reports.terminal.show(report, sys.stdout)
    sys.stdout.flush()
    for words in unwritten:
        print(f'bench run: {words}', file=sys.stderr)
    if unwritten:
        return BROKEN
    if status != OK:
        how = 'failed' if status == BROKEN else 'interrupted'
        print(f'\nbench: {how} after {duration_text(report.seconds)}; what was measured is in {out}/ '
              f'(bench report {shlex.quote(out)} shows it)', file=sys.stderr)
        return status
    print(f'\nbench: {duration_text(report.seconds)}; report in {out}/', file=sys.stderr)
    states = {row.state for row in report.rows}
    if states == {'skipped'}:
        print(f'bench run: nothing was measured: {"; ".join(dict.fromkeys(printable.line(row.skipped) for row in report.rows))}', file=sys.stderr)
        return USAGE
    invalid = [row for row in report.rows if row.state == 'INVALID']
    if invalid:
        print(f'bench: {len(invalid)} cells are INVALID', file=sys.stderr)
    return FAILED if invalid else OK
