"""How each LP does: facts for whoever chooses between them. Times are passed in, in UTC nanoseconds."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from actors.domain.quote import Quote

LATENCY_BUCKETS = 24
"""Bucket n counts what took less than 2^n microseconds and not less than half of it; the last one all the rest."""
CLOCK_WINDOW_NS = 60_000_000_000
RATE_WINDOW_NS = 10_000_000_000


class LpStatus(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One LP, since the start of the aggregator where nothing else is said."""

    venue: str
    connected: bool
    last_quote_age_ns: int
    """-1: it has sent none."""
    quotes: int
    quotes_per_second_e3: int
    """Thousandths; over the last 10 s or so."""
    dropped: dict[str, int]
    """By reason, over all symbols."""
    best: int
    """Sides of ticks (each has two) that were its price."""
    best_share_e6: int
    """Of the sides of all ticks, in millionths."""
    connected_ns: int
    uptime_e6: int
    """Share of the time that it was connected, in millionths."""
    clock_ahead_ns: int | None
    """By how much the LP's clock is ahead of ours, at most: its freshest quote of the last minute or two was made
    so long after it was received. The time on the way makes it less. None: the LP does not date its quotes."""
    to_received: list[int]
    """Histogram of the time on the way from the LP, as LATENCY_BUCKETS says, beyond that of its fastest quote of the
    last minute or two, so without `clock_ahead_ns`. What the fastest one needed cannot be told from a wrong clock."""
    to_published: list[int]
    """The same from receiving a quote to the turn of the aggregator that used it."""
    quarantined: list[str]
    """Symbols in which it is in quarantine now."""


class LpRecord:
    """Collects the facts of one LP."""

    def __init__(self, venue: str, now_ns: int) -> None:
        self._venue = venue
        self._begun_ns = now_ns
        self._connected_since_ns: int | None = None
        self._connected_ns = 0
        self.quotes = 0
        self._received_ns = 0
        self.best = 0
        self._to_received = [0] * LATENCY_BUCKETS
        self._to_published = [0] * LATENCY_BUCKETS
        self._ahead_ns: int | None = None
        self._ahead_before_ns: int | None = None
        self._clock_begun_ns = now_ns
        self._rate_e3 = 0
        self._rate_begun_ns = now_ns
        self._rate_quotes = 0
        self.drops: Counter[str] = Counter()
        """Of quotes that belong to no symbol of ours."""

    def connect(self, connected: bool, now_ns: int) -> None:
        if self._connected_since_ns is not None:
            self._connected_ns += max(0, now_ns - self._connected_since_ns)
        self._connected_since_ns = now_ns if connected else None

    def take(self, quotes: Sequence[Quote], now_ns: int) -> None:
        """Quotes that came together, of whichever symbol, before anybody judges them."""
        self.quotes += len(quotes)
        to_received, to_published = self._to_received, self._to_published
        received_ns = made_ns = published = received = 0
        for quote in quotes:
            if quote.received_ns != received_ns:
                received_ns, made_ns = quote.received_ns, 0
                published = _bucket(now_ns - received_ns)
            to_published[published] += 1
            if not quote.venue_time_ns:
                continue
            if quote.venue_time_ns != made_ns:
                made_ns = quote.venue_time_ns
                received = _bucket(self._see_clock(made_ns - received_ns) + received_ns - made_ns)
            to_received[received] += 1
        self._received_ns = received_ns or self._received_ns

    def _see_clock(self, ahead_ns: int) -> int:
        """Takes in by how much a quote's time is ahead of ours; gives the most of late, which may be this one."""
        if self._ahead_ns is None or ahead_ns > self._ahead_ns:
            self._ahead_ns = ahead_ns
        before_ns = self._ahead_before_ns
        return self._ahead_ns if before_ns is None or before_ns < self._ahead_ns else before_ns

    def pass_time(self, now_ns: int) -> None:
        """Begins new windows where they are due."""
        passed_ns = now_ns - self._rate_begun_ns
        if passed_ns >= RATE_WINDOW_NS:
            self._rate_e3 = self._rate(now_ns)
            self._rate_begun_ns, self._rate_quotes = now_ns, self.quotes
        if now_ns - self._clock_begun_ns >= CLOCK_WINDOW_NS:
            self._clock_begun_ns = now_ns
            self._ahead_before_ns, self._ahead_ns = self._ahead_ns, None

    def report(self, drops: Counter[str], quarantined: list[str], tick_sides: int, now_ns: int) -> LpStatus:
        """`drops`: those of its lines; `tick_sides`: two for each tick of all symbols."""
        since_ns = self._connected_since_ns
        connected_ns = self._connected_ns + (max(0, now_ns - since_ns) if since_ns is not None else 0)
        ahead = [given for given in (self._ahead_ns, self._ahead_before_ns) if given is not None]
        return LpStatus(
            self._venue,
            since_ns is not None,
            max(0, now_ns - self._received_ns) if self._received_ns else -1,
            self.quotes,
            self._rate_e3 if self._rate_quotes else self._rate(now_ns),
            dict(self.drops + drops),
            self.best,
            self.best * 1_000_000 // tick_sides if tick_sides else 0,
            connected_ns,
            min(1_000_000, connected_ns * 1_000_000 // max(1, now_ns - self._begun_ns)),
            max(ahead) if ahead else None,
            list(self._to_received),
            list(self._to_published),
            quarantined,
        )

    def _rate(self, now_ns: int) -> int:
        return (self.quotes - self._rate_quotes) * 10**12 // max(1, now_ns - self._rate_begun_ns)


def _bucket(latency_ns: int) -> int:
    """The first for what took less than a microsecond, or was over before it began: clocks differ."""
    if latency_ns < 1_000:
        return 0
    return min((latency_ns // 1_000).bit_length(), LATENCY_BUCKETS - 1)
