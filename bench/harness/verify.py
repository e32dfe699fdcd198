"""That the work is done: the file that goes up lies in the root, the one that comes down is the sample, and none is lost or cut."""

import hashlib
import http.client
import itertools
import json
import os
import select
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from endpoints import SAMPLE

SAMPLES = 200  # files whose bytes are looked at; of all, number and size are
LOOKS, LOOKED_AT_BYTES, LOOKERS = 100, 32 << 20, 8  # requests that look() makes, of at most so many bytes, and over how many connections
ANSWERED_WITHIN_S, SECONDS_PER_MIB = 5, 1  # a request alone or among LOOKERS, however slow the server
EARLY_S = 0.1  # that half of an upload is held back
STRATEGY_FIELD = 'Forklift-Strategy'
SAID = {'none': 'page cache', 'data': 'fdatasync', 'full': 'fsync+directory', 'memory': 'none kept'}  # by Forklift
_number = itertools.count(1)


def contents(path):
    with open(path, 'rb') as file:
        return file.read()


def ask(server, target):
    """One request: (status, body, strategy as the server says it)."""
    connection = http.client.HTTPConnection('127.0.0.1', server.port, timeout=30)
    try:
        return ask_over(connection, target)
    finally:
        connection.close()


def ask_over(connection, target):
    """One more request over a connection: as ask."""
    headers = {'Content-Type': target.content_type} if target.body else {}
    connection.request(target.method, path_of(target), contents(target.body) if target.body else None, headers)
    reply = connection.getresponse()
    return reply.status, reply.read(), reply.getheader(STRATEGY_FIELD, '')


def path_of(target):
    return target.path + (f'check{next(_number)}' if target.unique else '')


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
    try:
        status, body, strategy = ask(server, target)
    except (OSError, http.client.HTTPException) as error:
        return '', [f'no answer: {error!r}']
    if not 200 <= status < 300:
        return '', [f'{status}: {body[:300].decode(errors="replace").strip()}']
    if target.method == 'GET':
        return strategy, [] if body == payload.data else [f'another file came down: {len(body)} bytes']
    reply, complaints = said_in(body), after(server, target, payload, 1, 0)
    server.clean()
    if reply.get('size', len(payload.data)) != len(payload.data):
        complaints.append(f'says that it took {reply["size"]} bytes of {len(payload.data)}')
    if durability and SAID.get(reply.get('durability'), durability) != durability:
        complaints.append(f'says durability {reply["durability"]}, not {durability}')
    return strategy, complaints


def after(server, target, payload, answered, connections, rng=None, notes=None):
    """What is wrong with the files that a load has left, in words. A client that ends cuts off requests: one file a connection may be
    there that was not answered, whole or cut, which is worth one of the notes. answered: requests that got a 2xx. rng: chooses whose
    bytes are looked at.
    """
    found = list(server.stored())
    complaints = [] if contents(os.path.join(server.root, SAMPLE)) == payload.data else [f'{SAMPLE} was changed']
    if not target.stores:
        return complaints + ([f'{len(found)} files were kept'] if found else [])
    if not answered <= len(found) <= answered + connections:
        complaints.append(f'{len(found)} files after {answered} answers over {connections} connections')
    size, sizes = os.path.getsize(target.stored), {path: os.path.getsize(path) for path in found}
    whole, wrong = [path for path in found if sizes[path] == size], [other for other in sizes.values() if other != size]
    if len(whole) < answered and wrong:
        complaints.append(f'{len(wrong)} of {len(found)} files are not {size} bytes long, one is {wrong[0]}')
    elif wrong and notes is not None:
        notes.append(f'{len(wrong)} uploads that the client cut off were left as files, cut')
    looked_at = whole if len(whole) <= SAMPLES else rng.sample(whole, SAMPLES)
    digest = hashlib.sha256(contents(target.stored)).digest()
    other = sum(hashlib.sha256(contents(path)).digest() != digest for path in looked_at)
    if other:
        complaints.append(f'{other} of {len(looked_at)} files hold other bytes')
    return complaints


def look(server, target, payload, seconds=None):
    """What is wrong with answers now, in words: LOOKS requests, by some connections at once, whose every byte is compared; an upload also
    must not be answered before it is there. What wrk can't see: wrong bytes, and requests that are never answered. Leaves nothing.
    seconds: so long at most, beside a load of downloads; then it is none of a slow server's faults that an answer takes long.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    each = max(1, min(LOOKS, LOOKED_AT_BYTES // max(1, len(payload.data))) // LOOKERS)
    with ThreadPoolExecutor(LOOKERS + 1) as pool:
        early = pool.submit(answered_early, server, target, payload) if target.body else None
        lookers = [pool.submit(_look_often, server, target, payload, each, deadline) for _ in range(LOOKERS)]
        answered = sum(looker.result()[0] for looker in lookers)
        complaints = [complaint for looker in lookers for complaint in looker.result()[1]]
    if target.body:
        complaints += early.result()
        if not complaints:
            complaints = after(server, target, payload, answered + 1, 0)
        server.clean()
    found = sorted(set(complaints), key=complaints.index)
    return [f'looked at one by one: {complaint}' for complaint in found]


def patience(payload):
    """Seconds after which a request is taken as never answered."""
    return ANSWERED_WITHIN_S + SECONDS_PER_MIB * len(payload.data) / 2 ** 20


def _look_often(server, target, payload, count, deadline):
    """(answers, complaints) of so many requests over one connection; the first complaint ends it."""
    patience_s = max(0.1, deadline - time.monotonic()) if deadline else patience(payload)
    connection = http.client.HTTPConnection('127.0.0.1', server.port, timeout=patience_s)
    try:
        for number in range(count):
            if deadline and time.monotonic() > deadline:
                break
            status, body, _ = ask_over(connection, target)
            if not 200 <= status < 300:
                return number, [f'{status} for an answer']
            if target.method == 'GET' and body != payload.data:
                return number, [f'another file came down: {len(body)} bytes of {len(payload.data)}'
                                + (', others than they should be' if len(body) == len(payload.data) else '')]
        return count, []
    except TimeoutError:
        return 0, [] if deadline else [f'a request had no answer after {patience_s:.0f} s']
    except (OSError, http.client.HTTPException) as error:
        return 0, [f'no answer: {error!r}']
    finally:
        connection.close()


def answered_early(server, target, payload):
    """Complaints when an upload is answered of which half is still to come."""
    body = contents(target.body)
    head = (f'{target.method} {path_of(target)} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: {target.content_type}\r\n'
            f'Content-Length: {len(body)}\r\nConnection: close\r\n\r\n').encode()
    half = len(body) // 2
    try:
        with socket.create_connection(('127.0.0.1', server.port), patience(payload)) as client:
            client.sendall(head + body[:half])
            if select.select([client], [], [], EARLY_S)[0] and client.recv(1, socket.MSG_PEEK):
                return ['an upload was answered before its body was there']
            client.sendall(body[half:])
            reply = http.client.HTTPResponse(client, method=target.method)
            reply.begin()
            return [] if 200 <= reply.status < 300 else [f'{reply.status} for an upload that came in two halves']
    except OSError as error:
        return [f'an upload that came in two halves had no answer: {error!r}']
    except http.client.HTTPException as error:
        return [f'an upload that came in two halves had a strange answer: {error!r}']
