"""Which process holds how many connections, from /proc."""

import contextlib
import os


def connections(pid):
    """Established TCP sockets of a process; listening sockets and the channel are none."""
    inodes = set()
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            link = os.readlink(f"/proc/{pid}/fd/{number}")
            if link.startswith("socket:["):
                inodes.add(link[8:-1])
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    # A set: a table that changes while it is read may show a row twice.
    return len({row[9] for row in rows if row[3] == "01"} & inodes)
