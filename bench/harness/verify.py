"""That the work is done: the file that goes up lies in the root, the one that comes down is the sample, and none is lost or cut."""

import hashlib
import http.client
import itertools
import json
import os

from endpoints import SAMPLE

SAMPLES = 200  # files whose bytes are looked at; of all, number and size are
SAID = {'none': 'page cache', 'data': 'fdatasync', 'full': 'fsync+directory', 'memory': 'none kept'}  # by Forklift
_number = itertools.count(1)


def contents(path):
    with open(path, 'rb') as file:
        return file.read()


def ask(server, target):
    """One request: (status, body)."""
    connection = http.client.HTTPConnection('127.0.0.1', server.port, timeout=30)
    try:
        headers = {'Content-Type': target.content_type} if target.body else {}
        path = target.path + (f'check{next(_number)}' if target.unique else '')
        connection.request(target.method, path, contents(target.body) if target.body else None, headers)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


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
        status, body = ask(server, target)
    except (OSError, http.client.HTTPException) as error:
        return '', [f'no answer: {error!r}']
    if not 200 <= status < 300:
        return '', [f'{status}: {body[:300].decode(errors="replace").strip()}']
    if target.method == 'GET':
        return '', [] if body == payload.data else [f'another file came down: {len(body)} bytes']
    reply, complaints = said_in(body), after(server, target, payload, 1, 0)
    server.clean()
    if reply.get('size', len(payload.data)) != len(payload.data):
        complaints.append(f'says that it took {reply["size"]} bytes of {len(payload.data)}')
    if durability and SAID.get(reply.get('durability'), durability) != durability:
        complaints.append(f'says durability {reply["durability"]}, not {durability}')
    return str(reply.get('strategy', '')), complaints


def after(server, target, payload, answered, connections, rng=None):
    """What is wrong with the files that a load has left, in words. A client that ends cuts off requests that the server has done: one
    more file a connection is right. answered: requests that got a 2xx. rng: chooses whose bytes are looked at.
    """
    found = list(server.stored())
    complaints = [] if contents(os.path.join(server.root, SAMPLE)) == payload.data else [f'{SAMPLE} was changed']
    if not target.stores:
        return complaints + ([f'{len(found)} files were kept'] if found else [])
    if not answered <= len(found) <= answered + connections:
        complaints.append(f'{len(found)} files after {answered} answers over {connections} connections')
    size = os.path.getsize(target.stored)
    sizes = [os.path.getsize(path) for path in found]
    wrong = [other for other in sizes if other != size]
    if wrong:
        complaints.append(f'{len(wrong)} of {len(found)} files are not {size} bytes long, one is {wrong[0]}')
    looked_at = found if len(found) <= SAMPLES else rng.sample(found, SAMPLES)
    digest = hashlib.sha256(contents(target.stored)).digest()
    other = sum(hashlib.sha256(contents(path)).digest() != digest for path in looked_at)
    if other:
        complaints.append(f'{other} of {len(looked_at)} files hold other bytes')
    return complaints
