"""The pump on real sockets, with real actors."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pykka
import pytest
import zmq

from actors.bus import sockets
from actors.bus.pump import BATCH_MESSAGES, Inbox, Outbox, Pump, Stop

Context = zmq.Context[zmq.Socket[bytes]]
TURNS_LIMIT = 9_000
"""A test that waits for a message gives up after so many turns of 10 ms."""


class Echo(pykka.ThreadingActor):
    """Answers requests with what they said, and remembers all that it was asked with."""

    def __init__(self, *, sends: Outbox | None = None, fails_at: int = 0) -> None:
        super().__init__()
        self.told: list[Inbox | Stop] = []
        self._sends = sends or []
        self._fails_at = fails_at

    def on_receive(self, message: Inbox | Stop) -> Outbox:
        self.told.append(message)
        if len(self.told) == self._fails_at:
            raise RuntimeError("broken")
        if isinstance(message, Stop):
            return self._sends
        return [("requests", [identity, b"re: " + body]) for identity, body in message.of("requests")]


class Clock:
    def __init__(self) -> None:
        self.turns = 0

    def __call__(self) -> int:
        self.turns += 1
        return self.turns


@pytest.fixture
def context() -> Iterator[Context]:
    made: Context = zmq.Context()
    yield made
    made.destroy(linger=0)


@pytest.fixture
def endpoint(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/s"


def told(actor: pykka.ActorRef[Any]) -> list[Inbox | Stop]:
    remembered: list[Inbox | Stop] = actor.proxy().told.get()
    return remembered


def test_an_inbox_has_nothing_of_a_socket_that_was_silent() -> None:
    assert Inbox(1, {"a": [[b"x"]]}).of("a") == [[b"x"]]
    assert Inbox(1, {}).of("a") == []


def test_messages_go_in_and_answers_out_and_the_last_is_stop(context: Context, endpoint: str) -> None:
    actor, clock = Echo.start(), Clock()
    asking = sockets.dealer(context, endpoint)
    pump = Pump(actor, {"requests": sockets.router(context, endpoint)}, clock, interval_ms=10)
    for number in range(3):
        asking.send(b"%d" % number)
    answers: list[bytes] = []

    def enough() -> bool:
        while asking.poll(0):
            answers.append(asking.recv())
        return len(answers) == 3 or clock.turns > TURNS_LIMIT

    pump.run(enough)
    assert answers == [b"re: 0", b"re: 1", b"re: 2"]
    inboxes = told(actor)
    assert [message.now_ns for message in inboxes] == list(range(1, len(inboxes) + 1))
    assert inboxes[-1] == Stop(len(inboxes))
    assert all(isinstance(message, Inbox) for message in inboxes[:-1])


def test_what_waits_comes_in_batches_up_to_the_limit(context: Context, endpoint: str) -> None:
    """And nothing is lost or out of order."""
    actor, clock = Echo.start(), Clock()
    collecting = sockets.router(context, endpoint)
    asking = sockets.dealer(context, endpoint)
    count = 2 * BATCH_MESSAGES + 5
    for number in range(count):
        asking.send(b"%d" % number)
    answers: list[bytes] = []

    def enough() -> bool:
        while asking.poll(0):
            answers.append(asking.recv())
        return len(answers) == count or clock.turns > TURNS_LIMIT

    Pump(actor, {"requests": collecting}, clock, interval_ms=10).run(enough)
    assert answers == [b"re: %d" % number for number in range(count)]
    sizes = [len(message.of("requests")) for message in told(actor) if isinstance(message, Inbox)]
    assert max(sizes) <= BATCH_MESSAGES
    assert sum(sizes) == count


def test_an_actor_is_asked_when_nothing_comes(context: Context, endpoint: str) -> None:
    actor, clock = Echo.start(), Clock()
    pump = Pump(actor, {"requests": sockets.router(context, endpoint)}, clock, interval_ms=1)
    pump.run(lambda: clock.turns == 3)
    assert told(actor) == [Inbox(1, {}), Inbox(2, {}), Inbox(3, {}), Stop(4)]


def test_what_an_actor_answers_to_stop_is_sent(context: Context, endpoint: str) -> None:
    publishing = sockets.snapshot_publisher(context, endpoint)
    follower = sockets.subscriber(context, endpoint, b"events\0")
    assert publishing.recv() == b"\x01events\0"
    actor = Echo.start(sends=[("events", [b"events\0last"])])
    Pump(actor, {"events": publishing}, Clock(), interval_ms=1).run(lambda: True)
    assert follower.recv() == b"events\0last"


@pytest.mark.parametrize("fails_at", [1, 2])
def test_what_an_actor_raises_ends_the_pump(context: Context, endpoint: str, fails_at: int) -> None:
    """In a turn, and at the stop."""
    actor, clock = Echo.start(fails_at=fails_at), Clock()
    pump = Pump(actor, {"requests": sockets.router(context, endpoint)}, clock, interval_ms=1)
    with pytest.raises(RuntimeError, match="broken"):
        pump.run(lambda: clock.turns == 1)


def test_what_a_full_queue_does_not_take_is_counted(context: Context, endpoint: str) -> None:
    """A dealer whose peer is away queues up to its high-water mark, and the pump goes on."""
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.SNDHWM, 3)
    socket.setsockopt(zmq.LINGER, 0)
    socket.connect(endpoint)
    actor = Echo.start(sends=[("orders", [b"%d" % number]) for number in range(5)])
    pump = Pump(actor, {"orders": socket}, Clock(), interval_ms=1)
    pump.run(lambda: True)
    assert pump.dropped == 2


def test_a_peer_that_is_gone_costs_nothing(context: Context, endpoint: str) -> None:
    actor = Echo.start(sends=[("requests", [b"nobody", b"answer"])])
    pump = Pump(actor, {"requests": sockets.router(context, endpoint)}, Clock(), interval_ms=1)
    pump.run(lambda: True)
    assert (pump.dropped, told(actor)) == (0, [Stop(1)])
