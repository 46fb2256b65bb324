"""When an LP that makes faults is kept out, and when it is let back."""

from collections import deque

from actors.domain.quote import QuoteLimits


class Quarantine:
    """Of one LP in one symbol. In: so many faults within a window. Out: good quotes in a row, and a time without fault.

    The limits, with their units, are those of QuoteLimits.
    """

    def __init__(self, limits: QuoteLimits) -> None:
        self._window_ns = limits.fault_window_ms * 1_000_000
        self._hold_ns = limits.hold_ms * 1_000_000
        self._good_wanted = limits.good_quotes
        self._faults_ns: deque[int] = deque(maxlen=limits.faults)
        self._good = 0
        self.is_on = False
        self.times = 0
        """How often it has begun."""

    def fault(self, now_ns: int) -> bool:
        """Takes a fault in. Tells whether the quarantine begins with it."""
        faults = self._faults_ns
        faults.append(now_ns)
        self._good = 0
        if self.is_on or len(faults) < (faults.maxlen or 0) or now_ns - faults[0] > self._window_ns:
            return False
        self.is_on = True
        self.times += 1
        return True

    def good(self, now_ns: int) -> bool:
        """Takes a good quote in, while the quarantine is on. Tells whether the LP is back with it."""
        self._good += 1
        if self._good < self._good_wanted or now_ns - self._faults_ns[-1] < self._hold_ns:
            return False
        self.acquit()
        return True

    def acquit(self) -> None:
        """What was taken for faults was none, or is forgiven."""
        self.is_on = False
        self._faults_ns.clear()
