"""A port for a process that is started with it and binds it later."""

import random
import socket

HOST = "127.0.0.1"
NUMBERS = range(10_000, 15_000)
"""Below those that systems give to whoever connects: nobody has one by chance in the meantime."""


def free(numbers: range = NUMBERS) -> int:
    """One that nobody has now."""
    while True:
        port = random.choice(numbers)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        return port
