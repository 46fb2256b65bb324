"""The engine with an A-book: venues fill, refuse, are silent; what they say comes late, twice, mixed up, or is false.

A venue of these tests keeps its own record of what it has dealt. What it says truly may be lost on the way and said
again; a lie is something that it never did. Nothing that is true is lost or doubled, and no lie moves money twice.
"""

from collections import Counter
from collections.abc import Iterator

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from actors.domain.commands import DefineHedge, DefineRules, ReportExecution, SettleBreak
from actors.domain.events.event import Event
from actors.domain.events.venues import BreakFound, ChildChanged, ChildSent
from actors.domain.money import parse_e8 as e8
from actors.domain.order import BUY, OrderType, TimeInForce
from actors.domain.risk.requirement import Requirement
from actors.domain.routing.child import UNSAID, BreakReason, ChildOrder, ReportKind, VenueReport
from actors.domain.routing.execution import ANSWER_LIMIT_NS
from actors.domain.routing.hedge import HedgeTerms
from actors.domain.routing.rulebook import Book, Rule
from tests.actors.domain.venue_desk import VENUES
from tests.actors.domain.venue_desk import check as check_books
from tests.examples import INSTRUMENTS, SECOND_NS
from tests.properties.test_engine import ACCOUNTS, PICKS, PRICES, PROTECTIONS, SHIFTS, SIDES, SPREADS
from tests.properties.trading import Trading

SYMBOLS = st.sampled_from(["EURUSD", "EURUSD", "USDJPY", "GBPUSD"])
RULES = (
    Rule(rule_id=1, name="euros to venues", book=Book.A_BOOK, venues=VENUES, symbols=("EURUSD",)),
    Rule(
        rule_id=2, name="yen in two parts", book=Book.SPLIT, venues=VENUES[:1], share_e8=e8("0.3"), symbols=("USDJPY",)
    ),
    Rule(rule_id=3, name="the rest is ours", book=Book.B_BOOK),
)


class Venue:
    """What was truly dealt, by child order: exec_id, quantity and price; and what it has come to."""

    def __init__(self) -> None:
        self.dealt: dict[str, dict[str, tuple[int, int]]] = {}
        self.ended: dict[str, ReportKind] = {}

    def fill(self, child: ChildOrder, quarters: int, price_e8: int) -> VenueReport | None:
        """So many quarters of what is left, in whole steps; None where nothing is left, or the order is over here."""
        fills = self.dealt.setdefault(child.child_id, {})
        step_e8 = INSTRUMENTS[child.symbol].quantity_step_e8
        left_e8 = child.quantity_e8 - sum(quantity_e8 for quantity_e8, _ in fills.values())
        quantity_e8 = left_e8 if quarters == 4 else left_e8 * quarters // 4 // step_e8 * step_e8
        if child.child_id in self.ended or quantity_e8 <= 0:
            return None
        exec_id = f"{child.child_id}/{len(fills) + 1}"
        fills[exec_id] = quantity_e8, price_e8
        return report(child, ReportKind.FILL, exec_id, quantity_e8, price_e8)

    def end(self, child: ChildOrder, kind: ReportKind) -> VenueReport | None:
        """With how much it has dealt of it, so that a fill that was lost is missed."""
        fills = self.dealt.setdefault(child.child_id, {})
        filled_e8 = sum(quantity_e8 for quantity_e8, _ in fills.values())
        if child.child_id in self.ended or filled_e8 == child.quantity_e8:
            return None
        if kind is ReportKind.REJECTED and filled_e8:
            kind = ReportKind.CANCELLED
        self.ended[child.child_id] = kind
        return report(child, kind, "0", counted_e8=filled_e8)

    def story(self, child: ChildOrder) -> Iterator[VenueReport]:
        """All that it has to say of an order, again, as it does when it is asked."""
        fills = self.dealt.get(child.child_id, {})
        for exec_id, (quantity_e8, price_e8) in fills.items():
            yield report(child, ReportKind.FILL, exec_id, quantity_e8, price_e8)
        if kind := self.ended.get(child.child_id):
            yield report(child, kind, "0", counted_e8=sum(quantity_e8 for quantity_e8, _ in fills.values()))


def report(
    child: ChildOrder, kind: ReportKind, exec_id: str, quantity_e8: int = 0, price_e8: int = 0, counted_e8: int = UNSAID
) -> VenueReport:
    return VenueReport(child.venue, child.child_id, exec_id, kind, quantity_e8, price_e8, counted_e8, UNSAID, "", 0)


class AtVenues(Trading):
    """Actions of venues; `which` picks one of the child orders, the newest first."""

    def start(self) -> None:
        self.venue = Venue()
        self.children: dict[str, ChildOrder] = {}
        self.taken: dict[str, Counter[str]] = {}
        """Fills that the engine has followed, by child order and exec_id."""
        self.breaks: Counter[BreakReason] = Counter()
        super().start()
        self.tell(DefineRules(RULES, VENUES))
        self.tell(DefineHedge(HedgeTerms("GBPUSD", e8("5000"), e8("5000"), 0, VENUES)))

    def deals(self, which: int, quarters: int, slip: int, is_lost: bool) -> VenueReport | None:
        """At the market or a little off; the report may be lost on its way."""
        if not (child := self._child(which)):
            return None
        tick = self.state.ticks[child.symbol]
        away_e8 = slip * INSTRUMENTS[child.symbol].price_step_e8
        price_e8 = tick.ask_e8 + away_e8 if child.side is BUY else tick.bid_e8 - away_e8
        if child.bound_e8 and (price_e8 > child.bound_e8 if child.side is BUY else price_e8 < child.bound_e8):
            return None
        return self._say(self.venue.fill(child, quarters, price_e8), is_lost)

    def ends(self, which: int, kind: ReportKind, is_lost: bool) -> VenueReport | None:
        child = self._child(which)
        return self._say(self.venue.end(child, kind), is_lost) if child else None

    def tells_all(self, which: int, backwards: bool) -> None:
        """What an inquiry gets, in either order; or that the order is not known, where it has never arrived."""
        if child := self._child(which):
            story = list(self.venue.story(child))
            if not story and self.state.books.find(child.child_id).child.inquiries:
                self._say(self.venue.end(child, ReportKind.NOT_KNOWN), is_lost=False)
            for one in reversed(story) if backwards else story:
                self.tell(ReportExecution(one))

    def repeats(self, said: VenueReport | None) -> None:
        """Nothing new: no event."""
        if said is not None and self._is_followed(said):
            assert self.tell(ReportExecution(said)) == []
        elif said is not None:
            self.tell(ReportExecution(said))

    def lies_of(self, which: int, kind: ReportKind, quarters: int, execution: int, price: int) -> None:
        if child := self._child(which):
            is_fill = kind in (ReportKind.FILL, ReportKind.BUSTED)
            quantity_e8 = child.quantity_e8 * quarters // 4 if is_fill else 0
            price_e8 = price * INSTRUMENTS[child.symbol].price_step_e8 if is_fill else 0
            exec_id = f"{child.child_id}/{execution}"
            self.tell(ReportExecution(report(child, kind, exec_id, quantity_e8, price_e8)))

    def settle(self, which: int, quarters: int) -> None:
        """A person puts a child order right."""
        if child := self._child(which):
            price_e8 = self.state.ticks[child.symbol].bid_e8
            quantity_e8 = child.quantity_e8 * quarters // 4
            self.tell(SettleBreak(child.child_id, self._new_id(), quantity_e8, price_e8, "olga"))

    def nobody_answers(self, twice: bool) -> None:
        for _ in range(1 + twice):
            self.time_passes(ANSWER_LIMIT_NS // SECOND_NS + 1, silent=False)

    def tell_the_end(self) -> None:
        """Every venue tells all, until nothing new comes of it: then what it dealt is what the engine has."""
        for _ in range(20):
            self.nobody_answers(twice=False)
            for child in list(self.children.values()):
                if self.state.books.find(child.child_id).child.is_over and child.child_id in self.venue.ended:
                    continue
                self.venue.end(child, ReportKind.CANCELLED)
                for one in self.venue.story(child):
                    self.tell(ReportExecution(one))
            if not self.state.books.open:
                break
        assert not self.state.books.open
        for name, child in self.children.items():
            dealt_e8 = sum(quantity_e8 for quantity_e8, _ in self.venue.dealt.get(name, {}).values())
            assert self.state.books.find(name).child.filled_e8 == dealt_e8, child

    def _say(self, said: VenueReport | None, is_lost: bool) -> VenueReport | None:
        if said is not None and not is_lost:
            self.tell(ReportExecution(said))
        return said

    def _child(self, which: int) -> ChildOrder | None:
        names = list(self.children)
        return self.children[names[-1 - which % len(names)]] if names else None

    def _is_followed(self, said: VenueReport) -> bool:
        return said.kind is ReportKind.FILL and said.exec_id in self.taken.get(said.child_id, {})

    def _take(self, event: Event) -> None:
        super()._take(event)
        if isinstance(event, ChildSent):
            child = event.sent.child
            assert child.child_id not in self.children
            self.children[child.child_id] = child
        if isinstance(event, ChildChanged) and event.fill:
            taken = self.taken.setdefault(event.child.child_id, Counter())
            taken[event.fill.exec_id] += 1
            assert taken[event.fill.exec_id] == 1, "an execution is counted twice"
        if isinstance(event, BreakFound):
            self.breaks[event.found.reason] += 1

    def check(self) -> None:
        check_books(self.state)
        self.what_the_journal_gives_is_the_state()
        self.the_ledger_sums_to_zero()
        self.no_execution_is_counted_twice()
        self.a_balance_is_what_was_paid_in_and_won()
        self.a_position_is_the_sum_of_its_fills()
        self.a_netting_account_has_one_position_of_a_symbol()
        self.a_groups_net_is_that_of_its_positions()
        self.sums_of_an_account_are_those_of_its_positions()
        self.equity_is_balance_and_open_profit()

    def a_margin_status_is_exact(self) -> None:
        """Not so here: what is to be closed waits for its venue."""

    def _check_trails(self, gone: set[tuple[str, int]], reached: set[tuple[str, int]]) -> None:
        """Not so here: what was reached stays until its venue has answered."""

    def _check_free_margin(self, events: list[Event], before: dict[tuple[int, str], Requirement]) -> None:
        """Where the engine itself decides. A venue's price may be worse than the one that the margin was kept for."""
        if not any(isinstance(event, ChildChanged) for event in events):
            super()._check_free_margin(events, before)


class HonestVenues(RuleBasedStateMachine, AtVenues):
    """Nothing that a venue says is false; but it may be lost, repeated, late and out of order."""

    said = Bundle("said")
    sent = Bundle("sent")

    begin = initialize()(AtVenues.start)
    step = rule(symbol=SYMBOLS, shift=st.integers(-4, 4), spread=SPREADS)(AtVenues.step)
    move = rule(symbol=SYMBOLS, shift=SHIFTS, spread=SPREADS, skip=st.just(1))(AtVenues.move)
    reach = rule(which=PICKS, spread=st.integers(0, 3), beyond=st.integers(-3, 3))(AtVenues.reach)
    time_passes = rule(seconds=st.sampled_from([1, 2, 3]), silent=st.just(False))(AtVenues.time_passes)
    nobody_answers = rule(twice=st.booleans())(AtVenues.nobody_answers)
    at_the_market = rule(
        target=sent,
        account_id=ACCOUNTS,
        symbol=SYMBOLS,
        side=SIDES,
        size=st.integers(1, 10),
        protections=PROTECTIONS,
        reduce_only=st.sampled_from([False, False, False, True]),
    )(AtVenues.submit)
    to_wait = rule(
        target=sent,
        account_id=ACCOUNTS,
        symbol=SYMBOLS,
        side=SIDES,
        kind=st.sampled_from([kind for kind in OrderType if kind is not OrderType.MARKET]),
        prices=PRICES,
        protections=PROTECTIONS,
        force=st.sampled_from(TimeInForce),
        reduce_only=st.just(False),
        oco=st.sampled_from(["", "pair", "other"]),
    )(AtVenues.submit_waiting)
    change_order = rule(which=PICKS, change=st.sampled_from(["price", "oco", "back"]), prices=PRICES)(
        AtVenues.modify_order
    )
    cancel_order = rule(which=PICKS)(AtVenues.cancel_order)
    modify_position = rule(which=PICKS, protections=PROTECTIONS, trail_only=st.booleans())(AtVenues.modify_position)
    close_one = rule(target=sent, which=PICKS, quarters=st.integers(0, 4))(AtVenues.close)
    close_two = rule(target=sent, which=PICKS, other=PICKS)(AtVenues.close_by)
    turn_round = rule(target=sent, which=PICKS)(AtVenues.reverse)
    withdraw = rule(account_id=ACCOUNTS, left_minor=st.integers(-1, 10_000))(AtVenues.withdraw)
    fill = rule(
        target=said,
        which=PICKS,
        quarters=st.sampled_from([1, 2, 4, 4, 4]),
        slip=st.integers(0, 3),
        is_lost=st.booleans(),
    )(AtVenues.deals)
    end = rule(
        target=said,
        which=PICKS,
        kind=st.sampled_from([ReportKind.REJECTED, ReportKind.CANCELLED, ReportKind.EXPIRED]),
        is_lost=st.booleans(),
    )(AtVenues.ends)
    tell_all = rule(which=PICKS, backwards=st.booleans())(AtVenues.tells_all)
    repeat_a_report = rule(said=said)(AtVenues.repeats)
    repeat = rule(command=sent)(AtVenues.repeat)
    reuse_an_id = rule(command=sent)(AtVenues.reuse_an_id)
    restart_from_a_snapshot = rule()(AtVenues.restart_from_a_snapshot)
    restart_from_the_journal = rule()(AtVenues.restart_from_the_journal)

    def teardown(self) -> None:
        if hasattr(self, "told"):
            self.tell_the_end()
            assert set(self.breaks) <= {BreakReason.STILL_UNKNOWN}
            assert self.state.books.breaks == {}
            self.check_replay()


class AnyVenues(HonestVenues):
    """And ones that lie."""

    lie = rule(
        which=PICKS,
        kind=st.sampled_from(ReportKind),
        quarters=st.integers(0, 8),
        execution=st.integers(1, 4),
        price=st.sampled_from([0, 1, 109_990, 110_100, 150_000]),
    )(AtVenues.lies_of)
    settle = rule(which=PICKS, quarters=st.integers(0, 5))(AtVenues.settle)

    def teardown(self) -> None:
        if hasattr(self, "told"):
            self.check_replay()


HonestVenues.TestCase.settings = AnyVenues.TestCase.settings = settings(
    max_examples=30, stateful_step_count=50, deadline=None
)
TestHonestVenues = HonestVenues.TestCase
TestAnyVenues = AnyVenues.TestCase
