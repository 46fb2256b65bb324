"""Closings that venues have a part in: stop-outs beside a silent venue, refused protections, close-by.

Prices are those of examples.py; A-book orders go to LMAX first and then to CURRENEX.
"""

import msgspec
import pytest

from actors.domain.commands import (
    ClosePositionBy,
    DefineHedge,
    DefineRules,
    ModifyPosition,
    ObserveStream,
    ReversePosition,
)
from actors.domain.events.event import Event
from actors.domain.events.orders import Cover, OrderAccepted, OrderFilled
from actors.domain.events.venues import ChildSent
from actors.domain.ledger import TRADING, lp
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderReason
from actors.domain.refusal import Refused
from actors.domain.routing.books import PAUSE_NS, REFUSALS_LIMIT
from actors.domain.routing.child import ReportKind
from actors.domain.routing.execution import ANSWER_LIMIT_NS
from actors.domain.routing.hedge import HedgeTerms
from actors.domain.routing.rulebook import Book, Rule
from tests.actors.domain.venue_desk import (
    A_BOOK,
    B_BOOK,
    BUY,
    SELL,
    VENUES,
    Desk,
    children,
    fills,
    kinds,
    losing,
    opened,
)
from tests.examples import ACCOUNT, closing, order

FILL, REJECTED = ReportKind.FILL, ReportKind.REJECTED
ELSEWHERE = Rule(rule_id=3, name="elsewhere", book=Book.A_BOOK, venues=("CURRENEX",))


def test_what_a_venue_is_to_close_counts_as_closed_and_nothing_more_is() -> None:
    """At 1.07470 the losses are 255.00, 263.00 and 255.00; equity is 1,300.00 - 773.00 = 527.00, the margin 1,099.37.

    Half of that is 549.69 > 527.00: the second goes to LMAX. Without it half of 732.74 is required: no more.
    """
    desk = losing()
    events = desk.tick("1.07470")
    assert children(events) == [("4-1", "LMAX", e8("10000"))]
    assert desk.tick("1.07460") == []


def test_one_closing_at_a_venue_is_not_enough_so_the_next_goes_with_it() -> None:
    """At 1.06000 equity is 1,300.00 - 1,214.00 = 86.00 < 183.19, half of what a single one requires: all of them go."""
    events = losing().tick("1.06000")
    assert children(events) == [("4-1", "LMAX", e8("10000")), ("5-1", "LMAX", e8("10000"))]
    assert fills(events) == [(OrderReason.STOP_OUT, 3, e8("10000"), None)]


def test_a_silent_venue_holds_no_other_stop_out_up() -> None:
    desk = losing()
    desk.tick("1.07470")
    desk.now_ns += ANSWER_LIMIT_NS
    assert desk.tick("1.07470") == []
    desk.now_ns += 1
    events = desk.tick("1.07470")
    assert children(events) == [("5-1", "LMAX", e8("10000"))]
    # The venue answers after all, and has closed it.
    desk.says(FILL, "4-1", "10000", "1.0747")
    assert [it.position_id for it in desk.account.positions.values()] == [1, 3]


def test_a_stop_out_that_is_refused_lets_the_next_go_first() -> None:
    desk = losing()
    desk.tick("1.07470")
    desk.says(REJECTED, "4-1")
    desk.says(REJECTED, "4-2")
    assert children(desk.tick("1.07470")) == [("5-1", "LMAX", e8("10000"))]
    assert [it.position_id for it in desk.account.orders.values()] == [1]


def protected(**protections: str) -> Desk:
    """One long of 10,000 at LMAX with a protection."""
    desk = Desk()
    opened(desk, ("buy", "10000", "1.10020", A_BOOK))
    stop, profit, trail = (e8(protections.get(name, "0")) for name in ("stop", "profit", "trail"))
    desk.tell(ModifyPosition(ACCOUNT, 1, stop, profit, trail))
    return desk


def refused(desk: Desk, events: list[Event]) -> None:
    """Both venues refuse what was just sent."""
    ((child_id, _, _),) = children(events)
    onward = desk.says(REJECTED, child_id)
    ((child_id, _, _),) = children(onward)
    desk.says(REJECTED, child_id)


@pytest.mark.parametrize(
    ("protections", "price", "reason"),
    [
        ({"stop": "1.09"}, "1.089", OrderReason.STOP_LOSS),
        ({"profit": "1.11"}, "1.111", OrderReason.TAKE_PROFIT),
        ({"trail": "0.01"}, "1.089", OrderReason.TRAILING_STOP),
    ],
)
def test_a_refused_protection_is_tried_after_longer_and_longer_pauses_and_then_dealt_here(
    protections: dict[str, str], price: str, reason: OrderReason
) -> None:
    """After 1, 2, 4 and 8 s, with a tick at each moment; after the fifth refusal the broker closes it itself."""
    desk = protected(**protections)
    refused(desk, desk.tick(price))
    for number in range(REFUSALS_LIMIT - 1):
        desk.now_ns += (PAUSE_NS << number) - 1
        assert desk.tick(price) == desk.tick(price) == []
        desk.now_ns += 1
        refused(desk, desk.tick(price))
    events = desk.tick(price)
    kept = Cover("LMAX", e8(price), 0, is_kept=True)
    assert (kinds(events), fills(events)) == ([OrderFilled], [(reason, 1, e8("10000"), kept)])
    assert (desk.positions, desk.state.books.refusals) == ([], {})
    # What the client had at LMAX is the broker's own now, and no client's.
    books = desk.state.books.desks["EURUSD"]
    assert (books.coverage_e8, books.a_book_clients.net_e8, books.at_venues_e8) == (
        e8("10000"),
        0,
        {"LMAX": e8("10000")},
    )


def test_a_protection_that_is_out_of_reach_again_is_not_tried() -> None:
    desk = protected(stop="1.09")
    refused(desk, desk.tick("1.089"))
    desk.tick("1.0895")
    desk.now_ns += PAUSE_NS
    assert desk.tick("1.095") == []
    assert kinds(desk.tick("1.0899"))[-1] is ChildSent


def test_a_trailing_stop_that_was_refused_is_reached_until_the_price_is_better() -> None:
    """Reached at 1.089, refused: from there it follows up to 1.0895, and is reached 0.01 below... or at 1.089 again."""
    desk = protected(trail="0.01")
    refused(desk, desk.tick("1.089"))
    desk.now_ns += PAUSE_NS
    assert desk.tick("1.0891") == []
    assert kinds(desk.tick("1.089"))[-1] is ChildSent


def test_a_fill_ends_the_count_of_refusals_and_a_snapshot_keeps_it() -> None:
    desk = protected(stop="1.09")
    refused(desk, desk.tick("1.089"))
    assert {number: known.count for number, known in desk.state.books.refusals.items()} == {1: 1}
    desk.tell(closing(1, quantity="4000"))
    desk.says(FILL, "3-1", "4000", "1.089")
    assert desk.state.books.refusals == {}


def test_a_client_who_closes_is_not_made_to_wait() -> None:
    desk = protected(stop="1.09")
    refused(desk, desk.tick("1.089"))
    assert kinds(desk.tell(closing(1)))[-1] is ChildSent


def close_by(desk: Desk) -> list[Event]:
    return desk.tell(ClosePositionBy(ACCOUNT, "both", 1, 2))


def test_close_by_at_one_venue_closes_both_there_and_sends_nothing() -> None:
    """Long at 1.10020 and short at 1.10000, both at LMAX, which is flat already: -2.00 for the client, by LMAX."""
    desk = Desk()
    opened(desk, ("buy", "10000", "1.10020", A_BOOK), ("sell", "10000", "1.10000", A_BOOK))
    books = desk.state.books.desks["EURUSD"]
    assert books.at_venues_e8 == {"LMAX": 0}
    events = close_by(desk)
    matched = Cover("LMAX", e8("1.1"), 0)
    assert fills(events) == [
        (OrderReason.CLOSE, 1, e8("10000"), matched),
        (OrderReason.CLOSE, 2, e8("10000"), matched),
    ]
    assert (desk.positions, books.at_venues_e8, books.coverage_e8, books.exposure_e8) == ([], {"LMAX": 0}, 0, 0)
    assert (books.a_book_clients.long_e8, books.a_book_clients.short_e8) == (0, 0)
    ledger = desk.state.ledger
    assert (ledger.balance(lp("LMAX"), "USD"), ledger.balance(TRADING, "USD")) == (2_00, 0)


@pytest.mark.parametrize(
    ("other", "coverage", "at_venues"),
    [(B_BOOK, "10000", {"LMAX": "10000"}), (ELSEWHERE, "0", {"LMAX": "10000", "CURRENEX": "-10000"})],
)
def test_close_by_of_what_no_venue_nets_leaves_the_broker_with_what_it_had(
    other: Rule, coverage: str, at_venues: dict[str, str]
) -> None:
    """The long is at LMAX, the short the broker's own or at another venue: all that is open to the market stays."""
    desk = Desk()
    opened(desk, ("buy", "10000", "1.10020", A_BOOK), ("sell", "10000", "1.10000", other))
    books = desk.state.books.desks["EURUSD"]
    before_e8 = books.open_e8
    events = close_by(desk)
    assert kinds(events) == [OrderFilled, OrderFilled]
    assert fills(events)[0][3] == Cover("LMAX", e8("1.1"), 0, is_kept=True)
    assert (desk.positions, books.open_e8, books.coverage_e8) == ([], before_e8, e8(coverage))
    assert books.at_venues_e8 == {venue: e8(quantity) for venue, quantity in at_venues.items()}
    assert (books.exposure_e8, books.a_book_clients.net_e8) == (0, 0)


def test_what_the_broker_keeps_after_a_close_by_is_hedged_as_its_terms_say() -> None:
    """10,000 long at LMAX, its client gone, and no more than 1,000 may be open: 9,000 are sold."""
    desk = Desk()
    opened(desk, ("buy", "10000", "1.10020", A_BOOK), ("sell", "10000", "1.10000", B_BOOK))
    close_by(desk)
    desk.tell(DefineHedge(HedgeTerms("EURUSD", e8("1000"), e8("1000"), e8("1000"), VENUES)))
    assert children(desk.tick("1.1")) == [("5-1", "LMAX", e8("9000"))]


def test_close_by_of_a_part_closes_what_venues_have_opened_first() -> None:
    """15,000 long, 10,000 of them at LMAX (a split of two thirds), by 12,000 short of the broker's own."""
    desk = Desk(deposit="20000.00")
    split = Rule(rule_id=1, name="split", book=Book.SPLIT, venues=VENUES, share_e8=66_670_000)
    desk.tell(DefineRules((split,), VENUES))
    desk.tell(order("EURUSD", BUY, "15000", "split"))
    desk.says(FILL, "1-1", "10000", "1.10020")
    desk.tell(DefineRules((B_BOOK,), VENUES))
    desk.tell(order("EURUSD", SELL, "12000", "short"))
    positions = list(desk.account.positions)
    events = desk.tell(ClosePositionBy(ACCOUNT, "both", positions[0], positions[-1]))
    assert desk.state.ledger.is_balanced()
    assert all(isinstance(event, OrderFilled) for event in events)
    left = [msgspec.structs.replace(it, margin_minor=0) for it in desk.account.positions.values()]
    assert sum(it.quantity_e8 if it.side is BUY else -it.quantity_e8 for it in left) == e8("3000")


def test_time_goes_on_at_a_silent_venue_without_a_tick() -> None:
    """The venue is asked what became of it; nothing is assumed."""
    desk = losing()
    desk.tick("1.07470")
    desk.now_ns += ANSWER_LIMIT_NS + 1
    assert len(desk.tell(ObserveStream(desk.now_ns))) == 2
    assert [it.position_id for it in desk.account.positions.values()] == [1, 2, 3]


@pytest.mark.parametrize(("deposit", "asks_for"), [("740.00", ""), ("730.00", "free margin 359.63 < 366.30")])
def test_a_reversal_asks_for_the_margin_of_what_a_venue_is_still_to_close(deposit: str, asks_for: str) -> None:
    """366.37 for the long, open until the venue has closed it, 366.30 for the short, and the spread twice: 736.67."""
    desk = Desk(deposit=deposit)
    desk.tell(order("EURUSD", BUY, "10000"))
    desk.says(ReportKind.FILL, "1-1", "10000", "1.10020")
    desk.tell(DefineRules((B_BOOK,), VENUES))
    turn = ReversePosition(ACCOUNT, "turn", 1)
    if asks_for:
        with pytest.raises(Refused, match=asks_for):
            desk.tell(turn)
    else:
        assert kinds(desk.tell(turn)) == [OrderAccepted, ChildSent, OrderFilled]
    assert desk.state.summary(desk.account, desk.now_ns).free_margin_minor >= 0
