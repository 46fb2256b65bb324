"""Changes of the LP registry: what each makes, what is refused, and that a repetition changes nothing."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.prices.lp_registry import (
    LPS_LIMIT,
    SETTING_LIMIT_CHARS,
    SETTINGS_LIMIT,
    AddLp,
    ChangeLp,
    DisableLp,
    EnableLp,
    Known,
    Lp,
    LpChange,
    Registry,
    RemoveLp,
    ReprioritiseLps,
    apply,
    entry,
    symbol_of,
)
from actors.domain.refusal import Code, Refused

KNOWN = Known(frozenset({"EURUSD", "GBPUSD"}), frozenset({"oanda", "made_up"}))
OANDA = Lp("OANDA", "oanda", {"EURUSD": "EUR_USD"}, settings={"url": "https://lp", "token_env": "LP_TOKEN"})
OTHER = Lp("OTHER", "made_up", {"GBPUSD": "GBP/USD"}, priority=7)
START = Registry(5, {"OANDA": OANDA}, 10, "config", "the first start")
replace = msgspec.structs.replace


@pytest.mark.parametrize(
    ("change", "lps", "words"),
    [
        (AddLp(by="root", lp=OTHER), {"OANDA": OANDA, "OTHER": OTHER}, "AddLp OTHER"),
        (ChangeLp(by="root", lp=replace(OANDA, weight=3)), {"OANDA": replace(OANDA, weight=3)}, "ChangeLp OANDA"),
        (DisableLp(by="root", name="OANDA"), {"OANDA": replace(OANDA, enabled=False)}, "DisableLp OANDA"),
        (
            ReprioritiseLps(by="root", priorities={"OANDA": 2}),
            {"OANDA": replace(OANDA, priority=2)},
            "ReprioritiseLps {'OANDA': 2}",
        ),
        (RemoveLp(by="root", name="OANDA"), {}, "RemoveLp OANDA"),
    ],
)
def test_each_change_makes_a_version(change: LpChange, lps: dict[str, Lp], words: str) -> None:
    assert apply(START, change, KNOWN, 11) == Registry(6, lps, 11, "root", words)


@pytest.mark.parametrize(
    "change",
    [
        AddLp(by="root", lp=OANDA),
        ChangeLp(by="root", lp=OANDA),
        EnableLp(by="root", name="OANDA"),
        ReprioritiseLps(by="root", priorities={"OANDA": OANDA.priority}),
        ReprioritiseLps(by="root", priorities={}),
    ],
)
def test_what_is_done_already_changes_nothing_whatever_the_version(change: LpChange) -> None:
    assert apply(START, replace(change, if_version=1), KNOWN, 11) is START


def test_a_change_to_another_version_is_refused() -> None:
    change = RemoveLp(by="root", name="OANDA", if_version=4)
    with pytest.raises(Refused) as refused:
        apply(START, change, KNOWN, 11)
    assert (refused.value.code, refused.value.field) == (Code.VERSION_MISMATCH, "version")
    assert apply(START, replace(change, if_version=5), KNOWN, 11).version == 6


@pytest.mark.parametrize("name", ["OTHER", ""])
@pytest.mark.parametrize("kind", [EnableLp, DisableLp, RemoveLp])
def test_an_lp_that_is_not_there(kind: Any, name: str) -> None:
    with pytest.raises(Refused) as refused:
        apply(START, kind(by="root", name=name), KNOWN, 11)
    assert (refused.value.code, refused.value.field) == (Code.UNKNOWN_LP, "name")


def test_another_lp_of_the_same_name() -> None:
    with pytest.raises(Refused) as refused:
        apply(START, AddLp(by="root", lp=replace(OANDA, weight=3)), KNOWN, 11)
    assert (refused.value.code, refused.value.field) == (Code.DUPLICATE_LP, "name")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "lower"}, "name"),
        ({"name": "../X"}, "name"),
        ({"name": "A" * 17}, "name"),
        ({"adapter": "nobodys"}, "adapter"),
        ({"priority": -1}, "priority"),
        ({"weight": 1_001}, "weight"),
        ({"silence_timeout_ms": 999}, "silence_timeout_ms"),
        ({"symbols": {"XAUUSD": "XAU_USD"}}, "symbols.XAUUSD"),
        ({"symbols": {"EURUSD": ""}}, "symbols.EURUSD"),
        ({"symbols": {"EURUSD": "EUR\nUSD"}}, "symbols.EURUSD"),
        ({"symbols": {"EURUSD": "X", "GBPUSD": "X"}}, "symbols"),
        ({"symbols": {"EURUSD": "X", "EUR/USD": "Y"}}, "symbols"),
        ({"settings": {"Url": "x"}}, "settings.Url"),
        ({"settings": {"token": "x"}}, "settings.token"),
        ({"settings": {"api_key": "x"}}, "settings.api_key"),
        ({"settings": {"token_env": "HOME"}}, "settings.token_env"),
        ({"settings": {"token_env": 5}}, "settings.token_env"),
        ({"settings": {"url": "x" * 513}}, "settings.url"),
        ({"settings": {f"a{number}": 1 for number in range(33)}}, "settings"),
    ],
)
def test_an_entry_that_is_not_fit_names_the_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        apply(START, AddLp(by="root", lp=replace(OTHER, **fields)), KNOWN, 11)
    assert (refused.value.code, refused.value.field) == (Code.BAD_LP, field)


def test_an_lp_that_is_removed_is_disabled_to_who_knew_it() -> None:
    known = Lp("OANDA", "oanda", {"EURUSD": "EUR_USD"})
    other = Lp("OANDA", "oanda", {"USDJPY": "USD_JPY"})
    assert entry(Registry(1, {"OANDA": other}, 1, "root", ""), known) == other
    assert entry(Registry(2, {}, 1, "root", ""), known) == Lp("OANDA", "oanda", {"EURUSD": "EUR_USD"}, enabled=False)


def test_symbols_are_kept_in_our_spelling() -> None:
    lp = replace(OTHER, symbols={"EUR/USD": "EUR_USD", "gbp-usd": "GBP_USD"})
    kept = apply(START, AddLp(by="root", lp=lp), KNOWN, 11).lps["OTHER"]
    assert kept.symbols == {"EURUSD": "EUR_USD", "GBPUSD": "GBP_USD"}
    assert [symbol_of(text) for text in ("EUR_USD", "EUR/USD", "eurusd", "EUR-USD")] == ["EURUSD"] * 4


def test_there_are_at_most_so_many() -> None:
    full = replace(START, lps={f"LP{number}": replace(OTHER, name=f"LP{number}") for number in range(LPS_LIMIT)})
    with pytest.raises(Refused) as refused:
        apply(full, AddLp(by="root", lp=OTHER), KNOWN, 11)
    assert refused.value.code is Code.LIMIT_EXCEEDED


def test_the_whole_fits_a_frame_of_the_bus() -> None:
    """Longer ones are dropped by all who follow the registry."""
    long = {f"s{number}": "é" * SETTING_LIMIT_CHARS for number in range(SETTINGS_LIMIT - 2)}
    lps = {f"LP{number}": replace(OTHER, name=f"LP{number}", settings=long) for number in range(LPS_LIMIT - 1)}
    with pytest.raises(Refused) as refused:
        apply(replace(START, lps=lps), AddLp(by="root", lp=OTHER), KNOWN, 11)
    assert refused.value.code is Code.LIMIT_EXCEEDED


@pytest.mark.parametrize("by", ["", "x" * 65, "a\nb"])
def test_who_wants_it_is_said(by: str) -> None:
    with pytest.raises(Refused) as refused:
        apply(START, AddLp(by=by, lp=OTHER), KNOWN, 11)
    assert refused.value.code is Code.BAD_ACTOR


CHANGES = st.lists(
    st.one_of(
        st.builds(AddLp, by=st.just("root"), lp=st.sampled_from([OANDA, OTHER, replace(OANDA, name="bad")])),
        st.builds(ChangeLp, by=st.just("root"), lp=st.sampled_from([replace(OANDA, weight=9), OTHER])),
        st.builds(RemoveLp, by=st.just("root"), name=st.sampled_from(["OANDA", "OTHER"])),
        st.builds(DisableLp, by=st.just("root"), name=st.sampled_from(["OANDA", "OTHER"])),
        st.builds(EnableLp, by=st.just("root"), name=st.sampled_from(["OANDA", "OTHER"]), if_version=st.integers(0, 9)),
    ),
    max_size=12,
)


@given(CHANGES)
def test_versions_rise_by_one_and_a_change_told_twice_is_one(changes: list[LpChange]) -> None:
    registry = START
    for change in changes:
        try:
            after = apply(registry, change, KNOWN, 11)
        except Refused:
            continue
        assert after.version - registry.version == (after.lps != registry.lps)
        if not isinstance(change, RemoveLp):
            assert apply(after, change, KNOWN, 12) is after
        registry = after
