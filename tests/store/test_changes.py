"""What a venue is asked to make of orders that rest there, on the disk."""

from pathlib import Path

import msgspec
import pytest

from actors.domain.order import Side, TimeInForce
from actors.domain.routing.books import SentChild
from actors.domain.routing.child import ReportKind, VenueChange, VenueReport, send
from actors.store.changes import Stage
from actors.store.dispatch import Dispatch, Dispatched

NOW_NS = 1_000
CHILD = send(1, 1, "SIMLP", "EURUSD", Side.BUY, 5, 110, 0, NOW_NS)
SENT = SentChild(CHILD, 1, (), TimeInForce.GTC)
FIRST, SECOND = (VenueChange("1-1", "SIMLP", NOW_NS + number, 120, None) for number in (10, 20))


@pytest.fixture
def store(tmp_path: Path) -> Dispatch:
    """The order rests at the venue."""
    store = Dispatch(tmp_path / "simlp.sqlite", NOW_NS)
    store.begin(1, [])
    store.follow(2, 0, [(SENT, "own")], [], [])
    store.attempt(["1-1"], NOW_NS)
    store.take([VenueReport("SIMLP", "1-1", "0", ReportKind.ACCEPTED, 0, 0, -1, -1, "", 0)], resting="1-1")
    store.acknowledge([number for number, _ in store.waiting()])
    return store


def its(store: Dispatch) -> Dispatched:
    found = store.by_child_id("1-1")
    assert found is not None
    return found


def test_what_rests_is_not_on_its_way_until_it_is_asked_after(store: Dispatch) -> None:
    assert (its(store).stage, store.alive(), store.is_quiet) == (Stage.RESTING, [], True)
    store.follow(3, 0, [], [], ["1-1"])
    assert [(it.stage, it.asked) for it in store.alive()] == [(Stage.ATTEMPTED, True)]
    store.take([], answered="1-1", resting="1-1")
    assert (its(store).stage, store.is_quiet) == (Stage.RESTING, True)
    store.ask_after_all()
    assert (store.alive(), store.is_quiet) == ([], False)
    store.take_up(1)
    assert [it.asked for it in store.alive()] == [True]


def test_a_change_is_attempted_once_and_the_next_waits_for_nobody(store: Dispatch) -> None:
    store.follow(3, 0, [], [], [], [(FIRST, "first")])
    assert [it.changing and it.changing.change for it in store.changing()] == [FIRST]
    store.changes.attempt(["1-1"], NOW_NS + 50)
    assert store.changing() == []
    assert its(store).changing == (FIRST, Stage.ATTEMPTED, NOW_NS + 50)
    store.changes.give_back("1-1")
    assert len(store.changing()) == 1
    store.follow(4, 0, [], [], [], [(SECOND, "second")], [FIRST])
    assert [it.changing and it.changing.change for it in store.changing()] == [SECOND]
    store.follow(5, 0, [], [], [], [(FIRST, "first")])
    assert [it.changing and it.changing.change for it in store.changing()] == [SECOND], "heard again"
    store.follow(6, 0, [], ["1-1"], [])
    assert store.changing() == []


def test_an_order_is_known_by_all_its_names(store: Dispatch, tmp_path: Path) -> None:
    store.follow(3, 0, [], [], [], [(FIRST, "first")])
    changed = msgspec.structs.replace(CHILD, quantity_e8=9, sent_ns=FIRST.asked_ns)
    store.follow(4, 0, [], [], [], [(SECOND, "second")], [], [(changed, "first")])
    store.close()
    again = Dispatch(tmp_path / "simlp.sqlite", NOW_NS + 99)
    found = [again.by_client_id(name) for name in ("own", "first", "second")]
    assert [(it.client_id, it.sent.child) for it in found if it] == [("first", changed)] * 3
    assert its(again).changing == (SECOND, Stage.DUE, NOW_NS)
    assert again.by_client_id("nobody") is None


def test_a_change_that_was_taken_is_answered(store: Dispatch) -> None:
    store.follow(3, 0, [], [], [], [(FIRST, "first")])
    store.changes.attempt(["1-1"], NOW_NS + 50)
    store.follow(4, 0, [], [], [], changed=[(msgspec.structs.replace(CHILD, sent_ns=FIRST.asked_ns), "first")])
    assert its(store).changing is None


def test_a_file_that_was_lost_begins_with_what_is_asked(tmp_path: Path) -> None:
    store = Dispatch(tmp_path / "new.sqlite", NOW_NS + 99)
    store.begin(9, [(SENT, "own", True)], [(FIRST, "first")])
    assert its(store).changing == (FIRST, Stage.ATTEMPTED, NOW_NS + 99)
    assert store.changing() == []
