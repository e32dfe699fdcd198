"""Files go up, come down and go away, and every answer says so in HTTP's own words."""

import json
import os
import re
from urllib.parse import quote

import pytest

from http_support import CHUNKED, UPLOADS, chunked, pattern, shared, start  # noqa: F401

worker = shared


def path_in(worker, name):
    return os.path.join(worker.root, name)


def content(worker, name):
    with open(path_in(worker, name), "rb") as file:
        return file.read()


def assert_problem(response, status, kind):
    assert response.status == status, response
    assert response["Content-Type"] == "application/problem+json"
    problem = json.loads(response.body)
    assert problem["type"] == f"urn:forklift:problem:{kind}"
    assert problem["status"] == status and problem["title"] and problem["detail"]
    assert problem["instance"] == response["X-Request-Id"] != ""


def test_a_put_file_is_new_once_and_replaced_afterwards(worker):
    created = worker.request("PUT", "/files/put.bin", b"one")
    assert created.status == 201 and created["Location"] == "/files/put.bin"
    assert json.loads(created.body) == {"file_path": "put.bin", "size": 3, "durability": "none", "strategy": "blocking"}
    replaced = worker.request("PUT", "/files/put.bin", b"second")
    assert replaced.status == 204 and replaced.body == b"" and replaced["Content-Length"] is None
    assert content(worker, "put.bin") == b"second"


def test_get_and_head_of_a_file_say_the_same(worker):
    body = pattern(300_000)
    worker.request("PUT", "/files/same.bin", body)
    got = worker.request("GET", "/files/same.bin")
    head = worker.request("HEAD", "/files/same.bin")
    assert got.status == head.status == 200 and got.body == body and head.body == b""
    for name in ("Content-Length", "Content-Type", "ETag", "Last-Modified"):
        assert got[name] == head[name] != None  # noqa: E711
    assert got["Content-Length"] == "300000"
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", got["Date"])


def test_head_is_followed_by_the_next_answer_at_once(worker):
    worker.request("PUT", "/files/head.bin", b"x" * 1000)
    with worker.client() as client:
        client.request("HEAD", "/files/head.bin")
        assert client.response("HEAD")["Content-Length"] == "1000"
        client.request("HEAD", "/files/none.bin")
        assert client.response("HEAD").status == 404
        client.request("GET", "/healthz")
        assert json.loads(client.response().body) == {"status": "ok"}


def test_a_deleted_file_is_gone(worker):
    worker.request("PUT", "/files/gone.bin", b"x")
    deleted = worker.request("DELETE", "/files/gone.bin")
    assert deleted.status == 204 and deleted.body == b""
    assert not os.path.exists(path_in(worker, "gone.bin"))
    assert_problem(worker.request("GET", "/files/gone.bin"), 404, "not-found")
    assert_problem(worker.request("DELETE", "/files/gone.bin"), 404, "not-found")


def test_if_none_match_star_never_replaces(worker):
    headers = ("If-None-Match: *",)
    assert worker.request("PUT", "/files/once.bin", b"first", headers).status == 201
    assert_problem(worker.request("PUT", "/files/once.bin", b"second", headers), 412, "exists")
    assert content(worker, "once.bin") == b"first"
    assert worker.parts() == []


def test_a_piece_of_a_file_does_not_pass_for_the_whole(worker):
    assert worker.request("PUT", "/files/cond.bin", b"x", ("Content-Range: bytes 0-0/9",)).status == 400
    assert not os.path.exists(path_in(worker, "cond.bin"))


def test_directories_on_the_way_are_made(worker):
    assert worker.request("PUT", "/files/a/b/c/deep.bin", b"deep").status == 201
    assert worker.request("GET", "/files/a/b/c/deep.bin").body == b"deep"
    assert_problem(worker.request("PUT", "/files/a/b", b"x"), 409, "conflict")
    assert_problem(worker.request("PUT", "/files/a/b/c/deep.bin/below", b"x"), 409, "conflict")
    assert_problem(worker.request("GET", "/files/a/b"), 404, "not-found")
    assert_problem(worker.request("DELETE", "/files/a/b"), 404, "not-found")
    assert worker.parts() == []


@pytest.mark.parametrize(
    "name",
    ["with space", "größe.txt", "日本語/ファイル", "50%.txt", "a+b&c=d;e", "?query", "#hash", "back\\slash", "...", "..a",
     "'quoted\"", "a" * 255, "😀"],
)  # fmt: skip
def test_a_name_comes_back_as_it_was_given(worker, name):
    created = worker.request("PUT", "/files/names/" + quote(name), name.encode())
    assert created.status == 201
    assert json.loads(created.body)["file_path"] == "names/" + name
    assert content(worker, "names/" + name) == name.encode()
    assert worker.request("GET", created["Location"]).body == name.encode()
    by_query = "/files/download/file?x=1&name=" + quote("names/" + name, safe="")
    assert worker.request("GET", by_query).body == name.encode()
    assert worker.request("DELETE", "/files/names/" + quote(name)).status == 204


def test_a_name_that_is_no_utf8_still_gives_valid_json_and_a_true_location(worker):
    created = worker.request("PUT", "/files/latin-%E9", b"x")
    assert created.status == 201 and created["Location"] == "/files/latin-%E9"
    assert json.loads(created.body.decode("utf-8"))["file_path"] == "latin-\ufffd"
    assert worker.request("GET", created["Location"]).body == b"x"


@pytest.mark.parametrize("target", UPLOADS)
@pytest.mark.parametrize("framing", ["counted", "chunked"])
@pytest.mark.parametrize("size", [0, 1, 131072, 1_000_003])
def test_an_upload_gets_a_fresh_name_and_comes_back(worker, target, framing, size):
    body = pattern(size, seed=size & 0xFF)
    paths = set()
    for _ in range(2):
        if framing == "counted":
            response = worker.request("POST", target, body)
        else:
            response = worker.request("POST", target, chunked(body, 60_000), CHUNKED)
        assert response.status == 200, response
        stored = json.loads(response.body)
        assert stored["size"] == size and stored["durability"] == "none"
        paths.add(stored["file_path"])
        assert content(worker, stored["file_path"]) == body
        for way in ("/files/", "/files/download/file?name=", "/files/download/stream/sync_read?name="):
            assert worker.request("GET", way + stored["file_path"]).body == body
    assert len(paths) == 2


def test_an_upload_without_a_body_makes_an_empty_file(worker):
    assert worker.request("PUT", "/files/empty.bin").status == 201
    got = worker.request("GET", "/files/empty.bin")
    assert got.status == 200 and got["Content-Length"] == "0" and got.body == b""
    copied = worker.request("GET", "/files/download/stream/sync_read?name=empty.bin")
    assert copied.status == 200 and copied.body == b""


def test_a_download_that_names_no_file_gets_noise_and_a_bad_name_nothing(worker):
    for way in ("/files/download/file", "/files/download/stream/sync_read"):
        noise = worker.request("GET", way)
        assert noise.status == 200 and len(noise.body) == 256 * 1024
        assert_problem(worker.request("GET", way + "?name="), 400, "name-bad")
        assert_problem(worker.request("GET", way + "?name=nowhere"), 404, "not-found")


def test_an_unknown_path_is_not_found(worker):
    for target in ("/", "/files", "/healthz/", "/other", "/%66iles/x", "//files/x"):
        assert_problem(worker.request("GET", target), 404, "route-unknown")


@pytest.mark.parametrize(
    "target, allow",
    [(UPLOADS[0], "POST, OPTIONS"), (UPLOADS[1], "POST, OPTIONS"), ("/healthz", "GET, HEAD, OPTIONS"),
     ("/files/download/file", "GET, HEAD, OPTIONS"), ("/files/x", "GET, HEAD, PUT, DELETE, OPTIONS"),
     ("/files/", "GET, HEAD, POST, OPTIONS"), ("/files/x/", "POST, OPTIONS")],
)  # fmt: skip
def test_a_method_that_does_not_fit_learns_which_do(worker, target, allow):
    fitting = allow.split(", ")
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"):
        if method in fitting:
            continue
        response = worker.request(method, target)
        assert_problem(response, 405, "method-not-allowed")
        assert response["Allow"] == allow
    options = worker.request("OPTIONS", target)
    assert options.status == 204 and options["Allow"] == allow


def test_options_star_speaks_for_the_server(worker):
    response = worker.request("OPTIONS", "*")
    assert response.status == 204 and "PUT" in response["Allow"]


def test_a_sane_request_id_is_given_back_and_others_are_replaced(worker):
    given = worker.request("GET", "/files/none", headers=("X-Request-Id: job-42/a",))
    assert given["X-Request-Id"] == "job-42/a"
    assert json.loads(given.body)["instance"] == "job-42/a"
    own = set()
    for value in ("", "a b", "x" * 5000, "caf\u00e9"):
        response = worker.request("GET", "/healthz", headers=(f"X-Request-Id: {value}",))
        own.add(response["X-Request-Id"])
        assert re.fullmatch(r"[0-9a-f]{16}-[0-9a-f]+", response["X-Request-Id"]), value
    assert len(own) == 4


def test_a_quote_in_a_request_id_does_not_break_the_json(worker):
    response = worker.request("GET", "/files/none", headers=('X-Request-Id: a"b\\c',))
    assert json.loads(response.body)["instance"] == 'a"b\\c' == response["X-Request-Id"]


@pytest.mark.parametrize("durability", ["data", "full"])
def test_the_answer_says_how_durable_the_file_is(start, durability):
    worker = start("--durability", durability)
    for method, target in (("PUT", "/files/d/e/durable.bin"), ("POST", UPLOADS[0]), ("POST", UPLOADS[1])):
        stored = json.loads(worker.request(method, target, b"lasting").body)
        assert stored["durability"] == durability and content(worker, stored["file_path"]) == b"lasting"
    assert worker.request("PUT", "/files/d/e/durable.bin", b"again").status == 204
    assert content(worker, "d/e/durable.bin") == b"again"
    assert worker.parts() == []


def test_the_sample_is_what_a_download_without_a_name_gets(start, tmp_path):
    sample = tmp_path / "sample.jpg"
    sample.write_bytes(pattern(262144))
    worker = start("--sample", str(sample))
    for way in ("/files/download/file", "/files/download/stream/sync_read"):
        assert worker.request("GET", way).body == sample.read_bytes()
