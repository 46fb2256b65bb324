from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.money import parse_e8 as e8
from actors.domain.order import Side
from actors.domain.routing.route import Considered, NoDefault, Router, RouteRequest, Routing, minute_of_week, split
from actors.domain.routing.rulebook import WEEK_MINUTES, Book, RoutedSymbol, Rule, RuleBook, Window, faults
from tests.actors.domain.routing.test_rulebook import DEFAULT, SYMBOLS, VENUES, changed

BUY, SELL = Side.BUY, Side.SELL
MINUTE_NS = 60 * 10**9
MONDAY_NS = 1_768_780_800 * 10**9
"""2026-01-19 00:00 UTC."""
REQUEST = RouteRequest(7, "retail", "pro", "EURUSD", BUY, e8("100000"), e8("1.10020"), MONDAY_NS)


def router(*rules: Rule) -> Router:
    return Router(RuleBook(1, (*rules, DEFAULT)), SYMBOLS)


def a_book(**fields: object) -> Rule:
    return changed(Rule(rule_id=1, name="out", book=Book.A_BOOK, venues=("LMAX", "OANDA")), **fields)


def asked(**fields: object) -> RouteRequest:
    return msgspec.structs.replace(REQUEST, **fields)


OUT = Routing(1, 0, e8("100000"), ("LMAX", "OANDA"))
IN = Routing(99, e8("100000"), 0, ())


@pytest.mark.parametrize(
    ("quantity", "share", "step", "b_book", "a_book"),
    [
        ("0.07", "0.3", "0.01", "0.05", "0.02"),  # 0.021: two whole steps
        ("0.03", "0.3", "0.01", "0.03", "0"),  # 0.009 is none
        ("0.1", "0.3", "0.01", "0.07", "0.03"),  # exact
        ("100000", "0.5", "1000", "50000", "50000"),
        ("101000", "0.5", "1000", "51000", "50000"),  # 50,500: the odd 1,000 stays
        ("1000", "0.99999999", "1000", "1000", "0"),
        ("1000.5", "0.5", "1", "500.5", "500"),  # what is no whole step stays too
    ],
)
def test_a_split_is_rounded_down_and_the_b_book_takes_the_rest(
    quantity: str, share: str, step: str, b_book: str, a_book: str
) -> None:
    assert split(e8(quantity), e8(share), e8(step)) == (e8(b_book), e8(a_book))


@given(st.integers(1, 10**18), st.integers(1, 10**8 - 1), st.integers(1, 10**12))
def test_a_split_loses_nothing_and_sends_no_more_than_the_share(quantity: int, share: int, step: int) -> None:
    b_book, a_book = split(quantity, share, step)
    assert b_book + a_book == quantity
    assert (a_book % step, min(b_book, a_book) >= 0) == (0, True)
    assert 0 <= quantity * share - a_book * 10**8 < step * 10**8


def test_the_first_rule_that_matches_decides() -> None:
    first, second = a_book(groups=("retail",)), a_book(rule_id=2, symbols=("EURUSD",), venues=("OANDA",))
    assert router(first, second).route(REQUEST) == OUT
    assert router(second, first).route(REQUEST) == Routing(2, 0, e8("100000"), ("OANDA",))
    assert router().route(REQUEST) == IN


def test_a_split_by_rule() -> None:
    rule = a_book(book=Book.SPLIT, share_e8=e8("0.3"), symbol_classes=("crypto",))
    small = asked(symbol="BTCUSD", quantity_e8=e8("0.03"))
    assert router(rule).route(asked(symbol="BTCUSD", quantity_e8=e8("0.07"))) == Routing(
        1, e8("0.05"), e8("0.02"), ("LMAX", "OANDA")
    )
    assert router(rule).route(small) == Routing(1, e8("0.03"), 0, ())
    assert router(rule).route(REQUEST) == IN


@pytest.mark.parametrize(
    ("fields", "request_fields", "why_not"),
    [
        ({"accounts": (7, 8)}, {"account_id": 9}, "account 9 is not one of 7, 8"),
        ({"groups": ("retail",)}, {"group": "vip"}, "group vip is not one of retail"),
        ({"client_classes": ("pro",)}, {"client_class": "toxic"}, "client class toxic is not one of pro"),
        ({"symbols": ("EURUSD",)}, {"symbol": "BTCUSD"}, "symbol BTCUSD is not one of EURUSD"),
        ({"symbol_classes": ("fx",)}, {"symbol": "BTCUSD"}, "symbol class crypto is not one of fx"),
        ({"currencies": ("EUR", "JPY")}, {"symbol": "BTCUSD"}, "neither BTC nor USD is one of EUR, JPY"),
        ({"currencies": ("USD",), "side": BUY}, {"side": SELL}, "side is sell, not buy"),
        ({"quantity_min_e8": e8("100000")}, {"quantity_e8": e8("99999")}, "quantity 99999 < 100000"),
        ({"quantity_max_e8": e8("100000")}, {"quantity_e8": e8("100001")}, "quantity 100001 > 100000"),
        # 100,000 at 1.10020 are 110,020 USD.
        (
            {"notional_currency": "USD", "notional_min_e8": e8("110020")},
            {"price_e8": e8("1.10019")},
            "notional 110019 USD < 110020",
        ),
        (
            {"notional_currency": "USD", "notional_max_e8": e8("110020")},
            {"price_e8": e8("1.10021")},
            "notional 110021 USD > 110020",
        ),
        (
            {"notional_currency": "USD", "notional_min_e8": e8("1")},
            {"symbol": "USDJPY"},
            "notional is in JPY, not in USD",
        ),
        (
            {"windows": (Window(0, 60),)},
            {"time_ns": MONDAY_NS + 60 * MINUTE_NS},
            "minute 60 of the week is in none of its windows",
        ),
        (
            {"windows": (Window(8640, 1),)},
            {"time_ns": MONDAY_NS + MINUTE_NS},
            "minute 1 of the week is in none of its windows",
        ),
        (
            {"windows": (Window(8640, 1),)},
            {"time_ns": MONDAY_NS - 1441 * MINUTE_NS},
            "minute 8639 of the week is in none of its windows",
        ),
    ],
)
def test_each_condition_matches_at_its_edge_and_not_beyond(
    fields: dict[str, object], request_fields: dict[str, object], why_not: str
) -> None:
    rule = a_book(**fields)
    desk, beyond = router(rule), asked(**request_fields)
    for _ in range(2):  # picked out, and then known
        assert desk.route(REQUEST) == OUT
        assert desk.route(beyond).rule_id == 99
    assert desk.preview(REQUEST) == [Considered(rule, True, ""), Considered(DEFAULT, True, "")]
    assert desk.preview(beyond) == [Considered(rule, False, why_not), Considered(DEFAULT, True, "")]


def test_a_dry_run_names_every_condition_that_is_not_met() -> None:
    rule = a_book(accounts=tuple(range(10, 17)), side=SELL, quantity_min_e8=e8("200000"))
    assert router(rule).preview(REQUEST)[0].why_not == (
        "side is buy, not sell; account 7 is not one of 10, 11, 12, 13, 14 and 2 more; quantity 100000 < 200000"
    )


def test_a_book_without_a_default_is_not_used() -> None:
    for rules in ((), (a_book(groups=("vip",)),)):
        with pytest.raises(NoDefault):
            Router(RuleBook(1, rules), SYMBOLS)


def test_a_symbol_that_it_was_not_built_for() -> None:
    with pytest.raises(KeyError):
        router().route(asked(symbol="XAUUSD"))


@given(st.datetimes(datetime(1960, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001
def test_minutes_of_the_week_are_the_calendars(when: datetime) -> None:
    when = when.replace(tzinfo=UTC)
    microseconds = (when - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution)
    assert minute_of_week(microseconds * 1000) == when.weekday() * 1440 + when.hour * 60 + when.minute


def names(*of: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(of), max_size=2, unique=True).map(tuple)


quantities = st.one_of(st.just(0), st.integers(0, 40).map(lambda units: units * 10**8))
minutes = st.integers(0, WEEK_MINUTES - 1)
windows = st.lists(st.builds(Window, minutes, minutes), max_size=2).map(tuple)
some_rules = st.builds(
    Rule,
    rule_id=st.just(1),
    name=st.just("some"),
    book=st.just(Book.SPLIT),
    venues=st.just(VENUES),
    share_e8=st.integers(1, 10**8 - 1),
    accounts=st.lists(st.integers(1, 3), max_size=2).map(tuple),
    groups=names("retail", "vip"),
    client_classes=names("pro", "toxic"),
    symbols=names(*SYMBOLS),
    symbol_classes=names("fx", "crypto"),
    currencies=names("EUR", "USD", "JPY", "BTC"),
    side=st.sampled_from((None, None, BUY, SELL)),
    quantity_min_e8=quantities,
    quantity_max_e8=quantities,
    notional_currency=st.sampled_from(("", "", "USD", "JPY")),
    notional_min_e8=quantities,
    notional_max_e8=quantities,
    windows=windows,
)
bare = st.builds(
    Rule,
    rule_id=st.just(1),
    name=st.just("bare"),
    book=st.just(Book.A_BOOK),
    venues=st.just(VENUES),
    groups=names("retail", "vip"),
    side=st.sampled_from((None, BUY)),
    quantity_max_e8=quantities,
    windows=windows,
)
requests = st.builds(
    RouteRequest,
    st.integers(1, 3),
    st.sampled_from(("retail", "vip")),
    st.sampled_from(("pro", "toxic")),
    st.sampled_from(tuple(SYMBOLS)),
    st.sampled_from((BUY, SELL)),
    st.integers(1, 40 * 10**8),
    st.integers(1, 3 * 10**8),
    st.integers(0, WEEK_MINUTES * 2).map(lambda minute: MONDAY_NS + minute * MINUTE_NS),
)
rule_lists = st.lists(st.one_of(some_rules, bare), max_size=6).map(
    lambda rules: tuple(changed(rule, rule_id=number) for number, rule in enumerate(rules, 1))
)


@given(rule_lists, st.lists(requests, min_size=1, max_size=6))
def test_the_route_is_that_of_the_first_rule_that_the_dry_run_matches(
    rules: tuple[Rule, ...], many: list[RouteRequest]
) -> None:
    desk = router(*rules)
    for request in many:
        routing = desk.route(request)
        first = next(considered.rule for considered in desk.preview(request) if considered.matched)
        assert routing.rule_id == first.rule_id
        assert routing.b_book_e8 + routing.a_book_e8 == request.quantity_e8
        assert bool(routing.a_book_e8) == bool(routing.venues)


def sound(rule: Rule) -> Rule:
    """The rule with its ranges the right way round, and without half a condition."""
    least, most = rule.notional_min_e8, rule.notional_max_e8
    has_notional = bool(rule.notional_currency and (least or most))
    return changed(
        rule,
        quantity_min_e8=min(rule.quantity_min_e8, rule.quantity_max_e8 or rule.quantity_min_e8),
        notional_currency=rule.notional_currency if has_notional else "",
        notional_min_e8=min(least, most or least) if has_notional else 0,
        notional_max_e8=most if has_notional else 0,
        windows=tuple(window for window in rule.windows if window.start_minute != window.end_minute),
    )


@given(rule_lists, st.integers(0, 5), st.sampled_from((BUY, SELL)), st.lists(requests, min_size=1, max_size=10))
def test_a_rule_that_is_called_unreachable_never_decides(
    rules: tuple[Rule, ...], at: int, side: Side, many: list[RouteRequest]
) -> None:
    """The last before the default is one of the others with conditions added, so it at least is never reached."""
    rules = tuple(sound(rule) for rule in rules)
    if rules:
        earlier = rules[at % len(rules)]
        rules = (*rules, changed(earlier, rule_id=50, side=earlier.side or side, accounts=earlier.accounts or (1, 2)))
    sentences = faults((*rules, DEFAULT), SYMBOLS, VENUES)
    assert all("is never reached" in sentence for sentence in sentences)
    never = [
        rule.rule_id for rule in (*rules, DEFAULT) if any(it.startswith(f"rule {rule.rule_id} ") for it in sentences)
    ]
    assert not rules or 50 in never
    desk = router(*rules)
    assert not [request for request in many if desk.route(request).rule_id in never]


def test_a_router_keeps_its_own_symbols() -> None:
    symbols: dict[str, RoutedSymbol] = dict(SYMBOLS)
    desk = Router(RuleBook(1, (DEFAULT,)), symbols)
    symbols.clear()
    assert desk.route(REQUEST) == IN
