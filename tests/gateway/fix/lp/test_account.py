"""Positions, executions, instruments and collateral, as an LP reports them."""

import pytest

from actors.domain.money import parse_e8
from gateway.fix.lp import account
from gateway.fix.lp.account import Collateral, PositionCount, PositionReport
from gateway.venues.execution import Said
from tests.gateway.fix.lp.messages import SENT_NS, message


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


def test_an_execution_of_a_trade_report() -> None:
    body = "568=t 17=E1 55=EUR/USD 32=400 31=1.1 60=20260119-12:00:00.000 552=1 54=1 37=1 11=c1"
    assert account.trade_report(message(b"AE", body)) == Said(
        "c1", "fill", "E1", parse_e8("400"), parse_e8("1.1"), time_ns=SENT_NS
    )


def test_instruments_and_collateral() -> None:
    assert account.securities(message(b"y", "320=s 560=0 146=2 55=EUR/USD 15=EUR 55=GBP/USD")) == ["EUR/USD", "GBP/USD"]
    assert account.collateral(message(b"BA", "15=USD 900=100.5 901=x")) == Collateral(
        "USD", parse_e8("100.5"), None, None
    )
