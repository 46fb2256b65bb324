"""Records what an LP sends, on connections of its own: `python -m tools.record OANDA`, until it is stopped.

The LP is that of the registry (config/lps.toml before the first start). Segments lie in captures/ of the run directory.
"""

import argparse
import asyncio
import random
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path

from actors import process
from actors.domain.prices.lp_registry import Lp
from actors.quoting.lp_address import venue_of
from actors.store.lp_config import Damaged, LpConfig
from config import catalogue
from config import settings as config
from config.settings import Settings
from gateway.captures import CaptureWriter, Header
from gateway.streams import LpStreams, Plan
from gateway.venues.events import VenueEvent
from gateway.venues.interface import BadSettings, Parser, Patience, Stream, Tap, Venue, VenueInstrument

MIB = 1_048_576


class TappedVenue:
    """A venue whose streams show what they get to a writer, each under a number of its own."""

    def __init__(self, venue: Venue, writer: CaptureWriter, clock_ns: Callable[[], int]) -> None:
        self._venue = venue
        self._writer = writer
        self._clock_ns = clock_ns
        self._numbers = count(1)
        self.instruments_per_stream = venue.instruments_per_stream

    def stream(self, instruments: Sequence[str], tap: Tap | None = None) -> Stream:
        number = next(self._numbers)
        return self._venue.stream(instruments, lambda content: self._writer.write(self._clock_ns(), number, content))

    def parser(self) -> Parser:
        return self._venue.parser()

    async def instruments(self) -> dict[str, VenueInstrument] | None:
        return await self._venue.instruments()


async def record(lp: Lp, venue: Venue, writer: CaptureWriter, stop: asyncio.Event) -> None:
    """Until `stop` is set; raises OSError where nothing can be written any more."""

    def on_events(stream: int, events: list[VenueEvent]) -> None:
        pass

    def on_state(stream: int, up: bool, detail: str) -> None:
        print(f"{lp.name} stream {stream}: {detail}", flush=True)

    def on_plan(plan: Plan, missing: Mapping[str, str]) -> None:
        for instrument, why in missing.items():
            print(f"{lp.name} {instrument}: {why}", flush=True)

    patience = Patience(silence_timeout_ms=lp.silence_timeout_ms)
    tapped = TappedVenue(venue, writer, process.clock_ns)
    streams = LpStreams(tapped, on_events, on_state, on_plan, patience, random.SystemRandom())
    streams.want(list(lp.symbols.values()))
    reading = asyncio.create_task(streams.run())
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([reading, stopping], return_when=asyncio.FIRST_COMPLETED)
    for task in (reading, stopping):
        task.cancel()
    await asyncio.gather(reading, stopping, return_exceptions=True)
    if reading in done:
        reading.result()


def known_lps(settings: Settings) -> dict[str, Lp]:
    """Raises Damaged."""
    registry = LpConfig(settings.lp_config).load()
    return catalogue.lps() if registry is None else registry.lps


async def _main(options: argparse.Namespace, settings: Settings) -> int:
    lps = known_lps(settings)
    lp = lps.get(options.lp.upper())
    if lp is None:
        print(f"record: there is no LP {options.lp}; there are {', '.join(lps)}", file=sys.stderr)
        return 2
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if options.seconds:
        asyncio.get_running_loop().call_later(options.seconds, stop.set)
    folder = options.folder or settings.run_dir / "captures"
    header = Header(lp.name, lp.adapter, lp.settings)
    writer = CaptureWriter(folder, header, options.segment_mib * MIB, options.total_mib * MIB)
    try:
        await record(lp, venue_of(lp, settings), writer, stop)
    finally:
        writer.close()
    print(f"{writer.pieces} pieces in {folder}")
    return 0


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.record", description="Records what an LP sends.")
    parser.add_argument("lp", metavar="LP")
    parser.add_argument("--folder", type=Path, help="instead of captures/ in the run directory")
    parser.add_argument("--segment-mib", type=_size, default=64, help="compressed size of a file")
    parser.add_argument("--total-mib", type=_size, default=1_024, help="of all files of the LP; the oldest are deleted")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long; without it until it is stopped")
    try:
        return asyncio.run(_main(parser.parse_args(argv), config.load()))
    except (BadSettings, Damaged, OSError, ExceptionGroup) as error:
        print(f"record: {error}", file=sys.stderr)
        return 1


def _size(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) <= MIB):
        raise argparse.ArgumentTypeError(f"{text} is not 1 to {MIB}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
