"""Executions as an LP's back office reports them."""

import pytest

from actors.domain.money import parse_e8
from gateway.fix.lp import trades
from gateway.fix.lp.trades import TradeCount, TradeReport
from gateway.venues.execution import Said
from tests.gateway.fix.lp.messages import SENT_NS, message

TRADE = "571=T1 17=E1 55=EUR/USD 32=400 31=1.1 75=20260119 60=20260119-12:00:00.000 552=1 54=1 37=1 11=c1 1=A1 "
HOUR_NS = 3_600 * 10**9


def test_what_is_asked() -> None:
    assert trades.order_trades_request("t", "c1") == [(568, b"t"), (569, b"1"), (263, b"0"), (11, b"c1")]
    assert trades.trades_request("t", SENT_NS - 13 * HOUR_NS, SENT_NS) == [
        *((568, b"t"), (569, b"0"), (263, b"0"), (580, b"2")),
        *((75, b"20260118"), (60, b"20260118-23:00:00.000"), (75, b"20260119"), (60, b"20260119-12:00:00.000")),
    ]


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("568=t 748=3 749=0", TradeCount("t", 3, "")),
        ("568=t 749=0", TradeCount("t", None, "")),
        ("568=t 749=8 58=no", TradeCount("t", None, "TradeRequestResult 8: no")),
    ],
)
def test_how_many_come(body: str, count: TradeCount) -> None:
    assert trades.trade_count(message(b"AQ", body)) == count


def test_an_execution() -> None:
    said = Said("c1", "fill", "E1", parse_e8("400"), parse_e8("1.1"), time_ns=SENT_NS)
    assert trades.trade_report(message(b"AE", TRADE + "568=t 912=Y 487=0")) == TradeReport("t", "A1", True, said)
    assert trades.trade_report(message(b"AE", TRADE)) == TradeReport("", "A1", False, said)


@pytest.mark.parametrize("states", ["487=1", "487=2", "150=H", "150=G"])
def test_an_execution_that_was_cancelled_or_corrected(states: str) -> None:
    report = trades.trade_report(message(b"AE", f"{TRADE}{states} 572=T0"))
    assert report.said == Said("c1", "busted", "E1", text="(of report T0)", time_ns=SENT_NS)


def test_one_without_an_exec_id_goes_by_its_report() -> None:
    assert trades.trade_report(message(b"AE", "571=T1 487=1 11=c1")).said.exec_id == "T1"
