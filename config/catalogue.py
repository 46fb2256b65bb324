"""The broker's lists, from the TOML files beside this module, as domain values."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from actors.domain.calendar import day_of
from actors.domain.commands import Command, DefineHolidays, DefineInstrument, Deposit, OpenAccount
from actors.domain.instrument import Instrument
from actors.domain.money import parse_e8, parse_minor

_FOLDER = Path(__file__).parent


class Lp(msgspec.Struct, frozen=True):
    """One LP: its name in ticks and counters, our symbol for each of its instruments, and its patience."""

    name: str
    symbols: dict[str, str]
    """From the LP's spelling to ours."""
    silence_timeout_ms: int
    """A connection on which nothing comes (no quote, no heartbeat, no pong) for so long is taken for dead."""


def instruments() -> dict[str, Instrument]:
    return {symbol: _instrument(symbol, terms) for symbol, terms in _read("instruments.toml").items()}


def lps() -> dict[str, Lp]:
    return {
        name: Lp(name, {theirs: ours for ours, theirs in entry["symbols"].items()}, entry["silence_timeout_ms"])
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


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / name).read_text(encoding="utf-8"))
