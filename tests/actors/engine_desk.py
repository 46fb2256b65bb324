"""The engine's actor on a real journal, asked by hand."""

from pathlib import Path
from typing import Any

import pykka

from actors.bus import codec, topics
from actors.bus.answers import Answer, Reply
from actors.bus.pump import Inbox, Outbox
from actors.bus.requests import EngineRequest
from actors.bus.streams import EventBatch, StreamAlive
from actors.domain.commands import Command, DefineInstrument, Deposit, OpenAccount
from actors.domain.events.event import Event
from actors.domain.order import Side
from actors.domain.quote import Tick
from actors.domain.state import State
from actors.engine import Engine
from actors.store.journal import Journal
from tests.examples import ACCOUNT, INSTRUMENTS, START_NS, TICKS, encoded

BUY, SELL = Side.BUY, Side.SELL
ASKER = b"\x00asker"
DEFINITIONS: list[Command] = [
    *(DefineInstrument(it) for it in INSTRUMENTS.values()),
    OpenAccount(ACCOUNT, "USD"),
    Deposit(ACCOUNT, 10_000_00, "opening-1", "config"),
]
DEFINED = 8
"""Number of the event of the last definition."""

decode_batch = codec.decoder(EventBatch)


class Desk:
    """An engine on a journal; asked with ticks and requests, as the pump would."""

    def __init__(self, path: Path, definitions: list[Command] = DEFINITIONS) -> None:
        self.path = path
        self.journal = Journal(path)
        recovered = self.journal.recover()
        self.last_ns = recovered.now_ns
        self.actor: pykka.ActorRef[Engine] = Engine.start(self.journal, recovered, definitions)
        engine = self.actor._actor_weakref()
        assert engine is not None
        self.engine = engine

    def ask(self, now_ns: int, *, ticks: list[bytes] | None = None, requests: list[Any] | None = None) -> Outbox:
        asked = [
            [ASKER, codec.encode(body if isinstance(body, EngineRequest) else EngineRequest(n, body))]
            for n, body in enumerate(requests or [], 1)
        ]
        outbox: Outbox = self.actor.ask(
            Inbox(now_ns, {"ticks": [[frame] for frame in ticks or []], "requests": asked}), block=True
        )
        return outbox

    def open(self) -> None:
        """Defined, with prices, and the stream alive at START_NS."""
        self.ask(START_NS, ticks=[*(ticks_frame(given) for given in TICKS), alive_frame(START_NS)])

    def answer(self, body: Any, now_ns: int = START_NS) -> Answer:
        """The reply to the one request, which comes last."""
        name, (identity, frame) = self.ask(now_ns, requests=[body])[-1]
        reply: Reply = codec.decoder(Reply)(frame)
        assert (name, identity, reply.request_id) == ("requests", ASKER, 1)
        return reply.body

    @property
    def state(self) -> State:
        """The actor's; not to be looked at while it works."""
        return self.engine._state

    def counter(self, name: str) -> int:
        count: int = self.actor.proxy().counters.get()[name]
        return count

    def crash(self) -> None:
        """Nothing is brought to rest."""
        self.actor.stop()
        self.journal.close()

    def encoded(self) -> bytes:
        return encoded(self.state)


def ticks_frame(*ticks: Tick) -> bytes:
    return codec.encode(list(ticks), topics.tick(ticks[0].symbol))


def alive_frame(time_ns: int, **last_seq: int) -> bytes:
    return codec.encode(StreamAlive(time_ns, {**dict.fromkeys(INSTRUMENTS, 1), **last_seq}), topics.ALIVE)


def events_message(first_seq: int, now_ns: int, *events: Event) -> tuple[str, list[bytes]]:
    return "events", [codec.encode(EventBatch(first_seq, now_ns, list(events)), topics.EVENTS)]


def replies_message(*answers: Answer, asker: bytes = ASKER) -> tuple[str, list[bytes]]:
    """The answers to the requests 1, 2, … of one turn."""
    return "requests", [asker, *(codec.encode(Reply(number, answer)) for number, answer in enumerate(answers, 1))]


def events_in(outbox: Outbox) -> list[Event]:
    frames = [frames[0] for name, frames in outbox if name == "events"]
    return [event for frame in frames for event in decode_batch(codec.topic_and_body(frame)[1]).events]
