"""One side of a FIX 4.4 session, as its driver and its application see it. The package's docstring shows the use."""

from collections.abc import Iterator, Sequence

from gateway.fix import answers
from gateway.fix.codec import Field, Framer, Message
from gateway.fix.conversation import Conversation
from gateway.fix.events import Event, Warned
from gateway.fix.reasons import BusinessReason
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.states import State
from gateway.fix.store import Sequences, Store
from gateway.fix.times import MS_NS
from gateway.fix.validation import SESSION_TYPES

LOGON_LIMIT_BYTES = 4_096
"""The longest message that somebody may send who has not logged on."""


class SessionMisuse(RuntimeError):
    """A call that does not fit the session's state."""


class Session:
    """Reads its sequence numbers from the store when it is made; from then on nobody else may write them."""

    def __init__(self, settings: SessionSettings, store: Store):
        self.settings = settings
        self._conversation = Conversation(settings, store)
        self._framer = Framer(LOGON_LIMIT_BYTES)
        self._saved = self._conversation.sequences
        self._count_due_ns: int | None = None

    @property
    def is_logged_on(self) -> bool:
        return self._conversation.state is State.ACTIVE

    @property
    def is_down(self) -> bool:
        """Whether there is no transport."""
        return self._conversation.state is State.DOWN

    @property
    def must_close(self) -> bool:
        """Whether the transport is to be closed once `data_to_send` is written."""
        return self._conversation.state is State.ENDING

    @property
    def heard_ns(self) -> int:
        """When the peer's last message came; 0 before the first."""
        return self._conversation.heard_ns

    @property
    def heartbeat_ns(self) -> int:
        """How long either side may say nothing, as was agreed; 0: for ever."""
        return self._conversation.heartbeat_ns

    @property
    def sequences(self) -> Sequences:
        return self._conversation.sequences

    @property
    def next_deadline_ns(self) -> int | None:
        """When `tick` is to be called at the latest; None if only data can change anything."""
        if self._is_resending:
            return self._conversation.now_ns
        deadlines = [*self._conversation.deadlines().values()]
        if self._count_due_ns is not None:
            deadlines.append(self._count_due_ns)
        return min(deadlines, default=None)

    def open(self, now_ns: int) -> list[Event]:
        """The transport is up. Raises SessionMisuse if another one still is."""
        if not self.is_down:
            raise SessionMisuse(f"{self.settings.session_id} has a connection already")
        talk = self._at(now_ns)
        initiates = self.settings.role is Role.INITIATOR
        self._framer = Framer(self.settings.message_limit_bytes if initiates else LOGON_LIMIT_BYTES)
        talk.begin()
        return self._events()

    def closed(self, now_ns: int) -> list[Event]:
        """The transport is gone. What is sent from now on waits for the next Logon."""
        talk = self._at(now_ns)
        if not self.is_down:
            talk.end()
        return self._events()

    def receive_data(self, data: bytes, now_ns: int) -> list[Event]:
        """Takes in what the peer has written, in pieces of any size. Raises nothing, whatever it is."""
        return [event for events in self.receive_in_turn(data, now_ns) for event in events]

    def receive_in_turn(self, data: bytes, now_ns: int) -> Iterator[list[Event]]:
        """As `receive_data`, for an application that answers what it is told before it asks for more.

        Then its answer to a message goes before the session's to a later one, however the bytes are cut.
        """
        talk = self._at(now_ns)
        garbled = self._framer.garbled
        for message in self._framer.receive_data(data):
            while talk.state not in (State.DOWN, State.ENDING) and not talk.receive(message):
                yield talk.take_events()
                talk.go_on()
        while talk.has_turn_to_come:
            yield talk.take_events()
            talk.go_on()
        if talk.state is State.ACTIVE:
            self._framer.limit_bytes = self.settings.message_limit_bytes
        if garbled < self._framer.garbled:
            talk.events.append(Warned("skipped what is no FIX message"))
            if talk.state is State.AWAITING_LOGON:
                talk.cut("the first message is garbled")
        yield self._events()

    def tick(self, now_ns: int) -> list[Event]:
        """Does what has fallen due."""
        talk = self._at(now_ns)
        if self._is_resending:
            talk.outbox.resend_page(now_ns)
        state = talk.state
        for due, at_ns in talk.deadlines().items():
            if at_ns <= now_ns and talk.state is state:
                talk.do(due)
        return self._events()

    def send(self, msg_type: bytes, body: Sequence[Field], now_ns: int, header: Sequence[Field] = ()) -> int:
        """Numbers and keeps an application message, and gives its MsgSeqNum. Raises Unencodable, SessionMisuse.

        `header`: fields beyond those of every message, as PossResend (97) or OnBehalfOfCompID (115).
        """
        if msg_type in SESSION_TYPES:
            raise SessionMisuse(f"{msg_type!r} is the session's own")
        talk = self._conversation
        return talk.outbox.application_message(msg_type, body, now_ns, header, talk.state)

    def reject(self, message: Message, reason: BusinessReason, text: str, now_ns: int, ref_id: bytes = b"") -> int:
        """Answers an application message that cannot be processed with a BusinessMessageReject (35=j)."""
        body = answers.business_reject(message, reason, text, ref_id)
        return self.send(b"j", body, now_ns, answers.reverse_route(message))

    def logout(self, text: str, now_ns: int) -> list[Event]:
        """Begins to log out where the session is up; the peer has `logout_timeout_ms` to answer."""
        self._at(now_ns).log_out(text)
        return self._events()

    def save(self) -> None:
        """Writes what changed since the last `save`, into the transaction that the caller has begun on the store.

        If that transaction fails, this object is no longer true: the transport is cut, and a new one made.
        """
        if self._must_save():
            self._conversation.outbox.save(self.sequences)
            self._saved = self.sequences
            self._count_due_ns = None

    def renumber(self, next_out: int, next_in: int) -> None:
        """An operator's repair, while the session is down. What was sent from `next_out` on is forgotten.

        Raises SessionMisuse if the session is not down or a number is not above 0.
        """
        if not self.is_down or next_out < 1 or next_in < 1:
            raise SessionMisuse("numbers above 0 are set while the session is down")
        self._conversation.renumber(next_out, next_in)

    def data_to_send(self) -> bytes:
        """What may go to the peer, once the transaction with the last `save` is over."""
        return self._conversation.outbox.take_ready()

    def _must_save(self) -> bool:
        """Whether anything changed, other than a count that may wait and has not waited for long."""
        talk, sequences = self._conversation, self.sequences
        if talk.outbox.has_news or not talk.is_up or sequences._replace(next_in=self._saved.next_in) != self._saved:
            return talk.outbox.has_news or sequences != self._saved
        if sequences == self._saved:
            return False
        if self._count_due_ns is None:
            self._count_due_ns = talk.now_ns + self.settings.count_delay_ms * MS_NS
        return self._count_due_ns <= talk.now_ns

    @property
    def _is_resending(self) -> bool:
        return self.is_logged_on and self._conversation.outbox.is_resending

    def _at(self, now_ns: int) -> Conversation:
        self._conversation.now_ns = now_ns
        return self._conversation

    def _events(self) -> list[Event]:
        return self._conversation.take_events()
