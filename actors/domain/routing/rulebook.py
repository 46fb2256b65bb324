"""The dealing desk's rules: which orders the broker deals itself (B-book), and which it passes to a venue (A-book)."""

from collections.abc import Collection, Iterator, Mapping
from enum import Enum

import msgspec

from actors.domain.money import LIMIT_E8, SCALE
from actors.domain.order import Side

RULES_LIMIT = 256
NAMES_LIMIT = 1_000
"""Names in one condition of a rule (accounts, groups, symbols and the like)."""
VENUES_LIMIT = 16
RULE_NAME_LIMIT_CHARACTERS = 64
WEEK_MINUTES = 7 * 24 * 60


class Book(Enum):
    """Who takes the other side of the client's order."""

    B_BOOK = "b_book"
    A_BOOK = "a_book"
    SPLIT = "split"


class Window(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A part of the week in UTC, in minutes from Monday 00:00: from `start_minute` until before `end_minute`.

    Where the end lies before the start, it goes on over Sunday midnight: (8640, 60) is Sunday 00:00 to Monday 01:00.
    """

    start_minute: int
    end_minute: int


class Rule(msgspec.Struct, frozen=True, array_like=True, gc=False, kw_only=True):
    """An order that meets every condition goes where the rule says. An empty condition (or 0) is met by all."""

    rule_id: int
    name: str
    book: Book
    venues: tuple[str, ...] = ()
    """Where the A-book part is tried, in this order."""
    share_e8: int = 0
    """The A-book's share where the rule splits: 30 % is 30_000_000."""
    accounts: tuple[int, ...] = ()
    groups: tuple[str, ...] = ()
    client_classes: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    symbol_classes: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    """The symbol has one of these as its base or its quote currency."""
    side: Side | None = None
    quantity_min_e8: int = 0
    quantity_max_e8: int = 0
    """Still within the rule; 0 is no limit, here and in `notional_max_e8`."""
    notional_currency: str = ""
    """Notional is quantity times price in the symbol's quote currency, which must then be this one."""
    notional_min_e8: int = 0
    notional_max_e8: int = 0
    windows: tuple[Window, ...] = ()


class RuleBook(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The rules in the order in which they are tried, as events and snapshots carry them."""

    version: int
    rules: tuple[Rule, ...]


class RoutedSymbol(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What rules look at in a symbol."""

    symbol: str
    symbol_class: str
    base: str
    quote: str
    quantity_step_e8: int


def faults(rules: tuple[Rule, ...], symbols: Mapping[str, RoutedSymbol], venues: Collection[str]) -> list[str]:
    """What is wrong with a list of rules, a sentence each; none: it can be used.

    `symbols` and `venues` are those that exist: a name that does not is a slip, and would silently route elsewhere.
    """
    if not rules:
        return ["there are no rules, so no order would have a route"]
    if len(rules) > RULES_LIMIT:
        return [f"there are {len(rules)} rules, more than {RULES_LIMIT}"]
    found = [f"rule {label(rule)} {fault}" for rule in rules for fault in _faults(rule, symbols, venues)]
    by_id: dict[int, Rule] = {}
    for rule in rules:
        first = by_id.setdefault(rule.rule_id, rule)
        if first is not rule:
            found.append(f"rule {label(rule)} has the id of rule {label(first)}")
    if not is_catch_all(rules[-1]):
        found.append(
            f"the last rule, {label(rules[-1])}, has conditions: end with a rule that takes every order, the default"
        )
    if not found:
        found = [
            f"rule {label(later)} is never reached: rule {label(earlier)} before it takes all of its orders"
            for later, earlier in _covered(rules)
        ]
    return found


def label(rule: Rule) -> str:
    return f"{rule.rule_id} {rule.name[:RULE_NAME_LIMIT_CHARACTERS]!r}"


def is_catch_all(rule: Rule) -> bool:
    """The rule has no condition: it takes every order."""
    return not (
        rule.accounts
        or rule.groups
        or rule.client_classes
        or rule.symbols
        or rule.symbol_classes
        or rule.currencies
        or rule.side is not None
        or rule.quantity_min_e8
        or rule.quantity_max_e8
        or rule.notional_currency
        or rule.windows
    )


def spans(windows: tuple[Window, ...]) -> tuple[tuple[int, int], ...]:
    """The windows as [start, end) that do not go over the end of the week."""
    parts: list[tuple[int, int]] = []
    for window in windows:
        if window.start_minute < window.end_minute:
            parts.append((window.start_minute, window.end_minute))
        else:
            parts += (window.start_minute, WEEK_MINUTES), (0, window.end_minute)
    return tuple(parts)


def _faults(rule: Rule, symbols: Mapping[str, RoutedSymbol], venues: Collection[str]) -> Iterator[str]:
    if not 0 < rule.rule_id < 2**63:
        yield "needs an id that is a positive number of 64 bits"
    if not 0 < len(rule.name) <= RULE_NAME_LIMIT_CHARACTERS or not rule.name.isprintable():
        yield f"needs a name of 1 to {RULE_NAME_LIMIT_CHARACTERS} printable characters"
    if rule.book is Book.B_BOOK:
        if rule.venues:
            yield "names venues, but deals on the B-book"
    else:
        yield from _venue_faults(rule, venues)
    if rule.book is Book.SPLIT:
        if not 0 < rule.share_e8 < SCALE:
            yield "splits by a share that is not between 0 % and 100 %"
    elif rule.share_e8:
        yield "has a share, but does not split"
    yield from _range_faults("quantity", rule.quantity_min_e8, rule.quantity_max_e8)
    yield from _range_faults("notional", rule.notional_min_e8, rule.notional_max_e8)
    has_range = bool(rule.notional_min_e8 or rule.notional_max_e8)
    if has_range != bool(rule.notional_currency):
        yield "needs both a notional range and its currency, or neither"
    for window in rule.windows:
        start, end = window.start_minute, window.end_minute
        if not (0 <= start < WEEK_MINUTES and 0 <= end <= WEEK_MINUTES and start != end):
            yield f"has the window {start} to {end}: minutes are 0 to {WEEK_MINUTES}, and the two differ"
    yield from _name_faults(rule, symbols)


def _venue_faults(rule: Rule, venues: Collection[str]) -> Iterator[str]:
    if not rule.venues:
        yield "goes to the A-book, but names no venue"
    if len(rule.venues) > VENUES_LIMIT:
        yield f"names {len(rule.venues)} venues, more than {VENUES_LIMIT}"
        return
    for at, venue in enumerate(rule.venues):
        if venue not in venues:
            yield f"names the venue {venue[:40]!r}, which does not exist"
        if venue in rule.venues[:at]:
            yield f"names the venue {venue[:40]!r} twice"


def _range_faults(what: str, least_e8: int, most_e8: int) -> Iterator[str]:
    if not (0 <= least_e8 < LIMIT_E8 and 0 <= most_e8 < LIMIT_E8):
        yield f"has a {what} below zero or out of all bounds"
    elif most_e8 and most_e8 < least_e8:
        yield f"has a {what} range that ends before it begins"


def _name_faults(rule: Rule, symbols: Mapping[str, RoutedSymbol]) -> Iterator[str]:
    conditions: tuple[tuple[str, tuple[object, ...]], ...] = (
        ("accounts", rule.accounts),
        ("groups", rule.groups),
        ("client classes", rule.client_classes),
        ("symbols", rule.symbols),
        ("symbol classes", rule.symbol_classes),
        ("currencies", rule.currencies),
        ("windows", rule.windows),
    )
    for what, names in conditions:
        if len(names) > NAMES_LIMIT:
            yield f"names {len(names)} {what}, more than {NAMES_LIMIT}"
            return
    classes = {it.symbol_class: None for it in symbols.values()}
    quotes = {it.quote: None for it in symbols.values()}
    currencies = quotes | {it.base: None for it in symbols.values()}
    known: tuple[tuple[str, tuple[str, ...], Collection[str]], ...] = (
        ("symbol", rule.symbols, symbols),
        ("symbol class", rule.symbol_classes, classes),
        ("currency", rule.currencies, currencies),
        ("notional currency", (rule.notional_currency,) if rule.notional_currency else (), quotes),
    )
    for what, wanted, there in known:
        for name in wanted:
            if name not in there:
                yield f"names the {what} {name[:40]!r}, which no instrument has"


def _covered(rules: tuple[Rule, ...]) -> Iterator[tuple[Rule, Rule]]:
    """Rules that never get an order, and the first rule before each that takes all of them.

    Condition by condition: what only several earlier rules together take, or the instruments of the day, is not seen.
    """
    wide = [_Reach(rule) for rule in rules]
    for at, later in enumerate(wide):
        for earlier in wide[:at]:
            if earlier.covers(later):
                yield later.rule, earlier.rule
                break


class _Reach:
    """The orders that a rule takes, in a form that can be compared."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        names: tuple[tuple[object, ...], ...] = (
            rule.accounts,
            rule.groups,
            rule.client_classes,
            rule.symbols,
            rule.symbol_classes,
            rule.currencies,
            (rule.notional_currency,) if rule.notional_currency else (),
            (rule.side,) if rule.side is not None else (),
        )
        self._names = tuple(dict.fromkeys(condition) for condition in names)
        self._ranges = (
            (rule.quantity_min_e8, rule.quantity_max_e8 or LIMIT_E8),
            (rule.notional_min_e8, rule.notional_max_e8 or LIMIT_E8 * LIMIT_E8),
        )
        self._minutes = 0
        for start, end in spans(rule.windows) or ((0, WEEK_MINUTES),):
            self._minutes |= ((1 << (end - start)) - 1) << start

    def covers(self, other: "_Reach") -> bool:
        for mine, its in zip(self._names, other._names, strict=True):
            if mine and not (its and its.keys() <= mine.keys()):
                return False
        for (least, most), (its_least, its_most) in zip(self._ranges, other._ranges, strict=True):
            if its_least < least or its_most > most:
                return False
        return not other._minutes & ~self._minutes
