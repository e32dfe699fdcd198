"""What a request may ask of the file it names: to be new, to be the one it knows, to be no older; and in part."""

import email.utils
import http.client
import json
import os
import re
import subprocess
import threading
import time

import pytest

from http_support import CHUNKED, WORKER, chunked, environment, eventually, pattern, request_bytes, shared, start  # noqa: F401
from test_files import assert_problem, content, path_in

worker = shared
OLD = "Sun, 06 Nov 1994 08:49:37 GMT"
BODY = pattern(1_000_003)


def put(worker, name, body=BODY):
    response = worker.request("PUT", f"/files/{name}", body)
    assert response.status in (201, 204)
    return response["ETag"]


def get(worker, name, *headers, method="GET"):
    return worker.request(method, f"/files/{name}", headers=headers)


# What a file's answer says


def test_a_put_file_has_the_tag_that_its_answer_said(worker):
    first = put(worker, "tag.bin", b"one")
    assert re.fullmatch(r'"[0-9a-f.-]+"', first) and get(worker, "tag.bin")["ETag"] == first
    second = put(worker, "tag.bin", b"one")
    assert second != first and get(worker, "tag.bin", method="HEAD")["ETag"] == second


@pytest.mark.parametrize(
    "name, media_type",
    [("a.html", "text/html; charset=utf-8"), ("a.PNG", "image/png"), ("a.json", "application/json"),
     ("a", "application/octet-stream"), ("a.html/x", "application/octet-stream")],
)  # fmt: skip
def test_a_file_is_what_its_name_says_and_nothing_else(worker, name, media_type):
    put(worker, "types/" + name, b"<script>alert(1)</script>")
    for method in ("GET", "HEAD"):
        response = get(worker, "types/" + name, method=method)
        assert response["Content-Type"] == media_type
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "sandbox"
        assert response["Accept-Ranges"] == "bytes"
        assert response["Content-Disposition"] is None and response["Cache-Control"] is None
    worker.request("DELETE", "/files/types/" + name)


def test_a_file_is_saved_by_its_name_where_that_is_asked(worker):
    put(worker, "r%C3%A9sum%C3%A9.txt", b"x")
    response = get(worker, "r%C3%A9sum%C3%A9.txt?download")
    assert response["Content-Disposition"] == "attachment; filename=\"r_sum_.txt\"; filename*=UTF-8''r%C3%A9sum%C3%A9.txt"


@pytest.mark.parametrize(
    "name, disposition",
    [("a%22b%5C;c.txt", "attachment; filename=\"a_b_;c.txt\"; filename*=UTF-8''a%22b%5C%3Bc.txt"),
     ("d/%25x", "attachment; filename=\"_x\"; filename*=UTF-8''%25x"),
     ("latin%E9", "attachment; filename=\"latin_\"; filename*=UTF-8''latin%EF%BF%BD")],
)  # fmt: skip
def test_no_name_breaks_out_of_the_header_that_tells_it(worker, name, disposition):
    put(worker, name, b"x")
    assert get(worker, name + "?download")["Content-Disposition"] == disposition
    worker.request("DELETE", "/files/" + name)
    for break_out in ("x%0D%0AX-Evil:1", "x%00", "x%0A"):
        assert get(worker, break_out + "?download").status == 400


def test_a_file_of_tomorrow_was_not_modified_later_than_now(worker):
    put(worker, "tomorrow.bin", b"x")
    os.utime(path_in(worker, "tomorrow.bin"), (time.time() + 86400,) * 2)
    response = get(worker, "tomorrow.bin")
    date, modified = (email.utils.parsedate_to_datetime(response[name]) for name in ("Date", "Last-Modified"))
    assert modified <= date


def test_cache_control_is_the_operators_word(start):
    worker = start("--cache-control", "public, max-age=60")
    tag = put(worker, "cached.bin", b"x")
    assert get(worker, "cached.bin")["Cache-Control"] == "public, max-age=60"
    assert get(worker, "cached.bin", "Range: bytes=0-0")["Cache-Control"] == "public, max-age=60"
    assert get(worker, "cached.bin", f"If-None-Match: {tag}")["Cache-Control"] == "public, max-age=60"
    assert get(worker, "none.bin")["Cache-Control"] is None


def test_a_cache_control_that_no_header_can_hold_is_refused_at_the_start(tmp_path):
    command = [WORKER, "--check-config", "--root", str(tmp_path), "--cache-control", "caf\u00e9"]
    outcome = subprocess.run(command, env=environment(), capture_output=True, timeout=30)
    assert outcome.returncode != 0 and b"--cache-control" in outcome.stderr


# 304 and 412 of GET


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_has_the_file_is_told_so_and_the_connection_goes_on(worker, method):
    tag = put(worker, "known.bin")
    modified = get(worker, "known.bin")["Last-Modified"]
    with worker.client() as client:
        for header in (f"If-None-Match: {tag}", f'If-None-Match: "x", W/{tag}', "If-None-Match: *", f"If-Modified-Since: {modified}"):
            client.request(method, "/files/known.bin", headers=(header,))
            answer = client.response(method)
            assert answer.status == 304 and answer["ETag"] == tag and answer["Date"], header
            assert answer["Content-Length"] is None and answer["Content-Type"] is None
        for header in ('If-None-Match: "x"', f"If-Modified-Since: {OLD}", "If-Modified-Since: soon"):
            client.request(method, "/files/known.bin", headers=(header,))
            assert client.response(method).status == 200, header


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_wants_another_file_is_told_that_it_is_gone(worker, method):
    tag = put(worker, "another.bin")
    for header in ('If-Match: "x"', f"If-Match: W/{tag}", "If-Match: x", f"If-Unmodified-Since: {OLD}"):
        response = get(worker, "another.bin", header, method=method)
        assert response.status == 412 and response["Content-Type"] == "application/problem+json", header
    for header in (f"If-Match: {tag}", "If-Match: *"):
        assert get(worker, "another.bin", header, method=method).status == 200
    assert get(worker, "nothing.bin", "If-Match: *", method=method).status == 404


# Ranges


@pytest.mark.parametrize(
    "asked, first, last",
    [("0-0", 0, 0), ("0-", 0, 1_000_002), ("5-9", 5, 9), ("-1", 1_000_002, 1_000_002), ("-2000000", 0, 1_000_002),
     ("999999-99999999", 999_999, 1_000_002), ("131071-131073", 131_071, 131_073), ("0-0,1-1", 0, 1)],
)  # fmt: skip
@pytest.mark.parametrize("strategy", ["sendfile", "copy", "pool"])
def test_one_range_is_sent_alone(start, asked, first, last, strategy):
    worker = start("--download-strategy", strategy)
    tag = put(worker, "range.bin")
    with worker.client() as client:
        for _ in range(2):
            client.request("GET", "/files/range.bin", headers=(f"Range: bytes={asked}",))
            response = client.response()
            assert response.status == 206 and response["ETag"] == tag
            assert response["Content-Range"] == f"bytes {first}-{last}/1000003"
            assert response.body == BODY[first : last + 1]


@pytest.mark.parametrize("strategy", ["sendfile", "copy", "pool"])
def test_several_ranges_are_sent_one_after_the_other_as_asked(start, strategy):
    worker = start("--download-strategy", strategy)
    put(worker, "ranges.txt")
    asked = [(999_000, 1_000_002), (0, 0), (200_000, 500_000), (1_000, 1_001)]
    value = ", ".join(f"{first}-{last}" for first, last in asked)
    with worker.client() as client:
        for _ in range(2):
            client.request("GET", "/files/ranges.txt", headers=(f"Range: bytes={value}",))
            response = client.response()
            assert response.status == 206 and response["Content-Range"] is None
            boundary = re.fullmatch(r"multipart/byteranges; boundary=(\w+)", response["Content-Type"]).group(1).encode()
            expected = b"".join(
                b"\r\n--" + boundary + b"\r\nContent-Type: text/plain; charset=utf-8\r\n"
                + f"Content-Range: bytes {first}-{last}/1000003\r\n\r\n".encode() + BODY[first : last + 1]
                for first, last in asked
            )
            assert response.body == expected + b"\r\n--" + boundary + b"--\r\n"


def test_a_range_that_there_is_not_learns_how_long_the_file_is(worker):
    put(worker, "short.bin", b"12345")
    response = get(worker, "short.bin", "Range: bytes=5-")
    assert_problem(response, 416, "range")
    assert response["Content-Range"] == "bytes */5"
    for value in ("bytes=2-1", "bytes=x", "lines=1-2", "bytes=" + ",".join(f"{i}-{i}" for i in range(0, 5, 2)) + ",x"):
        whole = get(worker, "short.bin", f"Range: {value}")
        assert whole.status == 200 and whole.body == b"12345"
    assert get(worker, "short.bin", "Range: bytes=1-2", method="HEAD")["Content-Length"] == "5"


def test_an_empty_file_has_no_ranges_and_is_sent_whole(worker):
    put(worker, "empty.bin", b"")
    for value in ("0-", "0-0", "-1", "0-0,5-5"):
        response = get(worker, "empty.bin", f"Range: bytes={value}")
        assert response.status == 200 and response["Content-Length"] == "0" and response["Content-Range"] is None


def test_ranges_without_end_cost_no_more_than_the_file(worker):
    tag = put(worker, "many.bin")
    scattered = ",".join(f"{i * 1000}-{i * 1000}" for i in range(500))
    whole = get(worker, "many.bin", f"Range: bytes={scattered}")
    assert whole.status == 200 and whole.body == BODY
    overlapping = ",".join(f"{i}-" for i in range(1000))
    one = get(worker, "many.bin", f"Range: bytes={overlapping}")
    assert one.status == 206 and one["ETag"] == tag and one.body == BODY


def test_a_range_of_a_file_that_changed_is_all_of_the_new_one(worker):
    put(worker, "changed.bin", b"old content")
    os.utime(path_in(worker, "changed.bin"), (time.time() - 60,) * 2)
    tag, modified = (get(worker, "changed.bin")[name] for name in ("ETag", "Last-Modified"))
    for value in (tag, modified):
        assert get(worker, "changed.bin", "Range: bytes=4-", f"If-Range: {value}").body == b"content"
    put(worker, "changed.bin", b"new words")
    for value in (tag, OLD, f"W/{tag}"):
        response = get(worker, "changed.bin", "Range: bytes=4-", f"If-Range: {value}")
        assert response.status == 200 and response.body == b"new words"


@pytest.mark.parametrize("written", [0, 86_400])
def test_the_date_of_a_file_written_in_this_second_or_later_joins_no_bytes(worker, written):
    """`written`: seconds from now. Tried again where the second ended meanwhile: a date that differs proves nothing."""

    def same_second():
        dates = []
        for body in (b"AAAAAAAAAA", b"BBBBBBBBBB"):
            put(worker, "second.bin", body)
            if written:
                os.utime(path_in(worker, "second.bin"), (time.time() + written,) * 2)
            dates.append(get(worker, "second.bin")["Last-Modified"])
        answer = get(worker, "second.bin", "Range: bytes=5-", f"If-Range: {dates[0]}")
        return answer if dates[0] == dates[1] == answer["Last-Modified"] else None

    answer = eventually(same_second, "all of it within a second")
    assert answer.status == 200 and answer.body == b"BBBBBBBBBB"


def test_a_slow_reader_of_ranges_gets_each_byte_once(worker):
    body = pattern(8_000_000, 5)
    put(worker, "slow.bin", body)
    with worker.client(receive_buffer=4096) as client:
        client.request("GET", "/files/slow.bin", headers=("Range: bytes=1-3000000,5000000-7999999",))
        time.sleep(0.2)
        response = client.response()
    assert body[1:3_000_001] in response.body and body[5_000_000:] in response.body
    assert len(response.body) == int(response["Content-Length"])


def test_who_is_refused_for_what_the_file_is_learns_its_tag(worker):
    tag = put(worker, "told.bin", b"told")
    refused = [worker.request(method, "/files/told.bin", body, ('If-Match: "x"',)) for method, body in
               (("GET", None), ("HEAD", None), ("PUT", b"new"), ("DELETE", None))]  # fmt: skip
    refused.append(worker.request("PUT", "/files/told.bin", b"new", ("If-None-Match: *",)))
    assert [answer.status for answer in refused] == [412] * 5
    refused.append(get(worker, "told.bin", "Range: bytes=4-"))
    assert refused[-1].status == 416 and refused[-1]["Content-Range"] == "bytes */4"
    assert [answer["ETag"] for answer in refused] == [tag] * 6
    nothing = worker.request("PUT", "/files/untold.bin", b"new", ("If-Match: *",))
    assert nothing.status == 412 and nothing["ETag"] is None


# PUT and DELETE


@pytest.mark.parametrize("strategy", ["blocking", "pool"])
def test_a_put_replaces_the_file_it_knows_and_no_other(start, strategy):
    worker = start("--upload-strategy", strategy)
    old = put(worker, "mine.bin", b"one")
    kept = worker.request("PUT", "/files/mine.bin", b"two", (f"If-Match: {old}",))
    assert kept.status == 204 and kept["ETag"] == get(worker, "mine.bin")["ETag"] != old
    for header in (f"If-Match: {old}", 'If-Match: "x"', f"If-None-Match: {kept['ETag']}", f"If-Unmodified-Since: {OLD}"):
        response = worker.request("PUT", "/files/mine.bin", b"three", (header,))
        assert_problem(response, 412, "precondition")
    assert_problem(worker.request("PUT", "/files/mine.bin", b"three", ("If-None-Match: *",)), 412, "exists")
    assert_problem(worker.request("PUT", "/files/new.bin", b"x", ("If-Match: *",)), 412, "precondition")
    assert content(worker, "mine.bin") == b"two" and worker.visible() == ["mine.bin"] and worker.parts() == []
    for header in ("If-Match: *", f"If-None-Match: {old}", "If-Unmodified-Since: Fri, 31 Dec 2199 23:59:59 GMT"):
        assert worker.request("PUT", "/files/mine.bin", b"four", (header,)).status == 204, header
    assert worker.request("PUT", "/files/new.bin", b"x", ("If-None-Match: *",)).status == 201
    assert worker.request("PUT", "/files/mine.bin/below", b"x", ("If-None-Match: *",)).status == 409
    assert worker.request("PUT", "/files/chunked.bin", chunked(b"abc"), (*CHUNKED, "If-None-Match: *")).status == 201


@pytest.mark.parametrize("strategy", ["blocking", "pool"])
def test_a_body_that_would_be_refused_is_not_asked_for(start, strategy):
    worker = start("--upload-strategy", strategy)
    tag = put(worker, "asked.bin", b"one")
    with worker.client() as client:
        client.request("PUT", "/files/asked.bin", headers=("Expect: 100-continue", "Content-Length: 3", f"If-Match: {tag}"))
        assert client.head()[0] == 100
        client.send(b"two")
        assert client.response().status == 204
    with worker.client() as client:
        client.request("PUT", "/files/asked.bin", headers=("Expect: 100-continue", "Content-Length: 3", f"If-Match: {tag}"))
        assert client.response().status == 412
        assert client.ended()


def test_a_file_that_changes_while_its_successor_is_sent_is_not_lost(worker):
    tag = put(worker, "raced.bin", b"one")
    with worker.client() as client:
        client.send(request_bytes("PUT", "/files/raced.bin", headers=("Content-Length: 4", f"If-Match: {tag}")) + b"la")
        with worker.client() as other:
            other.request("PUT", "/files/raced.bin", b"faster", (f"If-Match: {tag}",))
            assert other.response().status == 204
        client.send(b"te")
        assert_problem(client.response(), 412, "precondition")
    assert content(worker, "raced.bin") == b"faster" and worker.parts() == []


def test_a_file_that_comes_while_it_is_created_is_not_lost(worker):
    with worker.client() as client:
        client.send(request_bytes("PUT", "/files/born.bin", headers=("Content-Length: 4", "If-None-Match: *")) + b"la")
        put(worker, "born.bin", b"faster")
        client.send(b"te")
        assert_problem(client.response(), 412, "exists")
    assert content(worker, "born.bin") == b"faster"


def test_a_delete_takes_the_file_it_knows_and_no_other(worker):
    old = put(worker, "doomed.bin", b"one")
    new = put(worker, "doomed.bin", b"two")
    for header in (f"If-Match: {old}", f"If-Unmodified-Since: {OLD}", f"If-None-Match: {new}", "If-None-Match: *"):
        assert_problem(worker.request("DELETE", "/files/doomed.bin", headers=(header,)), 412, "precondition")
    assert worker.request("DELETE", "/files/doomed.bin", headers=(f"If-Match: {new}",)).status == 204
    for header in ("If-Match: *", f"If-Match: {new}", "If-None-Match: *"):
        assert_problem(worker.request("DELETE", "/files/doomed.bin", headers=(header,)), 404, "not-found")


def test_of_racing_writers_on_four_workers_one_wins_each_generation(master):
    program = master(workers=4)
    tag = put(program, "race.bin", b"0")
    for generation in range(20):
        answers = []

        def write(number, expected=tag):
            connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=30)
            connection.request("PUT", "/files/race.bin", str(number), {"If-Match": expected})
            answer = connection.getresponse()
            answer.read()
            answers.append((answer.status, number, answer.headers["ETag"]))
            connection.close()

        writers = [threading.Thread(target=write, args=(generation * 100 + i,)) for i in range(8)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        won = [answer for answer in answers if answer[0] == 204]
        assert len(won) == 1 and {answer[0] for answer in answers} == {204, 412}, answers
        tag = won[0][2]
        seen = program.request("GET", "/files/race.bin")
        assert seen["ETag"] == tag and seen.body == str(won[0][1]).encode()
    assert json.loads(program.request("GET", "/healthz").body)
