"""A control group for each server, where this machine lets one be made: the kernel then counts the CPU of all that were ever in it, also of
children that nobody waited for. Version 2 says it in every group's cpu.stat, version 1 in cpuacct.usage.
"""

import itertools
import os
import re
import time

PREFIX = 'forklift-bench-'
REMOVED_WITHIN_S = 2
NUMBERS = itertools.count()


def parent():
    """(directory of the group that this process is in, version) where its CPU can be read; None: there is none."""
    try:
        with open('/proc/self/cgroup', encoding='utf-8') as file:
            ours = [line.rstrip('\n').split(':', 2) for line in file]
        with open('/proc/self/mountinfo', encoding='utf-8') as file:
            mounts = [line.split() for line in file]
    except OSError:
        return None
    found = []
    for number, controllers, path in ours:
        version = 2 if number == '0' else 1 if 'cpuacct' in controllers.split(',') else None
        for mount in mounts if version else ():
            kind, options = mount[mount.index('-') + 1], mount[-1].split(',')
            if kind != 'cgroup' + '2' * (version - 1) or version == 1 and 'cpuacct' not in options:
                continue
            directory = os.path.normpath(os.path.join(mount[4], os.path.relpath(path, mount[3])))
            if os.path.exists(os.path.join(directory, 'cgroup.procs')):
                found.append((version, directory))
                break
    return max(found)[::-1] if found else None


def make():
    """A Group, or None where none can be had."""
    above = parent()
    if above is None:
        return None
    directory, version = above
    remove_abandoned(directory)
    path = os.path.join(directory, f'{PREFIX}{os.getpid()}-{next(NUMBERS)}')
    try:
        os.mkdir(path)
    except OSError:
        return None
    group = Group(path, version)
    if group.cpu_s() is None or not os.access(group.procs, os.W_OK):
        group.remove()
        return None
    return group


def remove_abandoned(directory):
    """Groups of benchmarks that were killed."""
    for name in os.listdir(directory):
        of = re.fullmatch(PREFIX + r'(\d+)-\d+', name)
        if of and not os.path.exists(f'/proc/{of[1]}'):
            Group(os.path.join(directory, name), 0).remove(0)


def described():
    """Where a server's CPU is taken from, in words."""
    group = make()
    if group is None:
        return 'from /proc: no control group can be made here, so what children use that nobody waits for is seen only as far as they are met'
    group.remove()
    return f'from a control group (version {group.version}) for each server, or from /proc where that says more'


class Group:
    def __init__(self, path, version):
        self.path, self.version, self.procs = path, version, os.path.join(path, 'cgroup.procs')

    def enter(self):
        """The calling process moves in: between fork and exec, so as to bring nothing along."""
        with open(self.procs, 'w', encoding='ascii') as file:
            file.write('0')

    def pids(self):
        try:
            with open(self.procs, encoding='ascii') as file:
                return [int(pid) for pid in file.read().split() if pid != '0']
        except OSError:
            return []

    def cpu_s(self):
        """Of all that were ever in it; None: it does not say."""
        name, pattern, unit = (('cpu.stat', r'^usage_usec (\d+)$', 1e6) if self.version == 2 else ('cpuacct.usage', r'^(\d+)$', 1e9))
        try:
            with open(os.path.join(self.path, name), encoding='ascii') as file:
                return int(re.search(pattern, file.read(), re.M)[1]) / unit
        except (OSError, TypeError):
            return None

    def remove(self, within_s=REMOVED_WITHIN_S):
        """Once all in it have ended, with what groups they made below; may be done twice."""
        deadline = time.monotonic() + within_s
        while os.path.isdir(self.path):
            try:
                for directory, _, _ in os.walk(self.path, topdown=False):
                    os.rmdir(directory)
            except OSError:
                if time.monotonic() >= deadline:
                    return
                time.sleep(0.01)
