"""A small file server (PUT and GET below /files/) that does as it should, but for one lie. server.py PORT ROOT LIE

The first requests are served well, so that a look at one before the load finds nothing. LIES says what happens to later ones.
"""

import asyncio
import itertools
import os
import signal
import socket
import sys

HONEST_REQUESTS = 5
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
}

count = itertools.count(1)


def reply(status, body=b''):
    return f'HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n'.encode() + body


def store(root, name, body):
    part = os.path.join(root, f'.part-{name}')
    with open(part, 'wb') as file:
        file.write(body)
    os.rename(part, os.path.join(root, name))


def flipped(body):
    return body[:-1] + bytes([body[-1] ^ 1])


async def put(reader, writer, root, name, length, lie, now):
    if lie in ('early-answer', 'early-half'):
        writer.write(reply('201 Created'))
    body = await reader.readexactly(length)
    if lie == 'early-half':
        body = body[:length // 2]
    elif lie == 'wrong-stored' and now:
        body = flipped(body)
    elif lie == 'short-stored' and now:
        body = body[:-1]
    if not (lie == 'half-stored' and next(count) % 2):
        store(root, name, body)
    if not lie.startswith('early'):
        writer.write(reply('201 Created'))


def get(writer, root, name, lie, now):
    try:
        with open(os.path.join(root, name), 'rb') as file:
            body = file.read()
    except OSError:
        writer.write(reply('404 Not Found'))
        return
    if lie == 'wrong-sent' and now:
        body = flipped(body)
    elif lie == 'short-sent' and now:
        body = body[:-1]
    writer.write(reply('200 OK', body))


async def serve(reader, writer, root, lie):
    """One connection to its end."""
    while True:
        head = (await reader.readuntil(b'\r\n\r\n')).decode('latin-1')
        method, path, _ = head.split(' ', 2)
        length = next((int(line[15:]) for line in head.lower().split('\r\n') if line.startswith('content-length:')), 0)
        number, name = next(count), os.path.basename(path)
        told = lie if number > HONEST_REQUESTS else 'honest'
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
        else:
            get(writer, root, name, told, now)
        if told == 'double':
            writer.write(reply('201 Created'))
        await writer.drain()
        if 'connection: close' in head.lower():
            writer.close()
            return


async def work(listener, root, lie):
    async def connection(reader, writer):
        try:
            await serve(reader, writer, root, lie)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
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


def main(port, root, lie):
    listener = socket.create_server(('127.0.0.1', int(port)), backlog=1024)
    if lie == 'dies':
        replace_for_ever(listener, root, lie)
    asyncio.run(work(listener, root, lie))


if __name__ == '__main__':
    main(*sys.argv[1:])
