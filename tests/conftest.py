"""What tests of several packages share."""

import faulthandler
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pykka
import pytest
from hypothesis import settings

from actors.store import database

ROOT = Path(__file__).parent.parent
END_LIMIT_S = 60.0
"""After the last test the run has so long to end."""
Figure = Callable[[str, float], None]

settings.load_profile("ci")
"""Hypothesis tries the same each time, however slow the machine is; others with `--hypothesis-profile=default`."""


def pytest_unconfigure() -> None:
    """A thread that a test has left may not keep the run from ending: it fails, with the stacks of all threads."""
    faulthandler.dump_traceback_later(END_LIMIT_S, exit=True)


@pytest.fixture(autouse=True)
def actors_stop() -> Iterator[None]:
    """However the test ends: the thread of an actor that is left would keep the whole run from ending."""
    yield
    pykka.ActorRegistry.stop_all()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was measured."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """Takes what a test has measured: it is told at the end, and stands in the report."""
    return lambda name, value: record_property(name, f"{value:.2f}")


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio's loop."""
    return "asyncio"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded and published material; without it the test is skipped by name."""
    folder = Path(os.environ.get("TEST_SHARED", ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"no recorded data: {folder} does not exist (TEST_SHARED names its parent)")
    return folder


@pytest.fixture(scope="session")
def private_folder() -> Iterator[Path]:
    """For what another system user must reach: a second pytest closes pytest's own temporary folders to all others."""
    with tempfile.TemporaryDirectory(prefix="hedgerow-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres(private_folder: Path) -> Iterator[Path]:
    """The run directory of a real PostgreSQL, as tools/postgres.py runs it."""
    run_dir = private_folder / "postgres"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HEDGEROW_", "DATABASE_"))}
    with subprocess.Popen(
        [sys.executable, "-m", "tools.postgres"], cwd=ROOT, env={**environment, "HEDGEROW_RUN_DIR": str(run_dir)}
    ) as server:
        while server.poll() is None:
            try:
                psycopg.connect(database.conninfo(database.database_url(run_dir, None))).close()
                break
            except (database.DatabaseAway, psycopg.OperationalError):
                time.sleep(0.05)
        yield run_dir
        server.terminate()


@pytest.fixture
def database_url(postgres: Path) -> Iterator[str]:
    """A new, empty database; the URL is one for DATABASE_URL and for psycopg."""
    name = f"test_{secrets.token_hex(8)}"
    with psycopg.connect(database.conninfo(database.superuser_url(postgres)), autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name} OWNER {database.NAME}".encode())
        yield database.conninfo(database.database_url(postgres, None).set(database=name))
        session.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
