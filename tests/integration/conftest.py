"""Fixtures for every black-box test."""

import re
import signal

import pytest

from http_support import MASTER, WORKER, Program, children, eventually


class Master(Program):
    """A master with its workers, all on one free port of the loopback."""

    def __init__(self, root, *options, workers=2, binary=WORKER, **more):
        binaries = ("--worker-binary", str(binary)) if binary else ()
        super().__init__(MASTER, root, "--workers", str(workers), *binaries, *options, **more)
        self.log_shows(r"workers? serves?")

    def log_text(self):
        return "".join(self.log)

    def log_shows(self, pattern, times=1):
        eventually(lambda: len(re.findall(pattern, self.log_text())) >= times, f"{pattern} in the log")

    def workers(self):
        return sorted(children(self.pid))

    def signal(self, number):
        self.process.send_signal(number)


@pytest.fixture
def master(tmp_path):
    """Starts masters; each must end with 0 once it is told to, unless the test has ended it."""
    started = []

    def start_one(*options, root=None, **more):
        program = Master(root or tmp_path / "root", *options, **more)
        started.append(program)
        return program

    yield start_one
    for program in started:
        code = program.stop(signal.SIGTERM)
        assert code in (0, -signal.SIGKILL), (code, program.log_text())
        assert not re.search("Sanitizer|runtime error", program.log_text()), program.log_text()
