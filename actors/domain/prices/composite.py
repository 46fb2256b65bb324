"""One symbol: the quotes of all LPs in, each judged; ticks out. Never crossed, stale, or of an LP in quarantine."""

from collections import Counter
from collections.abc import Collection, Mapping

from actors.domain.calendar import SessionState, state_at
from actors.domain.instrument import Instrument
from actors.domain.prices.book import Book
from actors.domain.prices.dispute import Dispute
from actors.domain.prices.evidence import Evidence, Noted
from actors.domain.prices.filters import Corridor, Screen
from actors.domain.prices.pricing import LpTerms, Pricing
from actors.domain.prices.quarantine import Quarantine
from actors.domain.quote import Drop, Quote, QuoteLimits, Tick

NO_FAULTS = frozenset({Drop.DUPLICATE, Drop.ZERO})
"""What brings no LP into quarantine: LPs send one side alone in the best of times."""
FAR_OFF = (Drop.OFF_MARKET, Drop.SPIKE)
KEEPS_PLACE = frozenset({Drop.DUPLICATE, Drop.OUT_OF_ORDER, Drop.ZERO})
"""What is older than the quote by which the LP stands, or says nothing of its other side, takes nothing from it."""


class Line:
    """One LP in one symbol."""

    __slots__ = ("drops", "limits", "quarantine", "screen", "silence_ns")

    def __init__(self, instrument: Instrument, limits: QuoteLimits, corridor: Corridor) -> None:
        self.screen = Screen(instrument, limits, corridor)
        self.quarantine = Quarantine(limits)
        self.limits = limits
        self.silence_ns = limits.silence_ms * 1_000_000
        self.drops: Counter[Drop] = Counter()


class Composite:
    """The price of one symbol. Time (UTC, ns) is passed in; ticks are numbered from `first_seq` on."""

    def __init__(self, instrument: Instrument, lps: Mapping[str, LpTerms], pricing: Pricing, first_seq: int) -> None:
        """`lps`: all that may quote it."""
        self._instrument = instrument
        self._symbol = instrument.symbol
        self._sessions = instrument.sessions
        self._session = SessionState(True, 0)
        self._lps = dict(lps)
        self._corridor = Corridor()
        self._dispute = Dispute()
        self.lines = {venue: Line(instrument, terms.limits, self._corridor) for venue, terms in lps.items()}
        self.book = Book(pricing, self._lps)
        self.evidence = Evidence()
        self.last: Tick | None = None
        self._next_seq = first_seq

    def relist(self, instrument: Instrument, now_ns: int) -> Tick | None:
        """Other terms of the instrument, from now on: a quote beyond its bounds leaves."""
        self._instrument, self._sessions = instrument, instrument.sessions
        self._session = SessionState(True, 0)
        for venue, line in self.lines.items():
            line.screen = Screen(instrument, line.limits, self._corridor)
            quote = self.book.quotes.get(venue)
            if (
                quote is not None
                and not instrument.price_min_e8 <= quote.bid_e8 <= quote.ask_e8 <= instrument.price_max_e8
            ):
                line.drops[Drop.BOUNDS] += 1
                self._leave(venue, Drop.BOUNDS, now_ns)
        return self.look(now_ns)

    @property
    def instrument(self) -> Instrument:
        return self._instrument

    @property
    def next_seq(self) -> int:
        return self._next_seq

    def define(self, lps: Mapping[str, LpTerms], now_ns: int) -> Tick | None:
        """Other LPs, or other terms of theirs, from now on. Whose limits change begins anew, without a price."""
        for venue in list(self.lines):
            if venue not in lps or lps[venue].limits != self._lps[venue].limits:
                self._leave(venue, Drop.DISCONNECTED, now_ns)
                del self.lines[venue]
        for venue, terms in lps.items():
            if venue not in self.lines:
                self.lines[venue] = Line(self._instrument, terms.limits, self._corridor)
        self._lps = dict(lps)
        self.book.define(self._lps)
        return self.look(now_ns)

    def take(self, venue: str, quote: Quote, now_ns: int) -> Tick | None:
        """A quote of the LP, which is one of those known here."""
        line, book = self.lines[venue], self.book
        if quote.bid_e8 == 0 == quote.ask_e8:
            drop: Drop | None = Drop.WITHDRAWN
            line.screen.withdraw()
        else:
            drop = line.screen.verdict(quote, venue, book.quotes)
            if drop is not None and drop in FAR_OFF and self._is_right(venue, quote, now_ns):
                drop = None
            if drop is not None:
                if drop not in NO_FAULTS and line.quarantine.fault(now_ns):
                    line.screen.forget()
            elif line.quarantine.is_on and not line.quarantine.good(now_ns):
                drop = Drop.QUARANTINED
        if drop is None:
            if self._dispute.is_open:
                self._dispute.leave(venue)
            self.evidence.note(Noted(venue, quote, None, now_ns, False))
            return self.look(now_ns) if book.take(venue, quote, now_ns) else None
        return self.refuse(venue, quote, drop, now_ns)

    def refuse(self, venue: str, quote: Quote, drop: Drop, now_ns: int) -> Tick | None:
        """The quote is not used. What the LP said before is its price no longer, unless it is the newer one."""
        line = self.lines[venue]
        line.drops[drop] += 1
        leaves = drop not in KEEPS_PLACE or line.quarantine.is_on
        self.evidence.note(Noted(venue, quote, drop, now_ns, leaves))
        if leaves and self.book.drop(venue) is not None:
            return self.look(now_ns)
        return None

    def confirm(self, venue: str, quote: Quote, now_ns: int) -> Tick | None:
        """The LP still stands by this quote, whenever it was made: what is here already needs no second look, and what
        is stale is left."""
        if self.book.quotes.get(venue) == quote or now_ns - quote.received_ns > self.lines[venue].silence_ns:
            return None
        return self.take(venue, quote, now_ns)

    def _is_right(self, venue: str, quote: Quote, now_ns: int) -> bool:
        """Whether a quote that is far from the others is good all the same; the others have left the book then."""
        limits = self.lines[venue].limits
        outrun = self._dispute.settles(venue, quote, self.book.quotes, limits)
        if outrun is None:
            return False
        for name in outrun:
            self.lines[name].drops[Drop.OUTRUN] += 1
            self._leave(name, Drop.OUTRUN, now_ns)
        for name in self._dispute.agreeing(venue, limits):
            self.lines[name].quarantine.acquit()
        self._corridor.close()
        return True

    def lose(self, venues: Collection[str], now_ns: int) -> Tick | None:
        """The connections of these LPs are gone, and their quotes with them: together, so that none of them is seen
        alone."""
        for venue in venues:
            self._dispute.leave(venue)
            self.lines[venue].screen.forget()
            self._leave(venue, Drop.DISCONNECTED, now_ns)
        return self.look(now_ns)

    def pass_time(self, now_ns: int) -> None:
        """Drops the quotes that nobody has confirmed for too long. In a closed market that is no fault. What it means
        for the price is for `look` to say, when all that is over has been dropped."""
        self.book.forget_ladders({venue: now_ns - line.silence_ns for venue, line in self.lines.items()})
        for venue, quote in list(self.book.quotes.items()):
            if now_ns - quote.received_ns > self.lines[venue].silence_ns:
                drop = Drop.STALE if self._is_open(now_ns) else Drop.CLOSED
                self.lines[venue].drops[drop] += 1
                self._leave(venue, drop, now_ns)

    def look(self, now_ns: int) -> Tick | None:
        """A tick where the price is another one than the last tick's."""
        last = self.last
        top = self.book.top(now_ns)
        if top is None:
            if last is None or not last.live:
                return None
            bid_e8, ask_e8, lp_bid, lp_ask = last.bid_e8, last.ask_e8, last.lp_bid, last.lp_ask
        else:
            bid_e8, ask_e8, lp_bid, lp_ask = top.bid_e8, top.ask_e8, top.lp_bid, top.lp_ask
            if (
                last is not None
                and last.bid_e8 == bid_e8
                and last.ask_e8 == ask_e8
                and last.live
                and last.lp_bid == lp_bid
                and last.lp_ask == lp_ask
            ):
                return None
        tick = Tick(self._symbol, self._next_seq, now_ns, bid_e8, ask_e8, lp_bid, lp_ask, top is not None)
        self._next_seq += 1
        self.last = tick
        self.evidence.tick(tick)
        return tick

    def _leave(self, venue: str, drop: Drop, now_ns: int) -> None:
        """The LP's quote leaves the book, where it has one. What that means for the price is for `look` to say."""
        quote = self.book.drop(venue)
        if quote is not None:
            self.evidence.note(Noted(venue, quote, drop, now_ns, True))

    def _is_open(self, now_ns: int) -> bool:
        if now_ns >= self._session.until_ns:
            self._session = state_at(self._sessions, now_ns)
        return self._session.open
