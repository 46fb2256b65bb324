"""Two FIX sessions over a network that cuts at any byte, each side killed between any two steps of its store.

Both streams of application messages must arrive once and in order. More seeds than the test has:

    python -m tests.simulation.test_fix_sessions --seeds 10000 [--first 0] [--files]
"""

import argparse
import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.fix.events import Event, LoggedOut, Received
from gateway.fix.session import Session
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.store import SentMessage, Sequences, SqliteStore
from gateway.fix.times import MS_NS, SECOND_NS
from gateway.fix.validation import Level

SEEDS_IN_MEMORY = 1_000
SEEDS_ON_DISK = 10
STEPS = 120
QUIET_STEPS_LIMIT = 3_000
START_NS = 1_768_824_000 * SECOND_NS


class Killed(Exception):
    """The process ends here: nothing after this happens, and what was not committed is not there."""


class MortalStore(SqliteStore):
    """Dies at the step that is set."""

    def __init__(self, path: Path | str):
        super().__init__(path)
        self.steps_to_live: int | None = None

    def _step(self) -> None:
        if self.steps_to_live is not None:
            self.steps_to_live -= 1
            if self.steps_to_live < 0:
                raise Killed

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        self._step()
        with super().transaction() as db:
            self._step()
            yield db
            self._step()
        self._step()

    def save(self, session_id: str, sequences: Sequences, sent: Sequence[SentMessage]) -> None:
        self._step()
        super().save(session_id, sequences, sent)
        self._step()


class Side:
    """A session, its application, and the bytes on their way to the other side."""

    def __init__(self, settings: SessionSettings, path: Path | str):
        self.settings = settings
        self._path = path
        self.store = MortalStore(path)
        self.store.db.execute("CREATE TABLE produced (number INTEGER)")
        self.store.db.execute("CREATE TABLE consumed (number INTEGER)")
        self.session = Session(settings, self.store)
        self.wire = b""
        self.farewells: list[str] = []

    def turn(self, step: Callable[[int], list[Event]], now_ns: int) -> None:
        """As the driver does it. Raises Killed."""
        with self.store.transaction() as db:
            for event in step(now_ns):
                if isinstance(event, Received):
                    db.execute("INSERT INTO consumed VALUES (?)", (int(event.message.get(11) or b""),))
                elif isinstance(event, LoggedOut):
                    self.farewells.append(event.text)
            self.session.save()
        self.wire += self.session.data_to_send()

    def produce(self, now_ns: int) -> list[Event]:
        number = len(self.produced)
        self.store.db.execute("INSERT INTO produced VALUES (?)", (number,))
        self.session.send(b"D", [(11, b"%d" % number)], now_ns)
        return []

    def restart(self) -> None:
        self.wire = b""
        if isinstance(self._path, Path):
            self.store.close()
            self.store = MortalStore(self._path)
        self.store.steps_to_live = None
        self.session = Session(self.settings, self.store)

    @property
    def produced(self) -> list[int]:
        return self._numbers("produced")

    @property
    def consumed(self) -> list[int]:
        return self._numbers("consumed")

    def _numbers(self, table: str) -> list[int]:
        return [number for (number,) in self.store.db.execute(f"SELECT number FROM {table} ORDER BY rowid")]  # noqa: S608


class World:
    def __init__(self, seed: int, folder: Path | None):
        self.chance = random.Random(seed)
        self.now_ns = START_NS
        names = ("LEFT", "RIGHT")
        roles = (Role.INITIATOR, Role.ACCEPTOR)
        self.sides = [
            Side(self._settings(names[i], names[1 - i], roles[i]), folder / names[i] if folder else ":memory:")
            for i in (0, 1)
        ]
        self.kills = 0

    def _settings(self, sender: str, target: str, role: Role) -> SessionSettings:
        return SessionSettings(
            session_id=sender,
            role=role,
            sender=sender,
            target=target,
            heartbeat_s=self.chance.choice((1, 5, 30)),
            next_expected=self.chance.random() < 0.7,  # On both sides, on one, on neither.
            validation=Level.OFF,
            sending_time_tolerance_ms=10**9,  # A message that is rejected for its age counts as received.
            resend_page_messages=self.chance.choice((1, 3, 100)),
            held_limit_messages=self.chance.choice((1, 4, 100)),
        )

    def run(self) -> None:
        for _ in range(STEPS):
            self._guarded(self._any_step)
        for _ in range(QUIET_STEPS_LIMIT):
            if self._is_settled():
                break
            self._guarded(self._quiet_step)
        left, right = self.sides
        assert right.consumed == left.produced == list(range(len(left.produced)))
        assert left.consumed == right.produced == list(range(len(right.produced)))
        assert not [text for side in self.sides for text in side.farewells if "too low" in text]

    def close(self) -> None:
        for side in self.sides:
            side.store.close()

    def _is_settled(self) -> bool:
        left, right = self.sides
        return len(right.consumed) == len(left.produced) and len(left.consumed) == len(right.produced)

    def _guarded(self, step: Callable[[], None]) -> None:
        """Whoever dies in the step is started again, and the connection is gone."""
        try:
            step()
        except Killed:
            self.kills += 1
            dead = next(side for side in self.sides if (side.store.steps_to_live or 0) < 0)
            dead.restart()
            other = self.sides[1 - self.sides.index(dead)]
            other.wire = b""
            self._close(other)

    def _any_step(self) -> None:
        self.now_ns += self.chance.randrange(200) * MS_NS
        side = self.chance.choice(self.sides)
        match self.chance.choices(("produce", "deliver", "time", "cut", "kill", "connect"), (30, 40, 8, 2, 5, 15))[0]:
            case "produce":
                side.turn(side.produce, self.now_ns)
            case "deliver":
                self._deliver(side, self.chance.randrange(1, 400))
            case "time":
                self.now_ns += self.chance.randrange(40) * SECOND_NS
                self._tick()
            case "cut":
                self._cut()
            case "kill" if side.store.steps_to_live is None:
                side.store.steps_to_live = self.chance.randrange(12)
            case "connect":
                self._connect()
            case _:
                pass

    def _quiet_step(self) -> None:
        self._connect()
        self.now_ns += 100 * MS_NS
        for side in self.sides:
            side.store.steps_to_live = None
            self._deliver(side, len(side.wire))
        self._tick()

    def _connect(self) -> None:
        if all(side.session.is_down for side in self.sides):
            for side in self.sides:
                side.turn(side.session.open, self.now_ns)

    def _deliver(self, side: Side, count: int) -> None:
        """Some of what a side has written reaches the other, which then ends if it must."""
        data, side.wire = side.wire[:count], side.wire[count:]
        other = self.sides[1 - self.sides.index(side)]
        if data and not other.session.is_down:
            other.turn(lambda now_ns: other.session.receive_data(data, now_ns), self.now_ns)
        if other.session.must_close or side.session.must_close:
            self._cut()

    def _tick(self) -> None:
        for side in self.sides:
            deadline_ns = side.session.next_deadline_ns
            if deadline_ns is not None and deadline_ns <= self.now_ns:
                side.turn(side.session.tick, self.now_ns)
        if any(side.session.must_close for side in self.sides):
            self._cut()

    def _cut(self) -> None:
        for side in self.sides:
            side.wire = b""
        for side in self.sides:
            self._close(side)

    def _close(self, side: Side) -> None:
        side.store.steps_to_live = None
        if not side.session.is_down:
            side.turn(side.session.closed, self.now_ns)


def play(seed: int, folder: Path | None = None) -> World:
    world = World(seed, folder)
    try:
        world.run()
    except BaseException:
        print(f"seed {seed} fails: python -m tests.simulation.test_fix_sessions --first {seed} --seeds 1")  # noqa: T201
        raise
    finally:
        world.close()
    return world


@pytest.mark.parametrize("first", range(0, SEEDS_IN_MEMORY, 100))
def test_both_streams_arrive_once_and_in_order(first: int) -> None:
    kills = sum(play(seed).kills for seed in range(first, first + 100))
    assert kills > 100


def test_the_same_on_a_disk(tmp_path: Path) -> None:
    for seed in range(SEEDS_ON_DISK):
        folder = tmp_path / str(seed)
        folder.mkdir()
        play(seed, folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--files", action="store_true", help="real files instead of memory")
    options = parser.parse_args()
    kills = 0
    for seed in range(options.first, options.first + options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            kills += play(seed, Path(folder) if options.files else None).kills
    print(f"{options.seeds} seeds, {kills} kills: both streams once and in order")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
