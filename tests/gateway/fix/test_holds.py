"""Sessions that are held down, over restarts of the process."""

from pathlib import Path

from gateway.fix import holds
from gateway.fix.store import SqliteStore


def test_a_hold_outlives_the_process(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.sqlite")
    assert holds.held(store) == []
    holds.hold(store, "b", 1)
    holds.hold(store, "a", 2)
    holds.hold(store, "b", 3)
    store.close()
    store = SqliteStore(tmp_path / "s.sqlite")
    assert holds.held(store) == ["a", "b"]
    holds.release(store, "a")
    holds.release(store, "nobody")
    assert holds.held(store) == ["b"]
    assert store.db.execute("SELECT since_ns FROM fix_holds").fetchall() == [(1,)]
    store.close()
