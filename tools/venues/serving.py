"""The simulated LPs in one event loop."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from tools.venues.binance import BinanceVenue
from tools.venues.fix import FixVenue
from tools.venues.fix.book import Book
from tools.venues.fix.session import Login
from tools.venues.market import Market
from tools.venues.oanda import OandaVenue

FIX_CLIENTS = ("HEDGEROW-QUOTES", "HEDGEROW-ORDERS")
FIX_USERNAME = "hedgerow"
"""As in config/lp_sessions.toml."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Simulated LPs that are listening."""

    oanda: OandaVenue
    binance: BinanceVenue
    fix: FixVenue
    oanda_port: int
    binance_port: int
    fix_port: int

    async def failure(self) -> None:
        """Wait until a play breaks off, and raise why."""
        plays = (self.oanda.play, self.binance.play, self.fix.play)
        await asyncio.wait([play.failed for play in plays], return_when=asyncio.FIRST_COMPLETED)
        for play in plays:
            if play.failed.done():
                play.failed.result()

    async def close(self) -> None:
        await self.fix.close()
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
    fix_port: int = 0,
    fix_password: str = "",
    fix_folder: Path | None = None,
) -> Serving:
    """Start the LPs in the running event loop; a port of 0 is chosen by the system. OSError where one is taken."""
    oanda = OandaVenue(market, account, token, record=oanda_record)
    binance = BinanceVenue(market, lag_ms=binance_lag_ms)
    logins = {comp_id: Login(FIX_USERNAME, fix_password) for comp_id in FIX_CLIENTS}
    book = Book(fix_folder and fix_folder / "fix.sqlite")
    fix = FixVenue(market, logins, book=book, faults_file=fix_folder and fix_folder / "fix-faults")
    return Serving(
        oanda,
        binance,
        fix,
        oanda.listen(host, oanda_port),
        binance.listen(host, binance_port),
        fix.bind_and_serve(host, fix_port),
    )
