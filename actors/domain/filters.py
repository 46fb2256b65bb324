"""Which quotes are fit to be used: what comes of one LP in one symbol, judged by itself and beside the other LPs."""

from collections import deque
from collections.abc import Mapping, Sequence

from actors.domain.instrument import Instrument
from actors.domain.money import LIMIT_E8, SCALE
from actors.domain.quote import Drop, Quote, QuoteLimits

MEDIAN_QUOTES = 7
"""The rolling median is over so many of the LP's last quotes, spikes included: a price that stays is no spike."""


class Band:
    """Holds all middle prices (times two) that something may be compared with, and perhaps more: cheap to keep.

    Where the whole band is narrow enough, nothing in it is far from any median, and no median need be worked out.
    """

    __slots__ = ("high", "low", "width_e8")

    def __init__(self) -> None:
        self.low = LIMIT_E8 * 2
        self.high = 0
        self.width_e8 = 0
        """As a share of its low end, rounded up."""

    def takes(self, mid: int, share_e8: int) -> bool:
        """Whether the band with `mid` is no wider than this share of its low end; `mid` is in it then."""
        if self.low <= mid <= self.high:
            return self.width_e8 <= share_e8
        low = mid if mid < self.low else self.low
        high = mid if mid > self.high else self.high
        width_e8 = -((low - high) * SCALE // low)
        if width_e8 > share_e8:
            return False
        self.low, self.high, self.width_e8 = low, high, width_e8
        return True

    def reset(self, mids: Sequence[int]) -> None:
        self.low, self.high = min(mids), max(mids)
        self.width_e8 = -((self.low - self.high) * SCALE // self.low)


class Screen:
    """Judges the quotes of one LP in one symbol, in the order in which they come."""

    def __init__(self, instrument: Instrument, limits: QuoteLimits, band: Band) -> None:
        """`band`: of all LPs in the symbol together."""
        self._band = band
        self._own_band = Band()
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
        self._forget_mids()

    def _forget_mids(self) -> None:
        self._mids.clear()
        self._own_band = Band()

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
                self._forget_mids()
        self._last = quote
        return self._beside(bid_e8 + ask_e8, venue, standing)

    def _beside(self, mid: int, venue: str, standing: Mapping[str, Quote]) -> Drop | None:
        """By the other LPs that have a price, and where there are none by the LP's own last quotes.

        Of two LPs that disagree the one that moved away is out, until it is back or the other one follows or is gone:
        better no price than a wrong one.
        """
        self._mids.append(mid)
        is_steady = self._own_band.takes(mid, self._spike_e8) or self._is_steady(mid)
        if not is_steady and len(standing) <= (venue in standing):
            return Drop.SPIKE
        if self._band.takes(mid, self._off_market_e8):
            return None
        others = sorted(other.bid_e8 + other.ask_e8 for name, other in standing.items() if name != venue)
        if others and _is_far(mid, others[len(others) // 2], self._off_market_e8):
            return Drop.OFF_MARKET
        self._band.reset([*others, mid])
        return None

    def _is_steady(self, mid: int) -> bool:
        """Whether it is near the median of the LP's own last quotes, this one included."""
        mids = sorted(self._mids)
        self._own_band.reset(mids)
        return not _is_far(mid, mids[len(mids) // 2], self._spike_e8)


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
    return bool(abs(mid - reference) * SCALE > reference * share_e8)
