"""Files that others change below the server: what is asked for next is the new one, what is being sent ends honestly."""

import os
import signal

from http_support import Client, pattern

WORKERS = 4
CONNECTIONS = 16


class Readers:
    """Connections over all workers, kept open."""

    def __init__(self, port):
        self.clients = [Client(port) for _ in range(CONNECTIONS)]

    def all_see(self, name, status, body=None):
        for client in self.clients:
            client.request("GET", f"/files/{name}")
            response = client.response()
            assert response.status == status, response
            assert body is None or response.body == body

    def close(self):
        for client in self.clients:
            client.socket.close()


def test_a_file_that_changes_is_seen_at_once_on_every_worker(master):
    program = master(workers=WORKERS)
    path = os.path.join(program.root, "file")
    readers = Readers(program.port)
    one, two = pattern(70_000, 1), pattern(70_000, 2)
    for _ in range(3):
        assert program.request("PUT", "/files/file", one).status in (201, 204)
        readers.all_see("file", 200, one)
        assert program.request("PUT", "/files/file", two).status == 204
        readers.all_see("file", 200, two)
        os.truncate(path, 1000)
        readers.all_see("file", 200, two[:1000])
        os.rename(path, path + ".moved")
        readers.all_see("file", 404)
        readers.all_see("file.moved", 200, two[:1000])
        os.mkdir(path)
        readers.all_see("file", 404)
        os.rmdir(path)
        assert program.request("DELETE", "/files/file.moved").status == 204
        readers.all_see("file.moved", 404)
    readers.close()


def test_a_download_whose_file_becomes_shorter_is_broken_off_logged_and_counted(master):
    program = master(workers=1)
    path = os.path.join(program.root, "big")
    with open(path, "wb") as file:
        file.truncate(64 << 20)
    with Client(program.port, receive_buffer=4096) as client:
        client.request("GET", "/files/big")
        status, headers = client.head()
        assert status == 200 and headers["content-length"] == str(64 << 20)
        os.truncate(path, 10)
        assert len(client.rest()) < 64 << 20
    program.log_shows("failed: .*the file became shorter")
    assert program.request("GET", "/files/big").body == bytes(10)
    assert program.stop(signal.SIGTERM) == 0
    assert "broke off 1 downloads" in program.log_text()
