"""How far prices may go before an account's margin status can change, so that a tick costs what it triggers.

Each account with positions gets a band of prices for each symbol that its equity hangs on: those that it is exposed
in and the crosses that its profits are converted with. While bid and ask of all of them stay inside, its equity stays
within the bounds of its status (stop_out.Bounds). band_index.py tells which bands a tick has left.

How wide. Profit is linear in the prices; a direct cross multiplies it, an inverse one divides it; a gain is never
converted at a higher rate than a loss. Let D = sum over quote currencies of (notional x w of its symbols + |profit| x w
of the cross) x the rate for losses, w being a weight. If every price moves by its w x t against the account
and no w x t is above tau < 1, equity falls by at most t x D / (1 - tau). So of a slack s, t = s / D x (1 - s / D x w)
spends no more than s. The weights are the instruments' margin rates, the broker's own word on how far each can move:
slack goes to symbols in proportion to the margin that they tie up.

Towards the floor half of the slack is spent so, and the other half is the reserve that fills are taken from.
"""

from collections.abc import Mapping

import msgspec

from actors.domain.instrument import Instrument
from actors.domain.money import SCALE, minor_units
from actors.domain.quote import Tick
from actors.domain.refusal import Code, Refused
from actors.domain.risk.exposure import Exposure
from actors.domain.risk.margin import Crosses
from actors.domain.risk.stop_out import Bounds

NO_BOUND = -1
_UNIT = 10**18
"""Scale of t."""
_MOVE_UNIT: int = _UNIT * SCALE
"""Scale of a move: t x a weight."""


class Band(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Prices of one symbol; a bound that does not matter is NO_BOUND.

    Bid and ask have bounds of their own, so that an account at its limit can still be told from one beyond it, and a
    side of the market that can only help costs nothing.
    """

    symbol: str
    bid_low_e8: int
    bid_high_e8: int
    ask_low_e8: int
    ask_high_e8: int


class Laid(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """All bands of one account."""

    bands: tuple[Band, ...]
    reserve_minor: int
    """How far equity is above its floor with all prices at their worst; below 0, nothing may be taken from it."""


def bands_of(
    exposures: Mapping[str, Exposure],
    equity_minor: int,
    within: Bounds,
    instruments: Mapping[str, Instrument],
    crosses: Crosses,
    ticks: Mapping[str, Tick],
    currency: str,
) -> Laid:
    """Bands of an account whose equity at `ticks` (balance and margin.open_profit_minor) lies `within` the bounds.

    They hold while positions, balance and requirement stay as they are (or Bands.absorbs says so), and instruments and
    the table of crosses too. Raises Refused NO_CONVERSION where a cross has no price yet.
    """
    most_e8 = 1
    profits: dict[str, int] = {currency: 0}
    moves: dict[str, int] = {currency: 0}
    for symbol, exposure in exposures.items():
        instrument, tick = instruments[symbol], ticks[symbol]
        quote, weight_e8 = instrument.quote, instrument.margin_rate_e8
        if weight_e8 > most_e8:
            most_e8 = weight_e8
        moved_e24 = (exposure.long_e8 * tick.bid_e8 + exposure.short_e8 * tick.ask_e8) * weight_e8
        if quote in profits:
            profits[quote] += exposure.profit_e16(tick)
            moves[quote] += moved_e24
        else:
            profits[quote], moves[quote] = exposure.profit_e16(tick), moved_e24
    cost_e8, most_e8, converting = _cost(profits, moves, most_e8, instruments, crosses, ticks, currency)
    # Each currency is rounded by at most half a minor unit, then and now; equity at the ceiling is outside.
    down = up = reserve_minor = NO_BOUND
    if within.floor_minor is not None:
        slack_minor = equity_minor - within.floor_minor - len(profits)
        if within.ceiling_minor is None:
            reserve_minor = slack_minor // 2
            slack_minor -= reserve_minor
        down = _reach(slack_minor, cost_e8, most_e8)
    if within.ceiling_minor is not None:
        up = _reach(within.ceiling_minor - 1 - equity_minor - len(profits), cost_e8, most_e8)
    return Laid(_laid(exposures, converting, instruments, ticks, down, up), reserve_minor)


def _cost(
    profits: Mapping[str, int],
    moves: Mapping[str, int],
    most_e8: int,
    instruments: Mapping[str, Instrument],
    crosses: Crosses,
    ticks: Mapping[str, Tick],
    currency: str,
) -> tuple[int, int, list[str]]:
    """D in minor units times 10^8, rounded up; the largest weight; the crosses that are needed."""
    minor = minor_units(currency)
    cost_e8 = 0
    converting: list[str] = []
    for quote, profit_e16 in profits.items():
        moving_e24, multiplier_e8, divisor_e8 = moves[quote], SCALE, SCALE
        if quote != currency:
            symbol, inverse = crosses.get((quote, currency), ("", False))
            cross = ticks.get(symbol)
            if cross is None:
                raise Refused(Code.NO_CONVERSION, f"there is no price to convert {quote} to {currency} with")
            converting.append(symbol)
            weight_e8 = instruments[symbol].margin_rate_e8
            if weight_e8 > most_e8:
                most_e8 = weight_e8
            moving_e24 += abs(profit_e16) * weight_e8
            if inverse:
                divisor_e8 = cross.bid_e8
            else:
                multiplier_e8 = cross.ask_e8
        cost_e8 -= -moving_e24 * minor * multiplier_e8 // (10**16 * divisor_e8)
    return cost_e8, most_e8, converting


def _reach(slack_minor: int, cost_e8: int, most_e8: int) -> int:
    """t on the scale 10^-18: how far all may move, each by t x its weight, before `slack_minor` can be gone.

    `cost_e8` is D; tau is kept at 1/2 or less, which lets no price go further than by a quarter.
    """
    if slack_minor <= 0 or not cost_e8:
        return 0
    first: int = min(slack_minor * SCALE * _UNIT // cost_e8, _MOVE_UNIT // (2 * most_e8))
    return first * (_MOVE_UNIT - first * most_e8) // _MOVE_UNIT


def _laid(
    exposures: Mapping[str, Exposure],
    converting: list[str],
    instruments: Mapping[str, Instrument],
    ticks: Mapping[str, Tick],
    down: int,
    up: int,
) -> tuple[Band, ...]:
    """Longs are worth the bid and shorts cost the ask; a cross matters on both sides. Rounded towards the price."""
    laid: list[Band] = []
    for symbol, exposure in exposures.items():
        is_cross = symbol in converting
        long, short = is_cross or exposure.long_e8 > 0, is_cross or exposure.short_e8 > 0
        laid.append(_band(ticks[symbol], long, short, instruments[symbol].margin_rate_e8, down, up))
    for symbol in converting:
        if symbol not in exposures:
            laid.append(_band(ticks[symbol], True, True, instruments[symbol].margin_rate_e8, down, up))
    return tuple(laid)


def _band(tick: Tick, on_bid: bool, on_ask: bool, weight_e8: int, down: int, up: int) -> Band:
    bid_e8, ask_e8 = tick.bid_e8, tick.ask_e8
    bid_low_e8 = bid_high_e8 = ask_low_e8 = ask_high_e8 = NO_BOUND
    if down >= 0:
        fall = down * weight_e8
        if on_bid:
            bid_low_e8 = bid_e8 - bid_e8 * fall // _MOVE_UNIT
        if on_ask:
            ask_high_e8 = ask_e8 + ask_e8 * fall // _MOVE_UNIT
    if up >= 0:
        rise = up * weight_e8
        if on_bid:
            bid_high_e8 = bid_e8 + bid_e8 * rise // _MOVE_UNIT
        if on_ask:
            ask_low_e8 = ask_e8 - ask_e8 * rise // _MOVE_UNIT
    return Band(tick.symbol, bid_low_e8, bid_high_e8, ask_low_e8, ask_high_e8)
