"""Proves a journal: `python -m tools.verify JOURNAL` does everything in it again, and compares.

From the empty state, each input is dealt with anew at its own time, and each event that comes out is compared with the
stored one, byte for byte. The checksum of each row, the numbers of batches and events, and the state's hash at each
snapshot are checked on the way. Read-only: the journal may be a copy, or one that an engine is writing to.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from actors.bus.message import Message
from actors.domain import broker
from actors.domain.events.event import Event
from actors.domain.state import State
from actors.store import segments, snapshots
from actors.store.collector import without_collector
from actors.store.reader import Reader
from actors.store.record import Commit, Damaged, Turn, columns_of, commits
from tools.progress import Bar

SHOWN_CHARACTERS = 600
"""Of an event that differs, so much is shown."""


class Verified(NamedTuple):
    """What was found to be as it was written, and to come out again."""

    inputs: int
    events: int
    batches: int
    snapshots: int
    state_hash: str
    seconds: float


class Diverged(Exception):
    """Doing it again gives something else. Several lines: where, what is stored, what came out."""


class _Stored(Message, frozen=True):
    """An EventBatch whose events are left as they are."""

    first_seq: int
    time_ns: int
    events: list[msgspec.Raw]


_decode_stored = msgspec.msgpack.Decoder(_Stored).decode
_encode = msgspec.msgpack.Encoder().encode


def verify(journal: Path, tell: Callable[[int, int], None]) -> Verified:
    """Up to what is the last batch now; `tell` hears of batches done and all batches. Raises Damaged, Diverged."""
    start = time.perf_counter()
    reader = Reader(journal)
    state, inputs, checked = State(), 0, 0
    try:
        last = reader.last_batch_seq()
        kept = {one.batch_seq: one for one in snapshots.listed(journal)}
        if kept and max(kept) > last:
            raise Damaged(f"{journal}: it ends with batch {last}, before its snapshot of batch {max(kept)}")
        with without_collector():
            for commit in commits(reader.rows(0, last)):
                inputs += _again(state, commit)
                at_batch = kept.get(commit.last_batch_seq)
                if at_batch is not None and at_batch.path.exists():
                    _compare_snapshot(state, at_batch)
                    checked += 1
                tell(commit.last_batch_seq, last)
            seconds = time.perf_counter() - start
            state_hash = snapshots.state_hash(state)
    finally:
        reader.close()
    return Verified(inputs, state.event_seq, last, checked, state_hash, seconds)


def _again(state: State, commit: Commit) -> int:
    """Does a commit again; gives the number of inputs."""
    if commit.first_event_seq != state.event_seq + 1:
        raise Damaged(f"batch {commit.first_batch_seq} begins with event {commit.first_event_seq}, not with the next")
    turns = commit.turns()
    events: list[Event] = []
    for turn in turns:
        _turn_again(state, turn, commit, events)
    first = commit.rows[0]
    anew = columns_of(first.batch_seq, first.now_ns, first.turns, first.first_event_seq, events, state.last_fill_id)
    # Their checksums were right when they were read.
    if anew != [row[:-1] for row in commit.rows]:
        _compare(commit, events)
        raise Diverged(f"{_where(commit)}: the events are the same, and their rows are not")
    if turns[-1].now_ns != commit.now_ns:
        raise Diverged(f"{_where(commit)}: its time is {commit.now_ns}, and that of its last input {turns[-1].now_ns}")
    return sum(len(turn.inputs) for turn in turns)


def _turn_again(state: State, turn: Turn, commit: Commit, events: list[Event]) -> None:
    """Adds what comes out to the commit's `events`."""
    now_ns = turn.now_ns
    for told, count in zip(turn.inputs, turn.counts, strict=True):
        try:
            caused = broker.apply(state, told, now_ns)
        except Exception as error:
            # Whatever it is: it did not happen when the journal was written, and the operator must learn where it does.
            raise Diverged(f"{_where(commit)}: an input that was accepted now gives {error!r}:\n  {told}") from error
        events += caused
        if len(caused) != count:
            _compare(commit, events)
            raise Diverged(f"{_where(commit)}: an input caused {count} events, and now {len(caused)}:\n  {told}")


def _compare(commit: Commit, events: list[Event]) -> None:
    """Raises Diverged for the first event that is not the stored one."""
    stored = [raw for row in commit.rows if row.events for raw in _decode_stored(row.events[1:]).events]
    came = [_encode(event) for event in events]
    for number in range(max(len(stored), len(came))):
        was = bytes(stored[number]) if number < len(stored) else None
        now = came[number] if number < len(came) else None
        if was != now:
            raise Diverged(
                f"{_where(commit)}: event {commit.first_event_seq + number} differs\n"
                f"  stored:   {_readable(was)}\n  came out: {_readable(now)}"
            )


def _compare_snapshot(state: State, kept: snapshots.Kept) -> None:
    _, stored, _ = snapshots.read(kept)
    if stored != (came := snapshots.state_hash(state)):
        raise Diverged(f"{kept.path}: the state's hash is {stored}, and doing it again gives {came}")


def _where(commit: Commit) -> str:
    return f"batch {commit.first_batch_seq}"


def _readable(event: bytes | None) -> str:
    if event is None:
        return "nothing"
    text = repr(msgspec.msgpack.decode(event))
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def main(argv: Sequence[str]) -> int:
    """0 where all is as it was written, otherwise 1."""
    parser = argparse.ArgumentParser(prog="python -m tools.verify", description="Does a journal again, and compares.")
    parser.add_argument("journal", type=Path, help="its first file, such as var/journal/engine.sqlite")
    journal: Path = parser.parse_args(argv).journal
    bar = Bar("verify")
    try:
        if not segments.listed(journal):
            raise Damaged(f"{journal}: there is no such journal")
        found = verify(journal, bar.show)
    except (Damaged, Diverged, OSError) as fault:
        bar.clear()
        print(f"verify: {fault}", file=sys.stderr)
        return 1
    bar.clear()
    rate = found.inputs / found.seconds
    print(f"{journal} is as it was written, and comes out again byte for byte.")
    print(f"  inputs      {found.inputs:,}")
    print(f"  events      {found.events:,}")
    print(f"  batches     {found.batches:,}")
    print(f"  snapshots   {found.snapshots:,}")
    print(f"  state hash  {found.state_hash}")
    print(f"  time        {found.seconds:.1f} s, {rate:,.0f} inputs/s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
