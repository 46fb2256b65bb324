"""What positions are worth and what they tie up, exactly: products of integers, one division, one named rounding.

An amount in an instrument's quote currency is kept as `_e16`: price_e8 times quantity_e8, so units times 10^16.
"""

from collections.abc import Mapping

from actors.domain.instrument import Instrument
from actors.domain.money import HALF_EVEN, SCALE, Rounding, div, minor_units
from actors.domain.order import BUY, Conversion, Position, Side
from actors.domain.quote import Tick
from actors.domain.refusal import Code, Refused
from actors.domain.risk.exposure import Exposure

SAME_CURRENCY = Conversion("", 0, SCALE, SCALE)

Crosses = Mapping[tuple[str, str], tuple[str, bool]]
"""From (currency sold, currency got) to the symbol that changes them, and whether its base is what one gets."""


Converted = dict[str, tuple[int, str, Tick | None, int]]
"""By quote currency: an amount, the cross and its tick that it was converted with, and what it came to."""


def conversion(crosses: Crosses, ticks: Mapping[str, Tick], sold: str, got: str, *, gain: bool) -> Conversion:
    """How an amount in `sold` becomes one in `got`, at the price that the client would deal the cross at.

    A gain is sold into the account's currency, a loss is bought with it: each on the side of the spread that is worse
    for the client (OANDA v20, HomeConversionFactors: gainQuoteHome and lossQuoteHome). Raises Refused NO_CONVERSION.
    """
    if sold == got:
        return SAME_CURRENCY
    symbol, inverse = crosses.get((sold, got), ("", False))
    tick = ticks.get(symbol)
    if not symbol:
        raise Refused(Code.NO_CONVERSION, f"no instrument converts {sold} to {got}")
    if tick is None:
        raise Refused(Code.NO_CONVERSION, f"there is no price to convert {sold} to {got} with")
    if inverse:
        return Conversion(symbol, tick.seq, SCALE, tick.ask_e8 if gain else tick.bid_e8)
    return Conversion(symbol, tick.seq, tick.bid_e8 if gain else tick.ask_e8, SCALE)


def to_minor(amount_e16: int, by: Conversion, currency: str, rounding: Rounding) -> int:
    """An amount in the quote currency to minor units of the account's `currency`, rounded once."""
    numerator = amount_e16 * by.multiplier_e8 * minor_units(currency)
    return div(numerator, 10**16 * by.divisor_e8, rounding)


def profit_e16(position: Position, close_price_e8: int) -> int:
    """Profit in the quote currency of a position that is closed at a price."""
    amount_e16 = close_price_e8 * position.quantity_e8 - position.cost_e16
    return amount_e16 if position.side is BUY else -amount_e16


def closing_price_e8(side: Side, tick: Tick) -> int:
    """A long position closes at the bid, a short one at the ask."""
    return tick.bid_e8 if side is BUY else tick.ask_e8


def opening_price_e8(side: Side, tick: Tick) -> int:
    return tick.ask_e8 if side is BUY else tick.bid_e8


def profit_minor(
    position: Position, instrument: Instrument, crosses: Crosses, ticks: Mapping[str, Tick], currency: str
) -> int:
    """Open profit of one position at the ticks given, to the nearest minor unit."""
    price_e8 = closing_price_e8(position.side, ticks[position.symbol])
    amount_e16 = profit_e16(position, price_e8)
    by = conversion(crosses, ticks, instrument.quote, currency, gain=amount_e16 > 0)
    return to_minor(amount_e16, by, currency, HALF_EVEN)


def open_profit_minor(
    exposures: Mapping[str, Exposure],
    crosses: Crosses,
    ticks: Mapping[str, Tick],
    currency: str,
    converted: Converted | None = None,
    instead: tuple[str, Exposure] | None = None,
) -> int:
    """Open profit of an account: summed exactly per quote currency, then converted and rounded once (half to even).

    `converted`: what was converted for this account before, kept up to date here. `instead`: what open profit would be
    with another exposure in a symbol.
    """
    if converted is None:
        converted = {}
    amounts_e16: dict[str, int] = {}
    if instead is not None:
        symbol, exposure = instead
        now = exposures.get(symbol)
        tick = ticks[symbol]
        amounts_e16[exposure.quote] = exposure.profit_e16(tick) - (now.profit_e16(tick) if now is not None else 0)
    for symbol, exposure in exposures.items():
        tick = ticks[symbol]
        # Asked for here and not by a call: this loop is most of what an order costs.
        profit_e16 = exposure.known_e16 if exposure.valued_at is tick else exposure.profit_e16(tick)
        quote = exposure.quote
        amounts_e16[quote] = amounts_e16.get(quote, 0) + profit_e16
    total = 0
    for quote, amount_e16 in amounts_e16.items():
        known = converted.get(quote)
        if known is None or known[0] != amount_e16 or ticks.get(known[1]) is not known[2]:
            by = conversion(crosses, ticks, quote, currency, gain=amount_e16 > 0)
            minor = to_minor(amount_e16, by, currency, HALF_EVEN)
            known = converted[quote] = (amount_e16, by.symbol, ticks.get(by.symbol), minor)
        total += known[3]
    return total


def crosses_of(instruments: Mapping[str, Instrument]) -> dict[tuple[str, str], tuple[str, bool]]:
    """The symbols that change one currency into another directly."""
    table: dict[tuple[str, str], tuple[str, bool]] = {}
    for instrument in instruments.values():
        if not instrument.is_listed:
            continue
        table.setdefault((instrument.base, instrument.quote), (instrument.symbol, False))
        table.setdefault((instrument.quote, instrument.base), (instrument.symbol, True))
    return table
