"""The peer of `orders`: the rows that the engine wrote, committed to another SQLite file in the same transactions."""

import sqlite3
import time
from pathlib import Path
from typing import Any, NamedTuple

from actors.store.journal import Journal

Row = tuple[Any, ...]
TURNS, EVENTS = 5, 6
"""Places of these columns."""


class Committed(NamedTuple):
    """How long the commits took, and how many they were."""

    seconds: float
    transactions: int
    size_bytes: int


def commit_again(journal: Path, copy: Path, events: int) -> Committed:
    """Takes the rows of the last `events` events, and commits them to a new file with the journal's schema and pragmas.

    Raises sqlite3.Error.
    """
    transactions = _transactions(journal, events)
    Journal(copy).close()
    database = sqlite3.connect(copy, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    start = time.perf_counter()
    for rows in transactions:
        database.execute("BEGIN")
        database.executemany("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        database.execute("COMMIT")
    seconds = time.perf_counter() - start
    database.close()
    size_bytes = sum(len(row[TURNS]) + len(row[EVENTS]) for rows in transactions for row in rows)
    return Committed(seconds, len(transactions), size_bytes)


def commit_at_pace(journal: Path, copy: Path, events: int) -> list[int]:
    """As `commit_again`, each transaction at its time: what each event waited for its commit, in ns, sorted.

    Raises sqlite3.Error.
    """
    transactions = _transactions(journal, events)
    Journal(copy).close()
    database = sqlite3.connect(copy, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    first_ns, start_ns = transactions[0][0][1], time.monotonic_ns()
    waited_ns: list[int] = []
    for rows in transactions:
        due_ns = start_ns + rows[0][1] - first_ns
        time.sleep(max(0, due_ns - time.monotonic_ns()) / 1e9)
        begun_ns = time.monotonic_ns()
        database.execute("BEGIN")
        database.executemany("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        database.execute("COMMIT")
        waited_ns += [time.monotonic_ns() - begun_ns] * sum(row[3] for row in rows)
    database.close()
    return sorted(waited_ns)


def _transactions(journal: Path, events: int) -> list[list[Row]]:
    """The rows, those of one turn of the engine together: only the first of a turn has inputs."""
    database = sqlite3.connect(journal)
    (end_seq,) = database.execute(
        "SELECT max(first_event_seq + event_count) FROM batches WHERE event_count > 0"
    ).fetchone()
    rows = database.execute(
        "SELECT * FROM batches WHERE first_event_seq >= ? AND first_event_seq < ? ORDER BY batch_seq",
        (end_seq - events, end_seq),
    )
    turns: list[list[Row]] = []
    for row in rows:
        if row[TURNS]:
            turns.append([])
        turns[-1].append(row)
    database.close()
    return turns
