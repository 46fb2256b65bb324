"""What the simulated LP answers when it is asked: orders, instruments, positions, executions, collateral."""

from collections.abc import Callable
from typing import ClassVar

import simplefix

from actors.domain.money import format_e8
from tools.venues.fix import reports
from tools.venues.fix.book import Book, Execution, Order
from tools.venues.fix.prices import Prices, Say
from tools.venues.fix.wire import Fields, text, texts, utc_timestamp

CURRENCY = "USD"
CASH_E8 = 10_000_000 * 100_000_000
"""What every account began with."""
MARGIN_PERCENT = 2
ALL_TRADES = "0"


class Inquiries:
    def __init__(self, book: Book, prices: Prices, say: Say, report_id: Callable[[], str]) -> None:
        self._book = book
        self._prices = prices
        self._say = say
        self._report_id = report_id

    def serve(self, msg_type: str, peer: str, message: simplefix.FixMessage, now_ns: int) -> bool:
        """Whether it is a question, and answered."""
        answer = self._answers.get(msg_type)
        if answer is not None:
            answer(self, peer, message, now_ns)
        return answer is not None

    def _status(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        order, now = self._book.named(text(message, 11)), utc_timestamp(now_ns)
        more = [(790, text(message, 790))] if text(message, 790) else []
        if order is None:
            unknown = reports.order_unknown(
                text(message, 11), text(message, 55), text(message, 54), now, self._report_id()
            )
            self._say(peer, "8", [*unknown, *more], now_ns)
            return
        for of, execution in self._book.executions():
            if of.order_id == order.order_id:  # Each execution again, with its ExecID: who has it knows it.
                again = reports.execution_report(order, f"E{execution.exec_id}", "F", now, execution=execution)
                self._say(order.peer, "8", again, now_ns)
        self._say(peer, "8", reports.execution_report(order, self._report_id(), "I", now, *more), now_ns)

    def _mass_status(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        request_id, now = text(message, 584), utc_timestamp(now_ns)
        found = [order for order in self._book.orders() if order.peer == peer and order.is_open]
        if not found:
            unknown = reports.order_unknown("NONE", "NONE", "1", now, self._report_id())
            self._say(peer, "8", [*unknown, (584, request_id), (911, "0"), (912, "Y")], now_ns)
        for count, order in enumerate(found, 1):
            more = ((584, request_id), (911, str(len(found))), (912, "Y" if count == len(found) else "N"))
            self._say(peer, "8", reports.execution_report(order, self._report_id(), "I", now, *more), now_ns)

    def _security_list(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        symbols = self._prices.symbols
        listed = [field for symbol in symbols for field in reports.listed(symbol)]
        head = [(320, text(message, 320)), (322, self._report_id()), (560, "0"), (393, str(len(symbols))), (893, "Y")]
        self._say(peer, "y", [*head, (146, str(len(symbols))), *listed], now_ns)

    def _positions(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        held = {symbol: (max(net_e8, 0), max(-net_e8, 0)) for symbol, (net_e8, _) in self._held().items() if net_e8}
        request_id, account = text(message, 710), text(message, 1, "SIM")
        result = "0" if held else "2"
        acknowledged = [
            *((721, self._report_id()), (710, request_id), (727, str(len(held))), (728, result), (729, "0")),
            *((453, "1"), (448, account), (447, "D"), (452, "13"), (1, account), (581, "1")),
        ]
        self._say(peer, "AO", acknowledged, now_ns)
        for report in reports.position_reports(request_id, held, account, utc_timestamp(now_ns)[:8]):
            self._say(peer, "AP", report, now_ns)

    def _trades(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        """Executions of an order or of a time, and after them what became of some."""
        request_id, order_name, times = text(message, 568), text(message, 11), texts(message, 60)
        begin, end = (times[0], times[-1]) if times else ("", "~")

        def is_asked(order: Order, execution: Execution) -> bool:
            is_named = text(message, 569) == ALL_TRADES or order_name in (order.cl_ord_id, order.orig_cl_ord_id)
            return is_named and begin <= execution.time <= end

        found: list[Fields] = [
            reports.trade_report(request_id, order, execution)
            for order, execution in self._book.executions()
            if is_asked(order, execution)
        ]
        for order, execution, amendment in self._book.amendments():
            if is_asked(order, execution):
                found.append(reports.amended_trade(request_id, order, execution, amendment))
        acknowledged = [
            *((568, request_id), (569, text(message, 569)), (748, str(len(found))), (749, "0")),
            *((750, "0" if found else "2"), (55, "[N/A]")),
        ]
        self._say(peer, "AQ", acknowledged, now_ns)
        for count, report in enumerate(found, 1):
            last = (912, "Y" if count == len(found) else "N")
            self._say(peer, "AE", [*report[:2], last, *report[2:]], now_ns)

    def _collateral(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        """Of what is quoted in the account's currency, at the middle of now."""
        profit_e8 = margin_e8 = 0
        for symbol, (net_e8, cost_e16) in self._held().items():
            price = self._prices.now.get(symbol)
            if price is not None and symbol.endswith(CURRENCY):
                middle_e8 = (price.dealt_e8("1") + price.dealt_e8("2")) // 2
                profit_e8 += (net_e8 * middle_e8 - cost_e16) // 10**8
                margin_e8 += abs(net_e8) * middle_e8 // 10**8 * MARGIN_PERCENT // 100
        value_e8 = CASH_E8 + profit_e8
        report = [
            *((908, self._report_id()), (909, text(message, 909)), (910, "3"), (911, "1"), (912, "Y")),
            *((1, text(message, 1, "SIM")), (15, CURRENCY)),
            *((899, format_e8(value_e8 - margin_e8)), (900, format_e8(value_e8)), (901, format_e8(CASH_E8))),
        ]
        self._say(peer, "BA", report, now_ns)

    def _held(self) -> dict[str, tuple[int, int]]:
        """By symbol: longs less shorts, and what they cost, on the 10^-16 scale."""
        held: dict[str, tuple[int, int]] = {}
        for order in self._book.orders():
            net_e8, cost_e16 = held.get(order.symbol, (0, 0))
            sign = 1 if order.side == "1" else -1
            held[order.symbol] = net_e8 + sign * order.filled_e8, cost_e16 + sign * int(order.cost)
        return held

    _answers: ClassVar[dict[str, Callable[["Inquiries", str, simplefix.FixMessage, int], None]]] = {
        "H": _status,
        "AF": _mass_status,
        "x": _security_list,
        "AN": _positions,
        "AD": _trades,
        "BB": _collateral,
    }
