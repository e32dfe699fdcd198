"""A hundred uploads of 160 MiB held open together need little memory, whichever way they are written.
Each sends 2 MiB and then stands still; FORKLIFT_TEST_FULL=1 sends all but the last byte."""
# ctest: alone

import shutil
import time

import pytest

from http_support import FULL, SANITIZED, eventually, memory_bytes, pattern, start  # noqa: F401

MIB = 1 << 20
SIZE = 160 * MIB
COUNT = 100
SENT = SIZE - MIB if FULL else 2 * MIB
GROWTH_MAX, TOTAL_MAX = 48 * MIB, 64 * MIB
DISK = (COUNT * SIZE if FULL else COUNT * 2 * SENT) + (2 << 30)
DIRECT_DISK = DISK + COUNT * 64 * MIB  # it allocates so far ahead

BLOCK = pattern(MIB)
STREAM, SINGLE = "/files/upload/stream/", "/files/upload/single"
RAW = [STREAM + name for name in ("async_read_and_memory_write", "async_read_and_disk_write", "async_read_and_async_write",
                                  "splice", "uring", "direct")]  # fmt: skip
FORMS = [SINGLE + name for name in ("", "/sync", "/stream", "/stream/async_read_sync_write", "/stream/sync_read_sync_write")]
FORM_HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'

pytestmark = pytest.mark.skipif(SANITIZED, reason="sanitizers need memory of their own")


def unread(port):
    """Bytes that clients have sent to this port and nobody has received yet (proc_pid_net(5))."""
    with open("/proc/net/tcp") as sockets:
        lines = [line.split() for line in sockets.readlines()[1:]]
    end = f":{port:04X}"
    to_server = sum(int(line[4].split(":")[0], 16) for line in lines if line[2].endswith(end))
    at_server = sum(int(line[4].split(":")[1], 16) for line in lines if line[1].endswith(end) and line[3] == "01")
    return to_server + at_server


def open_files(worker):
    return sorted(name for name in worker.descriptors() if name.startswith(worker.root))


@pytest.mark.parametrize("target", RAW + FORMS)
def test_a_hundred_large_uploads_held_open_need_little_memory(start, target, tmp_path):
    if shutil.disk_usage(tmp_path).free < (DIRECT_DISK if target.endswith("direct") else DISK):
        pytest.skip("not enough room on this disk")
    worker = start()
    if worker.request("POST", target, b"").status == 501:
        pytest.skip(f"{target} does not work here")
    visible, before, files = worker.visible(), memory_bytes(worker.pid), open_files(worker)
    clients = [worker.client(timeout=120) for _ in range(COUNT)]
    kind = ("Content-Type: multipart/form-data; boundary=b",) if target in FORMS else ()
    most = 0
    for client in clients:
        client.request("POST", target, headers=(f"Content-Length: {SIZE}", *kind))
        if target in FORMS:
            client.send(FORM_HEAD)
    # Together, not one after the other: a little of each in turn.
    for _ in range(SENT // MIB):
        for client in clients:
            client.send(BLOCK)
        most = max(most, memory_bytes(worker.pid))
    eventually(lambda: unread(worker.port) == 0, "the worker has taken all that was sent", within=120)
    most = max(most, memory_bytes(worker.pid))
    time.sleep(0.1)
    most = max(most, memory_bytes(worker.pid))
    assert most - before <= GROWTH_MAX, f"grew by {(most - before) / MIB:.1f} MiB"
    assert most < TOTAL_MAX, f"{most / MIB:.1f} MiB"
    assert worker.request("GET", "/healthz").status == 200
    for client in clients:
        client.socket.close()
    eventually(lambda: not worker.parts() and open_files(worker) == files, "nothing is left", within=60)
    assert worker.visible() == visible
    print(f"{target}: {before / MIB:.1f} -> {most / MIB:.1f} MiB")
