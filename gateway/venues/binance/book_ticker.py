"""Binance's combined bookTicker streams, without a socket: the address to open, messages parsed.

Source: Binance's "WebSocket Streams" for spot: a combined stream's frames are `{"stream": name, "data": payload}`, the
payload of `<symbol>@bookTicker` is `{"u": update id, "s": symbol, "b": bid, "B": its size, "a": ask, "A": its size}`;
a request is answered by `{"result": …, "id": …}` or an error with `code` and `msg`. These frames carry no time.
"""

from collections.abc import Sequence

import msgspec

from actors.domain.money import NotExact
from gateway.venues.amount import INSTRUMENT_LIMIT_CHARS, amount_e8
from gateway.venues.events import VenueEvent, VenueQuote, garbage

MESSAGE_LIMIT_BYTES = 65_536
STREAMS_LIMIT = 1024
"""Binance's own limit for one connection."""
STREAM_SUFFIX = "@bookTicker"


class _BookTicker(msgspec.Struct, gc=False):
    u: int
    s: str
    b: str
    B: str
    a: str
    A: str


class _Frame(msgspec.Struct, gc=False):
    stream: str
    data: _BookTicker


class BinanceBookTickers:
    """The parser of one connection's messages: a text message in, events out.

    Nothing is ever raised: a message that is not understood comes out as `VenueGarbage`, one of another kind (depth,
    kline, trades) as `unknown_message`, an error reply as `refused`. A reply that accepts a request says nothing.
    """

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(_Frame).decode

    def receive_message(self, message: str | bytes) -> list[VenueEvent]:
        if len(message) > MESSAGE_LIMIT_BYTES:
            return [garbage("too_long", message)]
        try:
            frame = self._decode(message)
            book = frame.data
            if not frame.stream.endswith(STREAM_SUFFIX):
                return [garbage("unknown_message", message)]
            if not 0 < len(book.s) <= INSTRUMENT_LIMIT_CHARS:
                return [garbage("bad_instrument", book.s)]
            bid_e8, ask_e8 = amount_e8(book.b), amount_e8(book.a)
        except NotExact as error:
            return [garbage("bad_price", str(error))]
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return _other(message)
        try:
            return [VenueQuote(book.s, bid_e8, ask_e8, amount_e8(book.B), amount_e8(book.A), 0)]
        except NotExact as error:
            return [garbage("bad_size", str(error))]


def _other(message: str | bytes) -> list[VenueEvent]:
    """What a message is that is no bookTicker frame."""
    try:
        frame = msgspec.json.decode(message)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return [garbage("bad_json", message)]
    if not isinstance(frame, dict):
        return [garbage("unknown_message", message)]
    if "result" in frame and "id" in frame:
        return []
    if "error" in frame or ("code" in frame and "msg" in frame):
        return [garbage("refused", message)]
    name = frame.get("stream")
    known = isinstance(name, str) and name.endswith(STREAM_SUFFIX)
    return [garbage("bad_fields" if known else "unknown_message", message)]


def stream_url(base_url: str, instruments: Sequence[str]) -> str:
    """The address of the combined stream of `instruments`; raises ValueError where they cannot be subscribed to."""
    if not 0 < len(instruments) <= STREAMS_LIMIT:
        raise ValueError(f"Binance takes 1 to {STREAMS_LIMIT} streams on a connection, not {len(instruments)}")
    for name in instruments:
        if not (name.isascii() and name.isalnum()):
            raise ValueError(f"{name[:INSTRUMENT_LIMIT_CHARS]!r} is no Binance symbol")
    streams = "/".join(name.lower() + STREAM_SUFFIX for name in instruments)
    return f"{base_url.rstrip('/')}/stream?streams={streams}"
