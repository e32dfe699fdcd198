"""Servers that lie are caught and marked: the benchmark runs over tests/bench/liars, as a user would have it run over a server."""

import itertools
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

import support
from support import HARNESS, model, rng
import ceilings
import environment
import measure
import servers
import verify
from endpoints import BY_NAME, Payload
from report import figures, tables

LIARS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'liars')
WITHIN_S = 280

UNPIN = {'unpin': 'may run on other cores' if len(os.sched_getaffinity(0)) > 1 else ''}  # on one core there is nothing to leave

# What is run by its name: endpoint, seconds of load, connections. A connection grows old in the long ones only, on a busy machine too.
RUNS = {'PUT': ('PUT', '0.3', '8'), 'GET': ('GET', '0.3', '8'), 'long-PUT': ('PUT', '2', '2'), 'long-GET': ('GET', '2', '2'),
        'memory': ('upload/stream/async_read_and_memory_write', '0.3', '8')}

# run → liar → what the reason must say; '': this lie is none there
CAUGHT = {  # who escapes is found all the same
    'PUT': {
        'honest': '',
        'early-answer': 'answered before its body was there',
        'early-half': 'are not 65536 bytes long',
        'half-stored': 'files after',
        'wrong-stored': 'hold other bytes',
        'short-stored': 'one is 65535',
        'error': 'answers were 4xx or 5xx',
        'dies': 'ended under the load',
        'double': 'files after',
        'silent': 'had no answer',
        'hard-links': 'are links to one file',
        'symlinks': 'are no files of their own',
        'lazy': 'work put off until then',
        **UNPIN,
    },
    'GET': {
        'honest': '',
        'wrong-sent': 'others than they should be',
        'short-sent': '65535 bytes of 65536',
        'error': 'answers were 4xx or 5xx',
        'dies': 'ended under the load',
        'double': 'downloads are missing',
        'silent': 'had no answer',
        'two-faced': 'others than they should be',
        'second-crowd': 'others than they should be',
        **UNPIN,
    },
    'long-PUT': {'honest': '', 'escape': '', 'early-after-30': 'answered before its body was there',
                 'deferred-after-30': 'uploads were answered and not there'},
    'long-GET': {'honest': '', 'escape': '', 'garbage-after-30': 'others than they should be'},
    'memory': {'honest': '', 'double': 'more of an answer than one', 'tenfold': 'bytes went over the loopback'},
}


def run(name, servers, directory, *more, folder=LIARS):
    """(exit status, Report) of the benchmark of these servers."""
    out, (endpoint, seconds, connections) = os.path.join(directory, 'report'), RUNS[name]
    command = [sys.executable, HARNESS, 'run', '--build', os.path.join(directory, 'none'), '--peer-dir', folder, '--servers', *servers,
               '--endpoints', endpoint, '--sizes', '64k', '--connections', connections, '--repeats', '1', '--seconds', seconds, '--dir', directory,
               '--out', out, '--quiet', '--seed', '1', *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=WITHIN_S)
    assert os.path.exists(os.path.join(out, 'report.json')), done.stderr
    return done.returncode, model.load(os.path.join(out, 'report.json'))


@pytest.fixture(scope='module')
def reports(tmp_path_factory):
    """run → (exit status, Report)."""
    return {endpoint: run(endpoint, liars, str(tmp_path_factory.mktemp(endpoint))) for endpoint, liars in CAUGHT.items()}


@pytest.mark.parametrize('endpoint,liar', [(endpoint, liar) for endpoint, liars in CAUGHT.items() for liar in liars])
def test_a_lie_makes_its_cell_invalid_and_is_named_and_an_honest_server_is_believed(endpoint, liar, reports):
    row = reports[endpoint][1].row(server=liar)
    reasons = [reason for run in row.runs for reason in run.invalid]
    if not CAUGHT[endpoint][liar]:
        assert (row.state, reasons) == ('ok', [])
    else:
        assert row.state == 'INVALID', row.runs[0]
        assert any(CAUGHT[endpoint][liar] in reason for reason in reasons), reasons
        assert row.runs[0].requests, 'caught before the load, not by it'


def test_a_benchmark_with_a_liar_in_it_fails(reports):
    assert {status for status, _ in reports.values()} == {1}


def test_every_lie_there_is_is_told(reports):
    with open(os.path.join(LIARS, 'peer.json'), encoding='utf-8') as file:
        assert set(json.load(file)['names']) == {liar for liars in CAUGHT.values() for liar in liars}


def test_liars_leave_nothing_behind(reports, tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    for endpoint in CAUGHT:
        left = {name for folder in base.iterdir() if folder.name.startswith(endpoint) for name in os.listdir(folder)}
        assert left == {'report'}
    assert not [pid for pid in os.listdir('/proc') if pid.isdigit() and str(base).encode() in command_of(pid)]


def command_of(pid):
    try:
        with open(f'/proc/{pid}/cmdline', 'rb') as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return b''


@pytest.mark.parametrize('endpoint', ['long-PUT', 'long-GET'])
def test_a_process_that_left_its_parent_is_accounted_for(endpoint, reports):
    escaped, honest = (reports[endpoint][1].row(server=server).runs[0] for server in ('escape', 'honest'))
    assert escaped.cpu_us_per_request > honest.cpu_us_per_request / 4
    assert sum(escaped.connections_per_worker) == sum(honest.connections_per_worker) == 2


def test_durability_that_was_not_seen_is_called_a_claim(tmp_path):
    folder = tmp_path / 'own'
    folder.mkdir()
    (folder / 'start').symlink_to(os.path.join(LIARS, 'start'))
    (folder / 'server.py').symlink_to(os.path.join(LIARS, 'server.py'))
    (folder / 'peer.json').write_text(json.dumps({'names': {'honest': ['alone']}, 'endpoints': ['PUT'], 'durability': 'fdatasync',
                                                  'version': 'echo 1'}))
    notes = run('PUT', ['honest'], str(tmp_path), '--durability', 'data', folder=str(folder))[1].rows[0].runs[0].notes
    assert notes == ['fdatasync is what the server claims: that the bytes reached a disk was not seen']


@pytest.fixture
def honest(tmp_path):
    """(server, target, payload) of an upload to the honest server."""
    payload = Payload(str(tmp_path), 1000)
    server = servers.catalogue(str(tmp_path), [LIARS])['honest'].start('alone', 1, str(tmp_path), payload)
    yield server, payload.at(BY_NAME['PUT']), payload
    server.stop()


def put(server, *files):
    for number, content in enumerate(files):
        with open(os.path.join(server.root, f'file{number}'), 'wb') as file:
            file.write(content)


@pytest.mark.parametrize('whole,cut,complaint', [
    (5, 0, ''), (7, 0, ''), (5, 2, ''), (6, 1, ''), (4, 0, '4 files after 5'), (8, 0, '8 files after 5'), (5, 3, '8 files after 5'),
    (4, 1, '1 of 5 files are not 1000 bytes'), (4, 3, '3 of 7 files are not'), (0, 5, '5 of 5 files are not'),
])
def test_only_requests_that_the_client_cut_off_may_leave_a_file_more_or_half_a_file(whole, cut, complaint, honest):
    server, target, payload = honest
    put(server, *[payload.data] * whole, *[payload.data[:-1]] * cut)
    notes = []
    found = verify.after(server, target, payload, 5, 2, rng(), notes)
    assert [complaint in each for each in found] == ([True] if complaint else [])
    assert notes == ([f'{cut} uploads that the client cut off were left as files, cut'] if cut and whole >= 5 else [])


def test_a_sample_that_a_server_spoilt_is_noticed(honest):
    server, target, payload = honest
    put(server, payload.data)
    with open(os.path.join(server.root, 'sample.bin'), 'ab') as file:
        file.write(b'more')
    assert verify.after(server, target, payload, 1, 0, rng()) == ['sample.bin was changed']


def test_a_file_system_is_known_where_a_changed_root_hides_its_mount(tmp_path):
    for path in (str(tmp_path), '/dev/shm'):
        mounted = environment.mount_of(path)[0]
        assert mounted in ('', environment.kind_by_statfs(path))


def test_names_for_one_file_and_files_without_their_bytes_are_no_files(honest):
    server, target, payload = honest
    put(server, payload.data)
    os.link(os.path.join(server.root, 'file0'), os.path.join(server.root, 'file1'))
    assert verify.after(server, target, payload, 2, 0, rng()) == ['2 of 2 files are links to one file']
    server.clean()
    put(server, payload.data)
    with open(os.path.join(server.root, 'file1'), 'wb') as file:
        file.truncate(len(payload.data))
    assert verify.after(server, target, payload, 2, 0, rng()) == ['1 of 2 files have fewer blocks than bytes', '1 of 2 files hold other bytes']


def test_an_upload_that_was_looked_at_must_lie_there_with_its_own_bytes(honest):
    server, target, payload = honest
    uploads = list(itertools.islice(payload.uploads(target), 3))
    put(server, payload.data, *[upload.stored for upload in uploads])
    assert verify.after(server, target, payload, 1, 0, rng(), looked=uploads) == []
    assert verify.after(server, target, payload, 4, 0, rng()) == ['3 of 4 files hold other bytes']
    put(server, payload.data, payload.data)
    assert verify.after(server, target, payload, 1, 0, rng(), looked=uploads) == [
        '1 of 3 uploads that were looked at one by one are not there with their own bytes']


def test_a_server_is_told_when_others_listen_for_it_or_hold_its_sockets(honest, tmp_path):
    server = honest[0]
    assert server.astray() == []
    stranger = servers.Server('stranger', ['sleep', '60'], str(tmp_path / 'stranger'), server.port)
    try:
        assert stranger.astray() == ["the socket that listens on the port is at no process of the server's",
                                     "1 processes that are none of the server's hold its sockets"]
    finally:
        stranger.stop()


def test_downloads_are_missing_as_soon_as_their_bytes_and_most_of_their_heads_are_not_there():
    load = SimpleNamespace(requests=10, bytes_read=10 * (1000 + 90))
    assert measure.missing_bytes(load, 1000, 90 + measure.HEAD_VARIES_BYTES) == []
    load.bytes_read -= 1
    assert measure.missing_bytes(load, 1000, 90 + measure.HEAD_VARIES_BYTES) == ['1 bytes of 10 downloads are missing']


def test_answers_that_were_counted_must_have_gone_over_the_loopback(tmp_path):
    target, load = Payload(str(tmp_path), 1000).at(BY_NAME['PUT']), SimpleNamespace(requests=10, answered=0)
    assert measure.carried_too_little(load, target, 1000, 10_000) == measure.carried_too_little(load, target, 1000, None) == []
    assert measure.carried_too_little(load, target, 1000, 9999) == ['10 answers of 1000 bytes were counted, and 9999 bytes went over the loopback']


def test_far_more_than_a_ceiling_is_no_answer_and_a_little_more_is_a_bound():
    cell = support.cell(connections=8)
    made, known = support.run(rng(), requests=5000, seconds=1.0), [model.Ceiling('client upload', cell.bytes, 2500.0, (2400.0, 2600.0))]
    assert ceilings.beyond(made, cell, known) == []
    made.requests = 8000
    assert ceilings.beyond(made, cell, known) == ['8000 requests/s are 3.2 times the ceiling client upload: no honest answers']
    assert ceilings.beyond(made, support.cell(bytes=1), known) == []


def test_a_machine_that_was_busy_with_what_no_account_holds_leaves_no_rank_in_cpu():
    quiet, noisy = (support.row(rng(), the_cell=support.cell(server), server_cpu_s=1.0, client_cpu_s=1.0, machine_cpu_s=machine_s)
                    for server, machine_s in (('nginx', 1.5), ('caddy', 1.8)))
    other = support.row(rng(2), the_cell=support.cell('h2o'))
    assert set(figures.ranks([quiet, noisy, other], 'cpu_us')) == {quiet.cell.key, other.cell.key}
    assert noisy.cell.key in figures.ranks([quiet, noisy, other], 'rate')
    assert 'the machine used 40% more CPU than server and client' in tables.remark(support.report(quiet, noisy), noisy)
    assert 'the machine used' not in tables.remark(support.report(quiet, noisy), quiet)
