"""Orders and questions about them: FIX 4.4 volume 4, 35=D, F, G, H and AF."""

from actors.domain.money import format_e8
from gateway.fix.codec import Field
from gateway.fix.times import utc_timestamp
from gateway.venues.execution import TimeInForce, VenueOrder

_TIMES_IN_FORCE: dict[TimeInForce, bytes] = {"GFD": b"0", "GTC": b"1", "IOC": b"3", "FOK": b"4", "GTD": b"6"}
_MARKET, _LIMIT = b"1", b"2"
_AUTOMATED = b"1"
_ALL_ORDERS = b"7"


def new_order(order: VenueOrder, now_ns: int, account: str = "", currency: str = "") -> list[Field]:
    """35=D. A market order that has a bound goes as a limit order at the bound: FIX has no other way to say it."""
    price_e8 = order.limit_e8 or order.bound_e8
    return [
        (11, order.client_id.encode()),
        *_optional(1, account),
        (21, _AUTOMATED),
        *_instrument(order),
        (60, utc_timestamp(now_ns)),
        *_terms(order, price_e8, currency),
        (59, _TIMES_IN_FORCE[order.time_in_force]),
        *([(126, utc_timestamp(order.expires_ns))] if order.expires_ns else []),
    ]


def replace(order: VenueOrder, replaces: str, now_ns: int, account: str = "", currency: str = "") -> list[Field]:
    """35=G: `order` in the place of the one with that client id. Its quantity counts what was filled before."""
    body = new_order(order, now_ns, account, currency)
    return [body[0], (41, replaces.encode()), *body[1:]]


def cancel(order: VenueOrder, client_id: str, now_ns: int, account: str = "") -> list[Field]:
    """35=F, under a client id of its own."""
    return [
        (41, order.client_id.encode()),
        (11, client_id.encode()),
        *_optional(1, account),
        *_instrument(order),
        (60, utc_timestamp(now_ns)),
        (38, format_e8(order.quantity_e8).encode()),
    ]


def status(client_id: str, instrument: str, is_buy: bool, account: str = "") -> list[Field]:
    """35=H. The answer is a 35=8 of ExecType I, or a refusal."""
    return [
        (11, client_id.encode()),
        *_optional(1, account),
        (55, instrument.encode()),
        (54, _side(is_buy)),
        (790, client_id.encode()),
    ]


def mass_status(request_id: str) -> list[Field]:
    """35=AF for all orders of ours that work."""
    return [(584, request_id.encode()), (585, _ALL_ORDERS)]


def _instrument(order: VenueOrder) -> list[Field]:
    return [(55, order.instrument.encode()), (54, _side(order.is_buy))]


def _terms(order: VenueOrder, price_e8: int, currency: str) -> list[Field]:
    return [
        (38, format_e8(order.quantity_e8).encode()),
        (40, _LIMIT if price_e8 else _MARKET),
        *([(44, format_e8(price_e8).encode())] if price_e8 else []),
        *_optional(15, currency),
    ]


def _side(is_buy: bool) -> bytes:
    return b"1" if is_buy else b"2"


def _optional(tag: int, value: str) -> list[Field]:
    return [(tag, value.encode())] if value else []
