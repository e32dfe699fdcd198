"""A worker with few descriptors: who needs one too many is told so, and everybody else goes on."""

import json
import re

import pytest

from http_support import SANITIZED, WORKER, eventually, pattern, start  # noqa: F401
from test_article_endpoints import FORM_TYPE, FORMS, form, part

LIMIT = 64
FORM_FILES = LIMIT // 4


@pytest.fixture
def few(start, tmp_path):  # noqa: F811
    """A worker that may have LIMIT descriptors and no more."""
    limited = tmp_path / "limited"
    limited.write_text(f'#!/bin/sh\nulimit -n {LIMIT}\nexec "{WORKER}" "$@"\n')
    limited.chmod(0o755)
    return start(binary=str(limited))


def files(count):
    return [part(f'name="f"; filename="{i}"', pattern(3000, i)) for i in range(count)]


def problem_of(response, status):
    assert response.status == status and response["content-type"] == "application/problem+json", response
    return json.loads(response.body)["detail"]


def clean(worker, visible):
    eventually(lambda: not worker.parts() and worker.visible() == visible, "nothing is left")


@pytest.mark.parametrize("target", FORMS)
def test_a_form_of_more_files_than_this_worker_can_hold_is_told_the_number(few, target):
    detail = problem_of(few.request("POST", target, form(*files(FORM_FILES + 1)), (FORM_TYPE,)), 413)
    assert f"more than {FORM_FILES} files" in detail
    clean(few, [])
    assert few.request("POST", target, form(*files(FORM_FILES)), (FORM_TYPE,)).status == 200
    assert len(few.visible()) == FORM_FILES and not few.parts()


@pytest.mark.parametrize("target", FORMS)
def test_forms_wait_for_their_turn_and_the_others_go_on(few, target):
    body = form(*files(FORM_FILES - 4))
    with few.client() as slow:
        slow.request("POST", target, body[:-3], (FORM_TYPE, f"Content-Length: {len(body)}"))
        eventually(lambda: few.request("POST", target, form(*files(5)), (FORM_TYPE,)).status == 503, "the files are taken")
        response = few.request("POST", target, form(*files(5)), (FORM_TYPE,))
        assert f"hold {FORM_FILES} files" in problem_of(response, 503) and response["retry-after"] == "1"
        assert few.request("PUT", "/files/mine", b"mine").status in (201, 204)
        assert few.request("GET", "/files/mine").body == b"mine"
        slow.send(body[-3:])
        answer = json.loads(slow.response().body)
    assert len(answer["files"]) == FORM_FILES - 4
    response = few.request("POST", target, form(*files(5)), (FORM_TYPE,))
    assert response.status == 200, response


@pytest.mark.skipif(SANITIZED, reason="UBSan looks at memory through a pipe, and takes a lack of descriptors for bad memory")
def test_uploads_without_a_descriptor_are_told_to_come_again_and_the_log_says_so_once(few):
    clients = [few.client() for _ in range(LIMIT - 3 - len(few.descriptors()))]
    try:
        for client in clients:  # all are accepted
            client.request("GET", "/healthz")
            assert client.response().status == 200
        for index, client in enumerate(clients):
            client.request("PUT", f"/files/{index}", b"held", ("Content-Length: 5",))
        refused = []
        for client in clients:
            if not client.silent(0.5 if not refused else 0.05):
                response = client.response()
                assert response["retry-after"] == "1" and "no descriptor left" in problem_of(response, 503)
                refused.append(client)
        held = [client for client in clients if client not in refused]
        assert refused and held, (len(refused), len(held))
        lines = [line for line in few.log if re.search("request .* failed: .*Too many open files", line)]
        assert 1 <= len(lines) <= 3 < len(refused), (lines, len(refused))
        for client in held:
            client.send(b"!")
            assert client.response().status == 201
    finally:
        for client in clients:
            client.socket.close()
    eventually(lambda: few.request("PUT", "/files/after", b"x").status in (201, 204), "uploads work again")
    assert few.request("GET", "/files/after").body == b"x"
    assert not few.parts() and len(few.visible()) == len(held) + 1


@pytest.mark.parametrize("target", FORMS[1:3])
def test_a_form_over_a_limit_of_every_form_is_told_which_and_how_much(start, target):  # noqa: F811
    worker = start()
    file = part('name="f"; filename="f"', b"content")
    field = part('name="a"', b"")
    cases = {
        "more than 32 files": form(*files(33)),
        "more than 1000 parts": form(file, *[field] * 1000),
        "more than 1048576 bytes together": form(file, part('name="a"', b"x" * 1048577)),
        "header of a part has more than 8192 bytes": form(file, part(f'name="{"n" * 8192}"', b"")),
        "preamble has more than 65536 bytes": b"p" * 65537 + b"\r\n" + form(file),
        "epilogue has more than 65536 bytes": form(file) + b"e" * 65537,
    }
    for sentence, body in cases.items():
        assert sentence in problem_of(worker.request("POST", target, body, (FORM_TYPE,)), 413)
        clean(worker, [])
