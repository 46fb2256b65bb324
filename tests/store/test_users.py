"""The first users: made once, with passwords that are in the file before they are in the database."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.bus.users import GetUser, UserReport
from actors.store import private_files
from actors.store.database import database_url as sqlalchemy_url
from actors.store.history import History
from actors.store.passwords import check_password
from actors.store.users import CredentialsUnreadable


@pytest.fixture
def history(database_url: str) -> Iterator[History]:
    opened = History(sqlalchemy_url(Path(), database_url))
    yield opened
    opened.close()


def password_hash(history: History, username: str) -> str:
    report = history.answer_about_people(GetUser(username), 1)
    assert isinstance(report, UserReport)
    return report.user.password_hash


def test_they_are_made_once(history: History, tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    assert history.ensure_users(file)
    assert file.stat().st_mode & 0o777 == 0o600
    kept = file.read_text()
    before = password_hash(history, "trader")
    assert not history.ensure_users(file)
    assert (file.read_text(), password_hash(history, "trader")) == (kept, before)


def test_a_database_with_users_gets_no_file(history: History, tmp_path: Path) -> None:
    history.ensure_users(tmp_path / "credentials.json")
    assert not history.ensure_users(tmp_path / "other.json")
    assert not (tmp_path / "other.json").exists()


def test_after_a_crash_in_between_the_passwords_of_the_file_hold(history: History, tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    kept = {name: {"username": name, "password": f"password-of-{name}"} for name in ("trader", "admin")}
    private_files.write(file, json.dumps(kept))
    assert history.ensure_users(file)
    assert json.loads(file.read_text()) == kept
    for name in kept:
        assert check_password(f"password-of-{name}", password_hash(history, name))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"trader": {"password": "x"}}', '{"trader": 1, "admin": 2}'])
def test_a_file_that_cannot_be_read_makes_nobody(history: History, tmp_path: Path, text: str) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(text)
    with pytest.raises(CredentialsUnreadable, match=r"credentials\.json"):
        history.ensure_users(file)
    assert not isinstance(history.answer_about_people(GetUser("trader"), 1), UserReport)
