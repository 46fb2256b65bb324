from hypothesis import given
from hypothesis import strategies as st

from actors.domain.money import parse_e8 as e8
from actors.domain.prices.book import Book, Depth, Sweep, vwap
from actors.domain.prices.pricing import LpTerms, Pricing, Top, best
from actors.domain.quote import Ladder, Level, Quote
from tests.examples import quote


def at(bid: str, ask: str, received_ns: int = 0) -> Quote:
    return quote("EURUSD", bid, ask, received_ns=received_ns)


LPS = {name: LpTerms() for name in "ABCDE"}


def book(**quotes: Quote) -> Book:
    made = Book(Pricing(), LPS)
    for venue, theirs in quotes.items():
        made.take(venue, theirs, 0)
    return made


def test_an_empty_book_has_no_top() -> None:
    assert book().top(0) is None


def test_one_lp_is_the_top() -> None:
    assert book(A=at("1.1", "1.2")).top(0) == Top(e8("1.1"), e8("1.2"), "A", "A")


def test_best_bid_and_best_offer_may_be_of_different_lps() -> None:
    assert book(A=at("1.10", "1.13"), B=at("1.11", "1.14")).top(0) == Top(e8("1.11"), e8("1.13"), "B", "A")


def test_among_equal_prices_the_first_in_the_book_keeps_the_place() -> None:
    made = book(A=at("1.1", "1.2"), B=at("1.1", "1.2"))
    made.take("A", at("1.1", "1.2", 5), 0)
    assert made.top(0) == Top(e8("1.1"), e8("1.2"), "A", "A")


def test_an_lp_that_left_and_came_back_is_last_in_the_book() -> None:
    made = book(A=at("1.1", "1.2"), B=at("1.1", "1.2"))
    made.drop("A")
    made.take("A", at("1.1", "1.2"), 0)
    assert made.top(0) == Top(e8("1.1"), e8("1.2"), "B", "B")


def test_a_locked_book_is_in_order() -> None:
    assert book(A=at("1.10", "1.11"), B=at("1.11", "1.12")).top(0) == Top(e8("1.11"), e8("1.11"), "B", "A")


def test_where_two_lps_cross_the_older_quote_stands_aside() -> None:
    made = book(A=at("1.15", "1.16", 1), B=at("1.10", "1.11", 2))
    assert made.top(0) == Top(e8("1.10"), e8("1.11"), "B", "B")


def test_a_quote_that_stood_aside_is_back_when_the_conflict_is_gone() -> None:
    made = book(A=at("1.15", "1.16", 1), B=at("1.10", "1.11", 2))
    made.take("B", at("1.14", "1.155", 3), 0)
    assert made.top(0) == Top(e8("1.15"), e8("1.155"), "A", "B")


def test_of_three_only_the_late_one_stands_aside() -> None:
    made = book(A=at("1.15", "1.16", 1), B=at("1.10", "1.12", 2), C=at("1.11", "1.13", 3))
    assert made.top(0) == Top(e8("1.11"), e8("1.12"), "C", "B")


def test_drop_gives_the_quote_that_there_was() -> None:
    made = book(A=at("1.1", "1.2"))
    assert (made.drop("A"), made.drop("A"), made.top(0)) == (at("1.1", "1.2"), None, None)


def test_the_depth_has_the_levels_of_all_who_do_not_stand_aside() -> None:
    made = book(A=at("1.15", "1.16", 1), B=at("1.10", "1.12", 2), C=at("1.11", "1.13", 3))
    million = e8("1000000")
    assert made.depth() == Depth(
        [Level(e8("1.11"), million, "C"), Level(e8("1.10"), million, "B")],
        [Level(e8("1.12"), million, "B"), Level(e8("1.13"), million, "C")],
    )
    assert book().depth() == Depth([], [])


def test_behind_an_lps_quote_lies_its_order_book() -> None:
    """Never better than the quote, which alone was judged; of nobody who has none; not longer than it may be old."""
    made = book(A=at("1.10", "1.12"), B=at("1.11", "1.13"))
    bids, asks = ((e8("1.12"), 5), (e8("1.10"), 6), (e8("1.05"), 7)), ((e8("1.12"), 8), (e8("1.14"), 9))
    million, plain, changes = e8("1000000"), made.depth(), made.changes
    made.deepen("A", Ladder("EURUSD", bids, asks, 1))
    made.deepen("C", Ladder("EURUSD", bids, asks, 1))
    assert made.changes > changes
    assert made.depth() == Depth(
        [Level(e8("1.11"), million, "B"), Level(e8("1.10"), million, "A"), Level(e8("1.05"), 7, "A")],
        [Level(e8("1.12"), million, "A"), Level(e8("1.13"), million, "B"), Level(e8("1.14"), 9, "A")],
    )
    assert made.top(0) == Top(e8("1.11"), e8("1.12"), "B", "A")
    made.forget_ladders({"A": 1, "C": 1})
    assert made.depth() != plain
    made.forget_ladders({"A": 2, "C": 2})
    assert made.depth() == plain
    made.deepen("A", Ladder("EURUSD", bids, asks, 1))
    made.deepen("A", Ladder("EURUSD", (), (), 2))
    assert made.depth() == plain
    made.deepen("A", Ladder("EURUSD", bids, asks, 1))
    made.drop("A")
    made.take("A", at("1.10", "1.12"), 0)
    assert len(made.depth().bids) == 2


def test_what_a_size_costs() -> None:
    """3 at 1.10 and 1 at 1.11 are 4.41: 1.1025 each. What cannot be divided goes against who asked."""
    levels = [Level(e8("1.10"), e8("3"), "A"), Level(e8("1.11"), e8("2"), "B")]
    assert vwap(levels, e8("4"), buys=True) == Sweep(e8("4"), e8("1.1025"), e8("1.11"))
    assert vwap(levels, e8("9"), buys=True) == Sweep(e8("5"), e8("1.104"), e8("1.11"))
    assert vwap(levels, 0, buys=True) == vwap([], e8("1"), buys=True) == vwap(levels, -1, buys=False) == Sweep(0, 0, 0)
    thirds = [Level(100, 2, "A"), Level(101, 1, "B")]
    assert (vwap(thirds, 3, buys=True).price_e8, vwap(thirds, 3, buys=False).price_e8) == (101, 100)


PRICES = st.integers(1, 20)
QUOTES = st.tuples(PRICES, PRICES, st.integers(0, 5)).map(
    lambda drawn: Quote("EURUSD", min(drawn[:2]), max(drawn[:2]), 1, 1, 0, drawn[2])
)


@given(st.dictionaries(st.sampled_from("ABCDE"), QUOTES, min_size=1))
def test_the_top_is_never_crossed_and_is_somebodys(quotes: dict[str, Quote]) -> None:
    top = book(**quotes).top(0)
    assert top is not None
    assert top.bid_e8 <= top.ask_e8
    assert (quotes[top.lp_bid].bid_e8, quotes[top.lp_ask].ask_e8) == (top.bid_e8, top.ask_e8)


@given(st.dictionaries(st.sampled_from("ABCDE"), QUOTES, min_size=1))
def test_without_a_conflict_nobody_has_a_better_price(quotes: dict[str, Quote]) -> None:
    bid_e8 = max(quote.bid_e8 for quote in quotes.values())
    ask_e8 = min(quote.ask_e8 for quote in quotes.values())
    top = book(**quotes).top(0)
    assert top is not None
    if bid_e8 <= ask_e8:
        assert (top.bid_e8, top.ask_e8) == (bid_e8, ask_e8)


STEPS = st.lists(st.tuples(st.sampled_from("ABCDE"), st.none() | QUOTES), max_size=40)


@given(STEPS)
def test_take_knows_when_the_top_stays(steps: list[tuple[str, Quote | None]]) -> None:
    made = book()
    known = None
    for venue, given_quote in steps:
        if given_quote is None:
            made.drop(venue)
            known = made.top(0)
        elif made.take(venue, given_quote, 0):
            known = made.top(0)
        assert known == best(made.quotes)
        depth = made.depth()
        assert not depth.bids or depth.bids[0].price_e8 <= depth.asks[0].price_e8
