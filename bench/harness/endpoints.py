"""What servers are asked for: the article's endpoints, ours and the general routes, what is sent, and which floor measures them."""

import itertools
import os
import secrets
from dataclasses import dataclass

from postdata import CONTENT_TYPES, body_of

SAMPLE = 'sample.bin'
STORE, DISCARD, SENDFILE = 'receive_store', 'receive_discard', 'sendfile_download'


@dataclass(frozen=True)
class Endpoint:
    """What a server is asked for. bound: at most so many times the floor's CPU per request; None: no promise."""
    name: str
    body: str = ''      # raw, form, json; none: a download
    floor: str = STORE
    bound: float = None
    article: bool = True  # FastAPI has it too

    @property
    def path(self):
        return f'/files/{self.name}'

    @property
    def keeps(self):
        """An upload that is a file afterwards."""
        return bool(self.body) and self.floor != DISCARD


@dataclass(frozen=True)
class Target:
    """What the load and the check ask a server for. body: a file with the bytes of the request; '': no body."""
    path: str
    method: str = 'GET'
    body: str = ''
    content_type: str = ''
    stores: bool = False
    stored: str = ''      # a file with the bytes that must then lie in the root
    unique: bool = False  # every request must append something of its own to the path
    kind: str = ''        # of the body: raw, form or json
    parsed: bool = True   # the file that the body carries is stored, not the body
    fields: str = ''      # more of the head, whole lines, each with its \r\n; not by open_loop

    def head(self, port, length=0, name=''):
        """A request's, byte for byte that of wrk and of open_loop. length: of the body. name: what is appended to the path."""
        about = f'Content-Type: {self.content_type}\r\nContent-Length: {length}\r\n' if self.body else ''
        return f'{self.method} {self.path}{name} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{about}{self.fields}\r\n'.encode()


@dataclass(frozen=True)
class Upload:
    """One upload with bytes of its own, made when they are asked for: a load's hundreds would not fit into memory."""
    payload: object
    target: Target
    first: bytes  # in place of the first bytes of the payload's other file

    @property
    def data(self):
        return (self.first + self.payload.other[len(self.first):])[:len(self.payload.data)]

    @property
    def body(self):
        return body_of(self.target.kind, self.data, self.payload.NAME)

    @property
    def stored(self):
        return self.data if self.target.parsed else self.body


def name_of_run():
    """What begins the names of a client's files; then come its thread, n, and ten digits that count. None tells who the client is."""
    return f'{secrets.token_hex(6)}t'


ENDPOINTS = (
    Endpoint('upload/stream/async_read_and_memory_write', 'raw', DISCARD, 1.6),
    Endpoint('upload/stream/async_read_and_disk_write', 'raw', bound=1.15),
    Endpoint('upload/stream/async_read_and_async_write', 'raw', bound=1.5),
    Endpoint('upload/stream/splice', 'raw', bound=1.2, article=False),
    Endpoint('upload/stream/uring', 'raw', article=False),
    Endpoint('upload/stream/direct', 'raw', article=False),
    Endpoint('upload/single', 'form', bound=1.3),
    Endpoint('upload/single/sync', 'form', bound=1.3),
    Endpoint('upload/single/stream', 'form'),
    Endpoint('upload/single/stream/async_read_sync_write', 'form', bound=1.3),
    Endpoint('upload/single/stream/sync_read_sync_write', 'form'),
    Endpoint('upload/raw/json/base64decode', 'json', bound=1.7),
    Endpoint('download/stream/sync_read', floor=SENDFILE, bound=2.0),
    Endpoint('download/stream/async_read', floor=SENDFILE),
    Endpoint('download/stream/uring', floor=SENDFILE, article=False),
    Endpoint('download/file', floor=SENDFILE, bound=1.25),
    Endpoint('download/file/sync', floor=SENDFILE),
)

GENERAL = (
    Endpoint('PUT', 'raw', article=False),
    Endpoint('GET', floor=SENDFILE, article=False),
)
BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS + GENERAL}
ARTICLE = tuple(endpoint.name for endpoint in ENDPOINTS if endpoint.article)
FLOORS = {  # a floor program → an endpoint that is measured by it
    DISCARD: 'upload/stream/async_read_and_memory_write', STORE: 'upload/stream/async_read_and_disk_write', SENDFILE: 'download/file'}


def chosen(names):
    """Endpoints by whole name, else by its last words (disk_write, single/sync), else by any part (json, download)."""
    if not names or 'all' in names:
        return list(ENDPOINTS)
    found = []
    for name in names:
        some = ([e for e in ENDPOINTS if e.name == name]
                or [e for e in ENDPOINTS if e.name.endswith(('/' + name, '_' + name))]
                or [e for e in ENDPOINTS if name in e.name.split('/')])
        if not some:
            raise SystemExit(f'no endpoint {name!r}; there are: all ' + ' '.join(e.name for e in ENDPOINTS))
        found += some
    return [e for e in ENDPOINTS if e in found]


class Payload:
    """One file of noise and the bodies that carry it, each a file of its own below a directory."""

    NAME = 'health.jpg'

    def __init__(self, directory, size):
        self.data, self.other, self.directory = os.urandom(size), os.urandom(size), directory
        for kind in CONTENT_TYPES:
            self._write(kind, body_of(kind, self.data, self.NAME))

    def _write(self, kind, data):
        with open(self.file(kind), 'wb') as file:
            file.write(data)

    def file(self, kind):
        return os.path.join(self.directory, f'body.{kind}')

    def uploads(self, target):
        """Those that no load sends, one after another: other bytes of the same length, no two alike as far as the length allows, and none
        like the load's. Of a download: none.
        """
        for number in itertools.count() if target.body else ():
            first = bytes([self.data[0] ^ (1 + number % 255)]) + os.urandom(15) if self.data else b''
            yield Upload(self, target, first)

    def upload(self, path, kind='raw', method='POST', stores=True, parsed=True, unique=False):
        return Target(path, method, self.file(kind), CONTENT_TYPES[kind], stores, self.file('raw' if parsed else kind), unique, kind, parsed)

    def at(self, endpoint, path=None, unique=None):
        """The endpoint as Forklift is asked for it, or a peer; path, unique: where that peer differs."""
        if endpoint.name == 'PUT':
            return self.upload(path or '/files/put-', method='PUT', unique=True if unique is None else unique)
        if not endpoint.body:
            return Target(path or (f'/files/{SAMPLE}' if endpoint.name == 'GET' else f'{endpoint.path}?name={SAMPLE}'))
        return self.upload(path or endpoint.path, endpoint.body, stores=endpoint.keeps, unique=bool(unique))

    def at_floor(self, endpoint, wire=False):
        """The same work at its floor. wire: it gets the very body, else just the file that the body carries."""
        if not endpoint.body:
            return Target(f'/files/{SAMPLE}')
        return self.upload('/', endpoint.body if wire else 'raw', stores=endpoint.keeps, parsed=False)
