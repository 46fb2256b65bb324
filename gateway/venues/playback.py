"""A capture as a venue: what an LP once sent, through the adapter that it was recorded with.

Settings: `path` (a segment, or a folder of them), `speed_percent` (100; 0 is as fast as it is read), `repeat` (true).
Times are moved so that what was sent then is sent now.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from gateway import captures
from gateway.venues import discovery
from gateway.venues.events import VenueDepth, VenueEvent, VenueHeartbeat, VenueQuote
from gateway.venues.interface import (
    BadSettings,
    ConnectionLost,
    Events,
    Parser,
    Patience,
    Tap,
    VenueInstrument,
)

SPEED_LIMIT_PERCENT = 100_000_000
TURN_S = 0.02
"""As fast as it is read, others have their turn so often."""


class PlaybackVenue:
    instruments_per_stream = 10_000

    def __init__(self, paths: Sequence[Path], parser: Callable[[], Parser], speed_percent: int, repeat: bool) -> None:
        self.paths = paths
        self.parser = parser
        self.speed_percent = speed_percent
        self.repeat = repeat

    def stream(self, instruments: Sequence[str], tap: Tap | None = None) -> "PlaybackStream":
        return PlaybackStream(self, instruments, tap)

    async def instruments(self) -> dict[str, VenueInstrument] | None:
        return None


class PlaybackStream:
    """Plays from the beginning each time it is opened, and where it is not repeated, once."""

    def __init__(self, venue: PlaybackVenue, instruments: Sequence[str], tap: Tap | None) -> None:
        self._venue = venue
        self._instruments = frozenset(instruments)
        self._tap = tap
        self._is_over = False

    async def change(self, instruments: Sequence[str]) -> bool:
        self._instruments = frozenset(instruments)
        return True

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Events]:
        if self._is_over:
            raise ConnectionLost("the recording is over", refused=True)
        if self._tap:
            self._tap(b"")
        yield self._events()

    async def _events(self) -> AsyncIterator[list[VenueEvent]]:
        loop = asyncio.get_running_loop()
        parsers: dict[int, Parser] = {}
        began_at, first_ns, turn_at = loop.time(), 0, loop.time()
        try:
            for piece in captures.read(self._venue.paths):
                first_ns = first_ns or piece.time_ns
                wait_s = self._due_s(piece.time_ns - first_ns) - (loop.time() - began_at)
                if wait_s > 0 or loop.time() - turn_at > TURN_S:
                    await asyncio.sleep(max(wait_s, 0))
                    turn_at = loop.time()
                if not piece.content:
                    parsers.pop(piece.connection, None)
                    continue
                if self._tap:
                    self._tap(piece.content)
                parse = parsers.get(piece.connection) or parsers.setdefault(piece.connection, self._venue.parser())
                shift_ns = time.time_ns() - piece.time_ns
                yield [moved(event, shift_ns) for event in parse(piece.content) if self._is_wanted(event)]
        except captures.BadCapture as error:
            raise ConnectionLost(str(error), refused=True) from None
        self._is_over = not self._venue.repeat

    def _due_s(self, recorded_ns: int) -> float:
        return recorded_ns / 1e9 * 100 / self._venue.speed_percent if self._venue.speed_percent else 0.0

    def _is_wanted(self, event: VenueEvent) -> bool:
        return not isinstance(event, VenueQuote | VenueDepth) or event.instrument in self._instruments


def moved(event: VenueEvent, shift_ns: int) -> VenueEvent:
    """The same, so much later. A heartbeat promises no other one: it may be played more slowly."""
    if isinstance(event, VenueHeartbeat):
        return VenueHeartbeat(event.time_ns + shift_ns)
    if isinstance(event, VenueQuote | VenueDepth) and event.time_ns:
        return msgspec.structs.replace(event, time_ns=event.time_ns + shift_ns)
    return event


def adapter(settings: Mapping[str, object], secret: Callable[[str], str], patience: Patience) -> PlaybackVenue:
    path, speed, repeat = settings.get("path"), settings.get("speed_percent", 100), settings.get("repeat", True)
    if not isinstance(path, str):
        raise BadSettings("a playback needs path, a text")
    if not (type(speed) is int and 0 <= speed <= SPEED_LIMIT_PERCENT) or not isinstance(repeat, bool):
        raise BadSettings(f"speed_percent is 0 to {SPEED_LIMIT_PERCENT}, repeat true or false")
    try:
        paths = captures.segments(Path(path))
        headers = [captures.read_header(each) for each in paths]
    except captures.BadCapture as error:
        raise BadSettings(str(error)) from None
    if len({header.lp for header in headers}) > 1:
        raise BadSettings(f"{path} holds captures of several LPs: name one's segments")
    recorded = discovery.parser_of(headers[0].adapter, headers[0].settings)
    return PlaybackVenue(paths, recorded, speed, repeat)
