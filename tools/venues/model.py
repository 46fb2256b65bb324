"""A market made up: ticks whose spreads, steps and cadence are those of real recordings. Pure and seeded.

How it was fitted. The recordings were 63,093 rows of 14 FX pairs from one LP (January 2026), 19,500 EURUSD rows
(HistData, New Year 2019 and 2020), 1,000 USDJPY rows (TrueFX, 2013) and 131 Binance bookTicker frames of six coins
(2021, 2023). Rows with a zero side were left out. Rows at most 2 ms apart were taken as one refresh of the book, its
quote being the row with the narrowest spread. For each class the quantiles at 0.1, 5, 10, 25, 50, 75, 90, 95 and 99 %
(LEVELS) were then read off for

- the time between refreshes, in microseconds;
- the spread, in thousandths of the pair's own median spread, which makes the 14 pairs one class: their medians run
  from 8 (GBPUSD, USDCAD) to 25 points (EURJPY), the shape is the same;
- the absolute move of the mid price between refreshes, in the same unit.

The rest are single numbers. The LP sends a refresh as a burst of 4 or 5 rows of one microsecond: the new ask with
bids that come up from 0.61, 0.44, 0.20 and 0.11 median spreads below the best; TrueFX has 1 to 4 rows, 1 ms apart;
HistData thins to one row each 50 ms or more. The spread's autocorrelation from one refresh to the next is 0.1 (LP),
0.96 (HistData) and 0.84 (TrueFX): a spread is kept with that chance and drawn anew otherwise. In 63 % of Binance's
frames only sizes change. Successive moves are taken as independent: the recorded moves, were they so, would spread over
60 s 0.6 to 1.5 times as far as they did (median 1.0 over the LP's pairs); HistData's, which partly bounce back, 1.2 and
1.8 times, TrueFX's 1.2 times.

What is not from a recording: the starting prices (rough), the median spreads of NZDUSD (as its neighbours') and of
BTCUSD and ETHUSD (about 0.02 %, the recorded coins are small ones), and a weak pull back to the starting price, so that
a market which runs for weeks stays near it. The model sends no dirt.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

LEVELS = (1, 50, 100, 250, 500, 750, 900, 950, 990)
"""The levels of every quantile table, in thousandths."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the pairs of one class have in common; quantiles at LEVELS."""

    gap_us: tuple[int, ...]
    spread_permille: tuple[int, ...]
    move_permille: tuple[int, ...]
    keep_spread_permille: int
    still_permille: int = 0
    """How often a refresh changes no price."""
    burst_rows: tuple[int, ...] = (1,)
    """Rows of a refresh, each entry as likely as another."""
    burst_gap_us: int = 0
    ladder_permille: tuple[int, ...] = (0,)
    """How far below the best bid the rows before the last one are, nearest first."""


LP = Shape(
    gap_us=(2_100, 77_802, 97_422, 157_576, 422_204, 1_203_623, 2_816_669, 4_235_039, 7_884_530),
    spread_permille=(500, 750, 867, 920, 1000, 1111, 1200, 1250, 1625),
    move_permille=(0, 0, 0, 0, 40, 75, 136, 190, 375),
    keep_spread_permille=100,
    burst_rows=(4, 5),
    ladder_permille=(0, 111, 200, 444, 611),
)
HISTDATA = Shape(
    gap_us=(50_000, 52_000, 101_000, 102_000, 224_000, 1_269_000, 4_269_000, 7_586_000, 18_916_000),
    spread_permille=(200, 400, 600, 800, 1000, 1333, 3667, 5667, 12_667),
    move_permille=(0, 0, 0, 100, 167, 200, 333, 500, 1500),
    keep_spread_permille=960,
)
TRUEFX = Shape(
    gap_us=(3_000, 6_000, 10_000, 47_000, 308_000, 3_007_000, 9_182_000, 14_852_000, 27_435_000),
    spread_permille=(100, 368, 474, 684, 1000, 1421, 1842, 2421, 3526),
    move_permille=(0, 0, 26, 26, 79, 158, 237, 289, 500),
    keep_spread_permille=840,
    burst_rows=(1, 1, 1, 1, 1, 1, 1, 2, 2, 3),
    burst_gap_us=1_000,
    ladder_permille=(0, 158, 211),
)
COIN = Shape(
    gap_us=(13, 1_198, 3_127, 14_965, 110_719, 1_035_505, 2_922_801, 4_439_806, 10_395_844),
    spread_permille=(600, 600, 800, 800, 1000, 1200, 1200, 1400, 1400),
    move_permille=(67, 67, 100, 100, 100, 200, 200, 200, 267),
    keep_spread_permille=0,
    still_permille=630,
)
SIZE_PERMILLE = (22, 75, 79, 327, 1000, 1801, 2763, 3760, 5061)
"""Quantiles of the sizes in the Binance frames, in thousandths of each coin's median."""


@dataclass(frozen=True, slots=True)
class Pair:
    """`start` and `spread` (the median at a refresh) are in points, the last of `digits` places after the point."""

    shape: Shape
    digits: int
    start: int
    spread: int


PAIRS = {
    "EURUSD": Pair(HISTDATA, 5, 116_400, 4),
    "GBPUSD": Pair(LP, 5, 134_200, 8),
    "USDJPY": Pair(TRUEFX, 3, 158_000, 19),
    "USDCHF": Pair(LP, 5, 79_700, 9),
    "AUDUSD": Pair(LP, 5, 67_000, 11),
    "USDCAD": Pair(LP, 5, 138_800, 8),
    "NZDUSD": Pair(LP, 5, 57_800, 11),
    "EURGBP": Pair(LP, 5, 86_700, 11),
    "EURJPY": Pair(LP, 3, 183_700, 25),
    "EURCHF": Pair(LP, 5, 92_700, 16),
    "AUDCAD": Pair(LP, 5, 93_000, 15),
    "AUDCHF": Pair(LP, 5, 53_400, 20),
    "AUDJPY": Pair(LP, 3, 105_900, 19),
    "AUDNZD": Pair(LP, 5, 115_900, 21),
    "CADCHF": Pair(LP, 5, 57_400, 18),
    "EURCAD": Pair(LP, 5, 161_500, 15),
    "GBPCHF": Pair(LP, 5, 106_900, 21),
    "BTCUSD": Pair(COIN, 2, 9_500_000, 2000),
    "ETHUSD": Pair(COIN, 2, 330_000, 70),
}
PULL_BAND_PERMILLE = 20
"""At this distance from the starting price a move goes back three times in four."""


class ModelTick(NamedTuple):
    """Time since the market began, and prices in points."""

    offset_ns: int
    symbol: str
    bid: int
    ask: int


def draw(quantiles: tuple[int, ...], chance: Random) -> int:
    """A number with these quantiles at LEVELS, straight lines between them, cut at the first and the last."""
    level = chance.randrange(1000)
    if level <= LEVELS[0]:
        return quantiles[0]
    for i in range(1, len(LEVELS)):
        if level <= LEVELS[i]:
            low, high = quantiles[i - 1], quantiles[i]
            return low + (high - low) * (level - LEVELS[i - 1]) // (LEVELS[i] - LEVELS[i - 1])
    return quantiles[-1]


def ticks(symbols: Iterable[str], seed: int) -> Iterator[ModelTick]:
    """The endless ticks of these symbols in the order of time: the same for the same seed, on every machine.

    A symbol's own ticks depend on nothing but the seed and the symbol.
    """
    return heapq.merge(*(symbol_ticks(symbol, seed) for symbol in sorted(symbols)), key=lambda tick: tick.offset_ns)


def symbol_ticks(symbol: str, seed: int) -> Iterator[ModelTick]:
    pair = PAIRS[symbol]
    shape = pair.shape
    chance = Random(f"{seed}:{symbol}")
    unit = 1000
    mid_e3 = pair.start * unit
    spread = pair.spread
    offset_us = 0
    while True:
        if offset_us == 0 or chance.randrange(1000) >= shape.still_permille:
            mid_e3 += _move(mid_e3, pair, chance)
            if chance.randrange(1000) >= shape.keep_spread_permille:
                spread = max(1, (pair.spread * draw(shape.spread_permille, chance) + 500) // 1000)
        ask = (2 * mid_e3 + spread * unit + unit) // (2 * unit)
        rows = chance.choice(shape.burst_rows)
        for row in reversed(range(rows)):
            depth = (pair.spread * shape.ladder_permille[row] + 500) // 1000
            yield ModelTick(offset_us * 1000, symbol, ask - spread - depth, ask)
            offset_us += shape.burst_gap_us
        offset_us += draw(shape.gap_us, chance)


def _move(mid_e3: int, pair: Pair, chance: Random) -> int:
    """The next move, in thousandths of a point."""
    away_permille = (mid_e3 - pair.start * 1000) // pair.start
    pull = max(-400, min(400, away_permille * 250 // PULL_BAND_PERMILLE))
    size = pair.spread * draw(pair.shape.move_permille, chance)
    return size if chance.randrange(1000) >= 500 + pull else -size


def second_opinion(market: Iterable[ModelTick], seed: int) -> Iterator[ModelTick]:
    """The same market as another LP quotes it: each side up to a sixth of the median spread off, never crossed."""
    chance = Random(f"{seed}:second opinion")
    for tick in market:
        reach = max(1, PAIRS[tick.symbol].spread // 6)
        bid = tick.bid + chance.randint(-reach, reach)
        ask = max(tick.ask + chance.randint(-reach, reach), bid + 1)
        yield tick._replace(bid=bid, ask=ask)
