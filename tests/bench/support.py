"""Reports made up for the tests of what reads reports."""

import os
import random
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HARNESS = os.path.join(ROOT, 'bench', 'harness')
sys.path.insert(0, HARNESS)

import model  # noqa: E402
from stats import Histogram  # noqa: E402


def run(rng, slower=1.0, noise=0.02, **changes):
    """A valid run of about 1000 requests a second at 200 µs of CPU each, `slower` times in everything."""
    def about(value):
        return value * rng.lognormvariate(0, noise)
    rate = about(1000 / slower)
    histogram, factor = Histogram(), about(slower)
    for _ in range(100):
        histogram.add(1000 * factor * rng.lognormvariate(0, 0.2))
    requests = round(rate * 5)
    figures = dict(seconds=5.0, requests=requests, latency_mean_ms=histogram.mean() / 1e3, latency_max_ms=5.0, histogram=histogram,
                   server_cpu_s=about(200e-6 * slower) * requests, machine_cpu_s=1.5, client_cpu_s=1.0, client_cores=1, shared_cores=False,
                   memory_peak_bytes=round(about(8e6 * slower)), connections_per_worker=[50, 50])
    return model.Run(**{**figures, **changes})


def cell(server='forklift', **changes):
    fields = dict(server=server, model='alone', workers=1, endpoint='upload/single', bytes=262144, connections=100)
    return model.Cell(**{**fields, **changes})


def row(rng, runs=5, the_cell=None, bound_by='', skipped='', **how):
    return model.Row(the_cell or cell(), [run(rng, **how) for _ in range(runs)], bound_by, skipped)


def report(*rows, **fields):
    about = dict(preset='quick', started='2024-05-01T12:00:00Z', environment={'kernel': '6.1', 'CPU': 'one', 'commit': 'abc'},
                 peers={'nginx': {'version': '1.22', 'notes': []}}, ceilings=[model.Ceiling('disk', 262144, 900.0, (880.0, 910.0))],
                 complete=True)
    return model.Report(rows=list(rows), **{**about, **fields})


def rng(seed=1):
    return random.Random(seed)
