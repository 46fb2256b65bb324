"""A session under test, and the bytes of its peer made by hand with simplefix."""

import simplefix

from gateway.fix.codec import Field, Framer, Message
from gateway.fix.events import Event
from gateway.fix.session import Session
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.store import SqliteStore
from gateway.fix.times import SECOND_NS, utc_timestamp

START_NS = 1_768_824_000 * SECOND_NS
ORDER: list[Field] = [
    (11, b"o1"), (21, b"1"), (55, b"EUR/USD"), (54, b"1"), (60, b"20260119-12:00:00.000"), (38, b"1000"), (40, b"1"),
]  # fmt: skip
ACCEPTOR = SessionSettings(session_id="us", role=Role.ACCEPTOR, sender="US", target="THEM")
INITIATOR = SessionSettings(
    session_id="us", role=Role.INITIATOR, sender="US", target="THEM", username="me", password="secret"
)


def wire(
    msg_type: bytes,
    seq: int,
    *body: Field,
    sender: bytes = b"THEM",
    target: bytes = b"US",
    now_ns: int = START_NS,
    header: tuple[Field, ...] = (),
) -> bytes:
    message = simplefix.FixMessage()
    message.append_pair(8, b"FIX.4.4")
    for tag, value in (
        (35, msg_type), (34, seq), (49, sender), (52, utc_timestamp(now_ns)), (56, target), *header, *body
    ):  # fmt: skip
        message.append_pair(tag, value)
    data: bytes = message.encode()
    return data


def logon(seq: int = 1, *more: Field) -> bytes:
    return wire(b"A", seq, (98, b"0"), (108, b"30"), *more)


class Desk:
    """A session that is driven as connection.py does it, at times that the test sets."""

    def __init__(self, settings: SessionSettings = ACCEPTOR, store: SqliteStore | None = None):
        self.store = store or SqliteStore(":memory:")
        self.session = Session(settings, self.store)
        self.now_ns = START_NS
        self.events: list[Event] = []
        self._framer = Framer()

    def open(self) -> list[str]:
        self.events = self.session.open(self.now_ns)
        return self.said()

    def hear(self, *data: bytes) -> list[str]:
        """What it says to that: MsgType and the fields beyond the usual header, as text."""
        self.events = self.session.receive_data(b"".join(data), self.now_ns)
        return self.said()

    def wait(self, seconds: float) -> list[str]:
        self.now_ns += int(seconds * SECOND_NS)
        self.events = self.session.tick(self.now_ns)
        return self.said()

    def said(self) -> list[str]:
        with self.store.transaction():
            self.session.save()
        return [told(message) for message in self._framer.receive_data(self.session.data_to_send())]

    def close(self) -> None:
        self.events = self.session.closed(self.now_ns)
        self.said()

    def logged_on(self) -> "Desk":
        self.open()
        self.hear(logon())
        assert self.session.is_logged_on
        return self


def told(message: Message) -> str:
    rest = [f"{tag}={value.decode('latin-1')}" for tag, value in message.fields if tag not in (35, 49, 52, 56, 60, 122)]
    return " ".join([message.msg_type.decode("latin-1"), *rest])
