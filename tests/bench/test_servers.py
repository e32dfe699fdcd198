"""Every server of the benchmark: it does the work it is measured for, is accounted for, and leaves nothing behind."""

import http.client
import json
import os
import random
import socket
import subprocess
import sys
import time

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(TOP, 'bench', 'harness'))

import groups  # noqa: E402
import servers  # noqa: E402
import verify  # noqa: E402
from accounting import Account, adopt_orphans, spawn, start_ticks  # noqa: E402
from endpoints import ENDPOINTS, FLOORS, SAMPLE, Payload  # noqa: E402
from model import DURABILITY, MODELS  # noqa: E402

BUILD = os.environ.get('FORKLIFT_BUILD', os.path.join(TOP, 'build'))
CATALOGUE = servers.catalogue(BUILD)
MODELS_OF_ALL = [(name, model) for name, peer in CATALOGUE.items() if name != 'floor' for model in peer.models]
BURN = 'import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n'
KEPT_ALIVE = 1100  # requests over a connection: some servers end it after 1000 unless told
DISK, MEMORY = 'upload/stream/async_read_and_disk_write', 'upload/stream/async_read_and_memory_write'


@pytest.fixture
def payload(tmp_path):
    os.chmod(tmp_path, 0o755)
    return Payload(str(tmp_path), 100_000)


@pytest.fixture
def start(tmp_path, payload):
    running = []

    def one(peer, model='alone', **options):
        if peer.missing():
            pytest.skip(peer.missing())
        running.append(peer.start(model, 3, str(tmp_path), payload, **options))
        return running[-1]
    yield one
    for server in running:
        server.stop()


def gone_soon(pids):
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(start_ticks(pid) for pid in pids):
        time.sleep(0.01)
    return not any(start_ticks(pid) for pid in pids)


def keep_asking(server, target, requests, connections=2):
    """So many requests over each of some connections that the server must not close; how many were answered with 2xx."""
    clients, answered = [http.client.HTTPConnection('127.0.0.1', server.port, timeout=20) for _ in range(connections)], 0
    body = verify.contents(target.body) if target.body else None
    for client in clients:
        client.connect()
        client.auto_open = 0
    for number in range(requests):
        for index, client in enumerate(clients):
            path = target.path + (f'{index}n{number}' if target.unique else '')
            client.request(target.method, path, body, {'Content-Type': target.content_type} if body else {})
            reply = client.getresponse()
            reply.read()
            answered += 200 <= reply.status < 300
    for client in clients:
        client.close()
    return answered


@pytest.mark.parametrize('name, model', MODELS_OF_ALL)
def test_a_server_takes_and_gives_the_right_bytes_and_is_accounted_for(name, model, start, payload):
    peer = CATALOGUE[name]
    server = start(peer, model)
    assert peer.version() and '\n' not in peer.version() and set(peer.models) <= set(MODELS)
    for endpoint in peer.endpoints():
        strategy, complaints = verify.before(server, peer.target(endpoint, payload), payload, peer.durability(endpoint))
        assert complaints == [] and bool(strategy) == (name == 'forklift'), (endpoint, strategy)
    before = server.usage()
    for endpoint in {peer.endpoints()[0], peer.endpoints()[-1]}:
        target, each = peer.target(endpoint, payload), KEPT_ALIVE if endpoint == 'GET' else 30
        assert keep_asking(server, target, each) == 2 * each
        assert verify.after(server, target, payload, 2 * each, 0, random.Random(1)) == []
        server.clean()
        assert list(server.stored()) == []
    used = server.usage() - before
    assert 0.01 < used.cpu_s <= used.machine_busy_s + 0.2 and used.context_switches > 0
    assert used.pids >= before.pids and server.process.pid in used.pids
    assert server.memory_bytes() > 1 << 19


@pytest.mark.parametrize('name, model', MODELS_OF_ALL)
def test_connections_are_found_at_their_workers_and_a_stop_leaves_no_process(name, model, start):
    server = start(CATALOGUE[name], model)
    clients = [socket.create_connection(('127.0.0.1', server.port)) for _ in range(7)]
    for client in clients:  # accepted, since they are answered
        client.sendall(b'GET / HTTP/1.1\r\nHost: test\r\n\r\n')
        assert client.recv(1)
    counts = server.connections()
    assert sum(counts) == 7
    assert len(counts) == (3 if model == 'xN' and name not in ('caddy', 'h2o') else 1)
    for client in clients:
        client.close()
    pids = server.usage().pids
    server.stop()
    assert gone_soon(pids)


@pytest.mark.parametrize('program', FLOORS)
def test_a_floor_does_the_work_of_its_endpoints(program, start, payload):
    floor = CATALOGUE['floor']
    server = start(floor, endpoint=FLOORS[program])
    for endpoint in ENDPOINTS:
        if endpoint.floor == program:
            assert verify.before(server, floor.target(endpoint.name, payload), payload) == ('', [])


@pytest.mark.parametrize('asked', DURABILITY[1:4])
def test_forklift_is_as_durable_as_the_row_says(asked, start, payload):
    forklift = CATALOGUE['forklift']
    assert forklift.durability(DISK, asked) == asked
    assert (forklift.durability(MEMORY, asked), forklift.durability('GET', asked)) == ('none kept', 'read')
    server = start(forklift, durability=asked)
    assert verify.before(server, forklift.target(DISK, payload), payload, asked) == ('blocking', [])
    other = 'page cache' if asked != 'page cache' else 'fdatasync'
    assert verify.before(server, forklift.target(DISK, payload), payload, other)[1] != []
    assert {CATALOGUE[name].durability('PUT', asked) for name in ('nginx', 'lighttpd')} == {'page cache'}


def test_forklift_says_which_strategy_a_row_measures(start, payload):
    forklift = CATALOGUE['forklift']
    server = start(forklift)
    named = {endpoint: verify.before(server, forklift.target(endpoint, payload), payload)[0] for endpoint in (DISK, MEMORY, 'PUT', 'GET')}
    assert named == {DISK: 'blocking', MEMORY: 'memory', 'PUT': 'blocking', 'GET': 'sendfile'}


# What is not right with the work.

@pytest.fixture
def uploads(start, payload):
    """(server, target): with five uploads."""
    forklift = CATALOGUE['forklift']
    server, target = start(forklift), forklift.target(DISK, payload)
    assert keep_asking(server, target, 5, 1) == 5
    return server, target


def after(uploads, payload, answered=5, connections=0, target=None):
    return verify.after(uploads[0], target or uploads[1], payload, answered, connections, random.Random(1))


def test_an_answer_without_a_file_is_noticed_and_one_more_file_a_connection_is_not(uploads, payload):
    assert after(uploads, payload) == after(uploads, payload, 4, 1) == after(uploads, payload, 3, 2) == []
    assert after(uploads, payload, 3, 1) == ['5 files after 3 answers over 1 connections']
    os.unlink(next(uploads[0].stored()))
    assert after(uploads, payload, 5, 100) == ['4 files after 5 answers over 100 connections']


def test_a_file_that_is_too_short_or_holds_other_bytes_is_noticed(uploads, payload):
    path = next(uploads[0].stored())
    with open(path, 'r+b') as file:
        file.write(bytes([payload.data[0] ^ 1]))
    assert after(uploads, payload) == ['1 of 5 files hold other bytes']
    os.truncate(path, 99_999)
    assert after(uploads, payload)[0] == '1 of 5 files are not 100000 bytes long, one is 99999'


def test_a_file_that_was_not_to_be_kept_and_a_changed_sample_are_noticed(uploads, payload):
    memory = CATALOGUE['forklift'].target(MEMORY, payload)
    assert after(uploads, payload, target=memory) == ['5 files were kept']
    uploads[0].clean()
    assert after(uploads, payload, target=memory) == []
    os.truncate(os.path.join(uploads[0].root, SAMPLE), 5)
    assert after(uploads, payload, target=memory) == [f'{SAMPLE} was changed']
    complaints = verify.before(uploads[0], payload.at(ENDPOINTS[-1]), payload)[1]
    assert complaints == ['another file came down: 5 bytes']


def test_an_answer_that_is_no_success_and_none_at_all_are_noticed(start, payload):
    peer = CATALOGUE['forklift']
    server = start(peer)
    assert verify.before(server, payload.upload('/nowhere'), payload)[1][0].startswith('404: ')
    server.stop()
    assert verify.before(server, peer.target('PUT', payload), payload)[1][0].startswith('no answer')


# Accounting.

def account_of(code):
    """A Python program that ends when its input does, and its Account once it says so."""
    process = spawn([servers.PYTHON, '-c', code + '\nprint("done", flush=True)\ninput()'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    text=True)
    return process, Account(process.pid)


def end(process):
    process.communicate('\n')


@pytest.mark.parametrize('what', [
    f'import threading\ndef burn():\n    exec({BURN!r})\none = threading.Thread(target=burn)\none.start()\none.join()',
    f'import subprocess, sys\nsubprocess.run([sys.executable, "-c", {BURN!r}])'], ids=['thread', 'child'])
def test_what_ended_between_two_looks_is_accounted_for(what):
    process, account = account_of(what)
    assert process.stdout.readline() == 'done\n'
    used, switches = account.usage(), account.usage().context_switches
    assert 0.29 < used.cpu_s < 0.6 and used.machine_busy_s > 0.25
    assert used.pids == {process.pid} and switches >= used.context_switches > 0
    end(process)
    assert account.usage().pids == frozenset()


def test_a_child_that_nobody_waits_for_is_accounted_for_as_it_was_last_seen():
    process, account = account_of('import signal, subprocess, sys, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n'
                                  f'one = subprocess.Popen([sys.executable, "-c", {BURN!r} + "time.sleep(0.5)"])\none.wait()')
    while account.usage().cpu_s < 0.3 and process.poll() is None:
        time.sleep(0.02)
    assert len(account.usage().pids) == 2
    assert process.stdout.readline() == 'done\n'
    assert account.usage().cpu_s >= 0.3 and account.usage().pids == {process.pid}
    end(process)


def test_a_process_that_lost_its_parent_still_counts():
    process, account = account_of('import os, time\none = os.fork()\nif not one:\n    if not os.fork(): time.sleep(1)\n'
                                  '    time.sleep(0.3)\n    os._exit(0)\nos.waitpid(one, 0)')
    while len(account.pids()) < 3:
        time.sleep(0.01)
    assert process.stdout.readline() == 'done\n'
    assert len(account.usage().pids) == 2
    end(process)


ORPHAN = f'''import os
reader, writer = os.pipe()
child = os.fork()
if not child:
    os.setsid()
    if not os.fork():
        exec({BURN!r})
    os._exit(0)
os.waitpid(child, 0)
os.close(writer)
os.read(reader, 1)  # until it ends
'''


def test_a_process_that_lost_its_parent_and_has_ended_counts_too():
    adopt_orphans()
    process, account = account_of(ORPHAN)
    assert process.stdout.readline() == 'done\n'
    assert gone_soon(account.pids() - {process.pid})  # its last breath may come after the end of the pipe
    used = account.usage()
    assert 0.29 < used.cpu_s < 0.6 and used.pids == {process.pid}
    end(process)


UNWAITED = f"""import os, signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(3):
    if not os.fork():
        exec({BURN!r})
        os._exit(0)
try:
    os.wait()
except ChildProcessError:
    print('done', flush=True)
input()
"""


def test_children_that_nobody_waits_for_are_accounted_for_where_there_are_control_groups(tmp_path, start):
    group = groups.make()
    if group is None:
        pytest.skip('no control group can be made here')
    process = spawn([servers.PYTHON, '-c', UNWAITED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=group.enter)
    account = Account(process.pid, group)
    assert process.stdout.readline() == 'done\n'
    assert 0.89 < account.usage().cpu_s < 1.5 and account.usage().pids == {process.pid}
    end(process)
    group.remove()
    assert not os.path.exists(group.path)


def test_groups_of_a_benchmark_that_was_killed_are_removed_and_those_of_a_living_one_are_not():
    mine = groups.make()
    if mine is None:
        pytest.skip('no control group can be made here')
    gone = subprocess.run([sys.executable, '-c', 'import groups; print(groups.make().path)'], cwd=os.path.dirname(groups.__file__),
                          capture_output=True, text=True, check=True).stdout.strip()
    assert os.path.exists(gone)
    groups.make().remove()
    assert not os.path.exists(gone) and os.path.exists(mine.path)
    mine.remove()


# A server of one's own.

FILE_SERVER = f'exec {servers.PYTHON} -m http.server --bind 127.0.0.1 --directory "$2" "$1"'


def folder(tmp_path, start, **about):
    own = tmp_path / 'own'
    own.mkdir()
    (own / 'start').write_text(f'#!/bin/sh\n{start}\n')
    (own / 'start').chmod(0o755)
    (own / 'peer.json').write_text(json.dumps({'names': {'mine': ['alone']}, 'endpoints': {'GET': {'path': f'/{SAMPLE}'}},
                                               'version': 'echo "$1 1.0"', **about}))
    return str(own)


def test_a_folder_of_the_users_own_is_a_server(tmp_path, start, payload):
    own = folder(tmp_path, FILE_SERVER)
    mine = servers.catalogue(BUILD, [own])['mine']
    assert (mine.version(), mine.endpoints(), mine.missing()) == ('mine 1.0', ['GET'], '')
    server = start(mine)
    assert verify.before(server, mine.target('GET', payload), payload, mine.durability('GET')) == ('', [])


def test_what_a_version_command_leaves_behind_is_ended_before_a_server_begins(tmp_path, start):
    left = f'{servers.PYTHON} -c "import time; time.sleep(60)"'
    own = folder(tmp_path, FILE_SERVER, version=f'(setsid {left} >/dev/null 2>&1 & echo $! >pid); echo 1')
    mine = servers.catalogue(BUILD, [own])['mine']
    assert mine.version() == '1'
    with open(os.path.join(own, 'pid'), encoding='ascii') as file:
        pid = int(file.read())
    servers.Server.strays.clear()
    server = start(mine)
    assert start_ticks(pid) is None and pid not in server.usage().pids
    assert len(servers.Server.strays) == 1
    servers.Server.strays.clear()


def test_a_stop_ends_the_children_that_a_server_forgets(tmp_path, start):
    forgotten = f'{servers.PYTHON} -c "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)" &\n'
    server = start(servers.catalogue(BUILD, [folder(tmp_path, forgotten + FILE_SERVER)])['mine'])
    pids = server.usage().pids
    assert len(pids) == 2
    server.stop()
    assert gone_soon(pids)


def test_a_server_that_does_not_start_says_why(tmp_path, payload):
    mine = servers.catalogue(BUILD, [folder(tmp_path, 'echo no licence >&2; exit 1')])['mine']
    with pytest.raises(servers.ServerError, match='mine did not start: no licence'):
        mine.start('alone', 1, str(tmp_path), payload)


@pytest.mark.parametrize('need', ['no-such-program', '/no/such/file', 'python3:no_such_module'])
def test_a_server_that_is_not_installed_is_missing_and_is_not_started(tmp_path, payload, need):
    mine = servers.catalogue(BUILD, [folder(tmp_path, 'exit 1', needs=[need])])['mine']
    assert mine.missing() == need.replace('python3:', '') + ' is not installed'
    with pytest.raises(servers.ServerError, match='is not installed'):
        mine.start('alone', 1, str(tmp_path), payload)


@pytest.mark.parametrize('about, complaint', [({'endpoints': ['POST']}, "no endpoint 'POST'"), ({'names': None}, 'what it must hold'),
                                              ({'names': {'nginx': ['x1']}}, "a server 'nginx' already")])
def test_a_folder_that_is_not_right_is_refused_in_words(tmp_path, about, complaint):
    with pytest.raises(servers.ServerError, match=complaint):
        servers.catalogue(BUILD, [folder(tmp_path, '', **about)])
