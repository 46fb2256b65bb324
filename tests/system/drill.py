"""The price stream under faults: real feeds and aggregator, each a process, and a watch over every tick."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec
import psutil
import zmq

from actors.bus import codec, endpoints, sockets, topics
from actors.bus.answers import Reply
from actors.bus.requests import AggregatorRequest
from actors.bus.streams import FeedStatus, StreamStatus
from actors.domain.prices.lp_registry import ChangeLp, Lp, LpChange, Registry
from actors.domain.prices.lp_status import LpStatus
from actors.domain.quote import Tick
from actors.store.lp_config import LpConfig
from tests.system.lps import QUIET, SECRETS, Lps
from tests.system.running import ROOT, STOP_LIMIT_S

PATIENCE_S = 120.0
LIMIT_NS = 4_000_000_000
"""No published price is older: a connection's first may be silence_ms old, and stands as long (3 s), and a quote
may wait for the aggregator so long; a second for the sweep and a busy machine."""
BEST = {"EURUSD": "FIRST", "GBPUSD": "FIRST", "AUDUSD": "FIRST", "BTCUSD": "COIN", QUIET: "SECOND"}
"""Whose price is published while all is well."""

_decode_ticks = codec.decoder(list[Tick])
_decode_status = codec.decoder(StreamStatus)
_decode_reply = codec.decoder(Reply)


class Drill:
    """A price stream, and what was seen of it so far. Each tick is checked as it comes."""

    def __init__(self, folder: Path, lps: Lps) -> None:
        self.lps = lps
        self.folder = folder
        self.last: dict[str, Tick] = {}
        self.ticks: list[Tick] = []
        self.status: StreamStatus | None = None
        self.aggregator_behind_ns = 0
        """How far the aggregator's clock is behind that of the LPs."""
        self._requests = 0
        self.may_skip = False
        """Whether tick numbers may leave some out: after a restart of the aggregator."""
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._run_dir = folder / "var"
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        at = endpoints.local(self._run_dir)
        self._ticks = sockets.subscriber(self._context, at.ticks, topics.TICK_PREFIX, topics.STATUS)
        self._asking = sockets.dealer(self._context, at.aggregator)
        LpConfig(self._run_dir / "lp_config").save(Registry(1, lps.registry(), time.time_ns(), "drill", "the start"))

    def __enter__(self) -> Self:
        self.start("aggregator")
        self.start("feeds")
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes.values()):
            process.terminate()
        for process in self._processes.values():
            process.wait(STOP_LIMIT_S)
        self._context.destroy(linger=0)
        shutil.rmtree(endpoints.socket_folder(self._run_dir))

    def start(self, name: str, clock_ahead_ms: int = 0) -> None:
        module = {"aggregator": "tests.system.drill_aggregator", "feeds": "actors.feeds"}[name]
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("HEDGEROW_")}
        own = {
            "HEDGEROW_RUN_DIR": str(self._run_dir),
            "PYTHONPATH": str(Path(__file__).parent / "narrow_lp"),
            "DRILL_CLOCK_AHEAD_MS": str(clock_ahead_ms),
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", module], cwd=ROOT, env=inherited | own | SECRETS, stdout=log, stderr=log
            )

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def aggregator(self) -> psutil.Process:
        return psutil.Process(self._processes["aggregator"].pid)

    def feed(self, lp: str) -> psutil.Process:
        """The process of an LP's feed."""
        children = psutil.Process(self._processes["feeds"].pid).children()
        (found,) = [child for child in children if lp in child.cmdline()]
        return found

    def restart_aggregator(self, clock_ahead_ms: int) -> None:
        """SIGKILL, and a new one."""
        self.aggregator().send_signal(signal.SIGKILL)
        self._processes["aggregator"].wait()
        while self._ticks.poll(500):  # what it had still sent
            self.take()
        self.may_skip = True
        # Its prices died with it: a new one's status knows nothing of them.
        self.last = {symbol: msgspec.structs.replace(tick, live=False) for symbol, tick in self.last.items()}
        self.aggregator_behind_ns = -clock_ahead_ms * 1_000_000
        self.start("aggregator", clock_ahead_ms)

    def change(self, change: LpChange) -> None:
        """Asks for it until it is done."""
        self.until(lambda: self._answer(change) is not None)

    def renew(self, lp: str) -> None:
        """New connections, whose backoff begins anew."""
        config = LpConfig(self._run_dir / "lp_config").load()
        assert config is not None
        entry: Lp = config.lps[lp]
        silence_ms = 2_000 + (entry.silence_timeout_ms + 1) % 2
        self.change(ChangeLp(by="drill", lp=msgspec.structs.replace(entry, silence_timeout_ms=silence_ms)))

    def until(self, holds: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
        """Takes in what is published until it is so."""
        deadline = time.monotonic() + patience_s
        while True:
            self.take()
            if found := holds():
                return found
            assert time.monotonic() < deadline, f"not within {patience_s:g} s: {self.status}"
            self._ticks.poll(50)

    def watch(self, seconds: float) -> list[Tick]:
        """The ticks of so much time."""
        self.take()
        begun, until = len(self.ticks), time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= until)
        return self.ticks[begun:]

    def well(self) -> bool:
        """Whether each symbol has the price of the LP whose it ought to be, all are connected, nobody in quarantine."""
        names = {symbol: tick.lp_bid for symbol, tick in self.last.items() if tick.live}
        if self.status is None or names != BEST or any(lp.quarantined for lp in self.status.lps):
            return False
        return {feed.venue for feed in self.status.feeds if feed.connected} == self.lps.lps.keys()

    def source(self, symbol: str) -> str:
        """Whose the price is now; nothing: there is none."""
        tick = self.last[symbol]
        return tick.lp_bid if tick.live else ""

    def lp(self, name: str) -> LpStatus:
        """What the aggregator says of it."""
        assert self.status is not None
        return next(lp for lp in self.status.lps if lp.venue == name)

    def told(self, name: str) -> FeedStatus:
        """What its feed says of itself."""
        assert self.status is not None
        return next(feed for feed in self.status.feeds if feed.venue == name)

    def dropped(self, name: str) -> dict[str, int]:
        """By either of them."""
        return dict(self.lp(name).dropped) | dict(self.told(name).dropped)

    def take(self) -> None:
        """What is there; every tick is checked."""
        while self._ticks.poll(0):
            topic, body = codec.topic_and_body(self._ticks.recv())
            if topic == topics.STATUS:
                self.status = _decode_status(body)
                self._check_status(self.status)
                continue
            for tick in _decode_ticks(body):
                self._check(tick)

    def _check(self, tick: Tick) -> None:
        """In its order, not crossed, and of prices that were shown a short while ago."""
        before = self.last.get(tick.symbol)
        if before is not None and tick.seq != before.seq:
            assert tick.seq == before.seq + 1 or (self.may_skip and tick.seq > before.seq), (before, tick)
        self.last[tick.symbol] = tick
        self.ticks.append(tick)
        if tick.live:
            assert 0 < tick.bid_e8 <= tick.ask_e8, tick
            self._check_age(tick, tick.time_ns)

    def _check_status(self, status: StreamStatus) -> None:
        """What is published still is as young, and of an LP that is connected and in no quarantine."""
        lps = {lp.venue: lp for lp in status.lps}
        for tick in self.last.values():
            if not tick.live:
                continue
            self._check_age(tick, status.time_ns)
            for name in (tick.lp_bid, tick.lp_ask):
                assert lps[name].connected, (name, tick)
                assert tick.symbol not in lps[name].quarantined, (name, tick)

    def _check_age(self, tick: Tick, time_ns: int) -> None:
        if tick.symbol == QUIET:
            return
        for lp, price_e8 in ((tick.lp_bid, tick.bid_e8), (tick.lp_ask, tick.ask_e8)):
            age_ns = time_ns + self.aggregator_behind_ns - self.lps[lp].shown_ns[tick.symbol, price_e8]
            # An aggregator whose clock is behind that of the feeds takes their quotes for so much younger.
            assert age_ns <= LIMIT_NS + max(self.aggregator_behind_ns, 0), (age_ns / 1e9, lp, tick)

    def _answer(self, change: LpChange) -> object:
        """None: there was none; it may come later."""
        self._requests += 1
        self._asking.send(codec.encode(AggregatorRequest(self._requests, change)))
        while self._asking.poll(2_000):
            reply = _decode_reply(self._asking.recv())
            if reply.request_id == self._requests:
                return reply.body
        return None
