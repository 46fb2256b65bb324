"""What clients are told of their orders and requests, in FIX."""

from collections.abc import Iterable

from actors.bus.answers import Refusal
from actors.clients.books import Books, Known, Request
from actors.clients.client import Client
from actors.clients.words import asked_view, order_view
from actors.domain.order import Order
from gateway.fix.codec import Field
from gateway.fix.trading import reports
from gateway.fix.trading.reports import Exec, FillView, execution_report

PENDING_AFTER_NS = 2_500_000_000
"""A client whose request has no answer for so long is told that it is pending."""


class Correspondence:
    def __init__(self, books: Books, clients: Iterable[Client]) -> None:
        self._books = books
        self._clients = {client.profile.id: client for client in clients}
        self._audience: dict[int, list[Client]] = {}
        for client in self._clients.values():
            for account_id in client.profile.reported_accounts:
                self._audience.setdefault(account_id, []).append(client)
        self._told_pending: dict[int, None] = {}

    @property
    def accounts(self) -> list[int]:
        return [*self._audience]

    def client(self, session_id: str) -> Client | None:
        return self._clients.get(session_id)

    def report(
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

    def replaced(self, known: Known, asked: Request, exec_id: str, time_ns: int, now_ns: int) -> None:
        """The order has the name of the request from now on."""
        original = known.name
        self._books.rename(known, asked.name)
        self.report(known, Exec.REPLACED, exec_id, time_ns, now_ns, original=original)

    def tell_late(self, now_ns: int) -> None:
        """Says of each request that has had no answer for long that it is pending, once."""
        for request in self._books.requests.values():
            late = now_ns - request.sent_ns >= PENDING_AFTER_NS
            client = self._clients.get(request.session_id)
            if late and client is not None and request.name and request.request_id not in self._told_pending:
                self._told_pending[request.request_id] = None
                kind = Exec.PENDING_NEW if request.is_new else Exec.PENDING_REPLACE
                self.tell_pending(client, request, now_ns, Exec.PENDING_CANCEL if request.terms is None else kind)

    def tell_asked(self, request: Request, now_ns: int) -> None:
        """Its venue is asked, and takes its time: the client is told that it is pending, once."""
        self._told_pending[request.request_id] = None
        client = self._clients.get(request.session_id)
        if client is not None and request.name:
            kind = Exec.PENDING_CANCEL if request.terms is None else Exec.PENDING_REPLACE
            self.tell_pending(client, request, now_ns, kind)

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

    def refuse(self, request: Request, answer: Refusal, now_ns: int) -> None:
        client = self._clients.get(request.session_id)
        self.answered(request)
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

    def refuse_at_venue(self, order: Order, code: str, detail: str, now_ns: int) -> None:
        for asked in [*self._books.asked_of(order.order_id)]:
            if asked.is_at_venue:
                self.refuse(asked, Refusal(code, detail), now_ns)

    def answered(self, request: Request) -> None:
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
                self.refuse(waiting, refusal, waiting.sent_ns)
