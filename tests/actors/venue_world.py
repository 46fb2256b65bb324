"""An engine, a dispatcher on a real store, and the simulated OANDA's account, in one thread, with time as told.

The engine is the domain alone; its journal is a list. A dispatcher may be killed at any commit of its store, before it
or just after it; what it had asked for then is done by the venue or is not, as the fault plan says.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pykka

from actors.bus import codec, topics
from actors.bus.answers import Done, Events, Refusal, Reply
from actors.bus.desk_answers import ExposureReport
from actors.bus.requests import EngineRequest, GetEvents, GetExposure
from actors.bus.streams import EventBatch
from actors.dispatch.dispatcher import Dispatcher
from actors.dispatch.venue_calls import (
    AskHoldings,
    Beat,
    BusHeard,
    HoldingsHeard,
    Inquire,
    Inquired,
    Linked,
    NotPlaced,
    Place,
    Placed,
    RecordHeard,
    Registered,
    Told,
    VenueCall,
    Work,
)
from actors.domain import broker
from actors.domain.commands import (
    DefineInstrument,
    DefineRules,
    Deposit,
    Input,
    ObserveStream,
    ObserveTicks,
    OpenAccount,
)
from actors.domain.events.event import Event
from actors.domain.events.venues import BreakFound, ChildChanged
from actors.domain.money import format_e8, parse_e8
from actors.domain.refusal import Refused
from actors.domain.routing.books import SentChild
from actors.domain.routing.rulebook import Book as DealingBook
from actors.domain.routing.rulebook import Rule
from actors.domain.state import State
from actors.store.dispatch import Dispatch
from gateway.venues.execution import Heard, Holdings, Said
from gateway.venues.oanda.orders import Precision, Transaction, order_body, said_in
from tests.examples import ACCOUNT, EURUSD, SECOND_NS, START_NS, tick
from tools.venues.oanda.book import Book
from tools.venues.oanda.book import Transaction as Made
from tools.venues.oanda.dealing import Dealer
from tools.venues.oanda.faults import HALF
from tools.venues.oanda.wire import date_time

STEP_NS = SECOND_NS // 10
ARRIVAL_LIMIT_NS = 8 * SECOND_NS
LATE_NS = 6 * SECOND_NS
"""A late order comes after the engine has asked for it."""
RULES = (
    Rule(rule_id=1, name="all", book=DealingBook.A_BOOK, venues=("OANDA",), quantity_min_e8=parse_e8("1000")),
    Rule(rule_id=2, name="default", book=DealingBook.B_BOOK),
)
decode_request = codec.decoder(EngineRequest)
Fill = tuple[str, str, str, str]
"""Client's name of the order at the venue, exec_id, signed units, price."""


class Killed(Exception):
    pass


class FragileDispatch(Dispatch):
    """Dies at its `at`-th commit from now: before it, or (`after`) when it is on the disk. 0: never."""

    commits = 0
    at = 0
    after = False

    @contextlib.contextmanager
    def _whole(self) -> Iterator[None]:
        cls = type(self)
        cls.commits += 1
        dies = cls.commits == cls.at
        with super()._whole():
            yield
            if dies and not cls.after:
                raise Killed
        if dies:
            raise Killed


class World:
    def __init__(self, path: Path, faults: list[str]) -> None:
        self._path = path
        self._faults = faults
        self.now_ns = START_NS
        self.state = State()
        self.events: list[Event] = []
        self.batches: list[EventBatch] = []
        self.latest = {"EUR_USD": ("1.10000", "1.10020")}
        self.book = Book("101-001-1-001", self._date())
        self._dealer = Dealer(self.book, self.latest)
        self._late: list[tuple[int, Place]] = []
        self._calls: list[VenueCall] = []
        self._inbox: tuple[list[bytes], list[bytes]] = ([], [])
        self.kills = 0
        self.sent: list[str] = []
        """The client id of each order that was given out to be placed."""
        for told in (DefineInstrument(EURUSD), OpenAccount(ACCOUNT, "USD"), Deposit(ACCOUNT, 10**8, "d", "test")):
            self.tell(told)
        self.tell(DefineRules(RULES, ("OANDA",)))
        self.tell(ObserveStream(self.now_ns, ()))
        self.tell(ObserveTicks((tick("EURUSD", "1.10000", "1.10020"),)))
        self._start()

    def tell(self, told: Input) -> None:
        events = broker.apply(self.state, told, self.now_ns)
        if events:
            batch = EventBatch(len(self.events) + 1, self.now_ns, list(events))
            self.events += events
            self.batches.append(batch)
            self._inbox[0].append(codec.encode(batch, topics.EVENTS))

    def step(self) -> None:
        """A tenth of a second. A dispatcher that dies in it is started again."""
        self.now_ns += STEP_NS
        self.tell(ObserveStream(self.now_ns, ()))
        heartbeat = EventBatch(len(self.events) + 1, self.now_ns, [])
        (events, replies), self._inbox = self._inbox, ([], [])
        try:
            self._ask(BusHeard(self.now_ns, [*events, codec.encode(heartbeat, topics.EVENTS)], replies))
            calls, self._calls = self._calls, []
            for call in calls:
                self._ask(self._answer(call))
            for due_ns, place in list(self._late):
                if self.now_ns >= due_ns:
                    self._late.remove((due_ns, place))
                    self._deal(place)
            self._hear_record()
            self._ask(Beat(self.now_ns))
        except Killed:
            self.kills += 1
            self._start()

    def enable(self, takes_orders: bool) -> None:
        """The registry has the venue enabled or not from now on."""
        self._ask(Registered(self.now_ns, {"EURUSD": "EUR_USD"}, takes_orders))

    def close(self) -> None:
        self._actor.stop()
        self._store.close()

    def run(self, until_ns: int = 90 * SECOND_NS) -> None:
        """Until no child order is open and no report waits, and a little longer; fails where that never comes."""
        end_ns, calm = self.now_ns + until_ns, 0
        while calm < 30:
            assert self.now_ns < end_ns, self.state.books.open
            self.step()
            calm = calm + 1 if not self.state.books.open and self._store.is_quiet else 0

    def deal_by_hand(self) -> None:
        """Somebody else deals on the account."""
        order = {"type": "MARKET", "instrument": "EUR_USD", "units": "7", "timeInForce": "FOK"}
        self._dealer.submit(order, self._date())

    def venue_fills(self) -> list[Fill]:
        fills = [it for it in self.book.transactions if it["type"] == "ORDER_FILL"]
        return [(it["clientOrderID"], it["id"], it["units"], it["fullVWAP"]) for it in fills]

    def engine_fills(self) -> list[Fill]:
        """Of the journal, in the venue's words."""
        found = []
        for event in self.events:
            if isinstance(event, ChildChanged) and event.fill is not None:
                child, fill = event.child, event.fill
                units = format_e8(fill.quantity_e8 if child.side.value == "buy" else -fill.quantity_e8)
                name = f"{child.child_id}-{child.sent_ns}"
                found.append((name, fill.exec_id, units, format_e8(fill.price_e8, 5)))
        return sorted(found, key=lambda fill: int(fill[1]))

    def breaks(self) -> list[BreakFound]:
        return [event for event in self.events if isinstance(event, BreakFound)]

    def lose_store(self) -> None:
        self._store.close()
        for path in self._path.parent.glob("*"):
            path.unlink()
        self._start()

    def _start(self) -> None:
        """The dispatcher, again where it dies while it starts. Sockets and calls of the one before are gone."""
        while True:
            pykka.ActorRegistry.stop_all()
            self._calls = []
            try:
                self._start_once()
                return
            except Killed:
                self.kills += 1

    def _start_once(self) -> None:
        self._store = FragileDispatch(self._path, self.now_ns)
        actor = Dispatcher.start("OANDA", {"EURUSD": "EUR_USD"}, self._store, self.now_ns)
        self._actor: pykka.ActorRef[Dispatcher] = actor
        self._hear_record()
        self._ask(Linked(self.now_ns, True, "", ARRIVAL_LIMIT_NS))

    def _ask(self, told: Told) -> None:
        work: Work = self._actor.ask(told, block=True)
        for frame in work.frames:
            request = decode_request(frame)
            self._inbox[1].append(codec.encode(Reply(request.request_id, self._obeyed(request))))
        self.sent += [call.order.client_id for call in work.calls if isinstance(call, Place)]
        self._calls += work.calls

    def _obeyed(self, request: EngineRequest) -> Done | Refusal | Events | ExposureReport:
        body = request.body
        if isinstance(body, GetEvents):
            return Events([it for it in self.batches if it.first_seq + len(it.events) > body.first_seq][:3])
        if isinstance(body, GetExposure):
            children: list[SentChild] = list(self.state.books.open.values())
            return ExposureReport(len(self.events), [], children)
        try:
            self.tell(body)  # type: ignore[arg-type]
        except Refused as refusal:
            return Refusal(refusal.code.value, refusal.detail)
        return Done(len(self.events))

    def _answer(self, call: VenueCall) -> Told:
        if isinstance(call, Place):
            return self._placed(call)
        if isinstance(call, Inquire):
            return Inquired(self.now_ns, call.child_id, self._inquired(call))
        assert isinstance(call, AskHoldings)
        return HoldingsHeard(self.now_ns, Holdings(self.book.last_id, {}))

    def _placed(self, call: Place) -> Told:
        fault = self._faults.pop(0) if self._faults else ""
        if fault == "away":
            return NotPlaced(self.now_ns, call.child_id, "no connection", False)
        if fault == "late":
            self._late.append((self.now_ns + LATE_NS, call))
        elif fault != "swallow":
            said = said_of(self._deal(call, fault))
            if fault != "cut":
                return Placed(self.now_ns, call.child_id, said)
        return Placed(self.now_ns, call.child_id, None)

    def _deal(self, call: Place, fault: str = "") -> list[Made]:
        return self._dealer.submit(
            order_body(call.order, Precision(5, 0))["order"],
            self._date(),
            share=HALF if fault == "partial" else HALF * 2,
            reject="INSTRUMENT_NOT_TRADEABLE" if fault == "reject" else "",
            cancel="MARKET_HALTED" if fault == "cancel" else "",
        )

    def _inquired(self, call: Inquire) -> list[Said] | None:
        order = self.book.order(f"@{call.client_id}")
        if order is not None:
            numbers = [order[name] for name in ("fillingTransactionID", "cancellingTransactionID") if name in order]
            return said_of([self.book.transactions[int(number) - 1] for number in numbers])
        said = said_of(self.book.transactions[int(call.cursor) :])
        return [it for it in said if it.client_id == call.client_id] or None

    def _hear_record(self) -> None:
        cursor = self._store.cursor
        if cursor != self.book.last_id:
            said = said_of(self.book.transactions[int(cursor) :]) if cursor else []
            self._ask(RecordHeard(self.now_ns, Heard(self.book.last_id, said)))

    def _date(self) -> str:
        return date_time(self.now_ns, unix=False)


def said_of(made: list[Made]) -> list[Said]:
    """As the adapter reads them."""
    read = [Transaction(it["id"], it["type"], time=it["time"]) for it in made]
    for transaction, it in zip(read, made, strict=True):
        transaction.order_id = it.get("orderID", "")
        transaction.client_order_id = it.get("clientOrderID", it.get("clientExtensions", {}).get("id", ""))
        transaction.units, transaction.full_vwap = it.get("units", ""), it.get("fullVWAP", "")
        transaction.reason, transaction.reject_reason = it.get("reason", ""), it.get("rejectReason", "")
    return said_in(read)
