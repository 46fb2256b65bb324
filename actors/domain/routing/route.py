"""Where an order goes: the first rule that it meets decides."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from actors.domain.money import FLOOR, SCALE, format_e8, mul_div
from actors.domain.order import BUY, Side
from actors.domain.routing.rulebook import WEEK_MINUTES, Book, RoutedSymbol, Rule, RuleBook, is_catch_all, spans

PLANS_LIMIT = 100_000
"""Pairs of group and symbol whose rules are kept picked out; at the limit all are dropped, and picked anew."""

_MINUTE_NS = 60 * 1_000_000_000
_EPOCH_MINUTE = 3 * 24 * 60
"""1970-01-01 00:00 UTC was a Thursday."""
_B_BOOK = Book.B_BOOK
_A_BOOK = Book.A_BOOK
_NO_LIMIT = 1 << 128


class RouteRequest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What rules look at in an order. `price_e8` is the price that it would be dealt at now, for its notional."""

    account_id: int
    group: str
    client_class: str
    symbol: str
    side: Side
    quantity_e8: int
    price_e8: int
    time_ns: int


class Routing(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The rule that decided, and how much each book takes; the two sum to the order's quantity."""

    rule_id: int
    b_book_e8: int
    a_book_e8: int
    venues: tuple[str, ...]
    """Where the A-book part is tried, in this order."""


class Considered(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a rule said of an order. The first that matched decides."""

    rule: Rule
    matched: bool
    why_not: str
    """The conditions that the order does not meet; empty where it matched."""


class NoDefault(ValueError):
    """The last rule has conditions, so some order would have no route."""


_Names = dict[str, None] | None
_Choice = tuple[Rule, bool, dict[int, None] | None, _Names, int, int, int, int, tuple[tuple[int, int], ...]]
"""What is left to ask of a rule once group, symbol and side are known: the rule, whether there is anything to ask,
accounts, client classes, least and most quantity, least and most notional (e16), and minutes of the week."""
_Plan = tuple[int, tuple[_Choice, ...]]
"""The quantity step of the symbol, and the rules that an order may still meet."""


def minute_of_week(time_ns: int) -> int:
    """Minutes since Monday 00:00 UTC.

    2026-01-19 was a Monday. Its 14:09:23 UTC is 1768831763 s, 29480529 whole minutes after 1970-01-01 00:00;
    29480529 + 4320 = 29484849 = 2925 x 10080 + 849, and 849 = 14 x 60 + 9.
    """
    return (time_ns // _MINUTE_NS + _EPOCH_MINUTE) % WEEK_MINUTES


def split(quantity_e8: int, share_e8: int, step_e8: int) -> tuple[int, int]:
    """(B-book, A-book): the A-book's share rounded down to whole steps (FLOOR), the B-book takes the rest.

    So a venue is never sent a quantity that it does not deal in, nor more than its share, and what is too small to
    split stays with the broker. 30 % of 0.07 BTC in steps of 0.01: 0.07 x 0.3 = 0.021, two whole steps are 0.02 to
    the A-book, and 0.07 - 0.02 = 0.05 to the B-book. 30 % of 0.03: 0.009 is no whole step, the B-book takes 0.03.
    """
    a_book_e8 = mul_div(quantity_e8, share_e8, SCALE * step_e8, FLOOR) * step_e8
    return quantity_e8 - a_book_e8, a_book_e8


class Router:
    """A rule book made ready for the hot path.

    Built for the instruments of the moment: build it anew when one is defined or the rules change. It keeps nothing
    but picked-out rules, so a new one routes the same.
    """

    def __init__(self, book: RuleBook, symbols: Mapping[str, RoutedSymbol]) -> None:
        if not book.rules or not is_catch_all(book.rules[-1]):
            raise NoDefault("the last rule must take every order")
        self.book = book
        self._symbols = dict(symbols)
        self._buys: dict[tuple[str, str], _Plan] = {}
        self._sells: dict[tuple[str, str], _Plan] = {}

    def route(self, request: RouteRequest) -> Routing:
        """Raises KeyError for a symbol that it was not built for."""
        plans = self._buys if request.side is BUY else self._sells
        plan = plans.get((request.group, request.symbol))
        if plan is None:
            plan = self._pick_out(plans, request)
        step_e8, choices = plan
        quantity_e8 = request.quantity_e8
        for rule, is_conditional, accounts, classes, least, most, notional_least, notional_most, minutes in choices:
            if is_conditional:
                if not least <= quantity_e8 <= most:
                    continue
                if accounts is not None and request.account_id not in accounts:
                    continue
                if classes is not None and request.client_class not in classes:
                    continue
                if notional_most and not notional_least <= quantity_e8 * request.price_e8 <= notional_most:
                    continue
                if minutes and not _is_within(minute_of_week(request.time_ns), minutes):
                    continue
            book = rule.book
            if book is _B_BOOK:
                return Routing(rule.rule_id, quantity_e8, 0, ())
            if book is _A_BOOK:
                return Routing(rule.rule_id, 0, quantity_e8, rule.venues)
            b_book_e8, a_book_e8 = split(quantity_e8, rule.share_e8, step_e8)
            return Routing(rule.rule_id, b_book_e8, a_book_e8, rule.venues if a_book_e8 else ())
        raise NoDefault(f"no rule takes {request}")

    def preview(self, request: RouteRequest) -> list[Considered]:
        """What each rule says of an order, one by one, for a dry run. The first that matched is what `route` takes."""
        symbol = self._symbols[request.symbol]
        considered = []
        for rule in self.book.rules:
            unmet = "; ".join(_unmet(rule, request, symbol))
            considered.append(Considered(rule, not unmet, unmet))
        return considered

    def _pick_out(self, plans: dict[tuple[str, str], _Plan], request: RouteRequest) -> _Plan:
        symbol = self._symbols[request.symbol]
        choices = []
        for rule in self.book.rules:
            if any(_unmet_standing(rule, request, symbol)):
                continue
            choices.append(_choice(rule))
            if not choices[-1][1]:
                break
        if len(plans) >= PLANS_LIMIT:
            plans.clear()
        plan = plans[request.group, request.symbol] = (symbol.quantity_step_e8, tuple(choices))
        return plan


def _choice(rule: Rule) -> _Choice:
    is_conditional = bool(
        rule.accounts
        or rule.client_classes
        or rule.quantity_min_e8
        or rule.quantity_max_e8
        or rule.notional_currency
        or rule.windows
    )
    return (
        rule,
        is_conditional,
        dict.fromkeys(rule.accounts) if rule.accounts else None,
        dict.fromkeys(rule.client_classes) if rule.client_classes else None,
        rule.quantity_min_e8,
        rule.quantity_max_e8 or _NO_LIMIT,
        rule.notional_min_e8 * SCALE,
        (rule.notional_max_e8 * SCALE or _NO_LIMIT) if rule.notional_currency else 0,
        spans(rule.windows),
    )


def _is_within(minute: int, minutes: tuple[tuple[int, int], ...]) -> bool:
    for start, end in minutes:  # noqa: SIM110 (a generator costs several times as much)
        if start <= minute < end:
            return True
    return False


def _unmet_standing(rule: Rule, request: RouteRequest, symbol: RoutedSymbol) -> Iterator[str]:
    """The conditions on group, symbol and side that an order does not meet."""
    if rule.groups and request.group not in rule.groups:
        yield f"group {request.group} is not one of {_few(rule.groups)}"
    if rule.symbols and symbol.symbol not in rule.symbols:
        yield f"symbol {symbol.symbol} is not one of {_few(rule.symbols)}"
    if rule.symbol_classes and symbol.symbol_class not in rule.symbol_classes:
        yield f"symbol class {symbol.symbol_class} is not one of {_few(rule.symbol_classes)}"
    if rule.currencies and symbol.base not in rule.currencies and symbol.quote not in rule.currencies:
        yield f"neither {symbol.base} nor {symbol.quote} is one of {_few(rule.currencies)}"
    if rule.notional_currency and symbol.quote != rule.notional_currency:
        yield f"notional is in {symbol.quote}, not in {rule.notional_currency}"
    if rule.side is not None and request.side is not rule.side:
        yield f"side is {request.side.value}, not {rule.side.value}"


def _unmet(rule: Rule, request: RouteRequest, symbol: RoutedSymbol) -> Iterator[str]:
    yield from _unmet_standing(rule, request, symbol)
    if rule.accounts and request.account_id not in rule.accounts:
        yield f"account {request.account_id} is not one of {_few(rule.accounts)}"
    if rule.client_classes and request.client_class not in rule.client_classes:
        yield f"client class {request.client_class} is not one of {_few(rule.client_classes)}"
    quantity_e8 = request.quantity_e8
    if quantity_e8 < rule.quantity_min_e8:
        yield f"quantity {format_e8(quantity_e8)} < {format_e8(rule.quantity_min_e8)}"
    if rule.quantity_max_e8 and quantity_e8 > rule.quantity_max_e8:
        yield f"quantity {format_e8(quantity_e8)} > {format_e8(rule.quantity_max_e8)}"
    if rule.notional_currency and symbol.quote == rule.notional_currency:
        notional_e16 = quantity_e8 * request.price_e8
        shown = f"notional {format_e8(notional_e16 // SCALE)} {symbol.quote}"
        if notional_e16 < rule.notional_min_e8 * SCALE:
            yield f"{shown} < {format_e8(rule.notional_min_e8)}"
        if rule.notional_max_e8 and notional_e16 > rule.notional_max_e8 * SCALE:
            yield f"{shown} > {format_e8(rule.notional_max_e8)}"
    if rule.windows and not _is_within(minute_of_week(request.time_ns), spans(rule.windows)):
        yield f"minute {minute_of_week(request.time_ns)} of the week is in none of its windows"


def _few(names: Iterable[object]) -> str:
    shown = [str(name) for name in names]
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")
