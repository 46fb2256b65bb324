"""Halting and resuming, of all, a group and a symbol. Prices are those of examples.py."""

import pytest

from actors.domain.broker import apply
from actors.domain.commands import (
    CancelOrder,
    DefineGroup,
    HaltTrading,
    ObserveStream,
    ObserveTicks,
    ResumeTrading,
    SubmitOrder,
    Withdraw,
)
from actors.domain.events.event import Event
from actors.domain.events.orders import OrderAccepted, OrderEnded, OrderFilled
from actors.domain.events.terms import TermsChanged, TradingHalted
from actors.domain.events.terms import TradingResumed as Resumed
from actors.domain.group import STANDARD, Group
from actors.domain.halt import Halt, HaltScope
from actors.domain.order import OrderReason, OrderType, Side
from actors.domain.refusal import Code
from actors.domain.snapshot import restore, snapshot
from actors.domain.state import State
from tests.actors.domain.deals import NOW_NS, filled, refusal, rejection
from tests.examples import ACCOUNT, closing, encoded, order, terms, tick, trading_state

ALL, GROUP, SYMBOL = HaltScope.ALL, HaltScope.GROUP, HaltScope.SYMBOL
EURUSD = (SYMBOL, "EURUSD")
SCOPES = [(ALL, ""), (GROUP, STANDARD), EURUSD]


def halt(state: State, scope: HaltScope, name: str) -> list[Event]:
    return apply(state, HaltTrading(scope, name, "rita", "news"), NOW_NS)


def resume(state: State, scope: HaltScope, name: str) -> list[Event]:
    return apply(state, ResumeTrading(scope, name, "olga", "over"), NOW_NS)


def price(state: State, bid: str, ask: str, symbol: str = "EURUSD") -> list[Event]:
    told = tick(symbol, bid, ask, state.ticks[symbol].seq + 1)
    return apply(state, ObserveTicks((told,)), NOW_NS)


@pytest.mark.parametrize(("scope", "name"), SCOPES)
def test_a_halt_and_its_end_say_who_and_why_and_are_done_once(scope: HaltScope, name: str) -> None:
    state = trading_state()
    begun, what = Halt(scope, name, "rita", "news", NOW_NS), f"{scope.value} {name}".strip()
    assert halt(state, scope, name) == [TradingHalted(begun), TermsChanged(f"halt {what}", "rita", "news", NOW_NS)]
    assert apply(state, HaltTrading(scope, name, "olga", "too"), NOW_NS + 1) == []
    copy = restore(snapshot(state))
    assert (list(copy.halts), encoded(copy)) == ([begun], encoded(state))
    assert resume(state, scope, name) == [Resumed(begun), TermsChanged(f"halt {what}", "olga", "over", NOW_NS)]
    assert resume(state, scope, name) == []
    filled(state, order("EURUSD", Side.BUY, "10000"))


@pytest.mark.parametrize(("scope", "name"), SCOPES)
def test_nothing_is_opened_or_closed_meanwhile_and_orders_can_be_cancelled(scope: HaltScope, name: str) -> None:
    state = trading_state()
    filled(state, order("EURUSD", Side.BUY, "10000"))
    limit = SubmitOrder(ACCOUNT, "l", terms("EURUSD", Side.BUY, "10000", OrderType.LIMIT, limit="1.05000"))
    assert isinstance(apply(state, limit, NOW_NS)[0], OrderAccepted)
    halt(state, scope, name)
    assert rejection(state, order("EURUSD", Side.BUY, "10000", "second")) == (
        "HALTED",
        "trading in EURUSD is halted",
    )
    assert refusal(state, closing(1))[0] is Code.HALTED
    assert isinstance(apply(state, CancelOrder(ACCOUNT, 2), NOW_NS)[0], OrderEnded)


@pytest.mark.parametrize(("scope", "name"), SCOPES)
@pytest.mark.parametrize("again", [False, True])
def test_what_waits_is_dealt_at_the_first_tick_after_it(scope: HaltScope, name: str, again: bool) -> None:
    state = trading_state()
    filled(state, order("EURUSD", Side.BUY, "10000", stop_loss="1.09000"))
    limit = SubmitOrder(ACCOUNT, "l", terms("EURUSD", Side.BUY, "10000", OrderType.LIMIT, limit="1.08000"))
    trail = SubmitOrder(ACCOUNT, "t", terms("EURUSD", Side.SELL, "10000", OrderType.TRAILING_STOP, trail="0.00500"))
    for told in (limit, trail):
        apply(state, told, NOW_NS)
    halt(state, scope, name)
    assert price(state, "1.07000", "1.07020") == []
    if again:
        state = restore(snapshot(state))
    assert price(state, "1.06900", "1.06920") == []
    resume(state, scope, name)
    dealt = price(state, "1.06800", "1.06820")
    reasons = [event.order.reason for event in dealt if isinstance(event, OrderFilled)]
    assert sorted(reason.value for reason in reasons) == ["client", "client", "stop_loss"]


def test_a_stop_out_waits_for_the_end_of_a_halt() -> None:
    for scope, name in SCOPES:
        state = trading_state("400.00")
        filled(state, order("EURUSD", Side.BUY, "10000"))
        halt(state, scope, name)
        told = price(state, "1.07000", "1.07020")
        assert not [event for event in told if isinstance(event, OrderFilled)]
        resume(state, scope, name)
        (dealt,) = (event for event in price(state, "1.07000", "1.07020") if isinstance(event, OrderFilled))
        assert dealt.order.reason is OrderReason.STOP_OUT


def test_others_go_on() -> None:
    state = trading_state()
    apply(state, DefineGroup(Group("pros")), NOW_NS)
    for scope, name in ((SYMBOL, "USDJPY"), (GROUP, "pros")):
        halt(state, scope, name)
    filled(state, order("EURUSD", Side.BUY, "10000"))
    apply(state, Withdraw(ACCOUNT, 1_00, "out", "anna"), NOW_NS)
    apply(state, ObserveStream(NOW_NS), NOW_NS)


def test_what_cannot_be_halted() -> None:
    state = trading_state()
    for scope, name, code, field in (
        (SYMBOL, "NOSUCH", Code.UNKNOWN_SYMBOL, "symbol"),
        (GROUP, "nobody", Code.UNKNOWN_GROUP, "name"),
        (ALL, "x", Code.BAD_TERMS, "name"),
    ):
        for kind in (HaltTrading, ResumeTrading):
            told = kind(scope, name, "rita", "why")
            assert refusal(state, told)[::2] == (code, field)
    assert refusal(state, HaltTrading(ALL, "", "rita", "x" * 501))[0] is Code.BAD_REASON
    assert refusal(state, HaltTrading(ALL, "", "", "why"))[0] is Code.BAD_ACTOR
