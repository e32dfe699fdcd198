"""POST to a directory: forms whose files keep their names, and bodies that get one."""

import json
import os
import re

import pytest
import requests

from http_support import CHUNKED, chunked, pattern, shared, start  # noqa: F401
from test_article_endpoints import JSON, RAW
from test_files import assert_problem, content
from test_http_clients import curl

worker = shared
BODY = pattern(1_000_003)
FRESH = r"\d{8}T\d{6}Z-[0-9a-f]{16}"


def form(*files):
    """(body, headers) of a form with files, each (filename, bytes)."""
    parts = [b'--b\r\nContent-Disposition: form-data; name="f"; filename="%s"\r\n\r\n%s\r\n' % file for file in files]
    return b"".join(parts) + b"--b--\r\n", ("Content-Type: multipart/form-data; boundary=b",)


def post(worker, directory, *files, more=()):
    body, headers = form(*files)
    return worker.request("POST", f"/files/{directory}", body, headers + tuple(more))


@pytest.mark.parametrize("directory", ["", "raw/", "deep/er%20one/"])
def test_a_posted_body_gets_a_name_in_the_directory(worker, directory):
    names = set()
    for body, headers in ((BODY, ()), (chunked(BODY), CHUNKED), (BODY, ("Content-Type: application/x-www-form-urlencoded",))):
        created = worker.request("POST", f"/files/{directory}", body, headers)
        assert created.status == 201 and re.fullmatch(f"/files/{directory}{FRESH}", created["Location"])
        stored = json.loads(created.body)
        assert stored["size"] == len(BODY) and content(worker, stored["file_path"]) == BODY
        got = worker.request("GET", created["Location"])
        assert got.body == BODY and got["ETag"] == created["ETag"]
        names.add(stored["file_path"])
    assert len(names) == 3


@pytest.mark.parametrize("directory", ["", "forms/", "forms/be%6Cow/"])
def test_the_files_of_a_form_keep_their_names(worker, directory):
    files = [(f"{len(directory)}-ä.txt".encode(), b"one"), (b"big.bin", BODY), (b"../../up.txt", b"up"), (b"C:\\dir\\win.txt", b"w")]
    created = post(worker, directory, *files)
    assert created.status == 201, created
    prefix = directory.replace("%6C", "l")
    names = [f"{len(directory)}-ä.txt", "big.bin", "up.txt", "win.txt"]
    answer = json.loads(created.body)
    assert [file["file_path"] for file in answer["files"]] == [prefix + name for name in names]
    assert [file["filename"] for file in answer["files"]] == [filename.decode() for filename, _ in files]
    assert worker.request("GET", created["Location"]).body == b"one"
    for name, (_, body) in zip(names, files):
        assert content(worker, prefix + name) == body
        os.unlink(os.path.join(worker.root, prefix + name))


def test_a_form_replaces_nothing_and_is_stored_whole_or_not_at_all(worker):
    worker.request("PUT", "/files/whole/there.txt", b"there")
    for files in ([(b"new.txt", b"1"), (b"there.txt", b"2"), (b"after.txt", b"3")], [(b"twice.txt", b"1"), (b"twice.txt", b"2")]):
        assert_problem(post(worker, "whole/", *files), 409, "name-taken")
    assert content(worker, "whole/there.txt") == b"there"
    assert [name for name in worker.visible() if name.startswith("whole/")] == ["whole/there.txt"]
    assert worker.parts() == []


@pytest.mark.parametrize(
    "directory, filename, status, kind",
    [("", b".forklift", 409, "name-reserved"), ("", b"upload", 409, "name-reserved"), ("", b"uploads", 409, "name-reserved"),
     ("x/", b"..", 400, "name-bad"), ("x/", b"a\tb", 400, "name-bad"), ("x/", b"a" * 256, 400, "name-too-long")],
)  # fmt: skip
def test_a_file_of_a_form_cannot_have_a_name_that_no_file_can_have(worker, directory, filename, status, kind):
    before = worker.visible()
    assert_problem(post(worker, directory, (b"good.txt", b"x"), (filename, b"x")), status, kind)
    assert worker.visible() == before and worker.parts() == []


def test_a_file_without_a_filename_gets_a_name(worker):
    body = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nnameless\r\n--b--\r\n'
    created = worker.request("POST", "/files/nameless/", body, ("Content-Type: multipart/form-data; boundary=b",))
    assert created.status == 201 and re.fullmatch(f"/files/nameless/{FRESH}", created["Location"])


@pytest.mark.parametrize("said", [("gzip",), ("identity, br",), ("identity", "GZIP"), ("x",)])
def test_a_body_that_says_it_is_coded_is_refused_before_it_is_sent(worker, said):
    fields = [f"Content-Encoding: {value}" for value in said]
    before = worker.visible()
    for method, target in (("PUT", "/files/coded.txt"), ("POST", "/files/"), ("POST", RAW[1]), ("POST", JSON)):
        with worker.client() as client:
            client.request(method, target, headers=(*fields, "Expect: 100-continue", "Content-Length: 20"))
            refused = client.response()
            assert_problem(refused, 415, "content-coding")
            assert refused["Accept-Encoding"] == "identity" and client.ended()
    assert worker.visible() == before


@pytest.mark.parametrize("said", ["identity", "Identity", "", "identity,", " , identity"])
def test_a_body_that_says_it_is_not_coded_is_taken(worker, said):
    assert worker.request("PUT", "/files/plain.txt", b"plain", (f"Content-Encoding: {said}",)).status in (201, 204)


def test_only_directories_take_a_post(worker):
    refused = worker.request("POST", "/files/name", b"x")
    assert_problem(refused, 405, "method-not-allowed")
    assert refused["Allow"] == "GET, HEAD, PUT, DELETE, OPTIONS"
    worker.request("PUT", "/files/file", b"x")
    assert_problem(worker.request("POST", "/files/file/", b"x"), 409, "conflict")
    assert content(worker, "file") == b"x"


@pytest.mark.parametrize("strategy", ["splice", "pool"])
def test_a_post_works_whatever_writes_the_files(start, strategy):
    worker = start("--upload-strategy", strategy)
    assert post(worker, "d/", (b"a", BODY), (b"b", b"")).status == 201
    raw = worker.request("POST", "/files/d/", BODY, ("Prefer: durability=full",))
    assert raw.status == 201 and json.loads(raw.body)["durability"] == "full"
    assert content(worker, "d/a") == BODY and content(worker, "d/b") == b""


def test_curl_and_requests_post_several_files(start, tmp_path):
    worker = start()
    url = f"http://127.0.0.1:{worker.port}/files/several/"
    (tmp_path / "one.bin").write_bytes(BODY)
    (tmp_path / "two.txt").write_bytes(b"two")
    answer = json.loads(curl("-F", f"a=@{tmp_path}/one.bin", "-F", f"b=@{tmp_path}/two.txt", "-F", "note=hello", url))
    assert [file["file_path"] for file in answer["files"]] == ["several/one.bin", "several/two.txt"]
    assert answer["fields"] == [{"name": "note", "value": "hello"}]
    again = requests.post(url, files={"a": ("three.txt", b"three"), "b": ("two.txt", b"2")}, timeout=30)
    assert again.status_code == 409
    assert worker.visible() == ["several/one.bin", "several/two.txt"]
    assert content(worker, "several/one.bin") == BODY and content(worker, "several/two.txt") == b"two"
