"""The simulated OANDA's minutes: those that its play has shown, and before and between them a made-up past.

The past is pure and open to random access: the price at a minute is the starting price with waves of seeded noise,
each a quarter as long as the one before and less high. Weekends have no minutes, but for coins.
"""

from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import NamedTuple

from actors.domain.calendar import ALWAYS, FOREX, is_open
from actors.domain.money import SCALE, NotExact
from gateway.venues.amount import amount_e8
from tools.venues import model

MINUTE_NS = 60_000_000_000
MINUTES_LIMIT = 10_000
"""Of one instrument, of those that were shown: a week."""
_WAVES = tuple((2**exponent, 12 * exponent) for exponent in range(2, 14, 2))
"""Length in minutes, and height in tenths of the pair's spread."""


class Minute(NamedTuple):
    """Open, high, low and close on each side, in 10^-8; `volume` is the number of prices."""

    start_ns: int
    bid: tuple[int, int, int, int]
    ask: tuple[int, int, int, int]
    volume: int


class Shown:
    """The minutes that a play has shown, the last MINUTES_LIMIT of each instrument."""

    def __init__(self) -> None:
        self._minutes: dict[str, deque[Minute]] = {}

    def show(self, symbol: str, bid: str, ask: str, now_ns: int) -> None:
        """A tick; one without two sides makes no candle."""
        try:
            bid_e8, ask_e8 = amount_e8(bid), amount_e8(ask)
        except NotExact:
            return
        if min(bid_e8, ask_e8) <= 0:
            return
        minutes = self._minutes.setdefault(symbol, deque(maxlen=MINUTES_LIMIT))
        tick = Minute(now_ns - now_ns % MINUTE_NS, (bid_e8,) * 4, (ask_e8,) * 4, 1)
        if minutes and minutes[-1].start_ns == tick.start_ns:
            minutes[-1] = joined(minutes[-1], tick)
        else:
            minutes.append(tick)

    def within(self, symbol: str, start_ns: int, end_ns: int) -> dict[int, Minute]:
        """By start."""
        minutes = self._minutes.get(symbol, ())
        return {minute.start_ns: minute for minute in minutes if start_ns <= minute.start_ns < end_ns}


def joined(earlier: Minute, later: Minute) -> Minute:
    """One candle of two that follow each other."""
    return Minute(
        earlier.start_ns,
        _joined(earlier.bid, later.bid),
        _joined(earlier.ask, later.ask),
        earlier.volume + later.volume,
    )


def _joined(earlier: tuple[int, int, int, int], later: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return earlier[0], max(earlier[1], later[1]), min(earlier[2], later[2]), later[3]


def is_traded(symbol: str, minute_ns: int) -> bool:
    return is_open(ALWAYS if model.PAIRS[symbol].shape is model.COIN else FOREX, minute_ns)


def minutes(shown: Shown, symbol: str, start_ns: int, end_ns: int, now_ns: int, seed: int) -> Iterator[Minute]:
    """From `start_ns` up to but without `end_ns`, in order; of the running minute only what was shown."""
    played = shown.within(symbol, start_ns, end_ns)
    start_ns -= start_ns % MINUTE_NS
    for minute_ns in range(start_ns, min(end_ns, now_ns), MINUTE_NS):
        if minute_ns in played:
            yield played[minute_ns]
        elif minute_ns + MINUTE_NS <= now_ns and is_traded(symbol, minute_ns):
            yield _made_up(symbol, minute_ns, seed)


def _made_up(symbol: str, minute_ns: int, seed: int) -> Minute:
    pair = model.PAIRS[symbol]
    number = minute_ns // MINUTE_NS
    point_e8 = SCALE // 10**pair.digits
    opened, closed = _level(symbol, number, seed), _level(symbol, number + 1, seed)
    chance = Random(f"{seed}:{symbol}:{number}")
    high = max(opened, closed) + chance.randint(0, pair.spread)
    low = min(opened, closed) - chance.randint(0, pair.spread)
    bid = (opened * point_e8, high * point_e8, low * point_e8, closed * point_e8)
    ask = tuple(price + pair.spread * point_e8 for price in bid)
    return Minute(minute_ns, bid, (ask[0], ask[1], ask[2], ask[3]), chance.randint(20, 200))


def _level(symbol: str, minute: int, seed: int) -> int:
    """The bid in points, when a minute begins."""
    pair = model.PAIRS[symbol]
    tenths = 0
    for length, height in _WAVES:
        knot, into = divmod(minute, length)
        before, after = (_knot(seed, symbol, length, knot + step) for step in (0, 1))
        tenths += height * (before * (length - into) + after * into) // (1000 * length)
    return pair.start + pair.spread * tenths // 10


@lru_cache(maxsize=65_536)
def _knot(seed: int, symbol: str, length: int, knot: int) -> int:
    """From -1000 to 1000."""
    return Random(f"{seed}:{symbol}:{length}:{knot}").randint(-1000, 1000)
