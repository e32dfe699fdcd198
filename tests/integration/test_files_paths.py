"""No name leads out of the root, or to anything in it that is not a plain file."""

import os
import socket

import pytest

from http_support import UPLOADS, WORKER, request_bytes, running

SECRET = b"secret of somebody else"


@pytest.fixture(scope="module")
def trapped(tmp_path_factory):
    """A worker over root/, with secrets beside it and traps in it."""
    base = tmp_path_factory.mktemp("paths")
    outside = base / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_bytes(SECRET)
    (base / "secret.txt").write_bytes(SECRET)
    root = base / "root"
    with running(WORKER, root) as worker:
        (root / "plain.txt").write_bytes(b"plain")
        (root / "directory").mkdir()
        (root / "link").symlink_to(outside / "secret.txt")
        (root / "relative-link").symlink_to("../secret.txt")
        (root / "inner-link").symlink_to("plain.txt")
        (root / "linked-directory").symlink_to(outside)
        (root / "dangling").symlink_to(outside / "new.txt")
        (root / "loop").symlink_to("loop")
        os.mkfifo(root / "fifo")
        with socket.socket(socket.AF_UNIX) as listener:
            way = os.open(root, os.O_PATH)
            listener.bind(f"/proc/self/fd/{way}/socket")  # short enough for sun_path
            os.close(way)
            yield worker


@pytest.fixture
def ground(trapped):
    """After each test everything outside the root is as it was."""
    yield trapped
    base = os.path.dirname(trapped.root)
    assert sorted(os.listdir(base)) == ["outside", "root", "secret.txt"]
    assert os.listdir(os.path.join(base, "outside")) == ["secret.txt"]
    for name in ("secret.txt", "outside/secret.txt"):
        with open(os.path.join(base, name), "rb") as file:
            assert file.read() == SECRET
    assert trapped.parts() == []


TRICKS = [
    ("..", 400), ("../secret.txt", 400), ("a/../../secret.txt", 400), ("directory/..", 400), ("./plain.txt", 400),
    ("%2e%2e/secret.txt", 400), ("%2E%2e%2fsecret.txt", 400), ("..%2fsecret.txt", 400), ("..%2Foutside%2Fsecret.txt", 400),
    ("directory/%2e%2e/%2e%2e/secret.txt", 400), ("%2e/plain.txt", 400), (".%2e/secret.txt", 400),
    ("/etc/passwd", 400), ("//etc/passwd", 400), ("%2fetc/passwd", 400), ("%2Fetc%2Fpasswd", 400),
    ("directory//x", 400), ("directory%2f", 400), ("%2f", 400), ("x%2f", 400),
    ("plain.txt%00", 400), ("%00", 400), ("plain.txt%00/../../secret.txt", 400), ("a%0ab", 400), ("a%0d%0aX: y", 400),
    ("%7f", 400), ("%", 400), ("%2", 400), ("%zz", 400), ("%u002e%u002e/secret.txt", 400), ("a" * 256, 400),
    ("%2e%2e%2e%2e%2f%2e%2e/secret.txt", 400), ("x/" * 2100 + "x", 400),
    ("%252e%252e/secret.txt", 404), ("..%5csecret.txt", 404), ("..\\secret.txt", 404), ("..%c0%afsecret.txt", 404),
    ("%c0%ae%c0%ae/secret.txt", 404), ("~root/.profile", 404), ("C:/secret.txt", 404), ("...//x", 400),
    ("link", 403), ("relative-link", 403), ("inner-link", 403), ("dangling", 403), ("loop", 403),
    ("linked-directory/secret.txt", 403), ("linked-directory", 403), ("fifo", 403), ("socket", 403),
    ("directory", 404), ("plain.txt/x", 404), ("plain.txt/../plain.txt", 400),
    ("upload", 409), ("download", 409), ("upload/x", 409), ("download/x/y", 409), ("%75pload/x", 409),
    (".forklift", 409), (".forklift/parts", 409), (".forklift/x", 409), ("%2eforklift/x", 409), (".forklif%74%2fparts", 409),
]  # fmt: skip


@pytest.mark.parametrize("name, status", TRICKS, ids=[repr(name[:40]) for name, _ in TRICKS])
def test_a_trick_reads_nothing(ground, name, status):
    targets = ["/files/" + name]
    if name not in ("download", "upload"):
        targets += [f"/files/download/{way}?name={name}" for way in ("file", "stream/sync_read")]
    for target in targets:
        response = ground.request("GET", target.replace(" ", "%20"))
        assert response.status == status, (target, response)
        assert SECRET not in response.body and b"root:" not in response.body
        if status >= 400:
            assert response.body.endswith(b"}\n") and response.body.count(b"\n") == 1
        if name in ("fifo", "socket"):
            assert b"not a regular file" in response.body


@pytest.mark.parametrize("name, status", TRICKS, ids=[repr(name[:40]) for name, _ in TRICKS])
def test_a_trick_writes_and_removes_nothing_outside(ground, name, status):
    before = os.listdir(os.path.join(ground.root, ".forklift"))
    target = "/files/" + name.replace(" ", "%20")
    for method, body in (("PUT", b"evil"), ("DELETE", None)):
        response = ground.request(method, target, body)
        assert response.status in {400: (400,), 403: (403, 409), 404: (201, 204, 404, 409), 409: (409,)}[status], response
    assert ground.request("GET", "/files/plain.txt").body == b"plain"
    assert os.readlink(os.path.join(ground.root, "inner-link")) == "plain.txt"
    assert os.path.lexists(os.path.join(ground.root, "dangling"))
    assert os.listdir(os.path.join(ground.root, ".forklift")) == before
    assert ground.parts() == []


@pytest.mark.parametrize("name, status", TRICKS, ids=[repr(name[:40]) for name, _ in TRICKS])
def test_options_offers_no_methods_for_a_name_that_no_file_can_have(ground, name, status):
    for target in (name, name + "/"):
        response = ground.request("OPTIONS", "/files/" + target.replace(" ", "%20"))
        assert response.status == (status if status in (400, 409) else 204), response
        assert (response["Allow"] is None) == (response.status != 204)


def test_an_encoded_slash_is_a_slash(ground):
    assert ground.request("PUT", "/files/one%2Ftwo.txt", b"x").status == 201
    assert ground.visible().count("one/two.txt") == 1


def test_another_spelling_of_the_private_directory_is_another_name(ground):
    before = os.listdir(os.path.join(ground.root, ".forklift"))
    for name in (".FORKLIFT/x", ".forklift%20/x", "sub/.forklift/x", ".forklift.", "Upload/x"):
        assert ground.request("PUT", "/files/" + name, b"x").status == 201
    assert os.listdir(os.path.join(ground.root, ".forklift")) == before


@pytest.mark.parametrize("target", UPLOADS)
def test_uploads_do_not_follow_a_link_that_replaced_their_directory(ground, target):
    directory = os.path.join(ground.root, "uploads")
    os.symlink("../outside", directory)
    assert ground.request("POST", target, b"evil").status == 403
    os.unlink(directory)
    assert ground.request("POST", target, b"good").status == 200
    os.rename(directory, directory + target.rsplit("/", 1)[1])


def test_a_directory_that_becomes_a_link_between_requests_is_not_followed(ground):
    assert ground.request("PUT", "/files/changing/one.txt", b"x").status == 201
    os.rename(os.path.join(ground.root, "changing"), os.path.join(ground.root, "old"))
    os.symlink("../outside", os.path.join(ground.root, "changing"))
    assert ground.request("GET", "/files/changing/secret.txt").status == 403
    assert ground.request("PUT", "/files/changing/two.txt", b"evil").status == 403
    assert ground.request("DELETE", "/files/changing/secret.txt").status == 403


def test_paths_with_dots_are_not_resolved_before_they_are_routed(ground):
    for target in ("/../secret.txt", "/files/../healthz", "/healthz/../files/plain.txt", "/./healthz"):
        assert ground.request("GET", target).status in (400, 404)


def test_an_absolute_target_means_its_path(ground):
    with ground.client() as client:
        client.send(b"GET http://anything/files/plain.txt HTTP/1.1\r\nHost: anything\r\n\r\n")
        assert client.response().body == b"plain"
        client.send(request_bytes("GET", "http://anything/files/../secret.txt"))
        assert client.response().status == 400


def test_a_file_replaced_by_a_link_while_it_is_read_stays_the_file_that_was_opened(ground):
    path = os.path.join(ground.root, "big.bin")
    with open(path, "wb") as file:
        file.truncate(8 << 20)
    with ground.client(receive_buffer=4096) as client:
        client.request("GET", "/files/big.bin")
        status, headers = client.head()
        os.unlink(path)
        os.symlink("../secret.txt", path)
        body = client.take(int(headers["content-length"]))
        assert status == 200 and body.count(0) == 8 << 20
