"""Margin calls and stop-outs by the tick. Margin is 3.33 % for EURUSD; the call is at 100 %, the stop-out at 50 %."""

import msgspec
import pytest

from actors.domain.broker import apply
from actors.domain.commands import (
    Adjust,
    DefineGroup,
    DefineInstrument,
    Deposit,
    GrantCredit,
    ObserveStream,
    ObserveTicks,
    Withdraw,
)
from actors.domain.events.accounts import MarginStatusChanged, NegativeBalanceForgiven
from actors.domain.events.event import Event
from actors.domain.events.orders import OrderFilled
from actors.domain.group import STANDARD, Group
from actors.domain.instrument import InstrumentState
from actors.domain.ledger import Entry, Posting, PostingKind
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderReason, Side
from actors.domain.risk.requirement import Hedging
from actors.domain.risk.stop_out import MarginLevels, MarginStatus
from actors.domain.snapshot import restore, snapshot
from actors.domain.state import State
from tests.actors.domain.deals import NOW_NS, filled
from tests.examples import ACCOUNT, EURUSD, closing, encoded, order, tick, trading_state

BUY, SELL = Side.BUY, Side.SELL
NORMAL, CALL, OUT = MarginStatus.NORMAL, MarginStatus.MARGIN_CALL, MarginStatus.STOP_OUT


def see(state: State, bid: str, ask: str = "", symbol: str = "EURUSD", *, live: bool = True) -> list[Event]:
    """The next tick; the ask is the bid where it does not matter."""
    seq = state.ticks[symbol].seq + 1
    return apply(state, ObserveTicks((tick(symbol, bid, ask or bid, seq, live=live),)), NOW_NS)


def told(events: list[Event]) -> list[tuple[object, ...]]:
    """Statuses with equity and maintenance margin; closed positions with price and profit; what was forgiven."""
    found: list[tuple[object, ...]] = []
    for event in events:
        if isinstance(event, MarginStatusChanged):
            found.append((event.status, event.equity_minor, event.maintenance_minor))
        elif isinstance(event, NegativeBalanceForgiven):
            found.append(("forgiven", event.posting.entries[0].amount_minor))
        elif isinstance(event, OrderFilled):
            found.append((event.order.reason, event.fill.position_id, event.fill.profit_minor))
        else:
            raise AssertionError(event)
    return found


def long_state(deposit: str = "500.00") -> State:
    """10,000 EURUSD bought at 1.10020: 366.37 of margin. Nothing is told until a tick has been seen."""
    state = trading_state(deposit)
    filled(state, order("EURUSD", BUY, "10000"))
    return state


def test_margin_call_and_stop_out_come_with_the_exact_tick() -> None:
    """Equity is 500.00 + (bid - 1.10020) x 10,000: each step of 0.00001 is 0.10.

    It is below 366.37 first at 1.08683 (366.30; at 1.08684 it is 366.40), below 183.185 at 1.06851 (183.10; at
    1.06852 183.20), where the position is closed at a loss of 316.90.
    """
    state = long_state()
    assert told(see(state, "1.08684")) == []
    assert told(see(state, "1.08683")) == [(CALL, 366_30, 366_37)]
    assert told(see(state, "1.06852")) == []
    assert told(see(state, "1.06851")) == [
        (OUT, 183_10, 366_37),
        (OrderReason.STOP_OUT, 1, -316_90),
        (NORMAL, 183_10, 0),
    ]
    assert state.accounts[ACCOUNT].positions == {}
    assert state.balance_minor(state.accounts[ACCOUNT]) == 183_10


def test_a_margin_call_is_over_when_equity_is_at_the_level_again() -> None:
    state = long_state()
    see(state, "1.08683")
    assert told(see(state, "1.08683")) == []
    assert told(see(state, "1.08684")) == [(NORMAL, 366_40, 366_37)]


def test_a_gap_goes_straight_to_the_stop_out() -> None:
    state = long_state()
    assert told(see(state, "1.06000"))[:2] == [(OUT, 98_00, 366_37), (OrderReason.STOP_OUT, 1, -402_00)]


def test_the_worst_goes_first_until_the_level_is_back() -> None:
    """Three longs of 10,000 at 1.10020, 1.11020 and 1.12020, so at 366.37, 369.70 and 373.03 (in sum 1,109.0898).

    At 1.07000 they are down 302.00, 402.00 and 502.00. Equity is 1,700.00 - 1,206.00 = 494.00 < 554.545. The third is
    closed: equity stays 494.00, margin falls to 736.0631, so 736.07: 494.00 is above 368.04 and below 736.07.
    """
    state = trading_state("1700.00")
    for number, (bid, ask) in enumerate((("1.10000", "1.10020"), ("1.11000", "1.11020"), ("1.12000", "1.12020")), 1):
        see(state, bid, ask)
        filled(state, order("EURUSD", BUY, "10000", f"id-{number}"))
    assert told(see(state, "1.07000")) == [
        (OUT, 494_00, 1_109_09),
        (OrderReason.STOP_OUT, 3, -502_00),
        (CALL, 494_00, 736_07),
    ]
    assert list(state.accounts[ACCOUNT].positions) == [1, 2]


def test_one_is_not_enough_so_the_next_goes_too() -> None:
    """As before, at 1.05400: down 462.00, 562.00, 662.00; equity 1,700.00 - 1,686.00 = 14.00: all of them go."""
    state = trading_state("1700.00")
    for number, (bid, ask) in enumerate((("1.10000", "1.10020"), ("1.11000", "1.11020"), ("1.12000", "1.12020")), 1):
        see(state, bid, ask)
        filled(state, order("EURUSD", BUY, "10000", f"id-{number}"))
    assert told(see(state, "1.05400")) == [
        (OUT, 14_00, 1_109_09),
        (OrderReason.STOP_OUT, 3, -662_00),
        (OrderReason.STOP_OUT, 2, -562_00),
        (OrderReason.STOP_OUT, 1, -462_00),
        (NORMAL, 14_00, 0),
    ]


def test_a_hedged_pair_that_requires_nothing_is_stopped_out_below_zero() -> None:
    """10,000 long at 1.10020 and short at 1.10000, margined net: 0 required. 2.00 of spread are lost, no tick's bid
    matters, only its spread: at 1.10000/1.15001 both are 0.10 more than the 500.00 that there are.
    """
    state = trading_state("500.00")
    apply(state, DefineGroup(Group(STANDARD, hedging=Hedging.NET)), NOW_NS)
    filled(state, order("EURUSD", BUY, "10000"))
    filled(state, order("EURUSD", SELL, "10000", "second"))
    assert state.accounts[ACCOUNT].margin_minor == 0
    assert told(see(state, "0.60000", "0.60020")) == []
    assert told(see(state, "2.00000", "2.00020")) == []
    assert told(see(state, "1.10000", "1.14980")) == []
    assert told(see(state, "1.10000", "1.14981")) == [
        (OUT, -10, 0),
        (OrderReason.STOP_OUT, 2, -498_10),
        (OrderReason.STOP_OUT, 1, -2_00),
        (NORMAL, -10, 0),
        ("forgiven", 10),
    ]


def test_a_negative_balance_is_forgiven_where_the_group_says_so() -> None:
    """At 1.04000 the 10,000 EUR lose 602.00 of 500.00; the 102.00 are the broker's."""
    state = long_state()
    events = see(state, "1.04000")
    assert told(events)[-2:] == [(NORMAL, -102_00, 0), ("forgiven", 102_00)]
    entries = (Entry("client:1", "USD", 102_00), Entry("broker:protection", "USD", -102_00))
    posting = Posting(3, PostingKind.PROTECTION, "account:1", NOW_NS, entries)
    assert events[-1] == NegativeBalanceForgiven(ACCOUNT, posting)
    assert state.balance_minor(state.accounts[ACCOUNT]) == 0


def test_what_is_owed_before_a_restart_is_forgiven_after_it() -> None:
    """An adjustment leaves an account with nothing open owing 1.00; the next tick forgives it."""
    state = trading_state("500.00")
    apply(state, Adjust(ACCOUNT, -501_00, "correction", "anna"), NOW_NS)
    copy = restore(snapshot(state))
    assert told(see(copy, "1.10000")) == told(see(state, "1.10000")) == [("forgiven", 1_00)]


def test_where_the_group_does_not_the_client_owes_it() -> None:
    state = long_state()
    apply(state, DefineGroup(Group(STANDARD, levels=MarginLevels(e8("1"), e8("0.5"), False))), NOW_NS)
    assert told(see(state, "1.04000"))[-1] == (NORMAL, -102_00, 0)
    assert state.balance_minor(state.accounts[ACCOUNT]) == -102_00


def test_what_has_no_live_price_is_tried_again() -> None:
    """GBPUSD's last price is dead: it counts for equity, and is closed when there is a price of it again."""
    state = trading_state("1000.00")
    filled(state, order("EURUSD", BUY, "10000"))
    filled(state, order("GBPUSD", BUY, "10000", "second"))
    see(state, "1.25000", "1.25020", "GBPUSD", live=False)
    # 1,000.00 - 902.00 - 2.00 = 96.00; 782.69 of margin, 416.32 without EURUSD.
    assert told(see(state, "1.01000")) == [(OUT, 96_00, 782_69), (OrderReason.STOP_OUT, 1, -902_00)]
    assert list(state.accounts[ACCOUNT].positions) == [2]
    assert told(see(state, "1.01000")) == []
    assert told(see(state, "1.25000", "1.25020", "GBPUSD")) == [
        (OrderReason.STOP_OUT, 2, -2_00),
        (NORMAL, 96_00, 0),
    ]


def test_a_symbol_that_the_stream_is_behind_with_is_tried_again() -> None:
    state = long_state()
    apply(state, ObserveStream(NOW_NS, ("EURUSD",)), NOW_NS)
    assert told(see(state, "1.25", "1.2502", "GBPUSD")) == []
    assert told(see(state, "1.06851"))[0] == (OUT, 183_10, 366_37)


def test_nothing_is_closed_while_the_instrument_is_halted() -> None:
    """The status is known; the position goes with the first tick after the halt, worse by then."""
    state = long_state()
    apply(state, DefineInstrument(msgspec.structs.replace(EURUSD, state=InstrumentState.HALTED)), NOW_NS)
    assert told(see(state, "1.06851")) == [(OUT, 183_10, 366_37)]
    assert told(see(state, "1.06000")) == []
    apply(state, DefineInstrument(EURUSD), NOW_NS)
    assert told(see(state, "1.06000")) == [(OrderReason.STOP_OUT, 1, -402_00), (NORMAL, 98_00, 0)]


def test_money_changes_the_status_with_the_next_tick() -> None:
    state = long_state()
    assert told(see(state, "1.10000")) == []
    # Free margin at 1.10000 is 500.00 - 2.00 - 366.37 = 131.63.
    apply(state, Withdraw(ACCOUNT, 131_63, "out", "anna"), NOW_NS)
    assert told(see(state, "1.10000")) == []
    assert told(see(state, "1.09999")) == [(CALL, 366_27, 366_37)]
    apply(state, Deposit(ACCOUNT, 10, "in", "anna"), NOW_NS)
    assert told(see(state, "1.09999")) == [(NORMAL, 366_37, 366_37)]
    assert told(see(state, "1.09998")) == [(CALL, 366_27, 366_37)]


def test_credit_holds_a_position_open_and_taken_back_lets_it_go() -> None:
    state = trading_state("200.00")
    apply(state, GrantCredit(ACCOUNT, 300_00, "bonus", "anna"), NOW_NS)
    filled(state, order("EURUSD", BUY, "10000"))
    assert told(see(state, "1.08000")) == [(CALL, 298_00, 366_37)]
    apply(state, GrantCredit(ACCOUNT, -300_00, "back", "anna"), NOW_NS)
    assert told(see(state, "1.08000"))[:2] == [(OUT, -2_00, 366_37), (OrderReason.STOP_OUT, 1, -202_00)]
    assert state.balance_minor(state.accounts[ACCOUNT]) == 0


def test_changed_levels_count_with_the_next_tick() -> None:
    state = long_state()
    assert told(see(state, "1.10000")) == []
    apply(state, DefineGroup(Group(STANDARD, levels=MarginLevels(e8("2"), e8("1"), True))), NOW_NS)
    assert told(see(state, "1.10000")) == [(CALL, 498_00, 366_37)]


def test_a_dead_tick_changes_no_status() -> None:
    state = long_state()
    assert told(see(state, "0.9", live=False)) == []


def test_what_a_dead_tick_leaves_is_decided_with_the_next_live_one_restarted_or_not() -> None:
    """Of whichever symbol: the dead price counts for equity. 500.00 - 133.70 = 366.30."""
    state = long_state()
    assert told(see(state, "1.10000")) == []
    assert told(see(state, "1.08683", live=False)) == []
    for each in (restore(snapshot(state)), state):
        assert told(see(each, "1.25000", "1.25020", "GBPUSD")) == [(CALL, 366_30, 366_37)]


PATH = ("1.09500", "1.08683", "1.08000", "1.08690", "1.07000", "1.06851", "1.10000", "1.05000")


@pytest.mark.parametrize("cut", range(len(PATH)))
def test_a_restored_state_tells_the_same(cut: int) -> None:
    """Bands are not kept: after a restart every account is looked at once, and nothing is told twice."""
    state = trading_state("1700.00")
    filled(state, order("EURUSD", BUY, "20000"))
    filled(state, order("EURUSD", SELL, "4000", "second"))
    filled(state, order("GBPUSD", BUY, "10000", "third"))
    for bid in PATH[:cut]:
        see(state, bid)
    copy = restore(snapshot(state))
    for bid in PATH[cut:]:
        assert see(copy, bid) == see(state, bid)
        assert encoded(copy) == encoded(state)


def test_a_margin_call_of_an_account_that_was_closed_before_a_restart_is_over_after_it() -> None:
    state = long_state()
    assert told(see(state, "1.08000"))[-1] == (CALL, 298_00, 366_37)
    filled(state, closing(1))
    copy = restore(snapshot(state))
    assert told(see(copy, "1.08000")) == told(see(state, "1.08000")) == [(NORMAL, 298_00, 0)]
