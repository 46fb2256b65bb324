"""What is said does not depend on how the peer's bytes are cut, also where the application answers."""

import dataclasses
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fix.codec import Field, Framer
from gateway.fix.events import Received
from gateway.fix.session import Session
from gateway.fix.store import SqliteStore
from gateway.fix.times import utc_timestamp
from tests.gateway.fix.peers import ACCEPTOR, ORDER, START_NS, logon, told, wire

SETTINGS = dataclasses.replace(ACCEPTOR, held_limit_messages=3)
RESENT = (43, b"Y"), (122, utc_timestamp(START_NS))
MESSAGES: list[tuple[bytes, tuple[Field, ...]]] = [
    (b"D", tuple(ORDER)),
    (b"D", tuple(ORDER)),
    (b"D", tuple(ORDER[1:])),
    (b"0", ()),
    (b"1", ((112, b"x"),)),
    (b"2", ((7, b"1"), (16, b"0"))),
    (b"3", ((45, b"1"),)),
    (b"4", ((36, b"9"), (123, b"Y"))),
    (b"4", ((36, b"12"),)),
    (b"ZZ", ()),
]


def said(pieces: list[bytes]) -> list[str]:
    """Everything that a session and its application say, which answers each message with another one."""
    store = SqliteStore(":memory:")
    session = Session(SETTINGS, store)
    session.open(START_NS)
    framer, heard = Framer(), list[str]()
    for piece in pieces:
        with store.transaction():
            for events in session.receive_in_turn(piece, START_NS):
                for event in events:
                    if isinstance(event, Received):
                        session.send(b"8", [(58, b"%d" % event.seq)], START_NS)
            session.save()
        heard += [told(message) for message in framer.receive_data(session.data_to_send())]
        if session.must_close:
            return [*heard, "closed"]
    return heard


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**48))
def test_it_does_not_matter_how_the_bytes_are_cut(seed: int) -> None:
    chance = random.Random(seed)
    stream, seq = logon(), 2
    for _ in range(chance.randrange(1, 14)):
        kind, body = chance.choice(MESSAGES)
        number = seq + chance.choices((0, 1, 2, -1), (85, 6, 4, 5))[0]
        data = wire(kind, max(number, 1), *body, header=RESENT if chance.random() < 0.4 else ())
        stream += data if chance.random() < 0.95 else data[: chance.randrange(len(data))]
        seq = max(seq, number + 1) if chance.random() < 0.9 else seq
    if chance.random() < 0.3:
        stream += wire(b"5", seq)
    whole = said([stream])
    assert said([stream[at : at + 1] for at in range(len(stream))]) == whole
    cuts = sorted(chance.sample(range(len(stream)), 5))
    assert said([stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]) == whole
