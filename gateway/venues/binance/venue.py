"""Binance as a venue. Settings: `url`, the stream's host."""

from collections.abc import Callable, Mapping, Sequence

from gateway.venues.binance.book_ticker import STREAMS_LIMIT, BinanceBookTickers
from gateway.venues.binance.stream import BinanceStream
from gateway.venues.interface import BadSettings, Parser, Patience, Tap, VenueInstrument


class BinanceVenue:
    instruments_per_stream = STREAMS_LIMIT

    def __init__(self, url: str, patience: Patience):
        self._url = url
        self._patience = patience

    def stream(self, instruments: Sequence[str], tap: Tap | None = None) -> BinanceStream:
        return BinanceStream(self._url, instruments, self._patience, tap)

    def parser(self) -> Parser:
        return BinanceBookTickers().receive_message

    async def instruments(self) -> dict[str, VenueInstrument] | None:
        return None


def adapter(settings: Mapping[str, object], secret: Callable[[str], str], patience: Patience) -> BinanceVenue:
    url = settings.get("url")
    if not isinstance(url, str):
        raise BadSettings("Binance needs url, a text")
    return BinanceVenue(url, patience)
