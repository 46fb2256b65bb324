"""How long an LP's quotes take to us, by two clocks that do not agree."""

from bisect import bisect_left

BOUNDS_US = (100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000)
"""Upper bounds of the histogram's buckets, each inclusive; the last bucket of all has none."""
WINDOW_NS = 300_000_000_000


class LpLatency:
    """The offset of the LP's clock, and a histogram of latency.

    What is seen is `received - made`: offset plus time on the way. The least of it, over the last WINDOW_NS to twice
    that, is the offset with the shortest way in it: no more can be known from one side. The latency is what a quote
    took beyond that. It follows a clock that is set, within the window.
    """

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_US) + 1)
        self._least_ns: int | None = None
        self._least_before_ns: int | None = None
        self._window_ends_ns = 0

    @property
    def offset_ns(self) -> int | None:
        """None before the first quote that has a time."""
        known = [least_ns for least_ns in (self._least_ns, self._least_before_ns) if least_ns is not None]
        return min(known, default=None)

    def add(self, made_ns: int, received_ns: int) -> None:
        """`made_ns` by the LP's clock, `received_ns` by ours, which never falls."""
        if received_ns >= self._window_ends_ns:
            self._least_before_ns = self._least_ns if received_ns < self._window_ends_ns + WINDOW_NS else None
            self._least_ns = None
            self._window_ends_ns = received_ns + WINDOW_NS
        seen_ns = received_ns - made_ns
        if self._least_ns is None or seen_ns < self._least_ns:
            self._least_ns = seen_ns
        before_ns = self._least_before_ns
        offset_ns = self._least_ns if before_ns is None or self._least_ns < before_ns else before_ns
        self.counts[bisect_left(BOUNDS_US, -((offset_ns - seen_ns) // 1_000))] += 1
