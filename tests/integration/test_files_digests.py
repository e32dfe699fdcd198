"""Digests: what a client says of its bytes is held against them, and what it wants to know of a file is said."""

import base64
import contextlib
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


@pytest.mark.parametrize("headers, used", [((), "splice"), ((claim("Content-Digest", "sha-256"),), "blocking")])
def test_bytes_that_are_digested_come_into_the_worker_and_others_stay_in_the_kernel(worker, headers, used):
    stored = worker.request("POST", "/files/upload/stream/splice", BODY, headers)
    assert stored.status == 200 and stored["Forklift-Strategy"] == used


def test_a_body_that_is_refused_for_its_digest_may_be_sent_again(worker):
    with worker.client() as client:
        for attempt, status in ((b"broken", 400), (b"whole!", 201)):
            client.request("PUT", "/files/again.bin", attempt, (claim("Repr-Digest", "sha-256", b"whole!"),))
            assert client.response().status == status
    assert content(worker, "again.bin") == b"whole!"


# What a file's answer says


def want(worker, name, wanted, *headers, method="GET"):
    return worker.request(method, f"/files/{name}", headers=(f"Want-Repr-Digest: {wanted}", *headers))


@pytest.mark.parametrize("size", [0, 1, 131072, 1 << 20, (1 << 20) + 1, (16 << 20) + 77])
def test_a_file_comes_with_the_digest_that_was_wanted(worker, size):
    body = pattern(size, seed=3)
    worker.request("PUT", "/files/wanted.bin", body)
    for algorithm in ("sha-256", "sha-512"):
        got = want(worker, "wanted.bin", f"{algorithm}=1")
        assert got.status == 200 and got.body == body
        assert got["Repr-Digest"] == digest(algorithm, body)
        assert want(worker, "wanted.bin", f"{algorithm}=1", method="HEAD")["Repr-Digest"] == got["Repr-Digest"]


@pytest.mark.parametrize(
    "wanted, algorithm",
    [("sha-256=3, sha-512=10", "sha-512"), ("sha-512=2, sha-256=3, md5=10", "sha-256"), ("sha-256=5, sha-512=5", "sha-256"),
     ("sha-512=1", "sha-512"), ("md5=10", None), ("sha-256=0", None), ("sha-256=11", None), ("sha-256=", None), ("", None)],
)  # fmt: skip
def test_the_digest_is_the_one_that_is_liked_best(worker, wanted, algorithm):
    worker.request("PUT", "/files/liked.bin", BODY)
    got = want(worker, "liked.bin", wanted)
    assert got.status == 200 and got.body == BODY
    assert got["Repr-Digest"] == (algorithm and digest(algorithm))


def test_nobody_gets_a_digest_unasked(worker):
    worker.request("PUT", "/files/unasked.bin", BODY)
    assert worker.request("GET", "/files/unasked.bin")["Repr-Digest"] is None


def test_a_part_of_a_file_comes_with_the_digest_of_all_of_it(worker):
    worker.request("PUT", "/files/part.bin", BODY)
    for ranges, size in (("bytes=5-9", 5), ("bytes=0-9,5000-5009", None)):
        part = want(worker, "part.bin", "sha-256=1", f"Range: {ranges}")
        assert part.status == 206 and part["Repr-Digest"] == digest("sha-256")
        assert size is None or part.body == BODY[5:10]


def test_an_answer_without_the_file_has_no_digest(worker):
    tag = worker.request("PUT", "/files/without.bin", BODY)["ETag"] or worker.request("GET", "/files/without.bin")["ETag"]
    for header, status in ((f"If-None-Match: {tag}", 304), ('If-Match: "x"', 412), ("Range: bytes=9999999-", 416)):
        answer = want(worker, "without.bin", "sha-256=1", header)
        assert answer.status == status and answer["Repr-Digest"] is None
    assert want(worker, "nowhere.bin", "sha-256=1").status == 404


@pytest.mark.parametrize("strategy", ["sendfile", "sendfile_job", "copy", "pool"])
def test_every_way_to_send_a_file_says_its_digest(start, strategy):
    worker = start("--download-strategy", strategy)
    worker.request("PUT", "/files/way.bin", BODY)
    with worker.client() as client:
        for _ in range(2):
            client.request("GET", "/files/way.bin", headers=("Want-Repr-Digest: sha-512=1",))
            got = client.response()
            assert got.body == BODY and got["Repr-Digest"] == digest("sha-512")


def test_others_are_served_while_large_files_are_digested(start):
    worker = start()
    with open(f"{worker.root}/endless.bin", "wb") as file:
        file.truncate(1 << 40)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(worker.client()) for _ in range(4)]  # as many as the disk pool has threads
        for client in clients:
            client.request("HEAD", "/files/endless.bin", headers=("Want-Repr-Digest: sha-512=1",))
        for path in ("/healthz", "/files/?limit=1", "/files/endless.bin"):
            assert worker.request("HEAD", path).status == 200
        assert all(client.silent(0.01) for client in clients)


def test_a_file_that_is_replaced_while_it_is_digested_comes_whole_with_its_own_digest(worker):
    old, new = pattern(40 << 20, seed=1), pattern(1000, seed=2)
    for _ in range(3):
        worker.request("PUT", "/files/replaced.bin", old)
        with worker.client() as client:
            client.request("GET", "/files/replaced.bin", headers=("Want-Repr-Digest: sha-512=1",))
            assert worker.request("PUT", "/files/replaced.bin", new).status == 204
            got = client.response()
        assert got.body in (old, new) and got["Repr-Digest"] == digest("sha-512", got.body)
        assert want(worker, "replaced.bin", "sha-512=1")["Repr-Digest"] == digest("sha-512", new)


def test_a_digest_in_a_trailer_is_not_looked_at(worker):
    trailed = chunked(BODY, 70_000, trailers=claim("Content-Digest", "sha-256", b"other") + "\r\n")
    for headers in (CHUNKED, (*CHUNKED, "Trailer: Content-Digest")):
        assert worker.request("PUT", "/files/trailed.bin", trailed, headers).status in (201, 204)
    assert content(worker, "trailed.bin") == BODY


def test_of_two_digests_by_one_algorithm_in_one_field_the_later_counts(worker):
    right, wrong = digest("sha-256"), digest("sha-256", b"other")
    assert worker.request("PUT", "/files/later.bin", BODY, (f"Repr-Digest: {wrong}, {right}",)).status == 201
    refused = worker.request("PUT", "/files/later.bin", b"x", (f"Repr-Digest: {digest('sha-256', b'x')}", f"Repr-Digest: {wrong}"))
    assert_problem(refused, 400, "digest-mismatch")
    assert content(worker, "later.bin") == BODY
