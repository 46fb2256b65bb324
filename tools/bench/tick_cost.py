"""`tick_cost`: what a tick costs the engine, with few and with many positions open."""

import tempfile
import time
from pathlib import Path

from actors import process
from actors.bus.pump import Inbox
from tools.bench import book
from tools.bench.result import Measurement, Result, Run, Say, Spoiled, in_turns

NAME = "tick_cost"
POSITIONS = (1_000, 10_000, 100_000)
TICKS = 5_000
ROUNDS = 8
TICK_INTERVAL_NS = 1_000_000
"""One a turn of the engine, 1,000 a second; the time is made up, and no turn waits."""
STEPS = 64
STEP_SHARE = 250_000
"""A price climbs and falls again in steps of a 250,000th: about as much as the market moves between such ticks."""


class Ticking:
    """An engine with so many positions open, driven without sockets, its journal on the disk."""

    def __init__(self, folder: Path, positions: int) -> None:
        folder.mkdir()
        self.positions = positions
        self._now_ns = process.clock_ns()
        self._sent = 0
        self._journal = book.journal_at(folder)
        accounts = book.ordinary_accounts(range(1, positions // book.POSITIONS_PER_ACCOUNT + 1))
        self._book = book.opened(self._journal, accounts, self._now_ns)
        self._event_seq = self._book.state.event_seq

    def run(self, ticks: int) -> Run:
        """So many ticks, the symbols in turn, after a round of all that is not counted."""
        self._time(self._inboxes(len(book.SYMBOLS)))
        return Run(ticks, self._time(self._inboxes(ticks)), {})

    def check(self) -> None:
        """Raises Spoiled unless each tick was taken in, nothing was triggered, and that was right."""
        state = self._book.state
        seen = {symbol: tick.seq for symbol, tick in state.ticks.items()}
        turns, place = divmod(self._sent, len(book.SYMBOLS))
        if seen != {symbol: 1 + turns + (number < place) for number, symbol in enumerate(book.SYMBOLS)}:
            raise Spoiled("the engine has not seen every tick")
        if state.event_seq != self._event_seq:
            raise Spoiled(f"{state.event_seq - self._event_seq} events came of ticks that reach nothing")
        book.check_statuses(state)

    def close(self) -> None:
        self._journal.close()

    def _inboxes(self, ticks: int) -> list[Inbox]:
        inboxes = []
        for _ in range(ticks):
            turn, place = divmod(self._sent, len(book.SYMBOLS))
            symbol = book.SYMBOLS[place]
            self._sent += 1
            self._now_ns += TICK_INTERVAL_NS
            steps = abs((turn + place) % (2 * STEPS) - STEPS)
            bid_e8 = book.bid_e8(symbol) * (STEP_SHARE + steps) // STEP_SHARE
            tick = book.tick(symbol, turn + 2, self._now_ns, bid_e8)
            inboxes.append(Inbox(self._now_ns, {"ticks": [[book.tick_frame(tick)]]}))
        return inboxes

    def _time(self, inboxes: list[Inbox]) -> float:
        start = time.perf_counter()
        for inbox in inboxes:
            self._book.engine.on_receive(inbox)
        return time.perf_counter() - start


def measure(
    folder: Path,
    say: Say,
    *,
    positions: tuple[int, ...] = POSITIONS,
    ticks: int = TICKS,
    rounds: int = ROUNDS,
) -> Result:
    """The first of `positions` is the peer, the last the value."""
    with tempfile.TemporaryDirectory(dir=folder) as kept:
        engines = []
        for count in positions:
            say(f"{NAME}: opening {count:,} positions")
            engines.append(Ticking(Path(kept) / str(count), count))
        few, *between, many = engines
        all_between: dict[int, list[float]] = {one.positions: [] for one in between}

        def run_many() -> Run:
            for one in between:
                all_between[one.positions].append(1 / one.run(ticks).per_second)
            return many.run(ticks)

        runs = in_turns(NAME, rounds, run_many, lambda: few.run(ticks), say)
        for one in engines:
            one.check()
            one.close()
    shape = {"positions": many.positions, "symbols": len(book.SYMBOLS), "ticks": ticks}
    figures = {f"us_at_{count}": round(min(seconds) * 1e6, 1) for count, seconds in all_between.items()}
    figures[f"us_at_{few.positions}"] = round(min(1e6 / run.per_second for run in runs.peers), 1)
    figures[f"us_at_{many.positions}"] = round(min(1e6 / run.per_second for run in runs.ours), 1)
    return runs.lowest(NAME, "µs per tick", f"the same with {few.positions:,} positions", {**shape, **figures})


MEASUREMENT = Measurement(
    f"What a tick costs the engine with {POSITIONS[-1]:,} positions open, each with a stop loss and a take profit, "
    f"long and short, of {POSITIONS[-1] // book.POSITIONS_PER_ACCOUNT:,} accounts in {len(book.SYMBOLS)} symbols: the "
    f"mean of {TICKS:,}, one a turn, from its frame to its place in the journal on the disk, without sockets. The "
    "positions were dealt by the engine, and prices move as a market does in that time, which triggers nothing. "
    "Checked: the engine has seen each tick and made no event of any, and that is right by the equity of each account, "
    "worked out anew from its positions. The peer is the same engine with a hundredth of the positions.",
    measure,
)
