"""Who follows events on a socket, and how they are told."""

from collections.abc import Iterable
from typing import Protocol


class Watcher(Protocol):
    """Follows an account or alerts. It bounds what it holds back itself, and closes where that is too much."""

    @property
    def is_open(self) -> bool: ...

    def send(self, frames: bytes) -> None: ...

    def give_up(self) -> None:
        """Events can no longer be had: the watcher must begin anew."""


def tell(watchers: Iterable[Watcher], frames: bytes) -> None:
    if frames:
        for watcher in list(watchers):
            watcher.send(frames)
