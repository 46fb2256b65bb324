"""Positions and collateral, as an LP reports them."""

import pytest

from actors.domain.money import parse_e8
from gateway.fix.lp import account
from gateway.fix.lp.account import Collateral, PositionCount, PositionReport
from tests.gateway.fix.lp.messages import message


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("710=p 727=3 728=0", PositionCount("p", 3, "")),
        ("710=p 727=0 728=2", PositionCount("p", 0, "")),
        ("710=p 728=2", PositionCount("p", 0, "")),
        ("710=p 728=0", PositionCount("p", None, "no number")),
        ("710=p 728=4 58=no", PositionCount("p", None, "PosReqResult 4: no")),
    ],
)
def test_how_many_positions_come(body: str, count: PositionCount) -> None:
    assert account.position_count(message(b"AO", body)) == count


@pytest.mark.parametrize(
    ("quantities", "net"),
    [
        ("702=1 703=TQ 704=500 705=200", "300"),
        ("702=1 703=TQ 705=200", "-200"),
        ("702=2 703=TQ 704=500 703=SOD 704=100", "500"),
        ("702=2 703=FIN 704=500 703=SOD 704=100", "600"),
        ("702=0", "0"),
    ],
)
def test_what_is_held(quantities: str, net: str) -> None:
    report = account.position_report(message(b"AP", f"710=p 55=EUR/USD {quantities} 753=1 707=FMTM 708=0"))
    assert report == PositionReport("p", "EUR/USD", parse_e8(net))


def test_a_position_that_cannot_be_read_is_none() -> None:
    assert account.position_report(message(b"AP", "710=p 55=EUR/USD 702=1 703=TQ 704=x")).net_e8 is None


def test_collateral() -> None:
    assert account.collateral_inquiry("q", "A1") == [(909, b"q"), (1, b"A1")]
    assert account.collateral(message(b"BA", "909=q 15=USD 899=-3 900=100.5 901=x")) == Collateral(
        "q", "USD", parse_e8("100.5"), None, parse_e8("-3")
    )
    assert account.collateral_refusal(message(b"BG", "909=q 945=0 946=0")) == ("q", "")
    assert account.collateral_refusal(message(b"BG", "909=q 945=4 946=3 58=no")) == ("q", "CollInquiryResult 3: no")
