"""How much an account may do, and how much a group of accounts may hold together."""

import msgspec

from actors.domain.money import LIMIT_E8, SCALE
from actors.domain.refusal import Code, Refused

CURRENCY_LIMIT_CHARACTERS = 10
AMOUNT_LIMIT_MINOR = 10**17


class ExposureLimit(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The highest net exposure: longs less shorts of each symbol, whatever the sign, at the price of the moment.

    In minor units of `currency`; an amount of 0 limits nothing. An account with a currency here and amounts of 0 is
    free of its group's limit; without a currency it has none of its own.
    """

    currency: str = ""
    symbol_minor: int = 0
    """In each symbol."""
    total_minor: int = 0
    """Of all symbols, summed without their signs."""


NO_LIMIT = ExposureLimit()


class Limits(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How much an account may do; 0: no limit but the engine's own."""

    waiting_orders: int = 500
    positions: int = 2_000
    """A report of so many fits a frame of the bus, and their snapshot what /ws holds back."""
    orders_per_second: int = 0
    order_lots_e8: int = 0
    """The largest order that may open something, in lots of its instrument."""
    exposure: ExposureLimit = NO_LIMIT
    """Of the account alone."""


AS_THE_GROUP = Limits(waiting_orders=0, positions=0)
"""An account without limits of its own."""


def in_force(group: Limits, own: Limits) -> Limits:
    """What holds for an account: each limit that it has of its own, be it tighter or wider; else its group's."""
    return Limits(
        own.waiting_orders or group.waiting_orders,
        own.positions or group.positions,
        own.orders_per_second or group.orders_per_second,
        own.order_lots_e8 or group.order_lots_e8,
        own.exposure if own.exposure.currency else group.exposure,
    )


def check_sound(limits: Limits) -> None:
    """Raises Refused BAD_TERMS where limits could never be meant."""
    counts = (limits.waiting_orders, limits.positions, limits.orders_per_second)
    if any(not 0 <= count < SCALE for count in counts) or not 0 <= limits.order_lots_e8 < LIMIT_E8:
        raise Refused(Code.BAD_TERMS, "a limit is not negative, and within all bounds", "limits")
    check_exposure_limit(limits.exposure)


def check_exposure_limit(limit: ExposureLimit) -> None:
    """As `check_sound`, of an exposure limit alone."""
    amounts = (limit.symbol_minor, limit.total_minor)
    if any(not 0 <= amount <= AMOUNT_LIMIT_MINOR for amount in amounts):
        raise Refused(Code.BAD_TERMS, "an exposure limit is not negative, and within all bounds", "exposure")
    if any(amounts) and not limit.currency:
        raise Refused(Code.BAD_TERMS, "an exposure limit has a currency", "exposure")
    code = limit.currency
    if code and not (code.isascii() and code.isalpha() and code.isupper() and len(code) <= CURRENCY_LIMIT_CHARACTERS):
        raise Refused(Code.BAD_TERMS, f"{code[:10]!r} is not a currency code", "exposure")
