from itertools import count

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.money import Rounding
from actors.domain.money import parse_e8 as e8
from actors.domain.order import Side
from actors.domain.routing.child import (
    TABLE,
    UNSAID,
    Break,
    BreakReason,
    ChildOrder,
    ChildState,
    Effects,
    Inquiry,
    ReportKind,
    Rest,
    VenueFill,
    VenueReport,
    send,
)
from actors.domain.routing.execution import (
    ANSWER_LIMIT_NS,
    EXEC_IDS_LIMIT,
    INQUIRIES_BEFORE_BREAK,
    CannotSettle,
    overdue,
    remember,
    settle,
    stray,
    take,
    time_out,
)
from tests.examples import START_NS

State, Kind, Reason = ChildState, ReportKind, BreakReason
CHILD = send(17, 1, "LMAX", "EURUSD", Side.BUY, e8("10000"), e8("1.10100"), 0, START_NS)


def said(
    kind: ReportKind,
    exec_id: str = "0",
    quantity: str = "0",
    price: str = "0",
    cumulative: str = "",
    leaves: str = "",
) -> VenueReport:
    return VenueReport(
        "LMAX",
        "17-1",
        exec_id,
        kind,
        e8(quantity),
        e8(price),
        e8(cumulative) if cumulative else UNSAID,
        e8(leaves) if leaves else UNSAID,
        "",
        START_NS,
    )


def fill(exec_id: str, quantity: str, price: str = "1.1", cumulative: str = "", leaves: str = "") -> VenueReport:
    return said(Kind.FILL, exec_id, quantity, price, cumulative, leaves)


def filled(exec_id: str, quantity: str, price: str = "1.1") -> VenueFill:
    return VenueFill("17-1", exec_id, e8(quantity), e8(price))


def rest(quantity: str) -> Rest:
    return Rest("17-1", e8(quantity))


class Followed:
    """A child order and all that came of it."""

    def __init__(self, child: ChildOrder = CHILD) -> None:
        self.child = child
        self.known: dict[str, tuple[int, int]] = {}
        self.effects: list[VenueFill | Rest | Inquiry | Break] = []

    def take(self, *reports: VenueReport) -> "Followed":
        for report in reports:
            self.follow(*take(self.child, report, self.known))
        return self

    def follow(self, child: ChildOrder, effects: Effects) -> None:
        self.child = child
        remember(self.known, effects)
        self.effects += effects
        self.check()

    def check(self) -> None:
        """Nothing is lost or doubled, and the effects say what the child says."""
        child = self.child
        fills = [it for it in self.effects if isinstance(it, VenueFill)]
        backs = [it for it in self.effects if isinstance(it, Rest)]
        assert child.filled_e8 + child.left_e8 + child.given_back_e8 == child.quantity_e8
        assert min(child.filled_e8, child.left_e8, child.given_back_e8) >= 0
        assert child.filled_e8 == sum(it.quantity_e8 for it in fills)
        assert child.cost_e16 == sum(it.quantity_e8 * it.price_e8 for it in fills)
        assert child.given_back_e8 == sum(it.quantity_e8 for it in backs)
        assert len({it.exec_id for it in fills}) == len(fills)
        assert child.is_over == (child.state in (State.FILLED, State.REJECTED, State.CANCELLED, State.EXPIRED))

    @property
    def breaks(self) -> list[BreakReason]:
        return [it.reason for it in self.effects if isinstance(it, Break)]


def test_the_same_attempt_has_the_same_id_and_an_order_begins_as_sent() -> None:
    assert CHILD.child_id == "17-1"
    assert (CHILD.state, CHILD.left_e8, CHILD.is_over) == (State.SENT, e8("10000"), False)


def test_every_state_has_a_row_and_every_kind_a_column() -> None:
    assert list(TABLE) == [(state, kind) for state in State for kind in Kind]


def test_filled_in_parts() -> None:
    """FIX 5.0 SP2 appendix D, B.1.c: 10000 ordered, 2000, 3000 and 5000 filled, the last while a cancel is pending.

    At prices of ours it costs 2000 x 1.1 + 3000 x 1.1001 + 5000 x 1.1003 = 2200 + 3300.3 + 5501.5 = 11001.8; over
    10000: 1.10018. The pending cancel, and its refusal as too late, are passed on as the status that they carry.
    """
    it = Followed().take(
        said(Kind.ACCEPTED, cumulative="0", leaves="10000"),
        fill("A", "2000", "1.1", "2000", "8000"),
        fill("B", "3000", "1.1001", "5000", "5000"),
        said(Kind.ACCEPTED, cumulative="5000", leaves="5000"),
        fill("C", "5000", "1.1003", "10000", "0"),
        said(Kind.COMPLETE),
    )
    assert it.effects == [filled("A", "2000"), filled("B", "3000", "1.1001"), filled("C", "5000", "1.1003")]
    assert (it.child.state, it.child.cost_e16) == (State.FILLED, e8("11001.8") * 10**8)
    assert it.child.average_price_e8(Rounding.HALF_EVEN) == e8("1.10018")


def test_states_on_the_way() -> None:
    it = Followed()
    states = []
    for report in (said(Kind.ACCEPTED), fill("A", "1"), said(Kind.ACCEPTED), fill("B", "9999")):
        states.append(it.take(report).child.state)
    assert states == [State.WORKING, State.PARTLY_FILLED, State.PARTLY_FILLED, State.FILLED]


@pytest.mark.parametrize(
    ("kind", "state"),
    [(Kind.REJECTED, State.REJECTED), (Kind.CANCELLED, State.CANCELLED), (Kind.EXPIRED, State.EXPIRED)],
)
def test_what_is_not_filled_comes_back(kind: ReportKind, state: ChildState) -> None:
    assert Followed().take(said(kind)).effects == [rest("10000")]
    it = Followed().take(fill("A", "3000"), said(kind))  # REJECTED too: a reject after a partial fill is of the rest
    assert (it.effects, it.child.state) == ([filled("A", "3000"), rest("7000")], state)


def test_a_report_said_again_changes_nothing() -> None:
    it = Followed()
    for report in (said(Kind.ACCEPTED), fill("A", "3000"), said(Kind.CANCELLED, cumulative="3000")):
        it.take(report)
        before, effects = it.child, list(it.effects)
        it.take(report)
        assert (it.child, it.effects) == (before, effects)


def test_the_cancel_overtakes_a_fill_that_it_counts() -> None:
    """A fill after a cancel: CumQty 7000 says that 4000 are still to be reported, so 3000 come back, and not 7000."""
    it = Followed().take(fill("A", "3000"), said(Kind.CANCELLED, cumulative="7000", leaves="0"))
    assert (it.child.state, it.child.left_e8, it.effects[1:]) == (State.ENDING, e8("4000"), [rest("3000")])
    it.take(said(Kind.CANCELLED, cumulative="7000"), fill("B", "1500"), said(Kind.ACCEPTED), fill("C", "2500"))
    assert (it.child.state, it.child.left_e8) == (State.CANCELLED, 0)
    assert it.effects[2:] == [filled("B", "1500"), filled("C", "2500")]


def test_a_fill_that_the_cancel_did_not_count_is_a_break() -> None:
    """What it fills has been given back and may be filled at the next venue already."""
    late = fill("B", "4000")
    it = Followed().take(fill("A", "3000"), said(Kind.CANCELLED), late, late)
    assert it.effects[2:] == [Break("17-1", Reason.FILL_AFTER_END, "a fill of 4000, and 0 is left of cancelled", late)]


def test_a_cancelled_order_followed_by_a_busted_execution_and_a_new_one() -> None:
    """FIX 5.0 SP2 appendix D, J.1.b: B fills 5000, D cancels, E busts B, F fills 4000: both for a person."""
    it = Followed().take(
        said(Kind.ACCEPTED, "A", cumulative="0", leaves="10000"),
        fill("B", "5000", "1.1", "5000", "5000"),
        said(Kind.CANCELLED, "D", cumulative="5000", leaves="0"),
        said(Kind.BUSTED, "E", cumulative="0", leaves="0"),
        said(Kind.BUSTED, "E", cumulative="0", leaves="0"),
        fill("F", "4000", "1.101", "4000", "0"),
    )
    assert it.effects[:2] == [filled("B", "5000"), rest("5000")]
    assert it.breaks == [Reason.BUSTED, Reason.FILL_AFTER_END]


def test_a_status_without_its_fills_waits_for_them() -> None:
    it = Followed().take(said(Kind.COMPLETE, cumulative="10000", leaves="0"))
    assert (it.child.state, it.effects) == (State.ENDING, [])
    assert it.take(fill("A", "10000"), said(Kind.COMPLETE)).effects == [filled("A", "10000")]
    assert it.child.state is State.FILLED


@pytest.mark.parametrize(
    ("before", "report", "reason"),
    [
        ([], fill("A", "10000.00000001"), Reason.OVERFILL),
        ([fill("A", "9000")], fill("B", "1001"), Reason.OVERFILL),
        ([fill("A", "10000")], fill("B", "1"), Reason.OVERFILL),
        ([fill("A", "1")], fill("A", "2"), Reason.EXEC_ID_REUSED),
        ([fill("A", "1")], fill("A", "1", "1.05"), Reason.EXEC_ID_REUSED),
        ([], fill("", "1"), Reason.MALFORMED),
        ([], fill("x" * 65, "1"), Reason.MALFORMED),
        ([], fill("A", "0"), Reason.MALFORMED),
        ([], fill("A", "-1"), Reason.MALFORMED),
        ([], fill("A", "1", "0"), Reason.MALFORMED),
        ([], fill("A", "1", "10000000000"), Reason.MALFORMED),
        ([], fill("A", "1", "1.10101"), Reason.BEYOND_BOUND),
        ([], fill("A", "2", cumulative="1"), Reason.CONTRADICTION),
        ([], fill("A", "2", cumulative="2", leaves="9999"), Reason.CONTRADICTION),
        ([], said(Kind.ACCEPTED, leaves="-2"), Reason.CONTRADICTION),
        ([], said(Kind.CANCELLED, cumulative="10001"), Reason.CONTRADICTION),
        ([], said(Kind.REJECTED, leaves="10000"), Reason.CONTRADICTION),  # F.1.b: the first order lives
        ([fill("A", "5")], said(Kind.CANCELLED, cumulative="4"), Reason.CONTRADICTION),
        ([said(Kind.CANCELLED, cumulative="0")], said(Kind.EXPIRED, cumulative="4"), Reason.CONTRADICTION),
        ([said(Kind.CANCELLED, cumulative="9")], said(Kind.CANCELLED, cumulative="8"), Reason.CONTRADICTION),
        ([said(Kind.CANCELLED)], said(Kind.COMPLETE), Reason.CONTRADICTION),
        ([fill("A", "10000")], said(Kind.REJECTED), Reason.CONTRADICTION),
        ([], said(Kind.NOT_KNOWN), Reason.CONTRADICTION),  # nobody asked
        ([said(Kind.ACCEPTED)], said(Kind.NOT_KNOWN), Reason.CONTRADICTION),
        ([fill("A", "1")], said(Kind.BUSTED, "B"), Reason.BUSTED),
    ],
)
def test_a_report_that_cannot_be_true_is_a_break_and_changes_nothing(
    before: list[VenueReport], report: VenueReport, reason: BreakReason
) -> None:
    it = Followed().take(*before)
    child, effects = it.child, len(it.effects)
    it.take(report)
    (broken,) = it.effects[effects:]
    assert isinstance(broken, Break)
    assert (broken.child_id, broken.reason, broken.report) == ("17-1", reason, report)
    assert broken.detail
    assert it.child == child


def test_a_sale_is_bound_from_below() -> None:
    sale = send(17, 1, "LMAX", "EURUSD", Side.SELL, e8("10000"), e8("1.09900"), 0, START_NS)
    assert Followed(sale).take(fill("A", "1", "1.09899")).breaks == [Reason.BEYOND_BOUND]
    assert Followed(sale).take(fill("A", "1", "1.09900")).breaks == []
    assert Followed().take(fill("A", "1", "1.10100")).breaks == []
    unbound = msgspec.structs.replace(sale, bound_e8=0)
    assert Followed(unbound).take(fill("A", "1", "0.00001")).breaks == []


def test_reports_of_other_orders_are_breaks() -> None:
    report = fill("A", "1")
    for other in (
        msgspec.structs.replace(report, child_id="17-2"),
        msgspec.structs.replace(report, venue="OANDA"),
    ):
        assert Followed().take(other).breaks == [Reason.UNKNOWN_ORDER]
    assert stray(report) == Break("17-1", Reason.UNKNOWN_ORDER, "no order '17-1' was sent to LMAX", report)


def test_no_answer_leads_to_unknown_and_an_inquiry_and_gives_nothing_back() -> None:
    limit_ns = START_NS + ANSWER_LIMIT_NS
    assert not overdue(CHILD, limit_ns)
    assert overdue(CHILD, limit_ns + 1)
    child, effects = time_out(CHILD, limit_ns + 1)
    assert (child.state, child.left_e8, effects) == (State.UNKNOWN, e8("10000"), (Inquiry("17-1"),))
    # Asked again after twice as long.
    assert not overdue(child, limit_ns + 1 + 2 * ANSWER_LIMIT_NS)
    assert overdue(child, limit_ns + 2 + 2 * ANSWER_LIMIT_NS)


def test_a_person_is_told_of_an_order_that_stays_unknown_once() -> None:
    it, now_ns, asked = Followed(), START_NS, []
    for _ in range(20):
        while not overdue(it.child, now_ns):
            now_ns += 1_000_000_000
        asked.append((now_ns - START_NS) // 1_000_000_000)
        it.follow(*time_out(it.child, now_ns))
    assert asked[:5] == [6, 17, 38, 79, 160]
    assert asked[-1] - asked[-2] == 321
    assert it.breaks == [Reason.STILL_UNKNOWN]
    assert isinstance(it.effects[INQUIRIES_BEFORE_BREAK], Break)
    assert (it.child.state, it.child.left_e8) == (State.UNKNOWN, e8("10000"))


@pytest.mark.parametrize(
    ("report", "state", "effects"),
    [
        (said(Kind.ACCEPTED), State.WORKING, []),
        (fill("A", "10000"), State.FILLED, [filled("A", "10000")]),
        (fill("A", "1"), State.PARTLY_FILLED, [filled("A", "1")]),
        (said(Kind.COMPLETE), State.ENDING, []),
        (said(Kind.CANCELLED), State.CANCELLED, [rest("10000")]),
        (said(Kind.REJECTED), State.REJECTED, [rest("10000")]),
        (said(Kind.NOT_KNOWN), State.REJECTED, [rest("10000")]),
    ],
)
def test_every_answer_ends_not_knowing(report: VenueReport, state: ChildState, effects: list[VenueFill | Rest]) -> None:
    it = Followed(time_out(CHILD, START_NS + 6_000_000_000)[0]).take(report)
    assert (it.child.state, it.effects) == (state, effects)


def test_not_known_contradicts_a_fill() -> None:
    it = Followed().take(fill("A", "1"))
    it.follow(*time_out(it.child, START_NS + 1))
    assert it.take(said(Kind.NOT_KNOWN)).breaks == [Reason.CONTRADICTION]
    assert it.child.state is State.UNKNOWN
    assert it.take(said(Kind.ACCEPTED)).child.state is State.PARTLY_FILLED


def test_an_order_may_rest_unless_it_should_be_over() -> None:
    hour_ns = START_NS + 3_600_000_000_000
    resting = Followed().take(said(Kind.ACCEPTED)).child
    assert not overdue(resting, hour_ns)
    at_once = msgspec.structs.replace(resting, finish_ns=START_NS + 1)
    assert overdue(at_once, hour_ns)
    assert not overdue(at_once, START_NS + ANSWER_LIMIT_NS)
    over = Followed().take(said(Kind.CANCELLED)).child
    assert not overdue(over, hour_ns)
    assert time_out(over, hour_ns) == (over, ())


def test_fills_that_do_not_come_are_asked_for_and_stay_awaited() -> None:
    it = Followed().take(said(Kind.CANCELLED, cumulative="4000"))
    assert overdue(it.child, START_NS + ANSWER_LIMIT_NS + 1)
    it.follow(*time_out(it.child, START_NS + ANSWER_LIMIT_NS + 1))
    assert (it.child.state, it.child.left_e8) == (State.ENDING, e8("4000"))
    assert it.effects == [rest("6000"), Inquiry("17-1")]


def test_a_person_settles_what_is_left() -> None:
    it = Followed().take(fill("A", "3000"), fill("B", "2000", "1.2"))
    assert it.breaks == [Reason.BEYOND_BOUND]
    it.follow(*settle(it.child, "B", e8("2000"), e8("1.2")))
    assert (it.child.state, it.child.left_e8) == (State.CANCELLED, 0)
    assert it.effects[2:] == [filled("B", "2000", "1.2"), rest("5000")]
    assert it.take(fill("B", "2000", "1.2")).effects[4:] == []


def test_a_person_settles_fills_that_never_came() -> None:
    it = Followed().take(said(Kind.EXPIRED, cumulative="4000"), said(Kind.ACCEPTED))
    assert (it.child.state, it.effects) == (State.ENDING, [rest("6000")])
    it.follow(*settle(it.child, "S", e8("1000"), e8("1.1")))
    assert (it.child.state, it.effects[1:]) == (State.CANCELLED, [filled("S", "1000"), rest("3000")])


def test_a_settlement_fits_what_is_left() -> None:
    whole = Followed()
    whole.follow(*settle(CHILD, "B", e8("10000"), e8("1.1")))
    assert (whole.child.state, whole.effects) == (State.FILLED, [filled("B", "10000")])
    for child, exec_id, quantity, price in (
        (whole.child, "C", "0", "0"),
        (CHILD, "C", "10001", "1.1"),
        (CHILD, "C", "-1", "1.1"),
        (CHILD, "C", "1", "0"),
        (CHILD, "", "1", "1.1"),
    ):
        with pytest.raises(CannotSettle):
            settle(child, exec_id, e8(quantity), e8(price))


def test_exec_ids_are_bounded_and_none_is_forgotten() -> None:
    it = Followed()
    for number in range(EXEC_IDS_LIMIT):
        it.follow(*take(it.child, fill(f"X{number}", "1"), it.known))
    over = fill("Y", "1")
    assert it.take(over, over, fill("X0", "1")).breaks == [Reason.TOO_MANY_FILLS] * 2
    assert (len(it.known), it.child.filled_e8) == (EXEC_IDS_LIMIT, e8(str(EXEC_IDS_LIMIT)))


def test_the_largest_cost_fits_the_wire() -> None:
    largest = 10**18 - 1
    child = send(1, 1, "LMAX", "X", Side.BUY, largest, 0, 0, START_NS)
    report = VenueReport("LMAX", "1-1", "A", Kind.FILL, largest, largest, UNSAID, UNSAID, "", 0)
    child, _ = take(child, report, {})
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(child), type=ChildOrder) == child
    assert child.cost_e16 == largest * largest
    assert child.average_price_e8(Rounding.FLOOR) == largest


def test_effects_come_back_from_the_wire_as_what_they_were() -> None:
    it = Followed().take(fill("A", "1"), said(Kind.CANCELLED), fill("B", "1"))
    it.effects.append(Inquiry("17-1"))
    wire = msgspec.msgpack.encode(it.effects)
    assert msgspec.msgpack.decode(wire, type=list[VenueFill | Rest | Inquiry | Break]) == it.effects


ORDERED = 20
SMALL = send(17, 1, "LMAX", "EURUSD", Side.BUY, ORDERED, 12, 0, START_NS)
figures = st.integers(-2, ORDERED + 2)
any_report = st.builds(
    VenueReport,
    st.sampled_from(("LMAX", "LMAX", "LMAX", "LMAX", "OANDA")),
    st.just("17-1"),
    st.sampled_from(("A", "B", "C", "D", "E", "")),
    st.sampled_from((*Kind, Kind.FILL, Kind.FILL)),
    st.integers(-1, ORDERED + 1),
    st.integers(-1, 14),
    figures,
    figures,
    st.just(""),
    st.just(0),
)


@given(st.lists(st.one_of(any_report, st.sampled_from(("time out", "settle"))), max_size=30))
def test_whatever_a_venue_says_nothing_is_lost_or_doubled(told: list[VenueReport | str]) -> None:
    """Each report has an effect, moves the state, is a break, or says nothing new: a new fill never says nothing."""
    it = Followed(SMALL)
    for report in told:
        before, known, effects = it.child, dict(it.known), len(it.effects)
        if isinstance(report, VenueReport):
            it.take(report)
        elif report == "time out":
            it.follow(*time_out(it.child, START_NS + 1))
        elif it.child.left_e8 and it.child.state in (State.ENDING, State.UNKNOWN):
            it.follow(*settle(it.child, f"S{effects}", it.child.left_e8 // 2, 10))
        new = it.effects[effects:]
        if isinstance(report, VenueReport):
            if any(isinstance(effect, Break) for effect in new):
                assert (it.child, len(new)) == (before, 1)
            elif not new and report.kind is Kind.FILL:
                assert known[report.exec_id] == (report.quantity_e8, report.price_e8)
            elif not new:
                assert (it.child.filled_e8, it.child.given_back_e8) == (before.filled_e8, before.given_back_e8)
        if before.is_over:
            assert it.child == before
        if before.state is State.ENDING:
            assert it.child.state in (State.ENDING, State.FILLED, State.CANCELLED)
        assert it.child.filled_e8 >= before.filled_e8
        assert it.child.given_back_e8 >= before.given_back_e8


@st.composite
def truth(draw: st.DrawFn) -> tuple[list[VenueReport], list[tuple[int, int]], int, bool]:
    """What a truthful venue reports of an order that it has ended, its fills, what it gave back, and whether it counts.

    Out of order, some said more than once, with time-outs of ours in between (None stands for one).
    """
    counts = draw(st.booleans())
    numbers = count()
    left, fills, reports = ORDERED, list[tuple[int, int]](), list[VenueReport]()

    def report(kind: ReportKind, quantity: int = 0, price: int = 0, leaves: int = 0) -> None:
        cumulative = ORDERED - left
        reports.append(
            VenueReport(
                "LMAX",
                "17-1",
                f"E{next(numbers)}",
                kind,
                quantity,
                price,
                cumulative if counts else UNSAID,
                leaves if counts else UNSAID,
                "",
                0,
            )
        )

    if draw(st.booleans()):
        report(Kind.ACCEPTED, leaves=left)
    for _ in range(draw(st.integers(0, 4))):
        if left:
            quantity, price = draw(st.integers(1, left)), draw(st.integers(1, 12))
            left -= quantity
            fills.append((quantity, price))
            report(Kind.FILL, quantity, price, left)
            if draw(st.booleans()):
                report(Kind.ACCEPTED if left else Kind.COMPLETE, leaves=left)
    if left:
        report(draw(st.sampled_from((Kind.CANCELLED, Kind.EXPIRED, Kind.REJECTED))))
    again = draw(st.lists(st.sampled_from(reports), max_size=4))
    return draw(st.permutations(reports + again)), fills, left, counts


@given(truth(), st.lists(st.integers(0, 20), max_size=3))
def test_a_truthful_venue_is_understood_in_whatever_order_it_is_heard(
    told: tuple[list[VenueReport], list[tuple[int, int]], int, bool], time_outs: list[int]
) -> None:
    reports, fills, back, counts = told
    it = Followed(SMALL)
    for at, report in enumerate(reports):
        if at in time_outs:
            it.follow(*time_out(it.child, START_NS + 1))
        it.take(report)
    taken = [(effect.quantity_e8, effect.price_e8) for effect in it.effects if isinstance(effect, VenueFill)]
    broken = [
        (effect.report.quantity_e8, effect.report.price_e8)
        for effect in it.effects
        if isinstance(effect, Break) and effect.report is not None and effect.report.kind is Kind.FILL
    ]
    assert it.child.is_over
    if counts:
        assert [it for it in it.breaks if it is not Reason.STILL_UNKNOWN] == []
        assert (sorted(taken), it.child.given_back_e8) == (sorted(fills), back)
    else:
        # Without CumQty an end that overtakes a fill gives too much back: then the fill is a break, not lost.
        assert sorted(taken + broken) == sorted(fills)
        assert it.child.given_back_e8 == back + sum(quantity for quantity, _ in broken)
