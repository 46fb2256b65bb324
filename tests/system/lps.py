"""Three simulated LPs on real sockets, in a thread, each behind a wire that can be cut: what the drill plays with."""

import asyncio
import threading
import time
from collections.abc import Collection, Coroutine, Iterator
from contextlib import AsyncExitStack
from typing import Any, Self

from actors.domain.prices.lp_registry import Lp
from actors.domain.quote import QuoteLimits
from tests.gateway.wires import Wire, server
from tools.venues.binance import BinanceVenue
from tools.venues.market import Market, Tick
from tools.venues.oanda import OandaVenue

ACCOUNT, TOKEN = "101-001-1000001-001", "token-of-the-drill"
SECRETS = {"LP_DRILL_ACCOUNT": ACCOUNT, "LP_DRILL_TOKEN": TOKEN}
INTERVAL_S = 0.05
SWING = 400
"""Prices climb by so many points, one each INTERVAL_S, and fall again."""
PRICES = {"EURUSD": (110_000, 5), "GBPUSD": (130_000, 5), "AUDUSD": (70_000, 5), "USDCHF": (90_000, 5)} | {
    "BTCUSD": (9_000_000, 2)
}
"""The lowest middle price in points, and the digits of a point."""
LIMITS = QuoteLimits(silence_ms=1_500, age_ms=1_000, good_quotes=3, hold_ms=1_500)
QUIET = "USDCHF"
"""Quoted by SECOND alone, and by it seldom."""


class StillMarket(Market):
    """Nothing moves by itself."""

    def modelled(self, symbols: Collection[str], second: bool) -> Iterator[Tick]:
        return iter(())


class SimulatedLp:
    """A venue, the wire to it, and what it has shown."""

    def __init__(self, name: str, venue: OandaVenue | BinanceVenue, symbols: dict[str, str], half_spread: int) -> None:
        self.name = name
        self.venue: Any = venue
        self.symbols = symbols
        self.wire = Wire(venue.listen("127.0.0.1", 0))
        self.port = 0
        self.shifts: dict[str, int] = {}
        """By symbol: how far the price is off the market, in percent."""
        self.shown_ns: dict[tuple[str, int], int] = {}
        """When a symbol's bid or ask (10^-8) was shown last."""
        self._half_spread = half_spread

    def show(self, symbol: str, points: int) -> None:
        base, digits = PRICES[symbol]
        middle = (base + points) * (100 + self.shifts.get(symbol, 0)) // 100
        now_ns = time.time_ns()
        sides = []
        for price in (middle - self._half_spread, middle + self._half_spread):
            self.shown_ns[symbol, price * 10 ** (8 - digits)] = now_ns
            sides.append(f"{price // 10**digits}.{price % 10**digits:0{digits}}")
        self.venue.show(self.symbols[symbol], *sides)


class Lps:
    """FIRST has the best price and the first rank; SECOND carries one instrument on a connection; COIN is a Binance."""

    def __init__(self) -> None:
        self.lps: dict[str, SimulatedLp] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._open = AsyncExitStack()
        self._market: asyncio.Task[None]

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self._begin())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __getitem__(self, name: str) -> SimulatedLp:
        return self.lps[name]

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(90)

    def cut(self, name: str) -> None:
        """Ends all connections to the LP."""

        async def drop() -> None:
            for subscriber in list(self.lps[name].venue.subscribers):
                subscriber.drop()

        self.run(drop())

    def quote_quietly(self) -> None:
        """QUIET anew: its price holds for a minute."""

        async def show() -> None:
            self.lps["SECOND"].show(QUIET, 0)

        self.run(show())

    def registry(self) -> dict[str, Lp]:
        """The LPs as they begin."""
        oanda: dict[str, str | int | bool] = {"account_env": "LP_DRILL_ACCOUNT", "token_env": "LP_DRILL_TOKEN"}
        first, second, coin = (f"127.0.0.1:{lp.port}" for lp in self.lps.values())
        made: list[tuple[str, dict[str, str | int | bool], QuoteLimits]] = [
            ("oanda", {"url": f"http://{first}", "api_url": f"http://{first}", **oanda}, LIMITS),
            ("narrow", {"url": f"http://{second}", "api_url": f"http://{second}", **oanda}, QuoteLimits()),
            ("binance", {"url": f"ws://{coin}"}, LIMITS),
        ]
        return {
            lp.name: Lp(lp.name, adapter, lp.symbols, True, rank, 100, 2_000, settings, limits)
            for rank, (lp, (adapter, settings, limits)) in enumerate(zip(self.lps.values(), made, strict=True))
        }

    async def _begin(self) -> None:
        still = StillMarket()
        oanda = [OandaVenue(still, ACCOUNT, TOKEN, heartbeat_interval_ms=200) for _ in range(2)]
        coin = BinanceVenue(still, lag_ms=0)
        first = {symbol: f"{symbol[:3]}_{symbol[3:]}" for symbol in ("EURUSD", "GBPUSD", "AUDUSD")}
        second = {symbol: f"{symbol[:3]}_{symbol[3:]}" for symbol in ("EURUSD", "GBPUSD", QUIET)}
        for lp in (
            SimulatedLp("FIRST", oanda[0], first, 3),
            SimulatedLp("SECOND", oanda[1], second, 6),
            SimulatedLp("COIN", coin, {"BTCUSD": "BTCUSDT", "EURUSD": "EURUSDT"}, 9),
        ):
            self.lps[lp.name] = lp
            self._open.push_async_callback(lp.venue.close)
            lp.port = await self._open.enter_async_context(server(lp.wire))
        self.lps["SECOND"].show(QUIET, 0)
        self._market = asyncio.create_task(self._move())

    async def _move(self) -> None:
        turn = 0
        while True:
            turn += 1
            for lp in self.lps.values():
                for symbol in lp.symbols:
                    if symbol != QUIET:
                        lp.show(symbol, abs(turn % (2 * SWING) - SWING))
            await asyncio.sleep(INTERVAL_S)

    async def _end(self) -> None:
        self._market.cancel()
        await asyncio.gather(self._market, return_exceptions=True)
        await self._open.aclose()
