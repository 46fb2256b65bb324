"""The price stream as a follower has it: the last tick of each symbol, what can be traded, how the feeds are."""

from collections import Counter
from collections.abc import Callable, Mapping

import msgspec

from actors.bus import topics
from actors.bus.answers import Ticks
from actors.bus.asking import Asker, Away, Declined, NoAnswer
from actors.bus.codec import BadFrame, decoder, topic_and_body
from actors.bus.requests import GetTicks
from actors.bus.streams import FeedStatus, StreamAlive, StreamDepth, StreamStatus
from actors.domain.group import Group
from actors.domain.instrument import Instrument, keep
from actors.domain.prices.lp_status import LpStatus
from actors.domain.quote import Tick
from actors.domain.risk.margin import crosses_of

SILENCE_LIMIT_NS = 3_000_000_000
"""A price stream that has not been heard of for longer is not alive, and no price is."""
REPAIR_TIMEOUT_MS = 1_000

TOPICS = (topics.TICK_PREFIX, topics.ALIVE, topics.STATUS)

_decode_ticks = decoder(list[Tick])
_decode_alive = decoder(StreamAlive)
_decode_status = decoder(StreamStatus)
_decode_depth = decoder(StreamDepth)


class Prices:
    """Takes the public stream in and tells `on_ticks` of the ticks that are news, batch by batch, in their order.

    `on_depth` gets books as they come.
    """

    def __init__(
        self,
        clock_ns: Callable[[], int],
        on_ticks: Callable[[list[Tick]], None],
        on_depth: Callable[[StreamDepth], None] = lambda _: None,
    ) -> None:
        self.instruments: dict[str, Instrument] = {}
        self.crosses: Mapping[tuple[str, str], tuple[str, bool]] = {}
        self.ticks: dict[str, Tick] = {}
        self.feeds: list[FeedStatus] = []
        """What a feed dropped, and what the aggregator dropped of its quotes, are counted together."""
        self.lps: tuple[LpStatus, ...] = ()
        self.behind: dict[str, int] = {}
        """Symbols of which ticks were lost on the way, and the number after which to ask for them."""
        self._version = 0
        self._seen: dict[str, tuple[int, Group, dict[str, Tick]]] = {}
        """By group, the ticks as it saw them in that version of them all."""
        self._hushed: dict[str, None] = {}
        """Symbols whose price was taken for dead here, while nobody could say what it is."""
        self.bad_frames = 0
        self.unknown_symbols = 0
        """Ticks of symbols that are not traded here."""
        self._alive_ns = 0
        self._clock_ns = clock_ns
        self._on_ticks = on_ticks
        self._on_depth = on_depth

    def define(self, *instruments: Instrument) -> None:
        """Adds instruments, or changes their terms. Ticks of others are not taken in."""
        for instrument in instruments:
            keep(self.instruments, instrument)
        self.crosses = crosses_of(self.instruments)
        for symbol in [it.symbol for it in instruments if not it.is_listed and it.symbol in self.ticks]:
            self.note(msgspec.structs.replace(self.ticks[symbol], live=False))

    def note(self, tick: Tick) -> None:
        """The last tick of its symbol from now on."""
        self.ticks[tick.symbol] = tick
        self._version += 1

    def seen(self, group: Group) -> Mapping[str, Tick]:
        """The last ticks as the group's clients see them; worked out once for all of them."""
        version, known, ticks = self._seen.get(group.name, (0, group, {}))
        if version != self._version or known is not group:
            ticks = {symbol: group.tick(tick) for symbol, tick in self.ticks.items()}
            self._seen[group.name] = (self._version, group, ticks)
        return ticks

    def is_alive(self, now_ns: int) -> bool:
        return now_ns - self._alive_ns <= SILENCE_LIMIT_NS

    def hush(self, now_ns: int) -> None:
        """Takes all prices for dead when the stream has been silent for too long; its return brings them back."""
        if self.is_alive(now_ns):
            return
        dead = [msgspec.structs.replace(tick, live=False) for tick in self.ticks.values() if tick.live]
        for tick in dead:
            self.note(tick)
            self._hushed[tick.symbol] = None
        if dead:
            self._on_ticks(dead)

    def receive(self, messages: list[list[bytes]]) -> None:
        """Messages of the aggregator's public stream, as they come from the socket."""
        ticks: list[Tick] = []
        for frames in messages:
            try:
                topic, body = topic_and_body(frames[0])
                if topic == topics.ALIVE:
                    self._on_alive(_decode_alive(body))
                elif topic == topics.STATUS:
                    self._on_status(_decode_status(body))
                elif topic.startswith(topics.DEPTH_PREFIX):
                    self._on_depth(_decode_depth(body))
                else:
                    ticks += [tick for tick in _decode_ticks(body) if self._is_news(tick)]
            except BadFrame:
                self.bad_frames += 1
        if ticks:
            self._on_ticks(ticks)

    async def repair(self, aggregator: Asker) -> None:
        """Asks for the last ticks of the symbols that are behind; what fails is tried again at the next heartbeat."""
        behind, self.behind = self.behind, {}
        for symbol, after_seq in behind.items():
            try:
                answer = await aggregator.ask(GetTicks(symbol, after_seq), Ticks, REPAIR_TIMEOUT_MS)
            except (Away, NoAnswer, Declined):
                continue
            ticks = [tick for tick in answer.ticks if self._is_news(tick)]
            if ticks:
                self._on_ticks(ticks)

    def _on_status(self, status: StreamStatus) -> None:
        dropped = {lp.venue: Counter(lp.dropped) for lp in status.lps}
        self.feeds = [
            msgspec.structs.replace(feed, dropped=dict(Counter(feed.dropped) + dropped.get(feed.venue, Counter())))
            for feed in status.feeds
        ]
        self.lps = status.lps

    def _on_alive(self, alive: StreamAlive) -> None:
        self._alive_ns = self._clock_ns()
        for symbol, seq in alive.last_seq.items():
            known = self.ticks.get(symbol)
            if known is None or symbol in self._hushed:
                if symbol in self.instruments:
                    self.behind[symbol] = seq - 1
            elif known.seq < seq:
                self.behind[symbol] = known.seq
        self._hushed.clear()

    def _is_news(self, tick: Tick) -> bool:
        """Whether it changes what is known; then it is known from now on. A tick may come twice, or late."""
        known = self.ticks.get(tick.symbol)
        if known is None:
            if tick.symbol not in self.instruments:
                self.unknown_symbols += 1
                return False
        elif tick.seq < known.seq or (tick.seq == known.seq and tick.live == known.live):
            return False
        self.note(tick)
        return True
