"""What JSON uploads do to each other's memory: slow ones hold little, waiting ends, and hostile ones are cheap."""
# ctest: waits

import base64
import json
import os
import socket
import time

import pytest

from http_support import CHUNKED, SANITIZED, eventually, memory_bytes, pattern, start  # noqa: F401

TARGET = "/files/upload/raw/json/base64decode"
MIB = 1 << 20
STALL = 4.0
FILE = pattern(300_000)
BODY = json.dumps({"file": base64.b64encode(FILE).decode()}).encode()

pytestmark = pytest.mark.skipif("thread" in os.environ.get("FORKLIFT_SANITIZE", ""),
                                reason="ThreadSanitizer's shadows hide how much memory a body has taken")


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def begin_chunked(worker, size):
    """A client that has sent so many bytes of a body and says nothing more."""
    client = worker.client()
    client.request("POST", TARGET, headers=CHUNKED)
    block = chunk(b"A" * MIB)
    client.send(chunk(b'{"file":"'))
    for _ in range(size // MIB):
        client.send(block)
    return client


def upload_works(worker):
    response = worker.request("POST", TARGET, BODY)
    assert response.status == 200 and json.loads(response.body)["size"] == len(FILE), response


def resident(worker, bytes_min):
    eventually(lambda: memory_bytes(worker.pid) >= bytes_min, f"{bytes_min} bytes were taken in")


def begin_small(worker):
    """A client whose body of 1 MiB has its memory, and does not come."""
    client = worker.client()
    client.request("POST", TARGET, headers=(f"Content-Length: {MIB - 64}", "Expect: 100-continue"))
    goes_on = b"HTTP/1.1 100 Continue\r\n\r\n"
    assert client.take(len(goes_on)) == goes_on
    return client


@pytest.fixture
def full_of_large(start):
    """A worker whose memory for large JSON is all taken, and the clients that hold it: two of 60 MiB."""
    worker = start("--stall-timeout", f"{int(STALL * 1000)}ms", "--body-rate-min", "0")
    holders = []
    before = memory_bytes(worker.pid)
    for _ in range(2):
        holders.append(begin_chunked(worker, 60 * MIB))
        resident(worker, before + len(holders) * 58 * MIB)
    yield worker, holders
    for holder in holders:
        holder.socket.close()


@pytest.fixture
def full(full_of_large):
    """The same, and what small bodies have for themselves is taken as well."""
    worker, holders = full_of_large
    small = [begin_small(worker) for _ in range(7)]
    yield worker, small + holders
    for holder in small:
        holder.socket.close()


def keep_awake(holders):
    """They would be let go for standing still."""
    for holder in holders:
        holder.send(chunk(b"A"))


def test_small_bodies_go_on_while_large_ones_hold_all_the_memory(full_of_large):
    worker, holders = full_of_large
    for _ in range(10):
        keep_awake(holders)
        begin = time.monotonic()
        upload_works(worker)
        assert time.monotonic() - begin < STALL / 2  # before the others are let go for standing still
    keep_awake(holders)
    with worker.client() as client:
        client.request("POST", TARGET, headers=CHUNKED)
        client.send(chunk(BODY) + chunk(b""))
        assert client.silent(0.3)
        begin = time.monotonic()
        while time.monotonic() - begin < STALL * 1.2 and client.silent(0.1):
            keep_awake(holders)
        response = client.response()
        assert response.status == 503 and "JSON bodies (--json-limit)" in json.loads(response.body)["detail"], response


def test_large_bodies_that_came_fast_and_then_trickle_are_let_go_and_their_memory_comes_back(start):
    worker = start("--json-limit", "4M", "--stall-timeout", "2s")
    body = b'{"file":"' + b"A" * (4 * MIB - 64 * 1024)
    before = memory_bytes(worker.pid)
    holders = [worker.client() for _ in range(10)]
    for holder in holders:
        holder.request("POST", TARGET, headers=CHUNKED)
        holder.send(chunk(body))
    resident(worker, before + 35 * MIB)
    open_ones = set(holders)
    begin = time.monotonic()
    while open_ones and time.monotonic() - begin < 20:
        for holder in list(open_ones):
            if holder.silent(0.01):
                holder.send(chunk(b"QUJD"))
                continue
            response = holder.response()
            assert response.status == 408 and json.loads(response.body)["type"].endswith(":body-too-slow"), response
            open_ones.discard(holder)
        upload_works(worker)
        time.sleep(0.2)
    assert not open_ones
    eventually(lambda: memory_bytes(worker.pid) < before + 25 * MIB, "their memory is given back")
    for holder in holders:
        holder.socket.close()


def test_clients_that_trickle_chunked_json_stop_nobody(start):
    worker = start()
    slow = [worker.client() for _ in range(20)]
    for client in slow:
        client.request("POST", TARGET, headers=CHUNKED)
        client.send(chunk(b'{"file":"'))
    for _ in range(10):
        for client in slow:
            client.send(chunk(b"QUJD"))
        upload_works(worker)
    for client in slow:
        client.send(chunk(b'"}') + b"0\r\n\r\n")
        response = client.response()
        assert response.status == 200 and json.loads(response.body)["size"] == 30
        client.socket.close()


def test_clients_that_trickle_announced_json_stop_nobody(start):
    worker = start()
    slow = [worker.client() for _ in range(20)]
    for client in slow:
        client.request("POST", TARGET, b'{"file":"QUJD', headers=(f"Content-Length: {60 * MIB}",))
    for _ in range(10):
        upload_works(worker)
    for client in slow:
        client.socket.close()


def test_one_large_body_that_stands_still_stops_nobody(start):
    worker = start()
    before = memory_bytes(worker.pid)
    with begin_chunked(worker, 60 * MIB):
        resident(worker, before + 58 * MIB)
        for _ in range(10):
            upload_works(worker)


def test_who_waits_too_long_for_memory_is_told_to_come_again(full):
    worker, holders = full
    waiting = [worker.client() for _ in range(3)]
    waiting[0].request("POST", TARGET, BODY)
    waiting[1].request("POST", TARGET, headers=CHUNKED)
    waiting[1].send(chunk(BODY[:1000]))
    waiting[2].request("POST", TARGET, headers=(f"Content-Length: {len(BODY)}",))
    begin = time.monotonic()
    while time.monotonic() - begin < STALL * 0.9:
        keep_awake(holders)
        for client in waiting:
            assert client.silent(0.05)
    for client in waiting:
        response = client.response()
        assert response.status == 503 and json.loads(response.body)["type"].endswith(":busy")
        assert int(response["Retry-After"]) > 0 and response["Content-Type"] == "application/problem+json"
        client.socket.close()
    assert worker.parts() == []


def test_who_waits_for_memory_gets_it_when_another_client_leaves(full):
    worker, holders = full
    with worker.client() as client:
        client.request("POST", TARGET, BODY)
        assert client.silent(0.3)
        holders.pop().socket.close()
        assert client.response().status == 200


@pytest.mark.parametrize("way", ["close", "reset"])
@pytest.mark.parametrize("framing", ["announced", "chunked", "head only"])
def test_who_hangs_up_while_it_waits_for_memory_leaves_its_place_at_once(full, way, framing):
    worker, holders = full
    sockets = worker.sockets()
    client = worker.client()
    if framing == "chunked":
        client.request("POST", TARGET, headers=CHUNKED)
        client.send(chunk(BODY[:1000]))
    else:
        client.request("POST", TARGET, headers=(f"Content-Length: {len(BODY)}",))
        if framing == "announced":
            client.send(BODY[:100_000])
    assert client.silent(0.3)
    assert worker.sockets() == sockets + 1
    client.reset() if way == "reset" else client.socket.close()
    eventually(lambda: worker.sockets() == sockets, "its connection is gone", within=STALL / 2)
    keep_awake(holders)


def test_who_only_stops_sending_while_it_waits_for_memory_is_still_served(full):
    worker, holders = full
    with worker.client() as client:
        client.request("POST", TARGET, BODY)
        client.socket.shutdown(socket.SHUT_WR)
        assert client.silent(0.3)
        holders.pop().socket.close()
        assert client.response().status == 200


def test_waiting_for_memory_costs_no_cpu(full):
    """Also where the client has half closed: that stays readable for ever."""
    worker, holders = full
    clients = [worker.client() for _ in range(5)]
    for client in clients:
        client.request("POST", TARGET, BODY)
        client.socket.shutdown(socket.SHUT_WR)

    def cpu_ticks():
        with open(f"/proc/{worker.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    time.sleep(0.3)
    before = cpu_ticks()
    time.sleep(1)
    assert cpu_ticks() - before < 30
    for client in clients:
        client.socket.close()


SIZE = 60 * MIB
HOSTILE = {
    "one file": b'{"file":"' + b"QUJD" * (SIZE // 4) + b'"}',
    "arrays": b"[" * SIZE,
    "members": b'{"file":"QUJD"' + b',"":0' * (SIZE // 5) + b"}",
    "strings": b'{"x":[' + b'"abc",' * (SIZE // 6) + b'0],"file":"QUJD"}',
    "escapes": b'{"x":"' + b'\\"' * (SIZE // 2) + b'"}',
    "one file and many tokens": b'{"file":"' + b"QUJD" * (SIZE // 4 - MIB // 2) + b'","x":' + b"[" * (MIB - 1000),
}


@pytest.mark.skipif(SANITIZED, reason="sanitizers need memory of their own")
@pytest.mark.parametrize("kind", HOSTILE)
def test_parsing_a_large_body_takes_hardly_more_memory_than_the_body(start, kind):
    worker = start()
    upload_works(worker)
    before, most = memory_bytes(worker.pid), 0
    for _ in range(2):
        with worker.client(timeout=120) as client:
            client.request("POST", TARGET, HOSTILE[kind])
            client.socket.setblocking(False)
            while True:
                most = max(most, memory_bytes(worker.pid))
                try:
                    client.received += client.socket.recv(1 << 16)
                    break
                except BlockingIOError:
                    pass
            client.socket.setblocking(True)
            response = client.response()
        assert response.status == (200 if kind == "one file" else response.status)
        assert response.status in (200, 400, 413), response
    after = eventually(lambda: memory_bytes(worker.pid) - before < 20 * MIB and memory_bytes(worker.pid), "it is given back")
    print(f"{kind}: {response.status}, {before / MIB:.1f} -> {most / MIB:.1f} -> {after / MIB:.1f} MiB")
    assert most - before <= SIZE + 12 * MIB, f"grew by {(most - before) / MIB:.1f} MiB"
    upload_works(worker)
