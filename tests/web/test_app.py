"""The process itself: start, secrets, SIGTERM, exit codes."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from websockets.sync.client import connect

from actors.store import private_files
from tests.ports import free_port
from web.auth import keyring

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 90.0


def environment(run_dir: Path, port: int) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HEDGEROW_")}
    return inherited | {"HEDGEROW_RUN_DIR": str(run_dir), "HEDGEROW_HTTP_PORT": str(port)}


@contextmanager
def process(run_dir: Path, port: int, **settings: str) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [sys.executable, "-m", "web.app"],
        cwd=ROOT,
        env=environment(run_dir, port) | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/health", timeout=PATIENCE_S).raise_for_status()
            return
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_it_lives_alone_says_goodbye_and_exits_with_0(tmp_path: Path) -> None:
    port = free_port()
    with process(tmp_path / "var", port) as web:
        wait_for(port)
        assert httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=PATIENCE_S).status_code == 503
        (key,) = (tmp_path / "var" / "secrets" / "signing").iterdir()
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        with connect(f"ws://127.0.0.1:{port}/ws", open_timeout=PATIENCE_S, ping_interval=None) as client:
            web.send_signal(signal.SIGTERM)
            assert [*client] == []
            assert client.close_code == 1001
        out, err = web.communicate(timeout=PATIENCE_S)
        assert (web.returncode, err) == (0, "")
        assert "stopped" in out
        assert key.read_text() not in out


def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        with process(tmp_path / "var", port) as web:
            _, err = web.communicate(timeout=PATIENCE_S)
    assert web.returncode == 2
    assert err == f"hedgerow: HEDGEROW_HTTP_PORT: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_a_key_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "secrets" / "signing"
    kid = keyring.make(folder)
    (folder / kid).chmod(0o644)
    with process(tmp_path / "var", free_port()) as web:
        _, err = web.communicate(timeout=PATIENCE_S)
    assert web.returncode == 2
    assert err == f"hedgerow: {folder / kid} can be read by others; its mode must be 0600.\n"


def test_production_does_not_make_its_secrets_itself(tmp_path: Path) -> None:
    run_dir = tmp_path / "var"
    with process(run_dir, free_port(), HEDGEROW_PRODUCTION="1") as web:
        _, err = web.communicate(timeout=PATIENCE_S)
    assert (web.returncode, "holds no signing key" in err) == (2, True)
    keyring.make(keyring.folder_of(run_dir / "secrets"))
    with process(run_dir, free_port(), HEDGEROW_PRODUCTION="1") as web:
        _, err = web.communicate(timeout=PATIENCE_S)
    assert (web.returncode, "secrets/totp is missing" in err) == (2, True)
    private_files.write(run_dir / "secrets" / "totp", os.urandom(32).hex())
    port = free_port()
    with process(run_dir, port, HEDGEROW_PRODUCTION="1"):
        wait_for(port)
    with process(run_dir, free_port(), HEDGEROW_PRODUCTION="1", HEDGEROW_HTTP_HOST="0.0.0.0") as web:  # noqa: S104
        _, err = web.communicate(timeout=PATIENCE_S)
    assert (web.returncode, "HEDGEROW_TLS_CERT is not set" in err) == (2, True)
