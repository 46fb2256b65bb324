"""Other margin terms, of a group or of an instrument, count for what is open: some with each input of the market."""

import msgspec

from actors.domain import revision
from actors.domain.broker import apply
from actors.domain.commands import (
    AssignGroup,
    DefineGroup,
    DefineInstrument,
    Deposit,
    Mode,
    ObserveStream,
    ObserveTicks,
    OpenAccount,
)
from actors.domain.events.accounts import MarginRevised, MarginStatusChanged
from actors.domain.events.event import Event
from actors.domain.events.terms import GroupDefined, InstrumentDefined
from actors.domain.group import STANDARD, Group, Markup
from actors.domain.money import parse_e8 as e8
from actors.domain.order import Side
from actors.domain.risk.requirement import Hedging, Requirement
from actors.domain.risk.stop_out import MarginStatus
from actors.domain.snapshot import restore, snapshot
from actors.domain.state import State
from tests.actors.domain.deals import NOW_NS, filled
from tests.examples import ACCOUNT, INSTRUMENTS, closing, encoded, order, tick, trading_state

BUY, SELL = Side.BUY, Side.SELL
ALIVE = ObserveStream(NOW_NS)
TIGHTER = Group(STANDARD, leverage=10)
DEARER = msgspec.structs.replace(INSTRUMENTS["EURUSD"], margin_rate_e8=e8("0.05"))


def revisions(events: list[Event]) -> dict[tuple[int, str], int]:
    found = [event for event in events if isinstance(event, MarginRevised)]
    return {(event.account_id, event.symbol): event.requirement.initial_minor for event in found}


def test_a_groups_terms_count_with_the_next_sign_of_life() -> None:
    """10,000 at 1.10020 in each of two symbols of the dollar: 3.33 % is 366.37 for EURUSD, 10 % is 1,100.20."""
    state = trading_state()
    filled(state, order("EURUSD", BUY, "10000"))
    filled(state, order("GBPUSD", BUY, "10000", "b"))
    account = state.accounts[ACCOUNT]
    assert account.requirements["EURUSD"] == Requirement(366_37, 366_37)
    assert apply(state, DefineGroup(TIGHTER), NOW_NS) == [GroupDefined(TIGHTER)]
    assert account.requirements["EURUSD"] == Requirement(366_37, 366_37)
    pounds = account.exposures["GBPUSD"].long_cost_e16 // 10**15
    asked = {"EURUSD": Requirement(1_100_20, 1_100_20), "GBPUSD": Requirement(pounds, pounds)}
    assert apply(state, ALIVE, NOW_NS) == [MarginRevised(ACCOUNT, symbol, it) for symbol, it in asked.items()]
    assert (account.requirements, account.margin_minor) == (asked, 1_100_20 + pounds)
    assert apply(state, ALIVE, NOW_NS) == []


def test_so_do_an_instruments() -> None:
    """Of 10,000 at 1.10020 5 % is 550.10. A group of at most 10:1 asks for more than both: nothing is due there."""
    state = trading_state()
    apply(state, DefineGroup(Group("tight", leverage=10)), NOW_NS)
    apply(state, OpenAccount(2, "USD", Mode.HEDGING, "tight"), NOW_NS)
    apply(state, Deposit(2, 10_000_00, "two", "test"), NOW_NS)
    for account_id in (ACCOUNT, 2):
        bought = msgspec.structs.replace(order("EURUSD", BUY, "10000"), account_id=account_id)
        filled(state, bought)
    filled(state, order("GBPUSD", BUY, "10000", "b"))
    assert apply(state, DefineInstrument(DEARER), NOW_NS) == [InstrumentDefined(DEARER)]
    assert revisions(apply(state, ALIVE, NOW_NS)) == {(ACCOUNT, "EURUSD"): 550_10}


def test_terms_that_ask_for_the_same_leave_nothing_due() -> None:
    state = trading_state()
    filled(state, order("EURUSD", BUY, "10000"))
    apply(state, DefineGroup(Group(STANDARD, markup=Markup(1_000, 1_000))), NOW_NS)
    apply(state, DefineInstrument(msgspec.structs.replace(INSTRUMENTS["EURUSD"], description="euro")), NOW_NS)
    assert state.to_revise == {}


def test_the_next_tick_decides_about_the_margin_by_them() -> None:
    """100,000 at 1.10020 need 3,663.67 of 10,000; at 10 % they need 11,002.00, more than there is."""
    state = trading_state()
    filled(state, order("EURUSD", BUY, "100000"))
    apply(state, DefineGroup(TIGHTER), NOW_NS)
    revised, called = apply(state, ObserveTicks((tick("GBPUSD", "1.25010", "1.25030", 2),)), NOW_NS)
    assert isinstance(revised, MarginRevised)
    assert isinstance(called, MarginStatusChanged)
    assert (called.status, called.maintenance_minor) == (MarginStatus.MARGIN_CALL, 11_002_00)


def test_a_deal_or_a_move_before_it_leaves_nothing_due() -> None:
    """What is dealt, closed or moved has its margin by the terms of now already."""
    for before in (order("EURUSD", BUY, "1000", "b"), closing(1), AssignGroup(ACCOUNT, "other", "olga", "asked for")):
        state = trading_state()
        apply(state, DefineGroup(Group("other", hedging=Hedging.NET)), NOW_NS)
        filled(state, order("EURUSD", BUY, "10000"))
        apply(state, DefineGroup(TIGHTER), NOW_NS)
        apply(state, before, NOW_NS)
        assert (state.to_revise, apply(state, ALIVE, NOW_NS)) == ({}, [])


def crowd(count: int) -> State:
    """So many accounts with a position each, whose group has other terms now."""
    state = trading_state()
    for account_id in range(2, count + 2):
        apply(state, OpenAccount(account_id, "USD"), NOW_NS)
        apply(state, Deposit(account_id, 1_000_00, f"deposit-{account_id}", "test"), NOW_NS)
        filled(state, msgspec.structs.replace(order("EURUSD", SELL, "1000"), account_id=account_id))
    apply(state, DefineGroup(TIGHTER), NOW_NS)
    return state


def test_many_are_worked_out_some_at_a_time_and_a_restart_goes_on() -> None:
    count = revision.REVISED_TOGETHER + 50
    state = crowd(count)
    assert len(revisions(apply(state, ALIVE, NOW_NS))) == revision.REVISED_TOGETHER
    copy = restore(snapshot(state))
    assert encoded(copy) == encoded(state)
    rest = apply(state, ALIVE, NOW_NS)
    assert len(revisions(rest)) == 50
    assert apply(copy, ALIVE, NOW_NS) == rest
    assert {account.margin_minor for account in state.accounts.values() if account.positions} == {110_00}
    assert encoded(copy) == encoded(state)
