"""One side of a FIX 4.4 session, as its driver and its application see it. The package's docstring shows the use."""

from collections.abc import Sequence

from gateway.fix import answers
from gateway.fix.codec import Field, Framer, Message
from gateway.fix.conversation import Conversation
from gateway.fix.events import Event, Warned
from gateway.fix.reasons import BusinessReason
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.states import State
from gateway.fix.store import Sequences, Store
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
    def sequences(self) -> Sequences:
        return self._conversation.sequences

    @property
    def next_deadline_ns(self) -> int | None:
        """When `tick` is to be called at the latest; None if only data can change anything."""
        if self._is_resending:
            return self._conversation.now_ns
        return min(self._conversation.deadlines().values(), default=None)

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
        talk = self._at(now_ns)
        garbled = self._framer.garbled
        for message in self._framer.receive_data(data):
            if talk.state in (State.DOWN, State.ENDING):
                break
            talk.receive(message)
        if talk.state is State.ACTIVE:
            self._framer.limit_bytes = self.settings.message_limit_bytes
        if garbled < self._framer.garbled:
            talk.events.append(Warned("skipped what is no FIX message"))
            if talk.state is State.AWAITING_LOGON:
                talk.cut("the first message is garbled")
        return self._events()

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
        is_up = self._conversation.state in (State.ACTIVE, State.LOGOUT_SENT)
        return self._conversation.outbox.application_message(msg_type, body, now_ns, header, is_up)

    def reject(self, message: Message, reason: BusinessReason, text: str, now_ns: int, ref_id: bytes = b"") -> int:
        """Answers an application message that cannot be processed with a BusinessMessageReject (35=j)."""
        body = answers.business_reject(message, reason, text, ref_id)
        return self.send(b"j", body, now_ns, answers.reverse_route(message))

    def logout(self, text: str, now_ns: int) -> list[Event]:
        """Begins to log out where the session is up; the peer has `logout_timeout_ms` to answer."""
        self._at(now_ns).log_out(text)
        return self._events()

    @property
    def has_news(self) -> bool:
        """Whether there is anything to save."""
        return self._conversation.outbox.has_news or self.sequences != self._saved

    def save(self) -> None:
        """Writes what changed since the last `save`, into the transaction that the caller has begun on the store.

        If that transaction fails, this object is no longer true: the transport is cut, and a new one made.
        """
        if self.has_news:
            self._conversation.outbox.save(self.sequences)
            self._saved = self.sequences

    def data_to_send(self) -> bytes:
        """What may go to the peer, once the transaction with the last `save` is over."""
        return self._conversation.outbox.take_ready()

    @property
    def _is_resending(self) -> bool:
        return self.is_logged_on and self._conversation.outbox.is_resending

    def _at(self, now_ns: int) -> Conversation:
        self._conversation.now_ns = now_ns
        return self._conversation

    def _events(self) -> list[Event]:
        events, self._conversation.events = self._conversation.events, []
        return events
