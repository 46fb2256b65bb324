"""An operator's repair of sequence numbers, and the account of it that stays in the store."""

from typing import NamedTuple

from gateway.fix.store import Sequences, SqliteStore

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fix_repairs (
    at_ns INTEGER NOT NULL, session_id TEXT NOT NULL, operator TEXT NOT NULL, reason TEXT NOT NULL,
    old_out INTEGER NOT NULL, old_in INTEGER NOT NULL, new_out INTEGER NOT NULL, new_in INTEGER NOT NULL
) STRICT;
"""


class Unrepairable(ValueError):
    """No such session, a number below 1, or no reason given."""


class Repair(NamedTuple):
    at_ns: int
    session_id: str
    operator: str
    reason: str
    old_out: int
    old_in: int
    new_out: int
    new_in: int


def sessions(store: SqliteStore) -> list[tuple[str, Sequences]]:
    rows = store.db.execute("SELECT session_id, next_out, next_in, began_ns FROM fix_sessions ORDER BY session_id")
    return [(session_id, Sequences(*numbers)) for session_id, *numbers in rows]


def repaired(store: SqliteStore) -> list[Repair]:
    """Every repair, the oldest first."""
    store.db.executescript(_SCHEMA)
    return [Repair(*row) for row in store.db.execute("SELECT * FROM fix_repairs ORDER BY rowid")]


def repair(
    store: SqliteStore,
    session_id: str,
    next_out: int | None,
    next_in: int | None,
    reason: str,
    now_ns: int,
    operator: str,
) -> Repair:
    """Sets the number of the next message each way (None leaves it) of a session that has no connection.

    Whoever serves it must read it anew.

    What was sent from `next_out` on is forgotten. Both at 1 begin the session anew. Raises Unrepairable.
    """
    before = dict(sessions(store)).get(session_id)
    if before is None:
        raise Unrepairable(f"there is no session {session_id!r}")
    new_out = before.next_out if next_out is None else next_out
    new_in = before.next_in if next_in is None else next_in
    if min(new_out, new_in) < 1 or not reason.strip():
        raise Unrepairable("a repair needs numbers above 0 and a reason")
    began_ns = now_ns if new_out == new_in == 1 else before.began_ns
    done = Repair(now_ns, session_id, operator, reason, before.next_out, before.next_in, new_out, new_in)
    store.db.executescript(_SCHEMA)
    with store.transaction() as db:
        store.forget(session_id, new_out)
        store.save(session_id, Sequences(new_out, new_in, began_ns), [])
        db.execute("INSERT INTO fix_repairs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", done)
    return done
