"""What a process and all that it started have used: CPU, memory, context switches, connections. From proc(5) and its clocks, and the CPU
from a control group of its own where there is one (groups.py).

What a server starts stays its own even when it leaves its parent, its session and its group: this process is made the reaper of orphans
(prctl(2), PR_SET_CHILD_SUBREAPER), so they become its children instead of init's. A child of this process that it did not start itself
is one of those. Whoever starts a process beside a server therefore does it by spawn().
"""

import ctypes
import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass

TICKS = os.sysconf('SC_CLK_TCK')
ESTABLISHED, LISTENING = '01', '0A'  # /proc/net/tcp
PR_SET_CHILD_SUBREAPER = 36
STRAYS_END_WITHIN_S = 5
PF_IO_WORKER = 0x10  # a thread of the kernel that works for an io_uring

_spawning = threading.RLock()
_own = set()     # (pid, when it began) of what spawn() started
_claimed = {}    # (pid, when it began) of an orphan → the Account that it belongs to


def adopt_orphans():
    """From now on this process is the parent of whoever among its descendants loses his own."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), 'no reaper of orphans')


def spawn(command, **options):
    """subprocess.Popen of a child that is this process' own: a client, or a server's first process."""
    with _spawning:  # else a sampler might take it for an orphan
        process = subprocess.Popen(command, **options)
        _own.add((process.pid, began_at(process.pid)))
    return process


def all_fields(pid):
    """/proc/PID/stat from the state on (the third field); None: gone."""
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as file:
            return file.read().rsplit(')', 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def stat_fields(pid):
    """The same; None: gone, or a zombie."""
    fields = all_fields(pid)
    return None if fields is None or fields[0] in 'ZX' else fields


def began_at(pid):
    """When the process began, in ticks since boot, be it a zombie; None: gone."""
    fields = all_fields(pid)
    return None if fields is None else int(fields[19])


def start_ticks(pid):
    """When the process began, in ticks since boot; None: gone, or a zombie."""
    fields = stat_fields(pid)
    return None if fields is None else int(fields[19])


def descendants(pid):
    """The process and what descends from it, parents first."""
    found = [pid]
    for one in found:
        found += children(one)
    return found


def children(pid):
    """Those of all threads of a process, zombies too."""
    found = []
    try:
        for task in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{task}/children', encoding='ascii') as file:
                found += [int(child) for child in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def orphans():
    """(pid, when it began) of the children of this process that it did not start."""
    with _spawning:
        return {(pid, began_at(pid)) for pid in children(os.getpid())} - _own


def end_strays():
    """Ends what commands have left behind that were to end themselves; names of these programs. Only while no server runs: its orphans would
    be among them.
    """
    names, deadline = [], time.monotonic() + STRAYS_END_WITHIN_S
    while (strays := {pid for pid, _ in orphans()}) and time.monotonic() < deadline:
        for pid in dict.fromkeys(one for stray in strays for one in descendants(stray)):
            if start_ticks(pid) is not None:
                names.append(name_of(pid))
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
        for pid in strays:
            os.waitpid(pid, os.WNOHANG)
    return sorted(set(names))


def name_of(pid):
    try:
        with open(f'/proc/{pid}/comm', encoding='utf-8', errors='replace') as file:
            return file.read().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ''


def pss_bytes(pid):
    """Memory of a process, what it shares shared out; 0: gone."""
    try:
        with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as file:
            return int(re.search(r'^Pss:\s+(\d+) kB', file.read(), re.M).group(1)) * 1024
    except (OSError, AttributeError):
        return 0


def cpu_seconds(pid):
    """CPU of a process, its ended threads included: its clock, in ns (clock_getcpuclockid(3)); 0: gone."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def reaped_seconds(pid):
    """CPU of the children that a process has waited for, and of theirs; in ticks. 0: gone."""
    fields = stat_fields(pid)
    return (int(fields[13]) + int(fields[14])) / TICKS if fields else 0.0


def switches_of(pid):
    """Thread → how often it left the CPU, of its own will or not. Unlike the CPU, status says that of one thread only."""
    found = {}
    try:
        for task in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{task}/status', encoding='ascii', errors='replace') as file:
                found[pid, int(task)] = sum(map(int, re.findall(r'ctxt_switches:\s+(\d+)', file.read())))
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def machine_busy_seconds():
    """Time that all cores together were busy since boot; not what a hypervisor gave to others."""
    with open('/proc/stat', encoding='ascii') as file:
        user, nice, system, _, _, irq, softirq = (int(field) for field in file.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / TICKS


def sockets_of(pid):
    """Inodes of the sockets of a process; none: gone."""
    found = set()
    try:
        for number in os.listdir(f'/proc/{pid}/fd'):
            try:
                link = os.readlink(f'/proc/{pid}/fd/{number}')
            except FileNotFoundError:
                continue
            if link.startswith('socket:['):
                found.add(int(link[8:-1]))
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        pass
    return found


def tcp_sockets(state, port=None, without=()):
    """Inodes of the TCP sockets in a state, of this local port or of any; not those to a port of `without`. A set: a table that changes
    meanwhile may show a row twice.
    """
    found = set()
    for table in ('tcp', 'tcp6'):
        try:
            with open(f'/proc/net/{table}', encoding='ascii') as file:
                rows = [line.split() for line in file.readlines()[1:]]
        except FileNotFoundError:  # no IPv6
            continue
        found |= {int(row[9]) for row in rows if row[3] == state and port in (None, port_in(row[1])) and port_in(row[2]) not in without}
    return found


def port_in(address):
    return int(address.split(':')[1], 16)


def established(port=None, without=()):
    return tcp_sockets(ESTABLISHED, port, without)


def send(pids, number):
    """To those that are still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def sockets_astray(pids, port):
    """(whether the processes have all sockets that listen on the port, other processes that have one of them or a connection)."""
    listening, ours = tcp_sockets(LISTENING, port), set().union(*map(sockets_of, pids))
    wanted = (listening | established(port)) - {0}  # 0: not accepted yet
    others = {int(name) for name in os.listdir('/proc') if name.isdigit()} - set(pids) - {os.getpid()}
    return bool(listening) and listening <= ours, {pid for pid in others if sockets_of(pid) & wanted}


def threads_astray(pids, cpus):
    """(threads of the processes that may run elsewhere than on these CPUs, and of them those of io_uring, which only the kernel can pin)."""
    found = kernel = 0
    for pid in pids:
        try:
            for task in map(int, os.listdir(f'/proc/{pid}/task')):
                if not os.sched_getaffinity(task) <= set(cpus):
                    found += 1
                    kernel += bool(int((all_fields(f'{pid}/task/{task}') or [0] * 7)[6]) & PF_IO_WORKER)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found, kernel


def connections_by_worker(pids, port, without=()):
    """Worker process → connections it holds on the port, but for those to a client's port in `without`.

    A worker is who has the listening socket or a connection. A parent that has the listening socket only to give it to its
    children is none.
    """
    listening, here = tcp_sockets(LISTENING, port), established(port, without)
    sockets = {pid: sockets_of(pid) for pid in pids}
    listeners = {pid for pid in pids if sockets[pid] & listening}
    masters = {pid for pid in listeners if listeners & set(descendants(pid)[1:])}
    counts = {pid: len(sockets[pid] & here) for pid in pids}
    return {pid: counts[pid] for pid in pids if counts[pid] or pid in listeners - masters}


@dataclass(frozen=True)
class Usage:
    """What a server has used since it was started, and the processes that it had then. Usage - Usage: between the two."""
    cpu_s: float
    context_switches: int
    machine_busy_s: float  # of all cores, whoever used them
    pids: frozenset

    def __sub__(self, before):
        return Usage(self.cpu_s - before.cpu_s, self.context_switches - before.context_switches,
                     self.machine_busy_s - before.machine_busy_s, self.pids)


def at_work(pid):
    """Whether a thread of the process runs, waits for a CPU, or for a disk."""
    try:
        for task in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{task}/stat', encoding='ascii', errors='replace') as file:
                if file.read().rsplit(')', 1)[1].split()[0] in 'RD':
                    return True
    except (FileNotFoundError, ProcessLookupError):
        pass
    return False


class Account:
    """Follows one process and all that it starts, also what ends or loses its parent in between.

    CPU: every living process' clock, which keeps what its ended threads used; and of those that ended, what their parents have been
    credited with, or what was last seen of them where nobody waited for them. group: a groups.Group that the process began in; it knows
    all of these, unless they have left it, so the CPU is what is more of the two. Switches: those of ended threads as last seen.
    """

    def __init__(self, pid, group=None):
        self.pid, self.group = pid, group
        self.seen = {}      # pid → when it began
        self.cpu = {}       # pid → seconds as last seen
        self.switches = {}  # (pid, thread) → count as last seen
        self.reaped_s = 0.0  # CPU of orphans that ended
        self.born_busy_s = machine_busy_seconds()
        self.lock = threading.Lock()  # a sampler looks in the middle of a load

    def pids(self):
        """Who lives now."""
        with self.lock:
            return self._pids()

    def _orphans(self):
        """Those of this server that live. Who has ended is waited for, and his CPU is kept. With several servers, an orphan that was
        nobody's before is whose Account looks first.
        """
        living = []
        for pid, began in orphans():
            if _claimed.setdefault((pid, began), self) is self:
                ended, _, used = os.wait4(pid, os.WNOHANG)
                self.reaped_s += used.ru_utime + used.ru_stime if ended else 0.0
                living += [] if ended else [pid]
        return living

    def _pids(self):
        roots = [self.pid] + [pid for pid, began in self.seen.items() if start_ticks(pid) == began] + self._orphans()
        roots += self.group.pids() if self.group else []
        living = {}
        for pid in dict.fromkeys(one for root in roots for one in descendants(root)):
            began = start_ticks(pid)
            if began is not None:
                living[pid] = began
        self.seen.update(living)
        return frozenset(living)

    def usage(self):
        with self.lock:
            return self._usage()

    def _usage(self):
        living = self._pids()
        for pid in living:
            self.cpu[pid] = max(self.cpu.get(pid, 0.0), cpu_seconds(pid))
            self.switches.update(switches_of(pid))
        ended_s = max(sum(used for pid, used in self.cpu.items() if pid not in living), sum(map(reaped_seconds, living)) + self.reaped_s)
        cpu_s = max(sum(self.cpu[pid] for pid in living) + ended_s, self.group and self.group.cpu_s() or 0.0)
        return Usage(cpu_s, sum(self.switches.values()),
                     machine_busy_seconds() - self.born_busy_s, living)

    def memory_bytes(self):
        return sum(map(pss_bytes, self.pids()))
