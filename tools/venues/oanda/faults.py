"""What goes wrong with the simulated OANDA's next orders, on demand: `PUT /faults`, which v20 does not have.

A list of faults, one for each order to come: `[{"kind": "partial"}, {"kind": "delay", "delay_ms": 300}, …]`.
"""

import json
from collections import deque
from decimal import Decimal
from typing import Any

HALF = Decimal("0.5")
"""Of the liquidity, where an order is filled in part."""
KINDS = (
    "reject",  # refused: orderRejectTransaction
    "cancel",  # taken, and given up at once for want of liquidity
    "partial",  # half of it is filled
    "delay",  # dealt and answered after delay_ms
    "swallow",  # the request is lost: nothing is dealt, and nothing answered
    "cut",  # dealt, and the connection is cut before the answer
    "late",  # the connection is cut, and it is dealt after delay_ms all the same
)
WAITING_LIMIT = 1_000
DELAY_LIMIT_MS = 60_000


class Faults:
    def __init__(self) -> None:
        self.waiting: deque[tuple[str, int]] = deque()

    def want(self, text: bytes) -> None:
        """Raises ValueError, and leaves those that wait."""
        try:
            wanted = [_fault(it) for it in json.loads(text)][:WAITING_LIMIT]
        except (TypeError, LookupError, AttributeError):
            raise ValueError("not a list of faults") from None
        self.waiting = deque(wanted)

    def next(self) -> tuple[str, int]:
        """The fault of the order that has just come, and its delay in milliseconds; "" is none."""
        return self.waiting.popleft() if self.waiting else ("", 0)


def _fault(it: dict[str, Any]) -> tuple[str, int]:
    kind, delay_ms = it["kind"], it.get("delay_ms", 0)
    if kind not in KINDS or not isinstance(delay_ms, int) or not 0 <= delay_ms <= DELAY_LIMIT_MS:
        raise ValueError(kind)
    return kind, delay_ms
