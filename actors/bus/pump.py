"""Between a process's sockets and its actor: drain the sockets, ask the actor with one batch, send what it answers.

The pump and the actor take turns, so a process has one busy thread, and a socket is touched by the pump's alone. What
comes in meanwhile waits in ZeroMQ, whose high-water marks are the bounds.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pykka
import zmq

from actors.bus.multipart import drain, send

BATCH_MESSAGES = 1_000
"""How many messages of one socket go into a batch at most."""


class Inbox(NamedTuple):
    """What an actor is asked with: everything that came since the last time, and the time."""

    now_ns: int
    messages: Mapping[str, list[list[bytes]]]
    """By the socket's name, the frames of each message. A ROUTER's messages begin with the asker's identity."""

    def of(self, name: str) -> list[list[bytes]]:
        return self.messages.get(name, [])


class Stop(NamedTuple):
    """The last thing that an actor is asked: bring everything to rest; `now_ns` as in Inbox."""

    now_ns: int


Outbox = list[tuple[str, list[bytes]]]
"""What an actor answers: for each message the socket's name and the frames, in the order to send them."""


class Pump:
    """Runs one actor on named sockets."""

    def __init__(
        self,
        actor: pykka.ActorRef[Any],
        sockets: Mapping[str, zmq.Socket[bytes]],
        clock_ns: Callable[[], int],
        *,
        interval_ms: int,
    ) -> None:
        """`interval_ms`: the actor is asked at least this often, with an empty inbox when nothing came."""
        self._actor = actor
        self._sockets = sockets
        self._clock_ns = clock_ns
        self._interval_ms = interval_ms
        self.dropped = 0
        """Messages that could not be sent because the socket's queue was full."""

    def run(self, stopping: Callable[[], bool]) -> None:
        """Until `stopping()`; raises what the actor raised, and the process ends with it."""
        poller = zmq.Poller()
        names = {}
        for name, socket in self._sockets.items():
            poller.register(socket, zmq.POLLIN)
            names[socket] = name
        while not stopping():
            messages = {names[socket]: drain(socket, BATCH_MESSAGES) for socket, _ in poller.poll(self._interval_ms)}
            self._ask(Inbox(self._clock_ns(), messages))
        self._ask(Stop(self._clock_ns()))

    def _ask(self, told: Inbox | Stop) -> None:
        outbox: Outbox = self._actor.ask(told, block=True)
        for name, frames in outbox:
            self.dropped += not send(self._sockets[name], frames)
