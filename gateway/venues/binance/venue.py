"""Binance as a venue.

Settings: `url`, the host of the streams (wss://stream.binance.com:9443); `rest_url`, that of the REST API
(https://api.binance.com), without which there is no list of instruments; `depth`, true for order books too, which need
`rest_url`. Prices are public: there is no secret.
"""

from collections.abc import Callable, Mapping, Sequence

from gateway.venues.binance.prices import BinancePrices
from gateway.venues.binance.rest import BinanceRest
from gateway.venues.binance.session import Terms
from gateway.venues.binance.stream import BinanceStream
from gateway.venues.binance.subscriptions import STREAMS_LIMIT
from gateway.venues.interface import BadSettings, Parser, Patience, Tap, VenueInstrument


class BinanceVenue:
    """The streams of one venue share its limit of connections and its limit of REST requests."""

    def __init__(self, url: str, rest_url: str | None, depth: bool, patience: Patience):
        self._rest = None if rest_url is None else BinanceRest(rest_url, patience)
        self._terms = Terms(url, patience, self._rest if depth else None)
        self.instruments_per_stream = STREAMS_LIMIT // 2 if depth else STREAMS_LIMIT

    def stream(self, instruments: Sequence[str], tap: Tap | None = None) -> BinanceStream:
        return BinanceStream(self._terms, instruments, tap)

    def parser(self) -> Parser:
        return BinancePrices().receive_message

    async def instruments(self) -> dict[str, VenueInstrument] | None:
        return await self._rest.instruments() if self._rest else None


def adapter(settings: Mapping[str, object], secret: Callable[[str], str], patience: Patience) -> BinanceVenue:
    url, rest_url, depth = settings.get("url"), settings.get("rest_url"), settings.get("depth", False)
    if not isinstance(url, str):
        raise BadSettings("Binance needs url, a text")
    if not (rest_url is None or isinstance(rest_url, str)):
        raise BadSettings("Binance's rest_url is a text")
    if not isinstance(depth, bool):
        raise BadSettings("Binance's depth is true or false")
    if depth and rest_url is None:
        raise BadSettings("Binance's depth needs rest_url beside it")
    return BinanceVenue(url, rest_url, depth, patience)
