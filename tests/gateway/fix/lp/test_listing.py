"""What an LP lists, in the fields of FIX 4.4 and those that LPs add."""

import pytest

from actors.domain.money import parse_e8
from gateway.fix.lp import listing
from gateway.fix.lp.listing import ListPage
from gateway.venues.interface import VenueInstrument
from tests.gateway.fix.lp.messages import message


def test_everything_is_asked_for() -> None:
    assert listing.securities_request("s") == [(320, b"s"), (559, b"4")]


def test_instruments_with_their_terms() -> None:
    body = "320=s 560=0 393=2 893=Y 146=2 55=EUR/USD 15=EUR 969=0.00001 561=1000 562=1000 1140=50000000 55=GBP/USD"
    assert listing.securities(message(b"y", body)) == ListPage(
        "s",
        [
            VenueInstrument(
                "EUR/USD",
                5,
                parse_e8("1000"),
                parse_e8("50000000"),
                price_step_e8=parse_e8("0.00001"),
                quantity_step_e8=parse_e8("1000"),
            ),
            VenueInstrument("GBP/USD"),
        ],
        2,
        True,
        "",
    )


@pytest.mark.parametrize(
    ("step", "digits"), [("0.00001", 5), ("0.00005", 5), ("0.25", 2), ("1", 0), ("5", 0), ("0", None), ("x", None)]
)
def test_the_digits_of_a_price_are_those_of_its_step(step: str, digits: int | None) -> None:
    page = listing.securities(message(b"y", f"320=s 560=0 146=1 55=A 969={step}"))
    assert page.instruments[0].price_digits == digits


@pytest.mark.parametrize(("said", "digits"), [("3", 3), ("17", None), ("x", None), ("-1", None)])
def test_an_lp_may_have_a_field_of_its_own_for_them(said: str, digits: int | None) -> None:
    page = listing.securities(message(b"y", f"320=s 560=0 146=1 55=A 1008={said}"), 1008)
    assert page.instruments[0].price_digits == digits


@pytest.mark.parametrize(
    ("terms", "step", "contract"),
    [("1205=2 1206=0 1208=0.001 1206=10 1208=0.01", "0.001", ""), ("231=10000 969=0.00001 1208=1", "0.00001", "10000")],
)
def test_tick_rules_and_contracts(terms: str, step: str, contract: str) -> None:
    (listed,) = listing.securities(message(b"y", f"320=s 560=0 146=1 55=A {terms}")).instruments
    assert (listed.price_step_e8, listed.contract_e8) == (parse_e8(step), parse_e8(contract) if contract else None)


@pytest.mark.parametrize(
    ("body", "is_last", "refused"),
    [
        ("320=s 560=0 893=N 146=0", False, ""),
        ("320=s 560=0 893=Y", True, ""),
        ("320=s 560=2", None, ""),
        ("320=s 560=1 58=no", None, "SecurityRequestResult 1: no"),
    ],
)
def test_a_page_that_is_not_the_last_and_one_that_is_refused(body: str, is_last: bool | None, refused: str) -> None:
    assert listing.securities(message(b"y", body)) == ListPage("s", [], None, is_last, refused)
