"""What was sent to a venue and what it said, on the disk."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from actors.domain.order import Side, TimeInForce
from actors.domain.routing.books import SentChild
from actors.domain.routing.child import ReportKind, VenueReport, send
from actors.store.changes import Stage
from actors.store.dispatch import Dispatch
from actors.store.venue_file import NotOurs
from gateway.fix.store import SqliteStore

NOW_NS = 1_000


def child(number: int, sent_ns: int = NOW_NS) -> SentChild:
    order = send(number, 1, "OANDA", "EURUSD", Side.BUY, 5, 0, sent_ns + 100, sent_ns)
    return SentChild(order, 1, (), TimeInForce.IOC)


def report(number: int, exec_id: str, kind: ReportKind = ReportKind.FILL) -> VenueReport:
    return VenueReport("OANDA", f"{number}-1", exec_id, kind, 1, 1, -1, -1, "", 0)


def test_a_file_that_is_open_already_keeps_its_locks(path: Path) -> None:
    """Else whoever looks into it from outside takes its log away when he closes it."""
    sessions = SqliteStore(path)
    Dispatch(path, NOW_NS, sessions.db).begin(7, [])
    look = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); print(*db.execute('SELECT * FROM places'))"
    subprocess.run([sys.executable, "-c", look, path], check=True, capture_output=True)
    assert path.with_name(f"{path.name}-wal").exists()
    sessions.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "execution" / "oanda.sqlite"


def test_everything_outlives_the_process(path: Path) -> None:
    store = Dispatch(path, NOW_NS)
    assert (store.event_seq, store.cursor) == (None, "")
    store.begin(7, [])
    store.follow(9, 0, [(child(1), "a"), (child(2), "b"), (child(3), "c")], [], ["2-1"])
    store.attempt(["1-1", "2-1"], NOW_NS + 5)
    store.take([report(1, "x"), report(1, "y"), report(2, "z")], cursor="12")
    store.close()

    again = Dispatch(path, NOW_NS + 50)
    assert (again.event_seq, again.cursor, again.made_ns) == (9, "12", NOW_NS)
    assert [(it.client_id, it.stage, it.attempted_ns, it.asked) for it in again.alive()] == [
        ("a", Stage.ATTEMPTED, NOW_NS + 5, False),
        ("b", Stage.ATTEMPTED, NOW_NS + 5, True),
        ("c", Stage.DUE, NOW_NS, False),
    ]
    assert [it.sent for it in again.alive()] == [child(1), child(2), child(3)]
    assert again.waiting() == [(1, report(1, "x")), (3, report(2, "z"))]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_of_each_order_one_report_at_a_time_and_each_once(path: Path) -> None:
    store = Dispatch(path, NOW_NS)
    assert store.take([report(1, "x"), report(1, "y"), report(1, "x")]) == 2
    assert store.waiting() == [(1, report(1, "x"))]
    store.acknowledge([1])
    assert [it for _, it in store.waiting()] == [report(1, "y")]
    store.acknowledge([2])
    assert store.waiting() == []
    assert store.take([report(1, "y")]) == 0
    assert store.waiting() == []
    store.take([], again="1-1")
    assert store.waiting() == [(1, report(1, "x"))]


def test_an_order_is_attempted_once(path: Path) -> None:
    store = Dispatch(path, NOW_NS)
    store.follow(1, 0, [(child(1), "a")], [], [])
    store.follow(1, 0, [(child(1), "a")], [], [])
    store.attempt(["1-1"], 5)
    store.attempt(["1-1"], 6)
    (it,) = store.alive()
    assert (it.stage, it.attempted_ns) == (Stage.ATTEMPTED, 5)
    store.give_back("1-1")
    assert [it.stage for it in store.alive()] == [Stage.DUE]
    store.follow(2, 0, [], ["1-1"], [])
    store.give_back("1-1")
    assert store.alive() == []


def test_what_may_have_been_sent_before_the_file_was_made_is_not_due(path: Path) -> None:
    store = Dispatch(path, NOW_NS)
    store.follow(1, 0, [(child(1, NOW_NS - 1), "a"), (child(2, NOW_NS), "b")], [], [])
    assert [it.stage for it in store.alive()] == [Stage.ATTEMPTED, Stage.DUE]


def test_it_is_quiet_when_nothing_is_on_its_way(path: Path) -> None:
    store = Dispatch(path, NOW_NS)
    assert store.is_quiet
    store.follow(1, 0, [(child(1), "a")], [], [])
    assert not store.is_quiet
    store.take([report(1, "x")], over="1-1")
    assert not store.is_quiet
    store.acknowledge([1])
    assert store.is_quiet


def test_old_orders_are_forgotten(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.store.dispatch.OVER_LIMIT", 2)
    store = Dispatch(path, NOW_NS)
    numbers = range(1, 6)
    store.follow(1, 0, [(child(number), f"c{number}") for number in numbers], [], [])
    store.take([report(1, "x"), report(2, "y")])
    store.acknowledge([1])
    store.follow(2, 0, [], [f"{number}-1" for number in numbers if number != 3], [])
    known = [number for number in numbers if store.by_client_id(f"c{number}")]
    assert known == [2, 3, 4, 5]  # 2 has a report that waits, 3 is not over
    assert [it.child_id for _, it in store.waiting()] == ["2-1"]


def test_what_is_over_is_not_read_in_each_turn(path: Path) -> None:
    store = Dispatch(path, NOW_NS)
    asked: list[str] = []
    store._db.set_trace_callback(asked.append)
    store.alive()
    store.changing()
    store._db.set_trace_callback(None)
    plans = [row[3] for query in asked for row in store._db.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert [step for step in plans if step.startswith("SEARCH orders")]
    assert [step for step in plans if step.startswith("SCAN orders")] == []


def test_another_format_is_refused(path: Path) -> None:
    store = Dispatch(path, NOW_NS)
    store._db.execute("PRAGMA user_version = 9")
    store.close()
    with pytest.raises(NotOurs, match="its format is 9"):
        Dispatch(path, NOW_NS)
