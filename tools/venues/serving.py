"""Both simulated LPs in one event loop."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from tools.venues.binance import BinanceVenue
from tools.venues.market import Market
from tools.venues.oanda import OandaVenue


@dataclass(frozen=True, slots=True)
class Serving:
    """Two simulated LPs that are listening."""

    oanda: OandaVenue
    binance: BinanceVenue
    oanda_port: int
    binance_port: int

    async def failure(self) -> None:
        """Wait until a play breaks off, and raise why."""
        await asyncio.wait([self.oanda.play.failed, self.binance.play.failed], return_when=asyncio.FIRST_COMPLETED)
        for play in (self.oanda.play, self.binance.play):
            if play.failed.done():
                play.failed.result()

    async def close(self) -> None:
        await self.binance.close()
        await self.oanda.close()


def serve(
    market: Market,
    host: str,
    oanda_port: int,
    binance_port: int,
    account: str,
    token: str,
    binance_lag_ms: int,
    oanda_record: Path | None = None,
) -> Serving:
    """Start both LPs in the running event loop; a port of 0 is chosen by the system. OSError where one is taken."""
    oanda = OandaVenue(market, account, token, record=oanda_record)
    binance = BinanceVenue(market, lag_ms=binance_lag_ms)
    return Serving(oanda, binance, oanda.listen(host, oanda_port), binance.listen(host, binance_port))
