"""The simulated LP's application messages, out: fields in the order that FIX 4.4 gives them."""

from actors.domain.money import format_e8
from tools.venues import model
from tools.venues.fix.book import Amendment, Execution, Order
from tools.venues.fix.wire import Fields

SCALE = 100_000_000


def execution_report(
    order: Order, exec_id: str, exec_type: str, now: str, *more: tuple[int, str], execution: Execution | None = None
) -> Fields:
    """35=8. Last quantity and price are those of `execution`."""
    average_e8 = int(order.cost) // order.filled_e8 if order.filled_e8 else 0
    return [
        (37, str(order.order_id)),
        (11, order.cl_ord_id),
        *([(41, order.orig_cl_ord_id)] if order.orig_cl_ord_id else []),
        (17, exec_id),
        (150, exec_type),
        (39, order.status),
        (55, order.symbol),
        (54, order.side),
        (38, format_e8(order.quantity_e8)),
        (40, order.ord_type),
        *([(44, format_e8(order.price_e8))] if order.price_e8 else []),
        (59, order.time_in_force),
        *([(32, format_e8(execution.quantity_e8)), (31, format_e8(execution.price_e8))] if execution else []),
        (151, format_e8(order.left_e8)),
        (14, format_e8(order.filled_e8)),
        (6, format_e8(average_e8)),
        (60, now),
        *([(58, order.reason)] if order.reason else []),
        *more,
    ]


def order_unknown(cl_ord_id: str, symbol: str, side: str, now: str, exec_id: str) -> Fields:
    """35=8 that answers an inquiry for an order that never came (OrdRejReason 5)."""
    return [
        *((37, "NONE"), (11, cl_ord_id), (17, exec_id), (150, "I"), (39, "8"), (103, "5"), (55, symbol), (54, side)),
        *((38, "0"), (151, "0"), (14, "0"), (6, "0"), (60, now), (58, "unknown order")),
    ]


def cancel_reject(cl_ord_id: str, orig_cl_ord_id: str, order: Order | None, to: str, reason: str) -> Fields:
    """35=9. `to`: 1 the answer to a cancel, 2 to a replace. Unknown order is CxlRejReason 1, too late 0."""
    return [
        (37, str(order.order_id) if order else "NONE"),
        (11, cl_ord_id),
        (41, orig_cl_ord_id),
        (39, order.status if order else "8"),
        (434, to),
        (102, "0" if order else "1"),
        (58, reason),
    ]


def snapshot(request_id: str, symbol: str, bid: str, ask: str, size: str) -> Fields:
    """35=W, top of book."""
    sides = [(kind, price) for kind, price in (("0", bid), ("1", ask)) if price]
    entries = [field for kind, price in sides for field in ((269, kind), (270, price), (271, size))]
    return [(262, request_id), (55, symbol), (268, str(len(sides))), *entries]


def refresh(request_id: str, symbol: str, sides: list[tuple[str, str]], size: str) -> Fields:
    """35=X: the sides that have changed, ("0" bid or "1" offer, price)."""
    entries = [
        field
        for kind, price in sides
        for field in ((279, "1"), (269, kind), (278, f"{symbol}-{kind}"), (55, symbol), (270, price), (271, size))
    ]
    return [(262, request_id), (268, str(len(sides))), *entries]


def position_reports(request_id: str, symbols: dict[str, tuple[int, int]], account: str, day: str) -> list[Fields]:
    """35=AP for each symbol; long and short quantities."""
    return [
        [
            *((721, f"P{number}-{request_id}"), (710, request_id), (727, str(len(symbols))), (728, "0"), (715, day)),
            *((453, "1"), (448, account), (447, "D"), (452, "13"), (1, account), (581, "1"), (55, symbol)),
            *((730, "0"), (731, "1"), (734, "0"), (702, "1"), (703, "TQ")),
            *((704, format_e8(long_e8)), (705, format_e8(short_e8)), (753, "1"), (707, "FMTM"), (708, "0")),
        ]
        for number, (symbol, (long_e8, short_e8)) in enumerate(symbols.items(), 1)
    ]


def trade_report(request_id: str, order: Order, execution: Execution) -> Fields:
    """35=AE for one execution."""
    return [
        *((571, f"T{execution.exec_id}"), (568, request_id), (487, "0"), (570, "Y"), (17, f"E{execution.exec_id}")),
        *_dealt(order, execution, execution.price_e8),
    ]


def amended_trade(request_id: str, order: Order, execution: Execution, amendment: Amendment) -> Fields:
    """35=AE for an execution that was cancelled or corrected."""
    return [
        *((571, f"B{amendment.amendment_id}"), (568, request_id), (487, "1" if amendment.kind == "H" else "2")),
        *((572, f"T{execution.exec_id}"), (570, "Y"), (17, f"B{amendment.amendment_id}")),
        *_dealt(order, execution, amendment.price_e8 or execution.price_e8),
    ]


def amendment_report(order: Order, execution: Execution, amendment: Amendment, now: str) -> Fields:
    """35=8 of ExecType H, Trade Cancel, or G, Trade Correct: it names the execution (19)."""
    dealt = execution._replace(price_e8=amendment.price_e8 or execution.price_e8)
    more = (19, f"E{execution.exec_id}")
    return execution_report(order, f"B{amendment.amendment_id}", amendment.kind, now, more, execution=dealt)


def listed(symbol: str) -> Fields:
    """One instrument of a 35=y, its least quantity is its step; with MinPriceIncrement, as LPs send it in FIX 4.4."""
    least = "0.0001" if symbol.startswith(("BTC", "ETH")) else "1"
    step_e8 = 10 ** (8 - model.PAIRS[symbol.replace("/", "")].digits)
    return [(55, symbol), (561, least), (562, least), (969, format_e8(step_e8))]


def _dealt(order: Order, execution: Execution, price_e8: int) -> Fields:
    name = order.orig_cl_ord_id or order.cl_ord_id
    return [
        *((55, order.symbol), (32, format_e8(execution.quantity_e8)), (31, format_e8(price_e8))),
        *((75, execution.time[:8]), (60, execution.time)),
        *((552, "1"), (54, order.side), (37, str(order.order_id))),
        *([(11, name)] if name else []),
    ]
