"""An account moves to another group: new terms for what it has, margins anew, followers of its orders and bands too."""

import msgspec
import pytest

from actors.domain.broker import apply
from actors.domain.commands import AssignGroup, DefineGroup, Mode, ObserveTicks, OpenAccount, SubmitOrder
from actors.domain.events.accounts import MarginStatusChanged
from actors.domain.events.orders import OrderFilled
from actors.domain.events.terms import GroupAssigned, TermsChanged
from actors.domain.group import Group, Markup
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderReason, OrderType, Side
from actors.domain.refusal import Code
from actors.domain.risk.limits import Limits
from actors.domain.risk.requirement import Requirement
from actors.domain.risk.stop_out import MarginStatus
from actors.domain.snapshot import restore, snapshot
from actors.domain.state import State
from tests.actors.domain.deals import NOW_NS, filled, refusal, rejection
from tests.examples import ACCOUNT, closing, encoded, order, terms, tick, trading_state

BUY, SELL = Side.BUY, Side.SELL
DEAR = Group("dear", markup=Markup(e8("0.0001"), e8("0.0002")), leverage=10, limits=Limits(positions=2))
"""A pip below the bid and two above the ask; 10 % of margin."""
MOVE = AssignGroup(ACCOUNT, "dear", "olga", "asked for")


def state_of(group: Group = DEAR) -> State:
    state = trading_state()
    apply(state, DefineGroup(group), NOW_NS)
    return state


def test_margin_is_asked_for_anew_and_the_change_is_explained() -> None:
    """10,000 at 1.10020: 3.33 % is 366.37, 10 % is 1,100.20."""
    state = state_of()
    filled(state, order("EURUSD", BUY, "10000"))
    number = state.event_seq + 1
    asked = {"EURUSD": Requirement(1_100_20, 1_100_20)}
    explained = TermsChanged(f"account {ACCOUNT}", "olga", "asked for", NOW_NS)
    assert apply(state, MOVE, NOW_NS) == [GroupAssigned(ACCOUNT, DEAR, asked), explained]
    account = state.accounts[ACCOUNT]
    assert (account.group, account.margin_minor, account.limits.positions) == (DEAR, 1_100_20, 2)
    assert state.versions.current[f"account {ACCOUNT}"] == number
    assert apply(state, MOVE, NOW_NS) == []
    assert state.summary(account, NOW_NS).open_profit_minor == -3_00  # 1.09990 - 1.10020
    assert encoded(restore(snapshot(state))) == encoded(state)
    back = refusal(state, AssignGroup(ACCOUNT, "standard", "anna", "no", 1))
    assert back[0] is Code.VERSION_MISMATCH


def test_new_terms_hold_for_the_next_deal_and_for_what_waits() -> None:
    """The stop loss at 1.09900 waits for the group's bid: at the market's 1.09910 it is reached."""
    state = state_of()
    filled(state, order("EURUSD", BUY, "10000", stop_loss="1.09900"))
    apply(state, MOVE, NOW_NS)
    assert filled(state, order("EURUSD", BUY, "1000", "second")).fill.price_e8 == e8("1.10040")
    assert rejection(state, order("EURUSD", BUY, "1000", "third"))[0] == "TOO_MANY_POSITIONS"
    (stopped,) = apply(state, ObserveTicks((tick("EURUSD", "1.09910", "1.09930", 2),)), NOW_NS)
    assert isinstance(stopped, OrderFilled)
    assert (stopped.order.reason, stopped.fill.price_e8) == (OrderReason.STOP_LOSS, e8("1.09900"))


def test_net_positions_go_with_the_account() -> None:
    state = state_of()
    apply(state, OpenAccount(2, "USD", Mode.HEDGING, "dear"), NOW_NS)
    filled(state, order("EURUSD", BUY, "10000"))
    assert state.group_nets["standard"]["EURUSD"] == e8("10000")
    apply(state, MOVE, NOW_NS)
    assert (state.group_nets["standard"]["EURUSD"], state.group_nets["dear"]["EURUSD"]) == (0, e8("10000"))
    filled(state, closing(1))
    assert (state.group_nets["standard"]["EURUSD"], state.group_nets["dear"]["EURUSD"]) == (0, 0)


def test_the_next_tick_decides_about_the_margin_by_the_new_terms() -> None:
    """100,000 at 1.10020 need 3,663.67 of 10,000; at 10 % they need 11,002.00, more than there is."""
    state = state_of()
    filled(state, order("EURUSD", BUY, "100000"))
    apply(state, ObserveTicks((tick("EURUSD", "1.10010", "1.10030", 2),)), NOW_NS)
    apply(state, MOVE, NOW_NS)
    (called,) = apply(state, ObserveTicks((tick("GBPUSD", "1.25010", "1.25030", 2),)), NOW_NS)
    assert isinstance(called, MarginStatusChanged)
    assert (called.status, called.maintenance_minor) == (MarginStatus.MARGIN_CALL, 11_002_00)
    # The bands of the group of before are gone: its prices decide nothing any more.
    assert len(state.bands["standard"]) == 0


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (msgspec.structs.replace(MOVE, account_id=9), Code.UNKNOWN_ACCOUNT),
        (msgspec.structs.replace(MOVE, group="nowhere"), Code.UNKNOWN_GROUP),
        (msgspec.structs.replace(MOVE, actor=""), Code.BAD_ACTOR),
        (msgspec.structs.replace(MOVE, reason="\n"), Code.BAD_REASON),
    ],
)
def test_what_cannot_be_is_refused(told: AssignGroup, code: Code) -> None:
    assert refusal(state_of(), told)[0] is code


def test_margins_come_in_the_same_order_after_a_restart() -> None:
    state = state_of()
    for name, symbol in (("one", "EURUSD"), ("two", "USDJPY"), ("three", "EURUSD")):
        filled(state, order(symbol, BUY, "1000", name))
    filled(state, closing(1))
    copy = restore(snapshot(state))
    came, again = (msgspec.msgpack.encode(apply(one, MOVE, NOW_NS)) for one in (state, copy))
    assert came == again


WAITS = [
    order("EURUSD", BUY, "1000", "protected", stop_loss="1.09900", take_profit="1.10300"),
    SubmitOrder(ACCOUNT, "follows", terms("EURUSD", BUY, "1000", trailing_stop="0.00100")),
    SubmitOrder(ACCOUNT, "limit", terms("EURUSD", BUY, "1000", OrderType.LIMIT, limit="1.09800")),
    SubmitOrder(ACCOUNT, "trail", terms("EURUSD", BUY, "1000", OrderType.TRAILING_STOP, trail="0.00200")),
]


@pytest.mark.parametrize("moves", [("dear",), ("dear", "standard"), ("dear", "standard", "dear")])
def test_what_waits_goes_with_the_account_and_comes_once(moves: tuple[str, ...]) -> None:
    """Whatever it has left behind elsewhere, it deals as an engine that has started anew does."""
    state = state_of()
    for command in WAITS:
        apply(state, command, NOW_NS)
    for group in moves:
        apply(state, AssignGroup(ACCOUNT, group, "olga", "asked for"), NOW_NS)
    copy = restore(snapshot(state))
    filled_for = []
    for number, bid in enumerate(("1.10050", "1.09950", "1.09890", "1.09750", "1.10400"), 2):
        told = ObserveTicks((tick("EURUSD", bid, f"{float(bid) + 0.0002:.5f}", number),))
        events = apply(state, told, NOW_NS)
        assert msgspec.msgpack.encode(events) == msgspec.msgpack.encode(apply(copy, told, NOW_NS))
        filled_for += [event.order.reason for event in events if isinstance(event, OrderFilled)]
    client, stop, trail = OrderReason.CLIENT, OrderReason.STOP_LOSS, OrderReason.TRAILING_STOP
    assert sorted(filled_for, key=str) == sorted([stop, trail, client, client], key=str)
    assert encoded(copy) == encoded(state)


def test_a_move_looks_at_nothing_of_other_accounts() -> None:
    """What the account leaves behind lies where it was, with all that others have there."""
    state = state_of()
    for number in range(2, 102):
        apply(state, OpenAccount(number, "USD"), NOW_NS)
        apply(state, SubmitOrder(number, "a", WAITS[2].terms), NOW_NS)
    apply(state, WAITS[2], NOW_NS)
    triggers = state.price_classes("EURUSD").of(state.groups["standard"]).triggers
    apply(state, MOVE, NOW_NS)
    assert state.price_classes("EURUSD").of(state.groups["standard"]).triggers is triggers
    assert (len(triggers), len(state.price_classes("EURUSD").of(DEAR).triggers)) == (101, 1)
