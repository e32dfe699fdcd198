"""Digests: what a client says of its bytes is held against them, and what it wants to know of a file is said."""

import base64
import hashlib
import json

import pytest

from http_support import CHUNKED, UPLOADS, chunked, eventually, pattern, shared, start  # noqa: F401
from test_files import assert_problem, content

worker = shared
BODY = pattern(1_000_003)


def encoded(algorithm, body):
    return base64.b64encode(hashlib.new(algorithm.replace("-", ""), body).digest()).decode()


def digest(algorithm, body=BODY):
    return f"{algorithm}=:{encoded(algorithm, body)}:"


CLAIMS = [("Repr-Digest", "sha-256"), ("Repr-Digest", "sha-512"), ("Content-Digest", "sha-256"), ("Content-Digest", "sha-512"),
          ("Content-MD5", "md5")]  # fmt: skip


def claim(field, algorithm, body=BODY):
    return f"{field}: {encoded(algorithm, body) if algorithm == 'md5' else digest(algorithm, body)}"


@pytest.mark.parametrize("field, algorithm", CLAIMS)
def test_a_file_that_is_what_its_digest_says_is_stored(worker, field, algorithm):
    headers = (claim(field, algorithm),)
    assert worker.request("PUT", "/files/right.bin", BODY, headers).status in (201, 204)
    assert content(worker, "right.bin") == BODY
    assert worker.request("PUT", "/files/right.bin", chunked(BODY, 70_000), headers + CHUNKED).status == 204
    assert content(worker, "right.bin") == BODY
    empty = (claim(field, algorithm, b""),)
    assert worker.request("PUT", "/files/right.bin", b"", empty).status == 204
    assert content(worker, "right.bin") == b""


@pytest.mark.parametrize("field, algorithm", CLAIMS)
@pytest.mark.parametrize("size", [0, 1, 1_000_003])
def test_a_file_that_is_not_what_its_digest_says_is_not_stored(worker, field, algorithm, size):
    worker.request("PUT", "/files/kept.bin", b"kept")
    headers = (claim(field, algorithm, b"something else"),)
    with worker.client() as client:
        for name in ("/files/kept.bin", "/files/wrong/new.bin"):
            client.request("PUT", name, BODY[:size], headers)
            refused = client.response()
            assert_problem(refused, 400, "digest-mismatch")
            assert {"md5": "MD5"}.get(algorithm, algorithm) in json.loads(refused.body)["detail"]
        client.request("PUT", name, chunked(BODY[:size]), headers + CHUNKED)
        assert_problem(client.response(), 400, "digest-mismatch")
        client.request("GET", "/healthz")
        assert client.response().status == 200
    assert content(worker, "kept.bin") == b"kept"
    assert not any(name.startswith("wrong/") for name in worker.visible()) and worker.parts() == []


def test_every_digest_has_to_be_right(worker):
    right, wrong = digest("sha-256"), digest("sha-512", b"other")
    for headers in [
        (f"Repr-Digest: {right}, {wrong}",),
        (f"Repr-Digest: {right}", f"Content-Digest: {wrong}"),
        (f"Repr-Digest: {right}", f"Content-Digest: {digest('sha-256', b'other')}"),
        (f"Repr-Digest: {right}", claim("Content-MD5", "md5", b"other")),
    ]:
        assert_problem(worker.request("PUT", "/files/all.bin", BODY, headers), 400, "digest-mismatch")
    assert "all.bin" not in worker.visible()
    assert worker.request("PUT", "/files/all.bin", BODY, (f"Repr-Digest: {right}, {digest('sha-512')}",)).status == 201


@pytest.mark.parametrize(
    "header",
    ["Repr-Digest: sha-256=abc", "Repr-Digest: sha-256=:AAAA:", "Content-Digest: sha-512=:***:", "Content-Digest: ,",
     "Repr-Digest: sha-256", "Content-MD5: abc", "Repr-Digest: SHA-256=:AAAA:"],
)  # fmt: skip
def test_a_digest_that_cannot_be_read_is_refused_before_the_body_comes(worker, header):
    with worker.client() as client:
        client.request("PUT", "/files/unread.bin", None, (header, "Content-Length: 9", "Expect: 100-continue"))
        assert client.response().status == 400
    assert "unread.bin" not in worker.visible()


@pytest.mark.parametrize("value", ["md5=:AAAA:", "unixsum=1, new-one=?1", "sha=:" + "A" * 27 + "=:"])
def test_digests_of_other_kinds_are_left_alone(worker, value):
    assert worker.request("PUT", "/files/unknown.bin", b"x", (f"Repr-Digest: {value}",)).status in (201, 204)
    both = worker.request("PUT", "/files/unknown.bin", b"x", (f"Repr-Digest: {value}, {digest('sha-256', b'y')}",))
    assert_problem(both, 400, "digest-mismatch")


@pytest.mark.parametrize("target", [*UPLOADS, "/files/upload/stream/splice"])
def test_the_endpoints_of_the_article_hold_bodies_against_their_digests_too(worker, target):
    before = worker.visible()
    wrong = worker.request("POST", target, BODY, (claim("Content-Digest", "sha-256", b"other"),))
    assert_problem(wrong, 400, "digest-mismatch")
    assert worker.visible() == before
    eventually(lambda: worker.parts() == [], "its part is thrown away")
    stored = worker.request("POST", target, BODY, (claim("Content-Digest", "sha-256"),))
    assert stored.status == 200 and content(worker, json.loads(stored.body)["file_path"]) == BODY


def test_the_digest_of_a_form_is_that_of_the_whole_form(worker):
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n' + BODY + b"\r\n--b--\r\n"
    headers = ("Content-Type: multipart/form-data; boundary=b",)
    before = worker.visible()
    wrong = worker.request("POST", "/files/upload/single/stream", form, headers + (claim("Content-Digest", "sha-256"),))
    assert_problem(wrong, 400, "digest-mismatch")
    assert worker.visible() == before
    eventually(lambda: worker.parts() == [], "its part is thrown away")
    right = worker.request("POST", "/files/upload/single/stream", form, headers + (claim("Content-Digest", "sha-256", form),))
    assert right.status == 200 and content(worker, json.loads(right.body)["file_path"]) == BODY


@pytest.mark.parametrize("strategy", ["splice", "pool"])
def test_digests_are_checked_whatever_writes_the_files(start, strategy):
    worker = start("--upload-strategy", strategy)
    wrong = worker.request("PUT", "/files/a.bin", BODY, (claim("Repr-Digest", "sha-256", b"other"),))
    assert_problem(wrong, 400, "digest-mismatch")
    assert worker.visible() == []
    eventually(lambda: worker.parts() == [], "its part is thrown away")
    assert worker.request("PUT", "/files/a.bin", BODY, (claim("Repr-Digest", "sha-256"),)).status == 201
    assert content(worker, "a.bin") == BODY


def test_a_body_that_is_refused_for_its_digest_may_be_sent_again(worker):
    with worker.client() as client:
        for attempt, status in ((b"broken", 400), (b"whole!", 201)):
            client.request("PUT", "/files/again.bin", attempt, (claim("Repr-Digest", "sha-256", b"whole!"),))
            assert client.response().status == status
    assert content(worker, "again.bin") == b"whole!"
