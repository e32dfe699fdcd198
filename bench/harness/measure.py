"""One run of one cell: a fresh server over an empty directory, checked, warmed up, loaded, accounted for, checked again, wiped."""

import os
import time

import verify
import wrk
from load import LoadError
from model import Run
from open_loop import run_open
from sampler import Sampler
from servers import Server, ServerError
from stats import Histogram

BEHIND = 0.95  # open loop: a server that answers less of the rate can't keep up
CPU_US_MIN = 1  # a request: two system calls over TCP can't cost less
HEAD_VARIES_BYTES = 16  # another strategy's name, a number with fewer digits
LATE_CPU_S, LATE_SHARE = 0.05, 0.05  # that a server at rest may use while its files are looked at: seconds, and of the time
DURABLE = ('fdatasync', 'fsync+directory')


class Skip(Exception):
    """This cell can't be measured here, in words: the server lacks the mechanism."""


def invalid_run(reasons, placement, strategy=''):
    return Run(0.0, 0, 0.0, 0.0, Histogram(), 0.0, 0.0, 0.0, len(placement.client), placement.shared, 0, strategy=strategy,
               invalid=list(reasons))


def measure(bench, cell, seconds):
    """The Run; Skip. Whatever goes wrong is a word in its `invalid`."""
    peer, payload, placement = bench.peers[cell.server], bench.payload(cell.bytes), bench.place(cell.model)
    directory = bench.fresh_directory()
    server, left = None, []
    try:
        server = peer.start(cell.model, cell.workers, directory, payload, placement.server, cell.durability, cell.endpoint)
        run = _checked(bench, cell, server, peer.target(cell.endpoint, payload), payload, placement, seconds)
    except (ServerError, LoadError) as error:
        run = invalid_run([str(error)], placement)
    finally:
        if server:
            left = server.stop()
        bench.wipe(directory)
    if left:
        run.invalid.append(f'{len(left)} processes of the server could not be ended')
    if Server.strays:
        run.notes.append(f'ended before it began, as commands had left them behind: {", ".join(Server.strays)}')
        Server.strays.clear()
    return run


def _checked(bench, cell, server, target, payload, placement, seconds):
    strategy, complaints = verify.before(server, target, payload, cell.durability if cell.is_upload else '')
    if complaints and complaints[0].startswith('501'):
        raise Skip(complaints[0])
    if complaints:
        return invalid_run(complaints, placement, strategy)
    _load(bench, cell, server, target, placement, bench.plan.warm_up_s)
    server.settle()
    server.clean()
    run, load, looked, rest = _loaded(bench, cell, server, target, payload, placement, seconds)
    run.strategy = strategy
    if run.rate < BEHIND * cell.rate:
        run.notes.append(f'{run.rate:.0f} of {cell.rate:.0f} requests/s were answered: the latencies are those of a growing queue')
    if cell.durability in DURABLE:
        run.notes.append(f'{cell.durability} is what the server claims: that the bytes reached a disk was not seen')
    if not cell.is_upload:
        run.invalid += missing_bytes(load, cell.bytes, looked.head_bytes)
    began = time.monotonic()
    # What the client gave up on may have been stored too: such runs are invalid already, and their files prove nothing.
    if not load.errors:
        run.invalid += verify.after(server, target, payload, load.answered or load.requests, cell.connections + len(looked.complaints),
                                    bench.random, run.notes, looked.uploads)
        run.invalid += late_work((server.usage() - rest).cpu_s, time.monotonic() - began)
    server.clean()
    if server.alive() and not looked.complaints:
        run.invalid += verify.look(server, target, payload)
    if run.requests == 0:
        run.invalid.append(f'no request was answered in {run.seconds:.1f} s')
    elif run.cpu_us_per_request < CPU_US_MIN:
        run.invalid.append(f'{run.server_cpu_s * 1e6:.0f} µs of CPU for {run.requests} answers: others made them')
    run.invalid = list(dict.fromkeys(run.invalid))
    return run


def missing_bytes(load, size, head_bytes):
    """Complaints when fewer bytes came down than so many whole downloads have. head_bytes: of the shortest head among the answers looked at
    during the load. The slack is HEAD_VARIES_BYTES an answer, as words and numbers in a head may be shorter in others; a body has none,
    since both load generators count what they have read before they count the answer that it ends. What the end of a load cuts off was
    read too, so that as much as one answer a connection may be missing unnoticed here; single answers are looked at for that.
    """
    missing = load.requests * (size + max(0, head_bytes - HEAD_VARIES_BYTES)) - load.bytes_read
    return [f'{missing} bytes of {load.requests} downloads are missing'] if missing > 0 else []


def put_off(server, target, load):
    """Complaints when a load has ended and not all the files are there that it was told of: they come when nobody looks."""
    missing = (load.answered or load.requests) - server.stored_now() if target.stores and not load.errors else 0
    return [f'{missing} uploads were answered and not there when the load ended'] if missing > 0 else []


def carried_too_little(load, target, size, carried):
    """Complaints when fewer bytes went over the loopback than the bodies of so many requests or answers have: the load counted answers
    that it had not asked for. carried: all of that time, heads and TCP's own and those of strangers too, so that no slack is needed.
    """
    answers, each = load.answered or load.requests, os.path.getsize(target.body) if target.body else size
    if carried is None or carried >= answers * each:
        return []
    return [f'{answers} answers of {each} bytes were counted, and {carried} bytes went over the loopback']


def loopback_bytes():
    """Received over it since boot, in this network namespace; None: it is not to be seen."""
    try:
        with open('/proc/net/dev', encoding='ascii') as file:
            return next((int(line.split(':')[1].split()[0]) for line in file if line.strip().startswith('lo:')), None)
    except OSError:
        return None


def late_work(cpu_s, seconds):
    """Complaints of CPU that a server used when it had nothing to do, while its files were looked at."""
    if cpu_s <= LATE_CPU_S + LATE_SHARE * seconds:
        return []
    return [f'{cpu_s:.2f} s of CPU were used after the load, while its files were looked at: work put off until then']


def _loaded(bench, cell, server, target, payload, placement, seconds):
    """(Run, Load, verify.Looked, Usage at its end) of the load itself and the settling after it. What the requests that were looked at cost is taken off."""
    carried = loopback_bytes()
    before, own, complaints = server.usage(), time.process_time(), server.astray()
    with verify.Beside(server, target, payload, seconds, bench.random) as beside, Sampler(server, seconds, beside.client) as sampler:
        load = _load(bench, cell, server, target, placement, seconds)
        complaints += put_off(server, target, load)
    if server.alive():
        server.settle()
        complaints += sampler.complaints + server.astray()
    after, looked = server.usage(), beside.looked
    used, own = after - before, time.process_time() - own
    carried = None if carried is None else loopback_bytes() - carried
    share = load.requests / (load.requests + looked.answers) if load.requests else 1.0
    bench.command(f'{cell.server} {cell.model}', load.command, server)
    return Run(
        seconds=load.seconds, requests=load.requests, latency_mean_ms=load.latency_mean_ms, latency_max_ms=load.latency_max_ms,
        histogram=load.histogram, server_cpu_s=used.cpu_s * share, client_cpu_s=load.client_cpu_s,
        machine_cpu_s=max(0.0, used.machine_busy_s - load.client_cpu_s - own) * share, client_cores=len(placement.client),
        shared_cores=placement.shared, memory_peak_bytes=sampler.memory_bytes, connections_per_worker=sampler.connections,
        context_switches=round(used.context_switches * share), notes=list(load.notes),
        invalid=list(load.errors) + _lost(server, before, after) + complaints + verify.worded(looked.complaints)
        + carried_too_little(load, target, cell.bytes, carried)), load, looked, after


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
