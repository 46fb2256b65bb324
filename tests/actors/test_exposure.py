"""What staff ask the engine of the broker's books."""

from actors.bus.desk_answers import DeskReport, ExposureReport
from actors.bus.requests import GetExposure
from actors.domain import wide
from actors.domain.commands import DefineRules, ReportExecution
from actors.domain.money import parse_e8 as e8
from actors.domain.order import Side
from actors.domain.routing.child import UNSAID, ReportKind, VenueReport
from actors.domain.routing.rulebook import Book, Rule
from tests.actors.engine_desk import Desk, ticks_frame
from tests.examples import START_NS, order, tick

BUY = Side.BUY
RULE = Rule(rule_id=1, name="all", book=Book.A_BOOK, venues=("LMAX",))


def test_what_the_broker_has_open_is_answered(desk: Desk) -> None:
    """10,000 EURUSD bought from the broker at 1.10020, now 1.10500/1.10520: the broker has lost 48.00 USD."""
    desk.answer(order("EURUSD", BUY, "10000"))
    desk.answer(DefineRules((RULE,), ("LMAX",)))
    desk.answer(order("EURUSD", BUY, "1000", "venue"))
    desk.ask(START_NS, ticks=[ticks_frame(tick("EURUSD", "1.10500", "1.10520", 2))])
    report = desk.answer(GetExposure())
    assert isinstance(report, ExposureReport)
    lost, none = wide.part(-48 * 10**16), (0, 0)
    assert report.desks == [DeskReport("EURUSD", e8("10000"), 0, 0, e8("10000"), {}, lost, none, none, none)]
    assert [sent.child.child_id for sent in report.children] == ["2-1"]


def test_a_crash_with_an_order_at_a_venue_loses_nothing(desk: Desk) -> None:
    desk.answer(DefineRules((RULE,), ("LMAX",)))
    desk.answer(order("EURUSD", BUY, "1000", "venue"))
    fill = VenueReport("LMAX", "1-1", "e1", ReportKind.FILL, e8("400"), e8("1.1002"), UNSAID, UNSAID, "", 0)
    desk.answer(ReportExecution(fill))
    before = desk.encoded()
    desk.crash()
    again = Desk(desk.path)
    assert again.encoded() == before
    seq = again.state.event_seq
    again.answer(ReportExecution(fill))
    assert again.state.event_seq == seq
