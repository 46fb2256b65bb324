import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain.commands import (
    CancelOrder,
    ClosePosition,
    ClosePositionBy,
    DefineGroup,
    DefineHedge,
    DefineRules,
    Input,
    Mode,
    ObserveStream,
    ObserveTicks,
    ReportExecution,
    ReversePosition,
    SetLimits,
    SettleBreak,
    SubmitOrder,
    Withdraw,
)
from actors.domain.dealing.venues import HEDGE_PAUSE_NS
from actors.domain.events.orders import Cover, OrderAccepted, OrderEnded, OrderFilled, OrderRejected
from actors.domain.events.venues import BreakFound, ChildChanged, ChildSent, InquiryDue, RulesDefined
from actors.domain.group import Group, Markup
from actors.domain.ledger import TRADING, lp
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderReason, OrderStatus, OrderType, Side, TimeInForce
from actors.domain.refusal import Code, Refused
from actors.domain.risk.limits import ExposureLimit, Limits
from actors.domain.routing.books import PAUSE_NS
from actors.domain.routing.child import UNSAID, Break, BreakReason, ChildState, ReportKind, VenueReport
from actors.domain.routing.execution import ANSWER_LIMIT_DOUBLINGS, ANSWER_LIMIT_NS, INQUIRIES_BEFORE_BREAK
from actors.domain.routing.hedge import HedgeTerms
from actors.domain.routing.rulebook import Book, Rule
from actors.domain.snapshot import restore, snapshot
from tests.actors.domain.deals import refusal
from tests.actors.domain.venue_desk import A_BOOK, BUY, SELL, SPLIT, VENUES, Desk, kinds, sent
from tests.examples import ACCOUNT, closing, encoded, order, terms, tick


def test_an_order_is_filled_when_its_venue_says_so_at_its_price_and_the_markup() -> None:
    desk = Desk()
    desk.tell(DefineGroup(Group("standard", Markup(e8("0.00005"), e8("0.00010")))))
    accepted, child = desk.tell(order("EURUSD", BUY, "10000"))
    assert isinstance(accepted, OrderAccepted)
    assert (accepted.order.status, accepted.order.at_venue_e8) == (OrderStatus.WORKING, e8("10000"))
    assert sent(child) == ("1-1", "LMAX", BUY, e8("10000"), 0, ("CURRENEX",), TimeInForce.IOC)
    assert desk.positions == []
    assert kinds(desk.says(ReportKind.ACCEPTED, "1-1")) == [ChildChanged]
    changed, filled = desk.says(ReportKind.FILL, "1-1", "10000", "1.10018")
    assert isinstance(changed, ChildChanged)
    assert changed.child.state is ChildState.FILLED
    assert isinstance(filled, OrderFilled)
    assert filled.cover == Cover("LMAX", e8("1.10018"), e8("0.00010"))
    assert (filled.order.status, filled.fill.price_e8) == (OrderStatus.FILLED, e8("1.10028"))
    assert desk.positions == [(BUY, e8("10000"), e8("1.10028"), e8("10000"))]
    held = desk.state.books.desks["EURUSD"]
    assert (held.exposure_e8, held.at_venues_e8, held.markup_e16) == (0, {"LMAX": e8("10000")}, e8("10000") * 10_000)
    assert desk.says(ReportKind.FILL, "1-1", "10000", "1.10018") == []
    assert desk.account.reserved_minor == 0


def test_the_profit_of_an_a_book_position_comes_from_its_venue() -> None:
    desk = Desk()
    desk.tell(order("EURUSD", BUY, "10000"))
    desk.says(ReportKind.FILL, "1-1", "10000", "1.10020")
    accepted, child = desk.tell(closing(1))
    assert kinds([accepted, child]) == [OrderAccepted, ChildSent]
    assert sent(child) == ("2-1", "LMAX", SELL, e8("10000"), 0, ("CURRENEX",), TimeInForce.IOC)
    assert refusal(desk.state, closing(1, "again"))[0] is Code.AT_VENUE
    _, filled = desk.says(ReportKind.FILL, "2-1", "10000", "1.10120")
    assert isinstance(filled, OrderFilled)
    assert filled.fill.profit_minor == 1_000
    assert desk.positions == []
    balances = desk.state.ledger
    assert (balances.balance(lp("LMAX"), "USD"), balances.balance(TRADING, "USD")) == (-1_000, 0)
    assert desk.state.books.desks["EURUSD"].at_venues_e8 == {"LMAX": 0}


def test_what_is_rejected_goes_to_the_next_venue_and_then_the_order_ends() -> None:
    desk = Desk()
    desk.tell(order("EURUSD", BUY, "10000"))
    changed, onward = desk.says(ReportKind.REJECTED, "1-1")
    assert isinstance(changed, ChildChanged)
    assert sent(onward) == ("1-2", "CURRENEX", BUY, e8("10000"), 0, (), TimeInForce.IOC)
    changed, ended = desk.says(ReportKind.REJECTED, "1-2")
    assert isinstance(ended, OrderEnded)
    assert (ended.order.status, ended.code) == (OrderStatus.CANCELLED, "VENUE_REJECTED")
    assert ended.detail == "10000 of it was not filled; CURRENEX was the last to answer"
    assert (desk.account.orders, desk.account.reserved_minor, desk.positions) == ({}, 0, [])
    assert desk.account.outcomes["first"].code == "VENUE_REJECTED"


def test_partial_fills_make_one_position_at_their_average() -> None:
    desk = Desk()
    desk.tell(order("EURUSD", BUY, "10000", stop_loss="1.09"))
    _, first = desk.says(ReportKind.FILL, "1-1", "4000", "1.10020")
    assert isinstance(first, OrderFilled)
    assert (first.order.status, first.order.filled_e8) == (OrderStatus.WORKING, e8("4000"))
    _, onward = desk.says(ReportKind.CANCELLED, "1-1")
    assert sent(onward)[:4] == ("1-2", "CURRENEX", BUY, e8("6000"))
    _, last = desk.says(ReportKind.FILL, "1-2", "6000", "1.10030")
    assert isinstance(last, OrderFilled)
    assert (last.order.status, last.order.average_price_e8) == (OrderStatus.FILLED, e8("1.10026"))
    assert desk.positions == [(BUY, e8("10000"), e8("1.10026"), e8("10000"))]
    assert desk.account.positions[1].stop_loss_e8 == e8("1.09")
    assert [fill.quantity_e8 for fill in desk.account.outcomes["first"].fills] == [e8("4000"), e8("6000")]


def test_a_part_that_nobody_fills_ends_the_order_with_what_it_has() -> None:
    desk = Desk(msgspec.structs.replace(A_BOOK, venues=("LMAX",)))
    desk.tell(order("EURUSD", BUY, "10000"))
    desk.says(ReportKind.FILL, "1-1", "4000", "1.10020")
    _, ended = desk.says(ReportKind.EXPIRED, "1-1")
    assert isinstance(ended, OrderEnded)
    assert (ended.order.filled_e8, ended.code) == (e8("4000"), "VENUE_EXPIRED")
    assert desk.positions == [(BUY, e8("4000"), e8("1.10020"), e8("4000"))]


def test_a_venue_that_does_not_answer_is_asked_and_nothing_is_assumed() -> None:
    desk = Desk()
    desk.tell(order("EURUSD", BUY, "10000"))
    desk.now_ns += ANSWER_LIMIT_NS + 1
    changed, inquiry = desk.tell(ObserveStream(desk.now_ns))
    assert isinstance(changed, ChildChanged)
    assert changed.child.state is ChildState.UNKNOWN
    assert inquiry == InquiryDue("1-1", "LMAX")
    assert desk.tell(ObserveStream(desk.now_ns)) == []
    assert desk.account.orders[1].at_venue_e8 == e8("10000")
    _, filled = desk.says(ReportKind.FILL, "1-1", "10000", "1.10020")
    assert isinstance(filled, OrderFilled)
    assert filled.order.status is OrderStatus.FILLED


def test_a_person_is_told_of_an_order_that_stays_unknown_until_it_is_known() -> None:
    desk = Desk()
    desk.tell(order("EURUSD", BUY, "10000"))
    found = []
    for _ in range(INQUIRIES_BEFORE_BREAK):
        desk.now_ns += ANSWER_LIMIT_NS << ANSWER_LIMIT_DOUBLINGS
        found += [event for event in desk.tell(ObserveStream(desk.now_ns)) if isinstance(event, BreakFound)]
    assert [(one.found.child_id, one.found.reason) for one in found] == [("1-1", BreakReason.STILL_UNKNOWN)]
    assert [one.found for one in desk.state.books.breaks.values()] == [found[0].found]
    desk.says(ReportKind.FILL, "1-1", "10000", "1.10020")
    assert desk.state.books.breaks == {}


def test_an_order_that_never_arrived_goes_to_the_next_venue() -> None:
    desk = Desk()
    desk.tell(order("EURUSD", BUY, "10000"))
    desk.now_ns += ANSWER_LIMIT_NS + 1
    desk.tell(ObserveStream(desk.now_ns))
    assert kinds(desk.says(ReportKind.NOT_KNOWN, "1-1")) == [ChildChanged, ChildSent]


def test_a_fill_after_the_cancel_is_a_break_and_the_brokers_own_once_it_is_settled() -> None:
    desk = Desk()
    desk.tell(order("EURUSD", BUY, "10000"))
    desk.says(ReportKind.CANCELLED, "1-1")
    desk.says(ReportKind.FILL, "1-2", "10000", "1.10020")
    late = desk.report(ReportKind.FILL, "1-1", "10000", "1.10010")
    (found,) = desk.tell(ReportExecution(late))
    assert isinstance(found, BreakFound)
    assert (found.found.reason, found.found.report) == (BreakReason.FILL_AFTER_END, late)
    assert desk.tell(ReportExecution(late)) == []
    assert len(desk.positions) == 1
    settled = SettleBreak("1-1", "e1", e8("10000"), e8("1.10010"), "olga")
    (changed,) = desk.tell(settled)
    assert isinstance(changed, ChildChanged)
    assert (changed.unsent_e8, changed.actor) == (e8("10000"), "olga")
    assert desk.tell(settled) == []
    held = desk.state.books.desks["EURUSD"]
    assert (held.coverage_e8, held.at_venues_e8) == (e8("10000"), {"CURRENEX": e8("10000"), "LMAX": e8("10000")})


def test_a_person_settles_what_is_left() -> None:
    desk = Desk()
    desk.tell(order("EURUSD", BUY, "10000"))
    assert refusal(desk.state, SettleBreak("1-1", "x", e8("20000"), e8("1.1"), "olga"))[0] is Code.BAD_TERMS
    events = desk.tell(SettleBreak("1-1", "x", e8("4000"), e8("1.1"), "olga"))
    assert kinds(events) == [ChildChanged, OrderFilled, ChildSent]
    assert desk.says(ReportKind.FILL, "1-2", "6000", "1.1")
    assert desk.positions == [(BUY, e8("10000"), e8("1.1"), e8("10000"))]


def test_a_report_of_an_order_that_was_never_sent_is_a_break() -> None:
    desk = Desk()
    stray = VenueReport("LMAX", "9-9", "e", ReportKind.FILL, e8("1"), e8("1"), UNSAID, UNSAID, "", 0)
    (found,) = desk.tell(ReportExecution(stray))
    assert found == BreakFound(Break("9-9", BreakReason.UNKNOWN_ORDER, "no order '9-9' was sent to LMAX", stray))


def test_a_price_that_the_instrument_cannot_have_is_a_break() -> None:
    desk = Desk()
    desk.tell(order("EURUSD", BUY, "10000"))
    (found,) = desk.says(ReportKind.FILL, "1-1", "10000", "9")
    assert isinstance(found, BreakFound)
    assert found.found.detail == "a price of 9, and EURUSD is dealt at 0.5 to 3"


@pytest.mark.parametrize("fails", [False, True])
def test_a_stop_loss_of_an_a_book_position_goes_to_its_venue(fails: bool) -> None:
    desk = Desk()
    desk.tell(order("EURUSD", BUY, "10000", stop_loss="1.09"))
    desk.says(ReportKind.FILL, "1-1", "10000", "1.10020")
    accepted, child = desk.tell(ObserveTicks((tick("EURUSD", "1.08900", "1.08920", 2),)))
    assert isinstance(accepted, OrderAccepted)
    assert accepted.order.reason is OrderReason.STOP_LOSS
    assert sent(child)[:4] == ("2-1", "LMAX", SELL, e8("10000"))
    assert desk.tell(ObserveTicks((tick("EURUSD", "1.08800", "1.08820", 3),))) == []
    if fails:
        desk.says(ReportKind.REJECTED, "2-1")
        assert kinds(desk.says(ReportKind.REJECTED, "2-2")) == [ChildChanged, OrderEnded]
        later_ns = desk.now_ns + PAUSE_NS
        again = desk.tell(ObserveTicks((tick("EURUSD", "1.08700", "1.08720", 4, time_ns=later_ns),)))
        assert kinds(again) == [OrderAccepted, ChildSent]
        desk.says(ReportKind.FILL, "3-1", "10000", "1.087")
    else:
        desk.says(ReportKind.FILL, "2-1", "10000", "1.088")
    assert desk.positions == []


def test_a_split_deals_its_part_at_once() -> None:
    desk = Desk(SPLIT)
    accepted, dealt, child = desk.tell(order("EURUSD", BUY, "10000"))
    assert isinstance(accepted, OrderAccepted)
    assert isinstance(dealt, OrderFilled)
    assert (dealt.order.status, dealt.fill.quantity_e8, dealt.cover) == (OrderStatus.WORKING, e8("7000"), None)
    assert sent(child)[3] == e8("3000")
    desk.says(ReportKind.FILL, "1-1", "3000", "1.10020")
    assert desk.positions == [(BUY, e8("10000"), e8("1.10020"), e8("3000"))]
    assert desk.state.books.desks["EURUSD"].exposure_e8 == e8("7000")
    events = desk.tell(closing(1))
    assert kinds(events) == [OrderAccepted, OrderFilled, ChildSent]
    assert sent(events[-1])[3] == e8("3000")
    desk.says(ReportKind.FILL, "2-1", "3000", "1.1")
    assert desk.positions == []
    assert desk.account.outcomes["close"].order.status is OrderStatus.FILLED


def test_all_of_a_fill_or_kill_goes_together_and_bounds_are_the_venues() -> None:
    desk = Desk(SPLIT)
    desk.tell(DefineGroup(Group("standard", Markup(0, e8("0.00010")))))
    asked = terms("EURUSD", BUY, "10000", bound="1.10100", time_in_force=TimeInForce.FOK)
    accepted, child = desk.tell(SubmitOrder(ACCOUNT, "fok", asked))
    assert isinstance(accepted, OrderAccepted)
    assert sent(child)[3:] == (e8("10000"), e8("1.10090"), ("CURRENEX",), TimeInForce.FOK)


@pytest.mark.parametrize(
    ("side", "bound", "venues_bound", "at_venue", "client"),
    [
        # 1.10000/1.10020 is 1.09960/1.10060 to the group: 4 pips worse, also when the market's spread is 8 by then.
        (BUY, "1.10100", "1.10060", "1.10060", "1.10100"),
        (SELL, "1.09900", "1.09940", "1.10000", "1.09960"),
    ],
)
def test_a_client_is_as_much_worse_off_than_the_venue_as_when_it_was_sent(
    side: Side, bound: str, venues_bound: str, at_venue: str, client: str
) -> None:
    desk = Desk()
    desk.tell(DefineGroup(Group("standard", Markup(0, 0, e8("0.001")))))
    _, child = desk.tell(SubmitOrder(ACCOUNT, "a", terms("EURUSD", side, "10000", bound=bound)))
    assert sent(child)[4] == e8(venues_bound)
    desk.tell(ObserveTicks((tick("EURUSD", "1.10000", "1.10080", 2),)))
    desk.state = restore(snapshot(desk.state))
    _, filled = desk.says(ReportKind.FILL, "1-1", "10000", at_venue)
    assert isinstance(filled, OrderFilled)
    assert (filled.fill.price_e8, filled.cover) == (e8(client), Cover("LMAX", e8(at_venue), e8("0.0004")))


def test_a_narrowed_spread_costs_the_broker() -> None:
    """1.10000/1.10020 is 1.10008/1.10012 to the group: 0.8 pips better than the venue's price."""
    desk = Desk()
    desk.tell(DefineGroup(Group("standard", Markup(0, 0, 0, e8("0.00004")))))
    desk.tell(order("EURUSD", BUY, "10000"))
    _, filled = desk.says(ReportKind.FILL, "1-1", "10000", "1.10020")
    assert isinstance(filled, OrderFilled)
    assert (filled.fill.price_e8, filled.cover) == (e8("1.10012"), Cover("LMAX", e8("1.10020"), -e8("0.00008")))
    assert desk.state.books.desks["EURUSD"].markup_e16 == -e8("10000") * e8("0.00008")


def test_what_comes_back_of_a_closing_is_protected_while_the_venue_still_has_the_rest() -> None:
    """LMAX has cancelled, and counts 4,000 filled that it has not reported; nobody else takes the 6,000."""
    desk = Desk()
    desk.tell(order("EURUSD", BUY, "10000", stop_loss="1.095"))
    desk.says(ReportKind.FILL, "1-1", "10000", "1.10020")
    desk.tick("1.09500")
    cancelled = desk.report(ReportKind.CANCELLED, "2-1")
    desk.tell(ReportExecution(msgspec.structs.replace(cancelled, cumulative_e8=e8("4000"))))
    assert desk.tick("1.09400") == []
    desk.says(ReportKind.REJECTED, "2-2")
    again, child = desk.tick("1.09400")
    assert isinstance(again, OrderAccepted)
    assert (again.order.reason, again.order.at_venue_e8) == (OrderReason.STOP_LOSS, e8("6000"))
    assert sent(child)[:2] == ("3-1", "LMAX")


def test_a_limit_order_waits_with_us_and_its_price_is_the_venues_bound() -> None:
    desk = Desk()
    desk.tell(SubmitOrder(ACCOUNT, "limit", terms("EURUSD", BUY, "10000", OrderType.LIMIT, limit="1.09000")))
    _, child = desk.tell(ObserveTicks((tick("EURUSD", "1.08980", "1.09000", 2),)))
    assert sent(child)[3:5] == (e8("10000"), e8("1.09000"))
    assert refusal(desk.state, CancelOrder(ACCOUNT, 1))[0] is Code.AT_VENUE


def test_margin_is_reserved_until_the_venue_has_answered() -> None:
    desk = Desk(deposit="700.00")
    desk.tell(order("EURUSD", BUY, "10000"))
    assert desk.account.reserved_minor == 36_637 + 200
    (rejected,) = desk.tell(order("EURUSD", SELL, "10000", "second"))
    assert isinstance(rejected, OrderRejected)
    assert rejected.code == "INSUFFICIENT_MARGIN"
    assert refusal(desk.state, Withdraw(ACCOUNT, 50_000, "w", "olga"))[0] is Code.NOT_WITHDRAWABLE
    desk.says(ReportKind.REJECTED, "1-1")
    assert desk.account.reserved_minor == 36_637 + 200
    desk.says(ReportKind.REJECTED, "1-2")
    assert kinds(desk.tell(order("EURUSD", SELL, "10000", "third"))) == [OrderAccepted, ChildSent]


def test_a_fall_below_the_stop_out_level_closes_at_the_venue_and_waits() -> None:
    desk = Desk(deposit="500.00")
    desk.tell(order("EURUSD", BUY, "10000"))
    desk.says(ReportKind.FILL, "1-1", "10000", "1.10020")
    events = desk.tell(ObserveTicks((tick("EURUSD", "1.06000", "1.06020", 2),)))
    assert sent(events[-1])[:4] == ("2-1", "LMAX", SELL, e8("10000"))
    assert desk.tell(ObserveTicks((tick("EURUSD", "1.05900", "1.05920", 3),))) == []
    desk.says(ReportKind.FILL, "2-1", "10000", "1.059")
    assert desk.positions == []


@pytest.mark.parametrize("mode", list(Mode))
def test_a_position_is_reversed_at_its_venue(mode: Mode) -> None:
    desk = Desk(mode=mode)
    desk.tell(order("EURUSD", BUY, "10000"))
    desk.says(ReportKind.FILL, "1-1", "10000", "1.10020")
    children = [
        sent(event) for event in desk.tell(ReversePosition(ACCOUNT, "turn", 1)) if kinds([event]) == [ChildSent]
    ]
    for name, _, side, quantity_e8, *_ in reversed(children):
        assert side is SELL
        desk.says(ReportKind.FILL, name, str(quantity_e8 // 10**8), "1.1")
    assert desk.positions == [(SELL, e8("10000"), e8("1.1"), e8("10000"))]


def test_a_reversal_on_our_own_book_asks_for_the_margin_of_one_position() -> None:
    desk = Desk(None)
    pounds = Rule(rule_id=1, name="pounds to LMAX", book=Book.A_BOOK, venues=("LMAX",), symbols=("GBPUSD",))
    desk.tell(DefineRules((pounds, Rule(rule_id=2, name="ours", book=Book.B_BOOK)), VENUES))
    desk.tell(order("EURUSD", BUY, "10000"))
    *_, turned = desk.tell(ReversePosition(ACCOUNT, "turn", 1))
    assert isinstance(turned, OrderFilled)
    assert turned.requirement.initial_minor == turned.position.margin_minor == desk.account.margin_minor > 0


def test_a_netting_account_closes_at_the_venue_what_was_opened_there() -> None:
    desk = Desk(mode=Mode.NETTING)
    desk.tell(order("EURUSD", BUY, "10000"))
    desk.says(ReportKind.FILL, "1-1", "10000", "1.10020")
    desk.tell(DefineRules((Rule(rule_id=2, name="default", book=Book.B_BOOK),), VENUES))
    _, child = desk.tell(order("EURUSD", SELL, "10000", "less"))
    assert sent(child)[:4] == ("2-1", "LMAX", SELL, e8("10000"))
    desk.says(ReportKind.FILL, "2-1", "10000", "1.1")
    assert desk.positions == []


def test_what_is_open_beyond_the_limit_is_hedged_without_an_order() -> None:
    desk = Desk(Rule(rule_id=1, name="default", book=Book.B_BOOK), deposit="100000.00")
    desk.tell(DefineHedge(HedgeTerms("EURUSD", e8("5000"), e8("1000"), e8("1000"), VENUES)))
    (dealt,) = desk.tell(order("EURUSD", BUY, "20000"))
    assert isinstance(dealt, OrderFilled)
    (child,) = desk.tell(ObserveTicks((tick("EURUSD", "1.1", "1.1002", 2),)))
    assert sent(child) == ("2-1", "LMAX", BUY, e8("15000"), 0, ("CURRENEX",), TimeInForce.IOC)
    desk.now_ns += 2_000_000_000
    assert desk.tell(ObserveTicks((tick("EURUSD", "1.1", "1.1002", 3),))) == []
    assert kinds(desk.says(ReportKind.FILL, "2-1", "10000", "1.10018")) == [ChildChanged]
    assert kinds(desk.says(ReportKind.CANCELLED, "2-1")) == [ChildChanged, ChildSent]
    assert kinds(desk.says(ReportKind.REJECTED, "2-2")) == [ChildChanged]
    held = desk.state.books.desks["EURUSD"]
    assert (held.open_e8, held.coverage_e8, held.hedging_e8) == (e8("10000"), e8("10000"), 0)
    assert desk.tell(ObserveTicks((tick("EURUSD", "1.1", "1.1002", 4),))) == []
    desk.now_ns += HEDGE_PAUSE_NS
    (child,) = desk.tell(ObserveTicks((tick("EURUSD", "1.1", "1.1002", 5),)))
    assert sent(child)[:4] == ("3-1", "LMAX", BUY, e8("5000"))


def test_rules_that_have_faults_are_refused_with_the_first() -> None:
    desk = Desk(None)
    assert refusal(desk.state, DefineRules((A_BOOK,), ("LMAX",))) == (
        Code.BAD_TERMS,
        "rule 1 'all to venues' names the venue 'CURRENEX', which does not exist",
        "rules",
    )
    assert refusal(desk.state, DefineHedge(HedgeTerms("EURUSD", 1, 1, 1, ())))[1] == "there is no venue to hedge at"
    assert kinds(desk.tell(DefineRules((A_BOOK,), VENUES))) == [RulesDefined]
    assert desk.tell(DefineRules((A_BOOK,), VENUES)) == []


REPORTS = st.tuples(
    st.sampled_from([*ReportKind, *[ReportKind.FILL] * 4, ReportKind.REJECTED]),
    st.integers(0, 5),
    st.sampled_from(["1000", "2000", "3000", "10000"]),
    st.sampled_from(["1.09990", "1.10020", "1.10100"]),
    st.integers(0, 6),
    st.sampled_from([UNSAID, UNSAID, UNSAID, 0, e8("1000"), e8("3000"), e8("10000")]),
)
WORDS = st.sampled_from(
    ["buy", "sell", "close", "by", "time", "up", "down", "reduce", "trail", "turn", "settle", "limit", "second"]
)
STEPS = st.lists(st.one_of(REPORTS, REPORTS, WORDS), min_size=20, max_size=60)


@settings(max_examples=100, deadline=None)
@given(STEPS, st.sampled_from([A_BOOK, SPLIT]), st.sampled_from(list(Mode)), st.integers(0, 40))
def test_whatever_venues_say_nothing_is_lost_or_doubled(
    steps: list[object], rule: Rule, mode: Mode, restored_at: int
) -> None:
    """`check` runs after every step; and a state that was restored in the middle goes on with the same events."""
    desk, other = Desk(rule, "100000.00", mode), Desk(rule, "100000.00", mode)
    for number, step in enumerate(steps):
        if number == restored_at:
            other.state = restore(snapshot(other.state))
        told = _told(desk, step, number)
        other.now_ns = desk.now_ns
        if told is not None:
            assert _outcome(desk, told) == _outcome(other, told)
    assert encoded(desk.state) == encoded(other.state)


def _told(desk: Desk, step: object, number: int) -> Input | None:
    books = desk.state.books
    desk.now_ns += 1_000_000
    if isinstance(step, tuple):
        kind, nth, quantity, price, execution, counted_e8 = step
        known = [*books.open, *books.over]
        if not known:
            return None
        child = books.find(known[nth % len(known)]).child
        quantity_e8, price_e8 = (e8(quantity), e8(price)) if kind in (ReportKind.FILL, ReportKind.BUSTED) else (0, 0)
        return ReportExecution(
            VenueReport(
                child.venue, child.child_id, f"e{execution}", kind, quantity_e8, price_e8, counted_e8, UNSAID, "", 0
            )
        )
    if step in ("buy", "sell"):
        side = BUY if step == "buy" else SELL
        return SubmitOrder(
            ACCOUNT, f"o{number}", terms("EURUSD", side, "10000", stop_loss="1.05" if side is BUY else "1.15")
        )
    if step == "reduce":
        return SubmitOrder(ACCOUNT, f"o{number}", terms("EURUSD", SELL, "3000", reduce_only=True))
    if step == "trail":
        return SubmitOrder(ACCOUNT, f"o{number}", terms("EURUSD", BUY, "3000", trailing_stop="0.02"))
    if step == "turn":
        return ReversePosition(ACCOUNT, f"o{number}", next(iter(desk.account.positions), 1))
    if step == "by":
        both = [*desk.account.positions, 1, 2]
        return ClosePositionBy(ACCOUNT, f"o{number}", both[0], both[1])
    if step == "limit":
        return SetLimits(ACCOUNT, Limits(exposure=ExposureLimit("USD", 10**6 * (number % 4 + 1))), "olga")
    if step == "second":
        desk.now_ns += PAUSE_NS
        return ObserveStream(desk.now_ns)
    if step == "settle":
        return SettleBreak(next(iter([*books.open, *books.over]), ""), f"s{number}", e8("1000"), e8("1.1"), "olga")
    if step == "close":
        return ClosePosition(ACCOUNT, f"o{number}", next(iter(desk.account.positions), 1))
    if step == "time":
        desk.now_ns += ANSWER_LIMIT_NS + 1
        return ObserveStream(desk.now_ns)
    bid, ask = ("1.16", "1.1602") if step == "up" else ("1.04", "1.0402")
    return ObserveTicks((tick("EURUSD", bid, ask, number + 2, time_ns=desk.now_ns),))


def _outcome(desk: Desk, told: Input) -> object:
    try:
        return desk.tell(told)
    except Refused as refused:
        return str(refused)
