"""Plays captures back through the adapter that they were made with: `python -m tools.replay var/captures`.

Prints each quote (`--print`) and what there was, by instrument. Into a running broker a capture is played by an LP with
the adapter `playback` (docs/venues.md).
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from actors.domain.money import format_e8
from gateway import captures
from gateway.venues import discovery
from gateway.venues.events import VenueEvent, VenueGarbage, VenueQuote
from gateway.venues.interface import BadSettings, Parser


async def replay(paths: Sequence[Path], speed: float, shown: bool) -> Counter[str]:
    """Counts quotes by instrument, and garbage by reason. `speed` 0: as fast as it is read.

    Raises `BadCapture` and `BadSettings`.
    """
    parsers: dict[tuple[str, int], Parser] = {}
    counted: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    began_at, first_ns = loop.time(), 0
    for path in paths:
        header = captures.read_header(path)
        new_parser = discovery.parser_of(header.adapter, header.settings)
        for time_ns, connection, content in captures.read([path]):
            first_ns = first_ns or time_ns
            if speed:
                await asyncio.sleep(max((time_ns - first_ns) / 1e9 / speed - (loop.time() - began_at), 0))
            if not content:
                parsers.pop((header.lp, connection), None)
                continue
            parse = parsers.get((header.lp, connection)) or parsers.setdefault((header.lp, connection), new_parser())
            for event in parse(content):
                _count(event, counted)
                if shown and isinstance(event, VenueQuote):
                    print(line(time_ns, event), flush=bool(speed))
    return counted


def line(time_ns: int, quote: VenueQuote) -> str:
    time = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    bid, ask = (format_e8(price_e8, 5) for price_e8 in (quote.bid_e8, quote.ask_e8))
    return f"{time}.{time_ns % 1_000_000_000:09}Z {quote.instrument:<10} {bid:>14} {ask:>14}"


def _count(event: VenueEvent, counted: Counter[str]) -> None:
    if isinstance(event, VenueQuote):
        counted[event.instrument] += 1
    elif isinstance(event, VenueGarbage):
        counted[f"dropped: {event.reason}"] += 1


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.replay", description="Plays captures back.")
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILE_OR_FOLDER")
    parser.add_argument("--speed", type=float, default=0.0, help="times real time; 0: as fast as it is read")
    parser.add_argument("--print", action="store_true", dest="shown", help="each quote")
    options = parser.parse_args(argv)
    if options.speed < 0 or options.speed == float("inf"):
        parser.error("the speed is 0 or more")
    try:
        paths = [segment for path in options.paths for segment in captures.segments(path)]
        counted = asyncio.run(replay(paths, options.speed, options.shown))
    except (captures.BadCapture, BadSettings) as error:
        print(f"replay: {error}", file=sys.stderr)
        return 1
    for name, number in sorted(counted.items()):
        print(f"{number:>10} {name}")
    print(f"{counted.total():>10} in all")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
