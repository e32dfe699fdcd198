"""Closed loop: wrk keeps so many connections busy. Its figures raw, without the samples that it invents.

wrk's -d takes whole seconds; a load of part of one is ended by SIGINT, at which wrk prints its figures all the same.
wrk adds samples to its histogram, to guess at what a stalled server hid ("coordinated omission"). The correction is a sum over known
values, so it is taken back here, exactly: what remains are the latencies of the requests that were made.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess

from accounting import spawn
from endpoints import name_of_run
from load import Load, LoadError
from stats import Histogram

SCRIPT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'lua', 'load.lua')
TIMEOUT_S = 60            # wrk drops what takes longer from its histogram
BODY_BYTES_MAX = 1 << 27  # it keeps the body in Lua, once a thread
ERRORS = ('connections refused', 'failed reads', 'failed writes', f'requests took over {TIMEOUT_S} s', 'answers were 4xx or 5xx')


class WrkError(LoadError):
    """wrk did not run, in its own words."""


def check_threads(connections, threads):
    """'' or why wrk can't make this load: it gives each thread the same number of connections and drops the rest."""
    if threads <= connections and connections % threads == 0:
        return ''
    fitting = max(n for n in range(1, min(threads, connections) + 1) if connections % n == 0)
    below, above = connections - connections % threads, connections + -connections % threads
    if not below:
        return f'{threads} threads need at least {threads} connections: take --threads {fitting}, or --connections {above}'
    return (f'{threads} threads do not divide {connections} connections: wrk would open {below} only; '
            f'take --threads {fitting}, or --connections {below} or {above}')


def threads_for(connections, cores):
    """As many as there are cores for the client, as long as they divide the connections."""
    return max(n for n in range(1, max(1, min(cores, connections)) + 1) if connections % n == 0)


def run_wrk(server, target, connections, threads, seconds, cpus, work_dir):
    """One load; raises WrkError when wrk itself fails. Its output stays in work_dir/wrk.out. cpus: those that wrk may use."""
    command = ['taskset', '-c', ','.join(map(str, sorted(cpus))), shutil.which('wrk') or 'wrk', f'-c{connections}', f'-t{threads}',
               f'-d{max(1, int(seconds)) if seconds == int(seconds) else int(seconds) + 2}s', f'--timeout={TIMEOUT_S}s', '-s', SCRIPT,
               f'http://127.0.0.1:{server.port}{target.path}']
    variables = {'LOAD_METHOD': target.method, 'LOAD_BODY': target.body, 'LOAD_TYPE': target.content_type, 'LOAD_FIELDS': target.fields,
                 'LOAD_UNIQUE': name_of_run() if target.unique else ''}
    output = os.path.join(work_dir, 'wrk.out')
    status = _execute(command, {**os.environ, **variables}, seconds, output)
    with open(output, encoding='utf-8', errors='replace') as file:
        load = _parse(file.read(), connections, status)
    load.command = ' '.join([f'{name}={shlex.quote(value)}' for name, value in variables.items() if value] + [shlex.join(command)])
    return load


def _execute(command, environment, seconds, output):
    """Runs to its end; its exit status. In a session of its own: ^C is for the benchmark, which ends wrk itself."""
    with open(output, 'wb') as file:
        process = spawn(command, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment, start_new_session=True)
    try:
        if seconds != int(seconds):
            try:
                return process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)
        return process.wait(seconds + TIMEOUT_S + 30)
    except subprocess.TimeoutExpired:
        raise WrkError(f'wrk did not end {TIMEOUT_S + 30} s after its time') from None
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _parse(text, connections, status):
    result = re.search(r'^RESULT (\d+) (\d+) (\d+) ([\d.]+)$', text, re.M)
    errors = re.search(r'^ERRORS (\d+) (\d+) (\d+) (\d+) (\d+)$', text, re.M)
    if not result or not errors or status != 0:
        raise WrkError(f'wrk failed (exit status {status}): {text.strip()[-500:]}')
    requests, duration_us, bytes_read = (int(word) for word in result.groups()[:3])
    counts = {int(value): int(count) for value, count in re.findall(r'^VALUE (\d+) (\d+)$', text, re.M)}
    words = [f'{int(count)} {what}' for count, what in zip(errors.groups(), ERRORS) if int(count)]
    failed = int(errors.group(5))
    counts, notes = _without_invented(counts, requests, duration_us, connections)
    histogram = Histogram()
    for value, count in counts.items():
        histogram.add(value, count)
    mean = sum(value * count for value, count in counts.items()) / (sum(counts.values()) or 1)
    return Load(seconds=duration_us / 1e6, requests=requests - failed, latency_mean_ms=mean / 1e3,
                latency_max_ms=max(counts, default=0) / 1e3, histogram=histogram, client_cpu_s=float(result.group(4)), errors=words,
                bytes_read=bytes_read, answered=requests - failed, notes=notes)


def _without_invented(counts, requests, duration_us, connections):
    """(value → count without what wrk added, notes).

    wrk's stats_correct() walks up the values n >= 2 × interval and adds n's count to n - interval, n - 2 × interval ... above the interval.
    Walking down undoes it: when n's turn comes, n holds what it held then.
    """
    invented = sum(counts.values()) - requests
    if invented <= 0 or requests < connections:
        return counts, []
    interval, left = duration_us // (requests // connections), dict(counts)
    for value in sorted((value for value in counts if value >= 2 * interval), reverse=True):
        for lower in range(value - interval, interval, -interval):
            left[lower] = left.get(lower, 0) - left[value]
    if sum(left.values()) == requests and min(left.values()) >= 0:
        return {value: count for value, count in left.items() if count}, []
    return counts, [f'{invented} of {sum(counts.values())} latencies were invented by wrk and could not be told from the real ones']
