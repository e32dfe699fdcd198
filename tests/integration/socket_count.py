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
    return sum(row[3] == "01" and row[9] in inodes for row in rows)
