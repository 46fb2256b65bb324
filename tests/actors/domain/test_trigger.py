"""What a tick reaches. Trailing stops are compared with a list that is searched from end to end."""

from collections.abc import Callable
from random import Random

import pytest

from actors.domain.money import parse_e8 as e8
from actors.domain.trigger import SPARE, Followed, Reached, Trail, Triggers, Waiting
from tests.examples import tick

STOP, TRAIL, PROFIT, ORDER = Waiting.STOP_LOSS, Waiting.TRAILING_STOP, Waiting.TAKE_PROFIT, Waiting.ORDER


def waiting(item_id: int, what: Waiting = ORDER, account_id: int = 1, mark: int = 0) -> Reached:
    return Reached(what, item_id, account_id, mark)


@pytest.mark.parametrize(
    ("watch", "not_yet", "at", "beyond"),
    [
        (Triggers.when_bid_falls, ("1.09001", "1.09003"), ("1.09000", "1.09002"), ("1.05000", "1.05002")),
        (Triggers.when_bid_rises, ("1.08999", "1.09001"), ("1.09000", "1.09002"), ("1.15000", "1.15002")),
        (Triggers.when_ask_falls, ("1.08999", "1.09001"), ("1.08998", "1.09000"), ("1.05000", "1.05002")),
        (Triggers.when_ask_rises, ("1.08997", "1.08999"), ("1.08998", "1.09000"), ("1.15000", "1.15002")),
    ],
)
def test_a_price_is_reached_on_its_side_of_the_spread(
    watch: Callable[[Triggers, int, Reached], None],
    not_yet: tuple[str, str],
    at: tuple[str, str],
    beyond: tuple[str, str],
) -> None:
    """At it or beyond it, once."""
    for prices in (at, beyond):
        triggers = Triggers()
        watch(triggers, e8("1.09"), waiting(1))
        assert triggers.reached(tick("EURUSD", *not_yet)) == []
        assert triggers.reached(tick("EURUSD", *prices)) == [waiting(1)]
        assert triggers.reached(tick("EURUSD", *prices)) == []


def test_one_tick_reaches_many_in_order_of_dealing_and_leaves_the_rest() -> None:
    """Stop losses first, then trailing stops, take profits and orders; of each kind the oldest first."""
    triggers = Triggers()
    triggers.when_ask_falls(e8("1.20"), waiting(1))
    triggers.when_bid_falls(e8("1.10"), waiting(9))
    triggers.when_ask_falls(e8("1.092"), waiting(4, PROFIT, 2))
    triggers.below_bid.add(e8("1.10"), e8("0.01"), waiting(7, TRAIL))
    triggers.when_bid_falls(e8("1.10"), waiting(3, STOP))
    triggers.when_bid_falls(e8("1.08"), waiting(2, STOP))
    triggers.when_bid_falls(e8("1.09"), waiting(1, STOP))
    assert triggers.reached(tick("EURUSD", "1.09000", "1.09100")) == [
        waiting(1, STOP),
        waiting(3, STOP),
        waiting(7, TRAIL),
        waiting(4, PROFIT, 2),
        waiting(1),
        waiting(9),
    ]
    assert triggers.reached(tick("EURUSD", "1.08000", "1.08100")) == [waiting(2, STOP)]


def test_a_trailing_stop_of_a_long_follows_the_bid_up_and_is_reached_when_it_falls() -> None:
    """From 1.10 up to 1.12 at 0.01: reached at a bid of 1.11, not at 1.11001."""
    triggers = Triggers()
    triggers.below_bid.add(e8("1.10"), e8("0.01"), waiting(1, TRAIL))
    for bid in ("1.0901", "1.12", "1.115", "1.11001"):
        assert triggers.reached(tick("EURUSD", bid, "1.2")) == []
    assert triggers.reached(tick("EURUSD", "1.11", "1.2")) == [waiting(1, TRAIL)]
    assert triggers.reached(tick("EURUSD", "1.0", "1.2")) == []


def test_a_trailing_stop_of_a_short_follows_the_ask_down_and_is_reached_when_it_rises() -> None:
    triggers = Triggers()
    triggers.above_ask.add(-e8("1.10"), e8("0.01"), waiting(1, TRAIL))
    for ask in ("1.1099", "1.08", "1.085", "1.08999"):
        assert triggers.reached(tick("EURUSD", "1.0", ask)) == []
    assert triggers.reached(tick("EURUSD", "1.0", "1.09")) == [waiting(1, TRAIL)]


@pytest.mark.parametrize(
    ("prices", "reached"),
    [((94,), []), ((93,), [2]), ((90,), [1, 2]), ((102, 93), [2]), ((102, 92), [1, 2]), ((104, 94), [1, 2])],
)
def test_a_stop_may_begin_above_what_the_others_have_been_told_of(prices: tuple[int, ...], reached: list[int]) -> None:
    """The first from 100, the second from 103, both at a distance of 10."""
    trail = Trail()
    trail.add(100, 10, waiting(1))
    trail.add(103, 10, waiting(2))
    found: list[Reached] = []
    for price_e8 in prices:
        trail.follow(price_e8, found)
    assert sorted(found) == [waiting(number) for number in reached]


def test_what_was_given_up_is_cleared_away() -> None:
    trail = Trail()
    for number in range(100):
        trail.add(100 - number // 10, 5 + number % 7, waiting(number))
    trail.keep(lambda one: one.item_id % 4 == 0)
    assert len(trail) == len(trail.followed()) == 25
    found: list[Reached] = []
    trail.follow(0, found)
    assert sorted(found) == [waiting(number) for number in range(0, 100, 4)]
    assert (len(trail), trail.followed()) == (0, [])


def test_what_was_taken_out_is_counted_until_it_is_cleared_away() -> None:
    """Taken out and put back with the same peak, a stop has two entries, and is reached once."""
    trail = Trail()
    trail.add(100, 5, waiting(1))
    trail.restore([one] if (one := trail.take_out(5, waiting(1))) else [])
    assert (len(trail), trail.followed()) == (2, [one])
    found: list[Reached] = []
    trail.follow(95, found)
    assert (found, len(trail), trail.followed()) == ([waiting(1)], 0, [])


def test_a_market_that_only_rises_leaves_nothing_behind() -> None:
    trail = Trail()
    trail.add(0, 10, waiting(1))
    for price_e8 in range(1, 1_000):
        trail.follow(price_e8, [])
    assert len(trail._nearest) <= SPARE + 2
    found: list[Reached] = []
    trail.follow(989, found)
    assert found == [waiting(1)]


class Slow:
    """A trail as a list."""

    def __init__(self) -> None:
        self.stops: list[Followed] = []

    def add(self, price_e8: int, distance_e8: int, waiting: Reached) -> None:
        self.stops.append(Followed(distance_e8, price_e8, waiting))

    def follow(self, price_e8: int) -> list[Reached]:
        moved = [stop._replace(peak_e8=max(stop.peak_e8, price_e8)) for stop in self.stops]
        self.stops = [stop for stop in moved if price_e8 > stop.peak_e8 - stop.distance_e8]
        return sorted(stop.waiting for stop in moved if price_e8 <= stop.peak_e8 - stop.distance_e8)


@pytest.mark.parametrize("seed", range(40))
def test_a_trail_does_what_a_search_of_all_stops_would(seed: int) -> None:
    """Over a random walk with stops added on the way, taken out and put back, and now and then put to rest."""
    chance = Random(seed)
    trail, slow = Trail(), Slow()
    price_e8 = 10_000
    for number in range(1_500):
        price_e8 += chance.choice([-1, 1]) * chance.choice([0, 1, 2, 3, chance.randint(0, 60)])
        found: list[Reached] = []
        trail.follow(price_e8, found)
        assert sorted(found) == slow.follow(price_e8)
        for part in range(chance.choice([0, 0, 1, 3])):
            stop = chance.randint(1, 80), waiting(number, TRAIL, account_id=part)
            trail.add(price_e8, *stop)
            slow.add(price_e8, *stop)
        if slow.stops and chance.random() < 0.3:
            one = slow.stops.pop(chance.randrange(len(slow.stops)))
            assert trail.take_out(one.distance_e8, one.waiting) == one
            assert trail.take_out(one.distance_e8, one.waiting) is None
            if chance.random() < 0.7:
                moved_e8 = chance.choice([0, 0, chance.randint(-40, 40)])
                trail.restore([one], moved_e8)
                slow.add(one.peak_e8 + moved_e8, one.distance_e8, one.waiting)
        if chance.random() < 0.02:
            kept, trail = trail.followed(), Trail()
            trail.restore(kept)
            assert trail.followed() == kept
    assert sorted(trail.followed()) == sorted(slow.stops)
    assert slow.stops
