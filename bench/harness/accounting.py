"""What a process and all that it started have used: CPU, memory, context switches, connections. All from proc(5) and its clocks."""

import os
import re
import threading
import time
from dataclasses import dataclass

TICKS = os.sysconf('SC_CLK_TCK')
ESTABLISHED, LISTENING = '01', '0A'  # /proc/net/tcp


def stat_fields(pid):
    """/proc/PID/stat from the state on (the third field); None: gone, or a zombie."""
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as file:
            fields = file.read().rsplit(')', 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in 'ZX' else fields


def start_ticks(pid):
    """When the process began, in ticks since boot; None: gone, or a zombie."""
    fields = stat_fields(pid)
    return None if fields is None else int(fields[19])


def descendants(pid):
    """The process and what descends from it, parents first."""
    found = [pid]
    for one in found:
        try:
            for task in os.listdir(f'/proc/{one}/task'):
                with open(f'/proc/{one}/task/{task}/children', encoding='ascii') as file:
                    found += [int(child) for child in file.read().split()]
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


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


def tcp_sockets(state, port=None):
    """Inodes of the TCP sockets in a state, of this local port or of any. A set: a table that changes meanwhile may show a row twice."""
    found = set()
    for table in ('tcp', 'tcp6'):
        try:
            with open(f'/proc/net/{table}', encoding='ascii') as file:
                rows = [line.split() for line in file.readlines()[1:]]
        except FileNotFoundError:  # no IPv6
            continue
        found |= {int(row[9]) for row in rows if row[3] == state and port in (None, int(row[1].split(':')[1], 16))}
    return found


def established(port=None):
    return tcp_sockets(ESTABLISHED, port)


def connections_by_worker(pids, port):
    """Worker process → connections it holds on the port.

    A worker is who has the listening socket or a connection. A parent that has the listening socket only to give it to its
    children is none.
    """
    listening, here = tcp_sockets(LISTENING, port), established(port)
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
    credited with, or what was last seen of them where nobody waited for them. Switches: those of ended threads as last seen.
    """

    def __init__(self, pid):
        self.pid = pid
        self.seen = {}      # pid → when it began
        self.cpu = {}       # pid → seconds as last seen
        self.switches = {}  # (pid, thread) → count as last seen
        self.born_busy_s = machine_busy_seconds()
        self.lock = threading.Lock()  # a sampler looks in the middle of a load

    def pids(self):
        """Who lives now."""
        with self.lock:
            return self._pids()

    def _pids(self):
        roots = [self.pid] + [pid for pid, began in self.seen.items() if start_ticks(pid) == began]
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
        ended_s = max(sum(used for pid, used in self.cpu.items() if pid not in living), sum(map(reaped_seconds, living)))
        return Usage(sum(self.cpu[pid] for pid in living) + ended_s, sum(self.switches.values()),
                     machine_busy_seconds() - self.born_busy_s, living)

    def memory_bytes(self):
        return sum(map(pss_bytes, self.pids()))
