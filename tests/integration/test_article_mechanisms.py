"""Each endpoint does what its name says: the system calls of a worker that stands alone, by thread."""

import base64
import json
import os
import re
import shutil
import subprocess

import pytest

from http_support import SANITIZED, WORKER, Program, eventually, pattern

STRACE = shutil.which("strace")
CALLS = (
    "open,openat,openat2,fcntl,recvfrom,sendto,read,write,writev,pwrite64,pwritev,pwritev2,pread64,preadv,preadv2,"
    "splice,sendfile,io_uring_enter,rename,renameat,renameat2,fallocate,ftruncate,copy_file_range,fsync,fdatasync"
)
WRITES = {"write", "writev", "pwrite64", "pwritev", "pwritev2", "copy_file_range"}
READS = {"read", "pread64", "preadv", "preadv2"}
OPENS = {"open", "openat", "openat2"}

SIZE = 300_001
PHOTO = pattern(SIZE)
LARGE = pattern(1_500_000)
FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n%s\r\n--b--\r\n'
FORM_TYPE = ("Content-Type: multipart/form-data; boundary=b",)

STREAM = "/files/upload/stream/"
SINGLE = "/files/upload/single"
SPOOL = SINGLE + "/stream/sync_read_sync_write"
JSON = "/files/upload/raw/json/base64decode"
DOWNLOAD = "/files/download/"

UPLOADS = {STREAM + name: (PHOTO, ()) for name in (
    "async_read_and_memory_write", "async_read_and_disk_write", "async_read_and_async_write", "splice", "uring", "direct")}  # fmt: skip
UPLOADS |= {SINGLE + name: (FORM % PHOTO, FORM_TYPE) for name in ("", "/sync")}
UPLOADS |= {name: (FORM % LARGE, FORM_TYPE) for name in (SINGLE + "/stream", SINGLE + "/stream/async_read_sync_write", SPOOL)}
UPLOADS[JSON] = (json.dumps({"file": base64.b64encode(PHOTO).decode()}).encode(), ())
DOWNLOADS = [DOWNLOAD + name for name in ("file", "file/sync", "stream/sync_read", "stream/async_read", "stream/uring")]


class Call:
    """One system call: who made it, on which file, with which result."""

    def __init__(self, thread, name, arguments, result):
        self.thread, self.name, self.arguments = thread, name, arguments
        found = re.match(r"-?\d+", result)
        self.result = int(found.group(0)) if found else None

    def __repr__(self):
        return f"{self.thread} {self.name}({self.arguments}) = {self.result}"


def calls_of(text):
    """strace's lines in the order in which the calls began; those that others interrupted are put together."""
    calls, begun = [], {}
    for line in text.splitlines():
        thread, _, rest = line.partition(" ")
        if resumed := re.match(r"\s*<\.\.\. (\w+) resumed>(.*)\s= (.*)$", rest):
            call = begun.pop(thread)
            call.arguments += resumed.group(2)
            call.result = Call(thread, "", "", resumed.group(3)).result
        elif unfinished := re.match(r"\s*(\w+)\((.*) <unfinished \.\.\.>$", rest):
            begun[thread] = Call(thread, unfinished.group(1), unfinished.group(2), "?")
            calls.append(begun[thread])
        elif whole := re.match(r"\s*(\w+)\((.*)\)\s+= (.*)$", rest):
            calls.append(Call(thread, *whole.groups()))
    return calls


class Trace:
    """What one request made the worker do to files of its root and to its sockets."""

    def __init__(self, calls, loop, root):
        self.calls, self.loop, self.root = calls, loop, root

    def named(self, names, on_file=True):
        """Calls with these names; on_file: only those that touch something below the root."""
        return [call for call in self.calls if call.name in names and (not on_file or f"<{self.root}" in call.arguments)]

    def all_on_loop(self, calls):
        return bool(calls) and all(call.thread == self.loop for call in calls)

    def none_on_loop(self, calls):
        return bool(calls) and all(call.thread != self.loop for call in calls)

    def written(self):
        return sum(call.result for call in self.named(WRITES))

    def changes(self):
        """Everything that opens, writes or publishes below the root."""
        return self.named(WRITES | OPENS | {"renameat2", "renameat", "splice", "fallocate", "ftruncate", "pread64"})


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    """Every endpoint asked once, one after the other, under strace: {target: Trace}."""
    if SANITIZED:
        pytest.skip("sanitizers make calls of their own, and do not like to be traced")
    if not STRACE:
        pytest.skip("no strace here")
    directory = tmp_path_factory.mktemp("traced")
    log, traced = directory / "strace.log", directory / "traced"
    # -D: the worker stays the child, so that its process id, and the loop's thread id, is known.
    traced.write_text(f'#!/bin/sh\nexec "{STRACE}" -D -f -yy -s 100 -e trace={CALLS} -o "{log}" "{WORKER}" "$@"\n')
    traced.chmod(0o755)
    if subprocess.run([traced, "--version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("strace may not trace here")
    worker = Program(str(traced), directory / "root", "--graceful-timeout", "1s")
    answers = ask_everything(worker)
    pid = str(worker.pid)
    assert worker.stop() == 0
    eventually(lambda: re.search(rf"^{pid} +\+\+\+ exited", log.read_text(), re.M), "strace has written all")
    return {target: (Trace(calls, pid, os.path.realpath(worker.root)), answers[target])
            for target, calls in by_request(calls_of(log.read_text())).items() if target in answers}  # fmt: skip


def ask_everything(worker):
    answers = {}
    for target, (body, headers) in UPLOADS.items():
        answers[target] = worker.request("POST", target, body, headers).status
    assert worker.request("PUT", "/files/down.bin", LARGE).status == 201
    for target in DOWNLOADS:
        response = worker.request("GET", target + "?name=down.bin")
        assert response.status != 200 or response.body == LARGE
        answers[target] = response.status
    return answers


def by_request(calls):
    """Requests came one after the other: each begins where its first line was received."""
    requests, current = {}, []
    for call in calls:
        found = call.name == "recvfrom" and re.search(r'"(?:POST|GET|PUT) (/[^ ?]*)', call.arguments)
        if found:
            current = requests.setdefault(found.group(1), [])
        current.append(call)
    return requests


@pytest.fixture
def trace(traces):
    def of(target):
        found, status = traces[target]
        if status == 501:
            pytest.skip(f"{target} does not work here")
        assert status == 200, target
        return found

    return of


def test_memory_write_touches_no_file(trace):
    it = trace(STREAM + "async_read_and_memory_write")
    assert it.named({"recvfrom"}, on_file=False) and it.changes() == []


@pytest.mark.parametrize("target", [STREAM + "async_read_and_disk_write", SINGLE + "/stream/async_read_sync_write", JSON])
def test_sync_writes_are_made_on_the_loop_thread(trace, target):
    it = trace(target)
    assert it.all_on_loop(it.named(WRITES)) and it.written() == (len(LARGE) if "single" in target else SIZE)
    assert it.all_on_loop(it.changes()) and it.named(READS) == []


@pytest.mark.parametrize("target", [STREAM + "async_read_and_async_write", SINGLE, SINGLE + "/sync", SINGLE + "/stream"])
def test_async_writes_are_never_made_on_the_loop_thread(trace, target):
    it = trace(target)
    assert it.none_on_loop(it.named(WRITES)) and it.written() == (len(LARGE) if target.endswith("single/stream") else SIZE)
    assert it.none_on_loop(it.changes()), it.changes()
    assert it.all_on_loop(it.named({"recvfrom", "sendto"}, on_file=False))


@pytest.mark.parametrize("target", [SINGLE, SINGLE + "/sync"])
def test_a_single_upload_is_one_write_of_the_whole_file(trace, target):
    it = trace(target)
    (write,) = it.named(WRITES)
    assert write.name == "writev" and write.result == SIZE
    received = it.named({"recvfrom"}, on_file=False)
    whole = [call for call in received if call.result and call.result > 1]
    opened = [call for call in it.named(OPENS) if "O_CREAT" in call.arguments]
    assert len(opened) == 1 and it.calls.index(whole[-1]) < it.calls.index(opened[0]), "gathered before it is opened"


@pytest.mark.parametrize("target", [SINGLE + "/stream", SINGLE + "/stream/async_read_sync_write"])
def test_a_streamed_form_is_written_while_it_arrives(trace, target):
    it = trace(target)
    received = [call for call in it.named({"recvfrom"}, on_file=False) if (call.result or 0) > 1]
    assert it.calls.index(it.named(WRITES)[0]) < it.calls.index(received[-1])


def test_single_sync_is_one_job_on_one_thread(trace):
    it = trace(SINGLE + "/sync")
    assert len({call.thread for call in it.changes()}) == 1
    between = it.calls[it.calls.index(it.changes()[0]) : it.calls.index(it.changes()[-1])]
    assert not [call for call in between if call.thread == it.loop and call.name != "recvfrom"]


def test_spooled_uploads_are_written_twice_and_read_once_on_the_loop_thread(trace):
    it = trace(SPOOL)
    assert it.all_on_loop(it.changes())
    read = sum(call.result for call in it.named({"pread64"}))
    assert read == it.written() - len(LARGE) > 0, "what does not fit in memory goes through a file without a name"
    assert any("O_TMPFILE" in call.arguments for call in it.named(OPENS))


def test_splice_moves_the_body_within_the_kernel(trace):
    it = trace(STREAM + "splice")
    spliced = it.named({"splice"})
    assert it.all_on_loop(spliced)
    in_file = sum(call.result for call in spliced)
    in_pipe = sum(call.result for call in it.named({"splice"}, on_file=False) if call not in spliced and (call.result or 0) > 0)
    received = sum(call.result for call in it.named({"recvfrom"}, on_file=False) if (call.result or 0) > 0)
    assert in_file == in_pipe > 0 and in_file + it.written() == SIZE
    assert received < 140_000, "only what came with the head enters the worker"


def test_uring_writes_through_io_uring_alone(trace):
    it = trace(STREAM + "uring")
    assert sum(call.result for call in it.named({"io_uring_enter"}, on_file=False)) >= 1
    assert it.named(WRITES | {"splice"}) == []
    assert it.none_on_loop(it.named(OPENS | {"renameat2"}))


def test_direct_sets_o_direct_before_it_writes_whole_blocks(trace):
    it = trace(STREAM + "direct")
    flags = [call for call in it.named({"fcntl"}) if "F_SETFL" in call.arguments]
    assert "O_DIRECT" in flags[0].arguments and flags[0].result == 0
    until = it.calls.index(flags[1]) if len(flags) > 1 else len(it.calls)
    direct = [call for call in it.named(WRITES) if it.calls.index(call) < until]
    assert it.calls.index(flags[0]) < it.calls.index(direct[0])
    assert all(call.result % 4096 == 0 for call in direct) and sum(call.result for call in direct) == SIZE // 4096 * 4096
    assert it.written() == SIZE and it.none_on_loop(it.changes() + flags)


@pytest.mark.parametrize("name", ["file", "file/sync"])
def test_file_downloads_are_sent_by_sendfile(trace, name):
    it = trace(DOWNLOAD + name)
    assert it.all_on_loop(it.named({"sendfile"}))
    assert sum(call.result for call in it.named({"sendfile"}) if call.result > 0) == len(LARGE)
    assert all("RWF_NOWAIT" in call.arguments for call in it.named(READS)), "asked what is in memory, read nothing"
    opened = [call for call in it.named(OPENS) if "down.bin" in call.arguments]
    assert (it.all_on_loop if name == "file" else it.none_on_loop)(opened)


@pytest.mark.parametrize("name", ["stream/sync_read", "stream/async_read"])
def test_streamed_downloads_are_read_in_slabs(trace, name):
    it = trace(DOWNLOAD + name)
    reads = it.named({"pread64"})
    assert sum(call.result for call in reads) >= len(LARGE) and len(reads) > 2
    assert (it.all_on_loop if name == "stream/sync_read" else it.none_on_loop)(reads)
    assert it.all_on_loop(it.named({"sendto"}, on_file=False)) and it.named({"sendfile"}) == []


def test_uring_downloads_are_read_through_io_uring_alone(trace):
    it = trace(DOWNLOAD + "stream/uring")
    assert sum(call.result for call in it.named({"io_uring_enter"}, on_file=False)) >= len(LARGE) // (128 * 1024)
    assert it.named(READS | {"sendfile", "splice"}) == []
