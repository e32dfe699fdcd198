"""A client that asks first is told to go on only when its request is acceptable."""

import pytest

from http_support import CHUNKED, UPLOADS, chunked, pattern, request_bytes, shared, start  # noqa: F401

worker = shared
EXPECT = "Expect: 100-continue"


def refused_without_100(client, status):
    response = client.response()
    assert response.status == status, response
    assert response["Connection"] == "close"
    return response


@pytest.mark.parametrize("target", UPLOADS)
@pytest.mark.parametrize("framing", ["counted", "chunked"])
def test_an_acceptable_upload_is_told_to_go_on(worker, target, framing):
    body = pattern(200_000)
    with worker.client() as client:
        for _ in range(2):
            framed = f"Content-Length: {len(body)}" if framing == "counted" else CHUNKED[0]
            client.request("POST", target, headers=(EXPECT.replace("100-c", "100-C"), framed))
            assert client.head() == (100, {})
            assert client.silent()
            client.send(body if framing == "counted" else chunked(body))
            assert client.response().status == 200


def test_100_is_not_said_when_the_body_is_here_already(worker):
    with worker.client() as client:
        client.request("PUT", "/files/here-already", b"abc", (EXPECT,))
        assert client.response().status in (201, 204)
        client.request("PUT", "/files/here-already", chunked(b"abc"), (EXPECT, *CHUNKED))
        assert client.response().status in (201, 204)


def test_100_is_not_said_without_a_body_to_come(worker):
    with worker.client() as client:
        client.request("PUT", "/files/no-body", headers=(EXPECT, "Content-Length: 0"))
        assert client.response().status in (201, 204)
        client.request("GET", "/healthz", headers=(EXPECT,))
        assert client.response().status == 200


def test_an_http_1_0_client_is_never_told_100(worker):
    with worker.client() as client:
        client.send(request_bytes("PUT", "/files/old", headers=(EXPECT, "Content-Length: 3"), version="1.0"))
        assert client.silent()
        client.send(b"abc")
        assert client.response().status in (201, 204)


def test_a_body_announced_too_large_is_refused_without_100(start):
    worker = start("--limit-body", "1000")
    with worker.client() as client:
        client.request("PUT", "/files/large", headers=(EXPECT, "Content-Length: 1001"))
        refused_without_100(client, 413)
    with worker.client() as client:
        client.request("PUT", "/files/large", headers=(EXPECT, "Content-Length: 1000"))
        assert client.head()[0] == 100
        client.send(b"x" * 1000)
        assert client.response().status == 201
    assert worker.visible() == ["large"] and worker.parts() == []


@pytest.mark.parametrize(
    "method, target, status",
    [("PUT", "/files/../x", 400), ("PUT", "/files/.forklift/x", 409), ("PUT", "/nowhere", 404), ("POST", "/files/x", 405),
     ("GET", "/files/none", 404), ("PUT", "/files/x%00", 400)],
)  # fmt: skip
def test_an_unacceptable_request_is_refused_without_100(worker, method, target, status):
    for framed in ("Content-Length: 5", CHUNKED[0]):
        with worker.client() as client:
            client.request(method, target, headers=(EXPECT, framed))
            refused_without_100(client, status)
            assert client.ended()


def test_an_unknown_expectation_is_417(worker):
    for value in ("200-ok", "100-continue, more", "100-continued"):
        with worker.client() as client:
            client.request("PUT", "/files/x", headers=(f"Expect: {value}", "Content-Length: 5"))
            refused_without_100(client, 417)
