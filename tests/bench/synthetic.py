"""A server whose every delay and every fault is known."""

import asyncio
import socket
import struct
import threading
import time

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
ERROR = b'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n'


class Synthetic:
    """Answers on a free port as long as a `with` lasts, in a thread of its own. `answer(server, writer)` is awaited for each request
    that has come whole; with reads_body=False as soon as its head has come."""

    def __init__(self, answer, reads_body=True):
        self.answer, self.reads_body = answer, reads_body
        self.requests = self.connections = 0
        self.heads = set()  # of all requests, as they came
        self.first = None  # time of the first request
        self.loop, self.writers = asyncio.new_event_loop(), set()
        self.up = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        self.up.wait(10)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.end.set_result, None)
        self.thread.join()

    def _run(self):
        self.loop.run_until_complete(self._serve())
        self.loop.close()

    async def _serve(self):
        self.end, self.alone = self.loop.create_future(), asyncio.Lock()
        server = await asyncio.start_server(self._connection, '127.0.0.1', 0, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        self.up.set()
        await self.end
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in self.writers:
            writer.close()

    async def _connection(self, reader, writer):
        self.connections += 1
        self.writers.add(writer)
        writer.get_extra_info('socket').setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b'\r\n\r\n')
                self.heads.add(head)
                head = head.lower()
                self.requests += 1
                self.first = self.first or time.monotonic()
                if self.reads_body and b'content-length:' in head:
                    await reader.readexactly(int(head.split(b'content-length:')[1].split()[0]))
                await self.answer(self, writer)
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self.writers.discard(writer)


def after(seconds):
    """Each answer so long after its request, however many there are at a time."""
    async def answer(_, writer):
        await asyncio.sleep(seconds)
        writer.write(OK)
    return answer


def stalling_once(begin, stall, seconds):
    """As after(), but `begin` seconds after the first request the whole server stands still for `stall` seconds."""
    state = []

    async def answer(server, writer):
        if not state:
            state.append(asyncio.get_running_loop().call_later(begin, time.sleep, stall))
        await asyncio.sleep(seconds)
        writer.write(OK)
    return answer


def one_at_a_time(seconds):
    """Never more than 1 / seconds answers a second."""
    async def answer(server, writer):
        async with server.alone:
            await asyncio.sleep(seconds)
        writer.write(OK)
    return answer


def says(text, close=False):
    """Each answer is these bytes."""
    async def answer(_, writer):
        writer.write(text)
        if close:
            writer.close()
    return answer


async def resets(_, writer):
    writer.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    writer.transport.abort()


async def never_answers(_, writer):
    await asyncio.sleep(60)


async def every_second_fails(server, writer):
    writer.write(ERROR if server.requests % 2 else OK)
