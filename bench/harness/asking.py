"""Requests one by one that a server can't tell from those of a load: the same head, byte for byte, over a connection that is kept."""

import http.client
import itertools
import select
import socket
from typing import NamedTuple

from endpoints import name_of_run

EARLY_S = 0.1  # that half of an upload is held back
STRATEGY_FIELD = 'Forklift-Strategy'


class Unasked(http.client.HTTPException):
    """There were bytes of an answer before a request was sent."""


PROBLEMS = (OSError, http.client.HTTPException)  # what a request may end with instead of an answer


class Answer(NamedTuple):
    status: int
    body: bytes
    head_bytes: int
    strategy: str = ''   # as the server says it
    early: bool = False  # it came when half of the upload was still to be sent

    @property
    def good(self):
        return 200 <= self.status < 300


class Heard:
    """What HTTPResponse reads from, for one answer: counts the head, and stays open for the next answer."""

    def __init__(self, file):
        self.file, self.head_bytes = file, 0
        self.read, self.readinto, self.read1, self.flush = file.read, file.readinto, file.read1, file.flush

    def makefile(self, _mode):
        return self

    def readline(self, *limit):
        line = self.file.readline(*limit)
        self.head_bytes += len(line)
        return line

    def close(self):
        pass


class Client:
    """A connection to a server, made anew when the server has ended it."""

    def __init__(self, port, timeout_s):
        self.port, self.timeout_s, self.socket, self.file, self.own_port = port, timeout_s, None, None, 0
        self.name, self.numbers = name_of_run(), itertools.count(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def connect(self):
        self.socket = socket.create_connection(('127.0.0.1', self.port), self.timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as both load generators do
        self.file, self.own_port = self.socket.makefile('rb'), self.socket.getsockname()[1]

    def close(self):
        if self.socket:
            self.file.close()
            self.socket.close()
        self.socket = self.file = None

    def _unasked(self):
        self.socket.settimeout(0)
        try:
            return self.file.peek(1)
        finally:
            self.socket.settimeout(self.timeout_s)

    def ask(self, target, body=b'', halved=False):
        """The Answer, or one of PROBLEMS. halved: half of the body comes EARLY_S later."""
        if not self.socket:
            self.connect()
        elif self._unasked():
            raise Unasked
        name = f'{self.name}0n{next(self.numbers):010}' if target.unique else ''
        request, half = target.head(self.port, len(body), name) + body, len(body) // 2 if halved else 0
        self.socket.sendall(request[:len(request) - half])
        if half:
            if select.select([self.socket], [], [], EARLY_S)[0] and self.socket.recv(1, socket.MSG_PEEK):
                self.close()
                return Answer(0, b'', 0, early=True)
            self.socket.sendall(request[len(request) - half:])
        heard = Heard(self.file)
        reply = http.client.HTTPResponse(heard, method=target.method)
        reply.begin()
        head_bytes, body = heard.head_bytes, reply.read()
        if reply.will_close:
            self.close()
        return Answer(reply.status, body, head_bytes, reply.getheader(STRATEGY_FIELD, ''))
