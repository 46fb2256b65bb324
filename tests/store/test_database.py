"""Where the database is."""

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from actors.store import database, private_files
from actors.store.database import DatabaseAway, conninfo, database_url


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_given_url_is_taken(scheme: str) -> None:
    url = database_url(Path(), f"{scheme}://user:p%40ss@host:5433/name?sslmode=require")
    assert url.drivername == "postgresql+psycopg"
    assert conninfo(url) == "postgresql://user:p%40ss@host:5433/name?sslmode=require"


@pytest.mark.parametrize(
    "given", ["", "mysql://user:secret@host/name", "not a url", "sqlite:///x", "postgresql://a@b:secret"]
)
def test_another_is_refused_without_its_secret(given: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL") as refused:
        database_url(Path(), given)
    assert "secret" not in str(refused.value)


def test_the_embedded_one_is_away_until_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(DatabaseAway, match="has not been made yet"):
        database_url(tmp_path, None)
    private_files.write(database.password_file(tmp_path), "p@ss/word")
    url = database_url(tmp_path, None)
    assert (url.username, url.password, url.database) == ("hedgerow", "p@ss/word", "hedgerow")
    assert url.query == {"host": str(tmp_path.resolve() / "postgres-socket"), "require_auth": "scram-sha-256"}


def test_a_blank_in_the_path_is_one_for_libpq_too(tmp_path: Path) -> None:
    private_files.write(database.password_file(tmp_path / "two words"), "p+ss")
    url = database_url(tmp_path / "two words", None)
    assert conninfo_to_dict(conninfo(url))["host"] == url.query["host"]


def test_a_socket_path_is_never_too_long(tmp_path: Path) -> None:
    for length in (1, 60, 90, 200):
        folder = database.socket_folder(tmp_path / ("x" * length))
        assert len(f"{folder}/.s.PGSQL.5432") < 108
    assert database.socket_folder(tmp_path / ("x" * 200)) != database.socket_folder(tmp_path / ("y" * 200))
