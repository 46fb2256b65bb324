"""One life of a stream: a living connection, its successor while there is one, and the parser that both share.

Binance ends each connection after 24 hours, and may announce an end with `serverShutdown`. Before that a second
connection is made and subscribed. Its messages are held back until the first has given out all that was sent before;
then it takes over, and what both have brought is told once, by the update ids. So no price is lost and none doubled.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field

from gateway.venues.binance.link import Link, Sink
from gateway.venues.binance.prices import DEPTH, BinancePrices, snapshot_message
from gateway.venues.binance.rest import BinanceRest
from gateway.venues.events import VenueEvent, garbage
from gateway.venues.interface import ConnectionLost, Patience, Tap

EVENTS_LIMIT = 65_536
"""So many may wait to be taken; then nothing more is read, until they are. Before `start` is done it is a loss."""
HELD_LIMIT_MESSAGES = 65_536
"""Of a successor that may not take over yet; with one more it is given up."""
RENEW_AFTER_S = 23 * 3600.0
RENEWAL_RETRY_S = 30.0
FLUSH_LIMIT_S = 5.0
SNAPSHOT_RETRY_S = 5.0
CONNECTIONS_LIMIT, CONNECTIONS_WINDOW_S = 290, 300.0
"""Binance allows an address 300 in 5 minutes."""


class Connections:
    """How often we have connected lately, over all streams."""

    def __init__(self) -> None:
        self._made_at: deque[float] = deque(maxlen=CONNECTIONS_LIMIT)

    def take(self, now_s: float) -> None:
        """Count one more; raises `ConnectionLost` where it would be too many."""
        if len(self._made_at) == CONNECTIONS_LIMIT and now_s - self._made_at[0] < CONNECTIONS_WINDOW_S:
            wait_s = self._made_at[0] + CONNECTIONS_WINDOW_S - now_s
            raise ConnectionLost(f"too many connections in {CONNECTIONS_WINDOW_S:.0f} s: wait {wait_s:.0f} s", True)
        self._made_at.append(now_s)


@dataclass(frozen=True, slots=True)
class Terms:
    """What all streams of one LP have in common. With `rest` order books are followed too."""

    url: str
    patience: Patience
    rest: BinanceRest | None = None
    renew_after_s: float = RENEW_AFTER_S
    connections: Connections = field(default_factory=Connections)


class Session:
    """Between `start` and `close`; `take` gives what came."""

    def __init__(self, terms: Terms, wanted: frozenset[str], tap: Tap | None):
        self._terms = terms
        self._wanted = wanted
        self._tap = tap
        self._prices = BinancePrices()
        self._events: list[VenueEvent] = []
        self._filled, self._emptied, self._snapshots_due = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._lost: Exception | None = None
        self._live: Link | None = None
        self._successor: Link | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect, and have the subscriptions verified. Raises `ConnectionLost`."""
        if self._tap:
            self._tap(b"")
        self._live = await self._connect(self._receive)
        await self._live.want(self._wanted)
        await self._live.settled()
        self._tasks.append(asyncio.create_task(self._until_lost(self._live)))
        if self._terms.rest:
            self._tasks.append(asyncio.create_task(self._fetch_snapshots(self._terms.rest)))

    async def take(self) -> list[VenueEvent]:
        """Wait for events and take all of them. When the last has been taken, raises `ConnectionLost`, or what the tap
        raised."""
        while not self._events:
            if self._lost:
                raise self._lost
            self._filled.clear()
            await self._filled.wait()
        taken, self._events = self._events, []
        self._emptied.set()
        return taken

    async def change(self, wanted: frozenset[str]) -> None:
        """Subscribe and unsubscribe on the living connection, or with the first. Raises `ConnectionLost`."""
        self._wanted = wanted
        for link in (self._live, self._successor):
            if link:
                await link.want(wanted)
        while link := self._live:
            try:
                return await link.settled()
            except ConnectionLost:
                if link is self._live:
                    raise

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for link in (self._live, self._successor):
            if link:
                await link.close()

    async def _connect(self, sink: Sink) -> Link:
        terms = self._terms
        terms.connections.take(asyncio.get_running_loop().time())
        return await Link.open(f"{terms.url.rstrip('/')}/stream", terms.patience, self._wanted, sink)

    def _receive(self, message: bytes) -> Awaitable[None] | None:
        if self._tap:
            self._tap(message)
        self._tell(self._prices.receive_message(message))
        if self._prices.snapshots_wanted:
            self._snapshots_due.set()
        if len(self._events) <= EVENTS_LIMIT:
            return None
        if not self._tasks:
            raise ConnectionLost(f"more than {EVENTS_LIMIT} events before the subscriptions were verified")
        return self._room()

    def _tell(self, events: list[VenueEvent]) -> None:
        self._events += events
        self._filled.set()

    async def _room(self) -> None:
        self._emptied.clear()
        await self._emptied.wait()

    async def _until_lost(self, live: Link) -> None:
        try:
            self._lost = await self._keep(live)
        except OSError as error:
            self._lost = error
        self._filled.set()

    async def _keep(self, live: Link) -> Exception:
        """Replace the living connection before it ends, as often as need be; until one is lost, and why."""
        while not live.lost.done():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._terms.renew_after_s):
                    await live.ending.wait()
            while not live.lost.done():
                try:
                    live = await self._replaced(live)
                    break
                except ConnectionLost as error:
                    self._tell([garbage("renewal_failed", str(error))])
                    await asyncio.wait({live.lost}, timeout=RENEWAL_RETRY_S)
        return live.lost.result()

    async def _replaced(self, live: Link) -> Link:
        """The successor, which has taken over. Raises `ConnectionLost` where there is none."""
        held: list[bytes] = []

        def hold(message: bytes) -> None:
            if len(held) == HELD_LIMIT_MESSAGES:
                raise ConnectionLost(f"{HELD_LIMIT_MESSAGES} messages are held back: the old connection is too slow")
            held.append(message)

        successor = self._successor = await self._connect(hold)
        try:
            await successor.want(self._wanted)
            await successor.settled()
            with suppress(ConnectionLost, TimeoutError):  # It ended by itself, or hangs: there is nothing to wait for.
                async with asyncio.timeout(FLUSH_LIMIT_S):
                    await live.flushed()
            if successor.lost.done():
                raise successor.lost.result()
        except ConnectionLost:
            self._successor = None
            await successor.close()
            raise
        self._live, self._successor = successor, None
        self._prices.take_over()
        successor.sink = self._receive
        for message in held:
            self._receive(message)
        await live.close()
        return successor

    async def _fetch_snapshots(self, rest: BinanceRest) -> None:
        """One after another, for the order books that have none, in the order in which they asked."""
        wanted = self._prices.snapshots_wanted
        while True:
            await self._snapshots_due.wait()
            self._snapshots_due.clear()
            while wanted:
                symbol = next(iter(wanted))
                del wanted[symbol]
                if symbol.lower() + DEPTH not in self._wanted:
                    continue
                try:
                    self._receive(snapshot_message(symbol, await rest.snapshot(symbol)))
                except ConnectionLost as error:
                    self._tell([garbage("snapshot_failed", f"{symbol}: {error}")])
                    wanted[symbol] = None
                    await asyncio.sleep(SNAPSHOT_RETRY_S)
