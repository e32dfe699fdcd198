"""Open loop: so many requests a second, whether or not the server keeps up; latency from when each was meant to start."""

import json
import shlex
import subprocess

from accounting import spawn
from load import Load, LoadError
from stats import Histogram

TIMEOUT_S = 20
END_S = 30          # that open_loop may take beside the load and its last timeouts
LATE_MS = 1.0       # a generator that is later than this on average, and than LATE_SHARE of the latency, measures itself
LATE_SHARE = 0.5
NOTED_SHARE = 0.1


class OpenLoopError(LoadError):
    """open_loop did not run, in its own words."""


def run_open(binary, server, target, rate, seconds, cpus, connections=100, expect_bytes=None, warm_up=0.0, timeout=TIMEOUT_S,
             arrivals='constant', one_shot=False, slow=0, slow_bytes_per_s=10000, options=()):
    """One load; raises OpenLoopError when open_loop itself fails. cpus: those that it may use. Seconds of load follow those of `warm_up`.

    Connections but one-shot ones are made first and used in turns, so that every worker has its share, as with wrk; no more than are
    used each second, as servers close those that rest. A request that finds none of `connections` free waits, and its wait counts.
    expect_bytes: of an answer's body. slow: further clients that trickle the same request.
    """
    command = ['taskset', '-c', ','.join(map(str, sorted(cpus))), binary, f'--rate={rate:g}', f'--arrivals={arrivals}',
               f'--duration={seconds:g}', f'--warm-up={warm_up:g}', f'--timeout={timeout:g}', f'--connections={connections}',
               '--one-shot' if one_shot else f'--open={min(connections, max(1, int(rate)))}', *_request(target, expect_bytes)]
    if slow:
        command += [f'--slow={slow}', f'--slow-bytes-per-s={slow_bytes_per_s:g}']
    command += [*options, f'http://127.0.0.1:{server.port}{target.path}']
    said = load_of(_execute(command, warm_up + seconds + timeout + END_S))
    said.command = shlex.join(command)
    return said


def _request(target, expect_bytes):
    words = [f'--method={target.method}']
    if target.body:
        words += [f'--body={target.body}', f'--content-type={target.content_type}']
    if target.unique:
        words.append('--unique')
    if expect_bytes is not None:
        words.append(f'--expect-bytes={expect_bytes}')
    return words


def _execute(command, seconds_max):
    """What it printed. In a session of its own: ^C is for the benchmark, which ends it."""
    with spawn(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
               start_new_session=True) as process:
        try:
            out, complaint = process.communicate(timeout=seconds_max)
        except subprocess.TimeoutExpired:
            raise OpenLoopError(f'open_loop did not end in {seconds_max:g} s') from None
        finally:
            if process.poll() is None:
                process.kill()
    if process.returncode != 0:
        raise OpenLoopError(f'open_loop failed (exit status {process.returncode}): {complaint.strip()}')
    return json.loads(out)


def load_of(said):
    """The Load in what open_loop printed."""
    warm_up, slow = said['warm_up'], said['slow']
    errors = _sentences(said['errors']) + _sentences(warm_up['errors'], ' in the warm-up')
    late, notes = _lateness(said), []
    if late and said['lag_mean_ms'] > LATE_MS and said['lag_mean_ms'] > LATE_SHARE * said['latency_mean_ms']:
        errors.append(late)
    elif late:
        notes.append(late)
    if slow['clients']:
        notes.append(f'{slow["clients"]} slow clients ({slow["open"]} connected at the end) moved {slow["bytes"]} bytes, '
                     f'{slow["requests"]} requests' + ''.join(f', {words}' for words in _sentences(slow['errors'])))
    return Load(seconds=said['seconds'], requests=said['requests'], latency_mean_ms=said['latency_mean_ms'],
                latency_max_ms=said['latency_max_ms'], histogram=Histogram.from_list(said['histogram']), client_cpu_s=said['cpu_s'],
                errors=errors, bytes_read=said['bytes_read'], answered=said['requests'] + warm_up['requests'] + slow['requests'],
                notes=notes)


def _sentences(errors, where=''):
    return [f'{count} requests{where} failed: {kind}' for kind, count in errors.items()]


def _lateness(said):
    """'' or how late open_loop was itself."""
    if not said['requests'] or said['lag_mean_ms'] <= NOTED_SHARE * said['latency_mean_ms']:
        return ''
    return (f'the load generator was late itself: {said["lag_mean_ms"]:.2f} ms on average, at most {said["lag_max_ms"]:.1f} ms, '
            f'of a latency of {said["latency_mean_ms"]:.2f} ms')
