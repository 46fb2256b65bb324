"""The market that both simulated LPs show: recorded rows where there are any, the model for the rest."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tools.venues import model
from tools.venues.recording import Recording

NEXT_RECORDING_NS = 1_000_000_000
"""The pause before a recording begins again, or before the next recording of the same symbols begins."""
TURN_TICKS = 64
"""So many ticks are shown at most before the servers get a turn to write them."""


class Tick(NamedTuple):
    """Time since the beginning, the market's symbol, and prices as decimal text."""

    offset_ns: int
    symbol: str
    bid: str
    ask: str


@dataclass(slots=True)
class Market:
    """What there is to show. Plays run `speed` times as fast as the clock.

    At speed 0 recorded rows come as fast as the clients read, and the model in its real rhythm. Recordings start
    together, whatever their dates, and begin again when they end, unless `once`; recordings that share a symbol
    follow one another.
    """

    recordings: Sequence[Recording] = ()
    seed: int = 1
    speed: float = 1.0
    once: bool = False
    model_began_at: float | None = field(default=None, init=False)

    def recorded(self, symbols: Collection[str]) -> Iterator[Tick]:
        """The recorded rows of these symbols; raises `RecordingError` if a file has changed since it was checked."""
        queues = [self._queue(queue, symbols) for queue in _queues(self.recordings)]
        return heapq.merge(*queues, key=lambda tick: tick.offset_ns)

    def modelled(self, symbols: Collection[str], second: bool) -> Iterator[Tick]:
        """The model's endless ticks of those of these symbols that no recording has; `second`: as another LP quotes."""
        recorded = frozenset[str]().union(*(recording.symbols for recording in self.recordings))
        made = model.ticks(set(symbols) - recorded, self.seed)
        for offset_ns, symbol, bid, ask in model.second_opinion(made, self.seed) if second else made:
            digits = model.PAIRS[symbol].digits
            yield Tick(offset_ns, symbol, _decimal(bid, digits), _decimal(ask, digits))

    def _queue(self, queue: Sequence[Recording], symbols: Collection[str]) -> Iterator[Tick]:
        if not any(recording.symbols.intersection(symbols) for recording in queue):
            return
        offset_ns = 0
        while True:
            for recording in queue:
                start_ns = offset_ns
                for row in recording.rows():
                    offset_ns = max(offset_ns, start_ns + row.time_ns - recording.first_ns)
                    if row.symbol in symbols:
                        yield Tick(offset_ns, row.symbol, row.bid, row.ask)
                offset_ns += NEXT_RECORDING_NS
            if self.once:
                return


def _queues(recordings: Sequence[Recording]) -> list[list[Recording]]:
    """Recordings that share a symbol, by the time of their first row."""
    queues: list[list[Recording]] = []
    for recording in sorted(recordings, key=lambda recording: recording.first_ns):
        same = [queue for queue in queues if any(other.symbols & recording.symbols for other in queue)]
        queues = [queue for queue in queues if queue not in same]
        queues.append([*(other for queue in same for other in queue), recording])
    return queues


def _decimal(points: int, digits: int) -> str:
    text = str(points).rjust(digits + 1, "0")
    return f"{text[:-digits]}.{text[-digits:]}"


class Play:
    """One LP's showing of the market: every tick of its symbols, in order, none left out, to `show(name, bid, ask)`.

    It begins at `begin`, when the LP has its first client. Recorded rows then start from the first; the model has been
    running since the first LP began, so that all LPs show one market. Each tick comes `lag_ms` late. `room` is awaited
    between turns at speed 0: it returns when the clients have read enough.
    """

    def __init__(
        self,
        market: Market,
        names: Mapping[str, str],
        show: Callable[[str, str, str], None],
        room: Callable[[], Awaitable[None]],
        lag_ms: int = 0,
        second: bool = False,
    ):
        self._market = market
        self._names = names
        self._show = show
        self._room = room
        self._lag_s = lag_ms / 1000
        self._second = second
        self._tasks: list[asyncio.Task[None]] = []
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Never has a result; gets the exception if a play breaks off."""

    def begin(self) -> None:
        """Start, once: calling it again changes nothing."""
        if self._tasks:
            return
        market, now = self._market, asyncio.get_running_loop().time()
        if market.model_began_at is None:
            market.model_began_at = now
        model_speed = market.speed or 1.0
        skip_ns = int((now - market.model_began_at) * model_speed * 1e9)
        recorded = market.recorded(self._names.keys())
        modelled = market.modelled(self._names.keys(), self._second)
        for play in (
            self._play(recorded, now, market.speed, skip_ns=0),
            self._play(modelled, market.model_began_at, model_speed, skip_ns),
        ):
            task = asyncio.create_task(play)
            task.add_done_callback(self._ended)
            self._tasks.append(task)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.failed.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) and not self.failed.done():
            self.failed.set_exception(error)

    async def _play(self, ticks: Iterator[Tick], began_at: float, speed: float, skip_ns: int) -> None:
        loop = asyncio.get_running_loop()
        for count, tick in enumerate(ticks):
            wait_s = began_at + self._lag_s + tick.offset_ns / 1e9 / speed - loop.time() if speed else 0.0
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            elif count % TURN_TICKS == 0:
                await (asyncio.sleep(0) if speed else self._room())
            if tick.offset_ns >= skip_ns:
                self._show(self._names[tick.symbol], tick.bid, tick.ask)
