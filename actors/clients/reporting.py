"""What the engine did, as its events and answers tell it, said to the clients whom it concerns."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec

from actors.bus.answers import Answer, Done, OrderReport, Refusal
from actors.clients.books import Books, Known, Request
from actors.clients.client import Client
from actors.clients.words import asked_view, before_its_fills, fill_view, order_view
from actors.domain.events.event import Event
from actors.domain.events.orders import OrderAccepted, OrderEnded, OrderFilled, OrderModified, OrderRejected
from actors.domain.order import Order, OrderStatus, OrderTerms, TimeInForce
from gateway.fix.codec import Field
from gateway.fix.trading import reports
from gateway.fix.trading.reports import Exec, FillView, execution_report

PATIENCE_NS = 1_000_000_000
"""So long a refused change waits for the event that ended its order: the two come by different ways."""
PENDING_AFTER_NS = 2_500_000_000
"""A client whose request has no answer for so long is told that it is pending."""
ORDER_EVENTS = OrderAccepted | OrderModified | OrderFilled | OrderEnded | OrderRejected


class Held(NamedTuple):
    """An answer that was given after event `seq`, which has not come yet; or a refusal that waits until `until_ns`."""

    request: Request
    answer: Answer
    seq: int
    until_ns: int


class Reporting:
    def __init__(self, books: Books, clients: Iterable[Client], currencies: Mapping[int, str]) -> None:
        """`currencies`: of the accounts that the clients have."""
        self._books = books
        self._clients = {client.profile.id: client for client in clients}
        self._currencies = currencies
        self._audience: dict[int, list[Client]] = {}
        for client in self._clients.values():
            for account_id in client.profile.reported_accounts:
                self._audience.setdefault(account_id, []).append(client)
        self._held: dict[int, Held] = {}
        self._told_pending: dict[int, None] = {}
        self.on_orphan: Callable[[Client, Known, int], None] = lambda client, known, now_ns: None
        """An order waits whose session is not there any more."""

    @property
    def accounts(self) -> list[int]:
        return [*self._audience]

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
        elif isinstance(event, OrderRejected):
            known = self._known(event.order, None, seq, time_ns, now_ns)
            self._keep(known, event.order)
            self._tell(known, Exec.REJECTED, f"E{seq}", time_ns, now_ns, code=event.code, detail=event.detail)
        else:
            self._on_order(seq, time_ns, event, now_ns)

    def _on_order(self, seq: int, time_ns: int, event: OrderAccepted | OrderFilled | OrderEnded, now_ns: int) -> None:
        order = event.order
        known = self._known(order, before_its_fills(order), seq, time_ns, now_ns)
        self._keep(known, order)
        if isinstance(event, OrderFilled):
            fill = fill_view(event.fill, self._currencies.get(order.account_id, "USD"))
            self._tell(known, Exec.TRADE, f"F{event.fill.fill_id}", time_ns, now_ns, fill=fill)
        elif isinstance(event, OrderEnded):
            self._on_ended(known, f"E{seq}", time_ns, event, now_ns)
        if known.is_over:
            self._release_refusals(known, now_ns)
        elif (client := self._clients.get(known.session_id)) is not None and not client.is_up:
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
            self._tell(known, Exec.NEW, f"N{seq}", time_ns, now_ns)
        if asked is not None:
            self._answered(asked)
        return known

    def _keep(self, known: Known, order: Order) -> None:
        known.order = order
        self._books.keep(known)

    def _on_ended(self, known: Known, exec_id: str, time_ns: int, event: OrderEnded, now_ns: int) -> None:
        if known.order.status is OrderStatus.EXPIRED:
            self._tell(known, Exec.EXPIRED, exec_id, time_ns, now_ns, code=event.code, detail=event.detail)
            return
        asked = next((one for one in self._books.asked_of(known.order.order_id) if one.terms is None), None)
        original = ""
        if asked is not None and event.code == "CANCELLED":
            if asked.name:
                original = known.name
                self._books.rename(known, asked.name)
            self._answered(asked)
        self._tell(
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
            self._tell(
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
            self._tell(known, Exec.RESTATED, f"E{seq}", time_ns, now_ns, code="MODIFIED", detail="changed elsewhere")
        else:
            self._tell_replaced(known, asked, f"E{seq}", time_ns, now_ns)

    def _tell_replaced(self, known: Known, asked: Request, exec_id: str, time_ns: int, now_ns: int) -> None:
        original = known.name
        self._books.rename(known, asked.name)
        self._tell(known, Exec.REPLACED, exec_id, time_ns, now_ns, original=original)
        self._answered(asked)

    # Answers

    def answer(self, request_id: int, answer: Answer, now_ns: int) -> None:
        """The engine's answer to a request. What it did comes as events, which may still be on their way."""
        request = self._books.requests.get(request_id)
        if request is None:
            return
        request.asked_ns = now_ns
        if isinstance(answer, Refusal):
            known = self._books.orders.get(request.order_id)
            if known is None or known.is_over or answer.code != "UNKNOWN_ORDER":
                self._refuse(request, answer, now_ns)
            else:
                self._held[request_id] = Held(request, answer, 0, now_ns + PATIENCE_NS)
        elif isinstance(answer, OrderReport | Done):
            self._held[request_id] = Held(request, answer, answer.seq, 0)

    def settle(self, now_ns: int) -> None:
        """Answers whose events have all come, and refusals that have waited for long enough."""
        for request_id, held in [*self._held.items()]:
            if request_id not in self._books.requests:
                del self._held[request_id]
            elif held.until_ns:
                if held.until_ns <= now_ns:
                    del self._held[request_id]
                    self._refuse(held.request, held.answer, now_ns)
            elif held.seq <= self._books.event_seq:
                del self._held[request_id]
                self._conclude(held.request, held.answer, now_ns)

    def tell_late(self, now_ns: int) -> None:
        """Says of each request that has had no answer for long that it is pending, once."""
        for request in self._books.requests.values():
            late = now_ns - request.sent_ns >= PENDING_AFTER_NS
            client = self._clients.get(request.session_id)
            if late and client is not None and request.name and request.request_id not in self._told_pending:
                self._told_pending[request.request_id] = None
                kind = Exec.PENDING_NEW if request.is_new else Exec.PENDING_REPLACE
                self.tell_pending(client, request, now_ns, Exec.PENDING_CANCEL if request.terms is None else kind)

    def tell_pending(self, client: Client, request: Request, now_ns: int, exec_type: bytes) -> None:
        known = self._books.orders.get(request.order_id)
        status = Exec.PENDING_NEW if exec_type == Exec.STATUS else exec_type
        if known is not None:
            view = order_view(known.order, request.name)
        elif request.terms is not None:
            view = asked_view(request.account_id, request.name, request.terms, request.position_id)
        else:
            return
        exec_id = client.new_id(now_ns).encode()
        detail = "the outcome is not known yet; a report follows"
        body = execution_report(
            view, exec_type, exec_id, now_ns, status=status, original=request.original, code="PENDING", detail=detail
        )
        client.report(body, now_ns)

    def tell_status(self, client: Client, known: Known, now_ns: int, more: tuple[Field, ...] = ()) -> None:
        view = order_view(known.order, known.name)
        client.report(execution_report(view, Exec.STATUS, client.new_id(now_ns).encode(), now_ns, more=more), now_ns)

    def _conclude(self, request: Request, answer: Answer, now_ns: int) -> None:
        """The request was carried out, and no event told of it: it had been before, or changes nothing."""
        client = self._clients.get(request.session_id)
        known = self._books.orders.get(request.order_id)
        self._answered(request)
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
            self._tell_replaced_again(known, request, exec_id, now_ns)

    def _tell_replaced_again(self, known: Known, request: Request, exec_id: str, now_ns: int) -> None:
        original = known.name
        self._books.rename(known, request.name)
        self._tell(known, Exec.REPLACED, exec_id, now_ns, now_ns, original=original)

    def _refuse(self, request: Request, answer: Answer, now_ns: int) -> None:
        assert isinstance(answer, Refusal)
        client = self._clients.get(request.session_id)
        self._answered(request)
        if client is None or not request.name:
            return
        if request.is_new and request.terms is not None:
            view = asked_view(request.account_id, request.name, request.terms, request.position_id)
            exec_id = client.new_id(now_ns).encode()
            body = execution_report(view, Exec.REJECTED, exec_id, now_ns, code=answer.code, detail=answer.detail)
            client.report(body, now_ns)
            return
        known = self._books.orders.get(request.order_id)
        view_of = order_view(known.order, known.name) if known is not None else None
        is_replace = request.terms is not None
        body = reports.cancel_reject(
            request.name, request.original, view_of, is_replace, answer.code, answer.detail, now_ns
        )
        client.tell(b"9", body, now_ns)

    def _answered(self, request: Request) -> None:
        """The request is over; changes that waited for it go on, to the order that it made, or end."""
        books = self._books
        books.answer(request)
        self._told_pending.pop(request.request_id, None)
        for waiting in books.waiting_for(request.account_id, request.name) if request.name else ():
            known = books.find(request.account_id, request.name)
            if known is not None:
                books.resolve(waiting, known.order.order_id)
            else:
                refusal = Refusal("UNKNOWN_ORDER", f"there is no order {request.name!r}")
                self._refuse(waiting, refusal, waiting.sent_ns)

    def _release_refusals(self, known: Known, now_ns: int) -> None:
        for request_id, held in [*self._held.items()]:
            if held.until_ns and held.request.order_id == known.order.order_id:
                del self._held[request_id]
                self._refuse(held.request, held.answer, now_ns)

    def _tell(
        self,
        known: Known,
        exec_type: bytes,
        exec_id: str,
        time_ns: int,
        now_ns: int,
        *,
        original: str = "",
        fill: FillView | None = None,
        code: str = "",
        detail: str = "",
    ) -> None:
        """To everybody who hears of the account."""
        view = order_view(known.order, known.name)
        body = execution_report(
            view, exec_type, exec_id.encode(), time_ns, original=original, fill=fill, code=code, detail=detail
        )
        for client in self._audience.get(known.order.account_id, ()):
            client.report(body, now_ns)


def _is_same(asked: OrderTerms, terms: OrderTerms) -> bool:
    """Whether an order has the terms that were asked for: the end of a day order is the engine's to name."""
    if asked.time_in_force is TimeInForce.DAY:
        terms = msgspec.structs.replace(terms, expires_ns=asked.expires_ns)
    return asked == terms
