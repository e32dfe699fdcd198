"""The load generators: open_loop against servers of known delays and faults, wrk against itself run by hand, one against the other."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from statistics import mean

import pytest

from support import ROOT
sys.path.insert(0, os.path.join(ROOT, 'tests', 'integration'))
from http_support import pattern, start  # noqa: E402, F401
import synthetic  # noqa: E402
from asking import Client  # noqa: E402
from endpoints import BY_NAME, Payload, Target  # noqa: E402
from open_loop import OpenLoopError, load_of, run_open  # noqa: E402
from stats import Histogram  # noqa: E402
from synthetic import Synthetic  # noqa: E402
from wrk import run_wrk  # noqa: E402

OPEN_LOOP = os.environ.get('FORKLIFT_OPEN_LOOP', os.path.join(ROOT, 'build', 'bench', 'open_loop'))
CPUS = sorted(os.sched_getaffinity(0))
GET = Target('/')
LATE = 'the load generator was late itself'


def load(server, rate, seconds, target=GET, **more):
    """What run_open says, but for its complaint about a busy machine: these tests are about what the server did."""
    figures = run_open(OPEN_LOOP, server, target, rate, seconds, CPUS, **more)
    figures.errors = [error for error in figures.errors if LATE not in error]
    return figures


def percentile_ms(load, percent):
    return load.histogram.percentile(percent) / 1e3


@pytest.fixture
def body(tmp_path):
    path = tmp_path / 'body'
    path.write_bytes(pattern(20_000))
    return path


def put(body):
    return Target('/files/put-', 'PUT', str(body), 'application/octet-stream', True, str(body), True)


def test_the_histogram_has_the_buckets_of_the_generator():  # the same pairs as in tests/unit/bench/histogram_test.cpp
    pairs = {0: 0, 1: 1, 127: 127, 128: 128, 129: 128, 130: 129, 255: 191, 256: 192, 1000: 317, 20000: 590, 500000: 890, 1000000: 954,
             20000000: 1228, 4294967295: 1727, 4294967296: 1728, 2 ** 64 - 1: 3775}
    assert {value: Histogram.index_of(value) for value in pairs} == pairs
    assert [Histogram.value_of(index) for index in (127, 128, 590)] == [127, 128.5, 20095.5]


@pytest.mark.parametrize('arrivals', ['constant', 'poisson'])
def test_the_latency_is_the_delay_of_the_server(arrivals):
    with Synthetic(synthetic.after(0.020)) as server:
        figures = load(server, 100, 1, arrivals=arrivals)
    assert figures.errors == []
    assert figures.requests == figures.answered == server.requests == figures.histogram.total
    assert figures.requests == 100 if arrivals == 'constant' else 60 < figures.requests < 140
    assert percentile_ms(figures, 0.1) >= 19.5
    assert 19.5 <= percentile_ms(figures, 50) <= 30
    assert figures.latency_mean_ms == pytest.approx(figures.histogram.mean() / 1e3, rel=0.02)
    assert 0.99 <= figures.seconds <= 2


@pytest.mark.parametrize('connections, delay', [(200, 0.020), (2, 0.001)], ids=['enough connections', 'too few to hide the stall'])
def test_a_stall_is_seen_by_every_request_that_was_meant_to_start_in_it(connections, delay):
    """200 a second for 3 s, 0.5 s of stall: 100 of 600 requests wait for its end, evenly from nothing to 0.5 s. So the 6 slowest (p99)
    took over 0.47 s, the 30 slowest (p95) over 0.35 s, the 60 slowest (p90) over 0.2 s. In a closed loop only `connections` wait."""
    with Synthetic(synthetic.stalling_once(1.0, 0.5, delay)) as server:
        figures = load(server, 200, 3, connections=connections)
    assert figures.errors == [] and figures.requests == 600
    assert 460 <= percentile_ms(figures, 99) <= 700
    assert 330 <= percentile_ms(figures, 95) <= 560
    assert 180 <= percentile_ms(figures, 90) <= 420
    assert delay * 1e3 <= percentile_ms(figures, 50) * 1.02 and percentile_ms(figures, 50) <= 60


@pytest.mark.parametrize('connections', [200, 4])
def test_a_rate_that_the_server_cannot_keep_shows_as_growing_latency_and_loses_no_sample(connections):
    """100 a second at best, 200 a second for 1 s: the last answer comes after 2 s, 1 s after it was meant to be asked for."""
    with Synthetic(synthetic.one_at_a_time(0.010)) as server:
        figures = load(server, 200, 1, connections=connections)
    assert figures.errors == [] and figures.requests == figures.histogram.total == 200
    assert figures.seconds >= 1.95
    assert figures.latency_max_ms >= 950
    assert figures.latency_mean_ms >= 450


FAULTS = {
    'status 500': (synthetic.says(synthetic.ERROR), {}),
    'reset': (synthetic.resets, {}),
    'timeout': (synthetic.never_answers, {'timeout': 0.3}),
    'short body': (synthetic.says(b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok', close=True), {}),
    'long body': (synthetic.says(synthetic.OK), {'expect_bytes': 1}),
    'malformed': (synthetic.says(b'220 ready\r\n'), {}),
}


@pytest.mark.parametrize('kind', FAULTS)
def test_errors_are_counted_by_kind(kind):
    answer, more = FAULTS[kind]
    with Synthetic(answer) as server:
        figures = load(server, 40, 0.5, connections=10, **more)
    assert figures.errors == [f'20 requests failed: {kind}']
    assert figures.requests == figures.answered == figures.histogram.total == 0


def test_a_body_that_is_smaller_than_expected_is_an_error():
    with Synthetic(synthetic.after(0)) as server:
        assert load(server, 40, 0.5, expect_bytes=3).errors == ['20 requests failed: short body']
        assert load(server, 40, 0.5, expect_bytes=2).errors == []


def test_an_answer_before_the_body_was_sent_is_an_error(tmp_path):
    (tmp_path / 'large').write_bytes(bytes(16 << 20))
    target = Target('/', 'POST', str(tmp_path / 'large'), 'application/octet-stream')
    with Synthetic(synthetic.says(synthetic.OK), reads_body=False) as server:
        figures = load(server, 10, 0.5, target, connections=5)
    assert figures.requests == 0 and figures.errors == ['5 requests failed: answered before the body was sent']


def test_no_server_is_an_error_of_every_request():
    with Synthetic(synthetic.after(0)) as server:
        pass
    assert load(server, 40, 0.5).errors == ['20 requests failed: connect']


def test_good_answers_count_beside_bad_ones():
    with Synthetic(synthetic.every_second_fails) as server:
        figures = load(server, 40, 0.5)
    assert figures.requests == 10 and figures.errors == ['10 requests failed: status 500']


def test_connections_are_kept_or_made_anew_as_asked():
    with Synthetic(synthetic.after(0.001)) as server:
        assert load(server, 100, 0.5, connections=3).requests == 50
        assert server.connections == 3
        assert load(server, 100, 0.5, connections=50, one_shot=True).requests == 50
        assert server.connections == 53


def test_uploads_arrive_whole_and_are_counted(start, body):  # noqa: F811
    worker = start('--durability', 'none')
    figures = load(worker, 200, 1, put(body), warm_up=0.3)
    assert figures.errors == [] and figures.requests == 200 and figures.answered == 260
    stored = worker.visible()
    assert len(stored) == 260
    assert all(taken(worker, name) == body.read_bytes() for name in stored)


def test_downloads_arrive_whole_and_are_counted(start, body):  # noqa: F811
    worker = start()
    assert worker.request('PUT', '/files/sample.bin', body.read_bytes()).status == 201
    figures = load(worker, 200, 0.5, Target('/files/sample.bin'), expect_bytes=20_000)
    assert figures.errors == [] and figures.requests == 100
    assert 100 * 20_000 < figures.bytes_read < 100 * 21_000


def test_slow_clients_trickle_while_the_others_are_measured(start, body):  # noqa: F811
    """20 kB at 40 kB/s: each of the 10 is through after half a second, and begins again."""
    worker = start('--durability', 'none')
    figures = load(worker, 100, 1.5, put(body), slow=10, slow_bytes_per_s=40_000)
    assert figures.errors == [] and figures.requests == 150
    slow = figures.answered - figures.requests
    assert 10 <= slow <= 30, figures.notes
    assert figures.notes[-1].startswith('10 slow clients (10 connected at the end) moved')
    assert figures.answered <= len(worker.visible()) <= figures.answered + 10


def test_a_generator_that_was_late_itself_says_so():
    with Synthetic(synthetic.after(0)) as server:
        process = subprocess.Popen([OPEN_LOOP, '--rate=200', '--duration=1', '--warm-up=0', f'http://127.0.0.1:{server.port}/'],
                                   stdout=subprocess.PIPE)
        time.sleep(0.3)
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.4)
        process.send_signal(signal.SIGCONT)
        said = json.loads(process.communicate(timeout=20)[0])
    assert said['requests'] == 200 and said['lag_max_ms'] >= 350
    assert any(LATE in error for error in load_of(said).errors)


def test_what_cannot_be_done_is_said_in_words():
    with Synthetic(synthetic.after(0)) as server:
        with pytest.raises(OpenLoopError, match=r'exit status 2.*--rate: \'0\' is not above 0'):
            load(server, 0, 1)


def taken(worker, name):
    with open(os.path.join(worker.root, name), 'rb') as file:
        return file.read()


def closed(server, target, connections, seconds, tmp_path):
    figures = run_wrk(server, target, connections, 1, seconds, CPUS, str(tmp_path))
    assert figures.errors == []
    return figures


def by_hand(server, target, connections, seconds):
    """(requests a second, p50 in ms, p99 in ms) as wrk prints them."""
    out = subprocess.run(['wrk', f'-c{connections}', '-t1', f'-d{seconds}s', '--timeout=20s', '--latency',
                          f'http://127.0.0.1:{server.port}{target.path}'], capture_output=True, text=True, check=True).stdout
    assert not re.search('Non-2xx|Socket errors', out), out
    factor = {'us': 1e-3, 'ms': 1.0, 's': 1e3}
    latency = {percent: float(number) * factor[unit]
               for percent, number, unit in re.findall(r'^ +(\d+)% +([\d.]+)(us|ms|s)$', out, re.M)}
    return float(re.search(r'Requests/sec: +([\d.]+)', out).group(1)), latency['50'], latency['99']


def test_the_harness_says_what_wrk_says_by_hand(start, body, tmp_path):  # noqa: F811
    """By turns, twice: the mean of the ratios. A machine's noise is less than these bounds, a wrong unit or count is not. Not the tail:
    by hand, wrk fills it with invented samples as soon as anything stalls."""
    worker, target = start(), Target('/files/sample.bin')
    assert worker.request('PUT', target.path, body.read_bytes()).status == 201
    rates, medians = [], []
    for _ in range(2):
        ours, (rate, p50, _) = closed(worker, target, 8, 1, tmp_path), by_hand(worker, target, 8, 1)
        rates.append(ours.requests / ours.seconds / rate)
        medians.append(percentile_ms(ours, 50) / p50)
    assert 0.6 <= mean(rates) <= 1.6, rates
    assert 0.5 <= mean(medians) <= 2, medians


def test_open_loop_closed_loop_and_wrk_by_hand_agree_on_a_server_of_known_delay(tmp_path):
    with Synthetic(synthetic.after(0.020)) as server:
        opened, looped, (rate, p50, p99) = load(server, 40, 1), closed(server, GET, 2, 1, tmp_path), by_hand(server, GET, 2, 1)
    assert percentile_ms(opened, 50) == pytest.approx(percentile_ms(looped, 50), rel=0.2)
    assert percentile_ms(looped, 50) == pytest.approx(p50, rel=0.2)
    assert percentile_ms(looped, 99) == pytest.approx(p99, rel=0.5)
    assert looped.requests / looped.seconds == pytest.approx(rate, rel=0.2)
    assert looped.requests / looped.seconds == pytest.approx(2 * 1000 / looped.latency_mean_ms, rel=0.2)  # Little's law


@pytest.mark.parametrize('name', ['PUT', 'GET', 'upload/single', 'download/file'])
def test_no_server_can_tell_by_its_head_who_made_a_request(name, tmp_path):
    """But for the name that a request may have, which has one form."""
    target, heads = Payload(str(tmp_path), 1000).at(BY_NAME[name]), []
    body = (tmp_path / os.path.basename(target.body)).read_bytes() if target.body else b''
    for ask in (lambda server: closed(server, target, 2, 1, tmp_path), lambda server: load(server, 40, 0.5, target),
                lambda server: [Client(server.port, 10).ask(target, body) for _ in range(3)]):
        with Synthetic(synthetic.after(0.010)) as server:
            ask(server)
        heads.append({re.sub(rb'^(PUT /files/put-)[0-9a-f]{12}t0n[0-9]{10} ', rb'\1NAME ', head.replace(b'%d' % server.port, b'PORT'))
                      for head in server.heads})
    assert len(heads[0]) == 1 and heads[0] == heads[1] == heads[2], heads
    assert target.unique == (b'NAME' in heads[0].pop())


def test_wrk_counts_what_it_has_read_before_it_counts_the_answer(tmp_path):
    with Synthetic(synthetic.after(0.001)) as server:
        figures = closed(server, GET, 8, 1, tmp_path)
    assert figures.requests * len(synthetic.OK) <= figures.bytes_read <= (figures.requests + 8) * len(synthetic.OK)


def test_open_and_closed_loop_agree_on_the_service_time_of_the_worker(start, tmp_path):  # noqa: F811
    """A download of 4 MiB, so that moving bytes outweighs waking up, which only a server at rest has to do."""
    worker, target = start(), Target('/files/sample.bin')
    assert worker.request('PUT', target.path, pattern(4 << 20)).status == 201
    ratios = []
    for _ in range(2):
        opened, looped = load(worker, 40, 1, target, expect_bytes=4 << 20), closed(worker, target, 1, 1, tmp_path)
        assert opened.errors == []
        ratios.append(percentile_ms(opened, 50) / percentile_ms(looped, 50))
    assert 0.5 <= mean(ratios) <= 3, ratios  # 1.3 to 1.6 where nothing else runs
