"""The broker's lists, from the TOML files beside this module, as domain values."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from actors.domain.calendar import SATURDAY, day_of, weekday
from actors.domain.commands import (
    Command,
    DefineGroup,
    DefineHolidays,
    DefineInstrument,
    DefineRules,
    Deposit,
    OpenAccount,
    SetApprovalLimits,
)
from actors.domain.group import Group, Markup
from actors.domain.instrument import Instrument
from actors.domain.money import parse_e8, parse_minor
from actors.domain.prices.lp_registry import Lp
from actors.domain.prices.pricing import Pricing
from actors.domain.routing.rulebook import Book, Rule
from actors.domain.state import State
from config.holidays import calendars

_FOLDER = Path(__file__).parent


def instruments() -> dict[str, Instrument]:
    return {symbol: _instrument(symbol, terms) for symbol, terms in _read("instruments.toml").items()}


def pricings() -> dict[str, Pricing]:
    """Of the symbols that have terms of their own; spread_min and skew are decimal text, as all prices."""
    return {
        symbol: _pricing(terms["pricing"]) for symbol, terms in _read("instruments.toml").items() if "pricing" in terms
    }


def lps() -> dict[str, Lp]:
    """Of the first start."""
    return {name: msgspec.convert({"name": name, **entry}, Lp) for name, entry in _read("lps.toml").items()}


def definitions(state: State) -> list[Command]:
    """What configuration wants to be so, but for what staff have changed: that stays as they made it."""
    by_staff = state.versions.by_staff
    wanted = [
        *(it for it in instrument_definitions() if f"instrument {it.instrument.symbol}" not in by_staff),
        *(it for it in group_definitions() if f"group {it.group.name}" not in by_staff),
        *(it for it in holiday_definitions() if f"holidays {it.currency}" not in by_staff),
        approval_definition(),
        *account_definitions(),
    ]
    return wanted if state.books.rules.version else [*wanted, *rule_definitions()]


def approval_definition() -> Command:
    """How much one person may move alone."""
    limits = _read("approval.toml")["limits"]
    return SetApprovalLimits({currency: parse_minor(amount, currency) for currency, amount in limits.items()})


def instrument_definitions() -> list[DefineInstrument]:
    return [DefineInstrument(instrument) for instrument in instruments().values()]


def group_definitions() -> list[DefineGroup]:
    return [DefineGroup(_group(name, terms)) for name, terms in _read("groups.toml").items()]


def holiday_definitions() -> list[DefineHolidays]:
    """The days on which nothing is settled, by currency."""
    return [
        DefineHolidays(currency, tuple(day for day in sorted(map(_day, calendar)) if weekday(day) < SATURDAY))
        for currency, calendar in calendars().items()
    ]


def _day(one: date) -> int:
    return day_of(one.year, one.month, one.day)


def account_definitions() -> list[Command]:
    """Opens the accounts and pays in their first deposit; the key makes it happen once, however often it is told."""
    commands: list[Command] = []
    for number, entry in _read("accounts.toml").items():
        amount_minor = parse_minor(entry["deposit"], entry["currency"])
        commands.append(OpenAccount(int(number), entry["currency"]))
        commands.append(Deposit(int(number), amount_minor, f"opening-{number}", "config"))
    return commands


def rule_definitions() -> list[Command]:
    """The dealing rules of a new broker, numbered in their order."""
    entry = _read("dealing.toml")
    rules = tuple(_rule(number, terms) for number, terms in enumerate(entry["rules"], 1))
    return [DefineRules(rules, tuple(entry["venues"]))]


def _rule(number: int, terms: dict[str, Any]) -> Rule:
    return Rule(
        rule_id=number,
        name=terms["name"],
        book=Book(terms["book"]),
        venues=tuple(terms.get("venues", ())),
        accounts=tuple(terms.get("accounts", ())),
        groups=tuple(terms.get("groups", ())),
        symbols=tuple(terms.get("symbols", ())),
        quantity_min_e8=parse_e8(terms.get("quantity_min", "0")),
        quantity_max_e8=parse_e8(terms.get("quantity_max", "0")),
    )


def _group(name: str, terms: dict[str, Any]) -> Group:
    """Raises TypeError where a term has another name."""
    if terms.keys() - {"markup", "markups"}:
        raise TypeError(f"group {name}: there are markup and markups only")
    markups = {symbol: _markup(prices) for symbol, prices in terms.get("markups", {}).items()}
    return Group(name, _markup(terms.get("markup", {})), markups)


def _markup(prices: dict[str, str]) -> Markup:
    """Raises TypeError for a price of another name, NotExact for one that is none."""
    return Markup(**{f"{name}_e8": parse_e8(price) for name, price in prices.items()})


def _instrument(symbol: str, terms: dict[str, Any]) -> Instrument:
    return Instrument(
        symbol,
        terms["base"],
        terms["quote"],
        terms["description"],
        terms["price_digits"],
        parse_e8(terms["quantity_min"]),
        parse_e8(terms["quantity_max"]),
        parse_e8(terms["quantity_step"]),
        parse_e8(terms["margin_rate"]),
        parse_e8(terms["price_min"]),
        parse_e8(terms["price_max"]),
    )


def _pricing(terms: dict[str, Any]) -> Pricing:
    prices = {f"{name}_e8": parse_e8(terms[name]) for name in ("spread_min", "skew") if name in terms}
    others = {name: value for name, value in terms.items() if f"{name}_e8" not in prices}
    return msgspec.convert(others | prices, Pricing)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / name).read_text(encoding="utf-8"))
