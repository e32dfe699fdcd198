"""Which process holds how many connections."""

import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench", "harness"))

from accounting import established, sockets_of  # noqa: E402


def connections(pid):
    """Established TCP sockets of a process; listening sockets and the channel are none."""
    return len(sockets_of(pid) & established())
