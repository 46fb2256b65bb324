"""The feeds process, `python -m actors.feeds`: follows the LP registry, and runs a feed process for each enabled LP.
Those over FIX have none: the process fix-lp has their quotes too.

A feed is a process of its own because a process has one busy thread, and because an adapter may be a stranger's: what
it does to its process it does to no other LP.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog
import zmq

from actors import process
from actors.bus import codec, sockets, topics
from actors.bus.endpoints import Endpoints
from actors.bus.streams import LpsAnnounced
from actors.domain.prices.lp_registry import FIX_ADAPTER
from config.settings import Settings

TURN_MS = 100
BACKOFF_FIRST_S, BACKOFF_CAP_S = 0.5, 30.0
STEADY_S = 60.0
"""A feed that has run for so long begins again with the shortest wait."""
STOP_LIMIT_S = 8.0
"""A feed that is asked to stop and has not stopped within this is killed."""
_ROOT = Path(__file__).parent.parent

_decode_announced = codec.decoder(LpsAnnounced)


class Child:
    """The feed of one LP: running, waiting to be started again, or stopping."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._failures = 0
        self._started_s = 0.0
        self._next_start_s = 0.0
        self._kill_at_s = 0.0
        self._log = structlog.get_logger()

    def turn(self, wanted: bool, now_s: float) -> bool:
        """Does what is due; False when it has stopped and is not wanted."""
        if self._process is not None and self._process.poll() is not None:
            self._ended(self._process.returncode, wanted, now_s)
        if self._process is None:
            if wanted and now_s >= self._next_start_s:
                self._start(now_s)
            return wanted
        if not wanted:
            self._stop(self._process, now_s)
        return True

    def _start(self, now_s: float) -> None:
        self._started_s, self._kill_at_s = now_s, 0.0
        try:
            self._process = subprocess.Popen(self._command, cwd=_ROOT, stdin=subprocess.DEVNULL)
        except OSError as error:
            self._wait(now_s, error.strerror)

    def _stop(self, running: subprocess.Popen[bytes], now_s: float) -> None:
        if not self._kill_at_s:
            self._kill_at_s = now_s + STOP_LIMIT_S
            running.terminate()
        elif now_s >= self._kill_at_s:
            running.kill()

    def _ended(self, status: int, wanted: bool, now_s: float) -> None:
        self._process = None
        if wanted or status:
            self._wait(now_s, f"it ended with {status}")

    def _wait(self, now_s: float, why: str | None) -> None:
        self._failures = 1 if now_s - self._started_s >= STEADY_S else self._failures + 1
        wait_s = min(BACKOFF_FIRST_S * 2.0 ** min(self._failures - 1, 20), BACKOFF_CAP_S)
        self._next_start_s = now_s + wait_s
        self._log.warning("feed ended", command=self._command[-3], why=why, next_start_s=wait_s)


class Feeds:
    """Keeps the running feeds those of the registry. While the aggregator is away, they stay what they are."""

    def __init__(
        self,
        announcements: zmq.Socket[bytes],
        command_of: Callable[[str], list[str]],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._announcements = announcements
        self._command_of = command_of
        self._clock_s = clock_s
        self._wanted: frozenset[str] = frozenset()
        self._children: dict[str, Child] = {}

    def run(self, stopping: Callable[[], bool]) -> None:
        while not stopping():
            if self._announcements.poll(TURN_MS):
                self._hear()
            self._turn()
        self._wanted = frozenset()
        while self._children:
            self._turn()
            time.sleep(TURN_MS / 1_000)

    def _hear(self) -> None:
        with suppress(codec.BadFrame):
            announced: LpsAnnounced = _decode_announced(codec.topic_and_body(self._announcements.recv())[1])
            lps = announced.registry.lps.values()
            self._wanted = frozenset(lp.name for lp in lps if lp.enabled and lp.adapter != FIX_ADAPTER)

    def _turn(self) -> None:
        now_s = self._clock_s()
        for name in sorted(self._wanted | self._children.keys()):
            child = self._children.get(name) or self._children.setdefault(name, Child(self._command_of(name)))
            if not child.turn(name in self._wanted, now_s):
                del self._children[name]


def command_of(name: str) -> list[str]:
    return [sys.executable, "-m", "actors.feed", name, "--parent", str(os.getpid())]


def build(settings: Settings, endpoints: Endpoints, context: process.Context) -> Feeds:
    return Feeds(sockets.subscriber(context, endpoints.ticks, topics.LPS), command_of)


if __name__ == "__main__":
    process.run("feeds", build)
