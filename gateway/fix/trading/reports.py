"""What clients are told of orders: ExecutionReport (8) and OrderCancelReject (9). Source: FIX 4.4 volume 4."""

from dataclasses import dataclass

from actors.domain.money import format_e8
from gateway.fix.codec import Field, Message
from gateway.fix.times import utc_timestamp
from gateway.fix.trading import vocabulary
from gateway.fix.trading.requests import Terms
from gateway.fix.trading.vocabulary import ORDER_TYPES, SIDES, TIMES_IN_FORCE

SIDE_OF = {word: value for value, word in SIDES.items()}
TYPE_OF = {word: value for value, word in ORDER_TYPES.items()}
TIME_IN_FORCE_OF = {word: value for value, word in TIMES_IN_FORCE.items()}
STATUS_OF = {
    "working": b"0",
    "triggered": b"0",
    "filled": b"2",
    "cancelled": b"4",
    "expired": b"C",
    "rejected": b"8",
}
"""OrdStatus (39); 1 where a part of what works is filled."""
IS_OVER = frozenset((b"2", b"4", b"8", b"C"))
NO_ORDER = b"NONE"
"""OrderID where there is no order."""
UNDISCLOSED = b"7"
"""Side of what has none."""
TEXT_LIMIT_BYTES = 400


class Exec:
    """ExecType (150)."""

    NEW = b"0"
    CANCELED = b"4"
    REPLACED = b"5"
    PENDING_CANCEL = b"6"
    REJECTED = b"8"
    PENDING_NEW = b"A"
    EXPIRED = b"C"
    RESTATED = b"D"
    PENDING_REPLACE = b"E"
    TRADE = b"F"
    STATUS = b"I"


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as it is; `status` is OrderStatus's word."""

    order_id: int
    account: int
    name: str
    """Its ClOrdID; empty where the broker made it."""
    terms: Terms
    status: str
    filled_e8: int
    average_price_e8: int
    position_id: int
    """The one that it closes, or that its last fill was of; 0 where there is none."""

    @property
    def ord_status(self) -> bytes:
        status = STATUS_OF[self.status]
        return b"1" if status == b"0" and self.filled_e8 else status


@dataclass(frozen=True, slots=True)
class FillView:
    fill_id: int
    price_e8: int
    quantity_e8: int
    position_id: int
    profit: str
    """Realised, in the account's currency."""
    commission: str
    currency: str
    time_ns: int


def execution_report(
    order: OrderView,
    exec_type: bytes,
    exec_id: bytes,
    time_ns: int,
    *,
    status: bytes = b"",
    original: str = "",
    fill: FillView | None = None,
    code: str = "",
    detail: str = "",
    more: tuple[Field, ...] = (),
) -> list[Field]:
    """The body of a report. `status` where it is not the order's own; `more` goes to the end."""
    terms = order.terms
    ord_status = status or order.ord_status
    leaves_e8 = 0 if ord_status in IS_OVER else terms.quantity_e8 - order.filled_e8
    fields = [(37, b"%d" % order.order_id if order.order_id else NO_ORDER)]
    if order.name:
        fields.append((11, _ascii(order.name)))
    if original:
        fields.append((41, _ascii(original)))
    fields += [
        (17, exec_id),
        (150, exec_type),
        (39, ord_status),
        (1, b"%d" % order.account),
        (55, _ascii(terms.symbol)),
    ]
    if exec_type == Exec.REJECTED:
        fields.append((103, b"%d" % vocabulary.order_reason(code)))
    elif exec_type == Exec.RESTATED:
        fields.append((378, b"99"))
    fields += [(54, SIDE_OF[terms.side]), (38, e8(terms.quantity_e8)), (40, TYPE_OF[terms.kind])]
    fields += order_fields(terms)
    if fill is not None:
        fields += [(32, e8(fill.quantity_e8)), (31, e8(fill.price_e8))]
    fields += [(151, e8(leaves_e8)), (14, e8(order.filled_e8)), (6, e8(order.average_price_e8))]
    fields.append((60, utc_timestamp(fill.time_ns if fill is not None else time_ns)))
    if fill is not None:
        fields += [(12, fill.commission.encode()), (13, b"3"), (479, fill.currency.encode())]
        fields.append((vocabulary.PROFIT, fill.profit.encode()))
    position_id = fill.position_id if fill is not None else order.position_id
    if position_id:
        fields.append((vocabulary.POSITION_ID, b"%d" % position_id))
    fields += sentence(code, detail)
    fields += more
    return fields


def no_order(
    message: Message,
    exec_type: bytes,
    exec_id: bytes,
    code: str,
    detail: str,
    time_ns: int,
    more: tuple[Field, ...] = (),
) -> list[Field]:
    """The report of an order that there is not, in the words of who asked for it or after it."""
    said = [(tag, value) for tag in (11, 1, 55, 38, 40) if (value := message.get(tag)) is not None]
    reason = [(103, b"%d" % vocabulary.order_reason(code))] if exec_type == Exec.REJECTED else []
    return [
        (37, NO_ORDER),
        (17, exec_id),
        (150, exec_type),
        (39, b"8"),
        *said,
        (54, message.get(54) or UNDISCLOSED),
        *reason,
        (151, b"0"),
        (14, b"0"),
        (6, b"0"),
        (60, utc_timestamp(time_ns)),
        *sentence(code, detail),
        *more,
    ]


def order_fields(terms: Terms) -> list[Field]:
    """What an order says beyond side, type and quantity."""
    fields = [(59, TIME_IN_FORCE_OF[terms.time_in_force])]
    prices = (
        (44, terms.limit_e8),
        (99, terms.stop_e8),
        (211, terms.trail_e8),
        (vocabulary.STOP_LOSS, terms.stop_loss_e8),
        (vocabulary.TAKE_PROFIT, terms.take_profit_e8),
        (vocabulary.TRAILING_STOP, terms.trailing_stop_e8),
        (vocabulary.PRICE_BOUND, terms.bound_e8),
    )
    fields += [(tag, e8(price_e8)) for tag, price_e8 in prices if price_e8]
    if terms.trail_e8:
        fields.append((18, vocabulary.TRAILING_STOP_PEG))
    if terms.expires_ns:
        fields.append((126, utc_timestamp(terms.expires_ns)))
    if terms.reduce_only:
        fields += [(77, vocabulary.CLOSES), (vocabulary.REDUCE_ONLY, b"Y")]
    if terms.oco:
        fields.append((vocabulary.OCO, _ascii(terms.oco)))
    return fields


def cancel_reject(
    name: str, original: str, order: OrderView | None, is_replace: bool, code: str, detail: str, time_ns: int
) -> list[Field]:
    """`order`: the one that is meant, None where there is none."""
    reason = vocabulary.cancel_reason(code)
    if order is not None and code == "UNKNOWN_ORDER":
        reason = vocabulary.TOO_LATE
    return [
        (37, b"%d" % order.order_id if order is not None else NO_ORDER),
        (11, _ascii(name)),
        (41, _ascii(original) or NO_ORDER),
        (39, order.ord_status if order is not None else b"8"),
        (60, utc_timestamp(time_ns)),
        (434, b"2" if is_replace else b"1"),
        (102, b"%d" % reason),
        *sentence(code, detail),
    ]


def sentence(code: str, detail: str) -> list[Field]:
    """Text (58): the code for a program, then the words for a person."""
    return [(58, _ascii(f"{code}: {detail}")[:TEXT_LIMIT_BYTES])] if code else []


def e8(value_e8: int) -> bytes:
    return format_e8(value_e8).encode()


def _ascii(written: str) -> bytes:
    return written.encode("ascii", "backslashreplace").replace(b"\x01", b" ")
