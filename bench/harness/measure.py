"""One run of one cell: a fresh server over an empty directory, checked, warmed up, loaded, accounted for, checked again, wiped."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import verify
import wrk
from load import LoadError
from model import Run
from open_loop import run_open
from sampler import Sampler
from servers import ServerError
from stats import Histogram

BEHIND = 0.95  # open loop: a server that answers less of the rate can't keep up


class Skip(Exception):
    """This cell can't be measured here, in words: the server lacks the mechanism."""


def invalid_run(reasons, placement, strategy=''):
    return Run(0.0, 0, 0.0, 0.0, Histogram(), 0.0, 0.0, 0.0, len(placement.client), placement.shared, 0, strategy=strategy,
               invalid=list(reasons))


def measure(bench, cell, seconds):
    """The Run; Skip. Whatever goes wrong is a word in its `invalid`."""
    peer, payload, placement = bench.peers[cell.server], bench.payload(cell.bytes), bench.place(cell.model)
    directory = bench.fresh_directory()
    server = None
    try:
        server = peer.start(cell.model, cell.workers, directory, payload, placement.server, cell.durability, cell.endpoint)
        return _checked(bench, cell, server, peer.target(cell.endpoint, payload), payload, placement, seconds)
    except (ServerError, LoadError) as error:
        return invalid_run([str(error)], placement)
    finally:
        if server:
            server.stop()
        bench.wipe(directory)


def _checked(bench, cell, server, target, payload, placement, seconds):
    strategy, complaints = verify.before(server, target, payload, cell.durability if cell.is_upload else '')
    if complaints and complaints[0].startswith('501'):
        raise Skip(complaints[0])
    if complaints:
        return invalid_run(complaints, placement, strategy)
    complaints = _warm_up(bench, cell, server, target, payload, placement)
    server.settle()
    server.clean()
    run, load = _loaded(bench, cell, server, target, placement, seconds)
    run.strategy = strategy
    run.invalid += complaints
    if run.rate < BEHIND * cell.rate:
        run.notes.append(f'{run.rate:.0f} of {cell.rate:.0f} requests/s were answered: the latencies are those of a growing queue')
    if not cell.is_upload and load.bytes_read < load.requests * cell.bytes:
        run.invalid.append(f'{load.requests * cell.bytes - load.bytes_read} bytes of {load.requests} downloads are missing')
    # What the client gave up on may have been stored too: such runs are invalid already, and their files prove nothing.
    if not load.errors:
        run.invalid += verify.after(server, target, payload, load.answered or load.requests, cell.connections, bench.random, run.notes)
    server.clean()
    if server.alive():
        run.invalid += verify.look(server, target, payload)
    if run.requests == 0:
        run.invalid.append(f'no request was answered in {run.seconds:.1f} s')
    run.invalid = list(dict.fromkeys(run.invalid))
    return run


def _warm_up(bench, cell, server, target, payload, placement):
    """A load whose figures are thrown away, so that others may look meanwhile: complaints of what came down."""
    with ThreadPoolExecutor(1) as pool:
        looked = None if cell.is_upload else pool.submit(verify.look, server, target, payload, bench.plan.warm_up_s)
        _load(bench, cell, server, target, placement, bench.plan.warm_up_s)
    return looked.result() if looked else []


def _loaded(bench, cell, server, target, placement, seconds):
    """(Run, Load) of the load itself and the settling after it."""
    before, own = server.usage(), time.process_time()
    with Sampler(server, seconds) as sampler:
        load = _load(bench, cell, server, target, placement, seconds)
    if server.alive():
        server.settle()
    after = server.usage()
    used, own = after - before, time.process_time() - own
    bench.command(f'{cell.server} {cell.model}', load.command, server)
    return Run(
        seconds=load.seconds, requests=load.requests, latency_mean_ms=load.latency_mean_ms, latency_max_ms=load.latency_max_ms,
        histogram=load.histogram, server_cpu_s=used.cpu_s, machine_cpu_s=max(0.0, used.machine_busy_s - load.client_cpu_s - own),
        client_cpu_s=load.client_cpu_s, client_cores=len(placement.client), shared_cores=placement.shared,
        memory_peak_bytes=sampler.memory_bytes, connections_per_worker=sampler.connections, context_switches=used.context_switches,
        invalid=list(load.errors) + _lost(server, before, after), notes=list(load.notes)), load


def _lost(server, before, after):
    """Complaints when the server, or a process of its, ended under the load."""
    if not server.alive():
        return [f'the server ended under the load: {server.log()}'.rstrip(': ')]
    gone = before.pids - after.pids
    return [f'{len(gone)} of the server\'s {len(before.pids)} processes ended under the load'] if gone else []


def _load(bench, cell, server, target, placement, seconds):
    if cell.tool == 'open':
        binary = os.path.join(bench.options.build, 'bench', 'open_loop')
        return run_open(binary, server, target, cell.rate, seconds, placement.client, cell.connections,
                        None if cell.is_upload else cell.bytes)
    threads = bench.options.threads or wrk.threads_for(cell.connections, len(placement.client))
    return wrk.run_wrk(server, target, cell.connections, threads, seconds, placement.client, os.path.dirname(server.root))
