"""Limit orders that rest at a venue: placed, filled in parts, changed, cancelled; and what crosses on the way."""

from typing import Any

import msgspec
import pytest

from actors.domain.commands import (
    CancelOrder,
    DefineGroup,
    DefineInstrument,
    DefineRules,
    HaltTrading,
    Input,
    ModifyOrder,
    ObserveStream,
    ReportExecution,
    ReportHolding,
    SubmitOrder,
)
from actors.domain.events.accounts import MarginStatusChanged
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
from actors.domain.events.venues import BreakFound, ChildChanged, ChildSent, InquiryDue
from actors.domain.group import STANDARD, Group, Markup
from actors.domain.halt import HaltScope
from actors.domain.instrument import InstrumentState
from actors.domain.money import parse_e8 as e8
from actors.domain.order import Order, OrderStatus, OrderTerms, OrderType, Side, TimeInForce
from actors.domain.refusal import Refused
from actors.domain.routing.books import SentChild
from actors.domain.routing.child import BreakReason, ChildState, ReportKind, VenueChange
from actors.domain.routing.execution import ANSWER_LIMIT_NS
from actors.domain.routing.rulebook import Book, RoutedSymbol, Rule, faults
from tests.actors.domain.venue_desk import A_BOOK, B_BOOK, VENUES, Desk, kinds, sent
from tests.examples import ACCOUNT, EURUSD, SECOND_NS, order

BUY, SELL = Side.BUY, Side.SELL
RESTING = Rule(rule_id=1, name="rest", book=Book.RESTING, venues=VENUES[:1])
CHILD = "1-1"


def limit(price: str = "1.09900", quantity: str = "10000", side: Side = BUY, name: str = "one", **more: Any) -> Input:
    return submitted(name, side, quantity, type=OrderType.LIMIT, limit_e8=e8(price), **more)


def submitted(name: str, side: Side, quantity: str, **more: Any) -> Input:
    terms: dict[str, Any] = {"symbol": "EURUSD", "side": side, "quantity_e8": e8(quantity)}
    return SubmitOrder(ACCOUNT, name, OrderTerms(**(terms | more)))


def resting(price: str = "1.09900", quantity: str = "10000", side: Side = BUY, **more: Any) -> Desk:
    """EURUSD is 1.10000 to 1.10020; the order rests at LMAX."""
    desk = Desk(RESTING)
    desk.tell(limit(price, quantity, side, **more))
    desk.says(ReportKind.ACCEPTED, CHILD)
    desk.now_ns += SECOND_NS
    return desk


def its(desk: Desk) -> Order:
    found: Order = desk.account.orders[1]
    return found


def child_of(desk: Desk) -> SentChild:
    return desk.state.books.find(CHILD)


def modify(desk: Desk, **terms: Any) -> list[Event]:
    return desk.tell(ModifyOrder(ACCOUNT, 1, msgspec.structs.replace(its(desk).terms, **terms)))


def asked(desk: Desk) -> VenueChange:
    return desk.state.books.changes[CHILD]


def answer(desk: Desk, kind: ReportKind, change: VenueChange | None = None) -> list[Event]:
    return desk.says(kind, CHILD, exec_id=str((change or asked(desk)).asked_ns))


def pulse(desk: Desk) -> list[Event]:
    return desk.tell(ObserveStream(desk.now_ns))


def test_a_limit_order_goes_to_the_venue_at_once_and_margin_is_kept_for_it() -> None:
    desk = Desk(RESTING)
    events = desk.tell(limit())
    assert kinds(events) == [OrderAccepted, ChildSent]
    assert sent(events[1]) == (CHILD, "LMAX", BUY, e8("10000"), e8("1.09900"), (), TimeInForce.GTC)
    assert child_of(desk).child.finish_ns == 0
    assert (its(desk).at_venue_e8, its(desk).routed_by.rule_id) == (e8("10000"), 1)  # type: ignore[union-attr]
    # 10,000 at 1.099 are 10,990 USD; 3.33 % of it are 365.967, rounded up.
    assert its(desk).reserved_minor == desk.account.reserved_minor == 36597


def test_one_that_the_market_has_reached_goes_too_and_what_would_not_be_borne_is_refused() -> None:
    desk = Desk(RESTING, deposit="500.00")
    assert kinds(desk.tell(limit("1.10500"))) == [OrderAccepted, ChildSent]
    (refused,) = desk.tell(limit("1.09000", name="two"))
    assert isinstance(refused, OrderRejected)
    assert refused.code == "INSUFFICIENT_MARGIN"


@pytest.mark.parametrize(
    "more",
    [
        {"time_in_force": TimeInForce.IOC},
        {"reduce_only": True},
        {"oco": "pair"},
        {"type": OrderType.STOP_LIMIT, "stop_e8": e8("1.11000"), "limit_e8": e8("1.11100")},
    ],
)
def test_what_is_not_a_standing_limit_order_alone_does_not_rest(more: dict[str, Any]) -> None:
    desk = Desk(RESTING)
    terms = {"type": OrderType.LIMIT, "limit_e8": e8("1.09900")} | more
    events = desk.tell(submitted("one", BUY, "10000", **terms))
    assert ChildSent not in kinds(events)


def test_other_rules_have_nothing_rest() -> None:
    for rule in (A_BOOK, B_BOOK):
        assert kinds(Desk(rule).tell(limit())) == [OrderAccepted]


def test_it_is_filled_in_parts_at_the_venues_prices() -> None:
    desk = resting()
    events = desk.says(ReportKind.FILL, CHILD, "4000", "1.09890", "e1")
    assert kinds(events) == [ChildChanged, OrderFilled]
    assert (its(desk).filled_e8, its(desk).at_venue_e8) == (e8("4000"), e8("6000"))
    # Six tenths of 365.97, rounded up.
    assert its(desk).reserved_minor == 21959
    events = desk.says(ReportKind.FILL, CHILD, "6000", "1.09900", "e2")
    assert isinstance(filled := events[-1], OrderFilled)
    assert filled.order.status is OrderStatus.FILLED
    assert desk.positions == [(BUY, e8("10000"), e8("1.09896"), e8("10000"))]
    assert (desk.account.orders, desk.account.reserved_minor, desk.state.books.open) == ({}, 0, {})


def test_a_change_holds_when_the_venue_says_so_and_not_before() -> None:
    desk = resting()
    events = modify(desk, limit_e8=e8("1.09950"), quantity_e8=e8("15000"), take_profit_e8=e8("1.12000"))
    assert kinds(events) == [ChangeAsked]
    assert (its(desk).terms.limit_e8, its(desk).quantity_e8) == (e8("1.09900"), e8("10000"))
    # Kept for the dearer of the two while nobody knows which: 3.33 % of 15,000 at 1.0995.
    assert its(desk).reserved_minor == 54921
    desk.says(ReportKind.FILL, CHILD, "1000", "1.09900", "e1")
    change = asked(desk)
    events = answer(desk, ReportKind.REPLACED)
    assert kinds(events) == [ChildChanged, OrderModified]
    terms = its(desk).terms
    assert (terms.limit_e8, terms.quantity_e8, terms.take_profit_e8) == (
        e8("1.09950"),
        e8("15000"),
        e8("1.12000"),
    )
    assert its(desk).at_venue_e8 == e8("14000")
    child = child_of(desk).child
    assert (child.quantity_e8, child.bound_e8, child.sent_ns) == (e8("15000"), e8("1.09950"), change.asked_ns)
    assert child.state is ChildState.PARTLY_FILLED
    assert answer(desk, ReportKind.REPLACED, change) == []
    # 1.09950 is within the new limit, and would have been beyond the old one.
    assert kinds(desk.says(ReportKind.FILL, CHILD, "14000", "1.09950", "e2")) == [ChildChanged, OrderFilled]
    assert desk.account.orders == {}


def test_a_change_that_the_venue_refuses_leaves_the_order_as_it_was() -> None:
    desk = resting()
    modify(desk, quantity_e8=e8("15000"))
    change = asked(desk)
    events = answer(desk, ReportKind.KEPT)
    assert kinds(events) == [ChangeRefused]
    assert isinstance(events[0], ChangeRefused)
    assert (events[0].code, events[0].detail) == ("VENUE_REJECTED", "LMAX has not done it")
    assert (its(desk).quantity_e8, its(desk).reserved_minor, desk.state.books.changes) == (e8("10000"), 36597, {})
    assert answer(desk, ReportKind.KEPT, change) == []
    # The same is asked for again under another name, and the answer to the first is none to it.
    modify(desk, quantity_e8=e8("15000"))
    assert asked(desk).asked_ns > change.asked_ns
    assert answer(desk, ReportKind.KEPT, change) == []


def test_a_fill_that_crosses_a_change_wins() -> None:
    desk = resting()
    modify(desk, limit_e8=e8("1.09800"))
    events = desk.says(ReportKind.FILL, CHILD, "10000", "1.09900")
    assert kinds(events) == [ChildChanged, OrderFilled]
    assert (desk.account.orders, desk.state.books.changes) == ({}, {})
    assert desk.says(ReportKind.KEPT, CHILD, exec_id=str(desk.now_ns)) == []


def test_a_change_to_less_than_was_filled_meanwhile_ends_the_order_with_what_it_has() -> None:
    desk = resting()
    modify(desk, quantity_e8=e8("5000"))
    desk.says(ReportKind.FILL, CHILD, "6000", "1.09900")
    events = answer(desk, ReportKind.REPLACED)
    assert kinds(events) == [ChildChanged, OrderEnded]
    assert (desk.account.orders, desk.state.books.open, desk.account.reserved_minor) == ({}, {}, 0)
    assert child_of(desk).child.state is ChildState.FILLED


def test_a_second_change_while_one_is_asked_for_is_refused_and_the_same_again_is_not() -> None:
    desk = resting()
    modify(desk, limit_e8=e8("1.09800"))
    assert modify(desk, limit_e8=e8("1.09800")) == []
    other = ModifyOrder(ACCOUNT, 1, msgspec.structs.replace(its(desk).terms, limit_e8=e8("1.09700")))
    as_it_is = ModifyOrder(ACCOUNT, 1, its(desk).terms)
    for told in (other, as_it_is, CancelOrder(ACCOUNT, 1)):
        with pytest.raises(Refused, match="AT_VENUE: LMAX is asked to change order 1, and has not answered"):
            desk.tell(told)


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        ({"quantity_e8": e8("4000")}, "QUANTITY_OUT_OF_RANGE"),
        ({"oco": "pair"}, "AT_VENUE"),
        ({"reduce_only": True}, "AT_VENUE"),
        ({"quantity_e8": e8("1000000")}, "INSUFFICIENT_MARGIN"),
        ({"stop_loss_e8": e8("1.09950")}, "WRONG_SIDE_OF_MARKET"),
    ],
)
def test_what_the_order_cannot_become_is_refused_at_once(terms: dict[str, Any], refusal: str) -> None:
    desk = resting()
    desk.says(ReportKind.FILL, CHILD, "4000", "1.09900")
    with pytest.raises(Refused, match=refusal):
        modify(desk, **terms)
    assert desk.state.books.changes == {}


def test_a_change_looks_at_margin_without_what_is_kept_for_the_order_itself() -> None:
    desk = Desk(RESTING, deposit="600.00")
    desk.tell(limit())
    assert kinds(modify(desk, quantity_e8=e8("15000"))) == [ChangeAsked]


def test_what_the_venue_need_not_know_changes_at_once() -> None:
    desk = resting()
    assert kinds(modify(desk, stop_loss_e8=e8("1.09000"))) == [OrderModified]
    assert kinds(modify(desk, time_in_force=TimeInForce.GTD, expires_ns=desk.now_ns + SECOND_NS)) == [OrderModified]
    desk.now_ns += SECOND_NS
    assert kinds(pulse(desk)) == [ChangeAsked]


def test_a_cancel_holds_when_the_venue_says_so_and_a_fill_that_crosses_it_counts() -> None:
    desk = resting()
    assert kinds(desk.tell(CancelOrder(ACCOUNT, 1))) == [ChangeAsked]
    assert desk.tell(CancelOrder(ACCOUNT, 1)) == []
    assert asked(desk).terms is None
    assert kinds(desk.says(ReportKind.FILL, CHILD, "4000", "1.09900")) == [ChildChanged, OrderFilled]
    events = desk.says(ReportKind.CANCELLED, CHILD)
    assert kinds(events) == [ChildChanged, OrderEnded]
    assert isinstance(end := events[1], OrderEnded)
    assert (end.order.status, end.code, end.order.filled_e8) == (OrderStatus.CANCELLED, "CANCELLED", e8("4000"))
    assert (desk.account.orders, desk.account.reserved_minor, desk.state.books.changes) == ({}, 0, {})


def test_an_order_that_is_filled_before_its_cancel_comes_is_filled() -> None:
    desk = resting()
    desk.tell(CancelOrder(ACCOUNT, 1))
    desk.says(ReportKind.FILL, CHILD, "10000", "1.09900")
    assert (desk.account.orders, desk.state.books.changes) == ({}, {})
    assert desk.account.outcomes["one"].order.status is OrderStatus.FILLED


def test_a_cancel_that_the_venue_refuses_leaves_it_resting() -> None:
    desk = resting()
    desk.tell(CancelOrder(ACCOUNT, 1))
    assert kinds(answer(desk, ReportKind.KEPT)) == [ChangeRefused]
    assert kinds(desk.tell(CancelOrder(ACCOUNT, 1))) == [ChangeAsked]


def test_without_an_answer_it_is_unknown_and_the_venue_is_asked() -> None:
    desk = resting()
    assert pulse(desk) == []
    modify(desk, limit_e8=e8("1.09800"))
    desk.now_ns += ANSWER_LIMIT_NS + 1
    assert kinds(pulse(desk)) == [ChildChanged, InquiryDue]
    assert child_of(desk).child.state is ChildState.UNKNOWN
    # The order itself may never have arrived.
    assert kinds(answer(desk, ReportKind.KEPT)) == [ChangeRefused]
    assert child_of(desk).child.state is ChildState.UNKNOWN
    desk.says(ReportKind.ACCEPTED, CHILD)
    assert child_of(desk).child.state is ChildState.WORKING
    desk.now_ns += 100 * ANSWER_LIMIT_NS
    assert pulse(desk) == []


def test_the_break_of_one_that_is_unknown_for_long_ends_when_it_is_known_to_work() -> None:
    desk = resting()
    modify(desk, limit_e8=e8("1.09800"))
    for _ in range(4):
        desk.now_ns += 20 * ANSWER_LIMIT_NS
        pulse(desk)
    assert [key for _, key in desk.state.books.breaks] == ["still_unknown"]
    answer(desk, ReportKind.REPLACED)
    assert desk.state.books.breaks == {}


def test_when_its_time_is_over_it_is_cancelled_there_and_then_expired() -> None:
    desk = Desk(RESTING)
    desk.tell(limit(time_in_force=TimeInForce.GTD, expires_ns=desk.now_ns + 10 * SECOND_NS))
    desk.says(ReportKind.ACCEPTED, CHILD)
    assert pulse(desk) == []
    desk.now_ns += 10 * SECOND_NS
    assert kinds(pulse(desk)) == [ChangeAsked]
    assert pulse(desk) == []
    answer(desk, ReportKind.KEPT)
    assert pulse(desk) == [], "not at once again"
    desk.now_ns += SECOND_NS
    assert kinds(pulse(desk)) == [ChangeAsked]
    events = desk.says(ReportKind.CANCELLED, CHILD)
    assert isinstance(end := events[-1], OrderEnded)
    assert (end.order.status, end.code) == (OrderStatus.EXPIRED, "EXPIRED")


def test_a_venue_that_refuses_to_cancel_is_asked_ever_more_seldom() -> None:
    desk = Desk(RESTING)
    desk.tell(limit(time_in_force=TimeInForce.GTD, expires_ns=desk.now_ns + SECOND_NS))
    desk.says(ReportKind.ACCEPTED, CHILD)
    waits = []
    for _ in range(11):
        waited = 0
        while CHILD not in desk.state.books.changes:
            desk.now_ns += SECOND_NS
            waited += 1
            pulse(desk)
        waits.append(waited)
        assert kinds(answer(desk, ReportKind.KEPT)) == [ChangeRefused]
    assert waits == [1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 256]
    desk.says(ReportKind.FILL, CHILD, "10000", "1.09900")
    assert desk.state.books.cancel_refusals == {}


def test_a_day_order_is_cancelled_at_the_end_of_the_trading_day() -> None:
    desk = resting(time_in_force=TimeInForce.DAY)
    assert its(desk).terms.expires_ns > desk.now_ns
    desk.now_ns = its(desk).terms.expires_ns
    assert ChangeAsked in kinds(pulse(desk))
    assert asked(desk).code == "EXPIRED"


def test_where_trading_ends_it_is_cancelled_there() -> None:
    for told, code in (
        (HaltTrading(HaltScope.SYMBOL, "EURUSD", "olga", "news"), "HALTED"),
        (DefineInstrument(msgspec.structs.replace(EURUSD, state=InstrumentState.CLOSE_ONLY)), "CLOSE_ONLY"),
    ):
        desk = resting()
        desk.tell(told)
        assert kinds(pulse(desk)) == [ChangeAsked]
        assert asked(desk).code == code
        assert isinstance(end := desk.says(ReportKind.CANCELLED, CHILD)[-1], OrderEnded)
        assert end.code == code


def test_a_stop_out_cancels_what_rests_with_the_tick_that_causes_it() -> None:
    desk = Desk(RESTING, deposit="1100.00")
    desk.tell(limit("1.05000"))
    desk.tell(DefineRules((B_BOOK,), VENUES))
    desk.tell(order("EURUSD", BUY, "20000", "open"))
    # 733.47 of margin; below 366.74 it is stopped out: at 1.0630 the loss is 744.
    events = desk.tick("1.06300")
    assert kinds(events)[:2] == [MarginStatusChanged, ChangeAsked]
    assert (asked(desk).code, asked(desk).terms) == ("STOP_OUT", None)


def test_a_venue_that_does_not_take_the_order_ends_it() -> None:
    desk = Desk(RESTING)
    desk.tell(limit())
    assert isinstance(end := desk.says(ReportKind.REJECTED, CHILD)[-1], OrderEnded)
    assert (end.code, desk.account.reserved_minor) == ("VENUE_REJECTED", 0)


def test_the_limit_at_the_venue_keeps_the_client_within_its_own_in_whole_steps() -> None:
    desk = Desk(RESTING)
    desk.tell(DefineGroup(Group(STANDARD, Markup(10_500, 10_500))))
    for number, (side, price, bound) in enumerate(((BUY, "1.09900", "1.09889"), (SELL, "1.11000", "1.11011")), 1):
        desk.tell(limit(price, side=side, name=f"{number}"))
        assert desk.state.books.find(f"{number}-1").child.bound_e8 == e8(bound)


def test_an_order_that_rests_keeps_nobody_from_comparing_what_the_venue_holds() -> None:
    desk = resting()
    (found,) = desk.tell(ReportHolding("LMAX", "EURUSD", e8("1")))
    assert isinstance(found, BreakFound)
    modify(desk, limit_e8=e8("1.09800"))
    desk.now_ns += ANSWER_LIMIT_NS + 1
    pulse(desk)
    assert desk.tell(ReportHolding("LMAX", "EURUSD", e8("2"))) == [], "one that is unknown may be filled"


def test_a_rule_that_has_orders_rest_names_one_venue_where_they_can() -> None:
    symbols: dict[str, RoutedSymbol] = {}
    default = Rule(rule_id=2, name="default", book=Book.B_BOOK)
    for venues, fault in (
        (("LMAX",), []),
        ((), ["rule 1 'rest' goes to the A-book, but names no venue"]),
        (("LMAX", "CURRENEX"), ["rule 1 'rest' has orders rest, and names more than one venue"]),
        (("OANDA",), ["rule 1 'rest' has orders rest at OANDA, which takes immediate ones alone"]),
    ):
        rule = Rule(rule_id=1, name="rest", book=Book.RESTING, venues=venues, quantity_min_e8=1)
        assert faults((rule, default), symbols, ("LMAX", "CURRENEX", "OANDA")) == fault


def test_market_orders_go_by_such_a_rule_as_by_any_of_the_a_book() -> None:
    desk = Desk(RESTING)
    events = desk.tell(order("EURUSD", BUY, "10000", "one"))
    assert sent(events[-1])[-1] is TimeInForce.IOC


def test_a_lie_about_a_cancel_changes_nothing() -> None:
    desk = resting()
    desk.tell(CancelOrder(ACCOUNT, 1))
    name = str(asked(desk).asked_ns)
    events = desk.tell(ReportExecution(desk.report(ReportKind.REPLACED, CHILD, exec_id=name)))
    assert kinds(events) == [ChangeRefused]


def test_a_change_that_is_taken_after_it_was_refused_is_a_break() -> None:
    desk = resting()
    modify(desk, quantity_e8=e8("15000"))
    change = asked(desk)
    answer(desk, ReportKind.KEPT)
    (found,) = answer(desk, ReportKind.REPLACED, change)
    assert isinstance(found, BreakFound)
    assert found.found.reason is BreakReason.CONTRADICTION
