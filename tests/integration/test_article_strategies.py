"""Which strategies there are, which work here, and which one the general routes use."""

import contextlib
import json
import re
import shutil
import signal
import subprocess

import pytest

from http_support import DISK_WRITE, SANITIZED, WORKER, environment, eventually, pattern, start  # noqa: F401

PHOTO = pattern(262_147, 5)

STRACE = shutil.which("strace")


def worker_lacking(call, error, tmp_path):
    """A worker on whose kernel a system call fails."""
    lacking = tmp_path / "lacking"
    lacking.write_text(
        f'#!/bin/sh\nexec "{STRACE}" -D -f -o /dev/null -e trace={call} -e inject={call}:error={error} "{WORKER}" "$@"\n'
    )
    lacking.chmod(0o755)
    if not STRACE or subprocess.run([lacking, "--version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no strace that may trace here")
    return lacking


def check_only_this_upload_is_missing(worker, name):
    """501 at its URL, a line in the log, refused as an option; the others store."""
    log = "".join(worker.log)
    assert f"the upload strategy {name} does not work here" in log, log
    problem = worker.request("POST", f"/files/upload/stream/{name}", PHOTO)
    assert problem.status == 501 and problem["content-type"] == "application/problem+json", problem
    assert name in json.loads(problem.body)["detail"]
    others = [other for other in ("splice", "direct") if other != name]
    for target in [DISK_WRITE, *(f"/files/upload/stream/{other}" for other in others if f"strategy {other} does not" not in log)]:
        answer = worker.request("POST", target, PHOTO)
        assert answer.status == 200, answer
        assert worker.request("GET", "/files/" + json.loads(answer.body)["file_path"]).body == PHOTO
    assert not worker.parts()


@pytest.fixture
def without_o_direct(tmp_path):
    """A root on a file system that lacks what one strategy needs."""
    root = tmp_path / "ramfs"
    root.mkdir()
    if subprocess.run(["mount", "-t", "ramfs", "ramfs", root], capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not mount")
    yield root
    subprocess.run(["umount", "--lazy", root], capture_output=True, check=True)


def test_where_the_file_system_lacks_o_direct_only_its_url_is_missing(without_o_direct, start):
    worker = start(root=without_o_direct)
    check_only_this_upload_is_missing(worker, "direct")
    assert worker.stop() == 0
    assert "--upload-strategy direct: this strategy does not work here" in refusal(without_o_direct, "--upload-strategy", "direct")


def test_a_reload_to_a_strategy_that_does_not_work_here_starts_no_worker_and_says_why(without_o_direct, master, tmp_path):
    config = tmp_path / "forklift.toml"
    config.write_text("")
    program = master("--config", str(config), root=without_o_direct, workers=1)
    before = program.workers()
    config.write_text('upload-strategy = "direct"\n')
    program.signal(signal.SIGHUP)
    program.log_shows("not reloaded, everything stays as it is: --upload-strategy direct: this strategy does not work here")
    assert program.workers() == before and "generation 2" not in program.log_text()
    assert program.request("PUT", "/files/a", PHOTO).status == 201


def test_a_disk_that_is_full_at_the_start_is_no_missing_mechanism(start, tmp_path):
    root = tmp_path / "tiny"
    root.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", root], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("this user may not mount")
    try:
        worker = start("--sample", __file__, root=root)  # makes its directories
        assert worker.stop() == 0
        with open(root / "fill", "wb", buffering=0) as fill, contextlib.suppress(OSError):
            while fill.write(bytes(4096)):
                pass
        worker = start("--sample", __file__, "--upload-strategy", "splice", root=root)
        assert worker.request("PUT", "/files/new", PHOTO).status == 507
        assert worker.request("DELETE", "/files/fill").status == 204
        assert worker.request("PUT", "/files/new", PHOTO).status == 201
        for name in ("splice", "direct"):
            assert worker.request("POST", "/files/upload/stream/" + name, PHOTO).status in (200, 501), name
            assert f"strategy {name} does not work here" not in "".join(worker.log)
        assert worker.stop() == 0
    finally:
        subprocess.run(["umount", "--lazy", root], capture_output=True, check=True)


@pytest.mark.skipif(SANITIZED, reason="LeakSanitizer does not work under ptrace")
def test_where_the_kernel_does_not_splice_only_its_url_is_missing(start, tmp_path):
    check_only_this_upload_is_missing(start(binary=str(worker_lacking("splice", "EINVAL", tmp_path))), "splice")


@pytest.mark.skipif(SANITIZED, reason="LeakSanitizer does not work under ptrace")
@pytest.mark.parametrize("call, error", [("io_uring_setup", "ENOSYS"), ("io_uring_enter", "EPERM")])
def test_where_the_kernel_lacks_io_uring_only_its_urls_are_missing(start, tmp_path, call, error):
    lacking = worker_lacking(call, error, tmp_path)
    worker = start(binary=str(lacking))
    log = "".join(worker.log)
    assert re.search("upload strategy uring does not work here", log) and "download strategy uring does" in log, log
    for method, target, body in (("POST", "/files/upload/stream/uring", b"x"), ("GET", "/files/download/stream/uring", None)):
        problem = worker.request(method, target, body)
        assert problem.status == 501 and problem["content-type"] == "application/problem+json", problem
        assert "uring" in json.loads(problem.body)["detail"]
    assert worker.request("POST", DISK_WRITE, PHOTO).status == 200
    assert worker.request("GET", "/files/download/file").status == 200
    chosen = subprocess.run(
        [lacking, "--root", worker.root, "--bind", "127.0.0.1:0", "--upload-strategy", "uring"],
        env=environment(), capture_output=True, timeout=30, check=False, text=True,
    )  # fmt: skip
    assert chosen.returncode != 0 and "--upload-strategy uring: this strategy does not work here" in chosen.stderr


def listed_strategies(root):
    command = [WORKER, "--list-strategies", "--root", str(root)]
    text = subprocess.run(command, env=environment(), capture_output=True, timeout=30, check=True, text=True).stdout
    uploads, downloads = text.split("\n\n")
    names = [re.findall(r"^  (\w+) +\S.*\n +(.*)$", half, re.M) for half in (uploads, downloads)]
    return [dict(half) for half in names]


def test_listing_the_strategies_makes_nothing_and_keeps_its_columns(tmp_path):
    command = [WORKER, "--list-strategies", "--root", str(tmp_path / "not" / "yet")]
    text = subprocess.run(command, env=environment(), capture_output=True, timeout=30, check=True, text=True).stdout
    assert list(tmp_path.iterdir()) == []
    columns = {re.match(r"(?:  \w+)? +", line).end() for line in text.splitlines() if line.startswith("  ")}
    assert len(columns) == 1, text


def test_the_strategies_are_listed_with_what_they_are(tmp_path):
    uploads, downloads = listed_strategies(tmp_path / "root")
    assert set(uploads) == {"blocking", "pool", "splice", "direct", "uring", "memory", "whole", "whole_job", "spool"}
    assert set(downloads) == {"sendfile", "sendfile_job", "copy", "pool", "uring"}
    for traits in [*uploads.values(), *downloads.values()]:
        assert re.search("see(s)? the bytes", traits) and re.search("works here|does not work here: .", traits), traits
    assert "never durable" in uploads["memory"] and "durable as --durability says" in uploads["pool"]
    assert "does not see the bytes" in uploads["splice"] and "does not see the bytes" in downloads["sendfile"]


def test_every_listed_strategy_that_keeps_what_it_stores_serves_the_general_routes(start, tmp_path):
    uploads, downloads = listed_strategies(tmp_path / "root")
    chosen = [("--upload-strategy", name) for name in uploads if "works here" in uploads[name] and name != "memory"]
    chosen += [("--download-strategy", name) for name in downloads if "works here" in downloads[name]]
    for option, name in chosen:
        worker = start(option, name)
        put = worker.request("PUT", "/files/" + name, PHOTO)
        assert put.status in (201, 204), put
        assert worker.request("GET", "/files/" + name).body == PHOTO
        worker.stop()


def refusal(root, option, name):
    command = [WORKER, "--root", str(root), "--bind", "127.0.0.1:0", option, name]
    ended = subprocess.run(command, env=environment(), capture_output=True, timeout=30, check=False, text=True)
    assert ended.returncode != 0
    return ended.stderr


def test_the_general_routes_refuse_a_strategy_that_keeps_nothing(tmp_path):
    said = refusal(tmp_path / "root", "--upload-strategy", "memory")
    assert "--upload-strategy (from command line): 'memory' is not valid" in said


@pytest.mark.parametrize("option", ["--upload-strategy", "--download-strategy"])
def test_an_unknown_strategy_fails_clearly(option, tmp_path):
    said = refusal(tmp_path / "root", option, "teleport")
    assert f"{option} (from command line): 'teleport' is not valid" in said and "pool" in said


def test_a_reload_changes_the_strategies_and_an_unknown_one_is_rolled_back(master, tmp_path):
    config = tmp_path / "forklift.toml"
    config.write_text('upload-strategy = "blocking"\n')
    program = master("--config", str(config), workers=1)
    config.write_text('upload-strategy = "whole"\ndownload-strategy = "pool"\n')
    program.signal(signal.SIGHUP)
    program.log_shows("generation 2 serves")
    (worker,) = eventually(lambda: len(program.workers()) == 1 and program.workers(), "one worker")
    with open(f"/proc/{worker}/cmdline", "rb") as arguments:
        text = arguments.read()
    assert b"whole" in text and b"pool" in text
    assert program.request("PUT", "/files/a", PHOTO).status == 201
    assert program.request("GET", "/files/a").body == PHOTO
    config.write_text('upload-strategy = "teleport"\n')
    program.signal(signal.SIGHUP)
    program.log_shows("'teleport' is not valid")
    program.log_shows("rolled back|not reloaded")
    assert program.workers() == [worker]
    assert program.request("GET", "/files/a").body == PHOTO
