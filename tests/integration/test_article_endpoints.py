"""The article's endpoints, with its own body and with the clients people have: what is stored is what was sent."""

import base64
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import threading

import pytest
import requests

from http_support import CHUNKED, SANITIZED, chunked, eventually, pattern, shared, start  # noqa: F401

MEMORY = "/files/upload/stream/async_read_and_memory_write"
RAW = [MEMORY] + [
    "/files/upload/stream/" + name
    for name in ("async_read_and_disk_write", "async_read_and_async_write", "splice", "uring", "direct")
]
SINGLE = "/files/upload/single"
FORMS = [SINGLE] + [
    SINGLE + "/" + name
    for name in ("sync", "stream", "stream/async_read_sync_write", "stream/sync_read_sync_write")
]
JSON = "/files/upload/raw/json/base64decode"
DOWNLOADS = ["/files/download/" + name for name in ("stream/sync_read", "stream/async_read", "stream/uring", "file", "file/sync")]

PHOTO = pattern(262_147, 5)
BOUNDARY = "gouchicao0123456789"
FORM_TYPE = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"
JSON_TYPE = "Content-Type: application/json"


def part(disposition, data, boundary=BOUNDARY, kind=None):
    type_line = f"\r\nContent-Type: {kind}" if kind else ""
    head = f"--{boundary}\r\nContent-Disposition: form-data; {disposition}{type_line}\r\n\r\n"
    return head.encode() + data + b"\r\n"


def form(*parts, boundary=BOUNDARY):
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


ARTICLE_FORM = form(part('name="file"; filename="health.jpg"', PHOTO, kind="image/jpeg"))
ARTICLE_JSON = json.dumps({"filename": "health.jpg", "file": base64.b64encode(PHOTO).decode()}).encode()


def skip_unless_here(worker, target, response):
    """A kernel or file system that lacks a mechanism answers 501: there is nothing to compare."""
    if response.status == 501:
        pytest.skip(f"{target} does not work here: {[line for line in worker.log if 'strategy' in line]}")


def stored(worker, answer, size):
    """The bytes of the file an answer names, by the disk; None for those that are gone after the reply."""
    assert answer["size"] == size
    if answer["file_path"] is None:
        assert answer["durability"] == "memory"
        return None
    assert answer["file_path"].startswith("uploads/") and answer["durability"] == "none"
    with open(os.path.join(worker.root, answer["file_path"]), "rb") as file:
        return file.read()


def check_stored(worker, target, answer, sent, before):
    got = stored(worker, answer, len(sent))
    if target == MEMORY:
        assert got is None and worker.visible() == before
    else:
        assert got == sent
        assert set(worker.visible()) - set(before) == {answer["file_path"]}
        assert worker.request("GET", "/files/" + answer["file_path"]).body == sent
    eventually(lambda: not worker.parts(), "no part is left")


def article_body(target):
    """(body, header, bytes that are to be stored) as the article's Lua scripts send them."""
    if target == JSON:
        return ARTICLE_JSON, JSON_TYPE, PHOTO
    return ARTICLE_FORM, FORM_TYPE, PHOTO if target in FORMS else ARTICLE_FORM


ALL = RAW + FORMS + [JSON]


@pytest.mark.parametrize("framing", ["counted", "chunked"])
@pytest.mark.parametrize("target", ALL)
def test_the_body_of_the_article_is_stored(shared, target, framing):
    body, kind, sent = article_body(target)
    before = shared.visible()
    if framing == "chunked":
        response = shared.request("POST", target, chunked(body, 9973), (kind, *CHUNKED))
    else:
        response = shared.request("POST", target, body, (kind,))
    skip_unless_here(shared, target, response)
    assert response.status == 200 and response["content-type"].startswith("application/json"), response
    check_stored(shared, target, json.loads(response.body), sent, before)


@pytest.mark.parametrize("target", ALL)
def test_curl_uploads_to_it(shared, target, tmp_path):
    photo, document = tmp_path / "health.jpg", tmp_path / "health.json"
    photo.write_bytes(PHOTO)
    document.write_bytes(ARTICLE_JSON)
    arguments = ["--data-binary", f"@{photo}"]
    if target in FORMS:
        arguments = ["-F", f"file=@{photo}"]
    if target == JSON:
        arguments = ["-H", JSON_TYPE, "-d", f"@{document}"]
    before = shared.visible()
    command = ["curl", "-sSf", *arguments, f"http://127.0.0.1:{shared.port}{target}"]
    answer = json.loads(subprocess.run(command, capture_output=True, timeout=60, check=True).stdout)
    check_stored(shared, target, answer, PHOTO, before)


@pytest.mark.parametrize("target", ALL)
def test_requests_uploads_to_it(shared, target):
    options = {"data": PHOTO}
    if target in FORMS:
        options = {"files": {"file": ("health.jpg", PHOTO, "image/jpeg")}}
    if target == JSON:
        options = {"json": {"file": base64.b64encode(PHOTO).decode()}}
    before = shared.visible()
    answer = requests.post(f"http://127.0.0.1:{shared.port}{target}", timeout=60, **options)
    assert answer.status_code == 200, answer.text
    check_stored(shared, target, answer.json(), PHOTO, before)


CHROMIUM = "----WebKitFormBoundary7MA4YWxkTrZu0gW1"


def chromium_headers(kind, origin):
    """The head of a form post, field for field as Chromium sends it."""
    return (
        "Connection: keep-alive", "Cache-Control: max-age=0", 'sec-ch-ua: "Chromium";v="130", "Not?A_Brand";v="99"', "sec-ch-ua-mobile: ?0",
        'sec-ch-ua-platform: "Linux"', f"Origin: {origin}", f"Content-Type: {kind}", "Upgrade-Insecure-Requests: 1",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
        "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Sec-Fetch-User: ?1", "Sec-Fetch-Dest: document",
        f"Referer: {origin}/", "Accept-Encoding: gzip, deflate, br, zstd", "Accept-Language: en-US,en;q=0.9",
    )  # fmt: skip


@pytest.mark.parametrize("target", RAW + FORMS)
def test_a_form_that_chromium_posts_is_stored(shared, target):
    body = form(
        part('name="title"', "größe".encode(), CHROMIUM),
        part('name="file"; filename="größe 1.jpg"', PHOTO, CHROMIUM, "image/jpeg"),
        part('name="unused"; filename=""', b"", CHROMIUM, "application/octet-stream"),
        boundary=CHROMIUM,
    )
    sent = PHOTO if target in FORMS else body
    before = shared.visible()
    headers = chromium_headers(f"multipart/form-data; boundary={CHROMIUM}", f"http://127.0.0.1:{shared.port}")
    answer = json.loads(shared.request("POST", target, body, headers).body)
    check_stored(shared, target, answer, sent, before)
    if target in FORMS:
        assert answer["fields"] == [{"name": "title", "value": "größe"}]
        (file,) = answer["files"]
        assert (file["field"], file["filename"]) == ("file", "größe 1.jpg")


PAGE = """<form id=f method=post enctype=multipart/form-data action="http://127.0.0.1:%d/files/upload/single">
<input name=title value=holiday><input id=i name=file type=file></form><script>
const bytes = new Uint8Array(300001).map((_, i) => i * 31 + (i >> 8));
const given = new DataTransfer(); given.items.add(new File([bytes], "holiday.jpg"));
document.getElementById("i").files = given.files; document.getElementById("f").submit();</script>"""


def test_a_real_browser_posts_a_form(start, tmp_path):
    chromium = "/usr/bin/chromium"
    if not os.path.exists(chromium):
        pytest.skip("no /usr/bin/chromium here; its bytes are replayed by the test above")
    worker = start()
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text(PAGE % worker.port)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(page))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
                   "--timeout=5000", "--dump-dom", f"http://127.0.0.1:{server.server_port}/"]  # fmt: skip
        subprocess.run(command, capture_output=True, timeout=60, check=True)
        server.shutdown()
    (name,) = eventually(worker.visible, "the browser's file is stored")
    sent = bytes((i * 31 + (i >> 8)) & 0xFF for i in range(300_001))
    with open(os.path.join(worker.root, name), "rb") as file:
        assert file.read() == sent


def lua(path, body, kind):
    """The article's postfile.lua."""
    data = path.with_suffix(".body")
    data.write_bytes(body)
    path.write_text(
        f'wrk.method = "POST"\nlocal file = io.open("{data}", "rb")\nwrk.body = file:read("*a")\n'
        f'wrk.headers["Content-Type"] = "{kind.split(": ", 1)[1]}"\n'
    )
    return path


@pytest.mark.skipif(SANITIZED, reason="speed is not the point under sanitizers")
@pytest.mark.skipif(not shutil.which("wrk"), reason="no wrk here")
@pytest.mark.parametrize("target", [RAW[1], SINGLE, JSON])
def test_wrk_with_the_script_of_the_article_gets_only_success_and_the_newest_are_kept(start, target, tmp_path):
    worker = start("--keep-uploads", "5")
    body, kind, sent = article_body(target)
    script = lua(tmp_path / "postfile.lua", body, kind)
    url = f"http://127.0.0.1:{worker.port}{target}"
    command = ["wrk", "-t1", "-c4", "-d1s", "--timeout", "30s", "-s", str(script), url]
    output = subprocess.run(command, capture_output=True, timeout=60, check=True, text=True).stdout
    assert int(re.search(r"(\d+) requests in", output).group(1)) > 0
    assert "Non-2xx" not in output and "Socket errors" not in output, output
    eventually(lambda: len(worker.visible()) == 5 and not worker.parts(), "five uploads are kept")
    for name in worker.visible():
        with open(os.path.join(worker.root, name), "rb") as file:
            assert file.read() == sent


def test_the_newest_uploads_are_kept_and_files_of_clients_too(start):
    worker = start("--keep-uploads", "3")
    worker.request("PUT", "/files/mine", b"mine")
    names = [json.loads(worker.request("POST", target, b"x").body)["file_path"] for target in RAW[1:3] * 4]
    two = form(part('name="a"; filename="a"', b"a"), part('name="b"; filename="b"', b"b"))
    answer = json.loads(worker.request("POST", SINGLE, two, (FORM_TYPE,)).body)
    newest = sorted([names[-1], *(file["file_path"] for file in answer["files"])])
    eventually(lambda: worker.visible() == ["mine", *newest], "the three newest and the client's own are kept")


@pytest.mark.parametrize("target", FORMS)
def test_a_form_of_several_files_and_fields_is_stored_whole(shared, target):
    other = pattern(300_000, 9)
    body = form(
        part('name="before"', b"1"), part('name="file"; filename="../../etc/passwd"', PHOTO), part('name="between"', b""),
        part('name="more"; filename="b"', other), part('name="file"', b"no name"), part('name="empty"; filename="e"', b""),
    )  # fmt: skip
    before = shared.visible()
    response = shared.request("POST", target, body, (FORM_TYPE,))
    assert response.status == 200, response
    answer = json.loads(response.body)
    assert [(file["field"], file["filename"]) for file in answer["files"]] == [
        ("file", "../../etc/passwd"), ("more", "b"), ("file", ""), ("empty", "e"),
    ]  # fmt: skip
    sent = [PHOTO, other, b"no name", b""]
    assert [stored(shared, file, len(data)) for file, data in zip(answer["files"], sent)] == sent
    assert answer["fields"] == [{"name": "before", "value": "1"}, {"name": "between", "value": ""}]
    assert answer["file_path"] == answer["files"][0]["file_path"]
    assert len(set(shared.visible()) - set(before)) == 4


BROKEN_FORMS = {
    "cut off within a file": (ARTICLE_FORM[:100_000], FORM_TYPE),
    "without its closing boundary": (ARTICLE_FORM[: -len(BOUNDARY) - 6], FORM_TYPE),
    "without its last hyphens": (ARTICLE_FORM[:-4], FORM_TYPE),
    "second file cut off": (part('name="a"; filename="a"', PHOTO) + part('name="b"; filename="b"', PHOTO), FORM_TYPE),
    "another boundary": (form(part('name="a"; filename="a"', b"1")), "Content-Type: multipart/form-data; boundary=other"),
    "no boundary": (ARTICLE_FORM, "Content-Type: multipart/form-data"),
    "another type": (ARTICLE_FORM, "Content-Type: application/octet-stream"),
    "no file": (form(part('name="a"', b"1")), FORM_TYPE),
    "nothing": (b"", FORM_TYPE),
}
WHOLE = base64.b64encode(PHOTO)
BROKEN_JSON = {
    "a bad character": b'{"file": "' + WHOLE[:200_000] + b"*" + WHOLE[200_001:] + b'"}',
    "bad padding": b'{"file": "QUI"}',
    "stray bits": b'{"file": "QUJ="}',
    "cut off": ARTICLE_JSON[:-100],
    "no file": b'{"name": "QUJD"}',
    "no JSON": b"file=QUJD",
    "nothing": b"",
}


def refused(worker, target, body, kind, status=400):
    before = worker.visible()
    response = worker.request("POST", target, body, (kind,))
    assert response.status == status and response["content-type"] == "application/problem+json", response
    problem = json.loads(response.body)
    assert problem["status"] == status and problem["detail"]
    assert worker.visible() == before
    eventually(lambda: not worker.parts(), "no part is left")
    return problem


@pytest.mark.parametrize("name", BROKEN_FORMS)
@pytest.mark.parametrize("target", FORMS)
def test_a_broken_form_leaves_nothing(shared, target, name):
    refused(shared, target, *BROKEN_FORMS[name])


@pytest.mark.parametrize("name", BROKEN_JSON)
def test_broken_json_leaves_nothing(shared, name):
    problem = refused(shared, JSON, BROKEN_JSON[name], JSON_TYPE)
    if name == "a bad character":
        offset = len(b'{"file": "') + 200_000
        assert f"byte {offset} of the body" in problem["detail"], problem


@pytest.mark.parametrize("target", DOWNLOADS)
def test_a_download_serves_the_sample_and_what_a_client_names(start, target, tmp_path):
    sample = tmp_path / "health.jpg"
    sample.write_bytes(PHOTO)
    worker, fresh = start("--sample", str(sample)), start(root=tmp_path / "fresh")
    noise = fresh.request("GET", target)
    skip_unless_here(fresh, target, noise)
    assert noise.status == 200 and len(noise.body) == 262_144 and len(set(noise.body)) == 256
    assert fresh.request("GET", target).body == noise.body
    assert worker.request("GET", target).body == PHOTO
    head = worker.request("HEAD", target)
    assert head.status == 200 and head["content-length"] == str(len(PHOTO)) and head.body == b""
    large = pattern(3_000_001, 7)
    worker.request("PUT", "/files/a/gr%C3%B6%C3%9Fe%20%26.bin", large)
    assert worker.request("GET", target + "?name=a/gr%C3%B6%C3%9Fe%20%26.bin").body == large
    for name, status in (("none", 404), ("../secret", 400), (".forklift/parts", 409), ("a", 404)):
        problem = worker.request("GET", f"{target}?name={name}")
        assert problem["content-type"] == "application/problem+json" and 400 <= problem.status < 500, (name, problem)
        assert problem.status == status, (name, problem)
