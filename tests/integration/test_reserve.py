"""What --reserve-space keeps free: bodies that do not fit beside it are refused before they are sent, over all workers."""

import concurrent.futures
import contextlib
import json
import os
import select
import signal
import subprocess
import threading

import pytest

from http_support import CHUNKED, Client, chunked, eventually, pattern, start  # noqa: F401
from test_article_endpoints import FORM_TYPE, FORMS, JSON, JSON_TYPE, MEMORY, RAW

EXPECT = "Expect: 100-continue"
MIB = 1 << 20
RESERVE = 16 * MIB
EACH = 4 * MIB


@pytest.fixture
def disk(tmp_path):
    """A disk of 64 MiB."""
    root = tmp_path / "disk"
    root.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", root], capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not mount")
    yield root
    subprocess.run(["umount", "--lazy", root], capture_output=True, check=True)


@pytest.fixture
def fleet(disk, master):
    return master("--reserve-space", "16M", root=disk, workers=4)


@pytest.fixture
def alone(disk, start):
    return start("--reserve-space", "16M", root=disk)


def free_bytes(program):
    disk = os.statvfs(program.root)
    return disk.f_bavail * disk.f_frsize


def fitting(program, size=EACH):
    return (free_bytes(program) - RESERVE) // size


class Asked:
    """A client that announced a body and sends it only when it was told to: `status` is 100 then."""

    def __init__(self, program, name, size=EACH):
        self.size, self.client = size, Client(program.port)
        self.client.request("PUT", f"/files/{name}", headers=(EXPECT, f"Content-Length: {size}"))
        self.status, self.headers = self.client.head()
        self.problem = None
        if self.status != 100:
            self.problem = json.loads(self.client.take(int(self.headers["content-length"])))

    def send(self, size):
        self.client.send(pattern(MIB) * (size // MIB))

    def lost(self):
        """Its worker is gone."""
        with contextlib.suppress(ConnectionError):
            return not self.client.silent(0.01)
        return True


def ask(program, count, size=EACH, name="file"):
    """So many one after the other."""
    return [Asked(program, f"{name}-{index}", size) for index in range(count)]


def ask_at_once(program, count, size=EACH):
    barrier = threading.Barrier(count)

    def one(index):
        barrier.wait()
        return Asked(program, f"file-{index}", size)

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def admitted(asked):
    return [one for one in asked if one.status == 100]


def fill(program):
    asked = ask(program, fitting(program))
    assert len(admitted(asked)) == len(asked)
    return asked


def check_refusal(one):
    assert one.status == 507 and one.headers["connection"] == "close"
    assert one.headers["content-type"] == "application/problem+json"
    assert one.problem["type"] == "urn:forklift:problem:space-promised" and one.problem["status"] == 507
    assert one.headers["retry-after"] == "5"
    assert "--reserve-space" in one.problem["detail"] and f"{one.size} bytes" in one.problem["detail"]
    assert one.client.ended()


def hold(program, count):
    """Space for so many comes back, and no more."""
    held = []
    for index in range(count):
        held += eventually(lambda: admitted([Asked(program, f"held-{index}")]), f"room for {index + 1} of {count}")
    assert Asked(program, "one-more").status == 507
    return held


def test_of_64_uploads_at_once_exactly_those_that_fit_are_asked_for_their_bodies(fleet):
    fits = fitting(fleet)
    assert 8 <= fits <= 12
    asked = ask_at_once(fleet, 64)
    going = admitted(asked)
    assert len(going) == fits
    for one in asked:
        if one.status != 100:
            check_refusal(one)
    for one in going:
        one.send(EACH // 2)
    eventually(lambda: free_bytes(fleet) <= 64 * MIB - fits * MIB, "much of the first halves is written")
    assert Asked(fleet, "between").status == 507
    for one in going:
        one.send(EACH // 2)
        assert one.client.response().status == 201
    assert RESERVE <= free_bytes(fleet) < RESERVE + EACH
    assert Asked(fleet, "afterwards").status == 507
    assert fleet.request("DELETE", "/files/" + fleet.visible()[0]).status == 204
    hold(fleet, 1)


def test_a_promise_is_told_from_a_full_disk(alone):
    beside = fill(alone)
    check_refusal(Asked(alone, "soon"))
    never = Asked(alone, "never", 64 * MIB)
    assert never.status == 507 and never.problem["type"] == "urn:forklift:problem:no-space"
    assert "retry-after" not in never.headers and "full" in never.problem["detail"]
    assert not any(one.lost() for one in beside)


def test_the_log_says_how_much_was_asked_and_what_there_was(alone):
    promised = 4 * EACH
    beside = ask(alone, 4)
    there = free_bytes(alone)
    Asked(alone, "large", 40 * MIB)
    figures = f"asked for {40 * MIB} bytes, {there} are free, {promised} of them promised"
    eventually(lambda: figures in "".join(alone.log), "the line")
    (line,) = [line for line in alone.log if "--reserve-space" in line]
    assert "warning" in line and "(1 refused" in line, line
    assert "error" not in "".join(alone.log) and not any(one.lost() for one in beside)


def test_what_others_wrote_counts_too(fleet):
    with open(os.path.join(fleet.root, "theirs"), "wb") as file:
        file.write(bytes(20 * MIB))
    assert len(admitted(ask_at_once(fleet, 16))) == fitting(fleet) == 7


def test_the_space_of_who_breaks_off_comes_back(fleet):
    asked = fill(fleet)
    assert Asked(fleet, "more").status == 507
    for one in asked[:3]:
        one.send(2 * MIB)
    for one in asked[:6]:
        one.client.reset()
    hold(fleet, 6)
    assert fleet.visible() == []


def test_the_space_of_workers_that_are_killed_comes_back_and_that_of_the_others_stays(fleet):
    asked = fill(fleet)
    for one in asked:
        one.send(MIB)
    for pid in fleet.workers()[:3]:
        os.kill(pid, signal.SIGKILL)
        eventually(lambda pid=pid: pid not in fleet.workers(), "it is reaped")
        left = [one for one in asked if not one.lost()]
        if left != asked:
            break
    assert left and len(left) < len(asked)
    eventually(lambda: len(fleet.workers()) == 4, "another worker is in its place")
    written = len(asked) - len(left)  # of each a MiB stays on the disk, until it is swept
    held = hold(fleet, (len(asked) - len(left)) - -(-written // 4))
    for one in left:
        one.send(EACH - MIB)
        assert one.client.response().status == 201
    assert held and free_bytes(fleet) >= RESERVE


def test_what_the_workers_of_an_old_generation_were_promised_counts_until_they_are_gone(fleet):
    old = fleet.workers()
    asked = fill(fleet)
    fleet.signal(signal.SIGHUP)
    fleet.log_shows("generation 2 serves")
    eventually(lambda: len(set(fleet.workers()) - set(old)) == 4, "there are four new ones")
    assert Asked(fleet, "new").status == 507
    for one in asked[:3]:
        one.client.reset()
    held = hold(fleet, 3)
    for pid in set(old) & set(fleet.workers()):
        with contextlib.suppress(ProcessLookupError):  # it has drained
            os.kill(pid, signal.SIGKILL)
    held += hold(fleet, len(asked) - 3)
    assert not any(one.lost() for one in held)  # none gave way to another by a timeout


def test_the_space_comes_back_before_the_answer_of_who_was_refused_or_stored(alone):
    everything = (free_bytes(alone) - RESERVE) & -4096
    for _ in range(20):
        with alone.client() as client, alone.client() as refused:
            client.request("PUT", "/files/small", chunked(b"small"), CHUNKED)
            assert client.response().status in (201, 204)
            refused.request("PUT", "/files/bad", b"not chunked at all\r\n", CHUNKED)
            assert refused.response().status == 400
            beside = Asked(alone, "all", everything - 4096)
            assert beside.status == 100
            beside.client.reset()
        eventually(lambda: Asked(alone, "all-2", everything - 4096).status == 100, "it comes back")


def test_what_fits_is_taken_again_and_again(alone):
    with alone.client() as client:
        for _ in range(40):
            client.request("PUT", "/files/same", pattern(2 * MIB))
            assert client.response().status in (201, 204)


def test_a_body_of_unknown_length_is_refused_where_it_grows_beyond(alone):
    least, over = [free_bytes(alone)], threading.Event()

    def watch():
        while not over.wait(0.001):
            least[0] = min(least[0], free_bytes(alone))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with alone.client() as client:
        client.request("PUT", "/files/long", headers=(EXPECT, *CHUNKED))
        assert client.head()[0] == 100
        with contextlib.suppress(ConnectionError):
            for _ in range(60):
                client.send(b"100000\r\n" + pattern(MIB) + b"\r\n")
        response = client.response()
    over.set()
    watcher.join()
    assert response.status == 507 and b"--reserve-space" in response.body and response["Connection"] == "close"
    assert RESERVE <= least[0] < RESERVE + 4 * MIB
    eventually(lambda: alone.parts() == [] and alone.visible() == [], "nothing is left of it")
    eventually(lambda: Asked(alone, "all", free_bytes(alone) - RESERVE).status == 100, "its space is back")


@pytest.mark.parametrize("target", [target for target in RAW if target != MEMORY])
def test_who_is_refused_for_what_it_grew_to_may_come_back_at_once(alone, target):
    before, chunk = free_bytes(alone), b"10000\r\n" + pattern(65_536) + b"\r\n"
    for _ in range(3):
        with alone.client() as client:
            client.request("POST", target, headers=CHUNKED)
            while not select.select([client.socket], [], [], 0)[0]:
                client.send(chunk)
            left, parts = free_bytes(alone), alone.parts()
            response = client.response()
        if response.status == 501:
            pytest.skip(f"{target} does not work here")
        assert response.status == 507 and parts == [] and left > before - MIB
        again = Asked(alone, "again", left - RESERVE)
        assert again.status == 100
        again.client.reset()
        eventually(lambda: Asked(alone, "all", left - RESERVE).status == 100, "its space is back")


def test_a_body_of_unknown_length_fits_beside_others_but_for_a_block(alone):
    # The block that is being written counts twice.
    room = free_bytes(alone) - RESERVE - 3 * MIB - 4096
    beside = ask(alone, 1, size=room)
    assert beside[0].status == 100
    for size, status in ((3 * MIB, 201), (2 * 4096, 507)):
        with alone.client() as client:
            client.request("PUT", f"/files/{size}", chunked(pattern(size), 65_536), CHUNKED)
            assert client.response().status == status


def test_a_body_of_unknown_length_is_refused_before_it_is_sent_where_nothing_is_left(alone):
    beside = ask(alone, 1, size=free_bytes(alone) - RESERVE)
    assert beside[0].status == 100
    with alone.client() as client:
        client.request("PUT", "/files/none", headers=(EXPECT, *CHUNKED))
        response = client.response()
        assert response.status == 507 and b"--reserve-space" in response.body
        assert client.ended()


@pytest.mark.parametrize("target", [*RAW, *FORMS, JSON])
def test_every_way_in_asks_first(alone, target):
    kind = FORM_TYPE if target in FORMS else JSON_TYPE
    statuses = []
    for size in (free_bytes(alone) - RESERVE + 1, 1000):
        with alone.client() as client:
            client.request("POST", target, headers=(kind, EXPECT, f"Content-Length: {size}"))
            statuses.append(client.head()[0])
    if 501 in statuses:
        pytest.skip(f"{target} does not work here")
    assert statuses == [507, 100]


def test_what_fits_in_memory_needs_no_disk_and_what_does_not_is_refused_as_it_goes_there(disk, start):
    worker = start("--reserve-space", "16M", "--spool-memory", "2M", root=disk)
    beside = ask(worker, 1, size=free_bytes(worker) - RESERVE)
    assert beside[0].status == 100
    assert worker.request("POST", MEMORY, pattern(MIB)).status == 200
    for size, framing in ((3 * MIB, ("Expect: 100-continue", f"Content-Length: {3 * MIB}")), (3 * MIB, CHUNKED)):
        with worker.client() as client, contextlib.suppress(ConnectionError):
            client.request("POST", MEMORY, None if EXPECT in framing else chunked(pattern(size), 65_536), framing)
            assert client.response().status == 507
    beside[0].client.reset()
    for body, framing in ((pattern(3 * MIB), ()), (chunked(pattern(3 * MIB), 65_536), CHUNKED)):
        eventually(lambda b=body, f=framing: worker.request("POST", MEMORY, b, f).status == 200, "its space is back")
    eventually(lambda: Asked(worker, "all", free_bytes(worker) - RESERVE).status == 100, "nothing is promised any more")


def test_a_form_whose_length_is_unknown_is_refused_where_it_grows_beyond(alone):
    begin = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    with alone.client() as client:
        client.request("POST", FORMS[0], headers=("Content-Type: multipart/form-data; boundary=x", *CHUNKED))
        with contextlib.suppress(ConnectionError):
            client.send(f"{len(begin):x}\r\n".encode() + begin + b"\r\n")
            for _ in range(60):
                client.send(b"100000\r\n" + pattern(MIB) + b"\r\n")
        assert client.response().status == 507
    eventually(lambda: alone.parts() == [], "nothing is left of it")


def test_a_precondition_that_fails_is_told_before_the_lack_of_space(alone):
    assert alone.request("PUT", "/files/here", b"here").status == 201
    beside = ask(alone, 1, size=(free_bytes(alone) - RESERVE) & -4096)
    assert beside[0].status == 100
    for condition, status in (("If-None-Match: *", 412), ("If-Match: *", 507)):
        with alone.client() as client:
            client.request("PUT", "/files/here", headers=(condition, EXPECT, "Content-Length: 5"))
            assert client.response().status == status


def test_without_a_body_nothing_is_needed(alone):
    beside = ask(alone, 1, size=free_bytes(alone) - RESERVE)
    assert beside[0].status == 100
    assert alone.request("PUT", "/files/empty", b"").status == 201


def test_curl_shows_why(alone, tmp_path):
    large = tmp_path / "large"
    with open(large, "wb") as file:
        file.truncate(60 * MIB)
    for framing in ((), ("-H", "Transfer-Encoding: chunked")):
        command = ["curl", "-sS", "-w", "%{http_code}", *framing, "-T", large, f"http://127.0.0.1:{alone.port}/files/"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout.endswith("507") and "bytes free" in done.stdout and "--reserve-space" in done.stdout, done


def test_without_the_option_a_disk_is_filled_to_its_end(disk, start):
    worker = start(root=disk)
    assert len(admitted(ask(worker, 20))) == 20
