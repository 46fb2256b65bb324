"""The aggregator process: quotes of all feeds in, one tick stream out. domain/prices/market.py decides."""

from collections.abc import Callable, Mapping

import pykka

from actors import process
from actors.backlog import Backlog
from actors.bus import codec, sockets, topics
from actors.bus.answers import DepthReport, Lps, Pong, Refusal, Reply, Sources, Ticks
from actors.bus.endpoints import Endpoints
from actors.bus.pump import Inbox, Outbox, Stop
from actors.bus.requests import AggregatorRequest, GetDepth, GetLps, GetSources, GetTicks
from actors.bus.streams import (
    FeedMessage,
    FeedStatus,
    LadderBatch,
    QuoteBatch,
    StreamAlive,
    StreamDepth,
    StreamStatus,
)
from actors.counters import CounterLog, nonzero
from actors.domain.instrument import Instrument
from actors.domain.prices.book import vwap
from actors.domain.prices.lp_registry import FIX_ADAPTER, Known, LpChange
from actors.domain.prices.market import Market
from actors.domain.prices.pricing import Pricing
from actors.domain.quote import Tick
from actors.domain.refusal import Refused
from actors.listed import Listed
from actors.lp_desk import LpDesk, open_desk
from actors.store.lp_config import Damaged, LpConfig
from actors.store.sequence import SequenceMark
from config import catalogue
from config import settings as config
from config.settings import Settings
from gateway.venues import discovery

INTERVAL_MS = 100
HEARTBEAT_NS = 1_000_000_000
STALL_LIMIT_NS = 1_000_000_000
"""Turns come every INTERVAL_MS. After a pause of more than this, some of what feeds said may have been lost."""

_decode_feed = codec.decoder(FeedMessage)
_decode_request = codec.decoder(AggregatorRequest)


class Aggregator(pykka.ThreadingActor):
    """Answers an Inbox with the ticks that follow from it, and with what was asked."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        lps: LpDesk,
        pricings: Mapping[str, Pricing],
        now_ns: int,
        *,
        first_seq: int,
        cover: Callable[[int], None] = lambda seq: None,
    ) -> None:
        """`lps`: what an LP says that is not enabled there is dropped. `cover`: as SequenceMark.cover."""
        super().__init__()
        self._lps = lps
        self._listed = Listed(instruments)
        lps.relist(self._listed.instruments)
        self.market = Market(instruments, lps.terms(), pricings, first_seq, now_ns)
        self._cover = cover
        self._backlogs = {symbol: Backlog(topics.tick(symbol)) for symbol in self.market.composites}
        self._feeds: dict[str, FeedStatus] = {}
        self._published_ns = 0
        self._turned_ns = now_ns
        self._depth_prefixes: set[bytes] = set()
        self._depths: dict[str, int] = {}
        """Of the symbols whose depth is published: the number of the last one."""
        self.bad_frames = 0
        self.stalled = 0
        """How often there was a pause of more than STALL_LIMIT_NS."""
        self._counter_log = CounterLog(lambda: {"bad_frames": self.bad_frames, "stalled": self.stalled})

    def on_receive(self, message: Inbox | Stop) -> Outbox:
        self._counter_log.tell(message.now_ns, last=isinstance(message, Stop))
        if isinstance(message, Stop):
            return []
        now_ns = message.now_ns
        ticks: dict[str, list[Tick]] = {}
        # First: a fresh quote is never joined to one that has become stale since the last turn.
        self.market.pass_time(now_ns, ticks)
        has_stalled = self._look_for_a_stall(now_ns)
        is_relisted = self._listed.hear(message.of("engine"))
        if is_relisted:
            self._relist(now_ns, ticks)
        before = self._lps.registry
        replies = [reply for asked in message.of("requests") for reply in self._serve(asked, now_ns)]
        has_changed = self._lps.registry.version != before.version or is_relisted
        if has_changed:
            self.market.define(self._lps.terms(), now_ns, ticks)
            lps = self._lps.registry.lps
            if any(lps[name].limits != lp.limits for name, lp in before.lps.items() if name in lps):
                # Whose limits change begins without a price: the quotes that stand are judged anew.
                self._lps.ask_anew(now_ns)
            self._feeds = {venue: told for venue, told in self._feeds.items() if venue in self.market.records}
        for frames in message.of("quotes"):
            self._take(frames, now_ns, ticks)
        outbox = self._published(ticks)
        outbox += self._depth_changes(now_ns)
        for subscription, *_ in message.of("ticks"):
            outbox += self._subscribed(subscription, now_ns)
        if now_ns - self._published_ns >= HEARTBEAT_NS:
            self._published_ns = now_ns
            last = {symbol: it.last.seq for symbol, it in self.market.composites.items() if it.last is not None}
            status = StreamStatus(now_ns, list(self._feeds.values()), tuple(self.market.report(now_ns)))
            outbox.append(("ticks", [codec.encode(StreamAlive(now_ns, last), topics.ALIVE)]))
            outbox.append(("ticks", [codec.encode(status, topics.STATUS)]))
            has_changed = True
        if has_changed or has_stalled:
            outbox.append(("ticks", [self._lps.announcement()]))
        return outbox + replies + [("engine", [frame]) for frame in self._listed.question(now_ns)]

    def _relist(self, now_ns: int, ticks: dict[str, list[Tick]]) -> None:
        """Staff have changed instruments."""
        self.market.relist(self._listed.instruments, now_ns, ticks)
        self._lps.relist(self._listed.instruments)
        for symbol in self.market.composites:
            self._backlogs.setdefault(symbol, Backlog(topics.tick(symbol)))
        self._depths = {it: number for it, number in self._depths.items() if it in self.market.composites}

    def _look_for_a_stall(self, now_ns: int) -> bool:
        """After one all feeds are asked for the quotes that stand, as after a start: those of quiet symbols were lost
        with the time, and what came meanwhile was perhaps more than the queue holds."""
        paused_ns, self._turned_ns = now_ns - self._turned_ns, now_ns
        if paused_ns <= STALL_LIMIT_NS:
            return False
        self.stalled += 1
        self._lps.ask_anew(now_ns)
        return True

    def _take(self, frames: list[bytes], now_ns: int, ticks: dict[str, list[Tick]]) -> None:
        try:
            (frame,) = frames
            message = _decode_feed(frame)
        except (ValueError, codec.BadFrame):
            self.bad_frames += 1
            return
        venue = message.venue
        if venue not in self.market.records:
            self.bad_frames += 1
        elif isinstance(message, QuoteBatch):
            self.market.quote(venue, message.quotes, now_ns, ticks)
        elif isinstance(message, LadderBatch):
            self.market.deepen(venue, message.ladders, now_ns)
        elif isinstance(message, FeedStatus):
            self._feeds[venue] = message
            self.market.status(venue, message.connected, message.time_ns, now_ns, ticks)
        else:
            self.market.stand(venue, message.time_ns, message.quotes, now_ns, ticks)

    def _published(self, ticks: dict[str, list[Tick]]) -> Outbox:
        outbox: Outbox = []
        for symbol, batch in ticks.items():
            self._cover(batch[-1].seq)
            outbox += [("ticks", [frame]) for frame in self._backlogs[symbol].publish(batch)]
        return outbox

    def _depth_changes(self, now_ns: int) -> Outbox:
        """The books that somebody follows and that have changed: the last state of each, once a turn."""
        changed = [
            symbol for symbol, number in self._depths.items() if self.market.composites[symbol].book.changes != number
        ]
        return [self._depth(symbol, now_ns) for symbol in changed]

    def _depth(self, symbol: str, now_ns: int) -> tuple[str, list[bytes]]:
        composite = self.market.composites[symbol]
        book, last = composite.book, composite.last
        self._depths[symbol] = book.changes
        told = StreamDepth(symbol, book.changes, now_ns, last.seq if last is not None else 0, book.depth())
        return "ticks", [codec.encode(told, topics.depth(symbol))]

    def _subscribed(self, subscription: bytes, now_ns: int) -> Outbox:
        """What a new subscriber (XPUB: a 1 and a topic prefix) gets at once: the last tick, the book as it is.

        Depth costs more than ticks: it is published for those alone who ask for it by a topic that begins so.
        """
        kind, asked = subscription[:1], subscription[1:]
        books = [symbol for symbol in self.market.composites if topics.depth(symbol).startswith(asked)]
        if asked.startswith(topics.DEPTH_PREFIX) and books:
            (self._depth_prefixes.discard if kind == b"\0" else self._depth_prefixes.add)(asked)
        else:
            books = []
        if kind == b"\0":
            followed = tuple(self._depth_prefixes)
            self._depths = {it: number for it, number in self._depths.items() if topics.depth(it).startswith(followed)}
        if kind != b"\1":
            return []
        snapshot: Outbox = [
            ("ticks", [codec.encode([it.last], topics.tick(symbol))])
            for symbol, it in self.market.composites.items()
            if it.last is not None and topics.tick(symbol).startswith(asked)
        ]
        if topics.LPS.startswith(asked):
            snapshot.append(("ticks", [self._lps.announcement()]))
        return snapshot + [self._depth(symbol, now_ns) for symbol in books]

    def _serve(self, asked: list[bytes], now_ns: int) -> Outbox:
        try:
            identity, frame = asked
            request = _decode_request(frame)
        except (ValueError, codec.BadFrame):
            self.bad_frames += 1
            return []
        return [("requests", [identity, codec.encode(Reply(request.request_id, self._answer(request.body, now_ns)))])]

    def _answer(self, query: object, now_ns: int) -> Pong | Ticks | DepthReport | Sources | Lps | Refusal:
        if isinstance(query, GetLps | LpChange):
            return self._lps.serve(query, now_ns)
        if isinstance(query, GetTicks):
            backlog = self._backlogs.get(query.symbol)
            return Ticks(query.symbol, backlog.after(query.after_seq) if backlog is not None else [])
        if not isinstance(query, GetDepth | GetSources):
            return Pong(ready=True, detail="", seq=0, counters=nonzero({"bad_frames": self.bad_frames}))
        composite = self.market.composites.get(query.symbol)
        if composite is None:
            return Refusal("UNKNOWN_SYMBOL", "there is no such symbol", "symbol")
        if isinstance(query, GetDepth):
            depth, quantity_e8 = composite.book.depth(), query.quantity_e8
            buy, sell = vwap(depth.asks, quantity_e8, buys=True), vwap(depth.bids, quantity_e8, buys=False)
            return DepthReport(query.symbol, depth, buy, sell)
        found = composite.evidence.behind(query.seq)
        if found is None:
            return Refusal("UNKNOWN_TICK", "what stood behind this tick is not kept any more", "seq")
        return Sources(*found)


def build(settings: Settings, endpoints: Endpoints, context: process.Context) -> process.Running:
    instruments, now_ns = catalogue.instruments(), process.clock_ns()
    known = Known(frozenset(instruments), discovery.names() | {FIX_ADAPTER})
    try:
        lps = open_desk(LpConfig(settings.lp_config), catalogue.lps(), known, now_ns)
    except (Damaged, Refused) as error:
        config.stop(f"the LP registry: {error}")
    mark = SequenceMark(settings.run_dir / "aggregator.seq", now_ns)
    return process.Running(
        Aggregator.start(instruments, lps, catalogue.pricings(), now_ns, first_seq=mark.first, cover=mark.cover),
        {
            "quotes": sockets.collector(context, endpoints.quotes),
            "ticks": sockets.snapshot_publisher(context, endpoints.ticks),
            "requests": sockets.router(context, endpoints.aggregator),
            "engine": sockets.dealer(context, endpoints.engine, only_connected=True),
        },
        INTERVAL_MS,
    )


if __name__ == "__main__":
    process.run("aggregator", build)
