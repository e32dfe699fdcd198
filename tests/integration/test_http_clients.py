"""The clients people have, and what the access log says about them."""

import hashlib
import re
import subprocess

import requests

from http_support import UPLOADS, eventually, pattern, request_bytes, start  # noqa: F401

LINE = re.compile(
    r'^(?P<peer>\S+) - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "(?P<request>[^"]*)" (?P<status>\d+) (?P<bytes>\d+)'
    r' "(?P<referer>[^"]*)" "(?P<agent>[^"]*)" (?P<microseconds>\d+) (?P<id>\S+) (?P<strategy>\S+)$'
)


def curl(*arguments):
    return subprocess.run(["curl", "-sSf", *map(str, arguments)], capture_output=True, timeout=60, check=True).stdout


def test_the_two_lines_of_the_readme_work_with_curl(start, tmp_path):
    worker = start()
    url = f"http://127.0.0.1:{worker.port}/files/"
    photo = tmp_path / "holiday photo.jpg"
    photo.write_bytes(pattern(262144))
    plain = tmp_path / "holiday.jpg"
    plain.write_bytes(pattern(262144, 3))
    for file, name in ((photo, "holiday%20photo.jpg"), (plain, "holiday.jpg")):
        curl("-T", file, url)
        assert curl(url + name) == file.read_bytes()
    assert worker.visible() == ["holiday photo.jpg", "holiday.jpg"]


def test_curl_uploads_from_a_pipe_and_to_the_article_paths(start, tmp_path):
    worker = start()
    body = pattern(3_000_000)
    source = tmp_path / "source"
    source.write_bytes(body)
    url = f"http://127.0.0.1:{worker.port}"
    with open(source, "rb") as file:
        subprocess.run(["curl", "-sSf", "-T", "-", url + "/files/piped"], stdin=file, timeout=60, check=True)
    assert curl(url + "/files/piped") == body
    for target in UPLOADS:
        curl("--data-binary", f"@{source}", url + target)
        curl("-H", "Transfer-Encoding: chunked", "--data-binary", f"@{source}", url + target)
    stored = [name for name in worker.visible() if name.startswith("uploads/")]
    assert len(stored) == 4
    for name in stored:
        assert hashlib.sha256(curl(url + "/files/" + name)).digest() == hashlib.sha256(body).digest()


def test_requests_uploads_and_downloads_over_one_connection(start):
    worker = start()
    url = f"http://127.0.0.1:{worker.port}"
    body = pattern(1_500_000)
    with requests.Session() as session:
        for data in (body, iter([body[:1000], body[1000:]])):
            stored = session.post(url + UPLOADS[1], data=data, timeout=30).json()
            assert stored["size"] == len(body)
            assert session.get(f"{url}/files/{stored['file_path']}", timeout=30).content == body
        put = session.put(url + "/files/größe", data=body, timeout=30)
        assert put.status_code == 201
        assert session.get(url + put.headers["Location"], timeout=30).content == body
        assert session.get(url + "/files/none", timeout=30).json()["status"] == 404
        assert session.delete(url + "/files/größe", timeout=30).status_code == 204


def logged(path, count):
    lines = []

    def enough():
        with open(path, encoding="utf-8") as file:
            lines[:] = file.read().splitlines()
        return len(lines) >= count

    eventually(enough, f"{count} lines are logged")
    assert len(lines) == count
    found = [LINE.match(line) for line in lines]
    assert all(found), lines
    return found


def test_the_access_log_has_a_line_for_each_request(start, tmp_path):
    log = tmp_path / "access.log"
    worker = start("--access-logfile", str(log))
    with worker.client() as client:
        client.request("PUT", "/files/a%20b", b"12345", ("User-Agent: tester/1", "X-Request-Id: id-1"))
        client.response()
        client.request("GET", "/files/a%20b?x=y", headers=("Referer: http://there/",))
        client.response()
        client.request("HEAD", "/files/a%20b")
        client.response("HEAD")
        client.send(request_bytes("GET", "/files/none", headers=("Connection: keep-alive",), version="1.0"))
        client.response()
        client.send(b"{nonsense}\r\n\r\n")
        client.rest()
    lines = logged(log, 5)
    assert [line["request"] for line in lines] == [
        "PUT /files/a%20b HTTP/1.1", "GET /files/a%20b?x=y HTTP/1.1", "HEAD /files/a%20b HTTP/1.1", "GET /files/none HTTP/1.0",
        "-",
    ]  # fmt: skip
    assert [line["status"] for line in lines] == ["201", "200", "200", "404", "400"]
    assert [line["bytes"] for line in lines][1:3] == ["5", "0"]
    assert lines[0]["agent"] == "tester/1" and lines[0]["id"] == "id-1" and lines[1]["referer"] == "http://there/"
    assert [line["strategy"] for line in lines] == ["blocking", "sendfile", "sendfile", "sendfile", "-"]
    assert all(line["peer"] == "127.0.0.1" for line in lines)


def test_no_client_forges_a_line_of_the_access_log(start, tmp_path):
    log = tmp_path / "access.log"
    worker = start("--access-logfile", str(log))
    evil = 'x" 200 0 "-" "-" 1 id\\'
    tricks = [f"User-Agent: {evil}", f"Referer: {evil}", "User-Agent: \x1b[31m", "User-Agent: caf\u00e9\u2028", f"X-Request-Id: {evil}",
              "User-Agent: a\tb"]  # fmt: skip
    for trick in tricks:
        with worker.client() as client:
            client.send(request_bytes("GET", '/files/"x', headers=(trick,)))
            client.response()
    with worker.client() as client:
        client.send(b"GET /files/x HTTP/1.1\r\nHost: a\r\nUser-Agent: a\rb\n127.0.0.1 - - forged\r\n\r\n")
        client.response()
    lines = logged(log, len(tricks) + 1)
    for line in lines:
        assert all(" " <= character <= "~" for character in line.string)


def test_an_upload_that_breaks_off_is_logged_as_a_bad_request(start, tmp_path):
    log = tmp_path / "access.log"
    worker = start("--access-logfile", str(log))
    with worker.client() as client:
        client.request("PUT", "/files/never", headers=("Content-Length: 10",))
        client.send(b"12345")
        eventually(worker.parts, "the upload has begun")
    line = logged(log, 1)[0]
    assert line["request"] == "PUT /files/never HTTP/1.1" and line["status"] == "400"
