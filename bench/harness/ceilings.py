"""What this machine can do at best, measured first: the floor programs, the disk, the client alone; and which rows that bounds."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import wrk
from endpoints import BY_NAME, DISCARD, FLOORS, SENDFILE, STORE
from environment import in_memory
from model import Ceiling
from stats import Estimate

NEAR = 0.9          # a row at this share of a ceiling says as much about the ceiling as about the server
BEYOND = 3.0        # times a ceiling nobody gets, however busy the machine was when one was measured and idle for the other: 2.3 were seen
CLIENT_BUSY = 0.8   # of its cores: beyond, the client holds the server up
REPEATS = 3
LOAD_S_MAX = 3.0    # of a floor program
DISK_THREADS = 16
DISK_DURABILITY = ('fdatasync', 'fsync+directory')


def floors_of(cells):
    """(floor program, size) of what these cells do, cheapest first."""
    wanted = set()
    for cell in cells:
        floor = BY_NAME[cell.endpoint].floor
        wanted |= {(floor, cell.bytes)} | ({(DISCARD, cell.bytes)} if floor == STORE else set())
    return sorted(wanted, key=lambda one: (one[1], [DISCARD, STORE, SENDFILE].index(one[0])))


def floor_ceilings(bench, program, size):
    """The program's Ceiling, and the client's where the program is the cheapest of its kind."""
    peer, payload, placement = bench.peers['floor'], bench.payload(size), bench.place('alone')
    target, loads, cpu_s = peer.target(FLOORS[program], payload), [], []
    threads = wrk.threads_for(bench.plan.connections, len(placement.client))
    seconds = min(bench.plan.seconds[0], LOAD_S_MAX)
    for _ in range(REPEATS):
        directory = bench.fresh_directory()
        server = peer.start('alone', 1, directory, payload, placement.server, 'page cache', FLOORS[program])
        try:
            first = wrk.run_wrk(server, target, bench.plan.connections, threads, min(0.3, seconds), placement.client, directory)
            server.settle()
            server.clean()
            if program == STORE and first.requests:
                seconds = min(seconds, bench.free_bytes / 4 / (size * first.requests / first.seconds))
            before = server.usage()
            loads.append(wrk.run_wrk(server, target, bench.plan.connections, threads, seconds, placement.client, directory))
            server.settle()
            cpu_s.append((server.usage() - before).cpu_s)
        finally:
            server.stop()
            bench.wipe(directory)
    bench.command(f'floor {program}', loads[-1].command, server)
    errors = sorted({word for load in loads for word in load.errors})
    found = [_ceiling(program, size, [load.requests / load.seconds for load in loads], '; '.join(errors))]
    if found[0].rate:
        found[0].cpu_us = median(used / load.requests * 1e6 for used, load in zip(cpu_s, loads))
        found[0].client_us = median(load.client_cpu_s / load.requests * 1e6 for load in loads)
    if program != STORE:
        name = 'client download' if program == SENDFILE else 'client upload'
        rates = [load.requests / load.client_cpu_s * len(placement.client) for load in loads if load.client_cpu_s]
        found.append(_ceiling(name, size, rates, f'from what wrk used for a request against {program}, on {len(placement.client)} core(s)'))
    return found


def _ceiling(name, size, rates, note=''):
    if not rates or not min(rates):
        return Ceiling(name, size, 0.0, note=note or 'no answers')
    estimate = Estimate(rates)
    return Ceiling(name, size, estimate.median, (estimate.low, estimate.high), note)


def disk_ceiling(directory, size, seconds=1.0):
    """Files a second, each written, fdatasynced and removed: the better of one thread and of many."""
    rates = {threads: _disk_rate(directory, size, seconds, threads) for threads in (1, DISK_THREADS)}
    threads = max(rates, key=rates.get)
    note = f'write, fdatasync, remove by {threads} thread(s)' + ('; tmpfs: memory, not a disk' if in_memory(directory) else '')
    return Ceiling('disk', size, rates[threads], (rates[threads], rates[threads]), note)


def _disk_rate(directory, size, seconds, threads):
    data, over, end = os.urandom(size), threading.Event(), time.monotonic() + seconds

    def work(number):
        path, done = os.path.join(directory, f'disk-{number}'), 0
        while time.monotonic() < end and not over.is_set():
            with open(path, 'wb', buffering=0) as file:
                file.write(data)
                os.fdatasync(file.fileno())
            os.unlink(path)
            done += 1
        return done

    with ThreadPoolExecutor(threads) as pool:
        workers = [pool.submit(work, number) for number in range(threads)]
        try:
            return sum(worker.result() for worker in workers) / seconds
        finally:  # an interruption, or a disk that is full: none writes on where the directory goes
            over.set()


def names_for(cell):
    """The ceilings that a cell may hit. The floor programs are one process: they say nothing of a server with more."""
    floor, one_process = BY_NAME[cell.endpoint].floor, cell.model != 'xN'
    names = ['client download'] if floor == SENDFILE else ['client upload']
    if one_process and cell.server != 'floor':
        names += [floor] + ([DISCARD] if floor == STORE else [])
    return names + (['disk'] if cell.durability in DISK_DURABILITY else [])


def beyond(run, cell, ceilings):
    """Complaints of a run that answered far more than this machine can: then they were no answers."""
    names = [name for name in names_for(cell) if name != 'disk']
    passed = [ceiling for ceiling in ceilings if ceiling.name in names and ceiling.bytes == cell.bytes and ceiling.rate
              and run.rate > BEYOND * max(ceiling.rate, *ceiling.interval)]
    return [f'{run.rate:.0f} requests/s are {run.rate / one.rate:.1f} times the ceiling {one.name}: no honest answers' for one in passed[:1]]


def bound_by(row, ceilings):
    """What bounds the row's rate: '' or a name as the report shows it."""
    if not row.good:
        return ''
    if median(run.client_busy for run in row.good) > CLIENT_BUSY:
        return 'the client'
    if row.cell.tool == 'open':  # the rate is given
        return ''
    shared, rate, names = any(run.shared_cores for run in row.good), median(run.rate for run in row.good), names_for(row.cell)
    near = [ceiling for ceiling in ceilings if ceiling.name in names and ceiling.bytes == row.cell.bytes and ceiling.rate
            and rate >= NEAR * ceiling.rate and not (shared and ceiling.name.startswith('client'))]
    if not near:
        return ''
    name = min(near, key=lambda ceiling: ceiling.rate).name
    return 'the client' if name.startswith('client') else name
