"""Orders over FIX: each message of a client becomes a request to the engine, or is refused at once."""

from collections.abc import Callable, Iterable, Mapping

import structlog

from actors.clients.books import Books, Known
from actors.clients.client import Client
from actors.clients.correspondence import Correspondence
from actors.clients.words import closing_terms, order_terms
from actors.domain.instrument import Instrument
from gateway.fix.answers import number
from gateway.fix.codec import Field, Message
from gateway.fix.trading import reports
from gateway.fix.trading.reports import Exec
from gateway.fix.trading.requests import Named, Unfit, close, named, terms, text
from gateway.fix.trading.vocabulary import BAD_REQUEST, RATE_LIMITED, UNAVAILABLE

OPEN_REQUESTS_LIMIT = 10_000
"""How many requests of all clients may wait for the engine; one more is refused."""
ENGINE_SILENCE_LIMIT_NS = 3_000_000_000
"""An engine that has said nothing for so long is taken to be away: nothing new is asked of it."""
ALL_ORDERS, ORDERS_OF_A_SYMBOL = b"7", b"1"
"""MassStatusReqType (585)."""


class Desk:
    """What clients do with orders. Sends nothing to the engine itself: new requests are in the books."""

    def __init__(
        self, books: Books, correspondence: Correspondence, instruments: Callable[[], Mapping[str, Instrument]]
    ) -> None:
        self.heard_ns = 0
        """When the engine was last heard of; 0 until everything of before is dealt with."""
        self._books = books
        self._mail = correspondence
        self._instruments = instruments
        self.handlers: dict[bytes, Callable[[Client, Message, int], None]] = {
            b"D": self._place,
            b"F": self._change,
            b"G": self._change,
            b"H": self._tell_status,
            b"AF": self._tell_all,
        }

    def check_engine(self, now_ns: int) -> None:
        """Raises Unfit while nothing can be asked of the engine."""
        if now_ns - self.heard_ns > ENGINE_SILENCE_LIMIT_NS:
            raise Unfit(UNAVAILABLE, "the order engine is away: nothing was done")
        if len(self._books.requests) >= OPEN_REQUESTS_LIMIT:
            raise Unfit(RATE_LIMITED, f"{OPEN_REQUESTS_LIMIT} requests wait for the engine already")

    def meant(self, client: Client, message: Message) -> Known | None:
        """The order that a message is about, by OrderID, OrigClOrdID or ClOrdID, if it is of this account."""
        if message.get(37) is not None:
            known = self._books.orders.get(number(message.get(37)) or 0)
            return known if known is not None and known.order.account_id == client.account else None
        return self._books.find(client.account, text(message, 41) or text(message, 11))

    def leave(self, client: Client, now_ns: int) -> None:
        """Its connection is gone: with cancel-on-disconnect its orders are cancelled."""
        if client.profile.cancel_on_disconnect:
            mine = [known for known in self._books.live(client.account) if known.session_id == client.profile.id]
            self._cancel(client, mine, now_ns)

    def _cancel(self, client: Client, orders: Iterable[Known], now_ns: int) -> None:
        for known in orders:
            order_id = known.order.order_id
            if not any(asked.terms is None for asked in self._books.asked_of(order_id)):
                request = self._books.ask(client.profile.id, client.account, "", known.name, None, now_ns)
                self._books.resolve(request, order_id)
                structlog.get_logger().info("cancel on disconnect", session=client.profile.id, order_id=order_id)

    def _place(self, client: Client, message: Message, now_ns: int) -> None:
        self.check_engine(now_ns)
        self._check_currency(message)
        name, closing = named(message).name, close(message)
        asked = closing_terms(closing) if closing is not None else order_terms(terms(message))
        if self._books.is_taken(client.account, name):
            raise Unfit("DUPLICATE_CLIENT_ORDER_ID", f"ClOrdID {name!r} is that of a change", 11)
        position_id = closing.position_id if closing is not None else 0
        self._books.ask(client.profile.id, client.account, name, "", asked, now_ns, position_id)

    def _change(self, client: Client, message: Message, now_ns: int) -> None:
        """A cancel or a replace. One that comes before its order has an answer waits for that."""
        self.check_engine(now_ns)
        self._check_currency(message)
        names = named(message)
        wanted = order_terms(terms(message)) if message.msg_type == b"G" else None
        books, account_id = self._books, client.account
        if books.find(account_id, names.name) or books.asked(account_id, names.name):
            raise Unfit("DUPLICATE_CLIENT_ORDER_ID", f"ClOrdID {names.name!r} is in use", 11)
        known = self.meant(client, message)
        if known is not None and known.is_over:
            raise Unfit("UNKNOWN_ORDER", f"order {known.order.order_id} does not wait (any more)")
        if known is None and not self._comes(account_id, names):
            raise Unfit("UNKNOWN_ORDER", f"there is no order {names.order_id or names.original!r}")
        request = books.ask(client.profile.id, account_id, names.name, names.original, wanted, now_ns)
        if known is not None:
            books.resolve(request, known.order.order_id)

    def _check_currency(self, message: Message) -> None:
        """Raises Unfit where an order's quantity is in another currency than ours are."""
        currency, instruments = text(message, 15), self._instruments()
        if currency and not instruments:
            raise Unfit(UNAVAILABLE, "the instruments are not known yet")
        instrument = instruments.get(text(message, 55))
        if instrument is not None and currency not in ("", instrument.base):
            raise Unfit("BAD_TERMS", f"quantities of {instrument.symbol} are in {instrument.base}: Currency (15)", 15)

    def _comes(self, account_id: int, names: Named) -> bool:
        """Whether an order is to have that name, once a request is answered."""
        return not names.order_id and self._books.asked(account_id, names.original) is not None

    def _tell_status(self, client: Client, message: Message, now_ns: int) -> None:
        known = self.meant(client, message)
        more: tuple[Field, ...] = ((790, value),) if (value := message.get(790)) is not None else ()
        if known is not None:
            self._mail.tell_status(client, known, now_ns, more)
            return
        asked = self._books.asked(client.account, text(message, 11))
        if asked is not None and asked.terms is not None:
            self._mail.tell_pending(client, asked, now_ns, Exec.STATUS)
            return
        self._tell_none(client, message, "there is no such order", now_ns, more)

    def _tell_all(self, client: Client, message: Message, now_ns: int) -> None:
        kind, symbol = message.get(585), text(message, 55)
        if kind not in (ALL_ORDERS, ORDERS_OF_A_SYMBOL):
            raise Unfit(BAD_REQUEST, "MassStatusReqType (585) is 7, all orders, or 1, those of a symbol", 585)
        live = self._books.live(client.account)
        chosen = [known for known in live if kind == ALL_ORDERS or known.order.symbol == symbol]
        request_id = (584, message.get(584) or b"0")
        if not chosen:
            self._tell_none(client, message, "no order waits", now_ns, (request_id, (911, b"0"), (912, b"Y")))
        for place, known in enumerate(chosen, 1):
            is_last = b"Y" if place == len(chosen) else b"N"
            self._mail.tell_status(client, known, now_ns, (request_id, (911, b"%d" % len(chosen)), (912, is_last)))

    def _tell_none(self, client: Client, message: Message, detail: str, now_ns: int, more: tuple[Field, ...]) -> None:
        exec_id = client.new_id(now_ns).encode()
        body = reports.no_order(message, Exec.STATUS, exec_id, "UNKNOWN_ORDER", detail, now_ns, more)
        client.tell(b"8", body, now_ns)
