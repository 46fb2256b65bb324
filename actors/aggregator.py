"""The aggregator process: quotes of all feeds in, one tick stream out."""

from collections import deque
from collections.abc import Collection

import pykka

from actors import process
from actors.bus import codec, sockets, topics
from actors.bus.answers import Pong, Reply, Ticks
from actors.bus.endpoints import Endpoints
from actors.bus.pump import Inbox, Outbox, Stop
from actors.bus.requests import AggregatorRequest, GetTicks
from actors.bus.streams import FeedMessage, FeedStatus, QuoteBatch, StreamAlive, StreamStatus
from actors.counters import CounterLog
from actors.domain.book import Book
from actors.domain.instrument import Instrument
from actors.domain.quote import Quote, Tick, is_sound, is_withdrawal
from config import catalogue
from config.settings import Settings

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

    def __init__(self, instruments: dict[str, Instrument], venues: Collection[str], now_ns: int) -> None:
        """`venues`: the LPs that have a place here; what another one says is dropped."""
        super().__init__()
        self._venues = venues
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
        for asked in message.of("requests"):
            outbox += self._serve(asked)
        return outbox

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
        """The last tick of each symbol that a new subscriber (XPUB: a 1 and a topic prefix) asks for."""
        if subscription[:1] != b"\1":
            return []
        asked = subscription[1:]
        return [
            ("ticks", [codec.encode([tick], topics.tick(symbol))])
            for symbol, tick in self._last.items()
            if topics.tick(symbol).startswith(asked)
        ]

    def _serve(self, asked: list[bytes]) -> Outbox:
        try:
            identity, frame = asked
            request = _decode_request(frame)
        except (ValueError, codec.BadFrame):
            self.bad_frames += 1
            return []
        answer: Pong | Ticks
        if isinstance(request.body, GetTicks):
            symbol, after_seq = request.body.symbol, request.body.after_seq
            kept = [tick for tick in self._backlog.get(symbol, ()) if tick.seq > after_seq]
            answer = Ticks(symbol, kept[:FRAME_TICKS])
        else:
            answer = Pong(ready=True, detail="", seq=0)
        return [("requests", [identity, codec.encode(Reply(request.request_id, answer))])]


def build(settings: Settings, endpoints: Endpoints, context: process.Context) -> process.Running:
    return process.Running(
        Aggregator.start(catalogue.instruments(), tuple(catalogue.lps()), process.clock_ns()),
        {
            "quotes": sockets.collector(context, endpoints.quotes),
            "ticks": sockets.snapshot_publisher(context, endpoints.ticks),
            "requests": sockets.router(context, endpoints.aggregator),
        },
        INTERVAL_MS,
    )


if __name__ == "__main__":
    process.run("aggregator", build)
