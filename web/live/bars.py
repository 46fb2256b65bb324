"""Bars that are not over, made of the ticks as they come, on what history and the aggregator have of before."""

import asyncio
from collections.abc import Callable, Iterable

import msgspec

from actors.bus.answers import Ticks
from actors.bus.asking import Asker, Away
from actors.bus.history_answers import Bars
from actors.bus.requests import GetBars, GetTickHistory, GetTicks
from actors.domain.prices.bar import MINUTE_NS, Bar, bar_of, join
from actors.domain.quote import Tick
from web.live.fanout import Client, Fanout
from web.live.requests import Timeframe
from web.live.watcher import Watcher
from web.payloads import messages
from web.payloads.render import Renderer

MINUTES = {
    Timeframe.M1: 1,
    Timeframe.M5: 5,
    Timeframe.M15: 15,
    Timeframe.M30: 30,
    Timeframe.H1: 60,
    Timeframe.H4: 240,
    Timeframe.D1: 1_440,
}
TIMEOUT_MS = 2_000
TRIES = 5
TICKS_LIMIT = 20_000
"""How many ticks of a symbol may come while its history is asked for."""

Key = tuple[str, Timeframe]
_encode = msgspec.json.Encoder().encode


class Span(msgspec.Struct, frozen=True):
    """The bar of now and the one before it, after tick `seq`."""

    bar: Bar
    before: Bar | None
    timeframe: Timeframe
    seq: int


class LiveBars:
    """Clients follow bars; `observe` takes the ticks in. A tick that is not live makes no bar."""

    def __init__(self, history: Asker, aggregator: Asker, render: Renderer) -> None:
        self.latest: dict[Key, Span] = {}
        self.fanout: Fanout[Key, Span, bool] = Fanout("bars", self.latest, self._render)
        """The view: whether it is the ask."""
        self._history = history
        self._aggregator = aggregator
        self._bar = render.bar
        self._followers: dict[Key, int] = {}
        self._arriving: dict[Key, list[Tick]] = {}
        """Ticks since a question for the history of before."""
        self._loading: dict[Key, asyncio.Lock] = {}

    async def join(
        self, client: Watcher, keys: list[Key], ask: bool, turns: int, acknowledge: Callable[[], None]
    ) -> None:
        """From now on the client is told of these, after `acknowledge()`; raises as Asker.ask does, and then not."""
        followed = self.fanout.wanted(client)
        claimed = [key for key in keys if key not in followed]
        for key in claimed:
            self._followers[key] = self._followers.get(key, 0) + 1
        is_followed = False
        try:
            for key in keys:
                await self._load(*key)
            if client.is_open:
                acknowledge()
                self.fanout.subscribe(client, keys, ask, turns)
                is_followed = True
        finally:
            if not is_followed:
                self._release(claimed)

    def unfollow(self, client: Client, keys: Iterable[Key]) -> None:
        followed = self.fanout.wanted(client)
        gone = [key for key in keys if key in followed]
        self.fanout.unsubscribe(client, gone)
        self._release(gone)

    def observe(self, ticks: list[Tick]) -> None:
        for tick in ticks if self._followers else ():
            for timeframe in Timeframe:
                key = (tick.symbol, timeframe)
                if key not in self._followers:
                    continue
                if key in self._arriving:
                    if len(self._arriving[key]) < TICKS_LIMIT:
                        self._arriving[key].append(tick)
                    continue
                known = self.latest.get(key)
                span = _after(known, tick, timeframe)
                if span is not None and span is not known:
                    self.latest[key] = span
                    self.fanout.observe([(key, span)])

    async def _load(self, symbol: str, timeframe: Timeframe) -> None:
        """Until the bar is known, if there is any."""
        key = (symbol, timeframe)
        async with self._loading.setdefault(key, asyncio.Lock()):
            if key in self.latest:
                return
            arriving = self._arriving[key] = []
            try:
                span = await self._before(symbol, timeframe)
            finally:
                del self._arriving[key]
            if len(arriving) >= TICKS_LIMIT:
                raise Away(f"too many ticks of {symbol} came in between")
            for tick in arriving:
                span = _after(span, tick, timeframe)
            if span is not None:
                self.latest[key] = span

    def _release(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._followers[key] -= 1
            if not self._followers[key]:
                del self._followers[key]
                self.latest.pop(key, None)
                self._loading.pop(key, None)

    async def _before(self, symbol: str, timeframe: Timeframe) -> Span | None:
        """As history has it, and with the ticks that have not come to history yet."""
        minutes = MINUTES[timeframe]
        for _ in range(TRIES):
            seq = await self._stored_seq(symbol)
            bars = (await self._history.ask(GetBars(symbol, minutes, 2, 0), Bars, TIMEOUT_MS)).bars
            if seq == await self._stored_seq(symbol):
                break
        else:
            raise Away(f"the history of {symbol} does not rest")
        span = Span(bars[-1], bars[-2] if len(bars) > 1 else None, timeframe, seq) if bars else None
        for tick in (await self._aggregator.ask(GetTicks(symbol, seq), Ticks, TIMEOUT_MS)).ticks:
            span = _after(span, tick, timeframe)
        return span

    async def _stored_seq(self, symbol: str) -> int:
        ticks = (await self._history.ask(GetTickHistory(symbol, 1, 0), Ticks, TIMEOUT_MS)).ticks
        return ticks[-1].seq if ticks else 0

    def _render(self, span: Span, ask: bool) -> bytes:
        bar = messages.LiveBar(
            symbol=span.bar.symbol,
            timeframe=span.timeframe.value,
            price="ask" if ask else "bid",
            bar=self._bar(span.bar, ask=ask),
            before=None if span.before is None else self._bar(span.before, ask=ask),
        )
        return _encode(bar)


def _after(span: Span | None, tick: Tick, timeframe: Timeframe) -> Span | None:
    """The span after a tick; the same where the tick is not live, or not newer than what is in it."""
    if not tick.live or (span is not None and tick.seq <= span.seq):
        return span
    bar = bar_of(tick, MINUTES[timeframe] * MINUTE_NS)
    if span is None:
        return Span(bar, None, timeframe, tick.seq)
    if bar.start_ns < span.bar.start_ns:
        return span
    if bar.start_ns > span.bar.start_ns:
        return Span(bar, span.bar, timeframe, tick.seq)
    return Span(join(span.bar, bar), span.before, timeframe, tick.seq)
