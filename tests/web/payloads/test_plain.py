"""Domain structs to JSON and back."""

from typing import Any

import msgspec
import pytest

from actors.domain.charges import Commission, CommissionBasis
from actors.domain.group import Group, Markup
from actors.domain.instrument import Instrument
from actors.domain.order import Side
from actors.domain.risk.limits import ExposureLimit, Limits
from actors.domain.routing.rulebook import Book, Rule, Window
from config import catalogue
from tests.examples import EURUSD
from web.payloads.plain import merged, plain, struct_of
from web.payloads.problem import Problem

GROUP = Group(
    "pros",
    Markup(10_000, 20_000),
    {"USDJPY": Markup(1_000_000, 0)},
    Commission(CommissionBasis.LOT, 350_000_000, 10_000_000, "USD"),
    limits=Limits(exposure=ExposureLimit("JPY", 5_000, 1_000_000)),
)
RULE = Rule(
    rule_id=7,
    name="large",
    book=Book.SPLIT,
    venues=("LMAX",),
    share_e8=30_000_000,
    accounts=(1, 2),
    side=Side.BUY,
    windows=(Window(0, 60),),
)


@pytest.mark.parametrize("value", [GROUP, RULE, EURUSD, *catalogue.instruments().values(), Limits(), Group("plain")])
def test_what_is_told_is_taken_back(value: msgspec.Struct) -> None:
    said = msgspec.json.decode(msgspec.json.encode(plain(value)))
    assert struct_of(type(value), said) == value


def test_numbers_are_text_with_their_units() -> None:
    said = plain(GROUP)
    assert said["markup"] == {"bid": "0.0001", "ask": "0.0002", "spread_min": "0", "spread_max": "0", "skew": "0"}
    assert said["limits"]["exposure"] == {"currency": "JPY", "symbol": "5000", "total": "1000000"}
    rule = plain(RULE)
    assert (rule["rule_id"], rule["accounts"], rule["share"], rule["side"]) == ("7", ["1", "2"], "0.3", "buy")


def test_a_patch_changes_what_it_names_and_null_takes_away() -> None:
    patch = {"limits": {"exposure": {"currency": "USD", "symbol": "10.50"}}, "markup": None, "leverage": 30}
    group = struct_of(Group, merged(plain(Group("pros", Markup(1, 1))), patch))
    assert group == Group("pros", leverage=30, limits=Limits(exposure=ExposureLimit("USD", 10_50)))


@pytest.mark.parametrize(
    ("kind", "patch", "field"),
    [
        (Instrument, {"margin_rate": 0.05}, "terms.margin_rate"),
        (Instrument, {"margin_rate": "0.000000001"}, "terms.margin_rate"),
        (Instrument, {"margin_rate": "1" * 30}, "terms.margin_rate"),
        (Instrument, {"price_digits": True}, "terms.price_digits"),
        (Instrument, {"price_digits": "x"}, "terms.price_digits"),
        (Instrument, {"price_digits": "²"}, "terms.price_digits"),
        (Instrument, {"state": "ajar"}, "terms.state"),
        (Instrument, {"surprise": 1}, "terms.surprise"),
        (Instrument, {"sessions": {"windows": [{"weekday": 9}]}}, "terms.sessions.windows[0].opens_minute"),
        (Instrument, {"sessions": []}, "terms.sessions"),
        (Instrument, {"swap": {"basis": "interest", "long": "11"}}, "terms.swap"),
        (Instrument, {"symbol": None}, "terms.symbol"),
        (Instrument, {"tiers": {}}, "terms.tiers"),
    ],
)
def test_what_cannot_be_names_the_field(kind: type[msgspec.Struct], patch: Any, field: str) -> None:
    with pytest.raises(Problem) as refused:
        struct_of(kind, merged(plain(EURUSD), patch))
    assert (refused.value.status_code, refused.value.field) == (422, field)
