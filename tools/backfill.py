"""Fills gaps in the history with an LP's minutes: `python -m tools.backfill --from 2026-01-19T00:00:00Z [SYMBOL…]`.

Only trading minutes that have no bar are asked for and filled; what our own ticks made is never touched. It may be run
again at any time, also beside a broker that runs. The LP's adapter must be able to give candles, as OANDA's is.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import NamedTuple

from actors import process
from actors.domain.instrument import Instrument
from actors.domain.prices.bar import MINUTE_NS, Bar
from actors.domain.prices.lp_registry import Lp
from actors.quoting.lp_address import SimulatedVenue, venue_of
from actors.store import database
from actors.store.gaps import Gaps, Span
from actors.store.lp_config import Damaged, LpConfig
from config import catalogue
from config import settings as config
from config.settings import Settings
from gateway.venues.interface import BadSettings, ConnectionLost
from gateway.venues.oanda.candles import PAGE_LIMIT_CANDLES, Candle
from gateway.venues.oanda.venue import OandaVenue
from gateway.venues.timestamp import BadTime, parse_time_ns
from tools import progress

DAY_NS = 24 * 60 * MINUTE_NS
SPAN_LIMIT_NS = 366 * DAY_NS


class Unfillable(Exception):
    """Why nothing can be filled; one sentence."""


class Filled(NamedTuple):
    """What came of it, in minutes: found to be missing, filled, and left out because they cannot be right."""

    asked: int
    filled: int
    dropped: int


async def backfill(
    venue: OandaVenue,
    gaps: Gaps,
    wanted: Mapping[str, tuple[Instrument, str]],
    span: Span,
    tell: Callable[[int, int], None],
) -> Filled:
    """`wanted`: by our symbol, the instrument and the LP's name for it. `tell` hears of minutes asked for and all.

    Raises `ConnectionLost`, `DatabaseAway` and `DatabaseRefused`; what was filled before stays.
    """
    asked = [
        (symbol, part)
        for symbol, (instrument, _) in wanted.items()
        for part in gaps.missing(symbol, *span, instrument.sessions, PAGE_LIMIT_CANDLES)
    ]
    whole = sum(end_ns - start_ns for _, (start_ns, end_ns) in asked) // MINUTE_NS
    done = filled = dropped = 0
    for symbol, (start_ns, end_ns) in asked:
        async with aclosing(venue.candles(wanted[symbol][1], start_ns, end_ns)) as pages:
            async for page in pages:
                filled += gaps.fill([bar_of(symbol, candle) for candle in page.candles if candle.complete])
                dropped += page.dropped
        done += (end_ns - start_ns) // MINUTE_NS
        tell(done, whole)
    return Filled(whole, filled, dropped)


def bar_of(symbol: str, candle: Candle) -> Bar:
    bid, ask = candle.bid, candle.ask
    sides = (bid.open_e8, bid.high_e8, bid.low_e8, bid.close_e8, ask.open_e8, ask.high_e8, ask.low_e8, ask.close_e8)
    return Bar(symbol, candle.start_ns, *sides, candle.prices)


def lp_named(name: str, settings: Settings) -> Lp:
    """As the registry has it, or before its first start the configuration; raises `Unfillable`."""
    try:
        registry = LpConfig(settings.lp_config).load()
    except Damaged as error:
        raise Unfillable(str(error)) from None
    lps = catalogue.lps() if registry is None else registry.lps
    if name not in lps:
        raise Unfillable(f"there is no LP {name}; there are {', '.join(lps)}")
    return lps[name]


def venue_that_has_candles(lp: Lp, settings: Settings) -> OandaVenue:
    """Raises `Unfillable`, `BadSettings` and `ConnectionLost`."""
    venue = venue_of(lp, settings)
    if isinstance(venue, SimulatedVenue):
        venue = venue.found()
    if not isinstance(venue, OandaVenue):
        raise Unfillable(f"the LP {lp.name} has no candles to give")
    return venue


def wanted_of(lp: Lp, symbols: Collection[str]) -> dict[str, tuple[Instrument, str]]:
    """Raises `Unfillable` for a symbol that the LP, or the catalogue, does not have."""
    instruments = catalogue.instruments()
    for symbol in symbols:
        if symbol not in instruments or symbol not in lp.symbols:
            raise Unfillable(f"the LP {lp.name} has no {symbol}")
    return {
        symbol: (instruments[symbol], theirs)
        for symbol, theirs in lp.symbols.items()
        if symbol in instruments and (not symbols or symbol in symbols)
    }


def span_of(start: str, end: str | None, now_ns: int) -> Span:
    """Whole minutes, none that is not over; raises `Unfillable`."""
    try:
        start_ns = parse_time_ns(start)
        end_ns = min(now_ns if end is None else parse_time_ns(end), now_ns)
    except BadTime as error:
        raise Unfillable(str(error)) from None
    end_ns -= end_ns % MINUTE_NS
    if not start_ns < end_ns <= start_ns + SPAN_LIMIT_NS:
        raise Unfillable("the time must have a beginning before its end, and be at most 366 days")
    return start_ns, end_ns


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.backfill", description="Fills gaps with an LP's minutes.")
    parser.add_argument("symbols", nargs="*", metavar="SYMBOL", type=str.upper, help="all of the LP's without one")
    parser.add_argument("--from", dest="start", required=True, metavar="TIME", help="RFC 3339, 2026-01-19T00:00:00Z")
    parser.add_argument("--to", dest="end", metavar="TIME", help="up to the last whole minute without it")
    parser.add_argument("--lp", default="OANDA", help="the name of the LP, in the registry")
    options = parser.parse_args(argv)
    settings = config.load()
    shown = progress.Bar("backfill")
    try:
        span = span_of(options.start, options.end, process.clock_ns())
        lp = lp_named(options.lp, settings)
        wanted = wanted_of(lp, options.symbols)
        venue = venue_that_has_candles(lp, settings)
        given = settings.database_url.get_secret_value() if settings.database_url else None
        gaps = Gaps(database.database_url(settings.run_dir, given))
        try:
            found = asyncio.run(backfill(venue, gaps, wanted, span, shown.show))
        finally:
            gaps.close()
    except (Unfillable, BadSettings, ConnectionLost, database.DatabaseAway, database.DatabaseRefused) as fault:
        shown.clear()
        print(f"backfill: {fault}", file=sys.stderr)
        return 1
    shown.clear()
    print(f"{found.filled:,} minutes filled; {found.asked:,} asked for, {found.dropped:,} unusable")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
