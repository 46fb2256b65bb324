"""The desk's side of the prices: what can be traded, and the last tick of each."""

import asyncio
from collections.abc import Callable

import zmq

from actors.bus.answers import Instruments
from actors.bus.asking import Asker, Inlet
from actors.bus.prices import TOPICS, Prices
from actors.bus.requests import GetInstruments
from actors.clients.engine import ask_until
from actors.domain.quote import Tick

REPAIR_INTERVAL_S = 1.0


class PriceFeed:
    def __init__(self, engine: Asker, aggregator: Asker, ticks: zmq.Socket[bytes], clock_ns: Callable[[], int]) -> None:
        self.prices = Prices(clock_ns, self._on_ticks)
        self._engine = engine
        self._aggregator = aggregator
        self._socket = ticks
        self._inlet = Inlet(ticks, self.prices.receive)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._inlet.run())
            await self._learn_instruments()
            while True:
                await asyncio.sleep(REPAIR_INTERVAL_S)
                if self.prices.behind:
                    await self.prices.repair(self._aggregator)

    def _on_ticks(self, ticks: list[Tick]) -> None:
        """Clients are told in turns, of the last one."""

    async def _learn_instruments(self) -> None:
        """Later changes come as events."""
        answer = await ask_until(self._engine, GetInstruments(), Instruments)
        self.prices.define(*(answer.instruments if answer is not None else ()))
        for topic in TOPICS:
            self._socket.subscribe(topic)
        self._inlet.look_again()
