import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.prices.book import Book
from actors.domain.prices.pricing import LpTerms, Mode, Pricing, Top, shaped
from actors.domain.quote import Quote
from tests.examples import START_NS

MS = 1_000_000
LPS = {"A": LpTerms(priority=1, weight=3), "B": LpTerms(priority=2), "C": LpTerms(priority=3, weight=0)}


def at(bid_e8: int, ask_e8: int) -> Quote:
    return Quote("EURUSD", bid_e8, ask_e8, 1, 1, 0, START_NS)


def test_the_first_in_rank_leads_and_a_better_one_waits_for_the_hold_time() -> None:
    """The drill of a flapping LP: its price is not the price again before it has been fresh for the hold time."""
    book = Book(Pricing(mode=Mode.PRIORITY, hold_ms=1_000), LPS)
    book.take("B", at(20, 22), 0)
    assert book.top(0) == Top(20, 22, "B", "B")
    book.take("A", at(10, 12), 0)
    leaders = []
    for ms in range(0, 4_000, 100):
        if ms % 700 == 0 and ms < 2_100:
            book.drop("A")
            book.take("A", at(10, 12), ms * MS)
        top = book.top(ms * MS)
        leaders.append(top.lp_bid if top else "")
    assert leaders == ["B"] * 24 + ["A"] * 16
    book.drop("A")
    assert book.top(4_000 * MS) == Top(20, 22, "B", "B")
    book.drop("B")
    assert book.top(4_000 * MS) is None


def test_a_symbol_may_rank_the_lps_anew() -> None:
    book = Book(Pricing(mode=Mode.PRIORITY, priorities={"C": 0}), LPS)
    for name, quote in {"A": at(10, 12), "C": at(30, 32)}.items():
        book.take(name, quote, 0)
    assert book.top(0) == Top(30, 32, "C", "C")


def test_the_weighted_mean_is_rounded_against_whoever_deals() -> None:
    """(3 x 10 + 1 x 13) / 4 = 10.75, (3 x 12 + 17) / 4 = 13.25; C weighs nothing."""
    book = Book(Pricing(mode=Mode.WEIGHTED), {**LPS, "B": LpTerms(weight=1)})
    for name, quote in {"A": at(10, 12), "B": at(13, 17), "C": at(1, 99)}.items():
        book.take(name, quote, 0)
    assert book.top(0) == Top(10, 14, "A", "A")
    for name in "AB":
        book.drop(name)
    assert book.top(0) is None


def test_a_single_lp_is_the_price_or_nobody_is() -> None:
    book = Book(Pricing(mode=Mode.SINGLE, single="B"), LPS)
    book.take("A", at(10, 12), 0)
    assert book.top(0) is None
    book.take("B", at(9, 13), 0)
    assert book.top(0) == Top(9, 13, "B", "B")


def test_the_least_spread_and_the_skew() -> None:
    top = Top(100, 103, "A", "B")
    assert shaped(top, Pricing(spread_min_e8=8)) == Top(98, 106, "A", "B")
    assert shaped(top, Pricing(spread_min_e8=3, skew_e8=-7)) == Top(93, 96, "A", "B")
    assert shaped(top, Pricing(skew_e8=-200)) == Top(1, 1, "A", "B")


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 60), st.integers(-80, 80))
def test_a_shaped_price_is_never_crossed(bid_e8: int, spread_e8: int, least_e8: int, skew_e8: int) -> None:
    top = shaped(Top(bid_e8, bid_e8 + spread_e8, "A", "A"), Pricing(spread_min_e8=least_e8, skew_e8=skew_e8))
    assert 0 < top.bid_e8 <= top.ask_e8
    if bid_e8 + skew_e8 - least_e8 > 0:
        assert top.ask_e8 - top.bid_e8 == max(spread_e8, least_e8)


@pytest.mark.parametrize(
    "wrong",
    [
        {"hold_ms": -1},
        {"spread_min_e8": -1},
        {"weights": {"A": -1}},
        {"mode": Mode.SINGLE},
        {"single": "A"},
        {"limits": {"A": {"age": 1}}},
        {"limits": {"all": {"age_ms": 0}}},
    ],
)
def test_terms_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Pricing(**wrong)  # type: ignore[arg-type]
