"""Prices: `Quote` is one LP's bid and ask, `Tick` our aggregated top of book."""

from enum import Enum

import msgspec

from actors.domain.money import LIMIT_E8, SCALE


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


class Level(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one LP offers at one price."""

    price_e8: int
    size_e8: int
    lp: str


LADDER_LEVELS = 20
"""Of each side of an LP's order book."""


class Ladder(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One LP's order book for one of our symbols, whole, as it sent it. Both sides empty: it is not known any more."""

    symbol: str
    bids: tuple[tuple[int, int], ...]
    """Price and size (10^-8), best first, at most LADDER_LEVELS."""
    asks: tuple[tuple[int, int], ...]
    received_ns: int


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
    OUTRUN = "outrun"
    """The LP has said nothing while another one moved away and stayed there: it is taken for frozen."""


class QuoteLimits(msgspec.Struct, frozen=True):
    """What is asked of one LP's quotes in one symbol, and what becomes of an LP that does not keep to it."""

    age_ms: int = 5_000
    """Older than this by its LP's clock when it arrives: it waited somewhere, and the market has gone on. An LP's first
    quote, on a new connection or after it had none, may be as old as `silence_ms` says: it is what the LP stands by."""
    ahead_ms: int = 5_000
    """Further in the future than this: the LP's clock (or ours) is wrong, and no age can be told."""
    spread_e8: int = 10_000_000
    """Widest spread as a share of the bid: 10 %."""
    spike_e8: int = 2_000_000
    """Farthest from the median of the LP's last quotes, as a share of it, where no other LP has a price: 2 %."""
    off_market_e8: int = 1_000_000
    """Farthest from the median of the other LPs, as a share of it: 1 %."""
    median_ms: int = 60_000
    """After a pause of so long the last quotes are no measure any more: a market may open anywhere."""
    move_quotes: int = 5
    move_ms: int = 10_000
    """So many quotes over so long, far from an LP that says nothing meanwhile, and the silent one is set aside."""
    price_digits: int = -1
    """Digits after the point of the LP's prices; -1: those of the instrument."""
    silence_ms: int = 60_000
    """A quote that the LP has not confirmed for so long is stale, though the LP's connection lives."""
    faults: int = 3
    """So many faults within `fault_window_ms` bring the LP into quarantine for the symbol."""
    fault_window_ms: int = 10_000
    good_quotes: int = 5
    """It comes out after so many good quotes in a row, and not before `hold_ms` after its last fault."""
    hold_ms: int = 5_000

    def __post_init__(self) -> None:
        wrong = [name for name in self.__struct_fields__ if name != "price_digits" and getattr(self, name) <= 0]
        if wrong or not -1 <= self.price_digits <= 8:
            raise ValueError(f"{', '.join(wrong) or 'price_digits'}: out of range")


def is_sound(price: Quote | Tick) -> bool:
    """Both sides are there and not crossed: the least that arithmetic with it needs."""
    return 0 < price.bid_e8 <= price.ask_e8 < LIMIT_E8


def with_spread(bid_e8: int, ask_e8: int, spread_min_e8: int, spread_max_e8: int, skew_e8: int) -> tuple[int, int]:
    """Bid and ask with a spread within its limits, each moved by half of what that takes, and then by the skew.

    `spread_max_e8`: 0 is no limit. Neither side of the result falls where bid or ask rises.
    """
    spread_e8 = ask_e8 - bid_e8
    missing_e8 = max(0, spread_min_e8 - spread_e8)
    if 0 < spread_max_e8 < spread_e8:
        missing_e8 = spread_max_e8 - spread_e8
    return bid_e8 - missing_e8 // 2 + skew_e8, ask_e8 + (missing_e8 + 1) // 2 + skew_e8


def is_withdrawal(quote: Quote) -> bool:
    """Whether the LP says that it has no price: both sides are 0. What it quoted before must not be dealt on."""
    return quote.bid_e8 == 0 == quote.ask_e8


def is_far(mid: int, reference: int, share_e8: int) -> bool:
    """Whether a price is farther from another one than this share of it."""
    return bool(abs(mid - reference) * SCALE > reference * share_e8)
