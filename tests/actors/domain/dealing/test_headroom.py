"""Exposure limits, and crosses whose price is old. EURUSD is at 1.10000/1.10020, USDJPY at 150.000/150.020."""

import msgspec
import pytest

from actors.domain.broker import apply
from actors.domain.calendar import FOREX, roll_ns, trading_day
from actors.domain.commands import (
    DefineGroup,
    DefineInstrument,
    DefineRules,
    Input,
    Mode,
    ObserveStream,
    ObserveTicks,
    OpenAccount,
    ReversePosition,
    SetLimits,
    SubmitOrder,
)
from actors.domain.dealing.headroom import CROSS_AGE_LIMIT_NS, CROSS_CLOSED_LIMIT_NS
from actors.domain.events.orders import OrderEnded, OrderFilled
from actors.domain.group import STANDARD, Group
from actors.domain.money import parse_minor
from actors.domain.order import OrderType, Side
from actors.domain.refusal import Code
from actors.domain.risk.limits import ExposureLimit, Limits
from actors.domain.routing.rulebook import Book, Rule
from actors.domain.snapshot import restore, snapshot
from actors.domain.state import State
from tests.actors.domain.deals import NOW_NS, filled, refusal, rejection
from tests.examples import ACCOUNT, START_NS, USDJPY, closing, opening, order, terms, tick, trading_state

BUY, SELL = Side.BUY, Side.SELL
OTHER = 2


def usd(symbol: str = "0", total: str = "0") -> ExposureLimit:
    return ExposureLimit("USD", parse_minor(symbol, "USD"), parse_minor(total, "USD"))


def state_of(group: ExposureLimit, own: ExposureLimit | None = None, mode: Mode = Mode.HEDGING) -> State:
    """Two accounts of the group; `own`: of the first alone."""
    state = trading_state("50000.00", mode=mode)
    told: list[Input] = [*opening("50000.00", account_id=OTHER), DefineGroup(Group(STANDARD, exposure=group))]
    if own is not None:
        told.append(SetLimits(ACCOUNT, Limits(exposure=own), "olga"))
    for one in told:
        apply(state, one, NOW_NS)
    return state


def test_the_net_exposure_of_an_account_to_the_cent() -> None:
    """10,000 EUR at 1.10020 are 11,002.00 USD: a limit of that lets them pass, one of a cent less does not."""
    filled(state_of(usd(), usd("11002.00")), order("EURUSD", BUY, "10000"))
    expected = ("EXPOSURE_LIMIT", "net exposure of account 1 in EURUSD would be 11002.00 > 11001.99 USD")
    assert rejection(state_of(usd(), usd("11001.99")), order("EURUSD", BUY, "10000")) == expected


def test_exposure_is_converted_into_the_limits_currency() -> None:
    """A short of 10,000 EUR in EURJPY at 165.000 is 1,650,000 JPY, at 150.000 to the dollar 11,000.00 USD."""
    filled(state_of(usd(), usd("11000.00")), order("EURJPY", SELL, "10000"))
    expected = ("EXPOSURE_LIMIT", "net exposure of account 1 in EURJPY would be 11000.00 > 10999.99 USD")
    assert rejection(state_of(usd(), usd("10999.99")), order("EURJPY", SELL, "10000")) == expected


def test_all_symbols_together() -> None:
    """10,000 EURUSD long are 11,002.00 USD, 5,000 USDJPY short 5,000 x 150.000 / 150.000 = 5,000.00 USD."""
    state = state_of(usd(), usd(total="16001.99"))
    filled(state, order("EURUSD", BUY, "10000"))
    expected = ("EXPOSURE_LIMIT", "net exposure of account 1 in all would be 16002.00 > 16001.99 USD")
    assert rejection(state, order("USDJPY", SELL, "5000", "second")) == expected
    filled(state, order("USDJPY", SELL, "4999", "third"))


def test_a_group_is_netted_over_its_accounts() -> None:
    """One account is 10,000 long, the other 10,000 short: the group has nothing, and either side has room again."""
    state = state_of(usd("11002.00"))
    filled(state, order("EURUSD", BUY, "10000"))
    more = ("EXPOSURE_LIMIT", "net exposure of group standard in EURUSD would be 11003.11 > 11002.00 USD")
    assert rejection(state, order("EURUSD", BUY, "1", "more", account_id=OTHER)) == more
    filled(state, order("EURUSD", SELL, "10000", "against", account_id=OTHER))
    assert state.group_nets == {STANDARD: {"EURUSD": 0}}
    filled(state, order("EURUSD", BUY, "10000", "again"))


def test_a_group_of_its_own_is_not_counted() -> None:
    state = state_of(usd("11002.00"))
    apply(state, DefineGroup(Group("pros")), NOW_NS)
    for told in (OpenAccount(3, "USD", group="pros"), opening("50000.00", account_id=3)[1]):
        apply(state, told, NOW_NS)
    filled(state, order("EURUSD", BUY, "20000", account_id=3))
    filled(state, order("EURUSD", BUY, "10000"))


def test_what_makes_the_net_smaller_is_always_allowed() -> None:
    """20,000 long where no more than 1.00 USD may be open by now: 20,001 the other way is more than was open."""
    state = state_of(usd())
    filled(state, order("EURUSD", BUY, "20000"))
    apply(state, DefineGroup(Group(STANDARD, exposure=usd("1.00", "1.00"))), NOW_NS)
    assert rejection(state, order("EURUSD", BUY, "1", "more"))[0] == "EXPOSURE_LIMIT"
    filled(state, order("EURUSD", SELL, "20000", "hedge"))
    assert rejection(state, order("EURUSD", SELL, "1", "beyond"))[0] == "EXPOSURE_LIMIT"
    filled(state, closing(2))
    filled(state, closing(1, "the first"))


def test_an_order_that_only_closes_passes_even_where_it_takes_a_hedge_away() -> None:
    """20,000 long and 20,000 short: closing the short leaves 20,000 net, and closes nonetheless."""
    state = state_of(usd())
    filled(state, order("EURUSD", BUY, "20000"))
    filled(state, order("EURUSD", SELL, "20000", "hedge"))
    apply(state, DefineGroup(Group(STANDARD, exposure=usd("1.00", "1.00"))), NOW_NS)
    filled(state, SubmitOrder(ACCOUNT, "out", terms("EURUSD", BUY, "20000", reduce_only=True)))
    filled(state, SubmitOrder(ACCOUNT, "out too", terms("EURUSD", SELL, "20000", reduce_only=True)))


def test_a_reversal_opens_no_more_than_was_open() -> None:
    state = state_of(usd())
    filled(state, order("EURUSD", BUY, "20000"))
    apply(state, DefineGroup(Group(STANDARD, exposure=usd("1.00"))), NOW_NS)
    assert len(apply(state, ReversePosition(ACCOUNT, "turn", 1), NOW_NS)) == 2


def test_a_waiting_order_meets_the_limit_when_its_price_comes() -> None:
    state = state_of(usd("1000.00"))
    far = terms("EURUSD", BUY, "10000", OrderType.LIMIT, limit="1.09")
    apply(state, SubmitOrder(ACCOUNT, "waits", far), NOW_NS)
    (event,) = apply(state, ObserveTicks((tick("EURUSD", "1.08980", "1.09", 2),)), NOW_NS)
    assert isinstance(event, OrderEnded)
    assert (event.code, event.detail) == (
        "EXPOSURE_LIMIT",
        "net exposure of group standard in EURUSD would be 10900.00 > 1000.00 USD",
    )


def test_what_is_at_a_venue_counts_and_comes_back() -> None:
    state = state_of(usd("11002.00"), usd("11002.00"))
    rule = Rule(rule_id=1, name="all", book=Book.A_BOOK, venues=("LMAX",))
    apply(state, DefineRules((rule,), ("LMAX",)), NOW_NS)
    apply(state, order("EURUSD", BUY, "10000"), NOW_NS)
    assert state.group_nets[STANDARD] == {"EURUSD": 10_000 * 10**8}
    assert state.accounts[ACCOUNT].nets() == {"EURUSD": 10_000 * 10**8}
    assert rejection(state, order("EURUSD", BUY, "1", "more"))[0] == "EXPOSURE_LIMIT"
    assert restore(snapshot(state)).group_nets[STANDARD] == state.group_nets[STANDARD]


@pytest.mark.parametrize("mode", Mode)
def test_nets_are_those_of_the_positions_and_a_snapshot_has_them(mode: Mode) -> None:
    state = state_of(usd(), mode=mode)
    for number, (side, quantity) in enumerate(((BUY, "300"), (SELL, "100"), (SELL, "500"), (BUY, "50"))):
        apply(state, order("EURUSD", side, quantity, f"id-{number}"), NOW_NS)
    assert state.group_nets == {STANDARD: {"EURUSD": -250 * 10**8}}
    assert restore(snapshot(state)).group_nets == state.group_nets


def in_yen(old: int = 0) -> State:
    """An account in JPY; the last tick of USDJPY is dead, and `old` ns old at NOW_NS."""
    state = trading_state("5000000", "JPY")
    apply(state, ObserveTicks((tick("USDJPY", "150.000", "150.020", 2, live=False, time_ns=NOW_NS - old),)), NOW_NS)
    return state


def test_a_cross_that_is_dead_converts_for_a_minute() -> None:
    filled(in_yen(CROSS_AGE_LIMIT_NS), order("EURUSD", BUY, "1000"))
    expected = (
        "STALE_CONVERSION",
        "the last price of USDJPY, which converts USD to JPY, is 60001 ms old, more than 60000 ms",
    )
    assert rejection(in_yen(CROSS_AGE_LIMIT_NS + 1_000_000), order("EURUSD", BUY, "1000")) == expected


def test_a_live_cross_may_not_have_moved_for_as_long_as_it_likes() -> None:
    state = trading_state("5000000", "JPY")
    later_ns = NOW_NS + 2 * CROSS_AGE_LIMIT_NS
    apply(state, ObserveStream(later_ns), later_ns)
    filled(state, order("EURUSD", BUY, "1000"), later_ns)


def test_a_dead_cross_keeps_nobody_from_closing() -> None:
    state = trading_state("5000000", "JPY")
    filled(state, order("EURUSD", BUY, "1000", stop_loss="1.09"))
    filled(state, order("EURUSD", BUY, "1000", "second"))
    old_ns = NOW_NS - 10 * CROSS_AGE_LIMIT_NS
    apply(state, ObserveTicks((tick("USDJPY", "150.000", "150.020", 2, live=False, time_ns=old_ns),)), NOW_NS)
    assert rejection(state, order("EURUSD", BUY, "1", "more"))[0] == "STALE_CONVERSION"
    filled(state, closing(2))
    (event,) = apply(state, ObserveTicks((tick("EURUSD", "1.08", "1.0802", 2),)), NOW_NS)
    assert isinstance(event, OrderFilled)


def test_while_the_crosss_market_is_closed_its_last_price_holds_for_four_days() -> None:
    """EURUSD is traded around the clock here, USDJPY until Friday 17:00 New York: Saturday it still converts."""
    friday_ns = roll_ns(trading_day(START_NS) + 4)
    for late_ns, refused in ((CROSS_CLOSED_LIMIT_NS, False), (CROSS_CLOSED_LIMIT_NS + 1_000_000, True)):
        state = trading_state("5000000", "JPY")
        apply(state, DefineInstrument(msgspec.structs.replace(USDJPY, sessions=FOREX)), NOW_NS)
        now_ns = friday_ns + 24 * 3600 * 10**9
        dead = tick("USDJPY", "150.000", "150.020", 2, live=False, time_ns=now_ns - late_ns)
        apply(state, ObserveTicks((dead,)), now_ns)
        apply(state, ObserveStream(now_ns), now_ns)
        command = order("EURUSD", BUY, "1000")
        if refused:
            assert rejection(state, command, now_ns)[0] == "STALE_CONVERSION"
        else:
            filled(state, command, now_ns)


def test_a_reversal_is_refused_with_a_dead_cross() -> None:
    state = trading_state("5000000", "JPY")
    filled(state, order("EURUSD", BUY, "1000"))
    old_ns = NOW_NS - 10 * CROSS_AGE_LIMIT_NS
    apply(state, ObserveTicks((tick("USDJPY", "150.000", "150.020", 2, live=False, time_ns=old_ns),)), NOW_NS)
    assert refusal(state, ReversePosition(ACCOUNT, "turn", 1))[0] is Code.STALE_CONVERSION
