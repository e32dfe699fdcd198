"""Servers that lie are caught and marked: the benchmark runs over tests/bench/liars, as a user would have it run over a server."""

import json
import os
import subprocess
import sys

import pytest

from support import HARNESS, model, rng
import servers
import verify
from endpoints import BY_NAME, Payload

LIARS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'liars')
WITHIN_S = 120

# endpoint → liar → what the reason must say; '': this lie is none there
CAUGHT = {
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
    },
    'GET': {
        'honest': '',
        'wrong-sent': 'others than they should be',
        'short-sent': '65535 bytes of 65536',
        'error': 'answers were 4xx or 5xx',
        'dies': 'ended under the load',
        'double': 'downloads are missing',
        'silent': 'had no answer',
    },
}


def run(endpoint, servers, directory):
    """(exit status, Report) of the benchmark of these servers."""
    out = os.path.join(directory, 'report')
    command = [sys.executable, HARNESS, 'run', '--build', os.path.join(directory, 'none'), '--peer-dir', LIARS, '--servers', *servers,
               '--endpoints', endpoint, '--sizes', '64k', '--connections', '8', '--repeats', '1', '--seconds', '0.3', '--dir', directory,
               '--out', out, '--quiet', '--seed', '1']
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=WITHIN_S)
    assert os.path.exists(os.path.join(out, 'report.json')), done.stderr
    return done.returncode, model.load(os.path.join(out, 'report.json'))


@pytest.fixture(scope='module')
def reports(tmp_path_factory):
    """endpoint → (exit status, Report)."""
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
    assert [status for status, _ in reports.values()] == [1, 1]


def test_every_lie_there_is_is_told(reports):
    with open(os.path.join(LIARS, 'peer.json'), encoding='utf-8') as file:
        assert set(json.load(file)['names']) == {liar for liars in CAUGHT.values() for liar in liars}


def test_liars_leave_nothing_behind(reports, tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    for endpoint in CAUGHT:
        left = {name for folder in base.iterdir() if folder.name.startswith(endpoint) for name in os.listdir(folder)}
        assert left == {'report'}


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


def test_a_look_at_an_honest_server_leaves_nothing_behind(honest):
    server, target, payload = honest
    assert verify.look(server, target, payload) == []
    assert not list(server.stored())
