"""What positions are worth and what they tie up, exactly: products of integers, one division, one named rounding.

An amount in an instrument's quote currency is kept as `_e16`: price_e8 times quantity_e8, so units times 10^16.
"""

from collections.abc import Mapping

from actors.domain.instrument import Instrument
from actors.domain.money import CEILING, FLOOR, HALF_EVEN, SCALE, Rounding, div, minor_digits, mul_div
from actors.domain.order import BUY, Conversion, Position, Side
from actors.domain.quote import Tick
from actors.domain.refusal import Code, Refused

SAME_CURRENCY = Conversion("", 0, SCALE, SCALE)

Crosses = Mapping[tuple[str, str], tuple[str, bool]]
"""From (currency sold, currency got) to the symbol that changes them, and whether its base is what one gets."""


def conversion(crosses: Crosses, ticks: Mapping[str, Tick], sold: str, got: str, *, gain: bool) -> Conversion:
    """How an amount in `sold` becomes one in `got`, at the price that the client would deal the cross at.

    A gain is sold into the account's currency, a loss is bought with it: each on the side of the spread that is worse
    for the client (OANDA v20, HomeConversionFactors: gainQuoteHome and lossQuoteHome). Raises Refused NO_CONVERSION.
    """
    if sold == got:
        return SAME_CURRENCY
    symbol, inverse = crosses.get((sold, got), ("", False))
    tick = ticks.get(symbol)
    if tick is None:
        raise Refused(Code.NO_CONVERSION, f"there is no price to convert {sold} to {got} with")
    if inverse:
        return Conversion(symbol, tick.seq, SCALE, tick.ask_e8 if gain else tick.bid_e8)
    return Conversion(symbol, tick.seq, tick.bid_e8 if gain else tick.ask_e8, SCALE)


def to_minor(amount_e16: int, by: Conversion, currency: str, rounding: Rounding) -> int:
    """An amount in the quote currency to minor units of the account's `currency`, rounded once."""
    numerator = amount_e16 * by.multiplier_e8 * 10 ** minor_digits(currency)
    return div(numerator, 10**16 * by.divisor_e8, rounding)


def profit_e16(position: Position, close_price_e8: int) -> int:
    """Profit in the quote currency of a position that is closed at a price."""
    amount_e16 = close_price_e8 * position.quantity_e8 - position.cost_e16
    return amount_e16 if position.side is BUY else -amount_e16


def part_profit_e16(position: Position, quantity_e8: int, close_price_e8: int) -> int:
    """The same of a quantity of it; what parts cost is rounded down, and the last gets the rest."""
    cost_e16 = position.cost_e16
    if quantity_e8 != position.quantity_e8:
        rest_e16 = mul_div(position.open_rest_e16, quantity_e8, position.quantity_e8, FLOOR)
        cost_e16 = position.open_price_e8 * quantity_e8 + rest_e16
    amount_e16 = close_price_e8 * quantity_e8 - cost_e16
    return amount_e16 if position.side is BUY else -amount_e16


def left_minor(position: Position, left_e8: int) -> int:
    """What the margin of a position is when so much of it is left: its share, rounded up."""
    return mul_div(position.margin_minor, left_e8, position.quantity_e8, CEILING)


def closing_price_e8(side: Side, tick: Tick) -> int:
    """A long position closes at the bid, a short one at the ask."""
    return tick.bid_e8 if side is BUY else tick.ask_e8


def opening_price_e8(side: Side, tick: Tick) -> int:
    return tick.ask_e8 if side is BUY else tick.bid_e8


def required_minor(instrument: Instrument, quantity_e8: int, price_e8: int, by: Conversion, currency: str) -> int:
    """Initial margin: notional times the margin rate, rounded up."""
    numerator = quantity_e8 * price_e8 * instrument.margin_rate_e8 * by.multiplier_e8 * 10 ** minor_digits(currency)
    return div(numerator, 10**16 * SCALE * by.divisor_e8, CEILING)


def profit_minor(
    position: Position, instrument: Instrument, crosses: Crosses, ticks: Mapping[str, Tick], currency: str
) -> int:
    """Open profit of one position at the ticks given, to the nearest minor unit."""
    price_e8 = closing_price_e8(position.side, ticks[position.symbol])
    amount_e16 = profit_e16(position, price_e8)
    by = conversion(crosses, ticks, instrument.quote, currency, gain=amount_e16 > 0)
    return to_minor(amount_e16, by, currency, HALF_EVEN)


class Exposure:
    """The positions of one account in one symbol, summed: enough for their open profit in one step, exactly."""

    __slots__ = ("_profit_e16", "_valued_at", "long_cost_e16", "long_e8", "short_e8", "short_proceeds_e16")

    def __init__(self) -> None:
        self._valued_at: Tick | None = None
        self._profit_e16 = 0
        self.long_e8 = 0
        self.long_cost_e16 = 0
        self.short_e8 = 0
        self.short_proceeds_e16 = 0

    def change(self, side: Side, quantity_e8: int, cost_e16: int) -> None:
        """Adds a quantity and what it cost; negative ones take it out again."""
        self._valued_at = None
        if side is BUY:
            self.long_e8 += quantity_e8
            self.long_cost_e16 += cost_e16
        else:
            self.short_e8 += quantity_e8
            self.short_proceeds_e16 += cost_e16

    @property
    def is_flat(self) -> bool:
        return not (self.long_e8 or self.short_e8)

    def profit_e16(self, tick: Tick) -> int:
        """In the quote currency: longs valued at the bid, shorts at the ask. Known until tick or positions change."""
        if tick is not self._valued_at:
            longs_e16 = self.long_e8 * tick.bid_e8 - self.long_cost_e16
            self._profit_e16 = longs_e16 + self.short_proceeds_e16 - self.short_e8 * tick.ask_e8
            self._valued_at = tick
        return self._profit_e16


def open_profit_minor(
    exposures: Mapping[str, Exposure],
    instruments: Mapping[str, Instrument],
    crosses: Crosses,
    ticks: Mapping[str, Tick],
    currency: str,
    adding: tuple[Instrument, int] | None = None,
) -> int:
    """Open profit of an account: summed exactly per quote currency, then converted and rounded once (half to even).

    `adding`: what it would be with so much more profit (in the quote currency, e16) in an instrument.
    """
    amounts_e16: dict[str, int] = {}
    if adding is not None:
        amounts_e16[adding[0].quote] = adding[1]
    for symbol, exposure in exposures.items():
        quote = instruments[symbol].quote
        amounts_e16[quote] = amounts_e16.get(quote, 0) + exposure.profit_e16(ticks[symbol])
    total = 0
    for quote, amount_e16 in amounts_e16.items():
        by = conversion(crosses, ticks, quote, currency, gain=amount_e16 > 0)
        total += to_minor(amount_e16, by, currency, HALF_EVEN)
    return total


def crosses_of(instruments: Mapping[str, Instrument]) -> dict[tuple[str, str], tuple[str, bool]]:
    """The symbols that change one currency into another directly."""
    table: dict[tuple[str, str], tuple[str, bool]] = {}
    for instrument in instruments.values():
        table.setdefault((instrument.base, instrument.quote), (instrument.symbol, False))
        table.setdefault((instrument.quote, instrument.base), (instrument.symbol, True))
    return table
