"""How far an upload goes before its answer: what the operator says, or more where the request asks for it."""

import http.client
import json
import re

import pytest

from http_support import UPLOADS, start  # noqa: F401
from test_commit_order import TracedWorker, tracing  # noqa: F401
from test_files import content

FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nlasting\r\n--b--\r\n'
FORM_HEADERS = ("Content-Type: multipart/form-data; boundary=b",)


def put(worker, name, prefer, body=b"lasting"):
    return worker.request("PUT", f"/files/{name}", body, (f"Prefer: {prefer}",) if prefer else ())


@pytest.mark.parametrize(
    "least, most, prefer, done, applied",
    [("none", "full", "durability=full", "full", "durability=full"),
     ("none", "full", "respond-async, durability=data", "data", "durability=data"),
     ("none", "full", "durability=none", "none", "durability=none"),
     ("none", "full", "", "none", None),
     ("none", "full", "durability=total", "none", None),
     ("data", "full", "durability=none", "data", None),
     ("data", "full", "durability=full", "full", "durability=full"),
     ("none", "data", "durability=full", "data", None),
     ("none", "none", "durability=data", "none", None),
     ("full", "none", "durability=none", "full", None),
     ("full", "none", "durability=data", "full", "durability=data")],
)  # fmt: skip
def test_a_request_may_ask_for_more_and_never_for_less(start, least, most, prefer, done, applied):
    worker = start("--durability", least, "--durability-max", most)
    created = put(worker, "d/a.bin", prefer)
    assert created.status == 201 and json.loads(created.body)["durability"] == done
    assert created["Preference-Applied"] == applied
    replaced = put(worker, "d/a.bin", prefer, b"again")
    assert replaced.status == 204 and replaced["Preference-Applied"] == applied
    assert created["Forklift-Durability"] == replaced["Forklift-Durability"] == done
    assert content(worker, "d/a.bin") == b"again"


def test_every_kind_of_upload_is_as_durable_as_it_asks(start):
    worker = start()
    for target in (*UPLOADS, "/files/upload/stream/splice", "/files/upload/single", "/files/upload/single/stream",
                   "/files/upload/raw/json/base64decode"):  # fmt: skip
        body, headers = b'{"file": "bGFzdGluZw=="}', ("Prefer: durability=full",)
        if "single" in target:
            body, headers = FORM, headers + FORM_HEADERS
        response = worker.request("POST", target, body, headers)
        assert response.status == 200, (target, response)
        assert json.loads(response.body)["durability"] == "full" and response["Preference-Applied"] == "durability=full"


def test_what_lies_in_memory_is_not_said_to_be_durable(start):
    response = start().request("POST", "/files/upload/stream/async_read_and_memory_write", b"x", ("Prefer: durability=full",))
    assert json.loads(response.body)["durability"] == "memory" and response["Preference-Applied"] is None
    assert response["Forklift-Durability"] == "memory"


def test_the_syncs_that_a_request_asks_for_are_made_and_off_the_loop(tmp_path, tracing):
    worker = TracedWorker(tmp_path)
    try:
        for name, prefer in (("a", "durability=none"), ("b", "durability=data"), ("c", "durability=full")):
            connection = http.client.HTTPConnection("127.0.0.1", worker.port, timeout=20)
            connection.request("PUT", f"/files/{name}", b"lasting", {"Prefer": prefer})
            assert connection.getresponse().status == 201
            connection.close()
    finally:
        worker.stop()
    trace = worker.trace.read_text(errors="replace")
    loop = re.match(r"\d+", trace).group()
    calls = re.findall(r"^(\d+) +(fdatasync|fsync)\(", trace, re.MULTILINE)
    assert [call for _, call in calls] == ["fdatasync", "fdatasync", "fsync"]
    assert loop not in {thread for thread, _ in calls}
