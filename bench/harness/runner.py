"""Runs a plan: ceilings first, then every cell so many times by turns, into a report that is valid at every moment."""

import os
import random
import re
import shutil
import signal
import tempfile
import time

import ceilings
import cores
import environment
import printable
import timetable
from accounting import descendants, send, start_ticks
from endpoints import BY_NAME, Payload
from measure import Skip, invalid_run, measure
from model import Row
from plan import open_cells

STORED_BYTES_MAX = 6 << 30  # of one run
ANSWERS_MIN = 3             # of each connection
IN_FLIGHT_SHARE = 4         # of the memory, at most one part in so many may be in flight
ENDED_WITHIN_S = 10
STARTS_MAX = 2              # a server that did not come up so often is not tried again


class Bench:
    """options: as options.py has them. save: called with the report whenever there is more of it."""

    def __init__(self, options, plan, peers, report, progress, save):
        self.options, self.plan, self.peers, self.report = options, plan, peers, report
        self.progress, self.save = progress, save
        self.random = random.Random(report.seed)
        self.cpus, self.payloads, self.failed_starts = cores.usable(), {}, {}
        self.top = tempfile.mkdtemp(prefix='forklift-bench-', dir=options.dir)
        os.chmod(self.top, 0o755)  # servers may give up being root
        self.free_bytes, self.in_memory = shutil.disk_usage(self.top).free, environment.in_memory(self.top)

    def close(self):
        self.progress.close()
        end_children()
        shutil.rmtree(self.top, ignore_errors=True)

    # What a run needs of the bench.

    def place(self, model):
        return cores.place(model, self.cpus, self.options.server_cpus, self.options.client_cpus)

    def payload(self, size):
        if size not in self.payloads:
            directory = os.path.join(self.top, f'payload-{size}')
            os.mkdir(directory)
            self.payloads[size] = Payload(directory, size)
        return self.payloads[size]

    def fresh_directory(self):
        directory = tempfile.mkdtemp(prefix='run-', dir=self.top)
        os.chmod(directory, 0o755)
        return directory

    def wipe(self, directory):
        shutil.rmtree(directory, ignore_errors=True)
        if not self.in_memory:
            os.sync()  # else the next run pays for what this one left to the disk

    def command(self, who, client, server):
        """Remembers how it was done, once for each sort; what differs from run to run is named."""
        def general(text):
            for one, name in ((server.root, 'ROOT'), (os.path.dirname(server.root), 'DIRECTORY'), (self.top, 'TOP'),
                              (self.options.build, 'BUILD'), (environment.TOP, '.'), (str(server.port), 'PORT')):
                text = text.replace(one, name)
            return re.sub(r'LOAD_UNIQUE=\S+', 'LOAD_UNIQUE=WORD', text)
        for line in (f'{who}: {general(" ".join(server.command))}', f'client: {general(client)}'):
            if line not in self.report.commands:
                self.report.commands.append(line)

    # The plan.

    def run(self):
        """All of it. An interruption leaves the report with what was measured."""
        missing = {name: self.peers[name].missing() for name in {cell.server for cell in self.plan.cells}}
        self.report.rows += [Row(cell, skipped=missing[cell.server] or too_large(cell)) for cell in self.plan.cells]
        guess = self._expect(self.report.rows)
        self._touch_memory()
        self._ceilings()
        self.progress.more(-guess)  # only now it's known how long the loads are
        self._expect(self.report.rows)
        self._rounds(self.report.rows)
        if self.plan.open_percent:
            rows = [Row(cell) for cell in open_cells(self.report.rows, self.plan.open_percent)]
            self.report.rows += rows
            self._expect(rows)
            self._rounds(rows)
        self.report.complete = True

    def _cost(self, cell):
        return timetable.run_s(self.plan, self.seconds_of(cell))

    def _expect(self, rows):
        """Tells the progress what these rows will take, in seconds, and the caller."""
        expected_s = sum(self._cost(row.cell) for row in rows if not row.skipped) * self.plan.repeats
        self.progress.more(expected_s)
        return expected_s

    def _touch_memory(self):
        """Has a file system in memory use as much as a run will, once: a virtual machine pays dearly for the first touch."""
        if not self.in_memory or self.plan.seconds[1] < 1:
            return
        self.progress.step('touching memory', timetable.TOUCH_S)
        path, block = os.path.join(self.top, 'touch'), bytes(1 << 20)
        with open(path, 'wb') as file:
            for _ in range(min(STORED_BYTES_MAX, self.free_bytes // 4) >> 20):
                file.write(block)
        os.unlink(path)

    def _ceilings(self):
        cells = [row.cell for row in self.report.rows if not row.skipped]
        if self.peers['floor'].missing():
            self.progress.note(f'no ceilings: {self.peers["floor"].missing()}')
            return
        self.progress.more(timetable.ceilings_s(self.plan, cells))
        for size in sorted({cell.bytes for cell in cells}):
            self.progress.step('ceiling: the disk', timetable.DISK_S)
            self.report.ceilings.append(ceilings.disk_ceiling(self.top, size, min(1.0, self.plan.seconds[0])))
        for program, size in ceilings.floors_of(cells):
            self.progress.step(f'ceiling: {program}, {size} bytes', timetable.floor_s(self.plan))
            self.report.ceilings += ceilings.floor_ceilings(self, program, size)
            self.save(self.report)

    def seconds_of(self, cell):
        """Length of a load: what fills STORED_BYTES_MAX at the floor's rate, within the plan's bounds and the directory's room; but long
        enough for some answers on each connection, unless the user has said how long.
        """
        shortest, longest = self.plan.seconds
        endpoint = BY_NAME[cell.endpoint]
        rate = next((ceiling.rate for ceiling in self.report.ceilings if (ceiling.name, ceiling.bytes) == (endpoint.floor, cell.bytes)), 0)
        if not rate:
            return longest
        seconds = min(longest, max(shortest, STORED_BYTES_MAX / (rate * cell.bytes)))
        if not self.options.seconds:
            seconds = max(seconds, ANSWERS_MIN * cell.connections / rate)
        processes = max(1, cell.workers if cell.model == 'xN' else 1)
        room = self.free_bytes / 2 / (rate * processes * max(cell.bytes, 4096))
        return max(0.1, min(seconds, room)) if endpoint.keeps else seconds

    def _rounds(self, rows):
        """Every row so many times. In each round the loads come in random order, the servers of one load after each other."""
        for number in range(self.plan.repeats):
            for row in self._shuffled([row for row in rows if not row.skipped]):
                self._one(row, f'{number + 1}/{self.plan.repeats}', self.plan.repeats - number - 1)

    def _shuffled(self, rows):
        groups = {}
        for row in rows:
            cell = row.cell
            groups.setdefault((cell.endpoint, cell.bytes, cell.connections, cell.durability, cell.tool, cell.rate), []).append(row)
        order = list(groups.values())
        self.random.shuffle(order)
        for group in order:
            self.random.shuffle(group)
            yield from group

    def _one(self, row, number, left):
        """left: how many runs of the row come after this one."""
        cell, seconds = row.cell, self.seconds_of(row.cell)
        self.progress.step(f'{number} {cell.key}', self._cost(cell))
        who = (cell.server, cell.model, cell.workers)
        if self.failed_starts.get(who, 0) >= STARTS_MAX:
            row.runs.append(invalid_run([f'not tried again: did not start {STARTS_MAX} times'], self.place(cell.model)))
            return
        try:
            run = measure(self, cell, seconds)
        except Skip as reason:
            row.skipped, row.runs = str(reason), []
            self.progress.more(-self._cost(cell) * left)
            self.progress.note(f'{cell.key}: skipped, {printable.line(str(reason))}')
            return
        run.invalid += ceilings.beyond(run, cell, self.report.ceilings)
        if run.invalid:
            self.progress.note(f'{cell.key}: INVALID, {printable.line(run.invalid[0].splitlines()[0])[:200]}')
            if 'did not start' in run.invalid[0]:
                self.failed_starts[who] = self.failed_starts.get(who, 0) + 1
        if seconds < self.plan.seconds[0]:
            run.notes.append(f'only {seconds:.1f} s: more would not fit into {self.options.dir}')
        row.runs.append(run)
        row.bound_by = ceilings.bound_by(row, self.report.ceilings)
        self.save(self.report)


def end_children():
    """Ends whatever descends from this process: a signal in the midst of starting a server leaves one that nobody knows of."""
    left = descendants(os.getpid())[1:]
    send(left, signal.SIGKILL)
    deadline = time.monotonic() + ENDED_WITHIN_S
    while time.monotonic() < deadline and any(start_ticks(pid) is not None for pid in left):
        time.sleep(0.01)


def too_large(cell):
    """'' or why a cell is not measured: servers, sockets and wrk may each hold what is in flight."""
    flight, memory = cell.bytes * cell.connections, environment.memory_bytes()
    if flight <= memory / IN_FLIGHT_SHARE:
        return ''
    return f'{flight / 2 ** 30:.1f} GiB in flight are too much for {memory / 2 ** 30:.1f} GiB of memory'


class Saver:
    """Keeps the report's file up to date, without spending more than a twentieth of the time on it. complain: told once why it can't."""

    SHARE = 20

    def __init__(self, path, started, complain):
        self.path, self.started, self.complain, self.next = path, started, complain, 0.0

    def __call__(self, report):
        if time.monotonic() >= self.next:
            self.now(report)

    def now(self, report):
        begun = time.monotonic()
        report.seconds = begun - self.started
        try:
            report.save(self.path)
        except OSError as error:  # there may be room again at the end
            if self.complain:
                self.complain(f'{error.filename}: {error.strerror}; it is tried again until the end')
            self.complain = None
        over = time.monotonic()
        self.next = over + self.SHARE * (over - begun)
