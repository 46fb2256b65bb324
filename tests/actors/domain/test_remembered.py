"""Requests that are known by their client_order_id: bounded for each account, and for all together."""

import pytest

from actors.domain.broker import apply
from actors.domain.commands import Deposit, Mode, OpenAccount, SubmitOrder
from actors.domain.evolution import accounts
from actors.domain.order import OrderType, Side
from actors.domain.remembered import Remembered
from actors.domain.snapshot import restore, snapshot
from actors.domain.state import State
from tests.actors.domain.deals import NOW_NS, filled
from tests.examples import ACCOUNT, encoded, order, terms, trading_state

BUY = Side.BUY


def state_of(in_all: int, count: int) -> State:
    """With accounts 1 to `count`, which are remembered by so many requests in all."""
    state = trading_state()
    for account_id in range(2, count + 1):
        apply(state, OpenAccount(account_id, "USD", Mode.HEDGING), NOW_NS)
        apply(state, Deposit(account_id, 1_000_00, f"deposit-{account_id}", "test"), NOW_NS)
    state.remembered.in_all = in_all
    return state


def ask(state: State, account_id: int, *names: str) -> None:
    for name in names:
        filled(state, SubmitOrder(account_id, name, terms("EURUSD", BUY, "1")))


def known(state: State) -> dict[int, str]:
    return {number: "".join(account.outcomes) for number, account in state.accounts.items()}


def test_who_has_more_than_a_share_forgets_first() -> None:
    """Nine in all are three each. Account 1 has filled them up: what it has beyond its share goes as others ask."""
    state = state_of(9, 3)
    ask(state, 1, *"abcdefghi")
    assert known(state) == {1: "abcdefghi", 2: "", 3: ""}
    ask(state, 2, *"jk")
    assert known(state) == {1: "cdefghi", 2: "jk", 3: ""}
    ask(state, 1, "l")
    assert known(state) == {1: "defghil", 2: "jk", 3: ""}
    ask(state, 2, *"mn")
    assert known(state) == {1: "efghil", 2: "kmn", 3: ""}
    ask(state, 3, *"opqr")
    assert known(state) == {1: "hil", 2: "kmn", 3: "pqr"}


def test_a_restart_forgets_the_same() -> None:
    state = state_of(9, 3)
    ask(state, 1, *"abcde")
    ask(state, 2, *"fghij")
    copy = restore(snapshot(state))
    copy.remembered.in_all = state.remembered.in_all
    for one in (state, copy):
        ask(one, 3, "k")
        ask(one, 1, "l")
        ask(one, 3, "m")
    assert encoded(copy) == encoded(state)
    assert known(state) == {1: "del", 2: "ghij", 3: "km"}


def test_what_is_restored_above_a_lower_limit_shrinks_with_each_request() -> None:
    state = state_of(9, 3)
    ask(state, 1, *"abcde")
    ask(state, 2, *"fghi")
    copy = restore(snapshot(state))
    copy.remembered.in_all = 6
    ask(copy, 3, "j")
    assert known(copy) == {1: "cde", 2: "fghi", 3: "j"}
    ask(copy, 3, "k")
    assert known(copy) == {1: "de", 2: "ghi", 3: "jk"}
    ask(copy, 1, "l")
    assert [len(account.outcomes) for account in copy.accounts.values()] == [2, 2, 2]


def test_neither_what_waits_is_forgotten_nor_what_was_asked_last() -> None:
    """Both shares are full of what waits: the order that is filled now is known when it is answered."""
    state = state_of(4, 2)
    for account_id, name in ((1, "a"), (1, "b"), (1, "c"), (2, "d"), (2, "e"), (2, "f")):
        far = terms("EURUSD", BUY, "1", OrderType.LIMIT, limit="1.01")
        apply(state, SubmitOrder(account_id, name, far), NOW_NS)
    ask(state, 1, "g")
    assert known(state) == {1: "abcg", 2: "def"}
    ask(state, 1, "h")
    assert sorted(known(state)[1]) == ["a", "b", "c", "h"]


def test_an_account_alone_has_all() -> None:
    assert Remembered().in_all == 1_000_000
    state = state_of(2, 1)
    ask(state, ACCOUNT, *"abc")
    assert known(state) == {1: "bc"}
    assert apply(state, order("EURUSD", BUY, "1", "b"), NOW_NS) == []


def test_the_oldest_keys_of_money_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "KEYS_LIMIT", 2)
    state = trading_state()
    told = [Deposit(ACCOUNT, 5, key, "test") for key in ("one", "two", "three")]
    for each in told:
        assert len(apply(state, each, NOW_NS)) == 1
    assert list(state.moved) == ["two", "three"]
    assert encoded(restore(snapshot(state))) == encoded(state)
    assert apply(state, told[1], NOW_NS) == []
    assert len(apply(state, told[0], NOW_NS)) == 1
