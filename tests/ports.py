"""Ports for those who bind them later: a process that is started, or a server that comes back."""

import random
import socket

NUMBERS = range(15_000, 30_000)
"""Below those that systems give to whoever connects: nobody has one by chance in the meantime."""
_given: set[int] = set()


def free_port() -> int:
    """One that nobody has now; never the same again."""
    while True:
        port = random.choice(NUMBERS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port
