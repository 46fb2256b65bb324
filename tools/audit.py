"""Verifies the audit log: `python -m tools.audit [--expect SEQ:HASH]`. Exit code 0: the chain holds; 1: it does not.

A chain whose end was cut off is a chain too: with `--expect`, the line of that number must be there and have that hash.
Keep what this prints away from the database's machine, or take a line from the log of the persistence process.
"""

import argparse
import sys

import sqlalchemy
from sqlalchemy.pool import NullPool

from actors.store import audit
from actors.store.database import DatabaseAway, DatabaseRefused, database_url, our_errors
from config import settings as config


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools.audit", description=__doc__)
    parser.add_argument("--expect", metavar="SEQ:HASH", help="a line that was seen earlier")
    expected = parser.parse_args(arguments).expect
    settings = config.load()
    given = settings.database_url.get_secret_value() if settings.database_url else None
    try:
        with our_errors():
            engine = sqlalchemy.create_engine(database_url(settings.run_dir, given), poolclass=NullPool)
            with engine.connect() as connection:
                last, found = _walk(connection, expected)
    except (DatabaseAway, DatabaseRefused, audit.Broken, ValueError) as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    if expected and not found:
        sys.stderr.write(f"line {expected} is not there: the log was cut off, or made anew\n")
        return 1
    print(f"the audit log holds; its last line is {last}")
    return 0


def _walk(connection: sqlalchemy.Connection, expected: str | None) -> tuple[str, bool]:
    """The last line as SEQ:HASH, and whether the expected one came by; raises Broken."""
    last, found = f"0:{audit.FIRST_HASH}", False
    for act in audit.checked(audit.lines(connection)):
        last = f"{act.seq}:{act.hash}"
        found = found or last == expected
    return last, found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
