"""What an LP's adapter is to whoever sends orders there: place, cancel, inquire, hear.

An adapter knows its LP's protocol and keeps nothing: which orders were sent, and how far was heard, its user keeps.
`Said` is the LP's word on one order, the same for every LP; said twice, it has the same `exec_id`.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Literal, NamedTuple, Protocol

import msgspec

UNSAID = -1
"""A figure that the LP's protocol does not carry."""
TEXT_LIMIT_CHARACTERS = 120

SaidKind = Literal["accepted", "fill", "complete", "cancelled", "expired", "rejected", "busted", "kept"]
"""Kept: a change or cancel is refused, and the order works as it did."""
TimeInForce = Literal["FOK", "IOC", "GTC", "GTD", "GFD"]
"""As FIX and OANDA name them: fill or kill, immediate or cancel, good till cancelled, till a date, for the day."""


class VenueOrder(msgspec.Struct, frozen=True, gc=False):
    """An order to place, in the LP's spelling. Prices of 0 are none."""

    client_id: str
    """Ours, never used for another order."""
    instrument: str
    is_buy: bool
    quantity_e8: int
    time_in_force: TimeInForce
    limit_e8: int = 0
    """0: at the market."""
    bound_e8: int = 0
    """The worst price at which a market order may be filled."""
    expires_ns: int = 0
    """Of a GTD order, UTC."""


class Said(msgspec.Struct, frozen=True, gc=False):
    """What the LP said of an order."""

    client_id: str
    """Empty where the order is not one that we have named."""
    kind: SaidKind
    exec_id: str
    quantity_e8: int = 0
    """Of a fill; 0 in other kinds, and so for `price_e8`. A fill that cannot be read has 0 too."""
    price_e8: int = 0
    cumulative_e8: int = UNSAID
    leaves_e8: int = UNSAID
    text: str = ""
    time_ns: int = 0
    name: str = ""
    """The request of ours that it was said under: the order's, or that of its change or cancel; empty: not said."""
    is_pending: bool = False
    """A change or cancel is not decided yet."""


class Heard(NamedTuple):
    """Everything that was said up to `cursor`, a place in the LP's own record (empty where it keeps none)."""

    cursor: str
    said: list[Said]


class Holdings(NamedTuple):
    """What the LP's account holds at `cursor`: longs less shorts, by instrument; of one that is not named nothing."""

    cursor: str
    quantities_e8: Mapping[str, int]


class NotSent(Exception):
    """The order has certainly not reached the LP, and never will.

    `for_good`: sending it again would change nothing.
    """

    def __init__(self, detail: str, *, for_good: bool = False):
        super().__init__(printable(detail))
        self.for_good = for_good


class NoAnswer(Exception):
    """The LP has not said whether it has done what was asked: it may have, or may yet."""

    def __init__(self, detail: str):
        super().__init__(printable(detail))


class ExecutionVenue(Protocol):
    """One LP's account. Every call may raise `NoAnswer`; texts are without secrets."""

    arrival_limit_ns: int
    """A request that has not arrived so long after it was given up never will."""

    async def place(self, order: VenueOrder) -> list[Said]:
        """Sends the order, once; what the LP answered. Raises `NotSent` only where that is certain."""
        ...

    async def cancel(self, client_id: str) -> list[Said]: ...

    async def inquire(self, client_id: str, cursor: str) -> list[Said] | None:
        """All that the LP says of an order; None where its account knows no such order now, nor after `cursor`."""
        ...

    async def heard_since(self, cursor: str) -> Heard:
        """What was said after `cursor`, a page of it; where `cursor` is empty, only where the record ends now."""
        ...

    def follow(self) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Live: the place that the LP's record has reached, whenever the LP says so. Raises `NoAnswer` when it ends."""
        ...

    async def holdings(self) -> Holdings: ...


def printable(text: str) -> str:
    """One short line."""
    return "".join(c if c.isprintable() else " " for c in text[:TEXT_LIMIT_CHARACTERS])
