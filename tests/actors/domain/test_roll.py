"""The end of a trading day, 17:00 New York: 22:00 UTC in January. Prices are those of examples.py, in the roll too.

START_NS is Monday 19 January 2026. EURUSD and USDJPY settle two days after the trade: what is open over the roll that
ends Wednesday goes from Friday's value date to Monday's, and is charged for three nights.
"""

from collections import Counter
from datetime import date

import msgspec
import pytest

from actors.domain.broker import apply
from actors.domain.calendar import day_of, roll_ns, trading_day
from actors.domain.charges import Swap, SwapBasis
from actors.domain.commands import DefineGroup, DefineHolidays, DefineInstrument, ObserveStream, ObserveTicks
from actors.domain.events.accounts import DaySealed, SwapCharged
from actors.domain.events.event import Event
from actors.domain.evolution import evolve
from actors.domain.group import STANDARD, Group
from actors.domain.instrument import Instrument
from actors.domain.ledger import Entry, PostingKind
from actors.domain.money import parse_e8 as e8
from actors.domain.order import Side
from actors.domain.snapshot import restore, snapshot
from actors.domain.state import State
from tests.actors.domain.deals import NOW_NS, filled
from tests.examples import ACCOUNT, BTCUSD, EURUSD, EVERY_NIGHT, USDJPY, encoded, instrument, order, tick, trading_state

BUY, SELL = Side.BUY, Side.SELL
MONDAY = day_of(2026, 1, 19)
POINTS = Swap(SwapBasis.POINTS, e8("-7.5"), e8("2.5"))
INTEREST = Swap(SwapBasis.INTEREST, e8("0.03"), e8("-0.05"))


def state_of(it: Instrument, swap: Swap, side: Side, quantity: str) -> State:
    state = trading_state("50000.00")
    apply(state, DefineInstrument(msgspec.structs.replace(it, swap=swap)), NOW_NS)
    filled(state, order(it.symbol, side, quantity))
    return state


def pass_roll(state: State, day: int) -> list[Event]:
    """Alive at the end of the trading day."""
    return apply(state, ObserveStream(roll_ns(day)), roll_ns(day))


def charges(events: list[Event]) -> list[tuple[int, int]]:
    """Nights and what they bring the client, in minor units."""
    return [(it.nights, it.posting.entries[0].amount_minor) for it in events if isinstance(it, SwapCharged)]


def test_the_day_ends_at_the_roll_and_not_before() -> None:
    state = trading_state()
    last_ns = roll_ns(MONDAY) - 1
    assert apply(state, ObserveStream(last_ns), last_ns) == []
    (sealed,) = pass_roll(state, MONDAY)
    assert sealed == DaySealed(MONDAY, (Entry("client:1", "USD", 10_000_00), Entry("broker:cash", "USD", -10_000_00)))
    assert pass_roll(state, MONDAY) == []
    assert trading_day(roll_ns(MONDAY)) == MONDAY + 1


@pytest.mark.parametrize(
    ("it", "swap", "side", "quantity", "one_minor", "three_minor"),
    [
        # 100,000 x -7.5 points of 0.00001 = -7.50 USD a night.
        (EURUSD, POINTS, BUY, "100000", -7_50, -22_50),
        # 100,000 x 2.5 points of 0.00001 = +2.50 USD a night.
        (EURUSD, POINTS, SELL, "100000", 2_50, 7_50),
        # 100,000 x 1.10000 x 3 % / 365 = 9.0411 USD; three nights 27.1233.
        (EURUSD, INTEREST, BUY, "100000", 9_04, 27_12),
        # 100,000 x 1.10020 x 5 % / 365 = 15.0712 USD; three nights 45.2137.
        (EURUSD, INTEREST, SELL, "100000", -15_07, -45_21),
        # 100,000 x 7.5 points of 0.001 = 750 JPY, / 150.000 (bought with dollars) = 5.00 USD.
        (USDJPY, POINTS, BUY, "100000", -5_00, -15_00),
        # 100,000 x 2.5 points of 0.001 = 250 JPY, sold at 150.020 = 1.6664 USD; three nights 4.9993.
        (USDJPY, POINTS, SELL, "100000", 1_67, 5_00),
    ],
)
def test_wednesday_is_three_nights_and_the_other_days_are_one(
    it: Instrument, swap: Swap, side: Side, quantity: str, one_minor: int, three_minor: int
) -> None:
    """The clock goes from day to day without a price between; Saturday and Sunday are no nights of their own."""
    state = state_of(it, swap, side, quantity)
    found = [charges(pass_roll(state, MONDAY + number)) for number in range(7)]
    one, three = [(1, one_minor)], [(3, three_minor)]
    assert found[:5] == [one, one, three, one, one]
    assert found[5:] == [[], []]
    assert state.balance_minor(state.accounts[ACCOUNT]) == 50_000_00 + 4 * one_minor + three_minor
    assert state.ledger.balance("broker:swaps", "USD") == -4 * one_minor - three_minor


def test_a_swap_is_posted_to_the_client_and_the_brokers_swaps() -> None:
    state = state_of(EURUSD, POINTS, BUY, "100000")
    event = pass_roll(state, MONDAY)[0]
    assert isinstance(event, SwapCharged)
    assert event.position == state.accounts[ACCOUNT].positions[1]
    posting = event.posting
    assert (posting.kind, posting.reference) == (PostingKind.SWAP, f"position:1:day:{MONDAY}")
    assert posting.entries == (Entry("client:1", "USD", -7_50), Entry("broker:swaps", "USD", 7_50))


def on(*days: str) -> tuple[int, ...]:
    return tuple(date.fromisoformat(one).toordinal() - date(1970, 1, 1).toordinal() for one in days)


# Federal Reserve Banks, holiday schedule; Cabinet Office of Japan, national holidays; London FX, Value Dates.
THANKSGIVING = ("USD", on("2026-11-26"))
GOLDEN_WEEK = ("JPY", on("2026-04-29", "2026-05-04", "2026-05-05", "2026-05-06"))
CANADA_DAY = ("CAD", on("2026-07-01"))
USDCAD = instrument("USDCAD", 5, "0.0333", "0.5", "3")


@pytest.mark.parametrize(
    ("it", "holidays", "first", "nights"),
    [
        # EURUSD, T+2. Monday is settled on Wed 25, Tuesday on Fri 27 for Thursday is no day of the dollar: 2 nights.
        # Wednesday on Fri 27 too, Thursday on Mon 30, Friday on Tue 1.
        (EURUSD, [THANKSGIVING], "2026-11-23", [2, 0, 3, 1, 1, 0, 0]),
        # Without the holiday, the same week.
        (EURUSD, [], "2026-11-23", [1, 1, 3, 1, 1, 0, 0]),
        # USDJPY. Wednesday 29 April is settled on Fri 1 May, Thursday on Thu 7, for Japan rests from the 4th: 6 nights.
        (USDJPY, [GOLDEN_WEEK], "2026-04-29", [6, 1, 0, 0, 0, 0, 0, 3, 1, 1]),
        # EURUSD keeps its own time in the Golden Week.
        (EURUSD, [GOLDEN_WEEK], "2026-04-29", [3, 1, 1, 0, 0, 1, 1, 3, 1, 1]),
        # USDCAD, T+1. Monday 29 June 2026 is settled on Tue 30, Tuesday on Thu 2 July for Wednesday is Canada Day: 2.
        (USDCAD, [CANADA_DAY], "2026-06-29", [2, 0, 1, 3, 1, 0, 0]),
        (USDCAD, [], "2026-06-29", [1, 1, 1, 3, 1, 0, 0]),
    ],
)
def test_a_roll_charges_for_as_many_nights_as_the_value_date_moves(
    it: Instrument, holidays: list[tuple[str, tuple[int, ...]]], first: str, nights: list[int]
) -> None:
    """1,000 units at -1,000 points (of 0.00001, or 0.001) a night, which is -10.00 USD, CAD or 1,000 JPY."""
    state = trading_state("50000.00")
    swap = Swap(SwapBasis.POINTS, e8("-1000"), 0)
    apply(state, DefineInstrument(msgspec.structs.replace(it, swap=swap)), NOW_NS)
    if it is USDCAD:
        apply(state, ObserveTicks((tick("USDCAD", "1.25000", "1.25020"),)), NOW_NS)
    for currency, days in holidays:
        apply(state, DefineHolidays(currency, days), NOW_NS)
    (begins,) = on(first)
    pass_roll(state, begins - 1)
    apply(state, ObserveStream(NOW_NS), NOW_NS)
    filled(state, order(it.symbol, BUY, "1000"))
    found = [charges(pass_roll(state, begins + number)) for number in range(len(nights))]
    assert [sum(count for count, _ in one) for one in found] == nights
    if it is EURUSD:
        assert [sum(minor for _, minor in one) for one in found] == [-10_00 * count for count in nights]


def test_holidays_go_into_the_replay_of_a_roll() -> None:
    state = state_of(EURUSD, POINTS, BUY, "100000")
    apply(state, DefineHolidays("USD", on("2026-01-22")), NOW_NS)
    copy = restore(snapshot(state))
    # Monday 19 January is settled on Wed 21, Tuesday on Fri 23 for Thursday is a holiday of the dollar: 2 nights.
    events = pass_roll(state, MONDAY)
    assert charges(events) == [(2, -15_00)]
    assert pass_roll(copy, MONDAY) == events


def test_crypto_is_charged_every_night() -> None:
    """1 BTC x 60,000.00 x 20 % / 360 = 33.33 USD, Saturday and Sunday too."""
    swap = Swap(SwapBasis.INTEREST, e8("-0.2"), 0, 360, EVERY_NIGHT)
    state = state_of(BTCUSD, swap, BUY, "1")
    assert [charges(pass_roll(state, MONDAY + number)) for number in range(7)] == [[(1, -33_33)]] * 7


def test_a_swap_free_group_pays_and_gets_nothing() -> None:
    state = state_of(EURUSD, POINTS, BUY, "100000")
    apply(state, DefineGroup(Group(STANDARD, swap_free=True)), NOW_NS)
    assert [type(event) for number in range(3) for event in pass_roll(state, MONDAY + number)] == [DaySealed] * 3


def test_what_is_not_open_over_the_roll_is_not_charged() -> None:
    state = state_of(EURUSD, POINTS, BUY, "100000")
    pass_roll(state, MONDAY)
    state.observe_stream(NOW_NS, ())
    before = state.balance_minor(state.accounts[ACCOUNT])
    alive_ns = roll_ns(MONDAY + 1) - 1
    assert apply(state, ObserveStream(alive_ns), alive_ns) == []
    assert state.balance_minor(state.accounts[ACCOUNT]) == before


def test_several_days_at_once_are_sealed_one_by_one() -> None:
    """Nothing was heard from Monday to Thursday's roll: 1 + 1 + 3 + 1 nights, each in its own day."""
    state, other = (state_of(EURUSD, POINTS, BUY, "100000") for _ in range(2))
    events = pass_roll(state, MONDAY + 3)
    assert [event.trading_day for event in events if isinstance(event, DaySealed)] == [MONDAY + n for n in range(4)]
    assert charges(events) == [(1, -7_50), (1, -7_50), (3, -22_50), (1, -7_50)]
    one_by_one = [event for number in range(4) for event in pass_roll(other, MONDAY + number)]
    assert charges(one_by_one) == charges(events)
    assert [it for it in one_by_one if isinstance(it, DaySealed)] == [it for it in events if isinstance(it, DaySealed)]


def test_a_sealed_day_sums_to_zero_in_each_currency_and_is_the_ledger() -> None:
    state = state_of(EURUSD, POINTS, BUY, "100000")
    sealed = pass_roll(state, MONDAY + 2)[-1]
    assert isinstance(sealed, DaySealed)
    totals: Counter[str] = Counter()
    for entry in sealed.balances:
        totals[entry.currency] += entry.amount_minor
    assert totals == {"USD": 0}
    assert sealed.balances == state.ledger.balances()
    assert Entry("broker:swaps", "USD", 37_50) in sealed.balances


def test_a_new_engine_seals_no_days_of_before_its_first_sign_of_life() -> None:
    state = State()
    assert apply(state, ObserveStream(0), NOW_NS) == []
    assert apply(state, ObserveStream(NOW_NS), NOW_NS) == []
    assert state.next_roll_ns == roll_ns(MONDAY)


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_restored_state_seals_the_same_day(cut: int) -> None:
    state = state_of(EURUSD, POINTS, BUY, "100000")
    for number in range(cut):
        pass_roll(state, MONDAY + number)
    copy = restore(snapshot(state))
    assert pass_roll(copy, MONDAY + 3) == pass_roll(state, MONDAY + 3)
    assert encoded(copy) == encoded(state)


def test_what_the_journal_gives_has_the_next_roll() -> None:
    """Recovery is told the sign of life and then the events: the day is not sealed again."""
    state = state_of(EURUSD, POINTS, BUY, "100000")
    copy = restore(snapshot(state))
    events = pass_roll(state, MONDAY + 1)
    copy.observe_stream(roll_ns(MONDAY + 1), ())
    for event in events:
        evolve(copy, event)
    assert encoded(copy) == encoded(state)
    assert pass_roll(copy, MONDAY + 1) == []
