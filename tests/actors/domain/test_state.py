import os
import subprocess
import sys

import msgspec
import pytest

from actors.domain.account import Account
from actors.domain.broker import apply
from actors.domain.commands import CancelOrder, Input, Mode, ObserveStream, ObserveTicks, SubmitOrder
from actors.domain.events.event import Event
from actors.domain.evolution import evolve
from actors.domain.group import STANDARD, Group
from actors.domain.ledger import Unbalanced
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderType, Position, Side
from actors.domain.remembered import REMEMBERED_ORDERS
from actors.domain.risk.exposure import Exposure
from actors.domain.risk.requirement import NOTHING, Requirement
from actors.domain.snapshot import Snapshot, restore, snapshot
from actors.domain.state import State
from actors.domain.waiting import see
from tests.conftest import ROOT
from tests.examples import (
    ACCOUNT,
    START_NS,
    closing,
    encoded,
    opening,
    order,
    terms,
    tick,
    trading_inputs,
    trading_state,
)

BUY, SELL = Side.BUY, Side.SELL

DAY: list[Input] = [
    *trading_inputs(),
    *opening("500000", "JPY", 2),
    order("EURUSD", BUY, "10000", "a", stop_loss="1.09", take_profit="1.12"),
    order("EURUSD", SELL, "4000", "b", stop_loss="1.15"),
    order("EURGBP", SELL, "5000", "c"),
    order("USDJPY", BUY, "1000", "d", account_id=2, take_profit="151"),
    order("EURUSD", BUY, "9000000", "too much"),
    ObserveTicks((tick("EURUSD", "1.10500", "1.10520", 2), tick("USDJPY", "150.500", "150.520", 2))),
    closing(2, "part", "1000"),
    ObserveStream(START_NS, ("EURGBP",)),
    ObserveTicks((tick("EURUSD", "1.08", "1.0802", 3), tick("USDJPY", "151.100", "151.120", 3))),
    order("GBPUSD", SELL, "2000", "e", stop_loss="1.26"),
]
"""Something of everything; positions 1 and 4 are closed by the market."""


def lived(inputs: list[Input], state: State) -> list[Event]:
    return [event for told in inputs for event in apply(state, told, START_NS)]


def test_a_state_is_its_events_and_ticks() -> None:
    state, copy = State(), State()
    for told in DAY:
        for event in apply(state, told, START_NS):
            evolve(copy, event)
        if isinstance(told, ObserveTicks):
            for seen in told.ticks:
                see(copy, seen)
        elif isinstance(told, ObserveStream):
            copy.observe_stream(told.alive_ns, told.behind)
    assert encoded(copy) == encoded(state)
    assert state.event_seq == 19


@pytest.mark.parametrize("cut", range(0, len(DAY), 3))
def test_a_restored_state_goes_on_as_if_nothing_had_been(cut: int) -> None:
    state = State()
    lived(DAY[:cut], state)
    saved = encoded(state)
    copy = restore(msgspec.msgpack.decode(saved, type=Snapshot))
    assert encoded(copy) == saved
    assert lived(DAY[cut:], copy) == lived(DAY[cut:], state)
    assert encoded(copy) == encoded(state)


def test_indexes_are_built_anew() -> None:
    state = State()
    lived(DAY, state)
    copy = restore(snapshot(state))
    assert copy.crosses == state.crosses
    for account_id, account in state.accounts.items():
        other = copy.accounts[account_id]
        assert other.margin_minor == account.margin_minor
        assert sums(other) == sums(account)
        assert copy.summary(other, START_NS) == state.summary(account, START_NS)


def sums(account: Account) -> dict[str, tuple[int, ...]]:
    return {symbol: amounts(exposure) for symbol, exposure in account.exposures.items()}


def amounts(exposure: Exposure) -> tuple[int, ...]:
    return exposure.long_e8, exposure.long_cost_e16, exposure.short_e8, exposure.short_proceeds_e16


def test_a_ledger_that_does_not_balance_is_not_restored() -> None:
    saved = snapshot(trading_state())
    forged = msgspec.structs.replace(saved, balances=saved.balances[:1])
    with pytest.raises(Unbalanced):
        restore(forged)


def test_an_account_sums_its_positions() -> None:
    account = Account(ACCOUNT, "USD", Mode.HEDGING, Group(STANDARD), {})
    long = Position(1, ACCOUNT, "EURUSD", BUY, e8("10"), e8("1.1"), 50, 0, 0, 0)
    short = Position(2, ACCOUNT, "EURUSD", SELL, e8("4"), e8("1.2"), 20, 0, 0, 0)
    other = Position(3, ACCOUNT, "GBPUSD", BUY, e8("1"), e8("1.3"), 5, 0, 0, 0)
    for position in (long, short, other):
        account.place(position, "USD")
    assert sums(account) == {
        "EURUSD": (e8("10"), e8("10") * e8("1.1"), e8("4"), e8("4") * e8("1.2")),
        "GBPUSD": (e8("1"), e8("1") * e8("1.3"), 0, 0),
    }
    account.require("EURUSD", Requirement(70, 35))
    account.require("GBPUSD", Requirement(5, 3))
    assert (account.margin_minor, account.maintenance_minor) == (75, 38)
    account.place(msgspec.structs.replace(long, quantity_e8=e8("7"), margin_minor=35), "USD", long)
    account.require("EURUSD", Requirement(55, 28))
    account.place(msgspec.structs.replace(other, quantity_e8=0, margin_minor=0), "USD", other)
    account.require("GBPUSD", NOTHING)
    assert sums(account) == {"EURUSD": (e8("7"), e8("7") * e8("1.1"), e8("4"), e8("4") * e8("1.2"))}
    assert (account.margin_minor, account.maintenance_minor, list(account.positions)) == (55, 28, [1, 2])
    assert account.requirements == {"EURUSD": Requirement(55, 28)}


def test_the_oldest_outcomes_are_forgotten_beyond_the_limit() -> None:
    state = trading_state()
    lived([order("EURUSD", BUY, "1", f"id-{number}") for number in range(REMEMBERED_ORDERS + 2)], state)
    remembered = [f"id-{number}" for number in range(2, REMEMBERED_ORDERS + 2)]
    assert list(state.accounts[ACCOUNT].outcomes) == remembered
    assert list(restore(snapshot(state)).accounts[ACCOUNT].outcomes) == remembered


def test_a_request_that_still_waits_is_not_forgotten() -> None:
    """The first of them waits: sent again after 10,000 others it is the same order, until it has ended."""
    state = trading_state()
    far = SubmitOrder(ACCOUNT, "waits", terms("EURUSD", BUY, "1", OrderType.LIMIT, limit="1.01"))
    others = [order("EURUSD", BUY, "1", f"id-{number}") for number in range(REMEMBERED_ORDERS + 1)]
    lived([far, *others], state)
    outcomes = state.accounts[ACCOUNT].outcomes
    assert len(outcomes) == REMEMBERED_ORDERS
    assert ("waits" in outcomes, "id-0" in outcomes, "id-1" in outcomes, "id-2" in outcomes) == (
        True,
        False,
        False,
        True,
    )
    assert apply(state, far, START_NS) == []
    assert list(restore(snapshot(state)).accounts[ACCOUNT].outcomes) == list(outcomes)
    lived([CancelOrder(ACCOUNT, 1)], state)
    lived([order("EURUSD", BUY, "1", f"more-{number}") for number in range(REMEMBERED_ORDERS)], state)
    assert "waits" not in outcomes


def test_the_engines_own_orders_have_no_client_order_id_to_remember() -> None:
    state = State()
    lived(DAY, state)
    assert list(state.accounts[ACCOUNT].outcomes) == ["a", "b", "c", "too much", "part", "e"]


def test_summary() -> None:
    """10,000 EURUSD bought at 1.10020, market 1.10500/1.10520: +48.00, margin 366.37 of 10,000.00."""
    state = trading_state()
    lived([order("EURUSD", BUY, "10000"), ObserveTicks((tick("EURUSD", "1.105", "1.1052", 2),))], state)
    summary = state.summary(state.accounts[ACCOUNT], START_NS + 5)
    assert summary == type(summary)(ACCOUNT, "USD", 10_000_00, 48_00, 366_37, START_NS + 5, 0, 366_37)
    assert (summary.equity_minor, summary.free_margin_minor) == (10_048_00, 9_681_63)


SCRIPT = """
import sys, msgspec
from actors.domain.broker import apply
from actors.domain.risk.requirement import NOTHING, Requirement
from actors.domain.snapshot import snapshot
from actors.domain.state import State
from tests.actors.domain.test_state import DAY, START_NS
state = State()
events = [event for told in DAY for event in apply(state, told, START_NS)]
sys.stdout.buffer.write(msgspec.msgpack.encode([events, snapshot(state)]))
"""


def test_another_run_gives_the_same_bytes_whatever_its_hashes_are() -> None:
    """String hashes, and with them the order of sets, differ by PYTHONHASHSEED."""
    state = State()
    expected = msgspec.msgpack.encode([lived(DAY, state), snapshot(state)])
    for seed in ("0", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", SCRIPT]
        assert subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True).stdout == expected
