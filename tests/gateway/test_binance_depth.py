import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.venues.binance.depth import (
    LEVELS_LIMIT,
    SNAPSHOT_LEVELS,
    WAITING_UPDATES_LIMIT,
    BookBroken,
    DepthBook,
    DepthSnapshot,
    DepthUpdate,
)

E8 = 10**8
Levels = list[tuple[str, str]]


def update(first: int, last: int, bids: Levels | None = None, asks: Levels | None = None) -> DepthUpdate:
    return DepthUpdate(E=last, s="BTCUSDT", U=first, u=last, b=bids or [], a=asks or [])


def levels(best: int, step: int, count: int) -> Levels:
    return [(str(best + step * number), "1") for number in range(count)]


def book(bids: Levels | None = None, asks: Levels | None = None) -> DepthBook:
    """With update 10."""
    made = DepthBook()
    made.snapshot(DepthSnapshot(10, bids or [("99", "1")], asks or [("101", "1")]))
    return made


def prices(shown: DepthBook) -> tuple[list[int], list[int]]:
    bids, asks = shown.top()
    return [price // E8 for price, _ in bids], [price // E8 for price, _ in asks]


def test_updates_that_waited_are_applied_to_the_snapshot_and_older_ones_are_not() -> None:
    made = DepthBook()
    for waiting in (update(8, 9, [("90", "1")]), update(10, 12, [("98", "2")]), update(13, 13, [("97", "3")])):
        assert not made.update(waiting)
    assert made.snapshot(DepthSnapshot(10, [("99", "1")], [("101", "1")]))
    assert made.top() == (((99 * E8, E8), (98 * E8, 2 * E8), (97 * E8, 3 * E8)), ((101 * E8, E8),))
    assert (made.update_id, made.time_ns) == (13, 13_000_000)


def test_a_snapshot_older_than_what_waits_is_no_use() -> None:
    made = DepthBook()
    made.update(update(12, 13))
    assert not made.snapshot(DepthSnapshot(10, [], []))
    assert made.update_id is None
    assert made.snapshot(DepthSnapshot(11, [], []))


def test_a_size_of_0_removes_a_level_that_may_not_be_there() -> None:
    made = book()
    assert made.update(update(11, 11, [("99", "0"), ("55", "0"), ("98", "4")], [("102", "5")]))
    assert made.top() == (((98 * E8, 4 * E8),), ((101 * E8, E8), (102 * E8, 5 * E8)))


def test_an_update_that_is_not_new_changes_nothing() -> None:
    made = book()
    assert not made.update(update(9, 10, [("99", "0")]))
    assert prices(made) == ([99], [101])


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (update(12, 12), "depth_gap"),
        (update(11, 11, [("101", "1")]), "crossed_book"),
        (update(11, 11, [("102", "1")]), "crossed_book"),
        (update(11, 11, [("1e3", "1")]), "bad_price"),
        (update(11, 11, [("0", "1")]), "bad_price"),
        (update(11, 11, [], [("-1", "1")]), "bad_price"),
        (update(11, 11, [("98", "lots")]), "bad_price"),
    ],
)
def test_a_book_that_breaks_waits_for_a_snapshot(broken: DepthUpdate, reason: str) -> None:
    made = book()
    with pytest.raises(BookBroken) as caught:
        made.update(broken)
    assert (caught.value.reason, made.update_id) == (reason, None)
    assert made.snapshot(DepthSnapshot(20, [("99", "1")], [("101", "1")]))
    assert made.update(update(21, 21, [("98", "1")]))
    assert prices(made) == ([99, 98], [101])


def test_a_crossed_snapshot_is_none() -> None:
    with pytest.raises(BookBroken) as caught:
        book([("102", "1")], [("101", "1")])
    assert caught.value.reason == "crossed_book"


def test_levels_beyond_a_full_snapshot_are_not_taken_for_known() -> None:
    made = book(levels(10_000, -1, SNAPSHOT_LEVELS), levels(10_001, 1, 5))
    made.update(update(11, 11, [("9000", "1")]))
    gone = [(price, "0") for price, _ in levels(10_000, -1, SNAPSHOT_LEVELS - 20)]
    made.update(update(12, 12, gone))
    assert prices(made) == (list(range(9520, 9500, -1)), [10_001, 10_002, 10_003, 10_004, 10_005])
    with pytest.raises(BookBroken, match="fewer than 20 levels are left of the snapshot"):
        made.update(update(13, 13, [("9510", "0")]))


def test_a_book_does_not_grow_without_end() -> None:
    made = book([("1", "1")], [("1000000", "1")])
    for number in range(3 * LEVELS_LIMIT):
        made.update(update(11 + number, 11 + number, [(str(2 + number), "1")]))
    assert len(made._bids._keys) == len(made._bids._sizes) == LEVELS_LIMIT
    assert prices(made)[0][:2] == [3 * LEVELS_LIMIT + 1, 3 * LEVELS_LIMIT]


def test_what_waits_for_a_snapshot_is_bounded() -> None:
    made = DepthBook()
    for number in range(2 * WAITING_UPDATES_LIMIT):
        made.update(update(number, number))
    assert not made.snapshot(DepthSnapshot(WAITING_UPDATES_LIMIT - 2, [], []))
    assert made.snapshot(DepthSnapshot(WAITING_UPDATES_LIMIT - 1, [], []))
    assert made.update_id == 2 * WAITING_UPDATES_LIMIT - 1


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(1, 50), st.integers(0, 3)), max_size=5),
            st.lists(st.tuples(st.integers(51, 99), st.integers(0, 3)), max_size=5),
        ),
        max_size=30,
    )
)
def test_a_book_is_what_a_plain_dict_says(changes: list[tuple[list[tuple[int, int]], list[tuple[int, int]]]]) -> None:
    made, plain = book([("1", "1")], [("99", "1")]), ({1: 1}, {99: 1})
    for number, sides in enumerate(changes, 11):
        for kept, side in zip(plain, sides, strict=True):
            kept.update(side)
        bids, asks = ([(str(price), str(size)) for price, size in side] for side in sides)
        made.update(update(number, number, bids, asks))
    for kept, shown, reverse in zip(plain, made.top(), (True, False), strict=True):
        there = sorted(((price * E8, size * E8) for price, size in kept.items() if size), reverse=reverse)
        assert list(shown) == there[:20]
