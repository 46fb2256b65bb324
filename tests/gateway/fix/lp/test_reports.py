"""Every kind of report on an order, in the words of FIX 4.4 and of FIX 4.2, to ours."""

import pytest

from actors.domain.money import parse_e8
from gateway.fix.lp import reports
from gateway.fix.lp.reports import BusinessReject, Report
from gateway.venues.execution import UNSAID, Said, SaidKind
from tests.gateway.fix.lp.messages import SENT_NS, message

BODY = "37=1 11=c1 17=E1 55=EUR/USD 54=1 38=1000 "


def said(body: str) -> Said:
    found = reports.execution_report(message(b"8", BODY + body)).said
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("states", "kind"),
    [
        ("150=A 39=A", "accepted"),
        ("150=0 39=0", "accepted"),
        ("150=5 39=0", "accepted"),
        ("150=6 39=6", "accepted"),
        ("150=E 39=E", "accepted"),
        ("150=D 39=1", "accepted"),
        ("150=7 39=7", "accepted"),
        ("150=9 39=9", "accepted"),
        ("150=3 39=3", "expired"),
        ("150=C 39=C", "expired"),
        ("150=C", "expired"),
        ("150=4 39=4", "cancelled"),
        ("150=8 39=8 103=3", "rejected"),
        ("150=8 39=0 103=6", "accepted"),
        ("150=8 39=2 103=6", "complete"),
        ("150=G 39=2", "busted"),
        ("150=H 39=1", "busted"),
        ("150=0 20=1 39=0", "busted"),
        ("150=2 20=2 39=2", "busted"),
    ],
)
def test_what_happened_to_an_order(states: str, kind: SaidKind) -> None:
    found = said(states)
    assert (found.client_id, found.kind, found.exec_id, found.quantity_e8, found.price_e8) == ("c1", kind, "E1", 0, 0)


@pytest.mark.parametrize("states", ["150=F 39=1", "150=1 39=1", "150=1 20=0 39=1", "150=2 39=2"])
def test_a_fill_in_new_and_old_words(states: str) -> None:
    found = said(f"{states} 32=400 31=1.1002 14=400 151=600 60=20260119-12:00:00.000")
    assert found == Said(
        "c1",
        "fill",
        "E1",
        quantity_e8=parse_e8("400"),
        price_e8=parse_e8("1.1002"),
        cumulative_e8=parse_e8("400"),
        leaves_e8=parse_e8("600"),
        time_ns=SENT_NS,
        name="c1",
    )


@pytest.mark.parametrize("figures", ["32=x 31=1.1", "31=1.1", "32=400.000000001 31=1.1"])
def test_a_fill_that_cannot_be_read_has_no_quantity(figures: str) -> None:
    found = said(f"150=F 39=1 {figures}")
    assert (found.kind, found.quantity_e8, found.cumulative_e8, found.leaves_e8) == ("fill", 0, UNSAID, UNSAID)


@pytest.mark.parametrize(
    ("states", "kind"),
    [("150=I 39=1 14=400 151=600", "accepted"), ("150=I 39=2 14=1000", "complete"), ("150=2 20=3 39=4", "cancelled")],
)
def test_a_status_is_an_answer(states: str, kind: SaidKind) -> None:
    report = reports.execution_report(message(b"8", BODY + states))
    assert report.is_answer
    assert report.said is not None
    assert report.said.kind == kind


@pytest.mark.parametrize("states", ["150=I 39=8 103=5", "150=8 39=8 103=5", "37=NONE 150=I 39=8"])
def test_an_order_that_the_lp_does_not_know(states: str) -> None:
    assert reports.execution_report(message(b"8", "11=c1 17=0 " + states)) == Report("c1", True, None)


def test_a_refused_order_without_a_number_is_no_unknown_one() -> None:
    report = reports.execution_report(message(b"8", "11=c1 17=0 37=NONE 150=8 39=8 103=0"))
    assert report.said is not None
    assert report.said.kind == "rejected"


def test_a_cancel_is_of_the_order_that_it_names() -> None:
    assert said("150=4 39=4 41=c0").client_id == "c0"
    refused = reports.cancel_reject(message(b"9", "37=1 11=c2 41=c1 39=2 434=1 102=0 14=1000"))
    assert refused.said is not None
    assert (refused.client_id, refused.said.kind) == ("c1", "complete")
    assert reports.cancel_reject(message(b"9", "37=NONE 11=c2 41=c1 39=8 102=1")) == Report("c1", True, None)


def test_the_lps_words_are_kept_short_and_printable() -> None:
    text = b"no\x07 credit " + b"x" * 500
    found = reports.execution_report(message(b"8", BODY + "150=8 39=8 103=3 58=", (58, text))).said
    assert found is not None
    assert len(found.text) <= 120
    assert found.text.isprintable()


def test_a_business_reject() -> None:
    assert reports.business_reject(message(b"j", "45=7 372=H 379=c1 380=1 58=unknown")) == BusinessReject(
        b"H", "c1", 7, True, "BusinessRejectReason 1: unknown"
    )
    assert reports.business_reject(message(b"j", "380=x")).ref_seq == 0
