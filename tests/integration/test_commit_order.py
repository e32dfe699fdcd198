"""The order of an upload's system calls, read from strace over the real worker:
write, fdatasync, publish, fsync of the directory, and only then the answer."""

import http.client
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

WORKER = os.environ.get('FORKLIFT_WORKER',
                        os.path.join(os.path.dirname(__file__), '../../build/worker/worker'))
BODY = os.urandom(300_000)
CALLS = 'write,writev,pwrite64,pwritev,splice,fdatasync,fsync,rename,renameat,renameat2,linkat,send,sendto,sendmsg'
STRATEGY_PATHS = {
    'blocking': '/files/upload/stream/async_read_and_disk_write',
    'pool': '/files/upload/stream/async_read_and_async_write',
}
# In a line of the trace: "[pid] call(fd<path>, …) = result"; calls that threads interleave are split in two.
LINE = re.compile(r'^(?P<pid>\d+)\s+(?P<call>\w+)\((?P<arguments>.*?)(?P<end>\)\s+= -?\d+.*|<unfinished \.\.\.>)$')
RESUMED = re.compile(r'^(?P<pid>\d+)\s+<\.\.\. (?P<call>\w+) resumed>(?P<rest>.*)$')


@pytest.fixture(scope='module', autouse=True)
def tracing():
    if os.environ.get('FORKLIFT_SANITIZE'):
        pytest.skip('sanitizers do not run under strace')
    strace = shutil.which('strace')
    if strace is None:
        pytest.skip('strace is not installed')
    tried = subprocess.run([strace, '-f', '-o', '/dev/null', 'true'], capture_output=True, text=True)
    if tried.returncode != 0:
        pytest.skip(f'strace cannot trace here: {tried.stderr.strip()}')


class TracedWorker:
    """A worker alone, under strace."""

    def __init__(self, directory, *options):
        self.trace = directory / 'trace'
        self.root = directory / 'root'
        self.log = open(directory / 'log', 'w+', encoding='utf-8')
        # Ours are no options of the worker's.
        environment = {name: value for name, value in os.environ.items() if not name.startswith('FORKLIFT_')}
        self.process = subprocess.Popen(
            ['strace', '-f', '-y', '-s', '16', '-e', 'trace=' + CALLS, '-o', str(self.trace), '--',
             WORKER, '--bind', '127.0.0.1:0', '--root', str(self.root), *options],
            stdout=self.log, stderr=self.log, env=environment)
        self.port = self._port()

    def _port(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found = re.search(r'http://127\.0\.0\.1:(\d+)', self.text())
            if found:
                return int(found.group(1))
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError('the worker did not start: ' + self.text())

    def text(self):
        with open(self.log.name, encoding='utf-8') as file:
            return file.read()

    def request(self, method, path, body):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=20)
        connection.request(method, path, body)
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status

    def stop(self):
        """Ends the worker; strace ends with it."""
        if self.process.poll() is None:
            children = subprocess.run(['ps', '-o', 'pid=', '--ppid', str(self.process.pid)],
                                      capture_output=True, text=True, check=True).stdout.split()
            for child in children:
                os.kill(int(child), signal.SIGTERM)
            self.process.wait(timeout=20)
        self.log.close()

    def events(self):
        """(name, arguments, line it began in, line it ended in), in the order of their beginning."""
        events, open_calls = [], {}
        for number, line in enumerate(self.trace.read_text(errors='replace').splitlines()):
            if match := LINE.match(line):
                event = [match['call'], match['arguments'], number, number]
                events.append(event)
                if match['end'].startswith('<unfinished'):
                    open_calls[match['pid']] = event
            elif match := RESUMED.match(line):
                if event := open_calls.pop(match['pid'], None):
                    event[1] += match['rest']
                    event[3] = number
        return events


def steps_of_upload(events):
    """The steps of the one upload in the trace, as (step, began, ended)."""
    steps = []
    part = re.compile(r'<[^>]*/\.forklift/parts/[^>/]+/[^>/]+>')
    for call, arguments, began, ended in events:
        if call in ('write', 'writev', 'pwrite64', 'pwritev', 'splice') and part.search(arguments):
            steps.append(('write', began, ended))
        elif call == 'fdatasync' and part.search(arguments):
            steps.append(('fdatasync', began, ended))
        elif call in ('rename', 'renameat', 'renameat2', 'linkat') and '/.forklift/parts' in arguments:
            steps.append(('publish', began, ended))
        elif call == 'fsync':
            steps.append(('fsync', began, ended))
        elif '"HTTP/1.1 2' in arguments:
            steps.append(('answer', began, ended))
    return steps


def order_of(steps):
    """The names of the steps, repeats joined; every step must have ended before the next kind began."""
    order = []
    for index, (name, began, _) in enumerate(steps):
        assert all(ended <= began for other, _, ended in steps[:index] if other != name), steps
        if not order or order[-1] != name:
            order.append(name)
    return order


EXPECTED = {
    'none': ['write', 'publish', 'answer'],
    'data': ['write', 'fdatasync', 'publish', 'answer'],
    'full': ['write', 'fdatasync', 'publish', 'fsync', 'answer'],
}


@pytest.mark.parametrize('durability', list(EXPECTED))
@pytest.mark.parametrize('strategy', list(STRATEGY_PATHS) + ['put', 'replace'])
def test_the_answer_comes_after_the_commit(tmp_path, durability, strategy):
    root = tmp_path / 'root'
    # The directory of fresh names stands already: making it would add an fsync of its parent.
    (root / 'uploads').mkdir(parents=True)
    if strategy == 'replace':
        (root / 'file').write_bytes(b'old')
    worker = TracedWorker(tmp_path, '--durability', durability)
    try:
        if strategy in STRATEGY_PATHS:
            status = worker.request('POST', STRATEGY_PATHS[strategy], BODY)
        else:
            status = worker.request('PUT', '/files/file', BODY)
            assert (root / 'file').read_bytes() == BODY
        assert status in (200, 201, 204), worker.text()
    finally:
        worker.stop()
    assert order_of(steps_of_upload(worker.events())) == EXPECTED[durability]
