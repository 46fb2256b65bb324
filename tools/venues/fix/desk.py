"""The simulated LP's dealing: what it answers to each application message, and what its prices set off."""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import ClassVar

import simplefix

from actors.domain.money import NotExact, parse_e8
from tools.venues.fix import reports
from tools.venues.fix.book import Book, Execution, Order
from tools.venues.fix.faults import Faults
from tools.venues.fix.inquiries import Inquiries
from tools.venues.fix.prices import Prices, Say
from tools.venues.fix.session import Session
from tools.venues.fix.wire import text, utc_timestamp

IMMEDIATE_OR_CANCEL, FILL_OR_KILL = "3", "4"
QUANTITY_LIMIT_E8 = 100_000_000 * 100_000_000
Later = Callable[[int, Callable[[int], None]], None]


class Desk:
    """`say` sends a message to a peer, `later` calls back with the time after so many ms, `cut` ends a connection."""

    def __init__(
        self,
        book: Book,
        symbols: tuple[str, ...],
        faults: Faults,
        chance: Random,
        say: Say,
        later: Later,
        cut: Callable[[str], None],
    ) -> None:
        self.prices = Prices(symbols, say)
        self._book = book
        self._faults = faults
        self._chance = chance
        self._say = say
        self._later = later
        self._cut = cut
        self._reports = 0
        self._left: set[int] = set()
        """Orders that should be dealt with, and are not."""
        self._inquiries = Inquiries(book, self.prices, say, self._report_id)

    def forget(self, peer: str) -> None:
        """The peer's connection is gone."""
        self.prices.forget(peer)

    def receive(self, session: Session, message: simplefix.FixMessage, now_ns: int) -> None:
        msg_type = text(message, 35)
        serve = self._serve.get(msg_type)
        if msg_type == "V":
            self.prices.ask(session.peer, message, now_ns)
        elif serve is not None:
            serve(self, session.peer, message, now_ns)
        elif not self._inquiries.serve(msg_type, session.peer, message, now_ns):
            fields = [(45, text(message, 34)), (372, msg_type), (380, "3"), (58, "this type is not served")]
            self._say(session.peer, "j", fields, now_ns)

    def show(self, symbol: str, bid: str, ask: str, now_ns: int) -> None:
        """A new price: to those who watch it, and to the orders that wait for it."""
        self.prices.show(symbol, bid, ask, now_ns)
        for order in self._book.resting(symbol):
            if order.order_id not in self._left and self._is_touched(order):
                self._fill(order.order_id, now_ns)

    def finish(self, now_ns: int) -> None:
        """Deals with what was taken by the process before this one, which ended too soon."""
        for order_id in self._book.unfinished():
            self._deal(order_id, False, now_ns)

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
        if not flaw and self._faults.use("resting_orders"):
            self._left.add(order.order_id)
        elif not flaw:
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
        if text(message, 55) not in self.prices.symbols:
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
        if order.symbol in self.prices.now and (order.ord_type == "1" or self._is_touched(order)):
            self._fill(order_id, now_ns, silent)
        elif order.ord_type == "1" or order.time_in_force in (IMMEDIATE_OR_CANCEL, FILL_OR_KILL):
            order = self._book.change(order_id, status="4", reason="no price that will do")
            self._report(order, "4", now_ns, silent=silent)

    def _fill(self, order_id: int, now_ns: int, silent: bool = False) -> None:
        order = self._book.order(order_id)
        price = self.prices.now[order.symbol]
        worse_e8 = self._faults.slip_points * price.point_e8 * (order.ord_type == "1")
        price_e8 = price.dealt_e8(order.side) + (worse_e8 if order.side == "1" else -worse_e8)
        may_part = not order.filled_e8 and order.time_in_force != FILL_OR_KILL
        part_e8 = order.left_e8 // 2 if may_part and self._draws(self._faults.partial_permille) else 0
        order, execution = self._book.fill(order, part_e8 or order.left_e8, price_e8, _at(now_ns))
        for _ in range(1 + self._faults.use("duplicate_executions")):
            self._report(order, "F", now_ns, f"E{execution.exec_id}", silent, execution)
        for fault, kind in (("busts", "H"), ("corrections", "G")):
            if self._faults.use(fault):
                self._later(self._faults.hold_ms, partial(self._amend, execution, kind))
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

    def _amend(self, execution: Execution, kind: str, now_ns: int) -> None:
        """H: the execution never was, and the order is over. G: it was a point worse for the peer."""
        order = self._book.order(execution.order_id)
        worse_e8 = self.prices.now[order.symbol].point_e8 * (1 if order.side == "1" else -1)
        price_e8 = 0 if kind == "H" else execution.price_e8 + worse_e8
        order, amendment = self._book.amend(execution, kind, price_e8)
        report = reports.amendment_report(order, execution, amendment, utc_timestamp(now_ns))
        self._say(order.peer, "8", report, now_ns)

    def _cancel(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        if self._faults.use("lost_changes"):
            self._cut(peer)
            return
        order = self._book.named(text(message, 41))
        is_refused = self._faults.use("refused_changes")
        if order is None or not order.is_open or is_refused:
            reason = ("no" if is_refused else "too late to cancel") if order else "unknown order"
            rejection = reports.cancel_reject(text(message, 11), text(message, 41), order, "1", reason)
            self._say(peer, "9", rejection, now_ns)
            return
        order = self._book.change(
            order.order_id, status="4", cl_ord_id=text(message, 11), orig_cl_ord_id=order.cl_ord_id
        )
        self._report(order, "4", now_ns, silent=self._faults.use("silent_changes"))

    def _replace(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        if self._faults.use("lost_changes"):
            self._cut(peer)
            return
        order = self._book.named(text(message, 41))
        try:
            quantity_e8 = parse_e8(text(message, 38))
            price_e8 = parse_e8(text(message, 44)) if text(message, 40) == "2" else 0
        except NotExact:
            quantity_e8 = price_e8 = 0
        is_refused = self._faults.use("refused_changes")
        if order is None or not order.is_open or quantity_e8 <= order.filled_e8 or is_refused:
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
        self._report(order, "5", now_ns, silent=self._faults.use("silent_changes"))
        self._later(0, lambda then_ns: self._rest(order.order_id, False, then_ns))

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

    def _is_touched(self, order: Order) -> bool:
        return self.prices.is_touched(order.symbol, order.side, order.price_e8)

    _serve: ClassVar[dict[str, Callable[["Desk", str, simplefix.FixMessage, int], None]]] = {
        "D": _new_order,
        "F": _cancel,
        "G": _replace,
    }


def _at(now_ns: int) -> str:
    return utc_timestamp(now_ns)
