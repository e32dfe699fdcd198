"""The machine and the programs a benchmark ran on, in words: what a reader needs to judge the figures, or to make them again."""

import glob
import os
import platform
import re
import resource
import shlex
import shutil
import subprocess

import groups

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUSY_LOAD = 0.3  # load average a core above which the machine is not idle


def describe(options, command):
    """name → text, in the order it is shown. options: build, dir."""
    found = {
        'kernel': f'{platform.system()} {platform.release()} {platform.machine()}',
        'distribution': _distribution(),
        'cpu': _cpu(),
        'cores': _cores(),
        'governor': _governor(),
        'mitigations': _mitigations(),
        'memory': f'{memory_bytes() / 2 ** 30:.1f} GiB',
        'directory': options.dir,
        'file system': file_system(options.dir),
        'network': 'loopback: client and servers on one machine',
        'limits': _limits(),
        'server CPU': groups.described(),
        'commit': _commit(),
        'build': _build(options.build),
        'wrk': _first_line(['wrk', '-v']) or 'not installed',
        'python': platform.python_version(),
        'load average': ' '.join(f'{load:.2f}' for load in os.getloadavg()),
        'command': shlex.join(command),
    }
    return {name: text for name, text in found.items() if text}


def busy_warning():
    """'' or that somebody else uses this machine now."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load <= BUSY_LOAD * cores:
        return ''
    return f'the machine was not idle at the start (load average {load:.2f} on {cores} cores): expect wider intervals'


def _read(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read().strip()
    except OSError:
        return ''


def _first_line(command):
    """What a program says first, on either stream; '' when it can't be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10, errors='replace')
    except (OSError, subprocess.TimeoutExpired):
        return ''
    return ((done.stdout or done.stderr).strip().splitlines() or [''])[0].strip()


def _distribution():
    match = re.search(r'^PRETTY_NAME="?(.*?)"?$', _read('/etc/os-release'), re.M)
    return match.group(1) if match else ''


def _cpu():
    match = re.search(r'^model name\s*:\s*(.*)$', _read('/proc/cpuinfo'), re.M)
    virtual = ' (virtual machine)' if re.search(r'^flags.*\bhypervisor\b', _read('/proc/cpuinfo'), re.M) else ''
    return (match.group(1) if match else platform.processor()) + virtual


def _cores():
    usable, all_of_them = len(os.sched_getaffinity(0)), os.cpu_count()
    siblings = _read('/sys/devices/system/cpu/cpu0/topology/thread_siblings_list')
    shared = ', two hardware threads a core' if re.search(r'[,-]', siblings) else ''
    return f'{usable}' + (f' of {all_of_them}' if usable != all_of_them else '') + shared


def _governor():
    paths = glob.glob('/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor')
    return ', '.join(sorted({_read(path) for path in paths})) or 'none to be seen (a virtual machine, or no cpufreq)'


def _mitigations():
    """Only what is switched on or open: 'not affected' costs nothing."""
    found = {os.path.basename(path): _read(path) for path in sorted(glob.glob('/sys/devices/system/cpu/vulnerabilities/*'))}
    return '; '.join(f'{name}: {text}' for name, text in found.items() if text and text != 'Not affected')


def memory_bytes():
    return os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')


def mount_of(path):
    """(file system type, mount point, device, options) of the mount a path lies on."""
    path, best = os.path.realpath(path), ('', '', '', '')
    for line in _read('/proc/self/mountinfo').splitlines():
        left, _, right = line.partition(' - ')
        point, options = (left.split() + [''] * 6)[4:6]
        point = re.sub(r'\\([0-7]{3})', lambda match: chr(int(match.group(1), 8)), point)
        inside = path == point or path.startswith(point.rstrip('/') + '/')
        if inside and len(point) >= len(best[1]):
            kind, device, super_options = (right.split() + [''] * 3)[:3]
            best = (kind, point, device, f'{options} {super_options}')
    return best


def kind_by_statfs(path):
    kind = _first_line(['stat', '--file-system', '--format=%T', path])
    return 'ext4' if kind == 'ext2/ext3' else kind  # one magic number for the three


def kind_of(path):
    """The type of the file system a path lies on: of its mount, or what statfs(2) says where a changed root hides the mount."""
    return mount_of(path)[0] or kind_by_statfs(path)


def file_system(path):
    _, point, device, options = mount_of(path)
    kind = kind_of(path)
    if not point:
        return kind
    return f'{kind} on {point} ({device}; {options})' + (': memory, not a disk' if in_memory(path) else '')


def in_memory(path):
    return kind_of(path) in ('tmpfs', 'ramfs')


def _limits():
    names = (('open files', resource.RLIMIT_NOFILE), ('processes', resource.RLIMIT_NPROC), ('locked memory', resource.RLIMIT_MEMLOCK))
    limits = [(name, resource.getrlimit(which)[0]) for name, which in names]
    return ', '.join(f'{name} {"unlimited" if soft == resource.RLIM_INFINITY else soft}' for name, soft in limits)


def _git(*arguments):
    try:
        done = subprocess.run(['git', '-C', TOP, *arguments], capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _commit():
    commit = _git('rev-parse', '--short=12', 'HEAD')
    if not commit:
        return 'unknown (no git)'
    return commit + (' with local changes' if _git('status', '--porcelain', '--untracked-files=no') else '')


def _build(build):
    cache = dict(re.findall(r'^(CMAKE_BUILD_TYPE|CMAKE_CXX_COMPILER|SANITIZE):\w+=(.*)$', _read(os.path.join(build, 'CMakeCache.txt')), re.M))
    if not cache:
        return f'unknown: no CMake cache in {build}'
    compiler = _first_line([cache.get('CMAKE_CXX_COMPILER', 'c++'), '--version'])
    sanitizer = f', SANITIZED ({cache["SANITIZE"]}): not for figures' if cache.get('SANITIZE') else ''
    return f'{cache.get("CMAKE_BUILD_TYPE") or "no build type"}, {compiler}{sanitizer}'


def program(name):
    """Its path, '' when it is not installed."""
    return shutil.which(name) or ''
