"""The audit log: what is in it, that it is only added to, and that a change of it shows."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import psycopg
import pytest
import sqlalchemy

from actors.bus.users import Actor, AddUser, GetActs, RecordAct, Recorded, RecordOutcome
from actors.store import audit
from actors.store.audit import FIRST_HASH, Broken
from actors.store.database import database_url as sqlalchemy_url
from actors.store.history import History

ROOT = Actor(2, "admin", "admin", "192.0.2.9")


@pytest.fixture
def history(database_url: str) -> Iterator[History]:
    opened = History(sqlalchemy_url(Path(), database_url))
    yield opened
    opened.close()


@pytest.fixture
def logged(history: History) -> History:
    """Three lines: a user who is added, an act of another process, and what came of it."""
    history.answer_about_people(AddUser(ROOT, "anna", "secret hash", "trader", 7, "new client"), 1)
    act = RecordAct(ROOT, "RemoveLp", "lp OANDA", '{"priority":1}', "", "closed down")
    assert history.answer_about_people(act, 2) == Recorded(2)
    assert history.answer_about_people(RecordOutcome(ROOT, 2, "version 5"), 3) == Recorded(3)
    return history


def lines(database_url: str) -> list[str]:
    engine = sqlalchemy.create_engine(sqlalchemy_url(Path(), database_url), poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        return [act.action for act in audit.checked(audit.lines(connection))]


def test_a_line_says_who_did_what_to_whom_why_and_no_secret(logged: History) -> None:
    third, second, first = logged.answer_about_people(GetActs(10, 0), 4).acts  # type: ignore[union-attr]
    assert (first.actor, first.time_ns, first.previous_hash) == (ROOT, 1, FIRST_HASH)
    assert (first.action, first.subject, first.before, first.reason) == ("AddUser", "user anna", "", "new client")
    assert msgspec.json.decode(first.after) == {
        "role": "trader",
        "account_id": 7,
        "disabled": False,
        "version": 1,
        "totp_confirmed": False,
    }
    assert (second.action, second.before, second.reason) == ("RemoveLp", '{"priority":1}', "closed down")
    assert (third.action, third.subject, third.outcome, third.previous_hash) == (
        "Outcome",
        "act 2",
        "version 5",
        second.hash,
    )
    assert logged.answer_about_people(GetActs(1, 3, "admin", "lp OANDA"), 4).acts == [second]  # type: ignore[union-attr]


def test_the_table_is_only_added_to(logged: History, database_url: str) -> None:
    assert lines(database_url) == ["AddUser", "RemoveLp", "Outcome"]
    for statement in ("UPDATE audit SET reason = ''", "DELETE FROM audit", "TRUNCATE audit"):
        with psycopg.connect(database_url) as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(statement)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE audit SET reason = 'another' WHERE seq = 2", "line 2 was changed"),
        ("UPDATE audit SET time_ns = 9 WHERE seq = 3", "line 3 was changed"),
        ("DELETE FROM audit WHERE seq = 2", "line 2 is missing: 3 follows 1"),
        ("DELETE FROM audit WHERE seq = 1", "line 1 is missing: 2 follows 0"),
        ("UPDATE audit SET hash = repeat('1', 64) WHERE seq = 1", "line 1 was changed"),
    ],
)
def test_what_the_owner_of_the_table_does_to_it_shows(
    logged: History, database_url: str, statement: str, fault: str
) -> None:
    with psycopg.connect(database_url) as session:
        session.execute("DROP TRIGGER audit_is_append_only ON audit")
        session.execute(statement.encode())
    with pytest.raises(Broken, match=fault):
        lines(database_url)
