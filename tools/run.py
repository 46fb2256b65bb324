"""Starts the broker: the Procfile under honcho, and when all processes are ready, where to find it (`make run`)."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
from tornado.netutil import bind_sockets

from actors import process
from config import settings as config

ROOT = Path(__file__).parent.parent
POLL_INTERVAL_S = 0.25


def main() -> int:
    settings = config.load()
    config.configure_logging(settings.log_level)
    process.claim(settings, "broker")
    _check_port(settings)
    credentials = settings.run_dir.resolve() / "credentials.json"
    is_first_start = not credentials.exists()
    url = address(settings.http_host, settings.http_port)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
    }
    honcho = subprocess.Popen([sys.executable, "-m", "honcho", "start"], cwd=ROOT, env=environment)
    stopped: list[int] = []

    def stop(number: int, _: object) -> None:
        stopped.append(number)
        honcho.send_signal(signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    while honcho.poll() is None:
        if _is_ready(url):
            print(_banner(url, credentials, is_first_start), flush=True)
            break
        time.sleep(POLL_INTERVAL_S)
    status = honcho.wait()
    return 0 if stopped else status


def address(host: str, port: int) -> str:
    """Where a browser on this machine finds what listens there."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (nothing is bound here)
    return f"http://[{here}]:{port}" if ":" in here else f"http://{here}:{port}"


def _check_port(settings: config.Settings) -> None:
    """Ends with one line where another program has the port, whose answers we would take for our own."""
    try:
        for socket in bind_sockets(settings.http_port, settings.http_host):
            socket.close()
    except OSError as error:
        where = f"{settings.http_host}:{settings.http_port}"
        config.stop(f"HEDGEROW_HTTP_PORT: cannot listen on {where}: {error.strerror}")


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _banner(url: str, credentials: Path, is_first_start: bool) -> str:
    lines = ["", f"  Hedgerow is ready: {url}"]
    if is_first_start and credentials.exists():
        users = json.loads(credentials.read_text(encoding="utf-8"))
        for role, user in users.items():
            lines.append(f"  {role:<7} {user['username']}  password {user['password']}")
        lines.append(f"  (kept in {credentials}; shown this once)")
    elif credentials.exists():
        lines.append(f"  (users and passwords are in {credentials})")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
