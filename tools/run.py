"""Starts the broker: the Procfile under honcho, and when all processes are ready, where to find it (`make run`)."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from config import settings as config

ROOT = Path(__file__).parent.parent
POLL_INTERVAL_S = 0.25


def main() -> int:
    settings = config.load()
    credentials = settings.run_dir.resolve() / "credentials.json"
    is_first_start = not credentials.exists()
    url = f"http://{settings.http_host}:{settings.http_port}"
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
            print(_banner(url, credentials if is_first_start else None), flush=True)
            break
        time.sleep(POLL_INTERVAL_S)
    status = honcho.wait()
    return 0 if stopped else status


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=2).is_success
    except httpx.HTTPError:
        return False


def _banner(url: str, credentials: Path | None) -> str:
    lines = ["", f"  Hedgerow is ready: {url}"]
    if credentials is not None and credentials.exists():
        users = json.loads(credentials.read_text(encoding="utf-8"))
        for role, user in users.items():
            lines.append(f"  {role:<7} {user['username']}  password {user['password']}")
        lines.append(f"  (kept in {credentials}; shown this once)")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
