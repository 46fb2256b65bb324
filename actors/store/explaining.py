"""Why a fill is as it is: worked out from the journal alone, from the nearest snapshot before it.

`python -m actors.store.explaining JOURNAL FILL_ID` writes the answer for the bus to its standard output.
"""

import os
import sys
from pathlib import Path

import msgspec

from actors.bus.answers import Refusal
from actors.bus.desk_answers import Explanation, JournalPlace
from actors.domain.commands import Input, ObserveTicks
from actors.domain.events.orders import OrderFilled
from actors.domain.evolution import evolve
from actors.domain.quote import Tick
from actors.domain.state import State
from actors.store import recovery
from actors.store.reader import Reader
from actors.store.record import SQLITE_INTEGER_MAX, Commit, Damaged, commits
from actors.store.recovery import see

NICENESS = 5


def explain(journal: Path, fill_id: int) -> Explanation | Refusal:
    """Raises Damaged."""
    reader = Reader(journal)
    try:
        wanted = min(fill_id, SQLITE_INTEGER_MAX)
        row = reader.first(lambda row: row.last_fill_id >= wanted) if wanted > 0 else None
        if row is None:
            return Refusal("UNKNOWN_FILL", f"there is no fill {fill_id}", "fill_id")
        found = recovery.recover(journal, reader, row.batch_seq - 1)
        commit = next(commits(reader.rows(row.batch_seq - 1, reader.last_batch_seq())))
    finally:
        reader.close()
    return _within(found.state, commit, fill_id, found.snapshot_batch_seq)


def _within(state: State, commit: Commit, fill_id: int, snapshot_batch_seq: int) -> Explanation:
    """Goes through a commit up to the fill."""
    events = commit.events()
    place = 0
    for turn in commit.turns():
        for told, count in zip(turn.inputs, turn.counts, strict=True):
            caused = events[place : place + count]
            here = [event for event in caused if isinstance(event, OrderFilled) and event.fill.fill_id == fill_id]
            cause = _cause(told, here[0]) if here else told
            see(state, _until(told, cause))
            for event in caused:
                if here and event is here[0]:
                    return _explained(state, commit, here[0], cause, turn.now_ns, snapshot_batch_seq)
                evolve(state, event)
            place += count
    raise Damaged(f"batch {commit.first_batch_seq} should have fill {fill_id}, and has not")


def _cause(told: Input, filled: OrderFilled) -> Input:
    """Of several ticks the one that the fill names."""
    if not isinstance(told, ObserveTicks):
        return told
    fill = filled.fill
    named = tuple(tick for tick in told.ticks if (tick.symbol, tick.seq) == (fill.symbol, fill.tick_seq))
    return ObserveTicks(named) if named else told


def _until(told: Input, cause: Input) -> Input:
    """Ticks that came after the one that set it off were not known yet."""
    if not (isinstance(told, ObserveTicks) and isinstance(cause, ObserveTicks)):
        return told
    return ObserveTicks(told.ticks[: told.ticks.index(cause.ticks[-1]) + 1])


def _explained(
    state: State, commit: Commit, filled: OrderFilled, cause: Input, now_ns: int, snapshot_batch_seq: int
) -> Explanation:
    fill = filled.fill
    account = state.accounts[filled.order.account_id]
    before = state.summary(account, now_ns)
    event_seq = state.event_seq + 1
    evolve(state, filled)
    return Explanation(
        fill,
        filled.order,
        filled.position,
        state.instruments[fill.symbol],
        account.currency,
        cause,
        _tick(state, fill.symbol, fill.tick_seq),
        _tick(state, fill.conversion.symbol, fill.conversion.tick_seq),
        before,
        state.summary(account, now_ns),
        filled.postings,
        JournalPlace(
            next(row.batch_seq for row in commit.rows if row.last_event_seq >= event_seq),
            event_seq,
            commit.first_event_seq,
            commit.rows[-1].last_event_seq,
            commit.now_ns,
            snapshot_batch_seq,
        ),
        account.group.markup_of(fill.symbol),
        filled.cover,
    )


def _tick(state: State, symbol: str, seq: int) -> Tick | None:
    tick = state.ticks.get(symbol)
    return tick if tick is not None and tick.seq == seq else None


def main() -> int:
    os.nice(NICENESS)
    try:
        answer = explain(Path(sys.argv[1]), int(sys.argv[2]))
    except (Damaged, OSError) as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
