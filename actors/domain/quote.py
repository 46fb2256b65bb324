"""Prices: `Quote` is one LP's bid and ask, `Tick` our aggregated top of book; and which quotes are fit to be used."""

from collections.abc import Mapping
from enum import Enum

import msgspec

from actors.domain.instrument import Instrument
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


def is_sound(price: Quote | Tick) -> bool:
    """Both sides are there and not crossed: the least that arithmetic with it needs."""
    return 0 < price.bid_e8 <= price.ask_e8 < LIMIT_E8


class Drop(Enum):
    """Why a quote was not used. The values are the names of the counters."""

    ZERO = "zero"
    CROSSED = "crossed"
    BOUNDS = "bounds"
    SPREAD = "spread"
    OLD = "old"
    FUTURE = "future"
    UNKNOWN_SYMBOL = "unknown_symbol"


def is_withdrawal(quote: Quote) -> bool:
    """Whether the LP says that it has no price: both sides are 0. What it quoted before must not be dealt on."""
    return quote.bid_e8 == 0 == quote.ask_e8


class QuoteLimits(msgspec.Struct, frozen=True):
    """What a quote may be at most, whichever the LP."""

    age_ms: int = 5_000
    """Older than this by its LP's clock when it arrives: it waited somewhere, and the market has gone on."""
    ahead_ms: int = 5_000
    """Further in the future than this: the LP's clock (or ours) is wrong, and no age can be told."""
    spread_e8: int = 10_000_000
    """Widest spread as a share of the bid: 10 %."""


def verdict(quote: Quote, instruments: Mapping[str, Instrument], limits: QuoteLimits) -> Drop | None:
    """The first reason not to use a quote, or None. A locked quote (bid equals ask) is in order."""
    bid_e8, ask_e8 = quote.bid_e8, quote.ask_e8
    if bid_e8 <= 0 or ask_e8 <= 0:
        return Drop.ZERO
    if bid_e8 > ask_e8:
        return Drop.CROSSED
    instrument = instruments.get(quote.symbol)
    if instrument is None:
        return Drop.UNKNOWN_SYMBOL
    if bid_e8 < instrument.price_min_e8 or ask_e8 > instrument.price_max_e8:
        return Drop.BOUNDS
    if (ask_e8 - bid_e8) * 100_000_000 > bid_e8 * limits.spread_e8:
        return Drop.SPREAD
    if quote.venue_time_ns:
        age_ns = quote.received_ns - quote.venue_time_ns
        if age_ns > limits.age_ms * 1_000_000:
            return Drop.OLD
        if -age_ns > limits.ahead_ms * 1_000_000:
            return Drop.FUTURE
    return None
