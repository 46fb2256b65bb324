"""Where the database is: at DATABASE_URL, or the embedded PostgreSQL below the run directory."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import sqlalchemy
from sqlalchemy.engine import URL, make_url

from actors.bus.endpoints import UNIX_PATH_LIMIT_BYTES

NAME = "hedgerow"
"""Of the embedded database and of its owner, the role that our processes log in as. It is no superuser."""
SUPERUSER = "postgres"
DRIVER = "postgresql+psycopg"


class DatabaseAway(Exception):
    """There is no database to talk to at the moment; the text says why, and never holds a secret."""


class DatabaseRefused(Exception):
    """The database is there and will not take this: what was sent breaks one of its rules."""


@contextlib.contextmanager
def our_errors() -> Iterator[None]:
    """Turns what psycopg and SQLAlchemy raise into `DatabaseAway` or `DatabaseRefused`, with the first line of it."""
    try:
        yield
    except sqlalchemy.exc.DBAPIError as error:
        raise _ours(error.orig) from None
    except psycopg.Error as error:
        raise _ours(error) from None


def _ours(error: BaseException | None) -> DatabaseAway | DatabaseRefused:
    line = str(error).partition("\n")[0]
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return DatabaseAway(line)
    return DatabaseRefused(line)


def data_folder(run_dir: Path) -> Path:
    """The embedded cluster's files."""
    return run_dir.resolve() / "postgres"


def socket_folder(run_dir: Path) -> Path:
    """The embedded server's Unix socket is in here: a folder of its own, which belongs to the server's user.

    For PostgreSQL a comma separates folders, and hosts: a path that has one is treated like one that is too long.
    """
    folder = run_dir.resolve() / "postgres-socket"
    if len(os.fsencode(folder)) + len("/.s.PGSQL.5432") > UNIX_PATH_LIMIT_BYTES or "," in str(folder):
        digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"hedgerow-postgres-{os.getuid()}-{digest}"
    return folder


def password_file(run_dir: Path) -> Path:
    return run_dir / "secrets" / "postgres"


def superuser_password_file(run_dir: Path) -> Path:
    return run_dir / "secrets" / "postgres-superuser"


def database_url(run_dir: Path, given: str | None) -> URL:
    """The URL for SQLAlchemy and psycopg 3.

    `given` is DATABASE_URL, where it is set; raises ValueError when it is no PostgreSQL URL. Without it the answer is
    the embedded database, and `DatabaseAway` is raised as long as that has not been made.
    """
    if given is None:
        return _embedded_url(run_dir, NAME, NAME, password_file(run_dir))
    try:
        url = make_url(given)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise ValueError("DATABASE_URL is not a URL") from None
    if url.drivername not in ("postgres", "postgresql", DRIVER):
        raise ValueError(f"DATABASE_URL begins with {url.drivername}, not with postgresql")
    return url.set(drivername=DRIVER)


def superuser_url(run_dir: Path) -> URL:
    """The embedded server's own, for the process that runs it."""
    return _embedded_url(run_dir, SUPERUSER, SUPERUSER, superuser_password_file(run_dir))


def conninfo(url: URL) -> str:
    """The same URL as psycopg, psql and pg_dump take it: with the password, so not for a log."""
    where, mark, query = url.set(drivername="postgresql").render_as_string(hide_password=False).partition("?")
    return where + mark + query.replace("+", "%20")  # For SQLAlchemy a plus is a blank, for libpq it is a plus.


def _embedded_url(run_dir: Path, user: str, name: str, secret: Path) -> URL:
    try:
        password = secret.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise DatabaseAway("the embedded database has not been made yet") from None
    # Who listens at the socket must prove that it knows the password, and is never sent it.
    query = {"host": str(socket_folder(run_dir)), "require_auth": "scram-sha-256"}
    return URL.create(DRIVER, username=user, password=password, database=name, query=query)
