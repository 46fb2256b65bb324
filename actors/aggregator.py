"""The aggregator process: quotes of all feeds in, one tick stream out."""

from collections import deque

import msgspec
import pykka

from actors import process
from actors.bus import codec, sockets, topics
from actors.bus.answers import Lps, Pong, Refusal, Reply, Ticks
from actors.bus.endpoints import Endpoints
from actors.bus.pump import Inbox, Outbox, Stop
from actors.bus.requests import AggregatorRequest, GetLps, GetTicks
from actors.bus.streams import FeedMessage, FeedStatus, QuoteBatch, QuotesStanding, StreamAlive, StreamStatus
from actors.counters import CounterLog
from actors.domain.book import Book
from actors.domain.instrument import Instrument
from actors.domain.lp_registry import Known, LpChange
from actors.domain.quote import Quote, Tick, is_sound, is_withdrawal
from actors.domain.refusal import Refused
from actors.lp_desk import LpDesk, open_desk
from actors.store.lp_config import Damaged, LpConfig
from config import catalogue
from config import settings as config
from config.settings import Settings
from gateway.venues import discovery

INTERVAL_MS = 100
HEARTBEAT_NS = 1_000_000_000
FEED_SILENCE_LIMIT_NS = 3_000_000_000
"""A feed says how it is once a second; one that says nothing for so long is not fresh."""
BACKLOG_TICKS = 10_000
"""Ticks of a symbol that are kept for whoever missed some; older ones are history's alone."""
FRAME_TICKS = 5_000
"""So many ticks at most in one message: they fit a frame of the bus."""

_decode_feed = codec.decoder(FeedMessage)
_decode_request = codec.decoder(AggregatorRequest)


class Aggregator(pykka.ThreadingActor):
    """Keeps a book per symbol; each change of its top is a tick.

    Sequence numbers start at the microsecond of the start, so they rise across restarts without a file.
    """

    def __init__(self, instruments: dict[str, Instrument], lps: LpDesk, now_ns: int) -> None:
        """`lps`: what an LP says that is not enabled there is dropped."""
        super().__init__()
        self._lps = lps
        self._venues = lps.enabled
        self._books = {symbol: Book() for symbol in instruments}
        self._seq = dict.fromkeys(instruments, now_ns // 1_000)
        self._last: dict[str, Tick] = {}
        self._backlog: dict[str, deque[Tick]] = {symbol: deque(maxlen=BACKLOG_TICKS) for symbol in instruments}
        self._heard_ns: dict[str, int] = {}
        self._feeds: dict[str, FeedStatus] = {}
        self._published_ns = 0
        self.bad_frames = 0
        self.late_quotes = 0
        """Quotes that have waited in a queue for so long that they are no price any more."""
        self.bad_quotes = 0
        """Quotes that no feed of ours would have let through: its own checks come before (domain/quote.py)."""
        self._counter_log = CounterLog(
            lambda: {
                "bad_frames": self.bad_frames,
                "late_quotes": self.late_quotes,
                "bad_quotes": self.bad_quotes,
            }
        )

    def on_receive(self, message: Inbox | Stop) -> Outbox:
        self._counter_log.tell(message.now_ns, last=isinstance(message, Stop))
        if isinstance(message, Stop):
            return []
        now_ns = message.now_ns
        ticks: dict[str, list[Tick]] = {}
        version = self._lps.registry.version
        replies = [reply for asked in message.of("requests") for reply in self._serve(asked, now_ns)]
        if self._lps.registry.version != version:
            self._follow_registry(now_ns, ticks)
        for frames in message.of("quotes"):
            self._take(frames, now_ns, ticks)
        for venue, heard_ns in list(self._heard_ns.items()):
            if now_ns - heard_ns > FEED_SILENCE_LIMIT_NS:
                self._lose(venue, now_ns, ticks)
        outbox: Outbox = []
        for symbol, batch in ticks.items():
            self._backlog[symbol].extend(batch)
            topic = topics.tick(symbol)
            for start in range(0, len(batch), FRAME_TICKS):
                outbox.append(("ticks", [codec.encode(batch[start : start + FRAME_TICKS], topic)]))
        for subscription, *_ in message.of("ticks"):
            outbox += self._snapshot(subscription)
        if now_ns - self._published_ns >= HEARTBEAT_NS:
            self._published_ns = now_ns
            alive = StreamAlive(now_ns, {symbol: tick.seq for symbol, tick in self._last.items()})
            outbox.append(("ticks", [codec.encode(alive, topics.ALIVE)]))
            outbox.append(("ticks", [codec.encode(StreamStatus(now_ns, list(self._feeds.values())), topics.STATUS)]))
            outbox.append(("ticks", [self._lps.announcement()]))
        elif self._lps.registry.version != version:
            outbox.append(("ticks", [self._lps.announcement()]))
        return outbox + replies

    def _follow_registry(self, now_ns: int, ticks: dict[str, list[Tick]]) -> None:
        """LPs that are not enabled any more leave the books at once."""
        before, self._venues = self._venues, self._lps.enabled
        for venue in before - self._venues:
            self._feeds.pop(venue, None)
            self._lose(venue, now_ns, ticks)

    def _take(self, frames: list[bytes], now_ns: int, ticks: dict[str, list[Tick]]) -> None:
        try:
            (frame,) = frames
            message = _decode_feed(frame)
        except (ValueError, codec.BadFrame):
            self.bad_frames += 1
            return
        venue = message.venue
        if venue not in self._venues:
            self.bad_frames += 1
            return
        if isinstance(message, QuoteBatch):
            for quote in message.quotes:
                self._take_quote(venue, quote, now_ns, ticks)
            return
        if isinstance(message, QuotesStanding):
            for quote in message.quotes:
                standing = msgspec.structs.replace(quote, received_ns=message.time_ns)
                self._take_quote(venue, standing, now_ns, ticks)
            return
        self._feeds[venue] = message
        if message.connected:
            self._hear(venue, message.time_ns)
        else:
            self._lose(venue, now_ns, ticks)

    def _take_quote(self, venue: str, quote: Quote, now_ns: int, ticks: dict[str, list[Tick]]) -> None:
        book = self._books.get(quote.symbol)
        is_late = now_ns - quote.received_ns > FEED_SILENCE_LIMIT_NS
        if book is None or not (is_sound(quote) or is_withdrawal(quote)):
            self.bad_quotes += 1
            return
        self.late_quotes += is_late
        if is_late or is_withdrawal(quote):
            book.drop(venue)
        else:
            self._hear(venue, quote.received_ns)
            book.take(venue, quote)
        self._look(quote.symbol, book, now_ns, ticks)

    def _hear(self, venue: str, time_ns: int) -> None:
        """The LP was fresh at that time, which is when the feed said so: the message may have waited since."""
        self._heard_ns[venue] = max(time_ns, self._heard_ns.get(venue, 0))

    def _lose(self, venue: str, now_ns: int, ticks: dict[str, list[Tick]]) -> None:
        """The LP is not fresh any more: its quotes leave all books."""
        self._heard_ns.pop(venue, None)
        for symbol, book in self._books.items():
            if book.drop(venue):
                self._look(symbol, book, now_ns, ticks)

    def _look(self, symbol: str, book: Book, now_ns: int, ticks: dict[str, list[Tick]]) -> None:
        """Makes a tick where the top of the book is another one than the last tick's."""
        last = self._last.get(symbol)
        top = book.top()
        if top is None:
            if last is None or not last.live:
                return
            tick = Tick(symbol, last.seq + 1, now_ns, last.bid_e8, last.ask_e8, last.lp_bid, last.lp_ask, live=False)
        else:
            bid_e8, ask_e8, lp_bid, lp_ask = top
            if (
                last is not None
                and last.live
                and last.bid_e8 == bid_e8
                and last.ask_e8 == ask_e8
                and last.lp_bid == lp_bid
                and last.lp_ask == lp_ask
            ):
                return
            seq = last.seq + 1 if last is not None else self._seq[symbol]
            tick = Tick(symbol, seq, now_ns, bid_e8, ask_e8, lp_bid, lp_ask, live=True)
        self._last[symbol] = tick
        ticks.setdefault(symbol, []).append(tick)

    def _snapshot(self, subscription: bytes) -> Outbox:
        """What a new subscriber (XPUB: a 1 and a topic prefix) asks for: symbols' last ticks, the LP registry."""
        if subscription[:1] != b"\1":
            return []
        asked = subscription[1:]
        last: Outbox = [
            ("ticks", [codec.encode([tick], topics.tick(symbol))])
            for symbol, tick in self._last.items()
            if topics.tick(symbol).startswith(asked)
        ]
        return [*last, ("ticks", [self._lps.announcement()])] if topics.LPS.startswith(asked) else last

    def _serve(self, asked: list[bytes], now_ns: int) -> Outbox:
        try:
            identity, frame = asked
            request = _decode_request(frame)
        except (ValueError, codec.BadFrame):
            self.bad_frames += 1
            return []
        answer: Pong | Ticks | Lps | Refusal
        if isinstance(request.body, GetLps | LpChange):
            answer = self._lps.serve(request.body, now_ns)
        elif isinstance(request.body, GetTicks):
            symbol, after_seq = request.body.symbol, request.body.after_seq
            kept = [tick for tick in self._backlog.get(symbol, ()) if tick.seq > after_seq]
            answer = Ticks(symbol, kept[:FRAME_TICKS])
        else:
            answer = Pong(ready=True, detail="", seq=0)
        return [("requests", [identity, codec.encode(Reply(request.request_id, answer))])]


def build(settings: Settings, endpoints: Endpoints, context: process.Context) -> process.Running:
    instruments, now_ns = catalogue.instruments(), process.clock_ns()
    try:
        lps = open_desk(
            LpConfig(settings.lp_config), catalogue.lps(), Known(frozenset(instruments), discovery.names()), now_ns
        )
    except (Damaged, Refused) as error:
        config.stop(f"the LP registry: {error}")
    return process.Running(
        Aggregator.start(instruments, lps, now_ns),
        {
            "quotes": sockets.collector(context, endpoints.quotes),
            "ticks": sockets.snapshot_publisher(context, endpoints.ticks),
            "requests": sockets.router(context, endpoints.aggregator),
        },
        INTERVAL_MS,
    )


if __name__ == "__main__":
    process.run("aggregator", build)
