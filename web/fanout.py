"""Ticks to many clients: the JSON of a tick is made once, conflation has one clock, and equal clients share one write.

Clients that follow the same symbols at the same rate are a cohort. At a cohort's turn the last ticks of the symbols
that have moved since its turn before are put together once, and written to each of its clients.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from actors.bus.prices import Prices
from actors.domain.quote import Tick
from web.frame import text_frame
from web.schema import TickMessage

TURNS_PER_SECOND = 10
"""How often a client hears of a symbol at most, unless it asked for every tick."""
EVERY_TICK = 0
"""The turns between two messages of a client that asked for every tick."""


class Client(Protocol):
    """Takes frames to send. It bounds what it holds back itself, and closes where that is too much."""

    def send(self, frames: bytes) -> None: ...


def turns_for(max_rate: int) -> int:
    """Turns from one message to the next, so that there are at most `max_rate` (1 to TURNS_PER_SECOND) a second."""
    return -(-TURNS_PER_SECOND // max_rate)


class _Cohort:
    def __init__(self, turns: int, symbols: tuple[str, ...]) -> None:
        self.turns = turns
        self.symbols = symbols
        self.version = 0
        self.members: dict[Client, None] = {}
        self.joining: dict[Client, int] = {}
        """Clients that came since the last turn, with the version of the prices that they have."""


class Fanout:
    """Who follows which symbols, how often. `observe` and `turn` send; everything else is asked by clients."""

    def __init__(self, prices: Prices, render: Callable[[Tick], TickMessage]) -> None:
        self._prices = prices
        self._render = render
        self._version = 0
        self._changed: dict[str, int] = {}
        """By symbol, the version at which its price changed."""
        self._frames: dict[str, bytes] = {}
        """By symbol, the frame of its last tick, once it has been asked for."""
        self._turns = 0
        self._wanted: dict[Client, dict[str, int]] = {}
        """By client, the symbols that it follows and the turns between two messages."""
        self._cohorts: dict[tuple[int, tuple[str, ...]], _Cohort] = {}

    @property
    def clients(self) -> int:
        return len(self._wanted)

    def observe(self, ticks: list[Tick]) -> None:
        """Takes note of new ticks. Who wants every one of them gets them now."""
        self._version += 1
        for tick in ticks:
            self._changed[tick.symbol] = self._version
            self._frames.pop(tick.symbol, None)
        eager = [cohort for cohort in self._cohorts.values() if cohort.turns == EVERY_TICK]
        if not eager:
            return
        frames = [(tick.symbol, text_frame(self._render(tick))) for tick in ticks]
        self._frames.update(frames)
        for cohort in eager:
            wanted = frozenset(cohort.symbols)
            self._send(cohort.members, b"".join(frame for symbol, frame in frames if symbol in wanted))

    def turn(self) -> None:
        """A tenth of a second has passed."""
        self._turns += 1
        for cohort in self._cohorts.values():
            if cohort.turns == EVERY_TICK or self._turns % cohort.turns:
                continue
            self._send(cohort.members, self._since(cohort.symbols, cohort.version))
            for client, version in cohort.joining.items():
                self._send((client,), self._since(cohort.symbols, version))
                cohort.members[client] = None
            cohort.joining.clear()
            cohort.version = self._version

    def subscribe(self, client: Client, symbols: Iterable[str], turns: int) -> None:
        """From now on the client gets these symbols at this rate, their last ticks at once."""
        symbols = list(symbols)
        self._regroup(client, self._wanted.get(client, {}) | dict.fromkeys(symbols, turns))
        self._send((client,), b"".join(self._frame(symbol) for symbol in symbols if symbol in self._prices.ticks))

    def unsubscribe(self, client: Client, symbols: Iterable[str]) -> None:
        gone = set(symbols)
        kept = {symbol: turns for symbol, turns in self._wanted.get(client, {}).items() if symbol not in gone}
        self._regroup(client, kept)

    def leave(self, client: Client) -> None:
        self._regroup(client, {})

    def _regroup(self, client: Client, wanted: dict[str, int]) -> None:
        """Moves the client to the cohorts that fit. What an old one still held back for it is sent first."""
        for turns, symbols in _groups(self._wanted.pop(client, {})):
            cohort = self._cohorts[turns, symbols]
            version = cohort.joining.pop(client, cohort.version)
            cohort.members.pop(client, None)
            if wanted and turns != EVERY_TICK:
                self._send((client,), self._since(symbols, version))
            if not (cohort.members or cohort.joining):
                del self._cohorts[turns, symbols]
        if not wanted:
            return
        self._wanted[client] = wanted
        for turns, symbols in _groups(wanted):
            cohort = self._cohorts.setdefault((turns, symbols), _Cohort(turns, symbols))
            if turns == EVERY_TICK:
                cohort.members[client] = None
            else:
                cohort.joining[client] = self._version

    def _since(self, symbols: Iterable[str], version: int) -> bytes:
        changed = self._changed
        return b"".join(self._frame(symbol) for symbol in symbols if changed.get(symbol, 0) > version)

    def _frame(self, symbol: str) -> bytes:
        frame = self._frames.get(symbol)
        if frame is None:
            frame = self._frames[symbol] = text_frame(self._render(self._prices.ticks[symbol]))
        return frame

    @staticmethod
    def _send(clients: Iterable[Client], frames: bytes) -> None:
        if frames:
            for client in list(clients):
                client.send(frames)


def _groups(wanted: dict[str, int]) -> list[tuple[int, tuple[str, ...]]]:
    """The cohorts of a client that follows these symbols: one for each rate."""
    by_turns: dict[int, list[str]] = {}
    for symbol, turns in wanted.items():
        by_turns.setdefault(turns, []).append(symbol)
    return [(turns, tuple(sorted(symbols))) for turns, symbols in by_turns.items()]
