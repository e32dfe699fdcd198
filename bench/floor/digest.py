"""What a digest costs an upload: the worker with a Repr-Digest to check, without one, and the digest of the same bytes alone."""

import base64
import hashlib
import http.client
import os
import sys
import time
from dataclasses import replace
from statistics import median

import servers
from loads import Figures
from stats import median_interval

ALGORITHMS = {'sha-256': hashlib.sha256, 'sha-512': hashlib.sha512}
BATCH = 16  # digests between two looks at the clock


def claim(algorithm, data):
    """The value of Repr-Digest that says what data digests to."""
    return f'{algorithm}=:{base64.b64encode(ALGORITHMS[algorithm](data).digest()).decode()}:'


def claiming(target, algorithm, data):
    """The upload with that claim of its bytes."""
    return replace(target, fields=f'Repr-Digest: {claim(algorithm, data)}\r\n')


def check_held(server, target, algorithm, payload):
    """A body with its digest is stored, one with another is refused and leaves nothing; else there would be nothing to measure."""
    for data, expected, files in ((payload.data, 201, 1), (payload.data + b'.', 400, 0)):
        connection = http.client.HTTPConnection('127.0.0.1', server.port, timeout=30)
        connection.request(target.method, target.path + 'check', payload.data, {'Repr-Digest': claim(algorithm, data)})
        status = connection.getresponse().status
        connection.close()
        if status != expected or len(list(server.stored())) != files:
            sys.exit(f'{server.name}: {status} instead of {expected} for a body that claims a {algorithm} digest')
        server.clean()


def alone(algorithm, data, seconds, cpu):
    """Figures of digesting data over and over on one CPU, by the OpenSSL that Python has: the worker's, where both are the system's."""
    digest = ALGORITHMS[algorithm]
    if not digest.__name__.startswith('openssl_'):
        raise servers.ServerError("this Python's hashlib does not digest by OpenSSL")
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        count, began, used = 0, time.monotonic(), time.thread_time()
        while time.monotonic() < began + seconds:
            for _ in range(BATCH):
                digest(data).digest()
            count += BATCH
        used, took = time.thread_time() - used, time.monotonic() - began
    finally:
        os.sched_setaffinity(0, usual)
    return Figures(used / count * 1e6, count / took, 0)


def costs(runs):
    """What the digest adds to an upload, in µs and as a multiple of itself alone: median and 95 % interval over the rounds."""
    added = [with_it.cpu_us - without.cpu_us for with_it, without in zip(runs['digest'], runs['plain'])]
    times = [more / alone.cpu_us for more, alone in zip(added, runs['alone'])]
    return {'added_us': median(added), 'added_us_interval_95': median_interval(added),
            'times_alone': median(times), 'times_alone_interval_95': median_interval(times)}


def show(algorithm, table):
    print(f'\n{algorithm}: CPU per request (medians), requests/s')
    for name in ('plain', 'digest', 'alone'):
        print(f'  {name:8} {table[name]["cpu_us_per_request"]:8.1f} µs {table[name]["requests_per_second"]:9.0f}/s')
    cost = table['cost']
    low, high = cost['added_us_interval_95']
    print(f'  a digest adds {cost["added_us"]:.1f} µs [{low:.1f}, {high:.1f}]')
    low, high = cost['times_alone_interval_95']
    print(f'  that is {cost["times_alone"]:.3f} [{low:.3f}, {high:.3f}] times the digest alone')
