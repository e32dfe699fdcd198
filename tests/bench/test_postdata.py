"""bench postdata make: the article's body and a script for wrk, by the real worker and the real wrk."""

import json
import os
import re
import shlex
import subprocess
import sys

import pytest

from support import ROOT
sys.path.insert(0, os.path.join(ROOT, 'tests', 'integration'))
from http_support import pattern, shared, start  # noqa: E402, F401
import postdata  # noqa: E402

PHOTO = pattern(262_147, 3)
FORMATS = ('form', 'json', 'raw')


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / 'health.jpg'
    path.write_bytes(PHOTO)
    return path


def make(*arguments):
    return postdata.main(['make', *map(str, arguments)])


def stored(worker, file_path):
    return worker.request('GET', f'/files/{file_path}').body


def wrk(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd='/')


def load(worker, printed, *more):
    """The command that make printed, but short and to this worker: (requests, the bytes of every file it left)."""
    command = shlex.split(printed.replace('-c100', '-c4').replace('-d10', '-d1').replace(':8000/', f':{worker.port}/'))
    before = set(worker.visible())
    done = wrk(command + list(more))
    assert done.returncode == 0 and not re.search('Non-2xx|Socket errors', done.stdout), done.stdout + done.stderr
    requests = int(re.search(r'(\d+) requests in', done.stdout).group(1))
    return requests, [taken(os.path.join(worker.root, name)) for name in set(worker.visible()) - before]


def taken(path):
    with open(path, 'rb') as file:
        data = file.read()
    os.unlink(path)
    return data


def test_the_form_is_the_articles_byte_for_byte(photo, tmp_path):
    assert make(photo, tmp_path / 'postdata') == 0
    assert (tmp_path / 'postdata').read_bytes() == (
        b'--gouchicao0123456789\r\n'
        b'Content-Disposition: form-data; name="file"; filename="health.jpg"\r\n'
        b'Content-Type: image/jpeg\r\n'
        b'\r\n' + PHOTO + b'\r\n'
        b'--gouchicao0123456789--\r\n')


@pytest.mark.parametrize('name', ['health.jpg', 'a "quoted" name.bin', 'größe.txt', os.fsdecode(b'\xff\xfe.dat')])
@pytest.mark.parametrize('kind', FORMATS)
def test_the_worker_stores_the_very_file(shared, tmp_path, kind, name):  # noqa: F811
    source, out = tmp_path / name, tmp_path / 'postdata'
    source.write_bytes(PHOTO)
    assert make(source, out, '--format', kind) == 0
    content_type = f'Content-Type: {postdata.CONTENT_TYPES[kind]}'
    answer = shared.request('POST', postdata.EXAMPLES[kind][1], out.read_bytes(), [content_type])
    assert answer.status == 200, answer
    assert stored(shared, json.loads(answer.body)['file_path']) == PHOTO


@pytest.mark.parametrize('kind', FORMATS)
def test_the_printed_command_stores_the_file_with_every_request(shared, photo, capsys, kind):  # noqa: F811
    small, body = pattern(4001), photo.parent / "body's \\name"
    photo.write_bytes(small)
    assert make(photo, body, '--format', kind) == 0
    assert f"'{postdata.CONTENT_TYPES[kind]}'" in (photo.parent / postdata.EXAMPLES[kind][0]).read_text()
    requests, files = load(shared, capsys.readouterr().out.splitlines()[-1])
    assert 0 < requests <= len(files) <= requests + 4
    assert set(files) == {small}


def test_a_script_posts_another_body_when_it_is_given_one(shared, photo, capsys):  # noqa: F811
    assert make(photo, photo.parent / 'postdata') == 0
    printed = capsys.readouterr().out.splitlines()[-1]
    other = photo.parent / 'other'
    other.write_bytes(postdata.form_body(b'other', 'other', 'text/plain'))
    _, files = load(shared, printed, '--', str(other))
    assert set(files) == {b'other'}


@pytest.mark.parametrize('body', ['gone', '.'])
def test_wrk_measures_nothing_when_the_body_cannot_be_read(shared, photo, body):  # noqa: F811
    script = os.path.join(ROOT, 'bench', 'lua', 'postfile.lua')
    url = f'http://127.0.0.1:{shared.port}/healthz'
    done = wrk(['wrk', '-c2', '-t2', '-d1', '-s', script, url, '--', str(photo.parent / body)])
    assert done.returncode == 1 and 'cannot read' in done.stderr and 'requests in' not in done.stdout


def refused(capsys, *arguments):
    """The message of a make that was refused."""
    assert make(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == '' and captured.err.startswith('bench postdata: ') and captured.err.count('\n') == 1
    return captured.err


def test_what_cannot_be_read_or_written_is_named(photo, tmp_path, capsys):
    assert f'{tmp_path}/gone: No such file' in refused(capsys, tmp_path / 'gone', tmp_path / 'out')
    assert f'{tmp_path}: Is a directory' in refused(capsys, tmp_path, tmp_path / 'out')
    assert f'{tmp_path}/no/out: No such file' in refused(capsys, photo, tmp_path / 'no' / 'out')
    assert f'{tmp_path}: Is a directory' in refused(capsys, photo, tmp_path)
    assert os.listdir(tmp_path) == ['health.jpg']


def test_the_file_is_never_overwritten(photo, tmp_path, capsys):
    (tmp_path / 'link').symlink_to(photo)
    script = tmp_path / 'postfile.lua'
    for out in (photo, tmp_path / 'link', script):
        assert 'one and the same' in refused(capsys, photo, out)
    script.write_bytes(PHOTO)
    assert 'one and the same' in refused(capsys, script, tmp_path / 'out', '--force')
    assert photo.read_bytes() == script.read_bytes() == PHOTO


def test_a_script_of_somebody_else_is_only_replaced_by_force(photo, tmp_path, capsys):
    script = tmp_path / 'postfile.lua'
    script.write_text('mine')
    assert '--force' in refused(capsys, photo, tmp_path / 'postdata')
    assert script.read_text() == 'mine' and not (tmp_path / 'postdata').exists()
    assert make(photo, tmp_path / 'postdata', '--force') == 0
    assert make(photo, tmp_path / 'postdata2') == 0  # it is ours now
    assert 'postdata2' in script.read_text()


def test_a_file_that_holds_the_boundary_fits_no_form(tmp_path, capsys):
    source = tmp_path / 'trap'
    source.write_bytes(b'a\r\n--gouchicao0123456789--\r\nb')
    assert 'boundary' in refused(capsys, source, tmp_path / 'out')
    assert make(source, tmp_path / 'out', '--format', 'json') == 0


def test_a_wrong_command_line_is_a_usage_error(capsys):
    for arguments in ([], ['make'], ['make', 'a', 'b', '--format', 'xml']):
        with pytest.raises(SystemExit) as ended:
            postdata.main(arguments)
        assert ended.value.code == 2 and 'bench postdata' in capsys.readouterr().err
