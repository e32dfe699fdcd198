"""How `bench run` ends: interrupted, spoilt, over what was there, or without a figure. Minutes: ./tests/run --bench."""

import json
import os
import re
import signal
import subprocess
import time

import pytest

from support import model

from run_support import command, report_of, run

FOLDER_SERVER = '''#!/usr/bin/env python3
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_PUT(self):
        self.rfile.read(int(self.headers['Content-Length']))
        self.send_response(501)
        self.send_header('Content-Length', '13')
        self.end_headers()
        self.wfile.write(b'no disk today')
if sys.argv[4] == 'broken':
    sys.exit('the wheel came off')
http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
'''


def folder_server(tmp_path, names):
    """A server of the user's own in tmp_path/mine."""
    folder = tmp_path / 'mine'
    folder.mkdir()
    (folder / 'start').write_text(FOLDER_SERVER)
    (folder / 'start').chmod(0o755)
    (folder / 'peer.json').write_text(json.dumps({'names': names, 'endpoints': ['PUT'], 'version': 'echo 1'}))


def processes_below(pid):
    with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as file:
        children = [int(child) for child in file.read().split()]
    return children + [one for child in children for one in processes_below(child)]


def is_alive(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii') as file:
            return file.read().rsplit(')', 1)[1].split()[0] not in 'ZX'
    except FileNotFoundError:
        return False


def test_an_interrupted_run_leaves_a_report_and_no_process(tmp_path):
    process = subprocess.Popen(command(tmp_path, '--servers', 'forklift', '--endpoints', 'PUT', '--repeats', '100'),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    path, deadline = tmp_path / 'out' / 'report.json', time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.exists() and any(row['runs'] for row in json.loads(path.read_text())['rows']):
            break
        time.sleep(0.05)
    while not (others := processes_below(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert str(tmp_path / 'out') in said
    report = report_of(tmp_path)
    assert not report.complete and 0 < len(report.rows[0].runs) < 100 and report.rows[0].state == 'ok'
    assert not [pid for pid in others if is_alive(pid)]
    assert os.listdir(tmp_path) == ['out']


def test_a_501_is_skipped_with_its_reason_and_a_server_that_does_not_start_is_invalid_at_each_load(tmp_path):
    folder_server(tmp_path, {'lame': ['alone'], 'broken': ['alone']})
    done = run(tmp_path, '--peer-dir', str(tmp_path / 'mine'), '--servers', 'lame', 'broken', 'forklift', '--endpoints', 'PUT', '--repeats', '1',
               '--rates', '100')
    assert done.returncode == 1, done.stderr
    report = report_of(tmp_path)
    rows = {row.cell.server: row for row in report.rows if row.cell.tool == 'wrk'}
    assert rows['lame'].state == 'skipped' and rows['lame'].skipped.startswith('501') and 'no disk today' in rows['lame'].skipped
    assert rows['broken'].state == 'INVALID' and 'the wheel came off' in rows['broken'].runs[0].invalid[0]
    assert rows['forklift'].state == 'ok'
    at_rate = report.row(server='forklift', tool='open')
    assert at_rate.state == 'ok' and 20 <= at_rate.runs[0].requests <= 40
    assert {'report.json', 'report.md', 'report.csv', 'report.html'} <= set(os.listdir(tmp_path / 'out'))


def test_what_is_in_the_folder_is_replaced_only_where_it_is_a_report_and_force_is_given(tmp_path):
    out, small = tmp_path / 'out', ('--servers', 'forklift', '--endpoints', 'PUT', '--repeats', '1')
    out.mkdir()
    (out / 'thesis.txt').write_text('dear to me')
    for arguments in ([], ['--force']):
        done = run(tmp_path, *small, *arguments)
        assert done.returncode == 2 and f'{out} is not empty and holds no report' in done.stderr
    (out / 'report.json').write_text('an old one')
    (out / 'report.csv').write_text('an old one')
    done = run(tmp_path, *small)
    assert done.returncode == 2 and f'{out} holds a report' in done.stderr and '--force' in done.stderr
    assert (out / 'report.json').read_text() == 'an old one'
    assert run(tmp_path, *small, '--force').returncode == 0
    assert report_of(tmp_path).complete and 'an old one' not in (out / 'report.csv').read_text()
    assert (out / 'thesis.txt').read_text() == 'dear to me'


@pytest.mark.parametrize('spoilt', ['report.html', 'report.json.new'])
def test_a_report_that_cannot_be_written_at_the_end_is_said_and_the_rest_is_kept(tmp_path, spoilt):
    """A directory stands where a file of the report goes, as soon as the measuring has begun."""
    (tmp_path / 'tmp').mkdir()
    process = subprocess.Popen(command(tmp_path, '--servers', 'forklift', '--endpoints', 'PUT', '--repeats', '3'), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, 'TMPDIR': str(tmp_path / 'tmp')})
    deadline = time.monotonic() + 60
    while not (tmp_path / 'out' / 'report.json').exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    while True:
        try:
            (tmp_path / 'out' / spoilt).mkdir()
            break
        except FileExistsError:  # it is being written now
            assert time.monotonic() < deadline
    shown, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert 'Traceback' not in said and 'Is a directory' in said and 'Every row' in shown
    assert {'report.md', 'report.csv'} <= set(os.listdir(tmp_path / 'out'))
    if spoilt == 'report.html':
        assert report_of(tmp_path).complete and 'bench report makes it again' in said
    else:
        kept = re.search(r'the report is kept in (\S+)/ instead', said)[1]
        assert model.load(os.path.join(kept, 'report.json')).complete and kept.startswith(str(tmp_path / 'tmp'))


def test_a_run_of_which_every_cell_is_skipped_has_not_gone_well(tmp_path):
    folder_server(tmp_path, {'lame': ['alone']})
    done = run(tmp_path, '--peer-dir', str(tmp_path / 'mine'), '--servers', 'lame', '--endpoints', 'PUT', '--repeats', '1')
    assert done.returncode == 2 and 'nothing was measured: 501' in done.stderr and 'no disk today' in done.stderr
