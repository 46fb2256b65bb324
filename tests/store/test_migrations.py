"""A database of any earlier step, with rows in it, is brought up to date, and nothing in it is lost."""

from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.pool import NullPool

from actors.bus.users import GetUser, UserReport
from actors.store.database import database_url as sqlalchemy_url
from actors.store.history import EVENTS, History
from tests.store import facts

HEAD = "0004"
ROWS = """
INSERT INTO users (username, password_hash, role, account_id)
    VALUES ('anna', 'bcrypt', 'trader', 1), ('olga', 'bcrypt', 'admin', NULL);
INSERT INTO accounts VALUES (1, 'USD', 'hedging', 'standard', 'normal');
INSERT INTO postings VALUES (1, 'deposit', 'deposit:k', 'olga', now(), 1);
INSERT INTO entries VALUES (1, 1, 'client:1', 'USD', 5, 5), (2, 1, 'broker:cash', 'USD', -5, -5);
INSERT INTO progress VALUES ('events', 4);
"""
QUOTE = "INSERT INTO tick_quotes VALUES ('EURUSD', 7, 0, 'OANDA', 1.1, 1.2, 1, 1, 1, 1, 1, NULL, 1);"


def scripts(connection: sqlalchemy.Connection) -> Config:
    made = Config(attributes={"connection": connection})
    made.set_main_option("script_location", "actors.store:migrations")
    made.set_main_option("path_separator", "os")
    return made


@pytest.mark.parametrize(("step", "rows"), [("0001", ROWS), ("0002", ROWS + QUOTE), (HEAD, ROWS + QUOTE)])
def test_rows_of_an_earlier_step_are_kept(database_url: str, step: str, rows: str) -> None:
    url = sqlalchemy_url(Path(), database_url)
    engine = sqlalchemy.create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        assert ScriptDirectory.from_config(scripts(connection)).get_current_head() == HEAD
        command.upgrade(scripts(connection), step)
        connection.execute(sqlalchemy.text(rows))
    with psycopg.connect(database_url) as session:
        before = [count(session, table) for table in ("users", "accounts", "postings", "entries")]
    history = History(url)
    try:
        assert history.progress()[EVENTS] == 4
        history.store_events(5, [facts.deposited(2, 5)])
        assert history.progress()[EVENTS] == 5
        found = history.answer_about_people(GetUser("olga"), 1)
    finally:
        history.close()
    assert isinstance(found, UserReport)
    assert (found.user.username, found.user.role, found.user.version) == ("olga", "admin", 1)
    with psycopg.connect(database_url) as session:
        after = [count(session, table) for table in ("users", "accounts", "postings", "entries")]
        (version,) = session.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    assert after == [before[0], before[1], before[2] + 1, before[3] + 2]
    assert version == HEAD


def count(session: psycopg.Connection, table: str) -> int:
    (rows,) = session.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() or (0,)  # noqa: S608
    return int(rows)
