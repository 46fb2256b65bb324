"""Sessions that an operator has disconnected: held down until they are connected again, whatever restarts between."""

from gateway.fix.store import SqliteStore

_SCHEMA = "CREATE TABLE IF NOT EXISTS fix_holds (session_id TEXT PRIMARY KEY, since_ns INTEGER NOT NULL) STRICT"


def held(store: SqliteStore) -> list[str]:
    store.db.execute(_SCHEMA)
    return [session_id for (session_id,) in store.db.execute("SELECT session_id FROM fix_holds ORDER BY session_id")]


def hold(store: SqliteStore, session_id: str, now_ns: int) -> None:
    """Again changes nothing."""
    with store.transaction() as db:
        db.execute(_SCHEMA)
        db.execute("INSERT OR IGNORE INTO fix_holds VALUES (?, ?)", (session_id, now_ns))


def release(store: SqliteStore, session_id: str) -> None:
    with store.transaction() as db:
        db.execute(_SCHEMA)
        db.execute("DELETE FROM fix_holds WHERE session_id = ?", (session_id,))
