"""What is refused is refused early, readably, and without harm to what follows."""

import http.client
import json
import subprocess
import threading

import pytest

from http_support import CHUNKED, UPLOADS, WORKER, chunked, eventually, pattern, request_bytes, running, shared  # noqa: F401

LARGE = 12 << 20


def assert_refused(client, status, kind=None):
    """The whole answer comes, says close, and the connection ends in order."""
    response = client.response()
    assert response.status == status, response
    assert response["Connection"] == "close"
    if kind:
        assert json.loads(response.body)["type"] == "urn:forklift:problem:" + kind
    assert client.ended()


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    with running(WORKER, tmp_path_factory.mktemp("strict") / "root", "--limit-body", "1M") as worker:
        yield worker


EARLY = [("PUT", "/files/too-large", 413), ("PUT", "/files/%2e%2e", 400), ("POST", "/files/x", 405), ("PUT", "/nowhere", 404),
         ("PUT", "/files/upload/x", 409)]  # fmt: skip


@pytest.mark.parametrize("method, target, status", EARLY)
def test_a_client_that_sends_on_reads_the_whole_refusal(strict, method, target, status):
    with strict.client() as client:
        client.request(method, target, pattern(LARGE))
        assert_refused(client, status)
    assert strict.visible() == [] and strict.parts() == []


@pytest.mark.parametrize("method, target, status", EARLY)
def test_python_reads_the_whole_refusal(strict, method, target, status):
    connection = http.client.HTTPConnection("127.0.0.1", strict.port, timeout=30)
    connection.request(method, target, body=pattern(LARGE))
    response = connection.getresponse()
    problem = json.loads(response.read())
    assert response.status == problem["status"] == status
    connection.close()


@pytest.mark.parametrize("expect", ["Expect: 100-continue", "Expect:"])
@pytest.mark.parametrize("method, target, status", EARLY)
def test_curl_reads_the_whole_refusal(strict, tmp_path, expect, method, target, status):
    file = tmp_path / "large"
    file.write_bytes(pattern(LARGE))
    command = ["curl", "-sS", "--path-as-is", "-X", method, "-T", file, "-H", expect, "-w", "\n%{http_code}"]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{strict.port}{target}"], capture_output=True, timeout=60, check=False
    )
    body, code = done.stdout.rsplit(b"\n", 1)
    assert done.returncode == 0 and int(code) == status == json.loads(body)["status"], done


@pytest.mark.parametrize("target", [*UPLOADS, "/files/counted"])
def test_a_chunked_body_over_the_limit_is_refused_and_leaves_nothing(strict, target):
    method = "PUT" if target == "/files/counted" else "POST"
    for size in (1000, 300_000, LARGE):
        with strict.client() as client:
            client.request(method, target, chunked(pattern(LARGE), size), CHUNKED)
            assert_refused(client, 413, "body-too-large")
    eventually(lambda: strict.parts() == [], "the parts are gone")
    assert [name for name in strict.visible() if not name.startswith("uploads/")] == []


def test_a_chunked_body_at_the_limit_is_stored_and_one_byte_more_is_not(strict):
    for target in UPLOADS:
        assert strict.request("POST", target, chunked(pattern(1 << 20)), CHUNKED).status == 200
        assert strict.request("POST", target, chunked(pattern((1 << 20) + 1)), CHUNKED).status == 413
        assert strict.request("POST", target, pattern(1 << 20)).status == 200
        assert strict.request("POST", target, pattern((1 << 20) + 1)).status == 413
    eventually(lambda: strict.parts() == [], "the parts are gone")


def test_a_client_that_reads_late_still_reads_the_refusal(strict):
    with strict.client() as client:
        body = pattern(LARGE)
        sender = threading.Thread(target=client.request, args=("PUT", "/files/late", body))
        sender.start()
        sender.join(30)
        assert not sender.is_alive()
        assert_refused(client, 413)


MALFORMED = [
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nabcde", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nabcde", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nabcde", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\nabcde", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 400 + b"\r\n\r\n", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n", 413),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\n", 413),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    (b"PUT /files/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n", 400),
    (b"PUT /files/x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: a\r\n folded: x\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX y: z\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\nHost: a\n\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: a\n\r\n", 400),
    (b"GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET /healthz  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET /healthz\r\n\r\n", 400),
    (b"GET /hea\xffthz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET /healthz#x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
    (b"GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (501, 505)),
    (b"GET /healthz http/1.1\r\nHost: a\r\n\r\n", 400),
    (b"BREW /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    (b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501),
    (b"G@T /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 100, 400),
    (b"\r\n" * 100, 400),
    (b"\0" * 100, 400),
]  # fmt: skip


@pytest.mark.parametrize("data, status", MALFORMED, ids=[repr(data[:60]) + str(len(data)) for data, _ in MALFORMED])
def test_a_malformed_request_is_refused_and_nothing_behind_it_is_obeyed(shared, data, status):
    allowed = status if isinstance(status, tuple) else (status,)
    for send in ("send", "send_trickling"):
        with shared.client() as client:
            try:
                getattr(client, send)(data + request_bytes("PUT", "/files/smuggled", b"x"))
            except OSError:
                pass  # refused before its last byte was sent
            response = client.response()
            assert response.status in allowed, response
            assert response["Connection"] == "close" and response["Content-Type"] == "application/problem+json"
            assert client.ended()
    assert shared.visible() == [] and shared.parts() == []


BAD_CHUNKS = [b"x\r\n", b"5\r\nabcdeX", b"-1\r\n", b"5 \r\nabcde\r\n", b" 5\r\nabcde\r\n", b"0x5\r\nabcde\r\n", b"\r\n", b"5\nabcde\r\n",
              b"1FFFFFFFFFFFFFFFF\r\n", b"5;a\0\r\nabcde\r\n", b"5\r\nabcde\n0\r\n\r\n", b"0\r\nbad trailer\r\n\r\n", b"0\r\nX: y\n\r\n",
              b"5;" + b"e" * 70_000 + b"\r\n", b"3\r\nabc\r\n0\r\n" + b"X: y\r\n" * 200 + b"\r\n"]  # fmt: skip


@pytest.mark.parametrize("target", UPLOADS)
@pytest.mark.parametrize("data", BAD_CHUNKS, ids=[repr(data[:20]) for data in BAD_CHUNKS])
def test_badly_framed_chunks_are_refused_and_leave_nothing(shared, target, data):
    for prefix in (b"", b"4\r\nfine\r\n"):
        with shared.client() as client:
            client.request("POST", target, prefix + data + request_bytes("PUT", "/files/smuggled", b"x"), CHUNKED)
            response = client.response()
            assert response.status in (400, 431), response
            assert response["Connection"] == "close" and client.ended()
    eventually(lambda: shared.parts() == [], "the parts are gone")
    assert shared.visible() == []
