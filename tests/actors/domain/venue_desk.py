"""A desk that sends orders to venues, for tests of what venues say; what must hold is looked at after every step."""

from actors.domain.broker import apply
from actors.domain.commands import (
    DefineRules,
    Input,
    Mode,
    ObserveStream,
    ObserveTicks,
    ReportExecution,
)
from actors.domain.dealing.covered import closing_e8
from actors.domain.dealing.oco import is_held
from actors.domain.events.event import Event
from actors.domain.events.orders import Cover, OrderFilled
from actors.domain.events.venues import ChildSent
from actors.domain.evolution import evolve
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderReason, OrderType, Side, TimeInForce
from actors.domain.routing.child import UNSAID, ChildOrder, ReportKind, VenueReport
from actors.domain.routing.rulebook import Book, Rule
from actors.domain.snapshot import restore, snapshot
from actors.domain.state import State
from actors.domain.trigger import Reached, Triggers, Waiting
from actors.domain.waiting import see, waits_for_e8
from tests.examples import ACCOUNT, START_NS, encoded, order, tick, trading_state

BUY, SELL = Side.BUY, Side.SELL
NOW_NS = START_NS + 1_000
VENUES = ("LMAX", "CURRENEX")
A_BOOK = Rule(rule_id=1, name="all to venues", book=Book.A_BOOK, venues=VENUES)
B_BOOK = Rule(rule_id=2, name="ours", book=Book.B_BOOK)
SPLIT = Rule(rule_id=1, name="a third to venues", book=Book.SPLIT, venues=VENUES, share_e8=e8("0.3"))


class Desk:
    """A state, and the events that came of it."""

    def __init__(self, rule: Rule | None = A_BOOK, deposit: str = "10000.00", mode: Mode = Mode.HEDGING) -> None:
        self.state: State = trading_state(deposit, mode=mode)
        self.now_ns = NOW_NS
        if rule is not None:
            self.tell(DefineRules((rule,), VENUES))

    def tell(self, told: Input) -> list[Event]:
        """Beside it a copy takes the prices and the events in, as recovery from the journal does."""
        copy = restore(snapshot(self.state))
        events = apply(self.state, told, self.now_ns)
        if isinstance(told, ObserveTicks):
            for one in told.ticks:
                see(copy, one)
        elif isinstance(told, ObserveStream):
            copy.observe_stream(told.alive_ns, told.behind)
        for event in events:
            evolve(copy, event)
        assert encoded(copy) == encoded(self.state)
        check(self.state)
        return events

    def tick(self, bid: str, ask: str = "", symbol: str = "EURUSD") -> list[Event]:
        """Now."""
        seq = self.state.ticks[symbol].seq + 1
        return self.tell(ObserveTicks((tick(symbol, bid, ask or bid, seq, time_ns=self.now_ns),)))

    def says(
        self, kind: ReportKind, child_id: str, quantity: str = "0", price: str = "0", exec_id: str = "e1"
    ) -> list[Event]:
        return self.tell(ReportExecution(self.report(kind, child_id, quantity, price, exec_id)))

    def report(
        self, kind: ReportKind, child_id: str, quantity: str = "0", price: str = "0", exec_id: str = "e1"
    ) -> VenueReport:
        venue = self.state.books.find(child_id).child.venue
        return VenueReport(venue, child_id, exec_id, kind, e8(quantity), e8(price), UNSAID, UNSAID, "", START_NS)

    @property
    def account(self):  # type: ignore[no-untyped-def]
        return self.state.accounts[ACCOUNT]

    @property
    def positions(self) -> list[tuple[Side, int, int, int]]:
        return [(it.side, it.quantity_e8, it.open_price_e8, it.a_book_e8) for it in self.account.positions.values()]


def check(state: State) -> None:
    """What holds after every step: no quantity lost or doubled, money sums to zero, a restored state is equal."""
    assert state.ledger.is_balanced()
    left: dict[int, int] = {}
    for sent in state.books.open.values():
        left[sent.child.parent_id] = left.get(sent.child.parent_id, 0) + sent.child.left_e8
    net_at_venues: dict[str, int] = {}
    for account in state.accounts.values():
        orders = account.orders.values()
        assert account.reserved_minor == sum(it.reserved_minor for it in orders)
        for it in orders:
            assert it.at_venue_e8 == left.get(it.order_id, 0)
            assert it.at_venue_e8 + it.filled_e8 <= it.quantity_e8
            assert it.reserved_minor >= 0
        for position in account.positions.values():
            assert 0 <= position.a_book_e8 <= position.quantity_e8
            signed_e8 = position.quantity_e8 if position.side is BUY else -position.quantity_e8
            net_at_venues[position.symbol] = net_at_venues.get(position.symbol, 0) + signed_e8
    for symbol, desk in state.books.desks.items():
        assert desk.b_book_clients.net_e8 + desk.a_book_clients.net_e8 == net_at_venues.get(symbol, 0)
        assert sum(desk.at_venues_e8.values()) == desk.a_book_clients.net_e8 + desk.coverage_e8
    assert encoded(restore(snapshot(state))) == encoded(state)
    assert forgotten(state) == []


def forgotten(state: State) -> list[Reached]:
    """What should wait for a price, for no venue has a part in it, and does not."""
    watched = {
        entry
        for classes in state.prices.values()
        for one in classes.by_markup.values()
        for entry in entries(one.triggers)
    }
    wanted = []
    for account in state.accounts.values():
        number = account.account_id
        for it in account.orders.values():
            if not it.at_venue_e8 and not is_held(account, it):
                mark = it.trail_seq if it.terms.type is OrderType.TRAILING_STOP else waits_for_e8(it)
                wanted.append(Reached(Waiting.ORDER, it.order_id, number, mark))
        for position in account.positions.values():
            if closing_e8(account, position) < position.quantity_e8:
                stop_e8, profit_e8 = position.stop_loss_e8, position.take_profit_e8
                trail_seq = position.trail_seq if position.trailing_stop_e8 else 0
                marks = {Waiting.STOP_LOSS: stop_e8, Waiting.TAKE_PROFIT: profit_e8, Waiting.TRAILING_STOP: trail_seq}
                wanted += [Reached(what, position.position_id, number, mark) for what, mark in marks.items() if mark]
    return [one for one in wanted if one not in watched]


def entries(triggers: Triggers) -> list[Reached]:
    heaps = (triggers._bid_falls, triggers._bid_rises, triggers._ask_falls, triggers._ask_rises)
    trails = (triggers.below_bid, triggers.above_ask)
    return [it for heap in heaps for _, it in heap] + [it.waiting for trail in trails for it in trail.followed()]


def kinds(events: list[Event]) -> list[type]:
    return [type(event) for event in events]


def sent(event: Event) -> tuple[str, str, Side, int, int, tuple[str, ...], TimeInForce]:
    assert isinstance(event, ChildSent)
    it: ChildOrder = event.sent.child
    return it.child_id, it.venue, it.side, it.quantity_e8, it.bound_e8, event.sent.venues, event.sent.time_in_force


def children(events: list[Event]) -> list[tuple[str, str, int]]:
    """Id, venue and quantity of what was sent."""
    sent = [event.sent.child for event in events if isinstance(event, ChildSent)]
    return [(child.child_id, child.venue, child.quantity_e8) for child in sent]


def fills(events: list[Event]) -> list[tuple[OrderReason, int, int, Cover | None]]:
    """Why, of which position, how much, and the venue's part in it."""
    found = [event for event in events if isinstance(event, OrderFilled)]
    return [(it.order.reason, it.fill.position_id, it.fill.quantity_e8, it.cover) for it in found]


def opened(desk: Desk, *trades: tuple[str, str, str, Rule]) -> None:
    """Positions 1, 2, ...: side, quantity and price, and the rule by which each is dealt."""
    for number, (side, quantity, price, rule) in enumerate(trades):
        desk.tell(DefineRules((rule,), VENUES))
        events = desk.tell(order("EURUSD", BUY if side == "buy" else SELL, quantity, f"open-{number}"))
        for child_id, _, quantity_e8 in children(events):
            assert quantity_e8 == e8(quantity)
            desk.says(ReportKind.FILL, child_id, quantity, price)


def losing(deposit: str = "1300.00") -> Desk:
    """Three longs of 10,000, two of them at LMAX: 366.37 of margin each; the second is the worst."""
    desk = Desk(deposit=deposit)
    opened(
        desk, ("buy", "10000", "1.10020", A_BOOK), ("buy", "10000", "1.10100", A_BOOK), ("buy", "10000", "0", B_BOOK)
    )
    return desk
