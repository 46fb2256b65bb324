"""Rounds of trade reports: what is asked for, which reports count, and when a round is over."""

from pathlib import Path

import pytest

from actors.lp.trades import MEMORY_NS, OVERLAP_NS, ROUND_NS, Trades
from actors.store.dispatch import Dispatch
from gateway.fix.times import utc_timestamp
from tests.gateway.fix.lp.messages import message
from tests.store.test_dispatch import child, report

MADE_NS = 1_768_824_000 * 10**9
LATER_NS = MADE_NS + 3_600 * 10**9


@pytest.fixture
def dispatch(tmp_path: Path) -> Dispatch:
    return Dispatch(tmp_path / "d.sqlite", MADE_NS)


def heard(
    trades: Trades,
    name: str = "x",
    time_ns: int = LATER_NS,
    *,
    exec_id: str = "E1",
    quantity: str = "0.00000001",
    price: str = "0.00000001",
    more: str = "",
) -> bool:
    dealt = f"571=T1 17={exec_id} 32={quantity} 31={price} 60={utc_timestamp(time_ns).decode()}"
    return trades.hear(message(b"AE", f"{dealt} 552=1 54=1 37=1 11={name} {more}")) is not None


def asked_from(trades: Trades, now_ns: int) -> bytes:
    return next(value for tag, value in trades.begin("r", now_ns) if tag == 60)


def test_a_round_begins_where_the_one_before_ended_and_never_before_the_store_was_made(dispatch: Dispatch) -> None:
    trades = Trades(dispatch, "")
    assert asked_from(trades, LATER_NS) == utc_timestamp(MADE_NS)
    assert trades.count(message(b"AQ", "568=r 748=1 749=0")) == ""
    assert dispatch.trades_ns == 0
    heard(trades, more="568=r")
    assert (dispatch.trades_ns, trades.request_id) == (LATER_NS, "")
    assert not trades.is_due(LATER_NS + ROUND_NS - 1)
    assert trades.is_due(LATER_NS + ROUND_NS)
    assert asked_from(Trades(dispatch, ""), LATER_NS + ROUND_NS) == utc_timestamp(LATER_NS - OVERLAP_NS)


@pytest.mark.parametrize(("head", "more"), [("748=0", ""), ("", "568=r 912=Y"), ("748=2", "568=r")])
def test_a_round_is_over_when_all_have_come(dispatch: Dispatch, head: str, more: str) -> None:
    trades = Trades(dispatch, "")
    trades.begin("r", LATER_NS)
    trades.count(message(b"AQ", f"568=r 749=0 {head}"))
    for _ in range(2 if more else 0):
        assert heard(trades, more=more)
    assert dispatch.trades_ns == LATER_NS


def test_a_round_that_is_refused_or_of_another_is_not_read(dispatch: Dispatch) -> None:
    trades = Trades(dispatch, "")
    trades.begin("r", LATER_NS)
    assert trades.count(message(b"AQ", "568=other 748=0 749=0")) == ""
    assert heard(trades, more="568=other 912=Y")
    assert trades.count(message(b"AQ", "568=r 749=8 58=no")) == "TradeRequestResult 8: no"
    assert (dispatch.trades_ns, trades.request_id) == (0, "")


def test_what_is_of_another_account_or_of_a_time_before_ours_does_not_count(dispatch: Dispatch) -> None:
    trades = Trades(dispatch, "A1")
    assert heard(trades, more="1=A1")
    assert heard(trades)
    assert not heard(trades, more="1=A2")
    assert not heard(trades, time_ns=MADE_NS - 1_000_000)


def test_what_the_session_has_said_is_not_said_again(dispatch: Dispatch) -> None:
    dispatch.follow(1, 0, [(child(1, LATER_NS), "c1")], [], [])
    dispatch.take([report(1, "E1"), report(1, "E10")])
    trades = Trades(dispatch, "")
    assert not heard(trades, "c1")
    assert heard(trades, "c1", quantity="0.00000002")
    assert heard(trades, "c1", price="0.00000002")
    assert heard(trades, "c1", exec_id="E")
    assert heard(trades, "c1", more="487=1")


def test_an_order_that_is_forgotten_is_not_judged(dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.store.dispatch.OVER_LIMIT", 1)
    dispatch.follow(1, 0, [(child(number, LATER_NS), f"c{number}") for number in (1, 2)], [], [])
    dispatch.follow(2, 0, [], ["1-1", "2-1"], [])
    assert dispatch.forgotten_ns == LATER_NS
    trades = Trades(dispatch, "")
    assert not heard(trades, "c1", LATER_NS + MEMORY_NS)
    assert heard(trades, "c2", LATER_NS + MEMORY_NS)
    assert heard(trades, "c1", LATER_NS + MEMORY_NS + 1_000_000)
