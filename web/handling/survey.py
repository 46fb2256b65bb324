"""How the other processes are, asked over the bus."""

import asyncio
from collections.abc import Callable

from actors.bus.answers import Pong
from actors.bus.asking import Asker, Away, Declined, NoAnswer
from actors.bus.prices import Prices
from actors.bus.requests import Ping
from web.payloads.bodies import Component

PING_TIMEOUT_MS = 1_000


class Survey:
    """Pings everybody, once at a time: who asks while it runs gets the same answer, so asking often costs nothing."""

    def __init__(self, askers: tuple[Asker, ...], prices: Prices, clock_ns: Callable[[], int]) -> None:
        self._askers = askers
        self._prices = prices
        self._clock_ns = clock_ns
        self.counters: dict[str, dict[str, int]] = {}
        """What each process counts, as it told last."""
        self._running: asyncio.Task[dict[str, Component]] | None = None

    async def take(self) -> dict[str, Component]:
        """Every process by name, and the feeds."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._ask_all())
        return await asyncio.shield(self._running)

    async def _ask_all(self) -> dict[str, Component]:
        pongs = await asyncio.gather(*(self._ping(asker) for asker in self._askers))
        components = {asker.name: component for asker, component in zip(self._askers, pongs, strict=True)}
        components["feeds"] = self._feeds()
        return components

    def _feeds(self) -> Component:
        prices = self._prices
        if not prices.instruments:
            return Component(ready=False, detail="the instruments are not known yet")
        if not prices.is_alive(self._clock_ns()):
            return Component(ready=False, detail="the price stream is silent")
        if not any(feed.connected for feed in prices.feeds):
            return Component(ready=False, detail="no liquidity provider is connected")
        return Component(ready=True, detail="")

    async def _ping(self, asker: Asker) -> Component:
        try:
            pong = await asker.ask(Ping(), Pong, PING_TIMEOUT_MS)
        except Declined as error:
            return Component(ready=False, detail=error.refusal.detail)
        except (Away, NoAnswer) as error:
            return Component(ready=False, detail=str(error))
        self.counters[asker.name] = pong.counters
        return Component(ready=pong.ready, detail=pong.detail)
