from bisect import bisect_left, bisect_right
from itertools import islice, pairwise
from random import Random

import pytest

from tools.venues import model
from tools.venues.model import LEVELS, PAIRS, ModelTick, Pair, draw, second_opinion, symbol_ticks, ticks

REFRESHES = 20_000
TOLERANCE_SHARE = 0.05
EURUSD_SEED_1 = [
    ModelTick(offset_ns=0, symbol="EURUSD", bid=116_399, ask=116_403),
    ModelTick(offset_ns=349_400_000, symbol="EURUSD", bid=116_397, ask=116_401),
    ModelTick(offset_ns=440_600_000, symbol="EURUSD", bid=116_391, ask=116_395),
]


def has_quantiles(values: list[int], wanted: list[int], grain: int = 0) -> bool:
    """Whether the share of values up to each wanted one is its level, give or take 5 % of all, and `grain` in value."""
    ordered = sorted(values)
    return all(
        bisect_left(ordered, want - grain) - TOLERANCE_SHARE * len(values)
        <= level * len(values) / 1000
        <= bisect_right(ordered, want + grain) + TOLERANCE_SHARE * len(values)
        for level, want in zip(LEVELS, wanted, strict=True)
    )


def refreshes(symbol: str) -> list[list[ModelTick]]:
    """The first REFRESHES bursts of a symbol: ticks that come from one ask."""
    longest_gap_ns = PAIRS[symbol].shape.burst_gap_us * 1000
    bursts: list[list[ModelTick]] = []
    for tick in symbol_ticks(symbol, seed=7):
        if bursts and tick.offset_ns - bursts[-1][-1].offset_ns <= longest_gap_ns:
            bursts[-1].append(tick)
        elif len(bursts) == REFRESHES:
            return bursts
        else:
            bursts.append([tick])
    raise AssertionError("the model ended")


def test_the_same_seed_gives_the_same_ticks() -> None:
    first, again, other = (list(islice(ticks(PAIRS, seed), 3000)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_known_ticks_of_a_seed_stay_what_they_are() -> None:
    assert list(islice(symbol_ticks("EURUSD", 1), 3)) == EURUSD_SEED_1


def test_a_symbol_does_not_depend_on_its_company() -> None:
    alone = list(islice(ticks(["GBPUSD"], 1), 200))
    among = (tick for tick in ticks(PAIRS, 1) if tick.symbol == "GBPUSD")
    assert list(islice(among, 200)) == alone


def test_ticks_come_in_the_order_of_time_and_are_clean() -> None:
    made = list(islice(ticks(PAIRS, 3), 20_000))
    assert [tick.offset_ns for tick in made] == sorted(tick.offset_ns for tick in made)
    assert {tick.symbol for tick in made if tick.offset_ns == 0} == set(PAIRS)
    assert all(0 < tick.bid < tick.ask for tick in made)


@pytest.mark.parametrize("symbol", ["GBPUSD", "EURJPY", "EURUSD", "USDJPY", "BTCUSD"])
def test_spreads_moves_and_cadence_have_the_fitted_quantiles(symbol: str) -> None:
    pair: Pair = PAIRS[symbol]
    shape = pair.shape
    bursts = refreshes(symbol)
    last = [burst[-1] for burst in bursts]
    gaps_us = [(after[0].offset_ns - before[-1].offset_ns) // 1000 for before, after in pairwise(bursts)]
    assert has_quantiles(gaps_us, [gap + shape.burst_gap_us for gap in shape.gap_us])
    spreads = [tick.ask - tick.bid for tick in last]
    assert has_quantiles(spreads, [(pair.spread * want + 500) // 1000 for want in shape.spread_permille])
    moved = [
        abs(after.ask + after.bid - before.ask - before.bid)
        for before, after in pairwise(last)
        if shape.still_permille == 0 or (after.bid, after.ask) != (before.bid, before.ask)
    ]
    assert has_quantiles(moved, [pair.spread * want // 500 for want in shape.move_permille], grain=1)
    still = sum(before[2:] == after[2:] for before, after in pairwise(last))
    if shape.still_permille:
        assert abs(1000 * still // len(last) - shape.still_permille) < 20


def test_a_refresh_of_the_lp_is_a_burst_of_bids_that_come_up_to_one_ask() -> None:
    for burst in refreshes("EURJPY")[:500]:
        assert len(burst) in (4, 5)
        assert len({tick.offset_ns for tick in burst}) == len({tick.ask for tick in burst}) == 1
        assert [tick.bid for tick in burst] == sorted({tick.bid for tick in burst})


@pytest.mark.parametrize(("away_permille", "up_percent"), [(0, 50), (20, 25), (-20, 75), (-500, 90), (500, 10)])
def test_the_further_from_its_start_the_more_the_market_is_pulled_back(away_permille: int, up_percent: int) -> None:
    pair, chance = PAIRS["BTCUSD"], Random(1)
    moves = [model._move(pair.start * (1000 + away_permille), pair, chance) for _ in range(5000)]
    assert abs(100 * sum(move > 0 for move in moves) // len(moves) - up_percent) <= 3


def test_a_second_opinion_is_near_the_first_and_never_crossed() -> None:
    first = list(islice(ticks(PAIRS, 1), 5000))
    second = list(second_opinion(first, 1))
    assert second == list(second_opinion(first, 1))
    assert second != first
    for one, two in zip(first, second, strict=True):
        reach = max(1, PAIRS[one.symbol].spread // 6)
        assert (one.offset_ns, one.symbol) == (two.offset_ns, two.symbol)
        assert abs(one.bid - two.bid) <= reach
        assert two.bid < two.ask <= max(one.ask + reach, two.bid + 1)


def test_draw_keeps_to_the_table() -> None:
    table = (5, 5, 10, 20, 30, 40, 50, 60, 100)
    drawn = [draw(table, Random(seed)) for seed in range(20_000)]
    assert (min(drawn), max(drawn)) == (5, 100)
    assert has_quantiles(drawn, list(table))


def test_every_table_has_all_levels_in_order() -> None:
    shapes = (model.LP, model.HISTDATA, model.TRUEFX, model.COIN)
    tables = [table for shape in shapes for table in (shape.gap_us, shape.spread_permille, shape.move_permille)]
    for table in [*tables, model.SIZE_PERMILLE]:
        assert len(table) == len(LEVELS)
        assert list(table) == sorted(table)
    assert all(max(shape.burst_rows) <= len(shape.ladder_permille) for shape in shapes)
