import msgspec
import pytest

from actors.domain.money import parse_e8 as e8
from actors.domain.order import Side
from actors.domain.routing.rulebook import (
    NAMES_LIMIT,
    RULES_LIMIT,
    VENUES_LIMIT,
    WEEK_MINUTES,
    Book,
    RoutedSymbol,
    Rule,
    RuleBook,
    Window,
    faults,
)

SYMBOLS = {
    "EURUSD": RoutedSymbol("EURUSD", "fx", "EUR", "USD", e8("1000")),
    "USDJPY": RoutedSymbol("USDJPY", "fx", "USD", "JPY", e8("1000")),
    "BTCUSD": RoutedSymbol("BTCUSD", "crypto", "BTC", "USD", e8("0.01")),
}
VENUES = ("LMAX", "OANDA")
DEFAULT = Rule(rule_id=99, name="default", book=Book.B_BOOK)
A_BOOK = Rule(rule_id=1, name="all", book=Book.A_BOOK, venues=("LMAX",), groups=("vip",))


def changed(rule: Rule, **fields: object) -> Rule:
    return msgspec.structs.replace(rule, **fields)


def test_rules_that_are_in_order() -> None:
    rules = (
        A_BOOK,
        changed(A_BOOK, rule_id=2, groups=("raw",), venues=("OANDA", "LMAX"), windows=(Window(8640, 60),)),
        changed(A_BOOK, rule_id=3, book=Book.SPLIT, share_e8=e8("0.3"), symbol_classes=("crypto",), groups=()),
        changed(A_BOOK, rule_id=4, groups=(), notional_currency="JPY", notional_min_e8=e8("1000000")),
        changed(DEFAULT, rule_id=5, accounts=(7, 8), side=Side.BUY, currencies=("EUR", "BTC")),
        DEFAULT,
    )
    assert faults(rules, SYMBOLS, VENUES) == []
    book = RuleBook(3, rules)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(book), type=RuleBook) == book


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"rule_id": 0}, "needs an id that is a positive number of 64 bits"),
        ({"name": "two\nlines"}, "needs a name of 1 to 64 printable characters"),
        ({"name": ""}, "needs a name of 1 to 64 printable characters"),
        ({"venues": ()}, "goes to the A-book, but names no venue"),
        ({"venues": ("LMX",)}, "names the venue 'LMX', which does not exist"),
        ({"venues": ("LMAX", "LMAX")}, "names the venue 'LMAX' twice"),
        ({"venues": ("LMAX",) * (VENUES_LIMIT + 1)}, "names 17 venues, more than 16"),
        ({"book": Book.B_BOOK}, "names venues, but deals on the B-book"),
        ({"share_e8": 1}, "has a share, but does not split"),
        ({"book": Book.SPLIT}, "splits by a share that is not between 0 % and 100 %"),
        ({"book": Book.SPLIT, "share_e8": e8("1")}, "splits by a share that is not between 0 % and 100 %"),
        ({"book": Book.SPLIT, "share_e8": -1}, "splits by a share that is not between 0 % and 100 %"),
        ({"quantity_min_e8": -1}, "has a quantity below zero or out of all bounds"),
        ({"quantity_max_e8": 10**18}, "has a quantity below zero or out of all bounds"),
        ({"quantity_min_e8": 2, "quantity_max_e8": 1}, "has a quantity range that ends before it begins"),
        ({"notional_min_e8": 2}, "needs both a notional range and its currency, or neither"),
        ({"notional_currency": "USD"}, "needs both a notional range and its currency, or neither"),
        (
            {"notional_currency": "EUR", "notional_max_e8": 1},
            "names the notional currency 'EUR', which no instrument has",
        ),
        ({"windows": (Window(5, 5),)}, "has the window 5 to 5: minutes are 0 to 10080, and the two differ"),
        (
            {"windows": (Window(WEEK_MINUTES, 5),)},
            "has the window 10080 to 5: minutes are 0 to 10080, and the two differ",
        ),
        ({"symbols": ("EURUSD", "EUR/USD")}, "names the symbol 'EUR/USD', which no instrument has"),
        ({"symbol_classes": ("cryto",)}, "names the symbol class 'cryto', which no instrument has"),
        ({"currencies": ("GBP",)}, "names the currency 'GBP', which no instrument has"),
        ({"accounts": tuple(range(NAMES_LIMIT + 1))}, "names 1001 accounts, more than 1000"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said_in_a_sentence(fields: dict[str, object], fault: str) -> None:
    rule = changed(A_BOOK, **fields)
    name = rule.name
    assert faults((rule, DEFAULT), SYMBOLS, VENUES) == [f"rule {rule.rule_id} {name!r} {fault}"]


def test_there_must_be_a_default_and_it_is_the_last() -> None:
    assert faults((), SYMBOLS, VENUES) == ["there are no rules, so no order would have a route"]
    sentence = "the last rule, 1 'all', has conditions: end with a rule that takes every order, the default"
    assert faults((A_BOOK,), SYMBOLS, VENUES) == [sentence]
    for fields in (
        {"accounts": (1,)},
        {"groups": ("vip",)},
        {"client_classes": ("retail",)},
        {"symbols": ("EURUSD",)},
        {"symbol_classes": ("fx",)},
        {"currencies": ("EUR",)},
        {"side": Side.BUY},
        {"quantity_min_e8": 1},
        {"quantity_max_e8": 1},
        {"notional_currency": "USD", "notional_min_e8": 1},
        {"windows": (Window(0, 1),)},
    ):
        assert len(faults((changed(DEFAULT, **fields),), SYMBOLS, VENUES)) == 1


def test_ids_are_unique_and_rules_bounded() -> None:
    assert faults((A_BOOK, changed(A_BOOK, name="again", groups=("raw",)), DEFAULT), SYMBOLS, VENUES) == [
        "rule 1 'again' has the id of rule 1 'all'"
    ]
    assert faults((DEFAULT,) * (RULES_LIMIT + 1), SYMBOLS, VENUES) == ["there are 257 rules, more than 256"]


def unreachable(earlier: Rule, later: Rule) -> bool:
    found = faults((changed(earlier, rule_id=1), changed(later, rule_id=2), DEFAULT), SYMBOLS, VENUES)
    assert found in ([], ["rule 2 'all' is never reached: rule 1 'all' before it takes all of its orders"])
    return bool(found)


def test_a_rule_after_a_catch_all_is_never_reached() -> None:
    everything = changed(A_BOOK, groups=())
    assert faults((everything, DEFAULT), SYMBOLS, VENUES) == [
        "rule 99 'default' is never reached: rule 1 'all' before it takes all of its orders"
    ]


@pytest.mark.parametrize(
    ("earlier", "later", "is_unreachable"),
    [
        ({}, {}, True),
        ({"groups": ("vip", "raw")}, {"groups": ("raw",)}, True),
        ({"groups": ("raw",)}, {"groups": ("vip", "raw")}, False),
        ({}, {"symbols": ("EURUSD",)}, True),
        ({"symbols": ("EURUSD",)}, {}, False),
        ({"side": Side.BUY}, {"side": Side.BUY, "accounts": (1,)}, True),
        ({"side": Side.BUY}, {"side": Side.SELL}, False),
        ({"side": Side.BUY}, {}, False),
        ({"quantity_max_e8": 10}, {"quantity_max_e8": 9, "quantity_min_e8": 1}, True),
        ({"quantity_max_e8": 10}, {"quantity_max_e8": 11}, False),
        ({"quantity_max_e8": 10}, {}, False),
        ({"quantity_min_e8": 10}, {"quantity_min_e8": 9}, False),
        (
            {"notional_currency": "USD", "notional_min_e8": 5},
            {"notional_currency": "USD", "notional_min_e8": 6},
            True,
        ),
        (
            {"notional_currency": "USD", "notional_min_e8": 5},
            {"notional_currency": "JPY", "notional_min_e8": 6},
            False,
        ),
        ({"windows": (Window(0, 60),)}, {"windows": (Window(10, 20), Window(50, 60))}, True),
        ({"windows": (Window(0, 30), Window(30, 60))}, {"windows": (Window(10, 40),)}, True),
        ({"windows": (Window(0, 60),)}, {"windows": (Window(10, 61),)}, False),
        ({"windows": (Window(10000, 60),)}, {"windows": (Window(0, 10),)}, True),
        ({"windows": (Window(0, 60),)}, {}, False),
        ({"windows": (Window(0, WEEK_MINUTES),)}, {}, True),
    ],
)
def test_a_rule_whose_orders_an_earlier_one_takes_is_never_reached(
    earlier: dict[str, object], later: dict[str, object], is_unreachable: bool
) -> None:
    assert unreachable(changed(A_BOOK, **earlier), changed(A_BOOK, **later)) == is_unreachable
