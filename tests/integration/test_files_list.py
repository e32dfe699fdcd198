"""What there is, page by page."""

import json
import re
from urllib.parse import quote

import pytest

from http_support import start  # noqa: F401

NAMES = ["a-b", "a/b", "a/c/d", "a0", "größe", "p q+&=%.txt", "z<i>\"'&"]


@pytest.fixture
def worker(start):
    worker = start()
    for name in NAMES:
        assert worker.request("PUT", "/files/" + quote(name), name.encode()).status == 201
    return worker


def listed(worker, query="", *headers):
    response = worker.request("GET", "/files/" + query, headers=headers)
    assert response.status == 200 and response["Content-Type"] == "application/json", response
    return json.loads(response.body)


def test_files_are_listed_with_what_their_answers_say(worker):
    page = listed(worker)
    assert page["next"] is None
    assert [file["file_path"] for file in page["files"]] == sorted(NAMES, key=str.encode)
    for file in page["files"]:
        got = worker.request("GET", file["url"])
        assert got.body == file["file_path"].encode() and got["ETag"] == file["etag"]
        assert len(got.body) == file["size"] and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", file["modified"])


@pytest.mark.parametrize("limit", [1, 2, 3, len(NAMES)])
def test_the_pages_together_are_the_list(worker, limit):
    names, query = [], f"?limit={limit}"
    while query:
        page = listed(worker, query)
        assert 0 < len(page["files"]) <= limit
        names += [file["file_path"] for file in page["files"]]
        query = page["next"] and page["next"].removeprefix("/files/")
    assert names == sorted(NAMES, key=str.encode)


def test_a_prefix_is_a_directory_or_less(worker):
    for prefix in ("a", "a/", "a/c", "p q+", "gr", "none", "..", ".forklift/"):
        expected = sorted(name for name in NAMES if name.startswith(prefix))
        assert [file["file_path"] for file in listed(worker, "?prefix=" + quote(prefix, safe=""))["files"]] == expected


def test_a_name_that_is_no_utf8_can_be_listed_passed_and_had(worker):
    assert worker.request("PUT", "/files/%E9", b"latin").status == 201
    page = listed(worker, "?after=z%3Ci&limit=2")
    assert page["files"][-1]["url"] == "/files/%E9" and worker.request("GET", "/files/%E9").body == b"latin"
    worker.request("PUT", "/files/%F0", b"last")
    page = listed(worker, "?after=z%3Ci&limit=2")
    assert [file["url"] for file in listed(worker, page["next"].removeprefix("/files/"))["files"]] == ["/files/%F0"]


def test_a_browser_gets_a_page_in_which_names_are_only_names(worker):
    response = worker.request("GET", "/files/?prefix=z%3Ci&limit=1", headers=("Accept: text/html,*/*;q=0.8",))
    assert response["Content-Type"] == "text/html; charset=utf-8" and response["Vary"] == "Accept"
    assert "default-src 'none'" in response["Content-Security-Policy"]
    page = response.body.decode()
    assert "<i>" not in page and re.findall("<bdi>(.*?)</bdi></a>", page) == ["z&lt;i&gt;&quot;&#39;&amp;"]
    assert f'href="/files/{quote(NAMES[-1])}"' in page
    more = worker.request("GET", "/files/?limit=1", headers=("Accept: text/html",)).body.decode()
    assert '<a href="/files/?limit=1&amp;after=a-b">' in more


def test_head_of_a_list_is_as_long_as_the_list(worker):
    head = worker.request("HEAD", "/files/")
    assert head.body == b"" and int(head["Content-Length"]) == len(worker.request("GET", "/files/").body)


def test_what_is_asked_wrongly_is_refused(worker):
    for query in ("?limit=0", "?limit=1001", "?limit=x", "?prefix=%zz"):
        assert worker.request("GET", "/files/" + query).status == 400
    put = worker.request("PUT", "/files/", b"x")
    assert put.status == 405 and put["Allow"] == "GET, HEAD, OPTIONS"
