"""What is fuzzed: for each parser a function of bytes, which raises where the parser does not keep its contract."""

from collections.abc import Callable
from contextlib import suppress

from actors.domain.money import LIMIT_E8
from gateway.venues.binance.prices import BinancePrices, snapshot_message
from gateway.venues.binance.subscriptions import notice
from gateway.venues.events import DETAIL_LIMIT_CHARS, VenueDepth, VenueEvent, VenueGarbage, VenueHeartbeat, VenueQuote
from gateway.venues.interface import ConnectionLost
from gateway.venues.oanda.candles import parse_candles
from gateway.venues.oanda.instruments import parse_instruments
from gateway.venues.oanda.orders import BadAnswer, Placed, Transactions, said_in
from gateway.venues.oanda.pricing import OandaPriceStream
from gateway.venues.oanda.rest import Answer
from gateway.venues.timestamp import BadTime, parse_time_ns, rfc3339
from tools.fuzz.fix import fix_framing, fix_session

MINUTES = 0, 3_600_000_000_000
"""The span that candles are asked for: the first hour of 1970."""
TIME_LIMIT_NS = 1 << 63


class Broken(AssertionError):
    """The contract is not kept; the text says how."""


def oanda_prices(data: bytes) -> None:
    """The first byte says where the rest is cut in two: what comes of it is the same."""
    body = data[1:]
    cut = data[0] if data else 0
    whole, parts = OandaPriceStream(), OandaPriceStream()
    events = whole.receive_data(body)
    _check(events)
    if parts.receive_data(body[:cut]) + parts.receive_data(body[cut:]) != events:
        raise Broken(f"cut at {cut} it gives other events")


def binance_prices(data: bytes) -> None:
    """Messages, a line each; one that begins with + is an order book's snapshot."""
    prices = BinancePrices()
    for message in data.split(b"\n"):
        is_snapshot = message.startswith(b"+")
        _check(prices.receive_message(snapshot_message("BTCUSDT", message[1:]) if is_snapshot else message))


def binance_notices(data: bytes) -> None:
    notice(data)


def oanda_answers(data: bytes) -> None:
    """A body of the REST API, taken for each of the answers that it may be."""
    answer = Answer(200, data)
    with suppress(ConnectionLost):
        parse_instruments(answer)
    with suppress(ConnectionLost):
        parse_candles(answer, "EUR_USD", *MINUTES)
    with suppress(ConnectionLost, BadAnswer):
        said_in(answer.read(Transactions).transactions)
    with suppress(ConnectionLost, BadAnswer):
        answer.read(Placed).said()


def timestamps(data: bytes) -> None:
    try:
        time_ns = parse_time_ns(data.decode("utf-8", "surrogateescape"))
    except BadTime:
        return
    if not 0 <= time_ns < TIME_LIMIT_NS or parse_time_ns(rfc3339(time_ns)) != time_ns:
        raise Broken(f"{time_ns} is not the same time when it is written and read again")


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        oanda_prices,
        oanda_answers,
        binance_prices,
        binance_notices,
        timestamps,
        fix_framing,
        fix_session,
    )
}


def _check(events: list[VenueEvent]) -> None:
    for event in events:
        match event:
            case VenueQuote():
                amounts = [event.bid_e8, event.ask_e8, event.bid_size_e8, event.ask_size_e8]
            case VenueDepth():
                amounts = [amount for level in (*event.bids, *event.asks) for amount in level]
                if event.bids and event.asks and event.bids[0][0] >= event.asks[0][0]:
                    raise Broken(f"a crossed book: {event}")
            case VenueHeartbeat():
                amounts = []
            case VenueGarbage(detail=detail):
                amounts = []
                if len(detail) > DETAIL_LIMIT_CHARS or not detail.isprintable():
                    raise Broken(f"not a detail that can be logged: {detail!r}")
        if not all(type(amount) is int and 0 <= amount < LIMIT_E8 for amount in amounts):
            raise Broken(f"an amount that is out of range: {event}")
