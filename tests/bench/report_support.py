"""Synthetic reports for the tests of the report pages: figures as a two- or four-core machine makes them, with seeded noise."""

import os
import random
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'bench', 'harness'))

from model import Ceiling, Cell, Report, Row, Run  # noqa: E402
from stats import Histogram  # noqa: E402

SIZE = 262144
MEMORY, DISK = 'upload/stream/async_read_and_memory_write', 'upload/stream/async_read_and_disk_write'
ASYNC, SINGLE, SYNC = 'upload/stream/async_read_and_async_write', 'upload/single', 'upload/single/sync'
STREAM, FORM_BLOCKING = 'upload/single/stream', 'upload/single/stream/async_read_sync_write'
FORM_SPOOLED, JSON = 'upload/single/stream/sync_read_sync_write', 'upload/raw/json/base64decode'
SYNC_READ, ASYNC_READ, FILE, FILE_SYNC = ('download/stream/sync_read', 'download/stream/async_read', 'download/file', 'download/file/sync')

# endpoint → server CPU per request in µs: Forklift, FastAPI
CPU_US = {MEMORY: (39, 514), DISK: (231, 315), ASYNC: (242, 506), SINGLE: (241, 1675), SYNC: (246, 1657), STREAM: (241, 1713),
          FORM_BLOCKING: (226, 1483), FORM_SPOOLED: (210, 1436), JSON: (220, 1099), SYNC_READ: (80, 297), ASYNC_READ: (95, 504),
          FILE: (55, 584), FILE_SYNC: (57, 666)}


def durability_of(endpoint):
    if endpoint.startswith('download') or endpoint == 'GET':
        return 'read'
    return 'none kept' if endpoint == MEMORY else 'page cache'


def histogram(rng, mean_ms, tail, samples=600, count=5):
    """Latencies around a mean; tail: how far the slowest percent is from the middle."""
    found = Histogram()
    for _ in range(samples):
        stretched = tail if rng.random() < 0.03 else 1.0
        found.add(1e3 * mean_ms * rng.lognormvariate(0, 0.25) * stretched, count)
    return found


def run(rng, cell, cpu_us, noise=0.01, rate=None, tail=2.0, balance=0.02):
    """One repeat of a cell that needs `cpu_us` of server CPU a request."""
    cpu_us *= rng.gauss(1, noise)
    rate = rate or 0.97e6 / cpu_us * (0.92 * cell.workers if cell.workers > 1 else 1)
    rate *= rng.gauss(1, noise)
    mean_ms = 1e3 * cell.connections / rate
    shares = [max(0, round(cell.connections / cell.workers * rng.gauss(1, balance))) for _ in range(cell.workers)]
    requests = int(rate * 10)
    found = histogram(rng, mean_ms, tail)
    return Run(seconds=10.0, requests=requests, latency_mean_ms=mean_ms, latency_max_ms=found.percentile(100) / 1e3, histogram=found,
               server_cpu_s=requests * cpu_us / 1e6, machine_cpu_s=requests * cpu_us * 1.2 / 1e6, client_cpu_s=min(rate * 4e-4, 9.0),
               client_cores=1, shared_cores=cell.workers > 1, memory_peak_bytes=int(9e6 * cell.workers * rng.gauss(1, 0.02)),
               connections_per_worker=shares, context_switches=int(requests * 0.6))


def row(cell, cpu_us, runs=5, seed=1, bound_by='', **how):
    rng = random.Random(f'{cell.key}{seed}')
    return Row(cell, [run(rng, cell, cpu_us, **how) for _ in range(runs)], bound_by)


def cell(server, endpoint, model='alone', workers=1, size=SIZE, connections=100, **more):
    return Cell(server, model, workers, endpoint, size, connections, more.pop('durability', durability_of(endpoint)), **more)


def invalid(made, *reasons):
    """Spoils the last run of a row."""
    made.runs[-1].invalid.extend(reasons)
    return made


FASTAPI_TAIL, FASTAPI_BALANCE = 5.0, 0.5


def fastapi(server, endpoint, model, workers, cpu_us=None, tail=None, **how):
    steadier = 0.5 if server == 'gunicorn' else 1.0
    return row(cell(server, endpoint, model, workers), cpu_us or CPU_US[endpoint][1], tail=tail or FASTAPI_TAIL * steadier,
               balance=FASTAPI_BALANCE * steadier, **how)


def forklift(endpoint, model, workers, **how):
    cpu_us = how.pop('cpu_us', None) or CPU_US[endpoint][0] * (1.0 if model == 'alone' else 1.02)
    return row(cell('forklift', endpoint, model, workers), cpu_us, **how)


def ceilings():
    return [Ceiling('receive_discard', SIZE, 24100.0, (23800.0, 24350.0), cpu_us=38.0, client_us=41.0),
            Ceiling('receive_store', SIZE, 5230.0, (5150.0, 5290.0), cpu_us=150.0, client_us=40.0),
            Ceiling('sendfile_download', SIZE, 21900.0, (21500.0, 22100.0), cpu_us=48.0, client_us=40.0),
            Ceiling('client upload', SIZE, 26200.0, (25900.0, 26800.0)),
            Ceiling('client download', SIZE, 18300.0, (18100.0, 18500.0)), Ceiling('disk', SIZE, 0.0, note='tmpfs: nothing to sync')]


def bare(rows=(), **more):
    """A report with everything but rows of interest."""
    environment = {'cpu': 'AMD EPYC 9B14, 2 cores', 'kernel': 'Linux 6.1.0-18-amd64', 'memory': '7.8 GiB', 'governor': 'performance',
                   'file system': 'tmpfs (rw,nosuid,nodev,inode64) at /dev/shm', 'commit': '0548fbe', 'compiler': 'GCC 12.2.0, Release',
                   'mitigations': 'spectre_v2: Enhanced / Automatic IBRS; conditional IBPB; RSB filling; PBRSB-eIBRS: not affected'}
    commands = ['build/bin/worker --root /dev/shm/bench-1/root --port 18080',
                'bench/peers/fastapi/start 18081 /dev/shm/bench-1/root 4 gunicorn',
                'taskset -c 1 wrk -t1 -c100 -d10s --timeout 30s --latency -s bench/lua/upload.lua '
                'http://127.0.0.1:18080/files/upload/stream/async_read_and_disk_write']
    peers = {'forklift': {'version': 'forklift 0.1.0', 'notes': []},
             'uvicorn': {'version': 'uvicorn 0.17.6, FastAPI 0.92.0, Python 3.11.2', 'notes': ['Debian 12 ships uvicorn of 2022']},
             'gunicorn': {'version': 'gunicorn 20.1.0', 'notes': []}}
    return Report(**{'preset': 'article', 'started': '2026-11-24T00:12:00Z', 'environment': environment, 'commands': commands,
                     'peers': peers, 'ceilings': ceilings(), 'rows': list(rows), 'seed': 42, 'seconds': 4126.0, 'complete': True, **more})


def article_rows(workers=4, runs=5):
    """Thirteen endpoints on seven fleets."""
    rows = []
    for endpoint in CPU_US:
        for model, count in (('alone', 1), ('x1', 1), ('xN', workers)):
            rows.append(forklift(endpoint, model, count, runs=runs))
        for server in ('uvicorn', 'gunicorn'):
            for model, count in (('alone' if server == 'uvicorn' else 'x1', 1), ('xN', workers)):
                rows.append(fastapi(server, endpoint, model, count, runs=runs))
    for made in rows:
        if made.cell.server == 'forklift' and made.cell.endpoint in (MEMORY, FILE):
            made.bound_by = 'the client'
    return rows


def full():
    """The article's rows, and: other servers, sizes, worker counts, an open loop, durability classes, INVALID, skipped and missing rows."""
    rows = article_rows()
    for model, workers in (('x1', 1), ('xN', 4)):
        rows += [row(cell('nginx', 'PUT', model, workers), 238), row(cell('lighttpd', 'PUT', 'x1', 1), 343),
                 row(cell('forklift', 'PUT', model, workers), 205), row(cell('nginx', 'GET', model, workers), 66),
                 row(cell('h2o', 'GET', model, workers), 61), row(cell('forklift', 'GET', model, workers), 56, bound_by='client download')]
    rows = list({made.cell: made for made in rows}.values())
    for size in (1024, 65536, 1 << 20, 16 << 20):
        for endpoint in (DISK, STREAM, FILE):
            rows.append(row(cell('forklift', endpoint, 'x1', size=size), 25 + CPU_US[endpoint][0] * size / SIZE))
            rows.append(row(cell('uvicorn', endpoint, size=size), 180 + CPU_US[endpoint][1] * size / SIZE))
    for workers in (2, 3):
        rows += [forklift(DISK, 'xN', workers), fastapi('gunicorn', DISK, 'xN', workers), fastapi('uvicorn', DISK, 'xN', workers)]
    rows += [row(cell(server, DISK, 'xN', 4, tool='open', rate=2000.0), cpu, rate=2000.0, tail=tail)
             for server, cpu, tail in (('forklift', 235, 1.5), ('uvicorn', 330, 9.0), ('gunicorn', 330, 4.0))]
    rows += [row(cell('forklift', 'PUT', 'x1', durability=durability), cpu)
             for durability, cpu in (('fdatasync', 410), ('fsync+directory', 460))]
    invalid(next(r for r in rows if r.cell.server == 'uvicorn' and r.cell.endpoint == SYNC and r.cell.model == 'xN'),
            '12 of 6400 answers were 500 Internal Server Error', '3 files are missing on disk')
    rows.append(Row(cell('caddy', 'GET', 'x1'), skipped='caddy is not installed'))
    rows.append(Row(cell('forklift', JSON, 'x1', size=16 << 20), skipped='413: the limit of this endpoint is 8 MiB'))
    rows.append(Row(cell('gunicorn', JSON, 'x1', size=16 << 20)))
    rows.append(row(cell('my-own-rather-long-server-name', 'upload/a/path/of/somebody/with-a-very-long-name/that-never-ends', 'x1'), 199))
    peers = {'nginx': {'version': 'nginx 1.22.1', 'notes': []}, 'lighttpd': {'version': 'lighttpd 1.4.69', 'notes': []},
             'h2o': {'version': 'h2o 2.2.5', 'notes': ['Debian 12 ships a release of 2018']},
             'caddy': {'version': '', 'notes': ['caddy is not installed']}}
    report = bare(rows, preset='full', complete=False)
    report.peers.update(peers)
    return report
