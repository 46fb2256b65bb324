"""What a feed makes of what its connections hear: quotes for the aggregator, and how the LP is."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import pykka

from actors.bus import codec
from actors.bus.streams import FeedStatus, LadderBatch, QuoteBatch, StandingQuotes, StreamState
from actors.domain.calendar import Sessions, is_open
from actors.domain.instrument import Instrument
from actors.domain.prices.lp_registry import Lp
from actors.domain.quote import LADDER_LEVELS, Drop, Ladder, Quote, is_withdrawal
from actors.quoting.feed_line import Line
from gateway.streams import Plan
from gateway.venues.events import VenueDepth, VenueEvent, VenueGarbage, VenueHeartbeat, VenueQuote

SILENT_AFTER_NS = 60_000_000_000
"""A symbol whose market is open and that has not been quoted for so long is said to be silent."""
REPEATED_BEATS = 2
"""So many beats after an aggregator's start the standing quotes are told again: it may not have heard us yet."""


class Followed(NamedTuple):
    """The LP's entry in the registry."""

    now_ns: int
    lp: Lp


class Opening(NamedTuple):
    """When each symbol is traded, from now on."""

    sessions: Mapping[str, Sessions]


class Planned(NamedTuple):
    """Which instruments (the LP's spelling) are on which stream, and which are on none, and why."""

    now_ns: int
    plan: Plan
    missing: Mapping[str, str]


class Misfit(NamedTuple):
    """Symbols whose terms the LP does not take, and which, by our names."""

    misfits: dict[str, str]


class Heard(NamedTuple):
    """What one chunk of a stream said."""

    now_ns: int
    stream: int
    events: list[VenueEvent]


class Connected(NamedTuple):
    """A stream is up, or down; `detail` is a sentence for the operator."""

    now_ns: int
    stream: int
    up: bool
    detail: str


class Faulty(NamedTuple):
    """There can be no stream, and why."""

    now_ns: int
    detail: str


class Stalled(NamedTuple):
    """What waited to be read was dropped: it is not known how old it was."""


class Asked(NamedTuple):
    """An aggregator has just started: it knows none of our quotes."""

    now_ns: int


class Beat(NamedTuple):
    """Time to say how the feed is."""

    now_ns: int


Told = Followed | Opening | Planned | Misfit | Heard | Connected | Faulty | Stalled | Asked | Beat


class Feed(pykka.ThreadingActor):
    """Answers what the connections heard with frames for the aggregator."""

    def __init__(self, venue: str, instruments: dict[str, Instrument], now_ns: int) -> None:
        super().__init__()
        self._venue = venue
        self._sessions: Mapping[str, Sessions] = {symbol: it.sessions for symbol, it in instruments.items()}
        self._started_ns = now_ns
        self._symbols: dict[str, str] = {}
        """From the LP's spelling to ours."""
        self._lines: dict[int, Line] = {}
        self._detail = "not connected yet"
        self._unplanned: dict[str, str] = {}
        self._misfits: dict[str, str] = {}
        self._last: dict[str, Quote] = {}
        """The quotes that stand."""
        self._quoted_ns: dict[str, int] = {}
        self._quotes = 0
        self._dropped: Counter[str] = Counter()
        self._repeats = 0

    def on_receive(self, message: Told) -> list[bytes]:
        match message:
            case Heard():
                back = self._back(message)
                quotes = self._passed_on(message)
                frames = [codec.encode(QuoteBatch(self._venue, quotes))] if quotes else []
                return back + frames + self._ladders(message)
            case Followed():
                return self._rename(message)
            case Opening(sessions):
                self._sessions = sessions
                return []
            case Misfit(misfits):
                self._misfits = misfits
                return []
            case Stalled():
                self._dropped["stalled"] += 1
                return []
            case Planned():
                return [*self._replan(message), self._status(message.now_ns)]
            case Connected():
                return [*self._connect(message), self._status(message.now_ns)]
            case Faulty(now_ns, detail):
                self._detail = detail
                return [*self._replan(Planned(now_ns, {}, {})), self._status(now_ns)]
            case Asked(now_ns):
                self._repeats = REPEATED_BEATS
                return [self._status(now_ns), *self._standing(now_ns)]
            case Beat(now_ns):
                self._repeats -= 1
                overdue = self._overdue(now_ns)
                return [*overdue, self._status(now_ns), *(self._standing(now_ns) if self._repeats >= 0 else [])]

    def _passed_on(self, heard: Heard) -> list[Quote]:
        """What is of our symbols, fit to be used or not: the aggregator, which has all LPs before it, judges that."""
        quotes: list[Quote] = []
        now_ns = heard.now_ns
        line = self._lines.get(heard.stream)
        if line is not None:
            line.heard_ns = now_ns
        for event in heard.events:
            if isinstance(event, VenueQuote):
                symbol = self._symbols.get(event.instrument)
                if symbol is None:
                    self._dropped[Drop.UNKNOWN_SYMBOL.value] += 1
                    continue
                quote = Quote(
                    symbol, event.bid_e8, event.ask_e8, event.bid_size_e8, event.ask_size_e8, event.time_ns, now_ns
                )
                if is_withdrawal(quote):
                    self._last.pop(symbol, None)
                else:
                    self._last[symbol] = quote
                self._quoted_ns[symbol] = now_ns
                quotes.append(quote)
            elif isinstance(event, VenueGarbage):
                self._dropped[event.reason] += 1
            elif isinstance(event, VenueHeartbeat) and line is not None:
                line.promised_ms = event.interval_ms
        self._quotes += len(quotes)
        return quotes

    def _ladders(self, heard: Heard) -> list[bytes]:
        """The order books of our symbols, of each the last one: what came before it in the chunk is over."""
        last: dict[str, Ladder] = {}
        for event in heard.events:
            symbol = self._symbols.get(event.instrument) if isinstance(event, VenueDepth) else None
            if symbol is not None and isinstance(event, VenueDepth):
                bids, asks = event.bids[:LADDER_LEVELS], event.asks[:LADDER_LEVELS]
                last[symbol] = Ladder(symbol, bids, asks, heard.now_ns)
        return [codec.encode(LadderBatch(self._venue, list(last.values())))] if last else []

    def _rename(self, followed: Followed) -> list[bytes]:
        """What came of a symbol under another name of the LP's is its price no longer."""
        before, after = self._symbols, {theirs: ours for ours, theirs in followed.lp.symbols.items()}
        self._symbols = after
        return self._withdraw({ours for theirs, ours in before.items() if after.get(theirs) != ours}, followed.now_ns)

    def _replan(self, planned: Planned) -> list[bytes]:
        before = {symbol for line in self._lines.values() for symbol in line.symbols}
        for number, names in planned.plan.items():
            line = self._lines.setdefault(number, Line())
            line.symbols = frozenset(self._symbols[name] for name in names if name in self._symbols)
        for number in self._lines.keys() - planned.plan.keys():
            del self._lines[number]
        self._unplanned = {self._symbols.get(name, name): why for name, why in planned.missing.items()}
        asked = {symbol for line in self._lines.values() for symbol in line.symbols}
        self._quoted_ns = {symbol: self._quoted_ns.get(symbol, 0) for symbol in sorted(asked)}
        return self._withdraw(before - asked, planned.now_ns)

    def _connect(self, message: Connected) -> list[bytes]:
        line = self._lines.get(message.stream)
        if line is None:
            return []
        was_up = line.connected
        line.connect(message.up, message.detail, message.now_ns)
        return self._withdraw(line.symbols, message.now_ns) if was_up and not message.up else []

    def _withdraw(self, symbols: set[str] | frozenset[str], now_ns: int) -> list[bytes]:
        """Takes back the quotes that nobody stands by. Where no stream is up, the status says it of them all."""
        gone = [symbol for symbol in sorted(symbols) if self._last.pop(symbol, None)]
        if not any(line.connected for line in self._lines.values()):
            return []
        quotes = [Quote(symbol, 0, 0, 0, 0, 0, now_ns) for symbol in gone]
        return [codec.encode(QuoteBatch(self._venue, quotes))] if quotes else []

    def _overdue(self, now_ns: int) -> list[bytes]:
        """Takes the quotes of streams back whose heartbeat is overdue, but keeps them: they hold if the LP lives."""
        symbols = {symbol for line in self._lines.values() if line.becomes_overdue(now_ns) for symbol in line.symbols}
        quotes = [Quote(symbol, 0, 0, 0, 0, 0, now_ns) for symbol in sorted(symbols & self._last.keys())]
        if not quotes:
            return []
        self._dropped["overdue"] += len(quotes)
        return [codec.encode(QuoteBatch(self._venue, quotes))]

    def _back(self, heard: Heard) -> list[bytes]:
        """The stream lives after all; what came meanwhile follows in its order."""
        line = self._lines.get(heard.stream)
        if line is None or not line.is_overdue or all(isinstance(event, VenueGarbage) for event in heard.events):
            return []
        line.is_overdue = False
        return self._standing(heard.now_ns)

    def _standing(self, now_ns: int) -> list[bytes]:
        overdue = {symbol for line in self._lines.values() if line.is_overdue for symbol in line.symbols}
        quotes = [quote for symbol, quote in self._last.items() if symbol not in overdue]
        return [codec.encode(StandingQuotes(self._venue, now_ns, quotes))] if quotes else []

    def _status(self, now_ns: int) -> bytes:
        lines = self._lines.values()
        down = [line for line in lines if not line.connected]
        detail = down[0].detail if down else next((line.detail for line in lines), self._detail)
        return codec.encode(
            FeedStatus(
                self._venue,
                any(line.connected for line in lines),
                detail if len(down) in (0, len(lines)) else f"{len(down)} of {len(lines)} streams: {detail}",
                now_ns,
                self._quotes,
                dict(self._dropped),
                self._started_ns,
                tuple(
                    StreamState(line.connected, line.told, len(line.symbols), line.heard_ns, line.connections)
                    for line in lines
                ),
                self._quoted_ns,
                self._unplanned | dict.fromkeys(self._silent(now_ns), "silent"),
                self._misfits,
            )
        )

    def _silent(self, now_ns: int) -> list[str]:
        """Symbols that ought to be quoted and are not, on streams that live."""
        return [
            symbol
            for line in self._lines.values()
            if line.connected
            for symbol in sorted(line.symbols)
            if now_ns - max(self._quoted_ns.get(symbol, 0), line.connected_ns) > SILENT_AFTER_NS
            and symbol in self._sessions
            and is_open(self._sessions[symbol], now_ns)
        ]
