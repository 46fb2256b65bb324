"""From what is on the disk to the state: a snapshot, and the events and prices after it. Never decides anew."""

from pathlib import Path
from typing import NamedTuple

from actors.domain import waiting
from actors.domain.commands import Input, ObserveStream, ObserveTicks
from actors.domain.evolution import evolve
from actors.domain.state import State
from actors.store import snapshots
from actors.store.collector import without_collector
from actors.store.reader import Reader
from actors.store.record import Commit, Damaged, commits


class Recovered(NamedTuple):
    """The state after a batch."""

    state: State
    batch_seq: int
    now_ns: int
    """Time of that batch."""
    snapshot_batch_seq: int
    """0: from the first record on."""
    replayed: int
    """Inputs and events that were taken in after the snapshot."""
    faults: list[str]
    """What is wrong with newer snapshots, which were passed over."""


def recover(journal: Path, reader: Reader, upto: int | None = None) -> Recovered:
    """The state after the last batch, or after batch `upto`; raises Damaged."""
    last = reader.last_batch_seq()
    kept = snapshots.listed(journal)
    if kept and kept[0].batch_seq > last:
        raise Damaged(f"{journal}: it ends with batch {last}, before its snapshot of batch {kept[0].batch_seq}")
    upto = last if upto is None else upto
    with without_collector():
        start, faults = snapshots.latest(journal, upto)
        state, now_ns, replayed = start.state, start.now_ns, 0
        for commit in commits(reader.rows(start.batch_seq, upto)):
            replayed += take_in(state, commit)
            now_ns = commit.now_ns
    return Recovered(state, upto, now_ns, start.batch_seq, replayed, faults)


def take_in(state: State, commit: Commit) -> int:
    """Brings the state over a commit; gives the number of inputs and events. Raises Damaged, the state then useless."""
    if commit.first_event_seq != state.event_seq + 1:
        raise Damaged(f"event {state.event_seq + 1} is missing: batch {commit.first_batch_seq} begins later")
    events = commit.events()
    place = 0
    inputs = 0
    for turn in commit.turns():
        inputs += len(turn.inputs)
        for told, count in zip(turn.inputs, turn.counts, strict=True):
            see(state, told)
            for event in events[place : place + count]:
                evolve(state, event)
            place += count
    if place != len(events):
        raise Damaged(f"batch {commit.first_batch_seq} has {len(events)} events, its inputs caused {place}")
    return inputs + place


def see(state: State, told: Input) -> None:
    """What an input changes by itself, without an event: prices."""
    if isinstance(told, ObserveTicks):
        for tick in told.ticks:
            waiting.see(state, tick)
    elif isinstance(told, ObserveStream):
        state.observe_stream(told.alive_ns, told.behind)
