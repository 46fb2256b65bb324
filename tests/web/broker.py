"""The rest of the broker, as the web process meets it: the real wire and the real rules, and faults on demand."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import zmq

from actors.answering import desk_reports, reports
from actors.bus import codec, sockets, topics
from actors.bus.answers import (
    AccountReport,
    Done,
    Events,
    Instruments,
    OrderReport,
    Pong,
    PositionReport,
    Refusal,
    Reply,
    Ticks,
)
from actors.bus.asking import Inlet
from actors.bus.endpoints import Endpoints
from actors.bus.fix_sessions import FixRequest, FixSessions
from actors.bus.history_answers import Bars, Entries, Fills, LedgerLine, Orders, Transactions
from actors.bus.logins import BeginLogin, GetRevocations, LoginTicket, OpenSession, Revocations, Session
from actors.bus.people import PeopleRequest
from actors.bus.requests import (
    AggregatorRequest,
    EngineRequest,
    GetAccount,
    GetAccounts,
    GetBars,
    GetBreaks,
    GetChanges,
    GetEntries,
    GetEvents,
    GetExplanation,
    GetExposure,
    GetFills,
    GetInstruments,
    GetLotSize,
    GetLps,
    GetMoneyRequests,
    GetOrders,
    GetPreview,
    GetTerms,
    GetTickHistory,
    GetTicks,
    GetTransactions,
    HistoryRequest,
    Ping,
    PreviewRoute,
)
from actors.bus.streams import EventBatch, FeedStatus, StreamAlive, StreamDepth, StreamStatus
from actors.bus.users import RecordAct, Recorded, RecordOutcome, User
from actors.domain import broker
from actors.domain.checks import account_of
from actors.domain.commands import (
    ClosePosition,
    ClosePositionBy,
    ClosePositions,
    DecideRequest,
    DefineInstrument,
    Deposit,
    Input,
    ObserveStream,
    ObserveTicks,
    OpenAccount,
    RequestMoney,
    ReversePosition,
    SetApprovalLimits,
    SubmitOrder,
)
from actors.domain.events.accounts import MoneyMoved
from actors.domain.events.event import Event
from actors.domain.events.orders import OrderAccepted, OrderEnded, OrderFilled, OrderModified, OrderRejected
from actors.domain.instrument import Instrument
from actors.domain.ledger import Posting
from actors.domain.money import parse_e8
from actors.domain.prices.bar import MINUTE_NS, Bar, bar_of, join
from actors.domain.prices.book import Depth
from actors.domain.prices.lp_registry import Known, Lp, LpChange, Registry
from actors.domain.prices.lp_status import LpStatus
from actors.domain.quote import Level, Tick
from actors.domain.refusal import Refused
from actors.domain.risk import margin
from actors.domain.state import State
from actors.fix_sessions import Served, SessionDesk
from actors.lp_desk import LpDesk
from actors.store.passwords import hash_password
from gateway.fix.acceptor import Acceptor
from gateway.fix.events import Event as FixEvent
from gateway.fix.session import Session as FixSession
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.store import Sequences, SqliteStore

Context = zmq.Context[zmq.Socket[bytes]]

ORDER_EVENTS = OrderAccepted | OrderModified | OrderFilled | OrderEnded | OrderRejected
TRADER, OTHER, ADMIN, DEALER = "alice", "bob", "root", "dora"
PASSWORD = "correct horse battery staple"


def instrument(symbol: str, digits: int) -> Instrument:
    e8 = parse_e8
    return Instrument(
        symbol,
        symbol[:3],
        symbol[3:],
        f"{symbol[:3]} against {symbol[3:]}",
        digits,
        e8("1"),
        e8("10000000"),
        e8("1"),
        e8("0.0333"),
        e8("0.0001"),
        e8("1000"),
    )


INSTRUMENTS = {"EURUSD": instrument("EURUSD", 5), "USDJPY": instrument("USDJPY", 3)}


COST = 8
"""Of the passwords: a test need not take a quarter of a second for each."""


@cache
def password_hash() -> str:
    return hash_password(PASSWORD, COST)


FIX_SESSION = SessionSettings(session_id="DEMO", role=Role.ACCEPTOR, sender="HEDGEROW", target="DEMO")


class _Unused:
    """No client connects to the FIX session here."""

    def on_events(self, session: FixSession, events: list[FixEvent], now_ns: int) -> None: ...

    def on_end(self, session: FixSession, error: Exception | None) -> None: ...


class FakeBroker:
    """Engine, persistence and aggregator in one. `mute` holds the names of those that do not answer."""

    def __init__(self, context: Context, where: Endpoints) -> None:
        self.mute: set[str] = set()
        self.silent = False
        """Nothing beats on the streams."""
        self.delay_s = 0.0
        """How long every answer takes."""
        self.loses_events = False
        """Events are journalled and not published."""
        self.forgets_events = False
        """The journal has nothing to give."""
        self.asked: list[Any] = []
        self.deadlines_ms: dict[type, int] = {}
        """By kind of request, how late the last one may be begun with; 0: however late."""
        self.before_account_report: Callable[[], None] = lambda: None
        self.state = State()
        self.batches: list[EventBatch] = []
        self.users = {
            TRADER: User(1, TRADER, password_hash(), "trader", 1),
            OTHER: User(2, OTHER, password_hash(), "trader", 2),
            ADMIN: User(3, ADMIN, password_hash(), "admin", 0),
            DEALER: User(4, DEALER, password_hash(), "dealer", 0),
        }
        self.people: Callable[[Any], Any] = self.know
        self.acts: list[RecordAct | RecordOutcome] = []
        self.backlog: list[Tick] = []
        self.books: dict[str, StreamDepth] = {}
        self.depth_topics: list[bytes] = []
        """Subscriptions to books, and their ends, as they came."""
        oanda = Lp("OANDA", "oanda", {"EURUSD": "EUR_USD"}, settings={"token_env": "LP_TOKEN"})
        known = Known(frozenset(INSTRUMENTS), frozenset({"oanda", "acme"}))
        self.lps = LpDesk(Registry(1, {"OANDA": oanda}, 1, "config", "the first start"), None, known, 1)
        self.seen: tuple[LpStatus, ...] = ()
        self.feeds = [FeedStatus("oanda", True, "", time.time_ns(), 50, {"zero": 942, "crossed": 4})]
        self._ticks = sockets.snapshot_publisher(context, where.ticks)
        self._events = sockets.publisher(context, where.events)
        self._subscriptions = Inlet(self._ticks, self._on_subscriptions)
        self._services = [
            _Service(self, "engine", sockets.router(context, where.engine), EngineRequest, self._engine),
            _Service(self, "persistence", sockets.router(context, where.history), HistoryRequest, self._history),
            _Service(self, "fix-lp", sockets.router(context, where.fix_lp), FixRequest, lambda _asked: FixSessions([])),
            _Service(self, "aggregator", sockets.router(context, where.aggregator), AggregatorRequest, self._ask_ticks),
        ]
        fix_store = SqliteStore(":memory:")
        self.fix = Acceptor([FIX_SESSION], fix_store, _Unused(), time.time_ns)
        with fix_store.transaction():
            fix_store.save("DEMO", Sequences(7, 5, 1_000_000_000), [])
        self.fix.seat("DEMO").reread()
        served = Served("client", self.fix.seat("DEMO"), fix_store, lambda: 2_000_000_000)
        self.fix_desk = SessionDesk(sockets.router(context, where.fix_clients), [served], time.time_ns)
        for terms in INSTRUMENTS.values():
            self.tell(DefineInstrument(terms))
        self.tell(SetApprovalLimits({"USD": 1_000_00}))
        for account_id in (1, 2):
            self.tell(OpenAccount(account_id, "USD"))
            self.tell(Deposit(account_id, 10_000_000, f"opening-{account_id}", "test"))

    async def run(self) -> None:
        await asyncio.gather(
            self._subscriptions.run(),
            self._heartbeat(),
            self.fix_desk.inlet.run(),
            *(service.inlet.run() for service in self._services),
        )

    def tell(self, told: Input) -> list[Event]:
        """The engine deals with an input, journals and publishes."""
        first_seq = self.state.event_seq + 1
        events = broker.apply(self.state, told, time.time_ns())
        if events:
            batch = EventBatch(first_seq, time.time_ns(), events)
            self.batches.append(batch)
            if not self.loses_events:
                self._events.send(codec.encode(batch, topics.EVENTS))
        return events

    def tick(self, symbol: str, bid: str, ask: str, *, live: bool = True, lost: bool = False) -> Tick:
        """A tick of the aggregator, to the engine and the public; `lost`: not to the public."""
        last = self.state.ticks.get(symbol)
        seq = last.seq + 1 if last else 1_000
        tick = Tick(symbol, seq, time.time_ns(), parse_e8(bid), parse_e8(ask), "oanda", "binance", live)
        self.backlog.append(tick)
        self.tell(ObserveStream(time.time_ns(), ()))
        self.tell(ObserveTicks((tick,)))
        if not lost:
            self._ticks.send(codec.encode([tick], topics.tick(symbol)))
        return tick

    def depth(self, symbol: str, number: int, bids: list[Level], asks: list[Level]) -> None:
        """A book of the aggregator, to those who subscribe to it."""
        depth = self.books[symbol] = StreamDepth(symbol, number, time.time_ns(), 1_000, Depth(bids, asks))
        self._ticks.send(codec.encode(depth, topics.depth(symbol)))

    def publish(self, frame: bytes, *, events: bool = False) -> None:
        (self._events if events else self._ticks).send(frame)

    def beat(self) -> None:
        """What the streams tell once a second."""
        now_ns = time.time_ns()
        self.tell(ObserveStream(now_ns, ()))
        last_seq = {tick.symbol: tick.seq for tick in self.state.ticks.values()}
        self._ticks.send(codec.encode(StreamAlive(now_ns, last_seq), topics.ALIVE))
        self._ticks.send(codec.encode(StreamStatus(now_ns, self.feeds, self.seen), topics.STATUS))
        self._events.send(codec.encode(EventBatch(self.state.event_seq + 1, now_ns, []), topics.EVENTS))

    async def _heartbeat(self) -> None:
        while True:
            if not self.silent:
                self.beat()
            await asyncio.sleep(0.2)

    def _on_subscriptions(self, messages: list[list[bytes]]) -> None:
        for (frame,) in messages:
            if frame[1:].startswith(topics.DEPTH_PREFIX):
                self.depth_topics.append(frame)
            if frame[:1] == b"\1":
                for symbol, depth in self.books.items():
                    if topics.depth(symbol).startswith(frame[1:]):
                        self._ticks.send(codec.encode(depth, topics.depth(symbol)))
                for tick in self.state.ticks.values():
                    if topics.tick(tick.symbol).startswith(frame[1:]):
                        self._ticks.send(codec.encode([tick], topics.tick(tick.symbol)))

    def _engine(self, body: Any) -> Any:
        match body:
            case Ping():
                return Pong(ready=True, detail="", seq=self.state.event_seq)
            case GetInstruments():
                return Instruments(list(self.state.instruments.values()))
            case GetAccount():
                return self._report(body.account_id)
            case GetPreview():
                return reports.preview_report(self.state, body, time.time_ns())
            case GetLotSize():
                return reports.lot_size_report(self.state, body, time.time_ns())
            case GetExposure():
                return reports.exposure_report(self.state)
            case GetEvents():
                known = [] if self.forgets_events else self.batches
                return Events([batch for batch in known if batch.first_seq >= body.first_seq])
            case GetTerms():
                return desk_reports.terms(self.state)
            case GetChanges():
                return desk_reports.changes(self.state, body)
            case GetAccounts():
                return desk_reports.accounts(self.state, body)
            case GetMoneyRequests():
                return desk_reports.money_requests(self.state, body)
            case GetBreaks():
                return desk_reports.breaks(self.state)
            case GetExposure():
                return reports.exposure_report(self.state)
            case GetExplanation():
                return Refusal("UNKNOWN_FILL", f"there is no fill {body.fill_id}")
            case PreviewRoute():
                return desk_reports.preview(self.state, body, time.time_ns())
        if not self.silent:
            self.tell(ObserveStream(time.time_ns(), ()))  # A machine may stand still between two beats.
        repeated = not self.tell(body)
        if isinstance(body, RequestMoney):
            number = self.state.requests.by_key[body.movement.key].request_id
            return desk_reports.money_report(self.state, number)
        if isinstance(body, DecideRequest):
            return desk_reports.money_report(self.state, body.request_id)
        if not isinstance(body, SubmitOrder | ClosePosition | ClosePositionBy | ClosePositions | ReversePosition):
            return Done(self.state.event_seq)
        outcome = self.state.accounts[body.account_id].outcomes[body.client_order_id]
        return OrderReport(self.state.event_seq, outcome, repeated)

    def _report(self, account_id: int) -> AccountReport:
        state = self.state
        account = account_of(state, account_id)
        report = AccountReport(
            state.event_seq,
            state.summary(account, time.time_ns()),
            [
                PositionReport(
                    position,
                    margin.closing_price_e8(position.side, state.ticks[position.symbol]),
                    margin.profit_minor(
                        position, state.instruments[position.symbol], state.crosses, state.ticks, account.currency
                    ),
                )
                for position in account.positions.values()
            ],
            list(account.orders.values()),
            account.group,
            dict(account.requirements),
        )
        self.before_account_report()
        return report

    def _history(self, body: Any) -> Any:
        events = [event for batch in self.batches for event in batch.events]
        match body:
            case Ping():
                return Pong(ready=True, detail="", seq=self.state.event_seq)
            case _ if isinstance(body, PeopleRequest):
                return self.people(body)
            case GetOrders():
                orders = {e.order.order_id: e.order for e in events if isinstance(e, ORDER_EVENTS)}
                mine = [o for o in orders.values() if o.account_id == body.account_id]
                return Orders(_page(mine, body, lambda o: o.order_id))
            case GetFills():
                fills = [e.fill for e in events if isinstance(e, OrderFilled)]
                mine_too = [f for f in fills if f.account_id == body.account_id]
                return Fills(_page(mine_too, body, lambda f: f.fill_id))
            case GetEntries():
                return Entries(_page(_lines(events, body.account), body, lambda line: line.entry_id))
            case GetTransactions():
                whole = [line for line in _lines(events, body.account) if line.currency == body.currency]
                later = [x for x in whole if x.entry_id > body.after_id and x.time_ns >= body.start_ns]
                opening = [x.balance_minor for x in whole if x not in later]
                within = [x for x in later if x.time_ns < body.end_ns]
                return Transactions(opening[-1] if opening else 0, within[: body.limit])
            case GetTickHistory():
                ticks = [t for t in self.backlog if t.symbol == body.symbol and t.seq < (body.before_seq or 2**62)]
                return Ticks(body.symbol, ticks[-body.limit :])
        assert isinstance(body, GetBars)
        bars: dict[int, Bar] = {}
        for bar in (bar_of(t, body.minutes * MINUTE_NS) for t in self.backlog if t.symbol == body.symbol):
            bars[bar.start_ns] = join(bars[bar.start_ns], bar) if bar.start_ns in bars else bar
        return Bars(body.symbol, body.minutes, list(bars.values())[-body.limit :])

    def know(self, told: Any) -> Any:
        """Enough of people to log in and to act; `people` may be set to a store that knows more."""
        match told:
            case BeginLogin():
                return LoginTicket(self.users.get(told.username), 0)
            case OpenSession():
                user = next(user for user in self.users.values() if user.user_id == told.user_id)
                return Session(1, 1, told.ends_ns, user)
            case RecordAct() | RecordOutcome():
                self.acts.append(told)
                return Recorded(len(self.acts))
            case GetRevocations():
                return Revocations([])
        return Refusal("UNKNOWN_USER", "this store knows nobody")

    def _ask_ticks(self, body: Any) -> Any:
        if isinstance(body, GetLps | LpChange):
            return self.lps.serve(body, time.time_ns())
        if isinstance(body, GetTicks):
            kept = [tick for tick in self.backlog if tick.symbol == body.symbol and tick.seq > body.after_seq]
            return Ticks(body.symbol, kept)
        return Pong(ready=True, detail="", seq=0)


class _Service:
    """One ROUTER: every request to `serve`, every answer back."""

    def __init__(
        self, owner: FakeBroker, name: str, socket: zmq.Socket[bytes], kind: Any, serve: Callable[[Any], Any]
    ) -> None:
        self.inlet = Inlet(socket, self._on_requests)
        self._owner = owner
        self._name = name
        self._socket = socket
        self._decode = codec.decoder(kind)
        self._serve = serve

    def _on_requests(self, messages: list[list[bytes]]) -> None:
        for identity, request in ((told[0], self._decode(frame)) for told in messages for frame in told[1:]):
            self._owner.asked.append(request.body)
            self._owner.deadlines_ms[type(request.body)] = getattr(request, "deadline_ms", 0)
            if self._name in self._owner.mute:
                continue
            try:
                answer = self._serve(request.body)
            except Refused as refusal:
                answer = Refusal(refusal.code.value, refusal.detail, refusal.field)
            frames = [identity, codec.encode(Reply(request.request_id, answer))]
            asyncio.get_running_loop().call_later(self._owner.delay_s, self._send, frames)

    def _send(self, frames: list[bytes]) -> None:
        self._socket.send_multipart(frames)
        self.inlet.look_again()


def _page(items: list[Any], query: Any, id_of: Callable[[Any], int]) -> list[Any]:
    return [item for item in reversed(items) if id_of(item) < (query.before_id or 2**62)][: query.limit]


def _lines(events: list[Event], account: str) -> list[LedgerLine]:
    lines: list[LedgerLine] = []
    balance = 0
    for event in events:
        for posting in _postings(event):
            for entry in posting.entries:
                if entry.account != account:
                    continue
                balance += entry.amount_minor
                lines.append(
                    LedgerLine(
                        len(lines) + 1,
                        posting.posting_id,
                        posting.kind.value,
                        posting.reference,
                        posting.time_ns,
                        account,
                        entry.currency,
                        entry.amount_minor,
                        balance,
                    )
                )
    return lines


def _postings(event: Event) -> tuple[Posting, ...]:
    if isinstance(event, OrderFilled):
        return event.postings
    return (event.posting,) if isinstance(event, MoneyMoved) else ()


async def eventually(what: Callable[[], Any] | Callable[[], Awaitable[Any]], patience_s: float = 90.0) -> Any:
    """Waits until `what()` is true, and gives it."""
    async with asyncio.timeout(patience_s):
        while True:
            got = what()
            if asyncio.iscoroutine(got):
                got = await got
            if got:
                return got
            await asyncio.sleep(0.01)
