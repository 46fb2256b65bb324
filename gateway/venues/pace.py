"""Keeping below an LP's limit by ourselves: a token bucket, without a clock."""

S_NS = 1_000_000_000


class Pace:
    """At most `burst` at once and `per_second` in the long run: never more than their sum in any one second."""

    def __init__(self, per_second: int, burst: int, wait_limit_ms: int):
        self._gap_ns = S_NS // per_second
        self._burst_ns = self._gap_ns * (burst - 1)
        self._wait_limit_ns = wait_limit_ms * 1_000_000
        self._next_ns = 0

    def reserve(self, now_ns: int) -> int | None:
        """Takes the next free place: the wait for it in nanoseconds. None, and no place, where it is too far away."""
        due_ns = max(self._next_ns, now_ns - self._burst_ns)
        wait_ns = max(due_ns - now_ns, 0)
        if wait_ns > self._wait_limit_ns:
            return None
        self._next_ns = due_ns + self._gap_ns
        return wait_ns

    def hold(self, until_ns: int) -> None:
        """The LP wants nothing before then; places that are taken already stay so."""
        self._next_ns = max(self._next_ns, until_ns)
