"""One connection carries many requests, whole or in pieces, and every answer in its turn."""

import json
import os

import pytest

from http_support import CHUNKED, UPLOADS, chunked, pattern, request_bytes, shared  # noqa: F401

worker = shared


def a_bit_of_everything():
    """Requests of every kind in one stream of bytes, and what must be answered: (status, stored bytes)."""
    stream, expected = b"", []

    def add(data, status, stored=None):
        nonlocal stream
        stream += data
        expected.append((data.split(b" ", 1)[0].decode(), status, stored))

    for round_ in range(3):
        body = pattern(700 + 37 * round_, seed=round_)
        for target in UPLOADS:
            add(request_bytes("POST", target, body), 200, body)
            add(request_bytes("POST", target, chunked(body, 100), CHUNKED), 200, body)
            add(request_bytes("POST", target, chunked(body, 64, ';name="v;1"', "X-Sum: 1\r\n"), CHUNKED), 200, body)
            add(request_bytes("POST", target, b""), 200, b"")
            add(request_bytes("POST", target, chunked(b""), CHUNKED), 200, b"")
        add(request_bytes("GET", "/healthz"), 200)
        add(request_bytes("HEAD", "/healthz"), 200)
        add(request_bytes("GET", "/files/none"), 404)
        add(request_bytes("PUT", f"/files/stream-{round_}", body), 201, body)
        add(request_bytes("PUT", f"/files/stream-{round_}", body), 204)
        add(request_bytes("GET", f"/files/stream-{round_}"), 200)
        add(request_bytes("DELETE", f"/files/stream-{round_}"), 204)
        add(b"\r\n" + request_bytes("OPTIONS", "*"), 204)
    return stream, expected


def check_answers(worker, client, expected):
    for index, (method, status, stored) in enumerate(expected):
        response = client.response(method)
        assert response.status == status, (index, method, response)
        if status == 200 and stored is not None:
            path = os.path.join(worker.root, json.loads(response.body)["file_path"])
            with open(path, "rb") as file:
                assert file.read() == stored, (index, method)


def test_requests_in_one_segment_are_answered_in_order(worker):
    stream, expected = a_bit_of_everything()
    with worker.client() as client:
        client.send(stream)
        check_answers(worker, client, expected)
        client.request("GET", "/healthz", headers=("Connection: close",))
        assert client.response()["Connection"] == "close" and client.ended()


def test_requests_byte_by_byte_are_answered_in_order(worker):
    stream, expected = a_bit_of_everything()
    stream = stream[: len(stream) // 3]
    expected = expected[: len(expected) // 3]
    with worker.client() as client:
        client.send_trickling(stream)
        check_answers(worker, client, expected)


@pytest.mark.parametrize("step", [2, 3, 7, 61, 509, 4093])
def test_requests_cut_anywhere_are_answered_in_order(worker, step):
    stream, expected = a_bit_of_everything()
    with worker.client() as client:
        for begin in range(0, len(stream), step):
            client.send(stream[begin : begin + step])
        check_answers(worker, client, expected)


def test_a_thousand_requests_in_one_go_are_answered(worker):
    with worker.client() as client:
        client.send(request_bytes("GET", "/healthz") * 1000)
        for _ in range(1000):
            assert client.response().status == 200


@pytest.mark.parametrize("target", UPLOADS)
def test_big_uploads_behind_each_other_keep_apart(worker, target):
    bodies = [pattern(400_000 + seed, seed) for seed in range(4)]
    stream = b""
    for index, body in enumerate(bodies):
        framed = (chunked(body, 50_001), CHUNKED) if index % 2 else (body, ())
        stream += request_bytes("POST", target, *framed)
    with worker.client() as client:
        client.send(stream)
        check_answers(worker, client, [("POST", 200, body) for body in bodies])


def test_a_request_behind_a_big_download_is_answered_after_it(worker):
    body = pattern(8 << 20)
    worker.request("PUT", "/files/big-pipelined.bin", body)
    upload = pattern(60_000, 9)
    for way in ("/files/", "/files/download/stream/sync_read?name="):
        with worker.client(receive_buffer=8192) as client:
            big = request_bytes("GET", way + "big-pipelined.bin")
            client.send(big + request_bytes("POST", UPLOADS[1], upload) + big + request_bytes("GET", "/healthz"))
            assert client.response().body == body
            check_answers(worker, client, [("POST", 200, upload)])
            assert client.response().body == body
            assert client.response().status == 200


def test_an_http_1_0_client_is_hung_up_on(worker):
    with worker.client() as client:
        client.send(b"GET /healthz HTTP/1.0\r\n\r\n")
        response = client.response()
        assert response.status == 200 and response["Connection"] == "close" and client.ended()


def test_an_http_1_0_client_that_asks_for_it_is_kept(worker):
    with worker.client() as client:
        for _ in range(3):
            client.send(b"PUT /files/old-client HTTP/1.0\r\nConnection: Keep-Alive\r\nContent-Length: 3\r\n\r\nabc")
            response = client.response()
            assert response.status in (201, 204) and response["Connection"].lower() == "keep-alive"
        client.send(b"GET /files/old-client HTTP/1.0\r\n\r\n")
        assert client.response().body == b"abc" and client.ended()


def test_connection_close_is_obeyed_and_what_follows_it_is_not(worker):
    with worker.client() as client:
        client.send(request_bytes("GET", "/healthz", headers=("Connection: foo, Close",)))
        client.send(request_bytes("PUT", "/files/after-close", b"x"))
        assert client.response()["Connection"] == "close" and client.ended()
    assert "after-close" not in worker.visible()


def test_a_client_that_stops_sending_still_gets_its_answer(worker):
    body = pattern(5 << 20)
    worker.request("PUT", "/files/half-closed.bin", body)
    with worker.client() as client:
        client.request("GET", "/files/half-closed.bin")
        client.socket.shutdown(1)
        assert client.response().body == body and client.ended()


@pytest.mark.parametrize("target", UPLOADS)
def test_an_upload_that_trickles_in_is_stored(worker, target):
    body = pattern(40)
    for data in (request_bytes("POST", target, body), request_bytes("POST", target, chunked(body, 3), CHUNKED)):
        with worker.client() as client:
            client.send_trickling(data, pause=0.003)
            check_answers(worker, client, [("POST", 200, body)])


def test_one_byte_chunks_are_put_together(worker):
    body = pattern(30_000)
    response = worker.request("PUT", "/files/one-byte-chunks", chunked(body, 1), CHUNKED)
    assert response.status == 201
    assert worker.request("GET", "/files/one-byte-chunks").body == body


def test_trailers_are_read_and_dropped(worker):
    data = chunked(b"body", trailers="Content-Length: 999\r\nHost: x\r\nX-Request-Id: trailer\r\n")
    with worker.client() as client:
        client.send(request_bytes("PUT", "/files/trailers", data, CHUNKED) + request_bytes("GET", "/files/trailers"))
        first, second = client.response(), client.response()
    assert first.status in (201, 204) and second.body == b"body" and first["X-Request-Id"] != "trailer"


def test_a_get_with_a_body_is_answered_without_mistaking_the_body_for_a_request(worker):
    with worker.client() as client:
        client.send(request_bytes("GET", "/healthz", request_bytes("PUT", "/files/smuggled", b"x")))
        assert client.response().status == 200
        client.rest()
    assert "smuggled" not in worker.visible()


def test_a_refusal_with_its_body_complete_keeps_the_connection(worker):
    worker.request("PUT", "/files/kept/x", b"x")
    with worker.client() as client:
        client.request("PUT", "/files/kept", b"y" * 100)
        assert client.response().status == 409
        client.request("GET", "/files/none")
        assert client.response().status == 404
        client.request("GET", "/healthz")
        assert client.response().status == 200
