"""What there is, page by page."""

import json
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, quote

import pytest

from http_support import FULL, start  # noqa: F401

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


def all_pages(worker, query, limit):
    """The names on every page, `next` after `next`."""
    names = []
    while query:
        page = listed(worker, query)
        assert len(page["files"]) <= limit
        names += [file["file_path"] for file in page["files"]]
        query = page["next"] and page["next"].removeprefix("/files/")
    return names


@pytest.mark.parametrize("limit", [1, 2, 3, len(NAMES)])
def test_the_pages_together_are_the_list(worker, limit):
    assert all_pages(worker, f"?limit={limit}", limit) == sorted(NAMES, key=str.encode)


@pytest.mark.parametrize("prefix", ["", "a", "a/", "p q+&=%"])
def test_the_pages_of_a_prefix_together_are_its_list(worker, prefix):
    for name in ("a/y", "a/z", "p q+&=%2", "p q+&=%/?"):
        assert worker.request("PUT", "/files/" + quote(name), b"x").status == 201
    there = [name for name in all_pages(worker, "?limit=1000", 1000) if name.startswith(prefix)]
    assert len(there) > 2 and all_pages(worker, f"?limit=2&prefix={quote(prefix, safe='')}", 2) == there


def test_the_link_to_the_next_page_keeps_its_prefix(worker):
    page = worker.request("GET", "/files/?prefix=a/&limit=1", headers=("Accept: text/html",)).body.decode()
    assert '<a href="/files/?prefix=a/&amp;limit=1&amp;after=a/b">' in page


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


def test_the_way_to_a_file_behind_much_that_is_none_is_a_page_of_its_own(worker):
    os.makedirs(os.path.join(worker.root, "e/a"))
    for number in range(100_000):
        os.symlink("x", os.path.join(worker.root, f"e/a/{number}"))
    assert worker.request("PUT", "/files/e/y/y", b"x").status == 201
    page = listed(worker, "?prefix=e&limit=1")
    assert page["files"] == [] and page["next"] == "/files/?prefix=e&limit=1&after=e/y/"
    assert "no files up to here" in worker.request("GET", "/files/?prefix=e", headers=("Accept: text/html",)).body.decode()
    assert all_pages(worker, "?prefix=e&limit=1", 1) == ["e/y/y"]


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
    assert put.status == 405 and put["Allow"] == "GET, HEAD, POST, OPTIONS"


def many_names(count):
    """Flat and in directories, some of whose names are before, some behind what is in them."""
    ways = ("{0:05}-{1}", "{0:05}/{1}", "{0:05}/{1}-", "{0:05}0{1}", "{0:05}/{1}=/deep")
    return [ways[number % len(ways)].format(number // 20, number % 20) for number in range(count)]


def keep_changing(worker, names, over):
    """Adds and removes these over and over; how often."""
    changes = 0
    with worker.client() as client:
        while not over.wait(0.001):
            name, method = names[changes // 2 % len(names)], ("PUT", "DELETE")[changes % 2]
            client.request(method, "/files/" + name, b"x" if method == "PUT" else None)
            assert client.response(method).status in (201, 204, 404)
            changes += 1
    return changes


def read_pages(worker, limit):
    """(listed, added): before the next page is asked for, a name is added just behind where it will begin (behind the last name, or in the
    directory that a page on a busy machine stopped at); the last name goes away at every other page."""
    listed_names, added, query = [], [], f"?limit={limit}"
    while query:
        page = listed(worker, query)
        listed_names += [file["file_path"] for file in page["files"]]
        query = page["next"] and page["next"].removeprefix("/files/")
        if query:
            (after,) = parse_qs(query.removeprefix("?"))["after"]
            added.append(after + "!")
            assert worker.request("PUT", "/files/" + added[-1], b"x").status == 201
            if len(added) % 2 and page["files"]:
                assert worker.request("DELETE", "/files/" + listed_names[-1]).status in (204, 404)
    return listed_names, added


@pytest.mark.parametrize("count, limit", [(2000, 90), (100_000, 1000)] if FULL else [(2000, 90)])
def test_pages_name_everything_that_stays_once_while_files_come_and_go(start, count, limit):
    worker = start()
    there = many_names(count)
    for name in there:
        path = os.path.join(worker.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "wb").close()
    passing = [name + "~" for name in there[:: count // 50]]
    over = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        changing = [pool.submit(keep_changing, worker, passing[half::2], over) for half in (0, 1)]
        try:
            names, added = read_pages(worker, limit)
        finally:
            over.set()
    assert all(changes.result() > 0 for changes in changing)
    assert len(added) >= count // limit - 1
    keys = [name.encode() for name in names]
    assert keys == sorted(set(keys)), "in order, none twice"
    assert set(there) | set(added) <= set(names) <= set(there) | set(added) | set(passing)
