"""The broker's lists, from the TOML files beside this module, as domain values."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from actors.domain.calendar import day_of
from actors.domain.commands import Command, DefineHolidays, DefineInstrument, Deposit, OpenAccount
from actors.domain.instrument import Instrument
from actors.domain.money import parse_e8, parse_minor
from actors.domain.pricing import Pricing
from actors.domain.quote import QuoteLimits

_FOLDER = Path(__file__).parent


class Lp(msgspec.Struct, frozen=True):
    """One LP: its name in ticks and counters, our symbol for each of its instruments, and its patience."""

    name: str
    symbols: dict[str, str]
    """From the LP's spelling to ours."""
    silence_timeout_ms: int
    """A connection on which nothing comes (no quote, no heartbeat, no pong) for so long is taken for dead."""
    priority: int
    weight: int
    limits: QuoteLimits


def instruments() -> dict[str, Instrument]:
    return {symbol: _instrument(symbol, terms) for symbol, terms in _read("instruments.toml").items()}


def pricings() -> dict[str, Pricing]:
    """Of the symbols that have terms of their own; spread_min and skew are decimal text, as all prices."""
    return {
        symbol: _pricing(terms["pricing"]) for symbol, terms in _read("instruments.toml").items() if "pricing" in terms
    }


def lps() -> dict[str, Lp]:
    return {
        name: Lp(
            name,
            {theirs: ours for ours, theirs in entry["symbols"].items()},
            entry["silence_timeout_ms"],
            entry.get("priority", 100),
            entry.get("weight", 100),
            msgspec.convert(entry.get("limits", {}), QuoteLimits),
        )
        for name, entry in _read("lps.toml").items()
    }


def instrument_definitions() -> list[Command]:
    return [DefineInstrument(instrument) for instrument in instruments().values()]


def holiday_definitions() -> list[Command]:
    """The days on which nothing is settled, by currency."""
    return [
        DefineHolidays(currency, tuple(day_of(one.year, one.month, one.day) for one in days))
        for currency, days in _read("holidays.toml").items()
    ]


def account_definitions() -> list[Command]:
    """Opens the accounts and pays in their first deposit; the key makes it happen once, however often it is told."""
    commands: list[Command] = []
    for number, entry in _read("accounts.toml").items():
        amount_minor = parse_minor(entry["deposit"], entry["currency"])
        commands.append(OpenAccount(int(number), entry["currency"]))
        commands.append(Deposit(int(number), amount_minor, f"opening-{number}", "config"))
    return commands


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
