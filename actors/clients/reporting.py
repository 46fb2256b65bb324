"""What the engine did, as its events and answers tell it: each thing is said once to whom it concerns."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from actors.bus.answers import Answer, Done, OrderReport, Refusal
from actors.clients.books import Books, Known, Request
from actors.clients.client import Client
from actors.clients.correspondence import Correspondence
from actors.clients.words import before_its_fills, fill_view, order_view
from actors.domain.events.event import Event
from actors.domain.events.orders import (
    ChangeAsked,
    ChangeRefused,
    OrderAccepted,
    OrderEnded,
    OrderFilled,
    OrderModified,
    OrderRejected,
)
from actors.domain.order import Order, OrderStatus, OrderTerms, TimeInForce
from gateway.fix.trading.reports import Exec, execution_report

PATIENCE_NS = 1_000_000_000
"""So long a refused change waits for the event that ended its order: the two come by different ways."""
ORDER_EVENTS = OrderAccepted | OrderModified | ChangeAsked | ChangeRefused | OrderFilled | OrderEnded | OrderRejected


class Held(NamedTuple):
    """An answer that was given after event `seq`, which has not come yet; or a refusal that waits until `until_ns`."""

    request: Request
    answer: Refusal | OrderReport | Done
    seq: int
    until_ns: int


class Reporting:
    def __init__(self, books: Books, correspondence: Correspondence, currencies: Mapping[int, str]) -> None:
        """`currencies`: of the accounts that the clients have."""
        self._books = books
        self._mail = correspondence
        self._currencies = currencies
        self._held: dict[int, Held] = {}
        self.on_orphan: Callable[[Client, Known, int], None] = lambda client, known, now_ns: None
        """An order waits whose session is not there any more."""

    def take(self, seq: int, time_ns: int, event: Event, now_ns: int) -> None:
        """The next event of the engine; its effects are sent once, for the books say that it came."""
        self._books.event_seq = seq
        if not isinstance(event, ORDER_EVENTS):
            return
        since_seq = self._books.since.get(event.order.account_id)
        if since_seq is None or seq <= since_seq:
            return
        if isinstance(event, OrderModified):
            self._on_modified(seq, time_ns, event, now_ns)
        elif isinstance(event, ChangeAsked):
            self._on_asked(event, now_ns)
        elif isinstance(event, ChangeRefused):
            self._mail.refuse_at_venue(event.order, event.code, event.detail, now_ns)
        elif isinstance(event, OrderRejected):
            known = self._known(event.order, None, seq, time_ns, now_ns)
            self._keep(known, event.order)
            self._mail.report(known, Exec.REJECTED, f"E{seq}", time_ns, now_ns, code=event.code, detail=event.detail)
        else:
            self._on_order(seq, time_ns, event, now_ns)

    def _on_order(self, seq: int, time_ns: int, event: OrderAccepted | OrderFilled | OrderEnded, now_ns: int) -> None:
        order = event.order
        known = self._known(order, before_its_fills(order), seq, time_ns, now_ns)
        self._keep(known, order)
        if isinstance(event, OrderFilled):
            fill = fill_view(event.fill, self._currencies.get(order.account_id, "USD"))
            self._mail.report(known, Exec.TRADE, f"F{event.fill.fill_id}", time_ns, now_ns, fill=fill)
        elif isinstance(event, OrderEnded):
            self._on_ended(known, f"E{seq}", time_ns, event, now_ns)
        if known.is_over:
            self._mail.refuse_at_venue(
                known.order, "UNKNOWN_ORDER", "the order ended before its venue did that", now_ns
            )
            self._release_refusals(known, now_ns)
        elif (client := self._mail.client(known.session_id)) is not None and not client.is_up:
            self.on_orphan(client, known, now_ns)

    def _known(self, order: Order, new: Order | None, seq: int, time_ns: int, now_ns: int) -> Known:
        """The order in the books. One that is heard of for the first time is told as it was when it was `new`."""
        known = self._books.orders.get(order.order_id)
        if known is not None:
            return known
        asked = self._books.asked(order.account_id, order.client_order_id) if order.client_order_id else None
        if asked is not None and not asked.is_new:
            asked = None
        known = Known(new or order, [order.client_order_id], asked.session_id if asked is not None else "")
        self._keep(known, known.order)
        if new is not None:
            self._mail.report(known, Exec.NEW, f"N{seq}", time_ns, now_ns)
        if asked is not None:
            self._mail.answered(asked)
        return known

    def _keep(self, known: Known, order: Order) -> None:
        known.order = order
        self._books.keep(known)

    def _on_ended(self, known: Known, exec_id: str, time_ns: int, event: OrderEnded, now_ns: int) -> None:
        if known.order.status is OrderStatus.EXPIRED:
            self._mail.report(known, Exec.EXPIRED, exec_id, time_ns, now_ns, code=event.code, detail=event.detail)
            return
        asked = next((one for one in self._books.asked_of(known.order.order_id) if one.terms is None), None)
        original = ""
        if asked is not None and event.code == "CANCELLED":
            if asked.name:
                original = known.name
                self._books.rename(known, asked.name)
            self._mail.answered(asked)
        self._mail.report(
            known, Exec.CANCELED, exec_id, time_ns, now_ns, original=original, code=event.code, detail=event.detail
        )

    def _on_modified(self, seq: int, time_ns: int, event: OrderModified, now_ns: int) -> None:
        order = event.order
        known = self._books.orders.get(order.order_id)
        if known is None:
            known = self._known(order, order, seq, time_ns, now_ns)
        is_triggered = known.order.status is not order.status
        self._keep(known, order)
        if is_triggered:
            self._mail.report(
                known, Exec.RESTATED, f"E{seq}", time_ns, now_ns, code="TRIGGERED", detail="its stop was reached"
            )
            return
        asked = next(
            (
                one
                for one in self._books.asked_of(order.order_id)
                if one.terms is not None and _is_same(one.terms, order.terms)
            ),
            None,
        )
        if asked is None:
            self._mail.report(
                known, Exec.RESTATED, f"E{seq}", time_ns, now_ns, code="MODIFIED", detail="changed elsewhere"
            )
        else:
            self._mail.replaced(known, asked, f"E{seq}", time_ns, now_ns)
            self._mail.answered(asked)

    def _on_asked(self, event: ChangeAsked, now_ns: int) -> None:
        """The client is told that it is pending, once; nobody asks the engine for it again."""
        terms = event.change.terms
        for asked in [*self._books.asked_of(event.order.order_id)]:
            if terms is None or asked.terms is None:
                is_it = asked.terms is terms and event.change.code == "CANCELLED"
            else:
                is_it = _is_same(asked.terms, terms)
            if is_it and not asked.is_at_venue:
                self._books.await_venue(asked)
                self._mail.tell_asked(asked, now_ns)

    def answer(self, request_id: int, answer: Answer, now_ns: int) -> None:
        """The engine's answer to a request. What it did comes as events, which may still be on their way."""
        request = self._books.requests.get(request_id)
        if request is None:
            return
        request.asked_ns = now_ns
        if isinstance(answer, Refusal):
            known = self._books.orders.get(request.order_id)
            if known is None or known.is_over or answer.code != "UNKNOWN_ORDER":
                self._mail.refuse(request, answer, now_ns)
            else:
                self._held[request_id] = Held(request, answer, 0, now_ns + PATIENCE_NS)
        elif isinstance(answer, OrderReport | Done):
            self._held[request_id] = Held(request, answer, answer.seq, 0)

    def settle(self, now_ns: int) -> None:
        """Answers whose events have all come, and refusals that have waited for long enough."""
        for request_id, held in [*self._held.items()]:
            if request_id not in self._books.requests or held.request.is_at_venue:
                del self._held[request_id]
            elif isinstance(held.answer, Refusal):
                if held.until_ns <= now_ns:
                    del self._held[request_id]
                    self._mail.refuse(held.request, held.answer, now_ns)
            elif held.seq <= self._books.event_seq:
                del self._held[request_id]
                self._conclude(held.request, held.answer, now_ns)

    def _conclude(self, request: Request, answer: OrderReport | Done, now_ns: int) -> None:
        """The request was carried out, and no event told of it: it had been before, or changes nothing."""
        client = self._mail.client(request.session_id)
        known = self._books.orders.get(request.order_id)
        is_waiting = isinstance(answer, Done) and known is not None and not known.is_over
        if is_waiting and known is not None and not (request.terms and _is_same(request.terms, known.order.terms)):
            detail = "its venue is asked for just that already, by another way"
            self._mail.refuse(request, Refusal("AT_VENUE", detail), now_ns)
            return
        self._mail.answered(request)
        if client is None:
            return
        exec_id = client.new_id(now_ns)
        if isinstance(answer, OrderReport):
            outcome = answer.outcome
            view = order_view(outcome.order, request.name)
            exec_type = Exec.REJECTED if outcome.order.status is OrderStatus.REJECTED else Exec.STATUS
            body = execution_report(view, exec_type, exec_id.encode(), now_ns, code=outcome.code, detail=outcome.detail)
            client.report(body, now_ns)
        elif known is not None and request.terms is not None:
            self._mail.replaced(known, request, exec_id, now_ns, now_ns)

    def _release_refusals(self, known: Known, now_ns: int) -> None:
        for request_id, held in [*self._held.items()]:
            if isinstance(held.answer, Refusal) and held.request.order_id == known.order.order_id:
                del self._held[request_id]
                self._mail.refuse(held.request, held.answer, now_ns)


def _is_same(asked: OrderTerms, terms: OrderTerms) -> bool:
    """Whether an order has the terms that were asked for: the end of a day order is the engine's to name."""
    if asked.time_in_force is TimeInForce.DAY:
        terms = msgspec.structs.replace(terms, expires_ns=asked.expires_ns)
    return asked == terms
