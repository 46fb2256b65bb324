"""The first users: a demo trader and an administrator, with passwords made on the first start."""

import json
import secrets
from pathlib import Path

import sqlalchemy
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from actors.store import private_files
from actors.store.passwords import hash_password
from actors.store.people_schema import USERS

FIRST = {"trader": ("trader", 1), "admin": ("admin", None)}
"""By user name: the role and the trading account."""
PASSWORD_BYTES = 16


class CredentialsUnreadable(Exception):
    """credentials.json is there and does not hold what it should: the text says what is wrong."""


def ensure(connection: sqlalchemy.Connection, credentials: Path) -> bool:
    """Makes the first users where there are none, with the passwords in the file `credentials`; True when it did.

    The file is on the disk before the users are in the database: a crash in between costs nobody the password.
    """
    if connection.scalar(select(func.count()).select_from(USERS)):
        return False
    if not credentials.exists():
        made = {name: {"username": name, "password": secrets.token_urlsafe(PASSWORD_BYTES)} for name in FIRST}
        private_files.write(credentials, json.dumps(made, indent=2) + "\n")
    passwords = _passwords(credentials)
    users = [
        {"username": name, "password_hash": hash_password(passwords[name]), "role": role, "account_id": account_id}
        for name, (role, account_id) in FIRST.items()
    ]
    connection.execute(insert(USERS), users)
    return True


def _passwords(credentials: Path) -> dict[str, str]:
    try:
        kept = json.loads(credentials.read_text(encoding="utf-8"))
        passwords = {name: kept[name]["password"] for name in FIRST}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CredentialsUnreadable(f"{credentials}: {error!r}") from None
    if not all(isinstance(password, str) and password for password in passwords.values()):
        raise CredentialsUnreadable(f"{credentials}: a password is empty or no text")
    return passwords
