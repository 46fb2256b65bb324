"""Instruments come, change and are retired at run time."""

import msgspec
import pytest

from actors.domain.broker import apply
from actors.domain.commands import (
    DefineHedge,
    DefineInstrument,
    DefineRules,
    ObserveTicks,
    OpenAccount,
    RemoveHedge,
)
from actors.domain.events.terms import InstrumentDefined, TermsChanged
from actors.domain.events.venues import HedgeDefined, HedgeRemoved
from actors.domain.instrument import Instrument, InstrumentState
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderType, Side
from actors.domain.refusal import Code
from actors.domain.routing.hedge import HedgeTerms
from actors.domain.routing.rulebook import Book, Rule
from actors.domain.snapshot import restore, snapshot
from tests.actors.domain.deals import NOW_NS, filled, refusal
from tests.examples import ACCOUNT, EURUSD, GBPUSD, closing, encoded, instrument, order, terms, tick, trading_state

BUY = Side.BUY
AUDUSD = instrument("AUDUSD", 5, "0.05", "0.2", "2")


def retired(which: Instrument) -> DefineInstrument:
    return DefineInstrument(msgspec.structs.replace(which, state=InstrumentState.RETIRED), "olga", "delisted")


def test_a_new_symbol_is_traded_as_soon_as_it_has_a_price() -> None:
    state = trading_state()
    told = DefineInstrument(AUDUSD, "olga", "clients want it")
    explained = TermsChanged("instrument AUDUSD", "olga", "clients want it", NOW_NS)
    assert apply(state, told, NOW_NS) == [InstrumentDefined(AUDUSD), explained]
    apply(state, ObserveTicks((tick("AUDUSD", "0.65000", "0.65010"),)), NOW_NS)
    assert filled(state, order("AUDUSD", BUY, "1000")).fill.price_e8 == e8("0.65010")


def test_a_retired_symbol_is_as_unknown_and_can_come_back() -> None:
    state = trading_state()
    apply(state, retired(EURUSD), NOW_NS)
    assert ("EUR", "USD") not in state.crosses
    assert refusal(state, order("EURUSD", BUY, "1000"))[:2] == (
        Code.UNKNOWN_SYMBOL,
        "there is no symbol 'EURUSD'",
    )
    copy = restore(snapshot(state))
    assert (encoded(copy), copy.crosses) == (encoded(state), state.crosses)
    apply(state, DefineInstrument(EURUSD, "olga", "back"), NOW_NS)
    filled(state, order("EURUSD", BUY, "1000"))


def test_what_is_in_use_is_not_retired() -> None:
    state = trading_state()
    filled(state, order("EURUSD", BUY, "1000"))
    code, detail, field = refusal(state, retired(EURUSD))
    assert (code, detail, field) == (
        Code.INSTRUMENT_IN_USE,
        f"EURUSD cannot be retired: account {ACCOUNT} has positions or orders in it",
        "state",
    )
    filled(state, closing(1))
    waiting = terms("EURUSD", BUY, "1000", OrderType.LIMIT, limit="1.01")
    apply(state, msgspec.structs.replace(order("EURUSD", BUY, "1000", "waits"), terms=waiting), NOW_NS)
    assert refusal(state, retired(EURUSD))[0] is Code.INSTRUMENT_IN_USE


def test_a_symbol_that_positions_are_converted_by_is_in_use() -> None:
    """An account in pounds with USDJPY converts yen to pounds: there is no GBPJPY; with EURUSD, dollars by GBPUSD."""
    state = trading_state(currency="GBP")
    filled(state, order("EURUSD", BUY, "1000"))
    assert "are converted by it" in refusal(state, retired(GBPUSD))[1]
    filled(state, closing(1))
    apply(state, retired(GBPUSD), NOW_NS)


def test_hedges_are_removed_and_then_the_symbol_can_be_retired() -> None:
    state = trading_state()
    apply(state, DefineRules((Rule(rule_id=1, name="all", book=Book.B_BOOK),), ("LMAX",)), NOW_NS)
    hedge = HedgeTerms("EURUSD", e8("1000"), e8("1000"), e8("1000"), ("LMAX",))
    assert apply(state, DefineHedge(hedge), NOW_NS) == [HedgeDefined(hedge)]
    assert "it is hedged" in refusal(state, retired(EURUSD))[1]
    version = state.versions.current["hedge EURUSD"]
    stale = RemoveHedge("EURUSD", "olga", "by hand", version - 1)
    assert refusal(state, stale)[0] is Code.VERSION_MISMATCH
    told = msgspec.structs.replace(stale, if_version=version)
    explained = TermsChanged("hedge EURUSD", "olga", "by hand", NOW_NS)
    assert apply(state, told, NOW_NS) == [HedgeRemoved("EURUSD"), explained]
    assert (state.books.hedges, apply(state, told, NOW_NS)) == ({}, [])
    apply(state, retired(EURUSD), NOW_NS)


@pytest.mark.parametrize("base", ["EUR", "GBP"])
def test_a_symbol_keeps_its_currencies(base: str) -> None:
    state = trading_state()
    other = msgspec.structs.replace(EURUSD, base=base, description="x")
    if base == "EUR":
        assert apply(state, DefineInstrument(other), NOW_NS) == [InstrumentDefined(other)]
    else:
        assert refusal(state, DefineInstrument(other))[0] is Code.BAD_INSTRUMENT


def test_accounts_without_positions_keep_no_symbol() -> None:
    state = trading_state()
    apply(state, OpenAccount(2, "JPY"), NOW_NS)
    apply(state, retired(EURUSD), NOW_NS)


def test_what_converts_is_retired_when_another_has_a_price() -> None:
    """1,000 euros bought at 1.10020 and at 1.10000 lose 0.20 USD: at 2.00000 that is 0.10 GBP."""
    state = trading_state(currency="GBP")
    filled(state, order("EURUSD", BUY, "1000"))
    apply(state, DefineInstrument(msgspec.structs.replace(GBPUSD, symbol="GBPUSD.m"), "olga", "small lots"), NOW_NS)
    assert "are converted by it" in refusal(state, retired(GBPUSD))[1]
    apply(state, ObserveTicks((tick("GBPUSD.m", "2.00000", "2.00000"),)), NOW_NS)
    before_minor = state.summary(state.accounts[ACCOUNT], NOW_NS).open_profit_minor
    apply(state, retired(GBPUSD), NOW_NS)
    copy = restore(snapshot(state))
    profits = [one.summary(one.accounts[ACCOUNT], NOW_NS).open_profit_minor for one in (state, copy)]
    assert (before_minor, profits) == (-16, [-10, -10])


def test_what_comes_back_takes_no_conversion_from_what_has_stayed() -> None:
    """Its price is an old one, or there has been none: 0.20 USD stay 0.10 GBP."""
    state = trading_state(currency="GBP")
    filled(state, order("EURUSD", BUY, "1000"))
    apply(state, DefineInstrument(msgspec.structs.replace(GBPUSD, symbol="GBPUSD.m"), "olga", "small lots"), NOW_NS)
    apply(state, ObserveTicks((tick("GBPUSD.m", "2.00000", "2.00000"),)), NOW_NS)
    apply(state, retired(GBPUSD), NOW_NS)
    apply(state, DefineInstrument(GBPUSD, "olga", "back"), NOW_NS)
    copy = restore(snapshot(state))
    profits = [one.summary(one.accounts[ACCOUNT], NOW_NS).open_profit_minor for one in (state, copy)]
    assert profits == [-10, -10]
