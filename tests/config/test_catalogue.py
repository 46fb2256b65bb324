from calendar import monthrange
from pathlib import Path

import msgspec
import pytest

from actors.domain.broker import apply
from actors.domain.calendar import SATURDAY, day_of, weekday
from actors.domain.commands import DefineInstrument, Deposit, OpenAccount
from actors.domain.group import Group, Markup
from actors.domain.instrument import Instrument
from actors.domain.money import parse_e8 as e8
from actors.domain.prices.lp_registry import FIX_ADAPTER, Known, Registry, opening
from actors.domain.prices.pricing import Mode, Pricing
from actors.domain.state import State
from config import catalogue


def test_an_instrument_is_read_exactly() -> None:
    instruments = catalogue.instruments()
    assert instruments["EURUSD"] == Instrument(
        "EURUSD",
        "EUR",
        "USD",
        "Euro / US dollar",
        5,
        e8("1"),
        e8("10000000"),
        e8("1"),
        3_330_000,
        e8("0.5"),
        e8("3"),
    )
    assert (instruments["BTCUSD"].quantity_step_e8, instruments["BTCUSD"].margin_rate_e8) == (10_000, e8("0.5"))


def test_each_instrument_is_named_by_its_currencies_and_accepted_by_the_engine() -> None:
    state = State()
    for command in catalogue.instrument_definitions():
        assert isinstance(command, DefineInstrument)
        it = command.instrument
        assert it.symbol == it.base + it.quote
        assert len(apply(state, command, 0)) == 1
    assert state.instruments == catalogue.instruments()


def test_margin_rates_are_not_below_the_eus_limits() -> None:
    """ESMA decision (EU) 2018/796: 3.33 % for pairs of USD, EUR, JPY, GBP, CAD and CHF, 5 % for others, 50 % crypto."""
    major = {"USD", "EUR", "JPY", "GBP", "CAD", "CHF"}
    for it in catalogue.instruments().values():
        least = "0.5" if it.base in ("BTC", "ETH") else "0.0333" if {it.base, it.quote} <= major else "0.05"
        assert it.margin_rate_e8 >= e8(least), it.symbol


def test_lps_quote_our_symbols_under_their_own_names() -> None:
    lps, instruments = catalogue.lps(), catalogue.instruments()
    assert list(lps) == ["OANDA", "BINANCE", "SIMLP"]
    assert (lps["OANDA"].symbols["EURUSD"], lps["BINANCE"].symbols["BTCUSD"]) == ("EUR_USD", "BTCUSDT")
    assert (lps["SIMLP"].adapter, lps["SIMLP"].symbols["EURUSD"]) == (FIX_ADAPTER, "EUR/USD")
    assert {ours for lp in lps.values() for ours in lp.symbols} == set(instruments)


def test_lps_are_fit_to_open_a_registry() -> None:
    lps = catalogue.lps()
    known = Known(frozenset(catalogue.instruments()), frozenset({"oanda", "binance", FIX_ADAPTER}))
    assert opening(lps, known, 5) == Registry(1, lps, 5, "config", "the first start")


def test_accounts_are_opened_and_paid_into_once() -> None:
    definitions = catalogue.account_definitions()
    assert definitions == [OpenAccount(1, "USD"), Deposit(1, 100_000_00, "opening-1", "config")]
    state = State()
    assert [len(apply(state, command, 0)) for command in definitions * 2] == [1, 1, 0, 0]


def test_groups_have_prices_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [apply(State(), it, 0) for it in catalogue.group_definitions()] == [[]]
    terms = """
        [pros.markup]
        bid = "0.00002"
        [pros.markups.EURUSD]
        spread_min = "0.00008"
        skew = "-0.00001"
    """
    (tmp_path / "groups.toml").write_text(terms)
    monkeypatch.setattr(catalogue, "_FOLDER", tmp_path)
    (command,) = catalogue.group_definitions()
    assert command.group == Group("pros", Markup(2_000), {"EURUSD": Markup(0, 0, 8_000, 0, -1_000)})
    for wrong in ("[pros]\nleverage = 30", '[pros.markup]\nspread = "1"'):
        (tmp_path / "groups.toml").write_text(wrong)
        with pytest.raises(TypeError):
            catalogue.group_definitions()


def test_holidays_are_weekdays_of_every_currency_that_banks_settle() -> None:
    currencies = {code for it in catalogue.instruments().values() for code in (it.base, it.quote)}
    state = State()
    for command in catalogue.holiday_definitions():
        assert all(weekday(day) < SATURDAY for day in command.days)
        assert len(apply(state, command, 0)) == 1
        assert apply(state, command, 0) == []
    assert state.holidays.keys() == currencies - {"BTC", "ETH"}
    # Nothing is settled anywhere on New Year's Day.
    assert all(day_of(2027, 1, 1) in days for days in state.holidays.values())


@pytest.mark.parametrize(
    ("currency", "month", "days"),
    [
        # Federal Reserve: one that falls on a Saturday (4 July 2026) is not moved, on a Sunday (2027) it is.
        ("USD", (2026, 7), []),
        ("USD", (2027, 7), [5]),
        # TARGET: Good Friday, Easter Monday, 1 May; not the 26th of December where it is a Saturday.
        ("EUR", (2026, 4), [3, 6]),
        ("EUR", (2026, 12), [25]),
        # Bank of England: Boxing Day on a Saturday is kept on Monday.
        ("GBP", (2026, 12), [25, 28]),
        # Bank of Japan: the first days of the year and its last, and a day between two holidays.
        ("JPY", (2026, 1), [1, 2, 12]),
        ("JPY", (2026, 9), [21, 22, 23]),
        ("JPY", (2026, 12), [31]),
        # Swiss banks: Ascension and Whit Monday.
        ("CHF", (2026, 5), [1, 14, 25]),
    ],
)
def test_days_that_central_banks_have_published(currency: str, month: tuple[int, int], days: list[int]) -> None:
    (known,) = [set(it.days) for it in catalogue.holiday_definitions() if it.currency == currency]
    assert [day for day in range(1, monthrange(*month)[1] + 1) if day_of(*month, day) in known] == days


def test_a_symbol_may_have_terms_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terms = """
        [EURUSD.pricing]
        mode = "priority"
        priorities = { OANDA = 1 }
        spread_min = "0.0001"
        skew = "-0.00002"
        [EURUSD.pricing.limits.OANDA]
        price_digits = 6
    """
    (tmp_path / "instruments.toml").write_text(terms)
    monkeypatch.setattr(catalogue, "_FOLDER", tmp_path)
    limits = {"OANDA": {"price_digits": 6}}
    assert catalogue.pricings() == {
        "EURUSD": Pricing(Mode.PRIORITY, {"OANDA": 1}, spread_min_e8=10_000, skew_e8=-2_000, limits=limits)
    }
    (tmp_path / "instruments.toml").write_text('[EURUSD.pricing]\nmood = "best"')
    with pytest.raises(msgspec.ValidationError, match="mood"):
        catalogue.pricings()
