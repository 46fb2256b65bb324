"""OANDA v20's pricing stream, without a socket: requests to send, lines parsed.

Source: OANDA's v20 OpenAPI document, `GET /accounts/{accountID}/pricing/stream` with the definitions ClientPrice,
PriceBucket and PricingHeartbeat. The body is one JSON object a line; heartbeats come every 5 seconds.
"""

from collections.abc import Sequence

import msgspec

from actors.domain.money import LIMIT_E8, SCALE, NotExact
from gateway.venues.amount import INSTRUMENT_LIMIT_CHARS, amount_e8
from gateway.venues.events import Reason, VenueEvent, VenueHeartbeat, VenueQuote, garbage
from gateway.venues.interface import MALFORMED
from gateway.venues.oanda.rest import Request, csv
from gateway.venues.timestamp import BadTime, parse_time_ns

LINE_LIMIT_BYTES = 65_536
HEARTBEAT_INTERVAL_MS = 5_000


class _Bucket(msgspec.Struct, gc=False):
    price: str
    liquidity: int | str = 0


class _Price(msgspec.Struct, tag="PRICE", tag_field="type"):
    instrument: str
    time: str
    bids: list[_Bucket] = []
    asks: list[_Bucket] = []
    tradeable: bool = True
    status: str = "tradeable"


class _Heartbeat(msgspec.Struct, tag="HEARTBEAT", tag_field="type", gc=False):
    time: str


_KNOWN_TYPES = ("PRICE", "HEARTBEAT")


class _BadPiece(Exception):
    def __init__(self, reason: Reason, detail: str):
        super().__init__(detail)
        self.reason: Reason = reason


class OandaPriceStream:
    """The parser of one connection's body: bytes in, cut anywhere; events out, in the order of their lines.

    Nothing is ever raised: a line that is not understood comes out as `VenueGarbage`. A line of more than
    LINE_LIMIT_BYTES is dropped up to its end and comes out once, as `too_long`.
    """

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(_Price | _Heartbeat).decode
        self._partial = bytearray()
        self._dropping = False

    def receive_data(self, data: bytes) -> list[VenueEvent]:
        events: list[VenueEvent] = []
        *ends, rest = data.split(b"\n")
        for end in ends:
            line = end
            if self._partial:
                self._partial += end
                line = bytes(self._partial)
                self._partial.clear()
            if self._dropping:
                self._dropping = False
            elif len(line) > LINE_LIMIT_BYTES:
                events.append(garbage("too_long", line))
            elif line and not line.isspace():
                events.append(self._event(line))
        if not self._dropping:
            self._partial += rest
            if len(self._partial) > LINE_LIMIT_BYTES:
                events.append(garbage("too_long", bytes(self._partial)))
                self._partial.clear()
                self._dropping = True
        return events

    def _event(self, line: bytes) -> VenueEvent:
        try:
            message = self._decode(line)
            if isinstance(message, _Price):
                return _quote(message)
            return VenueHeartbeat(parse_time_ns(message.time), HEARTBEAT_INTERVAL_MS)
        except _BadPiece as error:
            return garbage(error.reason, str(error))
        except BadTime as error:
            return garbage("bad_time", str(error))
        except NotExact as error:
            return garbage("bad_price", str(error))
        except MALFORMED:
            return garbage(_fault(line), line)


def _quote(price: _Price) -> VenueQuote:
    """The first bucket of each side. A price that is not tradeable has no open side: both come out as 0."""
    if not 0 < len(price.instrument) <= INSTRUMENT_LIMIT_CHARS:
        raise _BadPiece("bad_instrument", price.instrument)
    time_ns = parse_time_ns(price.time)
    bid_e8, bid_size_e8 = _top(price.bids)
    ask_e8, ask_size_e8 = _top(price.asks)
    if not price.tradeable or price.status != "tradeable":
        return VenueQuote(price.instrument, 0, 0, 0, 0, time_ns)
    return VenueQuote(price.instrument, bid_e8, ask_e8, bid_size_e8, ask_size_e8, time_ns)


def _top(buckets: list[_Bucket]) -> tuple[int, int]:
    if not buckets:
        return 0, 0
    top = buckets[0]
    return amount_e8(top.price), _size_e8(top.liquidity)


def _size_e8(liquidity: int | str) -> int:
    """`liquidity` is an integer of units in the document; decimal text is taken as well."""
    try:
        size_e8 = max(liquidity * SCALE, 0) if isinstance(liquidity, int) else amount_e8(liquidity)
    except NotExact as error:
        raise _BadPiece("bad_size", str(error)) from None
    if size_e8 >= LIMIT_E8:
        raise _BadPiece("bad_size", f"a liquidity of {liquidity} is too large")
    return size_e8


def _fault(line: bytes) -> Reason:
    """Why a line did not decode as what we know."""
    try:
        message = msgspec.json.decode(line)
    except MALFORMED:
        return "bad_json"
    known = isinstance(message, dict) and message.get("type") in _KNOWN_TYPES
    return "bad_fields" if known else "unknown_message"


def pricing_stream_request(instruments: Sequence[str]) -> Request:
    """For the prices of `instruments`, to the stream's host; raises ValueError where they cannot be asked for."""
    return Request("GET", "/accounts/{account}/pricing/stream", {"instruments": csv(instruments), "snapshot": "true"})
