"""The simulated LP's dealing: what it answers to each application message, and what its prices set off."""

from collections.abc import Callable
from random import Random
from typing import ClassVar

import simplefix

from actors.domain.money import NotExact, parse_e8
from tools.venues.fix import reports
from tools.venues.fix.book import Book, Execution, Order
from tools.venues.fix.faults import Faults
from tools.venues.fix.session import Session
from tools.venues.fix.wire import Fields, text, texts, utc_timestamp

SIZE = "1000000"
REQUESTS_LIMIT = 200
IMMEDIATE_OR_CANCEL, FILL_OR_KILL = "3", "4"
QUANTITY_LIMIT_E8 = 100_000_000 * 100_000_000
Later = Callable[[int, Callable[[int], None]], None]


class Price:
    def __init__(self, bid: str, ask: str) -> None:
        self.bid, self.ask = bid, ask
        self.point_e8 = 10 ** (8 - len(ask.partition(".")[2]))

    def dealt_e8(self, side: str) -> int:
        return parse_e8(self.ask if side == "1" else self.bid)


class Desk:
    """`say` sends a message to a peer, `later` calls back with the time after so many ms, `cut` ends a connection."""

    def __init__(
        self,
        book: Book,
        symbols: tuple[str, ...],
        faults: Faults,
        chance: Random,
        say: Callable[[str, str, Fields, int], None],
        later: Later,
        cut: Callable[[str], None],
    ) -> None:
        self.prices: dict[str, Price] = {}
        self.symbols = symbols
        self._book = book
        self._faults = faults
        self._chance = chance
        self._say = say
        self._later = later
        self._cut = cut
        self._watched: dict[tuple[str, str], tuple[tuple[str, ...], bool]] = {}
        """By peer and MDReqID: its symbols, and whether it wants increments."""
        self._reports = 0

    def forget(self, peer: str) -> None:
        """The peer's connection is gone, and its subscriptions with it."""
        for key in [key for key in self._watched if key[0] == peer]:
            del self._watched[key]

    def receive(self, session: Session, message: simplefix.FixMessage, now_ns: int) -> None:
        serve = self._serve.get(text(message, 35))
        if serve is None:
            fields = [(45, text(message, 34)), (372, text(message, 35)), (380, "3"), (58, "this type is not served")]
            self._say(session.peer, "j", fields, now_ns)
            return
        serve(self, session.peer, message, now_ns)

    def show(self, symbol: str, bid: str, ask: str, now_ns: int) -> None:
        """A new price: to those who watch it, and to the orders that wait for it."""
        before, self.prices[symbol] = self.prices.get(symbol), Price(bid, ask)
        for (peer, request_id), (symbols, increments) in list(self._watched.items()):
            if symbol not in symbols:
                continue
            if increments and before:
                changed = [("0", bid)] * (bid != before.bid) + [("1", ask)] * (ask != before.ask)
                if changed:
                    self._say(peer, "X", reports.refresh(request_id, symbol, changed, SIZE), now_ns)
            else:
                self._say(peer, "W", reports.snapshot(request_id, symbol, bid, ask, SIZE), now_ns)
        for order in self._book.resting(symbol):
            if self._is_touched(order):
                self._fill(order.order_id, now_ns)

    def finish(self, now_ns: int) -> None:
        """Deals with what was taken by the process before this one, which ended too soon."""
        for order_id in self._book.unfinished():
            self._deal(order_id, False, now_ns)

    def _market_data(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        request_id, symbols = text(message, 262), tuple(texts(message, 55))
        if text(message, 263) == "2":
            self._watched.pop((peer, request_id), None)
            return
        unknown = [symbol for symbol in symbols if symbol not in self.symbols]
        if unknown or not symbols:
            detail = f"there is no symbol {unknown[0]}" if unknown else "no symbol is asked for"
            self._say(peer, "Y", [(262, request_id), (281, "0"), (58, detail)], now_ns)
            return
        if (peer, request_id) in self._watched or len(self._watched) >= REQUESTS_LIMIT:
            self._say(peer, "Y", [(262, request_id), (281, "1"), (58, "the MDReqID is in use")], now_ns)
            return
        if text(message, 263) == "1":
            self._watched[peer, request_id] = symbols, text(message, 265) == "1"
        for symbol in symbols:
            if price := self.prices.get(symbol):
                self._say(peer, "W", reports.snapshot(request_id, symbol, price.bid, price.ask, SIZE), now_ns)

    def _new_order(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        if self._faults.use("lost_orders"):
            self._cut(peer)
            return
        cl_ord_id = text(message, 11)
        known = self._book.named(cl_ord_id)
        if known is not None:
            # FIX 4.4 volume 4, appendix D, F.1.b: the refusal of the second carries the status of the first.
            more = ((103, "6"), (58, "the ClOrdID has been used"))
            self._say(peer, "8", reports.execution_report(known, self._report_id(), "8", _at(now_ns), *more), now_ns)
            return
        order, flaw = self._taken(peer, message)
        silent, cut = self._faults.use("silent_orders"), self._faults.use("cut_orders")
        if flaw:
            order = self._book.change(order.order_id, status="8", reason=flaw)
        if not silent:
            self._report(order, "8" if flaw else "0", now_ns)
        if not flaw:
            self._later(self._faults.hold_ms, lambda then_ns: self._deal(order.order_id, silent, then_ns))
        if cut:
            self._cut(peer)

    def _taken(self, peer: str, message: simplefix.FixMessage) -> tuple[Order, str]:
        flaw = ""
        quantity_e8 = price_e8 = 0
        try:
            quantity_e8 = parse_e8(text(message, 38))
            price_e8 = parse_e8(text(message, 44)) if text(message, 40) == "2" else 0
        except NotExact as error:
            flaw = str(error)
        if text(message, 55) not in self.symbols:
            flaw = "unknown symbol"
        elif not 0 < quantity_e8 <= QUANTITY_LIMIT_E8 or text(message, 54) not in ("1", "2"):
            flaw = flaw or "the quantity or the side is wrong"
        elif text(message, 40) not in ("1", "2"):
            flaw = "market and limit orders only"
        elif self._draws(self._faults.reject_permille):
            flaw = "last look: the price has moved"
        order = self._book.new_order(
            peer=peer,
            cl_ord_id=text(message, 11),
            symbol=text(message, 55),
            side=text(message, 54),
            ord_type=text(message, 40),
            time_in_force=text(message, 59, "0"),
            quantity_e8=quantity_e8,
            price_e8=price_e8,
            status="0",
        )
        return order, flaw

    def _deal(self, order_id: int, silent: bool, now_ns: int) -> None:
        """The hold is over."""
        order = self._book.order(order_id)
        if not order.is_open:
            return
        if order.symbol in self.prices and (order.ord_type == "1" or self._is_touched(order)):
            self._fill(order_id, now_ns, silent)
        elif order.ord_type == "1" or order.time_in_force in (IMMEDIATE_OR_CANCEL, FILL_OR_KILL):
            order = self._book.change(order_id, status="4", reason="no price that will do")
            self._report(order, "4", now_ns, silent=silent)

    def _fill(self, order_id: int, now_ns: int, silent: bool = False) -> None:
        order = self._book.order(order_id)
        price = self.prices[order.symbol]
        worse_e8 = self._faults.slip_points * price.point_e8 * (order.ord_type == "1")
        price_e8 = price.dealt_e8(order.side) + (worse_e8 if order.side == "1" else -worse_e8)
        may_part = not order.filled_e8 and order.time_in_force != FILL_OR_KILL
        part_e8 = order.left_e8 // 2 if may_part and self._draws(self._faults.partial_permille) else 0
        order, execution = self._book.fill(order, part_e8 or order.left_e8, price_e8, _at(now_ns))
        for _ in range(1 + self._faults.use("duplicate_executions")):
            self._report(order, "F", now_ns, f"E{execution.exec_id}", silent, execution)
        if part_e8:
            self._later(self._faults.hold_ms, lambda then_ns: self._rest(order_id, silent, then_ns))

    def _rest(self, order_id: int, silent: bool, now_ns: int) -> None:
        order = self._book.order(order_id)
        if not order.is_open:
            return
        if order.ord_type == "1" or self._is_touched(order):
            self._fill(order_id, now_ns, silent)
        elif order.time_in_force == IMMEDIATE_OR_CANCEL:
            order = self._book.change(order_id, status="4", reason="the price has gone")
            self._report(order, "4", now_ns, silent=silent)

    def _cancel(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        order = self._book.named(text(message, 41))
        if order is None or not order.is_open:
            reason = "too late to cancel" if order else "unknown order"
            rejection = reports.cancel_reject(text(message, 11), text(message, 41), order, "1", reason)
            self._say(peer, "9", rejection, now_ns)
            return
        order = self._book.change(
            order.order_id, status="4", cl_ord_id=text(message, 11), orig_cl_ord_id=order.cl_ord_id
        )
        self._report(order, "4", now_ns)

    def _replace(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        order = self._book.named(text(message, 41))
        try:
            quantity_e8 = parse_e8(text(message, 38))
            price_e8 = parse_e8(text(message, 44)) if text(message, 40) == "2" else 0
        except NotExact:
            quantity_e8 = price_e8 = 0
        if order is None or not order.is_open or quantity_e8 <= order.filled_e8:
            rejection = reports.cancel_reject(text(message, 11), text(message, 41), order, "2", "it cannot be replaced")
            self._say(peer, "9", rejection, now_ns)
            return
        order = self._book.change(
            order.order_id,
            cl_ord_id=text(message, 11),
            orig_cl_ord_id=order.cl_ord_id,
            quantity_e8=quantity_e8,
            price_e8=price_e8,
        )
        self._report(order, "5", now_ns)
        self._later(0, lambda then_ns: self._rest(order.order_id, False, then_ns))

    def _status(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        order = self._book.named(text(message, 11))
        more = [(790, text(message, 790))] if text(message, 790) else []
        if order is None:
            unknown = reports.order_unknown(
                text(message, 11), text(message, 55), text(message, 54), _at(now_ns), self._report_id()
            )
            self._say(peer, "8", [*unknown, *more], now_ns)
            return
        for of, execution in self._book.executions():
            if of.order_id == order.order_id:  # Each execution again, with its ExecID: who has it knows it.
                self._report(order, "F", now_ns, f"E{execution.exec_id}", execution=execution)
        self._say(peer, "8", reports.execution_report(order, self._report_id(), "I", _at(now_ns), *more), now_ns)

    def _mass_status(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        request_id = text(message, 584)
        found = [order for order in self._book.orders() if order.peer == peer and order.is_open]
        if not found:
            unknown = reports.order_unknown("NONE", "NONE", "1", _at(now_ns), self._report_id())
            self._say(peer, "8", [*unknown, (584, request_id), (911, "0"), (912, "Y")], now_ns)
        for count, order in enumerate(found, 1):
            more = ((584, request_id), (911, str(len(found))), (912, "Y" if count == len(found) else "N"))
            self._say(peer, "8", reports.execution_report(order, self._report_id(), "I", _at(now_ns), *more), now_ns)

    def _security_list(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        listed = [(55, symbol) for symbol in self.symbols]
        fields = [(320, text(message, 320)), (322, self._report_id()), (560, "0"), (146, str(len(listed))), *listed]
        self._say(peer, "y", fields, now_ns)

    def _positions(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        held: dict[str, tuple[int, int]] = {}
        for order in self._book.orders():
            long_e8, short_e8 = held.get(order.symbol, (0, 0))
            net_e8 = long_e8 - short_e8 + (order.filled_e8 if order.side == "1" else -order.filled_e8)
            held[order.symbol] = max(net_e8, 0), max(-net_e8, 0)
        held = {symbol: sides for symbol, sides in held.items() if any(sides)}
        request_id, account = text(message, 710), text(message, 1, "SIM")
        result = "0" if held else "2"
        acknowledged = [
            *((721, self._report_id()), (710, request_id), (727, str(len(held))), (728, result), (729, "0")),
            *((453, "1"), (448, account), (447, "D"), (452, "13"), (1, account), (581, "1")),
        ]
        self._say(peer, "AO", acknowledged, now_ns)
        for report in reports.position_reports(request_id, held, account, _at(now_ns)[:8]):
            self._say(peer, "AP", report, now_ns)

    def _trades(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        request_id, executions = text(message, 568), self._book.executions()
        acknowledged = [
            *((568, request_id), (569, text(message, 569)), (748, str(len(executions))), (749, "0")),
            *((750, "0" if executions else "2"), (55, "[N/A]")),
        ]
        self._say(peer, "AQ", acknowledged, now_ns)
        for count, (order, execution) in enumerate(executions, 1):
            report = reports.trade_report(request_id, order, execution, count == len(executions))
            self._say(peer, "AE", report, now_ns)

    def _is_touched(self, order: Order) -> bool:
        if (price := self.prices.get(order.symbol)) is None:
            return False
        dealt_e8 = price.dealt_e8(order.side)
        return dealt_e8 <= order.price_e8 if order.side == "1" else dealt_e8 >= order.price_e8

    def _report(
        self,
        order: Order,
        exec_type: str,
        now_ns: int,
        exec_id: str = "",
        silent: bool = False,
        execution: Execution | None = None,
    ) -> None:
        if not silent:
            exec_id = exec_id or self._report_id()
            report = reports.execution_report(order, exec_id, exec_type, _at(now_ns), execution=execution)
            self._say(order.peer, "8", report, now_ns)

    def _report_id(self) -> str:
        self._reports += 1
        return f"R{self._chance.getrandbits(40):x}-{self._reports}"

    def _draws(self, permille: int) -> bool:
        return self._chance.randrange(1000) < permille

    _serve: ClassVar[dict[str, Callable[["Desk", str, simplefix.FixMessage, int], None]]] = {
        "V": _market_data,
        "D": _new_order,
        "F": _cancel,
        "G": _replace,
        "H": _status,
        "AF": _mass_status,
        "x": _security_list,
        "AN": _positions,
        "AD": _trades,
    }


def _at(now_ns: int) -> str:
    return utc_timestamp(now_ns)
