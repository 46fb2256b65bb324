"""How often somebody may ask: token buckets, of users and of addresses, with a bound on how many are kept.

A bucket is one number, the time at which it will be full again (GCRA, ITU-T I.371, in its virtual-scheduling form).
"""

from collections import OrderedDict
from typing import NamedTuple

USER = "user"
ADDRESS = "address"

BURST_S = 4
"""A bucket holds what may be asked in so many seconds."""
KEPT_LIMIT = 100_000
"""Buckets that are kept; the one that was used longest ago is forgotten first, and is full again."""
SECOND_NS = 1_000_000_000


class Left(NamedTuple):
    """What is left after a request, in the words of draft-ietf-httpapi-ratelimit-headers-10."""

    policy: str
    state: str
    wait_s: int
    """0: the request may go on; else after how many seconds the next one may."""


class Allowance:
    """The buckets of one kind. A full bucket that is not kept is the same as one that never was."""

    def __init__(self, name: str, rate_per_s: int) -> None:
        self.refused = 0
        self._cost_ns = SECOND_NS // rate_per_s
        self._burst = rate_per_s * BURST_S
        self._name = name
        self._policy = f'"{name}";q={self._burst};w={BURST_S}'
        self._full_ns: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_ns)

    def spend(self, key: str, now_ns: int) -> Left:
        kept_ns, whole_ns = self._full_ns.get(key, 0), self._burst * self._cost_ns
        # Further ahead than an empty bucket's is only that of a clock that was set back since.
        full_ns = (kept_ns if now_ns < kept_ns <= now_ns + whole_ns else now_ns) + self._cost_ns
        over_ns = full_ns - now_ns - whole_ns
        if over_ns > 0:
            self.refused += 1
            return Left(self._policy, f'"{self._name}";r=0;t={BURST_S}', -(-over_ns // SECOND_NS))
        self._full_ns[key] = full_ns
        self._full_ns.move_to_end(key)
        if len(self._full_ns) > KEPT_LIMIT:
            self._full_ns.popitem(last=False)
        left = self._burst - -(-(full_ns - now_ns) // self._cost_ns)
        return Left(self._policy, f'"{self._name}";r={left};t={-(-(full_ns - now_ns) // SECOND_NS)}', 0)
