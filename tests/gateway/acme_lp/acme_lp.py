"""An adapter for an LP of which Hedgerow knows nothing: lines `EURUSD 1.08450 1.08462` over TCP."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from gateway.venues.amount import amount_e8
from gateway.venues.events import VenueEvent, VenueQuote, garbage
from gateway.venues.interface import BadSettings, ConnectionLost, Events, Parser, Patience, Tap, VenueInstrument

LINE_LIMIT_BYTES = 1_000


class AcmeLines:
    """Bytes in, events out."""

    def __init__(self) -> None:
        self._partial = b""

    def receive_data(self, data: bytes) -> list[VenueEvent]:
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > LINE_LIMIT_BYTES:
            lines, self._partial = [*lines, self._partial], b""
        return [self._event(line) for line in lines]

    @staticmethod
    def _event(line: bytes) -> VenueEvent:
        try:
            name, bid, ask = line.decode("ascii").split(" ")
            return VenueQuote(name, amount_e8(bid), amount_e8(ask), 0, 0, 0)
        except ValueError:
            return garbage("bad_fields", line)


class AcmeVenue:
    instruments_per_stream = 50

    def __init__(self, host: str, port: int, token: str, patience: Patience) -> None:
        self.host = host
        self.port = port
        self.token = token
        self.patience = patience

    def stream(self, instruments: Sequence[str], tap: Tap | None = None) -> "AcmeStream":
        if any(not name.isalnum() for name in instruments):
            raise ValueError("Acme's names are letters and digits")
        return AcmeStream(self, instruments, tap)

    def parser(self) -> Parser:
        return AcmeLines().receive_data

    async def instruments(self) -> dict[str, VenueInstrument] | None:
        return None


class AcmeStream:
    def __init__(self, venue: AcmeVenue, instruments: Sequence[str], tap: Tap | None) -> None:
        self._venue = venue
        self._instruments = instruments
        self._tap = tap or (lambda _: None)

    async def change(self, instruments: Sequence[str]) -> bool:
        self._instruments = instruments
        return False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Events]:
        patience = self._venue.patience
        try:
            async with asyncio.timeout(patience.connect_timeout_ms / 1_000):
                reader, writer = await asyncio.open_connection(self._venue.host, self._venue.port)
        except (OSError, TimeoutError) as error:
            raise ConnectionLost(f"{type(error).__name__}: {error}") from None
        try:
            writer.write(f"{self._venue.token} {' '.join(self._instruments)}\n".encode())
            self._tap(b"")
            yield self._events(reader, patience.silence_timeout_ms / 1_000)
        finally:
            writer.close()

    async def _events(self, reader: asyncio.StreamReader, silence_s: float) -> AsyncIterator[list[VenueEvent]]:
        parse = self._venue.parser()
        while True:
            try:
                async with asyncio.timeout(silence_s):
                    data = await reader.read(65_536)
            except (OSError, TimeoutError) as error:
                raise ConnectionLost(f"{type(error).__name__}: {error}") from None
            if not data:
                return
            self._tap(data)
            yield parse(data)


def adapter(settings: Mapping[str, object], secret: Callable[[str], str], patience: Patience) -> AcmeVenue:
    host, port, token_env = settings.get("host"), settings.get("port"), settings.get("token_env")
    if not (isinstance(host, str) and isinstance(port, int) and isinstance(token_env, str)):
        raise BadSettings("Acme needs host, port and token_env")
    return AcmeVenue(host, port, secret(token_env), patience)
