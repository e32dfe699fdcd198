"""What is done to a fleet while its clients look on. Each takes (fleet, bench) and gives figures."""

import asyncio
import os
import random
import signal
import time
from statistics import median

from accounting import send
from background import Background
from client import DOWNLOAD, Gone, Load, connected

BIG = 'big.bin'
BIG_BYTES = 8 << 20  # more than the sockets' buffers hold, so that a client that reads slowly keeps it in flight


class Memory(Background):
    """Samples the fleet's proportional memory (PSS: shared pages shared out) on a thread of its own."""

    def __init__(self, fleet, every_s=0.05):
        super().__init__()
        self.fleet, self.every_s, self.samples = fleet, every_s, []

    def run(self):
        while not self.over.wait(self.every_s):
            self.samples.append(self.fleet.pss())


async def until(condition, within_s):
    end = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.02)
    return True


def load_on(fleet, bench):
    return Load(fleet.port, bench.payload, bench.options.rate)


async def reload(fleet, bench):
    """HUP after HUP, each when the last has replaced everybody; and what memory that takes."""
    if not fleet.reloads:
        return None
    unfinished = 0
    with Memory(fleet) as memory:
        async with load_on(fleet, bench) as load:
            await asyncio.sleep(bench.options.settle)
            before = list(memory.samples)
            for _ in range(bench.options.reloads):
                old = fleet.workers()
                fleet.signal(signal.SIGHUP)
                unfinished += not await until(lambda: fleet.is_up(fleet.count, without=old), 20)
    peak = max(memory.samples)
    return {**load.figures(), 'reloads': bench.options.reloads, 'unfinished': unfinished,
            'pss_before_mb': median(before) / 1e6, 'pss_peak_mb': peak / 1e6, 'pss_ratio': peak / median(before)}


async def scale(fleet, bench):
    """From two workers to five and back. The fleet has two."""
    if not fleet.scales:
        return None
    unfinished = 0
    async with load_on(fleet, bench) as load:
        for _ in range(bench.options.scalings):
            for number, steps in ((signal.SIGTTIN, (3, 4, 5)), (signal.SIGTTOU, (4, 3, 2))):
                await asyncio.sleep(0.2)
                for count in steps:
                    fleet.signal(number)
                    await asyncio.sleep(0.1)
                unfinished += not await until(lambda aim=count: fleet.is_up(aim), 20)
    return {**load.figures(), 'scalings': bench.options.scalings, 'unfinished': unfinished}


async def kill(fleet, bench):
    """A worker at random is killed every 200 ms. What it had in its hands is lost; nothing else need be."""
    chance, kills = random.Random(bench.options.seed), 0
    async with load_on(fleet, bench) as load:
        end = time.monotonic() + bench.options.kill_seconds
        while time.monotonic() < end:
            workers = fleet.workers()
            if workers:
                send([chance.choice(workers)], signal.SIGKILL)
                kills += 1
            await asyncio.sleep(0.2)
    recovered = await until(lambda: fleet.is_up(fleet.count), 20)
    return {**load.figures(), 'kills': kills, 'recovered': recovered}


async def serve_again(fleet, bench):
    """All workers are killed at once: how long until somebody answers."""
    if not fleet.respawns:
        return {'median_ms': None, 'max_ms': None, 'n': 0}
    times = []
    for _ in range(bench.options.respawns):
        if not await until(lambda: fleet.is_up(fleet.count), 30):
            break
        await asyncio.sleep(1.0)
        workers, begin = fleet.workers(), time.monotonic()
        send(workers, signal.SIGKILL)
        if not await until(lambda old=workers: not set(old) & set(fleet.workers()), 10):
            break
        fate = None
        while fate != 'ok' and time.monotonic() - begin < 30:
            connection, fate = await connected(fleet.port)
            if connection is not None:
                fate = await connection.exchange(bench.payload.download(True), bench.payload.data)
                connection.close()
        if fate == 'ok':
            times.append((time.monotonic() - begin) * 1e3)
    return {'median_ms': median(times) if times else None, 'max_ms': max(times, default=None), 'n': len(times)}


async def balance(fleet, bench):
    """Long-lived connections, opened one after the other, each with one answered request: who holds how many."""
    held = []
    try:
        for _ in range(bench.options.connections):
            connection, why = await connected(fleet.port)
            if connection is None:
                raise Gone(why)
            held.append(connection)
            await connection.exchange(bench.payload.download(False), bench.payload.data)
        await asyncio.sleep(0.1)
        per_worker = fleet.connections_per_worker()
    finally:
        for connection in held:
            connection.close()
    mean = bench.options.connections / fleet.count
    return {'per_worker': per_worker, 'busiest': max(per_worker, default=0), 'mean': mean, 'bound': 1.1 * mean + 1}


# TERM: what becomes of connections that are idle, in the middle of a transfer, or not yet accepted.


async def idle_at_term(connection, bench, term, after_s):
    """Asks once more so long after TERM: answered, retried (was closed before a byte was sent), or lost."""
    await term.wait()
    await asyncio.sleep(after_s)
    if connection.ended_while_idle():
        return 'retried'
    return await connection.exchange(bench.payload.download(False), bench.payload.data)


async def upload_at_term(port, bench, begun, term):
    connection, fate = await connected(port)
    if connection is None:
        return fate
    request = bench.payload.upload(False)
    await connection.send(request[:len(request) // 2])
    begun()
    await term.wait()
    await asyncio.sleep(0.5)
    fate = await connection.exchange(request[len(request) // 2:], None)
    connection.close()
    return fate


async def download_at_term(port, big, begun, term):
    """Reads the first bytes, and the rest half a second after TERM."""
    connection, fate = await connected(port)
    if connection is None:
        return fate
    await connection.send(f'GET {DOWNLOAD}{BIG} HTTP/1.1\r\nHost: bench\r\n\r\n'.encode())
    try:
        connection.received = await connection.more()
        begun()
        await term.wait()
        await asyncio.sleep(0.5)
        return await connection.exchange(b'', big)
    except Gone as gone:
        return gone.args[0]
    finally:
        connection.close()


def tally(fates):
    return {fate: fates.count(fate) for fate in sorted(set(fates))}


async def term_established(fleet, bench):
    """TERM among idle connections and transfers in flight."""
    term, wanted = asyncio.Event(), bench.options.at_term
    idle = []
    for _ in range(wanted):
        connection, _ = await connected(fleet.port)
        if connection and await connection.exchange(bench.payload.download(False), bench.payload.data) == 'ok':
            idle.append(connection)
    count = 0

    def begun():
        nonlocal count
        count += 1

    moving = [asyncio.create_task(upload_at_term(fleet.port, bench, begun, term)) for _ in range(wanted // 2)]
    moving += [asyncio.create_task(download_at_term(fleet.port, bench.big, begun, term)) for _ in range(wanted // 2)]
    await until(lambda: count == len(moving), 10)
    asking = [asyncio.create_task(idle_at_term(connection, bench, term, 0.2 * i / wanted)) for i, connection in enumerate(idle)]
    await asyncio.sleep(0.2)
    fleet.signal(signal.SIGTERM)
    term.set()
    idle_fates, moving_fates = await asyncio.gather(*asking), await asyncio.gather(*moving)
    for connection in idle:
        connection.close()
    ended = await until(lambda: fleet.process.poll() is not None, 15)
    return {'idle': tally(idle_fates), 'in_flight': tally(moving_fates), 'master_exit': fleet.process.poll() if ended else None}


async def term_queued(fleet, bench):
    """TERM while requests wait in the listening socket's queue: the workers are stopped, and go on after it."""
    workers = fleet.workers()
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    asking = []
    for _ in range(bench.options.at_term):
        connection, _ = await connected(fleet.port)
        if connection:
            asking.append((connection, asyncio.create_task(
                connection.exchange(bench.payload.download(True), bench.payload.data))))
    await asyncio.sleep(0.1)
    fleet.signal(signal.SIGTERM)
    await asyncio.sleep(0.05)
    for worker in workers:
        os.kill(worker, signal.SIGCONT)
    fates = [await task for _, task in asking]
    for connection, _ in asking:
        connection.close()
    return {'queued': tally(fates)}

