"""Ranges and conditions as the clients people have ask for them."""

import subprocess

import pytest
import requests

from http_support import pattern, start  # noqa: F401
from test_http_clients import curl

BODY = pattern(3_000_001)


@pytest.fixture
def url(start):
    worker = start()
    worker.request("PUT", "/files/file.bin", BODY)
    return f"http://127.0.0.1:{worker.port}/files/file.bin"


def test_curl_gets_ranges(url):
    assert curl("-r", "100-199", url) == BODY[100:200]
    assert curl("-r", "-7", url) == BODY[-7:]
    several = curl("-r", "0-9,500-509", url)
    assert BODY[:10] in several and BODY[500:510] in several and len(several) < 1000


def test_curl_and_wget_go_on_where_they_stopped(url, tmp_path):
    for client in (["curl", "-sSf", "-C", "-", "-o"], ["wget", "-q", "-c", "-O"]):
        partial = tmp_path / client[0]
        partial.write_bytes(BODY[:1_234_567])
        subprocess.run([*client, str(partial), url], timeout=60, check=True)
        assert partial.read_bytes() == BODY


def test_wget_that_has_it_all_is_content(url, tmp_path):
    whole = tmp_path / "whole"
    whole.write_bytes(BODY)
    subprocess.run(["wget", "-q", "-c", "-O", str(whole), url], timeout=60, check=True)
    assert whole.read_bytes() == BODY


def test_curl_gets_no_more_than_what_is_new(url, tmp_path):
    tags, got = tmp_path / "tags", tmp_path / "got"
    code = ("-w", "%{http_code}", "-o", got)
    assert curl("--etag-save", tags, *code, url) == b"200" and got.read_bytes() == BODY
    assert curl("--etag-compare", tags, *code, url) == b"304"
    assert curl("-R", *code, url) == b"200"
    assert curl("-z", got, *code, url) == b"304"
    requests.put(url, data=b"new", timeout=30)
    assert curl("--etag-compare", tags, *code, url) == b"200" and got.read_bytes() == b"new"


def test_requests_updates_only_what_it_has_seen(url):
    with requests.Session() as session:
        seen = session.get(url, timeout=30)
        assert seen.content == BODY
        part = session.get(url, headers={"Range": "bytes=5-9", "If-Range": seen.headers["ETag"]}, timeout=30)
        assert part.status_code == 206 and part.content == BODY[5:10]
        assert session.get(url, headers={"If-None-Match": seen.headers["ETag"]}, timeout=30).status_code == 304
        mine = {"If-Match": seen.headers["ETag"]}
        assert session.put(url, data=b"mine", headers=mine, timeout=30).status_code == 204
        assert session.put(url, data=b"late", headers=mine, timeout=30).status_code == 412
        assert session.delete(url, headers=mine, timeout=30).status_code == 412
        assert session.get(url, timeout=30).content == b"mine"
        assert session.get(url.removesuffix("file.bin"), timeout=30).json()["files"][0]["file_path"] == "file.bin"
