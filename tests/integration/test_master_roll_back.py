"""SIGHUP to what does not work, by the configuration file alone: nothing of it stays."""

import shutil
import signal
import socket

import pytest

from http_support import ONLY_CHECKS, WORKER, Client, compiled


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Configured:
    """A master that is told where to listen and what to start by a file."""

    def __init__(self, master, path):
        self.path = path
        self.port = free_port()
        self.write(WORKER)
        self.program = master("--config", str(path), workers=1, bind=None, binary=None)

    def write(self, binary, *ports, more=""):
        bind = ", ".join(f'"127.0.0.1:{port}"' for port in (self.port, *ports))
        self.path.write_text(f'bind = [{bind}]\nworker-binary = "{binary}"\n{more}')

    def reload(self, *says):
        self.program.signal(signal.SIGHUP)
        for pattern in says:
            self.program.log_shows(pattern)


@pytest.fixture
def configured(master, tmp_path):
    return Configured(master, tmp_path / "forklift.toml")


def test_an_address_of_a_reload_that_was_rolled_back_is_closed_again(configured, tmp_path):
    added = free_port()
    configured.write(compiled(ONLY_CHECKS, tmp_path / "dying"), added)
    configured.reload("reload rolled back, generation 1 stays", f"no longer listening on .*:{added}")
    assert not listens(added)
    assert configured.program.request("GET", "/healthz").status == 200


@pytest.mark.parametrize("bad", ["/bin/false", "dying"])
def test_a_reload_works_after_one_that_was_rolled_back(configured, tmp_path, bad):
    added = free_port()
    configured.write(bad if bad != "dying" else compiled(ONLY_CHECKS, tmp_path / "dying"), added)
    configured.reload("rolled back, generation 1 stays: a worker of generation 2 exited with status")
    configured.write(WORKER, added)
    configured.reload("generation 3 serves")
    with Client(added) as client:
        client.request("GET", "/healthz")
        assert client.response().status == 200


def test_a_reload_that_was_rolled_back_changes_neither_umask_nor_log_level(configured, tmp_path):
    configured.write(compiled(ONLY_CHECKS, tmp_path / "dying"), more="log-level = 'error'\numask = '0'\n")
    configured.reload("rolled back, generation 1 stays")
    with open(f"/proc/{configured.program.pid}/status", encoding="ascii") as status:
        assert "Umask:\t0027\n" in status.read()
    configured.write(WORKER)
    configured.reload("generation 3 serves")  # is logged: the level has not changed either


def test_a_reload_to_another_binary_does_not_need_the_one_before(configured, tmp_path):
    for name in ("v1", "v2"):
        shutil.copy(WORKER, tmp_path / name)
    configured.write(tmp_path / "v1")
    configured.reload("generation 2 serves")
    configured.write(tmp_path / "v2")
    (tmp_path / "v1").unlink()
    configured.reload("generation 3 serves")
    assert configured.program.request("GET", "/healthz").status == 200
