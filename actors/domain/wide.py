"""Sums of price times quantity (e16) can need more than 64 bits: how they travel in frames of MessagePack and rows.

In memory a sum is one Python integer. On the wire it is two: `value = high * 10^18 + low`, with 0 <= low < 10^18.
One fill is below 10^18 x 10^18 (money.LIMIT_E8), and so are the fills of one order, whose quantities sum to less than
10^18: their parts fit. A running total fits up to 9.2 x 10^20 units of currency; beyond it `part` raises.
"""

PART = 10**18


def part(value: int) -> tuple[int, int]:
    """(high, low) of a sum; raises OverflowError where high does not fit 64 bits. -1 is (-1, 10^18 - 1)."""
    high, low = divmod(value, PART)
    if not -(2**63) <= high < 2**63:
        raise OverflowError(f"a sum of {value} is out of all bounds")
    return high, low


def join(high: int, low: int) -> int:
    return high * PART + low
