"""Binance's public REST addresses that prices need: order book snapshots and the list of instruments.

Source: Binance's "REST API" for spot: 6,000 of request weight a minute; 429 asks for a pause, and 418 is a ban, each
for the seconds that `Retry-After` says. `GET /api/v3/depth` with 500 levels weighs 25, `GET /api/v3/exchangeInfo` 20.
"""

import asyncio
import logging

import httpx
import msgspec

from actors.domain.money import NotExact, format_e8
from gateway.venues.amount import amount_e8
from gateway.venues.binance.depth import SNAPSHOT_LEVELS
from gateway.venues.interface import MALFORMED, ConnectionLost, Patience, VenueInstrument, is_here, refusal
from gateway.venues.pace import S_NS, Pace

REQUESTS_PER_SECOND, REQUESTS_BURST = 2, 2
"""With the heaviest request that is half of the weight that Binance allows to an address."""
WAIT_LIMIT_MS = 10_000
ANSWER_TIMEOUT_S = 30.0
"""For a whole answer: one that drips would keep all order books waiting."""
BODY_LIMIT_BYTES = 64 * 1024 * 1024
PAUSE_S, PAUSE_LIMIT_S = 60, 3 * 24 * 3600
"""After 429 and 418 where the answer does not say how long; and the longest ban that Binance has."""
PAUSING = (418, 429)

logging.getLogger("httpx").setLevel(logging.WARNING)


class _Filter(msgspec.Struct, gc=False, rename="camel"):
    filter_type: str
    tick_size: str = "0"
    step_size: str = "0"
    min_qty: str = "0"
    max_qty: str = "0"


class _Symbol(msgspec.Struct):
    symbol: str
    filters: list[_Filter]


class _ExchangeInfo(msgspec.Struct):
    symbols: list[_Symbol]


class BinanceRest:
    """The address `url`, asked no faster than Binance allows. Every method raises `ConnectionLost`."""

    def __init__(self, url: str, patience: Patience):
        self._url = url.rstrip("/")
        self._timeout = httpx.Timeout(patience.connect_timeout_ms / 1000)
        self._pace = Pace(REQUESTS_PER_SECOND, REQUESTS_BURST, WAIT_LIMIT_MS)

    async def snapshot(self, symbol: str) -> bytes:
        """The JSON of a symbol's order book, SNAPSHOT_LEVELS a side."""
        return await self._get("/api/v3/depth", {"symbol": symbol, "limit": str(SNAPSHOT_LEVELS)})

    async def instruments(self) -> dict[str, VenueInstrument]:
        body = await self._get("/api/v3/exchangeInfo", {})
        try:
            symbols = msgspec.json.decode(body, type=_ExchangeInfo).symbols
        except MALFORMED:
            raise ConnectionLost("the list of instruments is not understood") from None
        return {symbol.symbol: _instrument(symbol) for symbol in symbols}

    async def _get(self, path: str, params: dict[str, str]) -> bytes:
        wait_ns = self._pace.reserve(_now_ns())
        if wait_ns is None:
            raise ConnectionLost("Binance wants no requests for now, or too many are waiting", refused=True)
        await asyncio.sleep(wait_ns / S_NS)
        try:
            async with (
                asyncio.timeout(ANSWER_TIMEOUT_S),
                httpx.AsyncClient(timeout=self._timeout, trust_env=not is_here(self._url)) as client,
                client.stream("GET", self._url + path, params=params) as response,
            ):
                if response.status_code in PAUSING:
                    self._pace.hold(_now_ns() + _pause_s(response.headers.get("Retry-After", "")) * S_NS)
                if response.status_code != httpx.codes.OK:
                    raise refusal(response.status_code)
                return await _body(response)
        except TimeoutError:
            raise ConnectionLost(f"no whole answer within {ANSWER_TIMEOUT_S:g} s") from None
        except httpx.HTTPError as error:
            raise ConnectionLost(f"{type(error).__name__}: {error}") from None


async def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise ConnectionLost(f"an answer of more than {BODY_LIMIT_BYTES} bytes")
    return bytes(body)


def _pause_s(retry_after: str) -> int:
    plain = retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 9
    return min(max(int(retry_after), 1), PAUSE_LIMIT_S) if plain else PAUSE_S


def _now_ns() -> int:
    return int(asyncio.get_running_loop().time() * S_NS)


def _instrument(symbol: _Symbol) -> VenueInstrument:
    """What the filters PRICE_FILTER and LOT_SIZE say; None for what is no number or 0, which switches a rule off."""
    price = next((one for one in symbol.filters if one.filter_type == "PRICE_FILTER"), None)
    lot = next((one for one in symbol.filters if one.filter_type == "LOT_SIZE"), None)
    tick_e8 = _amount_or_none(price.tick_size) if price else None
    return VenueInstrument(
        symbol.symbol,
        price_digits=None if tick_e8 is None else len(format_e8(tick_e8).partition(".")[2]),
        quantity_min_e8=_amount_or_none(lot.min_qty) if lot else None,
        quantity_max_e8=_amount_or_none(lot.max_qty) if lot else None,
        price_step_e8=tick_e8,
        quantity_step_e8=_amount_or_none(lot.step_size) if lot else None,
    )


def _amount_or_none(text: str) -> int | None:
    try:
        return amount_e8(text) or None
    except NotExact:
        return None
