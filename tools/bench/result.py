"""What a measurement gives, and how the best of several rounds is found on a machine that does other things too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

Say = Callable[[str], None]
"""Takes a few words on what is being done, for whoever waits."""


class Spoiled(Exception):
    """The result of a measurement does not count: something was lost, or a process failed. One line says what."""


class Result(NamedTuple):
    """A speed, beside that of a peer that does only what cannot be left out."""

    name: str
    value: float
    unit: str
    peer: str
    """What the peer does."""
    peer_value: float
    """In the same unit."""
    extra: dict[str, Any]
    """Further figures, by a name that holds their unit."""

    @property
    def ratio(self) -> float:
        return self.value / self.peer_value

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": round(self.value),
            "unit": self.unit,
            "peer": self.peer,
            "peer_value": round(self.peer_value),
            "ratio": round(self.ratio, 4),
            **self.extra,
        }


class Measurement(NamedTuple):
    """One entry of the registry."""

    about: str
    """What is measured and what the peer is, for docs/benchmarks.md."""
    run: Callable[[Path, Say], Result]
    """Measures below the folder given; raises Spoiled."""


class Run(NamedTuple):
    """One timed run: `amount` of whatever is counted, in `seconds`."""

    amount: int
    seconds: float
    extra: dict[str, Any]
    """Further figures, by a name that holds their unit."""

    @property
    def per_second(self) -> float:
        return self.amount / self.seconds


class Rounds(NamedTuple):
    """The runs of a measurement, ours and the peer's, in the order in which they took turns."""

    ours: list[Run]
    peers: list[Run]

    def result(self, name: str, unit: str, peer: str, extra: dict[str, Any]) -> Result:
        """The best of ours beside the best of the peer's; all of them are kept, for they show how quiet it was."""
        ours, peers = (max(runs, key=lambda run: run.per_second) for runs in (self.ours, self.peers))
        return self._of(ours, peers, name, unit, peer, extra)

    def middle(self, name: str, unit: str, peer: str, extra: dict[str, Any]) -> Result:
        """As `result`, of the middle run of ours beside the middle one of the peer's."""
        ours, peers = (sorted(runs, key=lambda run: run.per_second) for runs in (self.ours, self.peers))
        return self._of(ours[len(ours) // 2], peers[len(peers) // 2], name, unit, peer, extra)

    def _of(self, ours: Run, of_peer: Run, name: str, unit: str, peer: str, extra: dict[str, Any]) -> Result:
        every = {
            "values": [round(run.per_second) for run in self.ours],
            "peer_values": [round(run.per_second) for run in self.peers],
        }
        figures = {**extra, **ours.extra, **of_peer.extra, **every}
        return Result(name, ours.per_second, unit, peer, of_peer.per_second, figures)

    def lowest(self, name: str, unit: str, peer: str, extra: dict[str, Any]) -> Result:
        """As `result`, where the value is the time that one of what is counted took, in microseconds."""
        ours = max(self.ours, key=lambda run: run.per_second)
        best_peer = max(self.peers, key=lambda run: run.per_second)
        every = {
            "values": [round(1e6 / run.per_second) for run in self.ours],
            "peer_values": [round(1e6 / run.per_second) for run in self.peers],
        }
        value, peer_value = 1e6 / ours.per_second, 1e6 / best_peer.per_second
        return Result(name, value, unit, peer, peer_value, {**extra, **ours.extra, **best_peer.extra, **every})


def in_turns(name: str, rounds: int, ours: Callable[[], Run], peer: Callable[[], Run], say: Say) -> Rounds:
    """Runs each so many times. They take turns, so that what slows the machine for a while slows both."""
    runs = Rounds([], [])
    for number in range(1, rounds + 1):
        say(f"{name}: round {number} of {rounds}, ours")
        runs.ours.append(ours())
        say(f"{name}: round {number} of {rounds}, the peer")
        runs.peers.append(peer())
    return runs
