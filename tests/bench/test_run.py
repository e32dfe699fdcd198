"""`bench run` for a moment, on real servers: what it promises of a report, not the figures."""

import os
import resource
import subprocess
import sys
from types import SimpleNamespace

import pytest

import support
from support import HARNESS

from run_support import BUILD, command, report_of, run

import cores  # noqa: E402
import plan  # noqa: E402
import timetable  # noqa: E402
import wrk  # noqa: E402
from progress import duration_text  # noqa: E402
from servers import catalogue  # noqa: E402


def test_processes_that_nobody_knows_of_are_ended_too():
    code = ('import sys, subprocess, time; sys.path.insert(0, sys.argv[1]); import runner\n'
            'from accounting import descendants, start_ticks\n'
            'import os\nsubprocess.Popen(["sh", "-c", "sleep 60 & sleep 60; true"], start_new_session=True)\n'
            'while len(descendants(os.getpid())) < 4: time.sleep(0.01)\n'
            'below = descendants(os.getpid())[1:]; runner.end_children(); print([pid for pid in below if start_ticks(pid) is not None])')
    done = subprocess.run([sys.executable, '-B', '-c', code, HARNESS], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == '[]\n'


def test_a_run_makes_a_complete_report_whose_cells_are_ok(tmp_path):
    done = run(tmp_path, '--servers', 'forklift', 'floor', '--endpoints', 'PUT', 'download/file', '--repeats', '2', '--threads', '2',
               '--seconds', '1')
    assert done.returncode == 0, done.stderr
    report = report_of(tmp_path)
    assert report.complete and len(report.rows) == 4
    planned = plan.Plan('quick', [row.cell for row in report.rows], 2, (1.0, 1.0), 0.2, 4, ())
    assert f', about {duration_text(timetable.whole_s(planned))}; seed' in done.stderr
    for row in report.rows:
        assert (row.state, len(row.runs)) == ('ok', 2), row
        for one in row.runs:
            assert one.requests > 0 and one.server_cpu_s > 0 and one.histogram.total == one.requests
            assert one.memory_peak_bytes > 0 and sum(one.connections_per_worker) <= 4
    # A busy machine may keep the sampler from looking in time, but not always.
    assert any(sum(one.connections_per_worker) == 4 for row in report.rows for one in row.runs)
    assert {ceiling.name for ceiling in report.ceilings} == {
        'disk', 'receive_discard', 'receive_store', 'sendfile_download', 'client upload', 'client download'}
    assert all(ceiling.rate > 0 for ceiling in report.ceilings)
    assert all(ceiling.cpu_us > 0 and ceiling.client_us > 0 for ceiling in report.ceilings if '_' in ceiling.name)
    assert 'kernel' in report.environment and any('wrk' in line for line in report.commands)
    assert os.listdir(tmp_path) == ['out']  # the servers' directories are gone


def test_threads_that_do_not_divide_the_connections_are_refused_with_the_remedy(tmp_path):
    done = run(tmp_path, '--connections', '100', '--threads', '40')
    assert done.returncode == 2
    assert 'wrk would open 80 only' in done.stderr and '--threads 25' in done.stderr and '80 or 120' in done.stderr
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('arguments, words', [
    (['--endpoints', 'nonsense'], 'no endpoint'), (['--servers', 'nonsense'], 'no server'), (['--sizes', '0'], 'is no size such as'),
    (['--sizes', '1G'], 'at most 134217728 bytes'), (['--sizes', '1T'], 'at most 134217728 bytes'),
    (['--sizes', '9999T'], 'is no size such as 65536, 64k or 1M, of at most 128M'), (['--servers', 'caddy', '--endpoints', 'upload/single'], 'under these models: caddy serves GET'),
    (['--servers', 'forklift', '--build', '/none'], 'nothing can be measured: /none/worker/worker is not built'),
    (['--dir', '/none'], "--dir: '/none' is no directory"), (['--out', '/proc/none'], "can't be written there; name another folder (--out)"),
    (['--out', '/dev/null/none'], '/dev/null/none: Not a directory; name another folder'),
    (['--server-cpus', 'x'], "--server-cpus: 'x' is no list of CPUs such as 0-3 or 0,2; this process may use "),
    (['--client-cpus', '1-0'], "--client-cpus: '1-0' is no list"), (['--client-cpus', '99999'], "--client-cpus: '99999' is no list"),
    (['--seconds', 'abc'], "--seconds: 'abc' is no number greater than 0"), (['--seconds', 'nan'], "'nan' is no number"),
    (['--repeats', '0'], "--repeats: '0' is no whole number from 1 on"), (['--repeats', '1.5'], "'1.5' is no whole number"),
    (['--seed', 'x'], "--seed: 'x' is no whole number from 0 on"), (['--models', 'two'], "--models: invalid choice: 'two' (choose from"),
    (['--durability'], '--durability: expected at least one argument'), (['--speed', '9'], 'unrecognized arguments: --speed 9')])
def test_what_cannot_be_measured_is_refused_in_one_line_before_anything_starts(tmp_path, arguments, words):
    done = run(tmp_path, *arguments)
    assert done.returncode == 2 and words in done.stderr
    assert done.stderr.startswith('bench run: ') and done.stderr.count('\n') == 1
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('arguments, words', [
    ([], 'bench: name a command: run, report, compare, postdata'), (['walk'], "bench: no command 'walk': run, report,"),
    (['--walk'], 'bench: unrecognized arguments: --walk'), (['report'], 'bench report: the following arguments are required: DIR|report.json'),
    (['report', '/none'], 'bench report: /none: No such file'), (['compare', 'one.json'], 'bench compare: the following arguments'),
    (['compare', 'a', 'b', '--threshold', 'much'], "bench compare: --threshold: 'much' is no percentage from 0 on"),
    (['postdata'], 'bench postdata: the following arguments are required: make'),
    (['postdata', 'make', '/none', '/dev/null'], 'bench postdata: /none: No such file or directory'),
    (['postdata', 'make', 'f'], 'bench postdata make: the following arguments are required: OUT')])
def test_every_command_says_in_one_line_what_is_wrong(arguments, words):
    done = subprocess.run([sys.executable, '-B', HARNESS, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, '') and done.stderr.startswith(words) and done.stderr.count('\n') == 1, done.stderr


@pytest.mark.parametrize('arguments', [['report', '--format', 'md'], ['report', '--format', 'terminal'], ['compare', '--format', 'json']])
def test_an_output_that_takes_nothing_is_no_verdict(tmp_path, arguments):
    support.report(support.row(support.rng())).save(str(tmp_path / 'report.json'))
    paths = [str(tmp_path)] * (2 if arguments[0] == 'compare' else 1)
    with open('/dev/full', 'w', encoding='utf-8') as full:
        done = subprocess.run([sys.executable, '-B', HARNESS, *arguments, *paths], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
                              check=False)
    assert (done.returncode, done.stderr) == (3, 'bench: the output: No space left on device\n')


def no_large_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (100 << 10, 100 << 10))


def test_a_folder_that_cannot_hold_the_report_is_named_before_anything_starts(tmp_path):
    done = subprocess.run(command(tmp_path, '--servers', 'forklift'), capture_output=True, text=True, timeout=60, check=False,
                          preexec_fn=no_large_files)
    assert done.returncode == 2 and done.stderr.count('\n') == 1
    assert f'{tmp_path}/out: File too large: a report (' in done.stderr and '--out' in done.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize('mount, words', [('size=64k', 'No space left on device'), ('ro', 'Read-only file system')])
def test_a_full_or_read_only_file_system_is_named_before_anything_starts(tmp_path, mount, words):
    (tmp_path / 'out').mkdir()
    mounted = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', f'mount -t tmpfs -o {mount} none "$0" && exec "$@"',
               str(tmp_path / 'out')]
    if subprocess.run([*mounted, 'true'], capture_output=True, check=False).returncode:
        pytest.skip('no mounts of our own here')
    done = subprocess.run([*mounted, *command(tmp_path, '--servers', 'forklift')], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and done.stderr.count('\n') == 1 and f'/out: {words}: a report (' in done.stderr, done.stderr


def corrected(counts, interval):
    """wrk's stats_correct()."""
    found = dict(counts)
    for value in range(2 * interval, max(counts) + 1):
        for lower in range(value - interval, interval, -interval):
            found[lower] = found.get(lower, 0) + found.get(value, 0)
    return {value: count for value, count in found.items() if count}


def test_the_samples_that_wrk_invents_are_taken_out_again():
    real = {100: 800, 250: 150, 1000: 40, 5003: 9, 20011: 1}
    requests, connections = sum(real.values()), 10
    interval = 300
    mixed = corrected(real, interval)
    assert sum(mixed.values()) > requests
    assert wrk._without_invented(mixed, requests, interval * (requests // connections), connections) == (real, [])
    left, notes = wrk._without_invented(mixed, requests, 2 * interval * (requests // connections), connections)
    assert left == mixed and 'invented' in notes[0]  # another interval does not explain them


def options(**changes):
    none = dict.fromkeys('servers endpoints models sizes connections durability workers repeats seconds threads open rates'.split())
    return SimpleNamespace(**{**none, 'preset': 'quick', 'cross': False, **changes})


def test_the_article_preset_has_its_thirteen_endpoints_on_its_servers_under_one_process_and_many():
    cells = plan.make(options(preset='article'), catalogue(BUILD), cores.usable()).cells
    assert len({cell.endpoint for cell in cells}) == 13 and len(cells) == 13 * 7
    assert {(cell.server, cell.workers > 1 or cell.model == 'xN') for cell in cells} == {
        (server, many) for server in ('forklift', 'uvicorn', 'gunicorn') for many in (False, True)}
    assert len({cell.key for cell in cells}) == len(cells)


def test_the_quick_preset_is_planned_well_below_three_minutes_and_has_what_a_newcomer_asks():
    quick = plan.make(options(), catalogue(BUILD), [0, 1])
    assert timetable.whole_s(quick) <= 160
    assert timetable.run_s(quick, 1.0) >= 2.2  # start-up and checks are in it
    cells = {(cell.server, cell.endpoint, cell.model) for cell in quick.cells}
    servers = {endpoint: {cell[0] for cell in cells if cell[1] == endpoint} for endpoint in (plan.RAW, plan.DOWNLOAD, 'PUT', 'GET')}
    assert servers[plan.RAW] == servers[plan.DOWNLOAD] == {'forklift', 'uvicorn', 'gunicorn'}
    assert servers['PUT'] == servers['GET'] == {'forklift', 'nginx'}
    assert {('forklift', endpoint, model) for endpoint in (plan.RAW, plan.FORM, plan.DOWNLOAD) for model in ('alone', 'xN')} <= cells


def test_the_full_preset_varies_sizes_connections_durability_and_workers():
    cells = plan.make(options(preset='full', workers=8), catalogue(BUILD), cores.usable()).cells
    assert len(set(cells)) == len(cells)
    assert {len({getattr(cell, name) for cell in cells}) for name in ('bytes', 'connections', 'durability')} == {4, 5}
    assert {cell.workers for cell in cells} == {1, 2, 4, 8}


def test_one_process_and_its_client_have_cores_of_their_own_where_there_are_two():
    one, many = cores.place('alone', [0, 1]), cores.place('xN', [0, 1])
    assert (one.server, one.client, one.shared) == ((0,), (1,), False)
    assert many.shared and 'not enough cores' in str(many)
    assert not cores.place('xN', list(range(8))).shared
