"""OANDA v20's orders and transactions, without a socket: bodies to send, answers and transactions parsed.

Source: OANDA's v20 OpenAPI document, definitions MarketOrderRequest, LimitOrderRequest, Transaction and those that
extend it. Every order is known by `clientExtensions.id`; a transaction's `id` is the identity of an execution. The
transactions of an account are numbered upwards, and are the record of it: what an answer or a stream says is in there.
"""

from typing import Any

import msgspec

from actors.domain.money import CEILING, FLOOR, SCALE_DIGITS, NotExact, Rounding, div, format_e8, parse_e8
from gateway.venues.amount import amount_e8
from gateway.venues.execution import Said, SaidKind, VenueOrder, printable
from gateway.venues.timestamp import BadTime, parse_time_ns, rfc3339

CLIENT_ID_LIMIT_CHARACTERS = 128
TRANSACTION_ID_LIMIT_DIGITS = 19
REJECTS = ("MARKET_ORDER_REJECT", "LIMIT_ORDER_REJECT")
DUPLICATE = "CLIENT_ORDER_ID_ALREADY_EXISTS"
EXPIRED = "TIME_IN_FORCE_EXPIRED"
_LIMIT_TIMES = ("FOK", "IOC", "GTC", "GTD", "GFD")
_MARKET_TIMES = ("FOK", "IOC")


class BadOrder(ValueError):
    """OANDA cannot be sent this order; one sentence."""


class BadAnswer(ValueError):
    """OANDA's answer is not what its document says; one sentence."""


class Precision(msgspec.Struct, frozen=True):
    """Of an instrument: digits after the point (`displayPrecision`, `tradeUnitsPrecision`)."""

    price_digits: int
    units_digits: int


def _name(field: str) -> str:
    """As v20 spells it: client_order_id is clientOrderID."""
    first, *rest = field.split("_")
    return first + "".join(part.upper() if part in ("id", "vwap") else part.capitalize() for part in rest)


class _Extensions(msgspec.Struct, gc=False):
    id: str = ""


class Transaction(msgspec.Struct, gc=False, rename=_name):
    """What we read of any transaction; a field that a type does not have is empty."""

    id: str
    type: str
    time: str = ""
    order_id: str = ""
    client_order_id: str = ""
    client_extensions: _Extensions | None = None
    units: str = ""
    price: str = ""
    full_vwap: str = ""
    reason: str = ""
    reject_reason: str = ""

    @property
    def number(self) -> int:
        return transaction_number(self.id)

    @property
    def client_id(self) -> str:
        return self.client_order_id or (self.client_extensions.id if self.client_extensions else "")


class Placed(msgspec.Struct, gc=False, rename=_name):
    """The answer to `POST /orders`, 201 or 400."""

    order_create_transaction: Transaction | None = None
    order_fill_transaction: Transaction | None = None
    order_cancel_transaction: Transaction | None = None
    order_reject_transaction: Transaction | None = None
    error_message: str = ""

    def said(self) -> list[Said]:
        parts = (
            self.order_create_transaction,
            self.order_fill_transaction,
            self.order_cancel_transaction,
            self.order_reject_transaction,
        )
        return said_in([part for part in parts if part is not None])


class Transactions(msgspec.Struct, gc=False, rename=_name):
    """The answer to `GET /transactions/sinceid`."""

    last_transaction_id: str
    transactions: list[Transaction] = []


class OneTransaction(msgspec.Struct, gc=False, rename=_name):
    transaction: Transaction


class Order(msgspec.Struct, gc=False, rename=_name):
    id: str
    state: str
    filling_transaction_id: str = ""
    cancelling_transaction_id: str = ""


class OneOrder(msgspec.Struct, gc=False, rename=_name):
    """The answer to `GET /orders/@{clientID}`."""

    order: Order


class Streamed(msgspec.Struct, gc=False, rename=_name):
    """A line of `GET /transactions/stream`: a transaction, or a heartbeat with the number of the last one."""

    type: str
    id: str = ""
    last_transaction_id: str = ""


class _Side(msgspec.Struct, gc=False):
    units: str = "0"


class Position(msgspec.Struct, gc=False, rename=_name):
    instrument: str
    long: _Side = msgspec.field(default_factory=_Side)
    short: _Side = msgspec.field(default_factory=_Side)


class Positions(msgspec.Struct, gc=False, rename=_name):
    """The answer to `GET /openPositions`. Units of shorts are negative."""

    last_transaction_id: str
    positions: list[Position] = []

    def quantities_e8(self) -> dict[str, int]:
        """Raises `BadAnswer`."""
        try:
            return {it.instrument: parse_e8(it.long.units) + parse_e8(it.short.units) for it in self.positions}
        except NotExact as error:
            raise BadAnswer(str(error)) from None


class InstrumentPrecision(msgspec.Struct, gc=False, rename=_name):
    name: str
    display_precision: int
    trade_units_precision: int


class Instruments(msgspec.Struct, gc=False, rename=_name):
    """The answer to `GET /instruments`."""

    instruments: list[InstrumentPrecision]

    def precisions(self) -> dict[str, Precision]:
        return {it.name: Precision(it.display_precision, it.trade_units_precision) for it in self.instruments}


class Summary(msgspec.Struct, gc=False, rename=_name):
    """The answer to `GET /summary`."""

    last_transaction_id: str


def order_body(order: VenueOrder, precision: Precision) -> dict[str, Any]:
    """The body of `POST /orders`. Raises `BadOrder`.

    A price bound is rounded to the instrument's precision on the side that is better for us; a quantity or a limit
    with more precision than the instrument has is refused.
    """
    if not 0 < len(order.client_id) <= CLIENT_ID_LIMIT_CHARACTERS:
        raise BadOrder(f"a client id has 1 to {CLIENT_ID_LIMIT_CHARACTERS} characters")
    is_limit = order.limit_e8 > 0
    if order.time_in_force not in (_LIMIT_TIMES if is_limit else _MARKET_TIMES):
        raise BadOrder(f"OANDA has no {'limit' if is_limit else 'market'} order that is {order.time_in_force}")
    units = _decimal(order.quantity_e8, precision.units_digits, "quantity")
    body = {
        "type": "LIMIT" if is_limit else "MARKET",
        "instrument": order.instrument,
        "units": units if order.is_buy else f"-{units}",
        "timeInForce": order.time_in_force,
        # Of the clients' deals only the net position is held, as the engine counts what it has at a venue.
        "positionFill": "REDUCE_FIRST",
        "clientExtensions": {"id": order.client_id},
    }
    if is_limit:
        body["price"] = _decimal(order.limit_e8, precision.price_digits, "price")
        body["triggerCondition"] = "DEFAULT"
    elif order.bound_e8:
        bound_e8 = _within(order.bound_e8, precision.price_digits, FLOOR if order.is_buy else CEILING)
        body["priceBound"] = _decimal(bound_e8, precision.price_digits, "bound")
    if order.time_in_force == "GTD":
        body["gtdTime"] = rfc3339(order.expires_ns)
    return {"order": body}


def said_of(transaction: Transaction) -> Said | None:
    """What a transaction says of an order; None where it says nothing that changes one.

    A refused duplicate of a client id says nothing: the first order of that id may live. A fill that cannot be read
    is passed on without figures, so that a person hears of it, and is never skipped.
    """
    client_id, kind = transaction.client_id, _kind(transaction)
    if kind is None:
        return None
    if kind == "fill":
        return _fill(transaction, client_id or f"order {transaction.order_id}"[:CLIENT_ID_LIMIT_CHARACTERS])
    if not client_id:
        return None
    text = printable(transaction.reject_reason or transaction.reason)
    return Said(client_id, kind, transaction.id, text=text, time_ns=_time_ns(transaction))


def said_in(transactions: list[Transaction]) -> list[Said]:
    """In the order of the record, whatever the order given."""
    ordered = sorted(transactions, key=lambda it: it.number)
    return [said for transaction in ordered if (said := said_of(transaction)) is not None]


def transaction_number(text: str) -> int:
    """Raises `BadAnswer`."""
    if not (text.isascii() and text.isdigit() and len(text) <= TRANSACTION_ID_LIMIT_DIGITS):
        raise BadAnswer(f"{text[:40]!r} is not the id of a transaction")
    return int(text)


def _kind(transaction: Transaction) -> SaidKind | None:
    if transaction.type == "ORDER_FILL":
        return "fill"
    if transaction.type == "ORDER_CANCEL":
        return "expired" if transaction.reason == EXPIRED else "cancelled"
    if transaction.type in REJECTS:
        return None if transaction.reject_reason == DUPLICATE else "rejected"
    # A market order is filled or cancelled in the same batch: that it was taken says nothing more.
    return "accepted" if transaction.type == "LIMIT_ORDER" else None


def _fill(transaction: Transaction, client_id: str) -> Said:
    time_ns = _time_ns(transaction)
    try:
        quantity_e8 = amount_e8(transaction.units.removeprefix("-"))
        price_e8 = amount_e8(transaction.full_vwap or transaction.price)
    except NotExact as error:
        return Said(client_id, "fill", transaction.id, text=printable(str(error)), time_ns=time_ns)
    return Said(client_id, "fill", transaction.id, quantity_e8, price_e8, time_ns=time_ns)


def _time_ns(transaction: Transaction) -> int:
    try:
        return parse_time_ns(transaction.time)
    except BadTime:
        return 0


def _step_e8(digits: int) -> int:
    if not 0 <= digits <= SCALE_DIGITS:
        raise BadOrder(f"an instrument with {digits} digits after the point is not known here")
    return int(10 ** (SCALE_DIGITS - digits))


def _within(value_e8: int, digits: int, rounding: Rounding) -> int:
    step_e8 = _step_e8(digits)
    return div(value_e8, step_e8, rounding) * step_e8


def _decimal(value_e8: int, digits: int, what: str) -> str:
    if value_e8 <= 0:
        raise BadOrder(f"the {what} is not above zero")
    if value_e8 % _step_e8(digits):
        raise BadOrder(f"a {what} of {format_e8(value_e8)} has more than {digits} digits after the point")
    return format_e8(value_e8, digits)
