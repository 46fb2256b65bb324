"""Bank holidays as staff define them. What rolls make of them is in test_roll.py."""

import pytest

from actors.domain.broker import apply
from actors.domain.calendar import day_of
from actors.domain.commands import DefineHolidays
from actors.domain.events.terms import HolidaysDefined
from actors.domain.refusal import Code
from actors.domain.snapshot import restore, snapshot
from actors.domain.staff.terms import CURRENCIES_LIMIT, DAY_LIMIT, HOLIDAYS_LIMIT
from tests.actors.domain.deals import NOW_NS, refusal
from tests.examples import encoded, trading_state

THANKSGIVING = day_of(2026, 11, 26)
CHRISTMAS = day_of(2026, 12, 25)


def test_holidays_are_defined_once_and_kept() -> None:
    state = trading_state()
    command = DefineHolidays("USD", (THANKSGIVING, CHRISTMAS))
    assert apply(state, command, NOW_NS) == [HolidaysDefined("USD", (THANKSGIVING, CHRISTMAS))]
    assert apply(state, command, NOW_NS) == []
    copy = restore(snapshot(state))
    assert (copy.holidays, encoded(copy)) == ({"USD": (THANKSGIVING, CHRISTMAS)}, encoded(state))
    assert apply(state, DefineHolidays("USD", ()), NOW_NS) == [HolidaysDefined("USD", ())]


@pytest.mark.parametrize(
    ("currency", "days", "code"),
    [
        ("usd", (1,), Code.BAD_CURRENCY),
        ("", (1,), Code.BAD_CURRENCY),
        ("A" * 11, (1,), Code.BAD_CURRENCY),
        ("USD", (0,), Code.BAD_TERMS),
        ("USD", (DAY_LIMIT,), Code.BAD_TERMS),
        ("USD", (CHRISTMAS, THANKSGIVING), Code.BAD_TERMS),
        ("USD", (CHRISTMAS, CHRISTMAS), Code.BAD_TERMS),
        ("USD", tuple(range(1, HOLIDAYS_LIMIT + 2)), Code.BAD_TERMS),
    ],
)
def test_what_is_no_list_of_holidays_is_refused(currency: str, days: tuple[int, ...], code: Code) -> None:
    assert refusal(trading_state(), DefineHolidays(currency, days))[0] is code


def test_no_more_currencies_than_there_may_be() -> None:
    state = trading_state()
    for number in range(CURRENCIES_LIMIT):
        apply(state, DefineHolidays("C" + chr(65 + number // 26) + chr(65 + number % 26), (1,)), NOW_NS)
    assert refusal(state, DefineHolidays("USD", (1,)))[0] is Code.BAD_TERMS
