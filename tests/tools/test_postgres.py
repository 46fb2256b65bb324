"""The embedded PostgreSQL: run, stopped, killed in every way, and its data there again."""

import contextlib
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from actors.store import database
from tests.actors.peers import start
from tools.postgres import Cluster

PATIENCE_S = 60.0


@pytest.fixture
def run_dir() -> Iterator[Path]:
    """Not below pytest's folders, for the reason that conftest.private_folder gives."""
    with tempfile.TemporaryDirectory(prefix="hedgerow-") as folder:
        yield Path(folder) / "var"


@pytest.fixture
def run(run_dir: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts `python -m tools.postgres`; what is left of it is killed at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def run_postgres(folder: Path = run_dir, **settings: str) -> subprocess.Popen[bytes]:
        started.append(start("tools.postgres", folder, run_dir.with_name("log"), **settings))
        return started[-1]

    yield run_postgres
    for process in started:
        process.kill()
        process.wait()
    eventually(lambda: not servers(run_dir))


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.02)


def servers(run_dir: Path) -> list[psutil.Process]:
    """The processes of the server, the postmaster among them."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == "postgres" and process.cwd() == str(database.data_folder(run_dir)):
                found.append(process)
    return found


def connect(run_dir: Path) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(database.conninfo(database.database_url(run_dir, None)))


def until_ready(run_dir: Path, process: subprocess.Popen[bytes]) -> None:
    def ready() -> bool:
        assert process.poll() is None, run_dir.with_name("log").read_text()
        try:
            connect(run_dir).close()
        except (database.DatabaseAway, psycopg.OperationalError):
            return False
        return True

    eventually(ready)


def write(run_dir: Path) -> None:
    with connect(run_dir) as session:
        session.execute("CREATE TABLE kept AS SELECT 42 AS number")


def assert_kept(run_dir: Path) -> None:
    with connect(run_dir) as session:
        assert session.execute("SELECT number FROM kept").fetchall() == [(42,)]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


Run = Callable[..., subprocess.Popen[bytes]]


def test_it_runs_private_and_without_tcp(run: Run, run_dir: Path) -> None:
    until_ready(run_dir, run())
    with connect(run_dir) as session:
        shown = [
            session.execute(f"SHOW {name}".encode()).fetchone()
            for name in ("listen_addresses", "data_checksums", "fsync", "server_encoding", "is_superuser")
        ]
        assert shown == [("",), ("on",), ("on",), ("UTF8",), ("off",)]
    secret = database.password_file(run_dir)
    assert (mode(secret), mode(secret.parent)) == (0o600, 0o700)
    assert mode(database.superuser_password_file(run_dir)) == 0o600
    assert mode(database.data_folder(run_dir)) == 0o700
    assert mode(database.socket_folder(run_dir)) == 0o700
    wrong = database.database_url(run_dir, None).set(password="guessed")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(database.conninfo(wrong))
    assert secret.read_text() not in run_dir.with_name("log").read_text()


def test_sigterm_lets_a_session_finish_and_ends_with_0(run: Run, run_dir: Path) -> None:
    process = run()
    until_ready(run_dir, process)
    with connect(run_dir) as session:
        session.execute("CREATE TABLE kept AS SELECT 42 AS number")
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        session.commit()
    assert process.wait() == 0
    assert servers(run_dir) == []
    until_ready(run_dir, run())
    assert_kept(run_dir)


def test_sigterm_does_not_wait_for_an_idle_session(run: Run, run_dir: Path) -> None:
    process = run()
    until_ready(run_dir, process)
    with contextlib.closing(connect(run_dir)):
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0


def test_the_server_does_not_outlive_its_killed_parent(run: Run, run_dir: Path) -> None:
    process = run()
    until_ready(run_dir, process)
    write(run_dir)
    process.kill()
    eventually(lambda: not servers(run_dir))
    until_ready(run_dir, run())
    assert_kept(run_dir)


def test_it_starts_after_everything_was_killed(run: Run, run_dir: Path) -> None:
    process = run()
    until_ready(run_dir, process)
    write(run_dir)
    for server in servers(run_dir):
        with contextlib.suppress(psutil.NoSuchProcess):  # the others end by themselves when the postmaster is killed
            server.kill()
    assert process.wait() == 1
    assert (database.data_folder(run_dir) / "postmaster.pid").exists()
    until_ready(run_dir, run())
    assert_kept(run_dir)


def test_it_stops_a_server_that_was_left_running(run: Run, run_dir: Path) -> None:
    process = run()
    until_ready(run_dir, process)
    write(run_dir)
    process.kill()
    eventually(lambda: not servers(run_dir))
    leftover = Cluster(run_dir).start()
    eventually(lambda: len(servers(run_dir)) > 1)
    process = run()
    leftover.wait()
    until_ready(run_dir, process)
    assert_kept(run_dir)


@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.3])
def test_an_initdb_that_was_killed_half_way_is_done_again(run: Run, run_dir: Path, delay_s: float) -> None:
    process = run()
    made = database.data_folder(run_dir)
    eventually(lambda: made.exists() or bool(list(run_dir.glob("postgres.new-*/cluster/PG_VERSION"))))
    time.sleep(delay_s)
    process.kill()
    process.wait()
    until_ready(run_dir, run())
    assert not list(run_dir.glob("postgres.new-*"))


def test_a_second_one_is_refused_with_one_line(run: Run, run_dir: Path) -> None:
    first = run()
    until_ready(run_dir, first)
    second = run()
    assert second.wait() == 1
    said = run_dir.with_name("log").read_text().splitlines()  # The first may say something too.
    assert f"hedgerow: postgres runs in {run_dir.resolve()} already, as process {first.pid}" in said
    until_ready(run_dir, first)


def test_a_lost_superuser_password_is_said_in_one_line(run: Run, run_dir: Path) -> None:
    process = run()
    until_ready(run_dir, process)
    process.terminate()
    process.wait()
    secret = database.superuser_password_file(run_dir.resolve())
    secret.unlink()
    assert run().wait() == 1
    data = database.data_folder(run_dir)
    last = run_dir.with_name("log").read_text().splitlines()[-1]
    assert last == f"hedgerow: postgres: {secret} is missing: without it the database in {data} stays closed"


def test_a_lost_password_is_made_anew(run: Run, run_dir: Path) -> None:
    process = run()
    until_ready(run_dir, process)
    write(run_dir)
    process.terminate()
    process.wait()
    database.password_file(run_dir).unlink()
    until_ready(run_dir, run())
    assert_kept(run_dir)


def test_a_long_path_has_its_socket_elsewhere(run: Run, run_dir: Path) -> None:
    long = run_dir / ("long" * 20) / "var"
    process = run(long)
    until_ready(long, process)
    assert mode(database.socket_folder(long)) == 0o700
    process.terminate()
    assert process.wait() == 0
    database.socket_folder(long).rmdir()


@pytest.mark.parametrize("name", ["two words", "one, two"])
def test_a_path_may_have_blanks_and_commas(run: Run, run_dir: Path, name: str) -> None:
    """A blank ends a value for libpq, and a comma a host."""
    odd = run_dir / name
    process = run(odd)
    until_ready(odd, process)
    process.terminate()
    assert process.wait() == 0
    database.socket_folder(odd).rmdir()


def test_with_a_database_url_it_runs_nothing(run: Run, run_dir: Path) -> None:
    process = run(DATABASE_URL="postgresql://somebody@example.org/broker")
    eventually(lambda: "nothing to run" in run_dir.with_name("log").read_text())
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0
    assert not run_dir.exists()
