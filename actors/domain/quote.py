"""Prices: `Quote` is one LP's bid and ask, `Tick` our aggregated top of book."""

from enum import Enum

import msgspec

from actors.domain.money import LIMIT_E8


class Quote(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One LP's bid and ask for one of our symbols. The LP is named by the batch that carries it."""

    symbol: str
    bid_e8: int
    ask_e8: int
    bid_size_e8: int
    ask_size_e8: int
    venue_time_ns: int
    """When the LP made it, by the LP's clock; 0 where the LP does not say."""
    received_ns: int
    """When we received it, by our clock."""
    venue_seq: int = 0
    """The LP's own number, which rises within a connection; 0 where the LP gives none."""


class Tick(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The best bid and offer over the LPs that are fresh."""

    symbol: str
    seq: int
    """Rises by one with each tick of the symbol; a restarted aggregator goes on at a higher number."""
    time_ns: int
    bid_e8: int
    ask_e8: int
    lp_bid: str
    lp_ask: str
    live: bool
    """False: no LP behind it is fresh any more. It says what the price was, and nobody may deal on it."""


class Drop(Enum):
    """Why a quote is not used, or not used any longer. The values are the names of the counters."""

    ZERO = "zero"
    CROSSED = "crossed"
    BOUNDS = "bounds"
    PRECISION = "precision"
    SPREAD = "spread"
    OLD = "old"
    FUTURE = "future"
    OUT_OF_ORDER = "out_of_order"
    DUPLICATE = "duplicate"
    SPIKE = "spike"
    OFF_MARKET = "off_market"
    QUARANTINED = "quarantined"
    """In order by itself, but its LP is in quarantine."""
    LATE = "late"
    """It waited too long between feed and aggregator."""
    UNKNOWN_SYMBOL = "unknown_symbol"
    STALE = "stale"
    """The LP has not confirmed it for too long, while the market is open."""
    CLOSED = "closed"
    """As STALE, while the market is closed: that is no fault."""
    WITHDRAWN = "withdrawn"
    """The LP says that it has no price."""
    DISCONNECTED = "disconnected"


def is_sound(price: Quote | Tick) -> bool:
    """Both sides are there and not crossed: the least that arithmetic with it needs."""
    return 0 < price.bid_e8 <= price.ask_e8 < LIMIT_E8


def is_withdrawal(quote: Quote) -> bool:
    """Whether the LP says that it has no price: both sides are 0. What it quoted before must not be dealt on."""
    return quote.bid_e8 == 0 == quote.ask_e8
