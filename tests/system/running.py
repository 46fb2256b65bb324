"""The real Procfile as real processes on free ports, each of which a test may kill and start again."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 150.0
"""For a machine that is busy with other things: this many processes take a while to start."""
STOP_LIMIT_S = 60.0


class Broker:
    """One broker: its processes by name, and where it answers."""

    def __init__(self, run_dir: Path, **settings: str) -> None:
        """`run_dir` is made by the broker, in a folder for its logs.

        `settings`: environment variables beside those of the run directory and the port.
        """
        run_dir.parent.mkdir(exist_ok=True)
        self.run_dir = run_dir
        self.port = free_port()
        self.fix_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        own = {"HEDGEROW_RUN_DIR": str(run_dir), "HEDGEROW_HTTP_PORT": str(self.port)}
        own["HEDGEROW_FIX_PORT"] = str(self.fix_port)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HEDGEROW_")}
        self.environment = {**inherited, **own, **settings}
        self._commands = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._lives: dict[str, int] = {}
        """Where in its log the process that was started last begins."""

    def __enter__(self) -> "Broker":
        for name in self._commands:
            self.start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes.values()):
            process.terminate()
        for name, process in self._processes.items():
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise AssertionError(f"{name} did not stop on SIGTERM") from None

    def start(self, name: str) -> None:
        program, *arguments = shlex.split(self._commands[name])
        assert program == "python"
        log = (self.run_dir.parent / f"{name}.log").open("ab")
        self._lives[name] = log.tell()
        self._processes[name] = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT
        )
        log.close()

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def kill(self, name: str) -> None:
        """SIGKILL: no goodbye, nothing written."""
        process = self._processes[name]
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)

    def kill_a_child(self, name: str) -> None:
        """SIGKILL to one of the processes that it has started; waits until it has ended for that reason."""
        process = self._processes[name]
        eventually(psutil.Process(process.pid).children)[0].kill()
        process.wait(PATIENCE_S)

    def wait_ready(self) -> None:
        def ready() -> bool:
            for name, process in self._processes.items():
                status = process.poll()
                assert status is None, f"{name} ended with {status}: {self.log(name)}"
            try:
                return self.ask("GET", "/health/ready").is_success
            except httpx.TransportError:
                return False

        eventually(ready)

    def log(self, name: str) -> str:
        return (self.run_dir.parent / f"{name}.log").read_text()

    def log_of_this_life(self, name: str) -> str:
        """Without what those have said that ran before the last start."""
        return (self.run_dir.parent / f"{name}.log").read_bytes()[self._lives[name] :].decode()

    def credentials(self, role: str) -> dict[str, str]:
        users: dict[str, dict[str, str]] = json.loads((self.run_dir / "credentials.json").read_text())
        return users[role]

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Over a connection of its own."""
        return httpx.request(method, f"{self.url}{path}", timeout=PATIENCE_S, **request)

    def client(self, role: str = "trader") -> httpx.Client:
        """Logged in over HTTP; waits where others have tried too often, or the users cannot be asked right now."""

        def logged_in() -> httpx.Response | None:
            reply = self.ask("POST", "/login", json=self.credentials(role))
            if reply.status_code in (429, 503, 504):
                time.sleep(int(reply.headers.get("Retry-After", 0)))
                return None
            return reply

        reply = eventually(logged_in)
        assert reply.status_code == 200, reply.text
        token = reply.json()["access_token"]
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_S)


def eventually(holds: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """What `holds` gives once it is true; fails when it has not become so in time."""
    deadline = time.monotonic() + patience_s
    while not (found := holds()):
        assert time.monotonic() < deadline, f"not within {patience_s:g} s"
        time.sleep(0.1)
    return found


def until_dealable(client: httpx.Client, symbol: str = "EURUSD") -> None:
    """Until the engine would deal: it may know of a price after others, and the web process may still be away."""
    order = {"symbol": symbol, "side": "buy", "quantity": "1000"}

    def would_deal() -> bool:
        try:
            return client.get("/risk/margin-preview", params=order).is_success
        except httpx.TransportError:
            return False

    eventually(would_deal)
