"""Ports for those who bind them later: a process that is started, or a server that comes back."""

from tools.bench.port import free

NUMBERS = range(15_000, 30_000)
"""Not those of the benchmarks, which may run beside the tests."""
_given: set[int] = set()


def free_port() -> int:
    """One that nobody has now; never the same again."""
    while (port := free(NUMBERS)) in _given:
        pass
    _given.add(port)
    return port
