"""What the black-box tests of HTTP share: a worker that stands alone, and a client that sends any bytes."""

import contextlib
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

BUILD = os.path.join(os.path.dirname(__file__), "..", "..", "build")
WORKER = os.environ.get("FORKLIFT_WORKER", os.path.join(BUILD, "worker", "worker"))
MASTER = os.environ.get("FORKLIFT_MASTER", os.path.join(BUILD, "master", "master"))
SANITIZED = bool(os.environ.get("FORKLIFT_SANITIZE"))
FULL = os.environ.get("FORKLIFT_TEST_FULL") == "1"
DEADLINE = 30.0  # seconds that anything may take on a busy machine

DISK_WRITE = "/files/upload/stream/async_read_and_disk_write"
ASYNC_WRITE = "/files/upload/stream/async_read_and_async_write"
UPLOADS = [DISK_WRITE, ASYNC_WRITE]


def environment():
    own = {key: value for key, value in os.environ.items() if not key.startswith("FORKLIFT_")}
    own.pop("WEB_CONCURRENCY", None)
    return own


def eventually(condition, what, within=DEADLINE):
    """Polls until the condition holds, and gives its value."""
    end = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {within:g} s: {what}"
        time.sleep(0.01)


def state_of(pid):
    """Its letter of proc(5): "S" for one that waits, "Z" for a zombie; nothing of who is gone."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def port_is_free(port):
    """Somebody else could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            return False
        return True


class Threads:
    """Runs `threads` as long as a `with` lasts; `over` asks them to end."""

    def __init__(self, target, arguments):
        self.over = threading.Event()
        self.threads = [threading.Thread(target=target, args=each) for each in arguments]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


class Program:
    """A worker or a master: one process that listens on a port of its own."""

    def __init__(self, binary, root, *options, bind="127.0.0.1:0", preexec=None, prefix=()):
        self.root = str(root)
        self.log = []
        command = [*prefix, binary, *(("--bind", bind) if bind else ()), "--root", self.root, *options]
        self.process = subprocess.Popen(
            command, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            preexec_fn=preexec,
        )
        self.pid = self.process.pid
        self.reader = threading.Thread(target=self._read_log, daemon=True)
        self.reader.start()
        self.port = int(eventually(self._listening_port, f"{binary} listens"))
        eventually(lambda: os.path.isdir(os.path.join(self.root, ".forklift", "parts")), "the root is made")

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line.decode(errors="replace"))

    def _listening_port(self):
        assert self.process.poll() is None, "".join(self.log)
        found = re.search(r"listening on http://127\.0\.0\.1:(\d+)", "".join(self.log))
        return found and found.group(1)

    def client(self, **options):
        return Client(self.port, **options)

    def request(self, method, target, body=None, headers=()):
        with self.client() as client:
            client.request(method, target, body, headers)
            return client.response(method)

    def descriptors(self):
        """What the process has open: the links of /proc/PID/fd."""
        links = []
        for number in os.listdir(f"/proc/{self.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                links.append(os.readlink(f"/proc/{self.pid}/fd/{number}"))
        return links

    def sockets(self):
        return sum(link.startswith("socket:") for link in self.descriptors())

    def reads(self, name):
        return os.path.join(self.root, name) in self.descriptors()

    def parts(self):
        """Unfinished uploads: what lies below the private directory."""
        private = os.path.join(self.root, ".forklift", "parts")
        return [name for _, _, names in os.walk(private) for name in names]

    def visible(self):
        """Every file that a client could see."""
        found = []
        for directory, directories, names in os.walk(self.root):
            if directory == self.root and ".forklift" in directories:
                directories.remove(".forklift")
            found += [os.path.relpath(os.path.join(directory, name), self.root) for name in names]
        return sorted(found)

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the program did not stop")
        self.reader.join(DEADLINE)
        self.process.stderr.close()
        return code


# Workers that are none: one passes every check and dies when it is started, one never ends.
ONLY_CHECKS = r"""
#include <string.h>
int main(int argc, char** argv) { return strcmp(argv[argc - 1], "--check-config") == 0 ? 0 : 7; }
"""
CHECKS_FOR_EVER = r"""
#include <unistd.h>
int main(void) { for (;;) pause(); }
"""


def compiled(source, path):
    """A program made of C source."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    assert compiler, "no C compiler"
    subprocess.run([compiler, "-x", "c", "-o", path, "-"], input=source, text=True, check=True)
    return path


def replace(path, source):
    """As a deployment does: written beside, then moved into place."""
    fresh = f"{path}.new"
    shutil.copy(source, fresh)
    os.rename(fresh, path)


def memory_bytes(pid):
    """Anonymous and shared memory of a process."""
    with open(f"/proc/{pid}/status") as status:
        found = re.findall(r"^(?:RssAnon|RssShmem):\s+(\d+) kB$", status.read(), re.M)
    return sum(int(kilobytes) * 1024 for kilobytes in found)


# A command in a PID namespace of its own, as its process 1.
IN_NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


def may_unshare():
    """Not without root, nor in a chroot."""
    if os.getuid() != 0 or not shutil.which("unshare"):
        return False
    return subprocess.run([*IN_NAMESPACE, "true"], stderr=subprocess.DEVNULL).returncode == 0


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        return [int(child) for child in listed.read().split()]


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __getitem__(self, name):
        return self.headers.get(name.lower())

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]!r}>"


class Client:
    """One connection, byte by byte under the test's control."""

    def __init__(self, port, receive_buffer=None, timeout=DEADLINE):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect(("127.0.0.1", port))
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_trickling(self, data, pause=0.0):
        for index in range(len(data)):
            self.socket.sendall(data[index : index + 1])
            if pause:
                time.sleep(pause)

    def request(self, method, target, body=None, headers=()):
        self.send(request_bytes(method, target, body, headers))

    def _more(self):
        data = self.socket.recv(1 << 16)
        self.received += data
        return bool(data)

    def take(self, size):
        parts, have = [self.received[:size]], len(self.received[:size])
        self.received = self.received[size:]
        while have < size:
            data = self.socket.recv(min(1 << 18, size - have))
            assert data, f"the connection ended {size - have} bytes early"
            parts.append(data)
            have += len(data)
        return b"".join(parts)

    def head(self):
        while b"\r\n\r\n" not in self.received:
            assert self._more(), f"the connection ended within a head: {self.received!r}"
        head, self.received = self.received.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        assert re.fullmatch(r"HTTP/1\.1 \d{3} [ -~]+", lines[0]), lines[0]
        headers = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            assert name.lower() not in headers, f"{name} twice"
            headers[name.lower()] = value
        return int(lines[0].split()[1]), headers

    def response(self, method="GET"):
        status, headers = self.head()
        size = 0
        if method != "HEAD" and status >= 200 and status not in (204, 304):
            size = int(headers["content-length"])
        return Response(status, headers, self.take(size))

    def rest(self):
        """Everything until the server closes; a reset fails the test."""
        while self._more():
            pass
        rest, self.received = self.received, b""
        return rest

    def ended(self):
        return self.rest() == b""

    def silent(self, seconds=0.2):
        """Nothing comes for so long."""
        if self.received:
            return False
        self.socket.settimeout(seconds)
        try:
            return not self._more() and False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(DEADLINE)

    def reset(self):
        """Closes with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def request_bytes(method, target, body=None, headers=(), version="1.1"):
    lines = [f"{method} {target} HTTP/{version}", "Host: test", *headers]
    framed = any(line.lower().startswith(("content-length:", "transfer-encoding:")) for line in headers)
    if body is not None and not framed:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + (body or b"")


def begin_upload(program, client):
    """Sends half of an upload, until its part is there; gives the other half."""
    request = request_bytes("POST", DISK_WRITE, b"x" * 100_000)
    client.send(request[:50_000])
    eventually(program.parts, "the upload has begun")
    return request[50_000:]


def chunked(body, size=1000, extension="", trailers=""):
    """The body as chunks of at most so many bytes."""
    out = []
    for begin in range(0, len(body), size):
        piece = body[begin : begin + size]
        out += [f"{len(piece):x}{extension}\r\n".encode(), piece, b"\r\n"]
    return b"".join(out) + f"0{extension}\r\n{trailers}\r\n".encode()


CHUNKED = ("Transfer-Encoding: chunked",)


def pattern(size, seed=1):
    """Bytes in which no two neighbouring blocks are alike."""
    block = bytes((seed + i * 7 + (i >> 8) * 13) & 0xFF for i in range(65521))
    return (block * (size // len(block) + 1))[:size]


@contextlib.contextmanager
def running(binary, root, *options):
    program = Program(binary, root, *options)
    try:
        yield program
    finally:
        program.stop(signal.SIGTERM if program.process.poll() is None else 0)


@pytest.fixture
def start(tmp_path):
    """Starts workers that stand alone; each must end well."""
    started = []

    def start_one(*options, binary=WORKER, root=None):
        program = Program(binary, root or tmp_path / "root", "--graceful-timeout", "1s", *options)
        started.append(program)
        return program

    yield start_one
    codes = [program.stop() for program in started]
    for program, code in zip(started, codes):
        assert code in (0, -signal.SIGKILL), (code, program.log)
        assert not re.search("Sanitizer|runtime error", "".join(program.log)), program.log


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One worker with the options it is born with, for all tests of a file."""
    program = Program(WORKER, tmp_path_factory.mktemp("shared") / "root", "--graceful-timeout", "1s")
    yield program
    code = program.stop()
    assert code == 0, (code, program.log)
    assert not re.search("Sanitizer|runtime error", "".join(program.log)), program.log
