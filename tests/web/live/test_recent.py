"""What is kept of the past, and what is said to be missing."""

from typing import Any, cast

from web.live.recent import Past, RecentEvents


def past(seq: int) -> Past:
    return Past(seq, seq, cast(Any, None))


def fill(recent: RecentEvents, *owners: int, first: int = 1) -> None:
    for seq, owner in enumerate(owners, first):
        recent.pass_by(seq)
        if owner:
            recent.keep(owner, past(seq))


def test_what_came_after_a_number_by_owner() -> None:
    recent = RecentEvents()
    fill(recent, 1, 2, 0, 1, first=10)
    assert [each.seq for each in recent.after(1, 10)] == [13]
    assert [each.seq for each in recent.after(1, 9)] == [10, 13]
    assert (recent.after(3, 0), recent.last_seq) == ([], 13)
    assert [recent.has_all_after(since) for since in (8, 9, 13)] == [False, True, True]


def test_the_oldest_go_first_and_that_they_are_gone_is_known() -> None:
    recent = RecentEvents(limit=2)
    fill(recent, 1, 0, 2, 1)
    assert [each.seq for each in recent.after(1, 0)] == [4]
    assert [recent.has_all_after(since) for since in (0, 1, 3)] == [False, True, True]
    fill(recent, 2, first=5)
    assert (len(recent.after(2, 0)), [recent.has_all_after(since) for since in (2, 3)]) == (1, [False, True])


def test_after_a_hole_nothing_is_had_but_what_follows() -> None:
    recent = RecentEvents()
    assert not recent.has_all_after(0)
    fill(recent, 1, 1)
    recent.forget()
    assert (recent.after(1, 0), recent.has_all_after(2)) == ([], False)
    fill(recent, 1, first=9)
    assert [recent.has_all_after(since) for since in (7, 8)] == [False, True]
