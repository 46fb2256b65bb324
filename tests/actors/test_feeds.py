"""The feeds process with real children: which run, what becomes of one that dies, and what they leave behind."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from actors import feeds
from actors.bus import codec, sockets, topics
from actors.bus.streams import LpsAnnounced
from actors.domain.prices.lp_registry import Lp, Registry
from actors.feeds import Feeds

PATIENCE_S = 90.0
STAYS = "import sys, os, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {STAYS}"


class Running:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = STAYS
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._ticks = sockets.publisher(self._context, f"ipc://{folder}/ticks")
        self._stopping = threading.Event()
        following = sockets.subscriber(self._context, f"ipc://{folder}/ticks", topics.LPS)
        process = Feeds(following, self._command)
        self._thread = threading.Thread(target=process.run, args=(self._stopping.is_set,))
        self._thread.start()

    def _command(self, name: str) -> list[str]:
        return [sys.executable, "-c", self.program, str(self.folder / name)]

    def starts(self, name: str) -> list[int]:
        """The process ids under which a feed has been."""
        path = self.folder / name
        return [int(line) for line in path.read_text().splitlines()] if path.exists() else []

    def announce(self, *names: str, disabled: str = "") -> None:
        lps = {name: Lp(name, "x", {}, enabled=name != disabled) for name in names}
        self._ticks.send(codec.encode(LpsAnnounced(1, Registry(1, lps, 1, "root", "")), topics.LPS))

    def until(self, holds: Any, *names: str, disabled: str = "") -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline
            self.announce(*names, disabled=disabled)
            time.sleep(0.02)

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        self._context.destroy(linger=0)


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(feeds, "BACKOFF_FIRST_S", 0.05)
    monkeypatch.setattr(feeds, "STOP_LIMIT_S", 0.3)
    made = Running(tmp_path)
    yield made
    made.close()


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_there_is_a_process_for_each_enabled_lp(running: Running) -> None:
    running.until(lambda: running.starts("ONE") and running.starts("TWO"), "ONE", "TWO", "OFF", disabled="OFF")
    assert running.starts("OFF") == []
    (one,), (two,) = running.starts("ONE"), running.starts("TWO")
    running.until(lambda: not is_alive(one), "ONE", "TWO", disabled="ONE")
    running.until(lambda: not is_alive(two), "ONE")
    running.until(lambda: len(running.starts("ONE")) == 2, "ONE")


def test_one_that_dies_is_started_again(running: Running) -> None:
    running.until(lambda: running.starts("ONE"), "ONE")
    os.kill(running.starts("ONE")[0], signal.SIGKILL)
    running.until(lambda: len(running.starts("ONE")) == 2, "ONE")


def test_one_that_does_not_stop_is_killed(running: Running) -> None:
    running.program = STUBBORN
    running.until(lambda: running.starts("ONE"), "ONE")
    running.until(lambda: not is_alive(running.starts("ONE")[0]))


def test_none_is_left_when_it_stops(tmp_path: Path) -> None:
    running = Running(tmp_path)
    running.until(lambda: running.starts("ONE"), "ONE")
    running.close()
    assert not is_alive(running.starts("ONE")[0])
