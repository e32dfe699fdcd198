"""That the work is done: the file that goes up lies in the root, the one that comes down is the sample, and none is lost or cut.

All looks at a server are made by asking.py, so that it can't tell them from the load. An upload that is looked at has bytes of its own:
what lies in the root afterwards came with it.
"""

import hashlib
import itertools
import json
import os
import random
import stat
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from asking import PROBLEMS, Client, Unasked
from background import Background
from endpoints import SAMPLE
from environment import kind_of

SAMPLES = 200  # files whose bytes are looked at; of all, number and size are
LOOKS, LOOKED_AT_BYTES, LOOKERS = 100, 32 << 20, 8  # requests that look() makes, of at most so many bytes, and over how many connections
# During a load: requests a second over one connection, in bursts as quick as a load's, so that neither its age nor its pace tells it from
# those of a load of as many answers a connection; of at most so many bytes in all.
BESIDE_PER_S, BURST, BESIDE_BYTES = 80, 8, 256 << 20
HALVED_APART_S = 0.3        # after which one more of these uploads comes in two halves
ANSWERED_WITHIN_S, SECONDS_PER_MIB = 5, 1  # a request alone or among LOOKERS, however slow the server
MARK_BYTES = 16             # by which one file that was looked at is told from another
BLOCK = 512                 # bytes, of st_blocks
HOLDS_BLOCKS = ('tmpfs', 'ext4', 'xfs')  # a file of noise has blocks for all its bytes as soon as it was written
SAID = {'none': 'page cache', 'data': 'fdatasync', 'full': 'fsync+directory', 'memory': 'none kept'}  # by Forklift


@dataclass
class Looked:
    """What came of requests that were looked at one by one."""
    answers: int = 0
    uploads: list = field(default_factory=list)      # of endpoints.Upload: those that were answered
    complaints: list = field(default_factory=list)
    heads: set = field(default_factory=set)          # bytes of the answers' heads

    def add(self, other):
        self.answers += other.answers
        self.uploads += other.uploads
        self.complaints += other.complaints
        self.heads |= other.heads

    @property
    def head_bytes(self):
        """Of the shortest head; 0: none was seen."""
        return min(self.heads, default=0)


def contents(path):
    with open(path, 'rb') as file:
        return file.read()


def said_in(body):
    """What a reply says of itself; {} when it is no JSON object."""
    try:
        reply = json.loads(body)
    except ValueError:
        return {}
    return reply if isinstance(reply, dict) else {}


def before(server, target, payload, durability=''):
    """One request, looked at from both sides; leaves nothing. (strategy, complaints): the strategy as the server says it, '' when it
    does not; a complaint that begins with 501 means that this machine lacks the mechanism. durability: the class it should have.
    """
    uploads = list(itertools.islice(payload.uploads(target), 1))
    try:
        with Client(server.port, patience(payload) + 25) as client:
            answer = client.ask(target, *[upload.body for upload in uploads])
    except PROBLEMS as error:
        return '', [f'no answer: {error!r}']
    if not answer.good:
        return '', [f'{answer.status}: {answer.body[:300].decode(errors="replace").strip()}']
    if target.method == 'GET':
        return answer.strategy, [] if answer.body == payload.data else [f'another file came down: {len(answer.body)} bytes']
    reply, complaints = said_in(answer.body), after(server, target, payload, 0, 0, looked=uploads)
    server.clean()
    if reply.get('size', len(payload.data)) != len(payload.data):
        complaints.append(f'says that it took {reply["size"]} bytes of {len(payload.data)}')
    if durability and SAID.get(reply.get('durability'), durability) != durability:
        complaints.append(f'says durability {reply["durability"]}, not {durability}')
    return answer.strategy, complaints


def after(server, target, payload, answered, connections, rng=None, notes=None, looked=()):
    """What is wrong with the files that a load has left, in words. A client that ends cuts off requests: one file a connection may be
    there that was not answered, whole or cut, which is worth one of the notes. answered: requests that got a 2xx. rng: chooses whose
    bytes are looked at. looked: uploads besides, each of which must be there.
    """
    found, answered = list(server.stored()), answered + len(looked)
    complaints = [] if contents(os.path.join(server.root, SAMPLE)) == payload.data else [f'{SAMPLE} was changed']
    if not target.stores:
        return complaints + ([f'{len(found)} files were kept'] if found else [])
    if not answered <= len(found) <= answered + connections:
        complaints.append(f'{len(found)} files after {answered} answers over {connections} connections')
    size, stats = os.path.getsize(target.stored), {path: os.lstat(path) for path in found}
    whole, wrong = [path for path in found if stats[path].st_size == size], [one.st_size for one in stats.values() if one.st_size != size]
    if len(whole) < answered and wrong:
        complaints.append(f'{len(wrong)} of {len(found)} files are not {size} bytes long, one is {wrong[0]}')
    elif wrong and notes is not None:
        notes.append(f'{len(wrong)} uploads that the client cut off were left as files, cut')
    return complaints + not_files(server.root, stats.values()) + other_bytes(target, whole, looked, rng or random)


def not_files(root, stats):
    """Complaints of names for one file, and of files without their bytes."""
    links, complaints = sum(one.st_nlink != 1 for one in stats), []
    others = sum(not stat.S_ISREG(one.st_mode) for one in stats)
    if others:
        return [f'{others} of {len(stats)} names are no files of their own, but links or worse']
    if links:
        complaints.append(f'{links} of {len(stats)} files are links to one file')
    if kind_of(root) in HOLDS_BLOCKS:
        empty = sum(one.st_blocks * BLOCK < one.st_size for one in stats)
        complaints += [f'{empty} of {len(stats)} files have fewer blocks than bytes'] if empty else []
    return complaints


def other_bytes(target, paths, looked, rng):
    """Complaints of files that hold what was not sent; those of `looked` must be there as often as they were sent."""
    sample = contents(target.stored)
    place = mark_place(sample, looked[0].stored) if looked else 0
    expected, sent, there, load = {}, Counter(), Counter(), []
    for stored in (upload.stored for upload in looked):
        mark = stored[place:place + MARK_BYTES]
        expected[mark] = hashlib.sha256(stored).digest()
        sent[mark] += 1
    for path in paths:
        mark = mark_of(path, place) if looked else b''
        if mark not in expected:
            load.append(path)
        elif hashlib.sha256(contents(path)).digest() == expected[mark]:
            there[mark] += 1
    lost = sum((sent - there).values())
    complaints = [f'{lost} of {len(looked)} uploads that were looked at one by one are not there with their own bytes'] if lost else []
    chosen, digest = load if len(load) <= SAMPLES else rng.sample(load, SAMPLES), hashlib.sha256(sample).digest()
    other = sum(hashlib.sha256(contents(path)).digest() != digest for path in chosen)
    return complaints + ([f'{other} of {len(chosen)} files hold other bytes'] if other else [])


def mark_place(sample, other):
    """Where two files of one kind begin to differ."""
    return next((place for place, (one, two) in enumerate(zip(sample, other)) if one != two), 0)


def mark_of(path, place):
    with open(path, 'rb', buffering=0) as file:
        return os.pread(file.fileno(), MARK_BYTES, place)


def patience(payload):
    """Seconds after which a request is taken as never answered."""
    return ANSWERED_WITHIN_S + SECONDS_PER_MIB * len(payload.data) / 2 ** 20


def how_many(payload, most):
    return max(1, min(most, LOOKED_AT_BYTES // max(1, len(payload.data))))


def look(server, target, payload):
    """What is wrong with answers now, in words: LOOKS requests, by some connections at once, whose every byte is compared; an upload also
    must not be answered before it is there. What wrk can't see: wrong bytes, and requests that are never answered. Leaves nothing.
    """
    each, looked = max(1, how_many(payload, LOOKS) // LOOKERS), Looked()
    with ThreadPoolExecutor(LOOKERS) as pool:
        for one in pool.map(lambda _: _look_often(server, target, payload, each), range(LOOKERS)):
            looked.add(one)
    complaints = looked.complaints
    if target.body:
        complaints = complaints or after(server, target, payload, 0, 0, looked=looked.uploads)
        server.clean()
    return worded(complaints)


def worded(complaints):
    return [f'looked at one by one: {complaint}' for complaint in dict.fromkeys(complaints)]


def _look_often(server, target, payload, count):
    """Looked at so many requests over one connection; the first complaint ends it."""
    looked, uploads = Looked(), payload.uploads(target)
    with Client(server.port, patience(payload)) as client:
        for number in range(count):
            if not look_once(client, target, payload, looked, next(uploads, None), number == 0):
                break
    return looked


def look_once(client, target, payload, looked, upload, halved):
    """One more request, added to `looked`; whether it was answered as it should be. upload: what it carries, None: it is a download."""
    try:
        answer = client.ask(target, upload.body if upload else b'', halved)
    except Unasked:
        looked.complaints.append('there was more of an answer than one to each request')
        return False
    except TimeoutError:
        looked.complaints.append(f'a request had no answer after {client.timeout_s:.0f} s')
        return False
    except PROBLEMS as error:
        looked.complaints.append(f'no answer: {error!r}')
        return False
    complaint = ('an upload was answered before its body was there' if answer.early
                 else f'{answer.status} for an answer' if not answer.good else '' if upload else wrong_download(answer.body, payload.data))
    if complaint:
        looked.complaints.append(complaint)
        return False
    looked.answers += 1
    looked.heads.add(answer.head_bytes)
    looked.uploads += [upload] if upload else []
    return True


def wrong_download(body, data):
    """'' or what is wrong with it."""
    if body == data:
        return ''
    return f'another file came down: {len(body)} bytes of {len(data)}' + (', others than they should be' if len(body) == len(data) else '')


class Beside(Background):
    """`with Beside(...) as beside:` around a load of so many seconds: looks at single requests all the time, on one connection of its own.
    What came of them is in .looked when it is over; `after` must be told of the uploads.
    """

    def __init__(self, server, target, payload, seconds, rng):
        super().__init__()
        self.target, self.payload, self.rng = target, payload, rng
        self.looked, self.apart_s = Looked(), max(1 / BESIDE_PER_S, seconds * len(payload.data) / BESIDE_BYTES)
        self.client = Client(server.port, seconds + patience(payload))  # once the load is over, an answer must come

    def run(self):
        """Until the load is over, however late it began."""
        began, uploads, next_halved = time.monotonic(), self.payload.uploads(self.target), 0.0
        with self.client:
            for number in itertools.count():
                due = began + (number + self.rng.random() * BURST) * self.apart_s if number % BURST == 0 else began
                if self.over.wait(due - time.monotonic()):
                    return
                halved = time.monotonic() >= next_halved
                next_halved = time.monotonic() + HALVED_APART_S if halved else next_halved
                if not look_once(self.client, self.target, self.payload, self.looked, next(uploads, None), halved):
                    return
