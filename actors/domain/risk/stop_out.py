"""Margin level, margin call, stop-out and negative-balance protection, as decisions on integers.

The rule of the stop-out: while equity is below the stop-out level of the maintenance margin, the position with the
largest loss (of two alike the older one) is closed whole, and the account is looked at again; this ends when the level
is back or nothing is left that can be closed. MetaTrader's server closes in this order; ESMA's margin close-out rule
(decision (EU) 2018/796, article 1) asks for one or more closings once equity is less than half of the initial margin.
"""

from collections.abc import Iterable
from enum import Enum

import msgspec

from actors.domain.money import CEILING, FLOOR, SCALE, mul_div
from actors.domain.refusal import Code, Refused


class MarginStatus(Enum):
    NORMAL = "normal"
    MARGIN_CALL = "margin_call"
    STOP_OUT = "stop_out"


NORMAL = MarginStatus.NORMAL
MARGIN_CALL = MarginStatus.MARGIN_CALL
STOP_OUT = MarginStatus.STOP_OUT


class MarginLevels(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A group's levels, as shares of the maintenance margin: 50 % is 50_000_000."""

    call_e8: int
    stop_out_e8: int
    negative_balance_protection: bool


class Bounds(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The equities of one status: from `floor_minor` on and below `ceiling_minor`; None is no bound."""

    floor_minor: int | None
    ceiling_minor: int | None


def check_levels(levels: MarginLevels) -> None:
    """Raises Refused BAD_INSTRUMENT where a margin call would come after the stop-out."""
    if not 0 <= levels.stop_out_e8 <= levels.call_e8 <= 100 * SCALE:
        raise Refused(Code.BAD_INSTRUMENT, "the margin call comes at or before the stop-out", "margin")


def level_e4(equity_minor: int, maintenance_minor: int) -> int | None:
    """Margin level: equity over maintenance margin in hundredths of a percent, rounded down; None without a margin."""
    return mul_div(equity_minor, 10**4, maintenance_minor, FLOOR) if maintenance_minor else None


def status(equity_minor: int, maintenance_minor: int, levels: MarginLevels) -> MarginStatus:
    """Of an account that has open positions.

    Below a level, not at it (ESMA: less than half). Where nothing is required, as in a full hedge that is margined
    net, equity below zero is a stop-out.
    """
    scaled = equity_minor * SCALE
    if scaled < maintenance_minor * levels.stop_out_e8:
        return STOP_OUT
    return MARGIN_CALL if scaled < maintenance_minor * levels.call_e8 else NORMAL


def bounds(now: MarginStatus, maintenance_minor: int, levels: MarginLevels) -> Bounds:
    """Between which equities the status stays what it is."""
    if now is NORMAL:
        return Bounds(mul_div(maintenance_minor, levels.call_e8, SCALE, CEILING), None)
    stop_out_minor = mul_div(maintenance_minor, levels.stop_out_e8, SCALE, CEILING)
    if now is STOP_OUT:
        return Bounds(None, stop_out_minor)
    return Bounds(stop_out_minor, mul_div(maintenance_minor, levels.call_e8, SCALE, CEILING))


def stop_out_order(profits: Iterable[tuple[int, int]]) -> list[int]:
    """Of (position id, open profit in minor units), the ids in the order in which a stop-out closes them.

    The largest loss comes first, the smallest gain after all losses: those free margin too. Give it the positions
    that can be dealt now, close one after the other, and stop as soon as `status` is not STOP_OUT.
    """
    return [position_id for _, position_id in sorted((profit, position_id) for position_id, profit in profits)]


def forgiven_minor(balance_minor: int, levels: MarginLevels) -> int:
    """What the broker gives an account with nothing open, so that its client owes nothing.

    ESMA's negative balance protection: liability ends with the funds in the account (decision (EU) 2018/796).
    """
    return -balance_minor if balance_minor < 0 and levels.negative_balance_protection else 0
