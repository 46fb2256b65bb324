"""Counters of what was dropped, in the log: when they change, and not too often."""

from collections.abc import Callable, Mapping

import structlog

INTERVAL_NS = 10_000_000_000


def nonzero(counters: Mapping[str, int]) -> dict[str, int]:
    return {name: number for name, number in counters.items() if number}


class CounterLog:
    """Logs what `count` gives whenever that has changed, at most once in INTERVAL_NS. All zero is not worth a line."""

    def __init__(self, count: Callable[[], Mapping[str, int]]) -> None:
        self._count = count
        self._told: dict[str, int] = {}
        self._told_ns = 0
        self._log = structlog.get_logger()

    def tell(self, now_ns: int, *, last: bool = False) -> None:
        """`last`: now or never."""
        if now_ns - self._told_ns < INTERVAL_NS and not last:
            return
        self._told_ns = now_ns
        counters = nonzero(self._count())
        if counters != self._told:
            self._told = counters
            self._log.info("counters", **counters)
