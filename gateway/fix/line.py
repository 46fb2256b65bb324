"""Our end of a session's line: its state, its numbers, what is said, and what time brings. FIX 4.4 volume 2."""

from gateway.fix import answers
from gateway.fix.answers import number
from gateway.fix.codec import Field, Message
from gateway.fix.events import Event, LoggedOut, Warned
from gateway.fix.inbox import Inbox
from gateway.fix.outbox import Outbox
from gateway.fix.reasons import Problem
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.states import TABLE, UP, State, Step
from gateway.fix.store import Sequences, Store
from gateway.fix.timers import Due, Timers


class Line:
    """`now_ns` is set before each call."""

    def __init__(self, settings: SessionSettings, store: Store):
        sequences = store.load(settings.session_id)
        self.settings = settings
        self.state = State.DOWN
        self.now_ns = 0
        self.events: list[Event] = []
        self.outbox = Outbox(settings, store, sequences.next_out)
        self._inbox = Inbox(sequences.next_in, settings.held_limit_messages)
        self._timers = Timers(settings)
        self._began_ns = sequences.began_ns
        self._logon_out = 0
        """The number of our Logon."""

    @property
    def is_up(self) -> bool:
        """Whether application messages may be written."""
        return self.state in UP

    @property
    def sequences(self) -> Sequences:
        return Sequences(self.outbox.next_out, self._inbox.next_in, self._began_ns)

    @property
    def heard_ns(self) -> int:
        """When the peer's last message came."""
        return self._timers.last_received_ns

    @property
    def heartbeat_ns(self) -> int:
        """How long either side may say nothing, as was agreed; 0: for ever."""
        return self._timers.heartbeat_ns

    def deadlines(self) -> dict[Due, int]:
        gap_since_ns = self._inbox.progressed_ns if self._inbox.has_gap else None
        return self._timers.deadlines(self.state, self.outbox.last_written_ns, gap_since_ns)

    def begin(self) -> None:
        """A transport has opened."""
        self.outbox.drop_wire()
        initiates = self.settings.role is Role.INITIATOR
        self._step(Step.CONNECTED if initiates else Step.ACCEPTED)
        self._timers.entered_ns = self.now_ns
        if not self._enter_hours():
            self.cut("out of session hours")
        elif initiates:
            if self.settings.reset_on_logon:
                self._restart()
            self._say_logon()

    def end(self) -> None:
        """The transport has gone."""
        if self.state is not State.ENDING:
            self.events.append(LoggedOut("the connection was lost"))
        self._step(Step.CLOSED)
        self.outbox.drop_wire()
        self._inbox.disconnect()

    def cut(self, text: str, refused: bool = True) -> None:
        """Ends the session without another word; the transport closes."""
        self._step(Step.CUT)
        self.events.append(LoggedOut(text, refused))

    def log_out(self, text: str) -> None:
        """Sends a Logout, and waits for the peer's, where the session is up; ends a Logon that is under way."""
        if self.state is State.ACTIVE:
            self._say(b"5", answers.text_field(text))
            self._step(Step.WE_LOG_OUT)
            self._timers.entered_ns = self.now_ns
        elif self.state in (State.AWAITING_LOGON, State.LOGON_SENT):
            self.cut(text, refused=False)

    def do(self, due: Due) -> None:
        """What has fallen due."""
        match due:
            case Due.LOGON_TIMEOUT:
                self.cut("no Logon came in time")
            case Due.LOGOUT_TIMEOUT:
                self.cut("the Logout was not answered", refused=False)
            case Due.END_OF_HOURS:
                self.log_out("end of session hours")
            case Due.SILENCE:
                self.cut("the peer is silent", refused=False)
            case Due.TEST_REQUEST:
                self._timers.test_requested_ns = self.now_ns
                self._say(b"1", [(112, b"%d" % self.now_ns)])
            case Due.HEARTBEAT:
                self._say(b"0", [])
            case Due.GAP_TIMEOUT:
                self._inbox.progressed_ns = self.now_ns
                self._request_resend()

    def _say_logon(self) -> None:
        settings = self.settings
        expected = self._inbox.next_in if settings.next_expected else None
        self._logon_out = self.outbox.next_out
        self._say(b"A", answers.logon(settings, settings.heartbeat_s, settings.reset_on_logon, expected))

    def _leave(self, text: str) -> None:
        """A Logout that waits for no answer: the peer's numbers or Logon cannot be relied on."""
        if self.state is not State.LOGOUT_SENT:
            self._say(b"5", answers.text_field(text))
        self.cut(text)

    def _refuse(self, message: Message, problem: Problem) -> None:
        self._say(b"3", answers.reject(message, problem), answers.reverse_route(message))
        self.events.append(Warned(f"rejected message {number(message.get(34))}: {problem.text} ({problem.tag})"))

    def _ask(self, seq: int) -> None:
        if self._inbox.ask(seq, self.now_ns):
            self._request_resend()

    def _request_resend(self) -> None:
        self._say(b"2", [(7, b"%d" % self._inbox.next_in), (16, b"0")])

    def _count(self, _message: Message | None = None) -> None:
        self._inbox.advance(self._inbox.next_in + 1, self.now_ns)

    def _count_if_next(self, seq: int) -> None:
        if seq == self._inbox.next_in:
            self._count()

    def _jump(self, following: int) -> None:
        self._inbox.advance(following, self.now_ns)
        self._inbox.drop_passed()

    def _restart(self) -> None:
        self.outbox.restart()
        self._inbox.disconnect()
        self._inbox.advance(1, self.now_ns)
        self._began_ns = self.now_ns

    def renumber(self, next_out: int, next_in: int) -> None:
        self.outbox.restart(next_out)
        self._inbox.advance(next_in, self.now_ns)

    def _enter_hours(self) -> bool:
        """Whether the session is in its hours; those numbers that are from an earlier window begin again."""
        schedule = self.settings.schedule
        window = schedule.window_ns(self.now_ns) if schedule else (0, None)
        if window is None:
            return False
        begin_ns, self._timers.hours_end_ns = window
        if self._began_ns < begin_ns:
            self._restart()
        return True

    def _say(self, msg_type: bytes, body: list[Field], header: list[Field] | None = None) -> None:
        self.outbox.session_message(msg_type, body, self.now_ns, header or [])

    def _step(self, step: Step) -> None:
        self.state = TABLE[self.state, step]
