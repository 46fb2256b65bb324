"""What the desk must not forget: the orders of its accounts by their ClOrdIDs, and the requests without an answer.

It is kept in the store of the FIX sessions. What changes is written by `save`, in the transaction of the messages that
tell of it, so that after a crash at any point each event is told once, and each request is asked again.
"""

import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator

import msgspec

from actors.clients.words import OVER
from actors.domain.commands import CancelOrder, ClosePosition, ModifyOrder, SubmitOrder
from actors.domain.order import Order, OrderTerms

KEPT_ORDERS = 10_000
"""Of each account, how many that are over can still be asked after."""
NAMES_LIMIT = 1_000
"""Of an order, how many ClOrdIDs it is known by: of more, the oldest that a change gave it may be used again."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS desk_followed (event_seq INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS desk_accounts (account_id INTEGER PRIMARY KEY, since_seq INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS desk_orders (order_id INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS desk_requests (request_id INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT;
"""


class Known(msgspec.Struct, array_like=True):
    """An order, with every ClOrdID that it had: the last one is its name."""

    order: Order
    names: list[str]
    session_id: str
    """Through which it came; empty where it came by another way."""

    @property
    def name(self) -> str:
        return self.names[-1]

    @property
    def is_over(self) -> bool:
        return self.order.status in OVER


class Request(msgspec.Struct, array_like=True):
    """Something that a client, or the loss of its connection, has asked for."""

    request_id: int
    session_id: str
    account_id: int
    name: str
    """ClOrdID; empty where it was nobody's message."""
    original: str
    """OrigClOrdID: of the order that is to be changed; empty for a new one."""
    terms: OrderTerms | None
    """None: the order is to be cancelled."""
    order_id: int
    """0 while it is not known: of a new order, and of one whose own request has no answer yet."""
    sent_ns: int
    """When it came."""
    asked_ns: int = 0
    """When the engine was last asked by this process; 0: not yet."""
    position_id: int = 0
    """Of the position that is to be closed, as `terms` say: whole, where their quantity is 0."""
    is_at_venue: bool = False
    """The engine has taken it, and the venue where the order rests is asked: its answer comes as an event."""

    @property
    def is_new(self) -> bool:
        return self.terms is not None and not self.original

    @property
    def is_ready(self) -> bool:
        """Whether the engine can be asked."""
        return (self.is_new or self.order_id > 0) and not self.is_at_venue

    @property
    def command(self) -> SubmitOrder | ClosePosition | ModifyOrder | CancelOrder:
        terms = self.terms
        if terms is None:
            return CancelOrder(self.account_id, self.order_id)
        if self.position_id:
            return ClosePosition(
                self.account_id, self.name, self.position_id, terms.quantity_e8, terms.symbol, terms.side
            )
        if self.is_new:
            return SubmitOrder(self.account_id, self.name, terms)
        return ModifyOrder(self.account_id, self.order_id, terms)


_encode = msgspec.msgpack.Encoder().encode
_decode_known = msgspec.msgpack.Decoder(Known).decode
_decode_request = msgspec.msgpack.Decoder(Request).decode


class Books:
    """In memory, as the database has it after each `save`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        db.executescript(_SCHEMA)
        found = db.execute("SELECT event_seq FROM desk_followed").fetchone()
        self.event_seq = found[0] if found else 0
        """The last event that was dealt with; 0 before the first start."""
        self.since: dict[int, int] = dict(db.execute("SELECT account_id, since_seq FROM desk_accounts"))
        """By account, the event after which its reports begin."""
        self.orders: dict[int, Known] = {}
        self.requests: dict[int, Request] = {}
        self._names: dict[tuple[int, str], int] = {}
        self._live: dict[int, dict[int, Known]] = {}
        self._over: dict[int, deque[int]] = {}
        self._asked: dict[tuple[int, str], list[Request]] = {}
        self._changes: dict[int, Request] = {}
        """Of the requests, those that are about an order which was there before."""
        self._new_accounts: dict[int, int] = {}
        self._changed: dict[int, Known] = {}
        self._dropped: list[int] = []
        self._added: dict[int, Request] = {}
        self._answered: list[int] = []
        self._saved_seq = self.event_seq
        for (record,) in db.execute("SELECT record FROM desk_orders ORDER BY order_id"):
            self._place(_decode_known(record))
        for (record,) in db.execute("SELECT record FROM desk_requests ORDER BY request_id"):
            request = _decode_request(record)
            request.asked_ns = 0
            self._enter(request)
        self._last_request_id = max(self.requests, default=0)
        self.fresh: list[Request] = []
        """Those that the engine can be asked since this list was last emptied."""

    @property
    def has_news(self) -> bool:
        return bool(self._new_accounts or self._changed or self._dropped or self._added or self._answered)

    @property
    def is_behind(self) -> bool:
        """Whether only the number of the last event is to be saved."""
        return self.event_seq != self._saved_seq

    def save(self, db: sqlite3.Connection) -> None:
        """Into the caller's transaction. If that fails, these books are no longer true."""
        if self._new_accounts:
            db.executemany("INSERT OR REPLACE INTO desk_accounts VALUES (?, ?)", self._new_accounts.items())
        if self._changed:
            rows = [(order_id, _encode(known)) for order_id, known in self._changed.items()]
            db.executemany("INSERT OR REPLACE INTO desk_orders VALUES (?, ?)", rows)
        if self._dropped:
            db.executemany("DELETE FROM desk_orders WHERE order_id = ?", [(order_id,) for order_id in self._dropped])
        if self._added:
            requests = [(request_id, _encode(request)) for request_id, request in self._added.items()]
            db.executemany("INSERT OR REPLACE INTO desk_requests VALUES (?, ?)", requests)
        if self._answered:
            db.executemany("DELETE FROM desk_requests WHERE request_id = ?", [(number,) for number in self._answered])
        if self.is_behind:
            db.execute("DELETE FROM desk_followed")
            db.execute("INSERT INTO desk_followed VALUES (?)", (self.event_seq,))
            self._saved_seq = self.event_seq
        self._new_accounts, self._changed, self._dropped, self._added, self._answered = {}, {}, [], {}, []

    def begin(self, account_id: int, seq: int, waiting: Iterable[Order]) -> None:
        """Reports of an account begin after event `seq`, with these orders waiting."""
        self.since[account_id] = self._new_accounts[account_id] = seq
        for order in waiting:
            self.keep(Known(order, [order.client_order_id], ""))

    def keep(self, known: Known) -> None:
        """An order as it is now."""
        self._changed[known.order.order_id] = known
        self._place(known)

    def rename(self, known: Known, name: str) -> None:
        """A change has given an order another ClOrdID."""
        known.names.append(name)
        if len(known.names) > NAMES_LIMIT:
            self._forget_name(known, known.names.pop(1))
        self.keep(known)

    def find(self, account_id: int, name: str) -> Known | None:
        """By any ClOrdID that it had."""
        order_id = self._names.get((account_id, name)) if name else None
        return self.orders.get(order_id) if order_id is not None else None

    def live(self, account_id: int) -> list[Known]:
        """The orders that wait, oldest first."""
        return [*self._live.get(account_id, {}).values()]

    def is_taken(self, account_id: int, name: str) -> bool:
        """Whether a ClOrdID is that of a change, made or asked for."""
        known = self.find(account_id, name)
        asked = self._asked.get((account_id, name), ())
        return (known is not None and name in known.names[1:]) or any(not request.is_new for request in asked)

    def ask(
        self,
        session_id: str,
        account_id: int,
        name: str,
        original: str,
        terms: OrderTerms | None,
        now_ns: int,
        position_id: int = 0,
    ) -> Request:
        """A new request. Which order it means is for `resolve`."""
        self._last_request_id += 1
        request = Request(
            self._last_request_id, session_id, account_id, name, original, terms, 0, now_ns, position_id=position_id
        )
        self._added[request.request_id] = request
        self._enter(request)
        if request.is_ready:
            self.fresh.append(request)
        return request

    def resolve(self, request: Request, order_id: int) -> None:
        request.order_id = order_id
        self._added[request.request_id] = request
        self.fresh.append(request)

    def await_venue(self, request: Request) -> None:
        request.is_at_venue = True
        self._added[request.request_id] = request

    def asked(self, account_id: int, name: str) -> Request | None:
        """The oldest request of a ClOrdID that has no answer."""
        found = self._asked.get((account_id, name))
        return found[0] if found else None

    def asked_of(self, order_id: int) -> Iterator[Request]:
        """Changes of an order that have no answer, oldest first."""
        return (request for request in self._changes.values() if request.order_id == order_id)

    def waiting_for(self, account_id: int, name: str) -> list[Request]:
        """Changes of an order whose own request under this name had no answer when they came."""
        return [
            request
            for request in self._changes.values()
            if not request.order_id and request.account_id == account_id and request.original == name
        ]

    def answer(self, request: Request) -> None:
        """It needs no answer any more."""
        del self.requests[request.request_id]
        asked = self._asked[request.account_id, request.name]
        asked.remove(request)
        if not asked:
            del self._asked[request.account_id, request.name]
        self._changes.pop(request.request_id, None)
        self._added.pop(request.request_id, None)
        self._answered.append(request.request_id)

    def _enter(self, request: Request) -> None:
        self.requests[request.request_id] = request
        if not request.is_new:
            self._changes[request.request_id] = request
        self._asked.setdefault((request.account_id, request.name), []).append(request)

    def _place(self, known: Known) -> None:
        order = known.order
        account_id, order_id = order.account_id, order.order_id
        is_new = order_id not in self.orders
        self.orders[order_id] = known
        for name in known.names:
            if name:
                self._names[account_id, name] = order_id
        live = self._live.setdefault(account_id, {})
        if not known.is_over:
            live[order_id] = known
            return
        if live.pop(order_id, None) is None and not is_new:
            return
        over = self._over.setdefault(account_id, deque())
        over.append(order_id)
        if len(over) > KEPT_ORDERS:
            self._drop(account_id, over.popleft())

    def _drop(self, account_id: int, order_id: int) -> None:
        known = self.orders.pop(order_id, None)
        if known is None:
            return
        for name in known.names:
            self._forget_name(known, name)
        self._changed.pop(order_id, None)
        self._dropped.append(order_id)

    def _forget_name(self, known: Known, name: str) -> None:
        key = known.order.account_id, name
        if self._names.get(key) == known.order.order_id:
            del self._names[key]
