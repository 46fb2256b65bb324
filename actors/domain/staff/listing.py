"""Which instruments there are: added, changed and retired. None is ever forgotten, for history names it."""

from actors.domain.checks import check_conversions, is_name
from actors.domain.commands import DefineInstrument
from actors.domain.events.event import Event
from actors.domain.events.terms import InstrumentDefined
from actors.domain.instrument import Instrument
from actors.domain.money import LIMIT_E8
from actors.domain.refusal import Code, Refused
from actors.domain.risk.margin import crosses_of
from actors.domain.state import State

SYMBOL_LIMIT_CHARACTERS = 32
DESCRIPTION_LIMIT_CHARACTERS = 200
INSTRUMENTS_LIMIT = 1_000
"""Retired ones included."""
NOTIONAL_LIMIT_E16 = 10**13 * 10**16
"""Largest order at the highest price of an instrument: keeps every amount within 64 bits."""


def define_instrument(state: State, command: DefineInstrument, now_ns: int) -> list[Event]:
    it = command.instrument
    sound = (
        0 < it.quantity_min_e8 <= it.quantity_max_e8 < LIMIT_E8
        and 0 < it.price_min_e8 < it.price_max_e8 < LIMIT_E8
        and it.quantity_max_e8 * it.price_max_e8 <= NOTIONAL_LIMIT_E16
        and it.quantity_step_e8 > 0
        and 0 <= it.price_digits <= 8
        and it.margin_rate_e8 > 0
        and it.base != it.quote
        and is_name(it.symbol, SYMBOL_LIMIT_CHARACTERS)
        and len(it.description) <= DESCRIPTION_LIMIT_CHARACTERS
    )
    if it.symbol not in state.instruments and len(state.instruments) >= INSTRUMENTS_LIMIT:
        raise Refused(Code.TOO_MANY_INSTRUMENTS, f"there are {INSTRUMENTS_LIMIT} instruments already", "instrument")
    if not sound:
        raise Refused(Code.BAD_INSTRUMENT, f"the terms of {it.symbol!r} contradict each other", "instrument")
    known = state.instruments.get(it.symbol)
    if known is not None and (known.base, known.quote) != (it.base, it.quote):
        raise Refused(Code.BAD_INSTRUMENT, f"{it.symbol} is {known.base} in {known.quote} for good", "instrument")
    if not it.is_listed and known is not None:
        _check_unused(state, known)
    for group in state.groups.values():
        group.margin_terms(it)
    return [] if known == it else [InstrumentDefined(it)]


def _check_unused(state: State, instrument: Instrument) -> None:
    """Raises Refused where something is open or waits in it, or is worth something by its price alone."""
    symbol = instrument.symbol
    left = crosses_of({name: it for name, it in state.instruments.items() if name != symbol})
    for account in state.accounts.values():
        if symbol in account.exposures or any(order.symbol == symbol for order in account.orders.values()):
            raise _in_use(symbol, f"account {account.account_id} has positions or orders in it")
        try:
            check_conversions(state, account, account.group, left)
        except Refused as refusal:
            raise _in_use(symbol, f"positions of account {account.account_id} are converted by it") from refusal
    if any(sent.child.symbol == symbol for sent in state.books.open.values()):
        raise _in_use(symbol, "an order in it is at a venue")
    if symbol in state.books.hedges:
        raise _in_use(symbol, "it is hedged: remove its hedge first")
    desk = state.books.desks.get(symbol)
    if desk is not None and (desk.coverage_e8 or any(desk.at_venues_e8.values())):
        raise _in_use(symbol, "the broker holds some of it at a venue")


def _in_use(symbol: str, why: str) -> Refused:
    return Refused(Code.INSTRUMENT_IN_USE, f"{symbol} cannot be retired: {why}", "state")
