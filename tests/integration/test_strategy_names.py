"""Every answer with a file, and its line in the access log, name the strategy that really moved the bytes."""

import json
import re
import subprocess

import pytest

from http_support import CHUNKED, WORKER, chunked, environment, eventually, pattern, shared, start  # noqa: F401

FIELD = "Forklift-Strategy"
PHOTO = pattern(300_001, 5)  # more than a worker reads together with the head
FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n%s\r\n--b--\r\n'
FORM_TYPE = "Content-Type: multipart/form-data; boundary=b"

STREAM = "/files/upload/stream/"
SINGLE = "/files/upload/single"
UPLOADS = {
    STREAM + "async_read_and_memory_write": "memory", STREAM + "async_read_and_disk_write": "blocking",
    STREAM + "async_read_and_async_write": "pool", STREAM + "splice": "splice", STREAM + "uring": "uring", STREAM + "direct": "direct",
    SINGLE: "whole", SINGLE + "/sync": "whole_job", SINGLE + "/stream": "pool", SINGLE + "/stream/async_read_sync_write": "blocking",
    SINGLE + "/stream/sync_read_sync_write": "spool", "/files/upload/raw/json/base64decode": "blocking",
}  # fmt: skip
DOWNLOADS = {
    "file": "sendfile", "file/sync": "sendfile_job", "stream/sync_read": "copy", "stream/async_read": "pool", "stream/uring": "uring",
}  # fmt: skip


def listed(tmp_path):
    """(uploads, downloads): the strategies that work here, as the worker lists them; `memory` keeps nothing."""
    command = [WORKER, "--list-strategies", "--root", str(tmp_path / "listed")]
    text = subprocess.run(command, env=environment(), capture_output=True, timeout=30, check=True, text=True).stdout
    halves = [re.findall(r"^  (\w+) +\S.*\n +(.*)$", half, re.M) for half in text.split("\n\n")]
    return [[name for name, traits in half if "works here" in traits] for half in halves]


def works(response):
    if response.status == 501:
        pytest.skip("this mechanism does not work here")
    return response


def article_body(target):
    if target.startswith(SINGLE):
        return FORM % PHOTO, (FORM_TYPE,)
    if "json" in target:
        return json.dumps({"file": "QUJD" * 100_000}).encode(), ()
    return PHOTO, ()


@pytest.mark.parametrize("target", UPLOADS)
def test_an_upload_to_the_articles_endpoints_names_its_strategy(shared, target):
    body, headers = article_body(target)
    answer = works(shared.request("POST", target, body, headers))
    assert answer.status == 200 and answer[FIELD] == UPLOADS[target], answer
    said = json.loads(answer.body)
    assert [each["strategy"] for each in (said, *said.get("files", ()))] == [UPLOADS[target]] * (1 + len(said.get("files", ())))


@pytest.mark.parametrize("target", DOWNLOADS)
def test_a_download_from_the_articles_endpoints_names_its_strategy(shared, target):
    shared.request("PUT", "/files/down", PHOTO)
    path = f"/files/download/{target}?name=down"
    whole = works(shared.request("GET", path))
    ranges = [shared.request("GET", path, headers=(f"Range: bytes={ranges}",)) for ranges in ("5-9", "5-9,1000-1001")]
    assert [answer.status for answer in (whole, *ranges)] == [200, 206, 206]
    for answer in (whole, *ranges, shared.request("HEAD", path)):
        assert answer[FIELD] == DOWNLOADS[target], answer


def test_every_strategy_is_named_by_the_general_routes_and_the_access_log(start, tmp_path):
    uploads, downloads = listed(tmp_path)
    assert {"blocking", "pool"} <= set(uploads) <= set(UPLOADS.values()), "each has an endpoint that is asked above"
    assert {"sendfile", "copy"} <= set(downloads) <= set(DOWNLOADS.values())
    kept = [name for name in uploads if name != "memory"]
    for number in range(max(len(kept), len(downloads))):
        write, read = kept[number % len(kept)], downloads[number % len(downloads)]
        log = tmp_path / f"log{number}"
        worker = start("--upload-strategy", write, "--download-strategy", read, "--access-logfile", str(log), root=tmp_path / f"{number}")
        answers = [worker.request("PUT", "/files/a", PHOTO), worker.request("PUT", "/files/a", PHOTO)]
        assert [answer.status for answer in answers] == [201, 204] and json.loads(answers[0].body)["strategy"] == write
        answers += [worker.request("GET", "/files/a"), worker.request("HEAD", "/files/a")]
        assert answers[2].body == PHOTO and [answer[FIELD] for answer in answers] == [write, write, read, read]
        assert logged(log, 4) == [write, write, read, read]
        worker.stop()


def logged(log, count):
    """The last field of each line."""
    eventually(lambda: log.exists() and len(log.read_text().splitlines()) == count, f"{count} lines are logged")
    return [line.split()[-1] for line in log.read_text().splitlines()]


def test_where_splice_can_move_nothing_the_answer_and_the_log_say_blocking(start, tmp_path):
    log = tmp_path / "log"
    worker = start("--upload-strategy", "splice", "--access-logfile", str(log))
    whole = [worker.request("PUT", "/files/counted", PHOTO), worker.request("POST", STREAM + "splice", PHOTO)]
    seen = [worker.request("PUT", "/files/chunked", chunked(PHOTO, 60_000), CHUNKED),
            worker.request("POST", STREAM + "splice", chunked(PHOTO, 60_000), CHUNKED),
            worker.request("PUT", "/files/with-its-head", b"small"), worker.request("PUT", "/files/empty", b"")]  # fmt: skip
    assert [(answer[FIELD], json.loads(answer.body)["strategy"]) for answer in whole] == [("splice", "splice")] * 2
    assert [(answer[FIELD], json.loads(answer.body)["strategy"]) for answer in seen] == [("blocking", "blocking")] * 4
    for name in ("counted", "chunked"):
        assert worker.request("GET", "/files/" + name).body == PHOTO
    assert logged(log, 8)[:6] == ["splice"] * 2 + ["blocking"] * 4


def test_a_file_without_a_whole_block_is_not_said_to_be_written_directly(start):
    worker = start()
    for size, name in ((4095, "pool"), (4096, "direct"), (4097, "direct")):
        answer = works(worker.request("POST", STREAM + "direct", pattern(size)))
        assert answer[FIELD] == json.loads(answer.body)["strategy"] == name, size


def test_a_form_whose_files_do_not_fit_in_memory_says_what_wrote_each(start):
    worker = start("--spool-memory", "1M")
    large = pattern(3_000_000)
    for target in (SINGLE, SINGLE + "/sync"):
        two = b'--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n' + PHOTO + b"\r\n" + FORM % large
        answer = worker.request("POST", target, two, (FORM_TYPE,))
        said = json.loads(answer.body)
        assert [file["strategy"] for file in said["files"]] == [UPLOADS[target], "pool"]
        assert said["strategy"] == answer[FIELD] == UPLOADS[target], "the first file's, as its path is"


def test_an_answer_without_a_file_names_none(start, tmp_path):
    log = tmp_path / "log"
    worker = start("--access-logfile", str(log))
    tag = worker.request("PUT", "/files/a", b"x")["ETag"]
    asked = [("GET", "/files/a", (f"If-None-Match: {tag}",), 304), ("GET", "/files/a", ("Range: bytes=9-",), 416),
             ("GET", "/files/none", (), 404), ("PUT", "/files/a", ("If-None-Match: *", "Content-Length: 0"), 412),
             ("DELETE", "/files/a", (), 204), ("GET", "/files/", (), 200), ("GET", "/healthz", (), 200)]  # fmt: skip
    for method, target, headers, status in asked:
        answer = worker.request(method, target, headers=headers)
        assert (answer.status, answer[FIELD]) == (status, None), answer
    assert logged(log, 8) == ["blocking", "sendfile", "sendfile", "sendfile", "blocking", "-", "-", "-"]
