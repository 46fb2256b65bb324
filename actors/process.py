"""What every process does around its actor: settings, logging, signals, a clock, an exit code."""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pykka
import structlog
import zmq

from actors.bus import endpoints
from actors.bus.endpoints import Endpoints
from actors.bus.pump import Pump
from actors.counters import CounterLog
from config import settings as config
from config.settings import Settings

Context = zmq.Context[zmq.Socket[bytes]]


class Clock:
    """UTC nanoseconds since the epoch, which never fall and never stand still.

    It goes as the machine's clock goes, forward steps (after a suspend, by NTP) included. After a step back it goes at
    half speed until the machine's clock has caught up, so limits in time hold meanwhile.
    """

    def __init__(
        self,
        not_before_ns: int = 0,
        wall_ns: Callable[[], int] = time.time_ns,
        steady_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._now_ns = not_before_ns
        self._wall_ns = wall_ns
        self._steady_ns = steady_ns
        self._asked_ns = steady_ns()

    def __call__(self) -> int:
        passed_ns = self._steady_ns() - self._asked_ns
        self._asked_ns += passed_ns
        self._now_ns = max(self._wall_ns(), self._now_ns + passed_ns // 2)
        return self._now_ns


clock_ns = Clock()
"""The one clock of the process."""


class Runner(Protocol):
    """What turns until the process is asked to stop."""

    def run(self, stopping: Callable[[], bool]) -> None: ...


class Running(NamedTuple):
    """The usual runner: an actor, and the sockets that it is pumped from."""

    actor: pykka.ActorRef[Any]
    sockets: Mapping[str, zmq.Socket[bytes]]
    interval_ms: int
    clock: Callable[[], int] = clock_ns

    def run(self, stopping: Callable[[], bool]) -> None:
        pump = Pump(self.actor, self.sockets, self.clock, interval_ms=self.interval_ms)
        counter_log = CounterLog(lambda: {"unsent": pump.dropped})

        def is_over() -> bool:
            counter_log.tell(time.monotonic_ns())
            return stopping()

        pump.run(is_over)
        counter_log.tell(time.monotonic_ns(), last=True)


def run(name: str, build: Callable[[Settings, Endpoints, Context], Runner]) -> None:
    """The life of a process: build, run until SIGTERM or SIGINT, drain, exit 0; exit 1 when the actor fails."""
    settings = config.load()
    config.configure_logging(settings.log_level)
    log = structlog.get_logger(name)
    stopping = Stopping()
    claim(settings, name)
    context: Context = zmq.Context()
    try:
        runner = build(settings, endpoints.local(settings.run_dir), context)
        log.info("ready", process=name)
        runner.run(stopping)
        log.info("stopped", process=name)
    except Exception:
        log.exception("failed", process=name)
        sys.exit(1)
    finally:
        pykka.ActorRegistry.stop_all()
        context.destroy()


def claim(settings: Settings, name: str) -> None:
    """Makes the run directory where there is none, and this process its only `name` for as long as it lives.

    A second one would take the sockets away from the first: it ends here, with one line and exit code 1. Whatever this
    process writes from now on is its owner's alone. Others may pass through the directory, not look: the embedded
    database runs as another user when we are root.
    """
    os.umask(0o077)
    run_dir = settings.run_dir.resolve()
    try:
        if not run_dir.exists():
            run_dir.mkdir(parents=True, exist_ok=True)
            run_dir.chmod(0o711)
        owner = _lock(run_dir / "locks" / name)
    except OSError as error:
        config.stop(f"HEDGEROW_RUN_DIR: {run_dir} cannot be used: {error.strerror}")
    if owner:
        sys.exit(f"hedgerow: {name} runs in {run_dir} already, as process {owner}")


def _lock(path: Path) -> str:
    """Locks a file until this process ends; where another one has it, gives that one's number instead."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(descriptor, 20).decode("ascii", "replace") or "unknown"
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return ""


class Stopping:
    """True once SIGTERM or SIGINT has come."""

    def __init__(self) -> None:
        self._asked = False
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, *_: object) -> None:
        self._asked = True

    def __call__(self) -> bool:
        return self._asked
