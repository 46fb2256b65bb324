"""Which quotes are fit to be used: what comes of one LP in one symbol, judged by itself and beside the other LPs."""

from collections import deque
from collections.abc import Mapping, Sequence

from actors.domain.instrument import Instrument
from actors.domain.money import LIMIT_E8, SCALE
from actors.domain.quote import Drop, Quote, QuoteLimits, is_far

MEDIAN_QUOTES = 7
"""The rolling median is over so many of the LP's last quotes, spikes included: a price that stays is no spike."""


class Corridor:
    """Of one symbol: prices so near each other that none of them is far from any other, by the limits of any LP.

    The middle prices of all quotes that stand are in it, so whatever else is in it is no off-market price and needs no
    median. It lies within the instrument's bounds, and no spread in it is too wide. Closed while there is none.
    """

    __slots__ = ("_share_e8", "high_e8", "low_e8", "number")

    def __init__(self) -> None:
        self._share_e8 = SCALE // 2
        self.number = 0
        """Rises whenever it is laid elsewhere."""
        self.close()

    def admit(self, limits: QuoteLimits) -> None:
        """Another LP's limits hold as well."""
        self._share_e8 = min(self._share_e8, limits.spike_e8, limits.off_market_e8, limits.spread_e8)
        self.close()

    def close(self) -> None:
        self.low_e8, self.high_e8 = LIMIT_E8, 0
        self.number += 1

    def holds(self, mid: int) -> bool:
        """`mid`: twice the middle price."""
        return 2 * self.low_e8 <= mid <= 2 * self.high_e8

    def lay(self, mids: Sequence[int], price_min_e8: int, price_max_e8: int) -> None:
        """Around these middle prices (times two), if they are near enough to each other."""
        low_e8, high_e8 = min(mids) // 2, (max(mids) + 1) // 2
        spare_e8 = low_e8 * self._share_e8 // SCALE - (high_e8 - low_e8)
        begin_e8 = low_e8 - spare_e8 // 2
        self.number += 1
        self.low_e8 = max(1, price_min_e8, begin_e8)
        self.high_e8 = min(price_max_e8, begin_e8 + begin_e8 * self._share_e8 // SCALE)
        if not all(map(self.holds, mids)):
            self.close()


class Screen:
    """Judges the quotes of one LP in one symbol, in the order in which they come."""

    def __init__(self, instrument: Instrument, limits: QuoteLimits, corridor: Corridor) -> None:
        """`corridor`: of all LPs in the symbol together."""
        self._corridor = corridor
        corridor.admit(limits)
        digits = limits.price_digits if limits.price_digits >= 0 else instrument.price_digits
        self._step_e8 = 10 ** (8 - digits)
        self._price_min_e8 = instrument.price_min_e8
        self._price_max_e8 = instrument.price_max_e8
        self._spread_e8 = limits.spread_e8
        self._spike_e8 = limits.spike_e8
        self._off_market_e8 = limits.off_market_e8
        self._age_ns = limits.age_ms * 1_000_000
        self._first_age_ns = max(limits.age_ms, limits.silence_ms) * 1_000_000
        self._ahead_ns = -limits.ahead_ms * 1_000_000
        self._median_ns = limits.median_ms * 1_000_000
        self._recent: deque[Quote] = deque(maxlen=MEDIAN_QUOTES)
        """The last quotes that were in order by themselves."""
        self._calm_number = 0
        """All of them are in the corridor of this number."""
        self._last: Quote | None = None

    def forget(self) -> None:
        """The next quote is the first: the LP's connection is a new one, or what it said before is not believed."""
        self._last = None
        self._recent.clear()
        self._calm_number = 0

    def withdraw(self) -> None:
        """The LP has no price: its next one is none that came late or twice, though it may be the one from before."""
        self._last = None

    def verdict(self, quote: Quote, venue: str, standing: Mapping[str, Quote]) -> Drop | None:
        """The first reason not to use a quote, or None. A locked quote (bid equals ask) is in order.

        With its first quote an LP says what it stands by: that may be as old as a quote that stands.
        `standing`: the quotes by which the LPs stand, `venue`'s own among them or not.
        """
        bid_e8, ask_e8, corridor = quote.bid_e8, quote.ask_e8, self._corridor
        is_usual = corridor.low_e8 <= bid_e8 <= ask_e8 <= corridor.high_e8
        if not is_usual:
            drop = self._by_itself(bid_e8, ask_e8)
            if drop is not None:
                return drop
        elif bid_e8 % self._step_e8 or ask_e8 % self._step_e8:
            return Drop.PRECISION
        time_ns, last = quote.venue_time_ns, self._last
        age_limit_ns = self._age_ns if last is not None else self._first_age_ns
        if time_ns and not self._ahead_ns <= quote.received_ns - time_ns <= age_limit_ns:
            return Drop.OLD if quote.received_ns > time_ns else Drop.FUTURE
        if last is not None:
            last_ns = last.venue_time_ns
            if time_ns == last_ns:
                if bid_e8 == last.bid_e8 and _is_same(quote, last):
                    return Drop.DUPLICATE
            elif time_ns and time_ns < last_ns:
                return Drop.OUT_OF_ORDER
            if quote.venue_seq and quote.venue_seq < last.venue_seq:
                return Drop.OUT_OF_ORDER
        self._last = quote
        self._recent.append(quote)
        if is_usual and self._calm_number == corridor.number:
            return None
        return self._beside(bid_e8 + ask_e8, venue, standing)

    def _by_itself(self, bid_e8: int, ask_e8: int) -> Drop | None:
        if bid_e8 <= 0 or ask_e8 <= 0:
            return Drop.ZERO
        if bid_e8 > ask_e8:
            return Drop.CROSSED
        if bid_e8 < self._price_min_e8 or ask_e8 > self._price_max_e8:
            return Drop.BOUNDS
        if bid_e8 % self._step_e8 or ask_e8 % self._step_e8:
            return Drop.PRECISION
        return Drop.SPREAD if (ask_e8 - bid_e8) * SCALE > bid_e8 * self._spread_e8 else None

    def _beside(self, mid: int, venue: str, standing: Mapping[str, Quote]) -> Drop | None:
        """By the other LPs that have a price, and where there are none by the LP's own last quotes.

        Of two LPs that disagree the one that moved away is out, until it is back or the other one follows or is gone:
        better no price than a wrong one.
        """
        mids, corridor = self._recent_mids(), self._corridor
        self._calm_number = 0
        others = sorted(other.bid_e8 + other.ask_e8 for name, other in standing.items() if name != venue)
        if others:
            if is_far(mid, others[len(others) // 2], self._off_market_e8):
                return Drop.OFF_MARKET
        elif is_far(mid, sorted(mids)[len(mids) // 2], self._spike_e8):
            return Drop.SPIKE
        if not corridor.holds(mid):
            corridor.lay([*others, mid], self._price_min_e8, self._price_max_e8)
        if all(map(corridor.holds, mids)):
            self._calm_number = corridor.number
        return None

    def _recent_mids(self) -> list[int]:
        """Twice the middle prices of the last quotes; after a long pause they are no measure any more."""
        mids: list[int] = []
        next_ns = self._recent[-1].received_ns
        for quote in reversed(self._recent):
            if next_ns - quote.received_ns > self._median_ns:
                break
            next_ns = quote.received_ns
            mids.append(quote.bid_e8 + quote.ask_e8)
        return mids


def _is_same(quote: Quote, last: Quote) -> bool:
    """Whether the LP, which numbers or dates its quotes, sent this one before."""
    return (
        (quote.venue_time_ns or quote.venue_seq) != 0
        and quote.ask_e8 == last.ask_e8
        and quote.venue_seq == last.venue_seq
        and quote.bid_size_e8 == last.bid_size_e8
        and quote.ask_size_e8 == last.ask_size_e8
    )
