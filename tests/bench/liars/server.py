"""A small file server (PUT and GET below /files/, and POST that keeps nothing) that does as it should, but for one lie. server.py PORT ROOT LIE

The first requests are served well, so that a look at one before the load finds nothing. LIES says what happens to later ones.
"""

import asyncio
import fcntl
import itertools
import os
import shutil
import signal
import socket
import sys
import time

HONEST_REQUESTS = 5
CROWD = 6   # connections
OLD = 30    # requests over one connection
LAZY_S = 0.3
IDLE_S = 0.03
EVERY = 10  # of the later requests, where a lie is told now and then

LIES = {
    'honest': 'none',
    'early-answer': 'answers an upload before it has read the body, and stores what it gets',
    'early-half': 'answers an upload before it has read the body, and stores half of it',
    'half-stored': 'answers all uploads, and stores every other',
    'wrong-stored': 'stores a wrong byte in a file now and then',
    'short-stored': 'stores a byte less now and then',
    'wrong-sent': 'sends a wrong byte in a file now and then',
    'short-sent': 'sends a byte less now and then, with a Content-Length to match',
    'error': 'answers 500 now and then',
    'dies': 'its process dies now and then, between two requests, and is replaced',
    'double': 'answers each request twice, the second time with nothing',
    'silent': 'never answers a request now and then',
    'escape': 'serves as it should, by a process that has left its parent, its session and its group; the first one only waits',
    'unpin': 'serves as it should, on all cores of the machine, as soon as it is asked',
    'hard-links': 'keeps no upload that holds the same as the sample, but gives the sample another name',
    'two-faced': 'sends wrong bytes to a request whose head is as wrk makes it, and right ones to any other',
    'second-crowd': 'sends wrong bytes while many are connected at once for the second time: neither before the load nor after it',
    'garbage-after-30': 'sends wrong bytes over a connection that has had more requests than any look before a load makes',
    'early-after-30': 'answers uploads over such a connection before it has read the body, and stores what it gets',
    'tenfold': 'answers each request ten times',
    'symlinks': 'keeps no upload that holds the same as the sample, but points to a copy of it',
    'deferred-after-30': 'answers uploads over such a connection from memory, and stores them when nobody has asked for a while',
    'lazy': 'stores nothing but room, until somebody opens one of the files',
}

count = itertools.count(1)
open_now, crowds = set(), []  # connections; for each time there was a crowd of them, whether it is there still


def reply(status, body=b''):
    return f'HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n'.encode() + body


def store(root, name, body):
    part = os.path.join(root, f'.part-{name}')
    with open(part, 'wb') as file:
        file.write(body)
    os.rename(part, os.path.join(root, name))


unwritten = []  # (descriptor, body) of files that have but their size


def store_room(root, name, body):
    """A file of zeros, under a lease: who opens it waits, and we are sent SIGIO."""
    part = os.path.join(root, f'.part-{name}')
    number = os.open(part, os.O_WRONLY | os.O_CREAT)
    os.posix_fallocate(number, 0, len(body))
    fcntl.fcntl(number, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    os.rename(part, os.path.join(root, name))
    unwritten.append((number, body))


def write_all():
    end = time.process_time() + LAZY_S  # as if there were more of it
    while unwritten and time.process_time() < end:
        pass
    while unwritten:
        number, body = unwritten.pop()
        os.pwrite(number, body, 0)
        fcntl.fcntl(number, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        os.close(number)


deferred = []  # (root, name, body) of uploads that are answered, and not there
idle = []      # the timer that ends in their being stored


def store_when_idle(root, name, body):
    deferred.append((root, name, body))
    for timer in idle:
        timer.cancel()
    idle[:] = [asyncio.get_running_loop().call_later(IDLE_S, store_deferred)]


def store_deferred():
    while deferred:
        store(*deferred.pop())


def name_again(root, name, body, link=os.link):
    """Whether a body that is the sample has become a file that costs nothing."""
    copy = os.path.join(root, '.copy')
    if not os.path.exists(copy):
        shutil.copy(os.path.join(root, 'sample.bin'), copy)
    with open(copy, 'rb') as file:
        if file.read() != body:
            return False
    link(copy, os.path.join(root, name))
    return True


def flipped(body):
    return body[:-1] + bytes([body[-1] ^ 1])


async def put(reader, writer, root, name, length, lie, now):
    if lie in ('early-answer', 'early-half', 'early-after-30'):
        writer.write(reply('201 Created'))
    body = await reader.readexactly(length)
    if lie == 'early-half':
        body = body[:length // 2]
    elif lie == 'wrong-stored' and now:
        body = flipped(body)
    elif lie == 'short-stored' and now:
        body = body[:-1]
    if lie == 'hard-links' and name_again(root, name, body) or lie == 'symlinks' and name_again(root, name, body, os.symlink):
        pass
    elif lie == 'deferred-after-30':
        store_when_idle(root, name, body)
    elif lie == 'lazy':
        store_room(root, name, body)
    elif not (lie == 'half-stored' and next(count) % 2):
        store(root, name, body)
    if not lie.startswith('early'):
        writer.write(reply('201 Created'))


def wrong(lie, now, head):
    """Whether this download is one of those with a wrong byte."""
    return (lie == 'garbage-after-30' or lie == 'wrong-sent' and now or lie == 'two-faced' and head.count('\r\n') == 3
            or lie == 'second-crowd' and len(crowds) == 2 and crowds[1])


def get(writer, root, name, lie, now, head):
    try:
        with open(os.path.join(root, name), 'rb') as file:
            body = file.read()
    except OSError:
        writer.write(reply('404 Not Found'))
        return
    if wrong(lie, now, head):
        body = flipped(body)
    elif lie == 'short-sent' and now:
        body = body[:-1]
    writer.write(reply('200 OK', body))


async def serve(reader, writer, root, lie):
    """One connection to its end."""
    for asked in itertools.count(1):
        head = (await reader.readuntil(b'\r\n\r\n')).decode('latin-1')
        method, path, _ = head.split(' ', 2)
        length = next((int(line[15:]) for line in head.lower().split('\r\n') if line.startswith('content-length:')), 0)
        number, name = next(count), os.path.basename(path)
        told = lie if number > HONEST_REQUESTS else 'honest'
        if told.endswith('-after-30') and asked <= OLD:
            told = 'honest'
        if told == 'unpin':
            os.sched_setaffinity(0, range(os.cpu_count()))
        now = number % EVERY == 0
        if told == 'silent' and now:
            await asyncio.sleep(3600)
        if told == 'dies' and number % 25 == 0:
            os._exit(1)
        if told == 'error' and now:
            await reader.readexactly(length)
            writer.write(reply('500 Internal Server Error'))
        elif method == 'PUT':
            await put(reader, writer, root, name, length, told, now)
        elif method == 'POST':
            await reader.readexactly(length)
            writer.write(reply('200 OK') * (10 if told == 'tenfold' else 1))
        else:
            get(writer, root, name, told, now, head)
        if told == 'double':
            writer.write(reply('201 Created'))
        await writer.drain()
        if 'connection: close' in head.lower():
            writer.close()
            return


def counted(writer, comes):
    """A connection comes or goes; a crowd with it, perhaps."""
    (open_now.add if comes else open_now.discard)(writer)
    if len(open_now) >= CROWD and not any(crowds):
        crowds.append(True)
    elif len(open_now) < 2:
        crowds[:] = [False] * len(crowds)


async def work(listener, root, lie):
    async def connection(reader, writer):
        counted(writer, True)
        try:
            await serve(reader, writer, root, lie)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            counted(writer, False)
            writer.close()
    asyncio.get_running_loop().add_signal_handler(signal.SIGIO, write_all)
    server = await asyncio.start_server(connection, sock=listener, limit=1 << 20, backlog=1024)
    await server.serve_forever()


def replace_for_ever(listener, root, lie):
    """The parent of a worker: holds the listening socket, and starts another worker when one ends."""
    child = 0

    def stop(*_):
        os.kill(child, signal.SIGKILL)
        os._exit(0)
    signal.signal(signal.SIGTERM, stop)
    while True:
        child = os.fork()
        if not child:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            asyncio.run(work(listener, root, lie))
        os.waitpid(child, 0)


def escape(listener):
    """Goes on in a grandchild that has left all its kin; the first process waits for its end."""
    child = os.fork()
    if child:
        listener.close()
        os.waitpid(child, 0)
        signal.pause()
    os.setsid()
    if os.fork():
        os._exit(0)


def main(port, root, lie):
    listener = socket.create_server(('127.0.0.1', int(port)), backlog=1024)
    if lie == 'escape':
        escape(listener)
    if lie == 'dies':
        replace_for_ever(listener, root, lie)
    asyncio.run(work(listener, root, lie))


if __name__ == '__main__':
    main(*sys.argv[1:])
