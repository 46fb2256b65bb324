"""Which quotes are fit to be used: what comes of one LP in one symbol, judged by itself and beside the other LPs."""

from collections import deque
from collections.abc import Mapping

import msgspec

from actors.domain.instrument import Instrument
from actors.domain.money import SCALE
from actors.domain.quote import Drop, Quote

MEDIAN_QUOTES = 7
"""The rolling median is over so many of the LP's last quotes, spikes included: a price that stays is no spike."""
OTHERS_LEAST = 2
"""A quote is judged by the other LPs where at least so many have a price: of one alone nobody knows which is wrong."""


class QuoteLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked of one LP's quotes in one symbol, and what becomes of an LP that does not keep to it."""

    age_ms: int = 5_000
    """Older than this by its LP's clock when it arrives: it waited somewhere, and the market has gone on."""
    ahead_ms: int = 5_000
    """Further in the future than this: the LP's clock (or ours) is wrong, and no age can be told."""
    spread_e8: int = 10_000_000
    """Widest spread as a share of the bid: 10 %."""
    spike_e8: int = 2_000_000
    """Farthest from the median of the LP's last quotes, as a share of it: 2 %."""
    off_market_e8: int = 1_000_000
    """Farthest from the median of the other LPs, as a share of it: 1 %."""
    median_ms: int = 60_000
    """After a pause of so long the last quotes are no measure any more: a market may open anywhere."""
    price_digits: int = -1
    """Digits after the point of the LP's prices; -1: those of the instrument."""
    silence_ms: int = 120_000
    """A quote that the LP has not confirmed for so long is stale, though the LP's connection lives."""
    faults: int = 5
    """So many faults within `fault_window_ms` bring the LP into quarantine for the symbol."""
    fault_window_ms: int = 10_000
    good_quotes: int = 5
    """It comes out after so many good quotes in a row, and not before `hold_ms` after its last fault."""
    hold_ms: int = 5_000

    def __post_init__(self) -> None:
        wrong = [name for name in self.__struct_fields__ if name != "price_digits" and getattr(self, name) <= 0]
        if wrong or not -1 <= self.price_digits <= 8:
            raise ValueError(f"{', '.join(wrong) or 'price_digits'}: out of range")


class Screen:
    """Judges the quotes of one LP in one symbol, in the order in which they come."""

    def __init__(self, instrument: Instrument, limits: QuoteLimits) -> None:
        digits = limits.price_digits if limits.price_digits >= 0 else instrument.price_digits
        self._step_e8 = 10 ** (8 - digits)
        self._price_min_e8 = instrument.price_min_e8
        self._price_max_e8 = instrument.price_max_e8
        self._spread_e8 = limits.spread_e8
        self._spike_e8 = limits.spike_e8
        self._off_market_e8 = limits.off_market_e8
        self._age_ns = limits.age_ms * 1_000_000
        self._ahead_ns = limits.ahead_ms * 1_000_000
        self._median_ns = limits.median_ms * 1_000_000
        self._mids: deque[int] = deque(maxlen=MEDIAN_QUOTES)
        """Twice the middle prices of the last quotes that were in order by themselves."""
        self._last: Quote | None = None

    def forget(self) -> None:
        """The next quote is the first: the LP's connection is a new one, or what it said before is not believed."""
        self._last = None
        self._mids.clear()

    def verdict(self, quote: Quote, venue: str, standing: Mapping[str, Quote]) -> Drop | None:
        """The first reason not to use a quote, or None. A locked quote (bid equals ask) is in order.

        `standing`: the quotes by which the LPs stand, `venue`'s own among them or not.
        """
        bid_e8, ask_e8 = quote.bid_e8, quote.ask_e8
        if bid_e8 <= 0 or ask_e8 <= 0:
            return Drop.ZERO
        if bid_e8 > ask_e8:
            return Drop.CROSSED
        if bid_e8 < self._price_min_e8 or ask_e8 > self._price_max_e8:
            return Drop.BOUNDS
        if bid_e8 % self._step_e8 or ask_e8 % self._step_e8:
            return Drop.PRECISION
        if (ask_e8 - bid_e8) * SCALE > bid_e8 * self._spread_e8:
            return Drop.SPREAD
        time_ns = quote.venue_time_ns
        if time_ns:
            age_ns = quote.received_ns - time_ns
            if age_ns > self._age_ns:
                return Drop.OLD
            if -age_ns > self._ahead_ns:
                return Drop.FUTURE
        last = self._last
        if last is not None:
            if (time_ns and time_ns < last.venue_time_ns) or (quote.venue_seq and quote.venue_seq < last.venue_seq):
                return Drop.OUT_OF_ORDER
            if time_ns == last.venue_time_ns and bid_e8 == last.bid_e8 and _is_same(quote, last):
                return Drop.DUPLICATE
            if quote.received_ns - last.received_ns > self._median_ns:
                self._mids.clear()
        self._last = quote
        return self._beside(bid_e8 + ask_e8, venue, standing)

    def _beside(self, mid: int, venue: str, standing: Mapping[str, Quote]) -> Drop | None:
        """By the other LPs where there are enough; else by the LP's own last quotes, unless the other LP agrees."""
        mids = self._mids
        mids.append(mid)
        others = [other.bid_e8 + other.ask_e8 for name, other in standing.items() if name != venue]
        if len(others) >= OTHERS_LEAST:
            others.sort()
            return Drop.OFF_MARKET if _is_far(mid, others[len(others) // 2], self._off_market_e8) else None
        median = sorted(mids)[len(mids) // 2]
        if not _is_far(mid, median, self._spike_e8):
            return None
        confirmed = bool(others) and not _is_far(mid, others[0], self._off_market_e8)
        return None if confirmed else Drop.SPIKE


def _is_same(quote: Quote, last: Quote) -> bool:
    """Whether the LP, which numbers or dates its quotes, sent this one before."""
    return (
        (quote.venue_time_ns or quote.venue_seq) != 0
        and quote.ask_e8 == last.ask_e8
        and quote.venue_seq == last.venue_seq
        and quote.bid_size_e8 == last.bid_size_e8
        and quote.ask_size_e8 == last.ask_size_e8
    )


def _is_far(mid: int, reference: int, share_e8: int) -> bool:
    return abs(mid - reference) * SCALE > reference * share_e8
