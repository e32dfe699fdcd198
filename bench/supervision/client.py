"""A client that knows what became of every request: answered whole, retried as RFC 9112 allows, or lost and how."""

import asyncio
import os
import socket
import time
from collections import Counter

UPLOAD = '/files/upload/stream/async_read_and_disk_write'
DOWNLOAD = '/files/download/file?name='
TIMEOUT_S = 10.0

# What may become of a request. "retried" is none of them: it says that an idle connection was found closed before a byte of
# the request was sent, so that the request went out on a fresh one (RFC 9112, 9.3.1) and has a fate of its own there.
LOST = ('refused', 'reset', 'closed', 'truncated', 'status', 'wrong', 'timeout')


class Gone(Exception):
    """The connection did not bring an answer; args[0] is one of LOST."""


class Payload:
    """What goes up and what must come down."""

    def __init__(self, size, name):
        self.data, self.name = os.urandom(size), name

    def upload(self, close):
        fields = f'Content-Type: application/octet-stream\r\nContent-Length: {len(self.data)}\r\n'
        return self._head('POST', UPLOAD, close, fields) + self.data

    def download(self, close):
        return self._head('GET', DOWNLOAD + self.name, close, '')

    @staticmethod
    def _head(method, target, close, fields):
        connection = 'Connection: close\r\n' if close else ''
        return f'{method} {target} HTTP/1.1\r\nHost: bench\r\n{connection}{fields}\r\n'.encode()


class Connection:
    """One connection. Every way in which it can end is told from the others."""

    def __init__(self, port):
        self.port, self.reusable, self.received = port, False, b''
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def open(self):
        try:
            await asyncio.get_running_loop().sock_connect(self.socket, ('127.0.0.1', self.port))
        except ConnectionRefusedError:
            raise Gone('refused') from None
        except OSError:
            raise Gone('reset') from None
        return self

    def close(self):
        self.socket.close()

    def ended_while_idle(self):
        """Asks the kernel, at this very moment: nothing the event loop has yet to notice counts as open."""
        try:
            return self.socket.recv(1, socket.MSG_PEEK) == b''
        except BlockingIOError:
            return False
        except OSError:
            return True

    async def send(self, data):
        try:
            await asyncio.get_running_loop().sock_sendall(self.socket, data)
        except OSError:
            pass  # an answer may have come before the end: receiving says what became of it

    async def more(self):
        try:
            data = await asyncio.get_running_loop().sock_recv(self.socket, 1 << 17)
        except OSError:
            raise Gone('truncated' if self.received else 'reset') from None
        if not data:
            raise Gone('truncated' if self.received else 'closed')
        return data

    async def answer(self):
        """Status and body of one answer with a Content-Length."""
        while b'\r\n\r\n' not in self.received:
            self.received += await self.more()
        head, body = self.received.split(b'\r\n\r\n', 1)
        lines = head.decode('latin-1').lower().split('\r\n')
        fields = dict(line.split(': ', 1) for line in lines[1:])
        self.reusable = lines[0].startswith('http/1.1') and fields.get('connection') != 'close'
        status = int(lines[0].split()[1])
        size, parts, have = 0 if status == 204 else int(fields['content-length']), [body], len(body)
        while have < size:
            parts.append(await self.more())
            have += len(parts[-1])
        self.received = b''
        return status, b''.join(parts)

    async def exchange(self, request, expected):
        """The fate of one request."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self.send(request)
                status, body = await self.answer()
        except Gone as gone:
            return gone.args[0]
        except TimeoutError:
            return 'timeout'
        if not 200 <= status < 300:
            return 'status'
        return 'ok' if expected is None or body == expected else 'wrong'


async def connected(port):
    """A connection, or the reason that there is none."""
    connection = Connection(port)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await connection.open(), None
    except Gone as gone:
        connection.close()
        return None, gone.args[0]
    except TimeoutError:
        connection.close()
        return None, 'timeout'


class Load:
    """Requests at a fixed rate whatever the server does (an open loop: a server that hangs is sent no less). Every second one on
    a connection of its own, the others in turns on connections kept alive; half of each go up, half come down."""

    KEPT = 16

    def __init__(self, port, payload, rate):
        self.port, self.payload, self.rate = port, payload, rate
        self.fates, self.retried, self.waits = Counter(), 0, []
        self.idle, self.tasks, self.stopping, self.ticker = [], set(), False, None
        self.requests = {(up, close): payload.upload(close) if up else payload.download(close)
                         for up in (True, False) for close in (True, False)}

    async def __aenter__(self):
        self.ticker = asyncio.create_task(self._tick())
        return self

    async def __aexit__(self, *_):
        self.stopping = True
        await self.ticker
        if self.tasks:
            await asyncio.wait(self.tasks)
        for connection in self.idle:
            connection.close()

    async def _tick(self):
        begin, number = time.monotonic(), 0
        while not self.stopping:
            while number < (time.monotonic() - begin) * self.rate:
                task = asyncio.create_task(self._one(number))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
                number += 1
            await asyncio.sleep(0.002)

    async def _one(self, number):
        up, close = number % 4 < 2, number % 2 == 0
        begin = time.monotonic()
        connection, fate = await self._connection(close)
        if connection is not None:
            fate = await connection.exchange(self.requests[up, close], None if up else self.payload.data)
            if fate == 'ok' and not close and connection.reusable and len(self.idle) < self.KEPT and not self.stopping:
                self.idle.append(connection)
            else:
                connection.close()
        self.fates[fate] += 1
        self.waits.append(time.monotonic() - begin)

    async def _connection(self, close):
        while not close and self.idle:
            connection = self.idle.pop(0)
            if not connection.ended_while_idle():
                return connection, None
            connection.close()
            self.retried += 1
        return await connected(self.port)

    def figures(self):
        waits = sorted(self.waits) or [0.0]
        lost = {fate: self.fates[fate] for fate in LOST if self.fates[fate]}
        return {'requests': sum(self.fates.values()), 'lost': sum(lost.values()), 'lost_how': lost, 'retried': self.retried,
                'p50_ms': waits[len(waits) // 2] * 1e3, 'p99_ms': waits[len(waits) * 99 // 100] * 1e3, 'max_ms': waits[-1] * 1e3}
