"""OANDA's minutes, to fill a gap with: `GET /instruments/{instrument}/candles`, granularity M1, bid and ask.

Source: OANDA's v20 OpenAPI document, the definitions Candlestick and CandlestickData; at most 5000 candles an answer.
Minutes without a price have no candle.
"""

from collections.abc import AsyncGenerator, Iterator
from urllib.parse import quote

import msgspec

from actors.domain.money import NotExact
from gateway.venues.amount import amount_e8
from gateway.venues.interface import MALFORMED, refusal
from gateway.venues.oanda.client import Client
from gateway.venues.oanda.rest import Answer, Request, Unanswered
from gateway.venues.timestamp import BadTime, parse_time_ns, rfc3339

GRANULARITY = "M1"
MINUTE_NS = 60_000_000_000
PAGE_LIMIT_CANDLES = 5_000


class Prices(msgspec.Struct, frozen=True, gc=False):
    """On the 10^-8 scale, above 0, neither open nor close outside low to high."""

    open_e8: int
    high_e8: int
    low_e8: int
    close_e8: int


class Candle(msgspec.Struct, frozen=True, gc=False):
    """One minute; `prices` is how many there were. An incomplete one is still going on."""

    start_ns: int
    bid: Prices
    ask: Prices
    prices: int
    complete: bool


class Page(msgspec.Struct, frozen=True):
    """Candles in the order of time, and how many were left out because they cannot be right."""

    candles: list[Candle]
    dropped: int


class _Side(msgspec.Struct, rename={"open": "o", "high": "h", "low": "l", "close": "c"}):
    open: str
    high: str
    low: str
    close: str


class _Candlestick(msgspec.Struct):
    time: str
    bid: _Side
    ask: _Side
    volume: int
    complete: bool


class _Answered(msgspec.Struct):
    instrument: str
    granularity: str
    candles: list[msgspec.Raw]


def candles_request(instrument: str, start_ns: int, end_ns: int) -> Request:
    """The minutes from `start_ns` up to but without `end_ns`, both whole minutes; not more than PAGE_LIMIT_CANDLES."""
    times = {"from": rfc3339(start_ns), "to": rfc3339(end_ns)}
    path = f"/instruments/{quote(instrument, safe='')}/candles"
    return Request("GET", path, {"price": "BA", "granularity": GRANULARITY, **times})


def pages(start_ns: int, end_ns: int) -> Iterator[tuple[int, int]]:
    """The span in pieces of at most PAGE_LIMIT_CANDLES minutes."""
    step_ns = PAGE_LIMIT_CANDLES * MINUTE_NS
    for page_ns in range(start_ns, end_ns, step_ns):
        yield page_ns, min(page_ns + step_ns, end_ns)


def parse_candles(answer: Answer, instrument: str, start_ns: int, end_ns: int) -> Page:
    """Raises `Unanswered` where the whole is not what was asked for; a single bad candle is left out and counted.

    One outside the span is left out and not counted: OANDA may give the one that lasts at `end_ns`.
    """
    said = answer.read(_Answered)
    if (said.instrument, said.granularity) != (instrument, GRANULARITY) or len(said.candles) > PAGE_LIMIT_CANDLES + 1:
        raise Unanswered("candles that were not asked for")
    candles: list[Candle] = []
    dropped = 0
    for raw in said.candles:
        try:
            candle = _candle(msgspec.json.decode(raw, type=_Candlestick))
        except (*MALFORMED, NotExact, BadTime):
            dropped += 1
            continue
        if not start_ns <= candle.start_ns < end_ns:
            continue
        if candles and candle.start_ns <= candles[-1].start_ns:
            dropped += 1
            continue
        candles.append(candle)
    return Page(candles, dropped)


async def fetch_candles(client: Client, instrument: str, start_ns: int, end_ns: int) -> AsyncGenerator[Page, None]:
    """Page by page. Raises `ConnectionLost`; what was given before it is good."""
    for page_start_ns, page_end_ns in pages(start_ns, end_ns):
        answer = await client.ask(candles_request(instrument, page_start_ns, page_end_ns))
        if not answer.is_success:
            raise refusal(answer.status)
        yield parse_candles(answer, instrument, page_start_ns, page_end_ns)


def _candle(said: _Candlestick) -> Candle:
    start_ns, bid, ask = parse_time_ns(said.time), _prices(said.bid), _prices(said.ask)
    if start_ns % MINUTE_NS or not 0 <= said.volume < 2**31 or bid.open_e8 > ask.open_e8 or bid.close_e8 > ask.close_e8:
        raise NotExact("no minute, or crossed")
    return Candle(start_ns, bid, ask, said.volume, said.complete)


def _prices(side: _Side) -> Prices:
    opened, high, low, closed = (amount_e8(text) for text in (side.open, side.high, side.low, side.close))
    if not 0 < low <= min(opened, closed) <= max(opened, closed) <= high:
        raise NotExact("prices outside of their own range")
    return Prices(opened, high, low, closed)
