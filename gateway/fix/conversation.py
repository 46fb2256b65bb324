"""What a session does with each message: FIX 4.4 volume 2."""

from collections.abc import Callable

from gateway.fix import answers
from gateway.fix.answers import number, text_of
from gateway.fix.codec import Message
from gateway.fix.events import Event, LoggedOn, Received, Refused, Warned
from gateway.fix.line import Line
from gateway.fix.reasons import Problem, RejectReason
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.states import State, Step
from gateway.fix.store import Store
from gateway.fix.times import SECOND_NS
from gateway.fix.validation import Level, check

_SPOKEN_TO = frozenset((b"1", b"2", b"4", b"5", b"A"))
"""Session messages that the session answers, or may."""


class Conversation(Line):
    """The protocol of one session, without its framing."""

    def __init__(self, settings: SessionSettings, store: Store):
        super().__init__(settings, store)
        self._has_unheard = False
        """Whether `events` has a message to which the application may have an answer."""
        self._handlers: dict[bytes, Callable[[Message], None]] = {
            b"0": self._count,
            b"1": self._on_test_request,
            b"2": self._on_resend_request,
            b"3": self._on_reject,
            b"4": self._on_gap_fill,
            b"5": self._on_logout,
            b"A": self._count,  # A peer that sends its Logon again, where it should fill over it.
        }

    def receive(self, message: Message) -> bool:
        """A message whose framing holds; False where it must come again, once the application has heard `events`.

        What the application says to a message goes before what the session says to a later one.
        """
        self._timers.received(self.now_ns)
        if message.begin_string != self.settings.dictionary.begin_string:
            if self._has_unheard:
                return False
            self._on_wrong_begin_string()
        elif self.state is State.AWAITING_LOGON:
            self._on_first_message(message)
        elif self.state is State.LOGON_SENT:
            self._on_logon_answer(message)
        else:
            return self._receive_in_session(message)
        return True

    @property
    def has_turn_to_come(self) -> bool:
        """Whether a message above a gap, which is filled by now, waits for the application to have heard `events`."""
        return self._has_unheard and self.is_up and self._inbox.has_next

    def take_events(self) -> list[Event]:
        """What the application is to hear."""
        events, self.events = self.events, []
        self._has_unheard = False
        return events

    def go_on(self) -> None:
        """The application has heard, and said what it had to say."""
        if self.is_up:
            self._take_held()

    def _receive_in_session(self, message: Message) -> bool:
        seq = number(message.get(34))
        problem = answers.identity_problem(self.settings, message, self.now_ns)
        is_next = seq == self._inbox.next_in and problem is None and not self._inbox.has_next
        if self._has_unheard and (not is_next or message.msg_type in _SPOKEN_TO):
            return False
        if seq is None:
            self._leave("MsgSeqNum is missing or no number")
        elif problem is not None:
            self._refuse(message, problem)
            self._count_if_next(seq)
            self.log_out(problem.text)
        elif message.msg_type == b"4" and message.get(123) != b"Y":
            self._on_sequence_reset(message)
        elif message.msg_type == b"A" and self.state is State.ACTIVE and message.get(43) != b"Y":
            self._on_second_logon(message)
        elif seq > self._inbox.next_in:
            self._on_too_high(seq, message)
        elif seq < self._inbox.next_in:
            self._on_too_low(seq, message)
        elif not self._take(message):
            return False
        else:
            self._take_held()
        return True

    def _take(self, message: Message) -> bool:
        """A message in sequence: whatever it is, it counts as received. False where it must wait, as in `receive`."""
        problem = check(message, self.settings.dictionary, self.settings.validation)
        if self._has_unheard and (problem is not None or message.msg_type in _SPOKEN_TO):
            return False
        if problem is not None and message.msg_type not in (b"3", b"5"):
            self._count()
            self._refuse(message, problem)
        elif handler := self._handlers.get(message.msg_type):
            handler(message)
        else:
            seq = self._inbox.next_in
            self._count()
            self.events.append(Received(message, seq, may_repeat=message.get(97) == b"Y"))
            self._has_unheard = True
        return True

    def _take_held(self) -> None:
        while self.state is not State.ENDING:
            found, message = self._inbox.take_held()
            if not found:
                return
            if message is None:
                self._count()
            elif not self._take(message):
                self._inbox.hold(self._inbox.next_in, message)
                return

    def _on_too_high(self, seq: int, message: Message) -> None:
        """Messages are missing: they are asked for, and this one waits; a ResendRequest or Logout is answered now."""
        if message.msg_type == b"5":
            self._answer_logout(message)
            return
        if message.msg_type == b"2":
            if problem := check(message, self.settings.dictionary, self.settings.validation):
                self._refuse(message, problem)
            else:
                self._resend(message)
            self._inbox.hold(seq, None)
        else:
            self._inbox.hold(seq, message)
        self._ask(seq)

    def _on_too_low(self, seq: int, message: Message) -> None:
        if message.msg_type == b"5" and self.state is State.LOGOUT_SENT:
            self._answer_logout(message)
        elif message.get(43) != b"Y":
            self._leave(f"MsgSeqNum too low, expecting {self._inbox.next_in} but received {seq}")
        elif message.get(122) is None and self.settings.validation is Level.STRICT:
            self._refuse(message, Problem(RejectReason.REQUIRED_TAG_MISSING, 122))

    def _on_wrong_begin_string(self) -> None:
        if self.state is State.ACTIVE:
            self.log_out("Incorrect BeginString")
        elif self.state is not State.LOGOUT_SENT:
            self.cut("Incorrect BeginString")

    def _on_first_message(self, message: Message) -> None:
        """Nobody is told anything, nor changes a number, before it is clear who it is."""
        if message.msg_type != b"A":
            self.cut("the first message is not a Logon")
        elif not answers.is_admitted(self.settings, message):
            self.cut("a Logon with wrong names or password")
        else:
            self._answer_logon(message)

    def _answer_logon(self, message: Message) -> None:
        if problem := answers.logon_problem(self.settings, message, self.now_ns):
            self._leave(problem)
            return
        if anew := self._begins_anew(message):
            self._restart()
        if (seq := self._fitting(message, self.outbox.next_out)) is None:
            return
        heartbeat_s = number(message.get(108)) or 0
        following = self._inbox.next_in + (seq == self._inbox.next_in)
        expected = following if self._lacking_from(message) is not None else None
        self._logon_out = self.outbox.next_out
        self._say(b"A", answers.logon(self.settings, heartbeat_s, message.get(141) == b"Y", expected))
        self._logged_on(message, seq, anew)

    def _on_logon_answer(self, message: Message) -> None:
        if message.msg_type != b"A":
            self._count_if_next(number(message.get(34)) or 0)
            self.cut(text_of(message) or "the Logon was not answered with one")
            return
        problem = "" if answers.is_admitted(self.settings, message) else "the answer has other names"
        if problem := problem or answers.logon_problem(self.settings, message, self.now_ns):
            self._leave(problem)
            return
        anew = message.get(141) == b"Y"
        if anew and not self.settings.reset_on_logon:
            self._restart()
            self._logon_out = 1  # Our Logon was the first message of the new count.
            self.outbox.next_out = 2
        if (seq := self._fitting(message, self._logon_out + 1)) is not None:
            self._logged_on(message, seq, anew)

    def _fitting(self, message: Message, next_out: int) -> int | None:
        """The MsgSeqNum of a Logon whose numbers can be; None where it was refused.

        `next_out`: the highest that the peer can expect of us.
        """
        seq, lacking_from = number(message.get(34)) or 0, self._lacking_from(message)
        if seq < self._inbox.next_in:
            self._leave(f"MsgSeqNum too low, expecting {self._inbox.next_in} but received {seq}")
        elif lacking_from is not None and not 0 < lacking_from <= next_out:
            self._leave(f"NextExpectedMsgSeqNum (789) may be 1 to {next_out} and not {lacking_from}")
        else:
            return seq
        return None

    def _lacking_from(self, message: Message) -> int | None:
        """Which message of ours the peer expects next, where both sides say so in their Logons."""
        return number(message.get(789)) if self.settings.next_expected else None

    def _logged_on(self, message: Message, seq: int, anew: bool) -> None:
        """Who lacks messages asks for them, or, where both have said what they expect, gets them unasked."""
        self._timers.heartbeat_ns = (number(message.get(108)) or 0) * SECOND_NS
        self._timers.received(self.now_ns)
        self._step(Step.LOGGED_ON)
        self.outbox.release()
        self.events.append(LoggedOn(anew))
        lacking_from = self._lacking_from(message)
        if lacking_from is not None:
            # QuickFIX's acceptor counts our Logon also where it is above a gap, and so lacks one more than it says.
            first = max(lacking_from - (self.settings.role is Role.INITIATOR), 1)
            if first < self._logon_out:
                self.outbox.resend(first, self._logon_out, self.now_ns)
        if seq == self._inbox.next_in:
            self._count()
            self._take_held()
            return
        self._inbox.hold(seq, None)
        if lacking_from is None:
            self._ask(seq)
        else:
            self._inbox.ask(seq, self.now_ns)

    def _begins_anew(self, message: Message) -> bool:
        resets = self.settings.role is Role.ACCEPTOR and self.settings.reset_on_logon
        return resets or message.get(141) == b"Y"

    def _on_second_logon(self, message: Message) -> None:
        """On a live connection a Logon has one use: to begin both counts anew."""
        if message.get(141) == b"Y":
            self._answer_logon(message)
        else:
            self.cut("a second Logon")

    def _on_test_request(self, message: Message) -> None:
        self._count()
        self._say(b"0", [(112, message.get(112) or b"")])

    def _on_resend_request(self, message: Message) -> None:
        self._count()
        self._resend(message)

    def _resend(self, message: Message) -> None:
        first, last = number(message.get(7)), number(message.get(16))
        newest = self.outbox.next_out - 1
        if not first or last is None:
            self._refuse(message, Problem(RejectReason.VALUE_IS_INCORRECT, 16 if first else 7))
        elif 0 < last < first:
            self._refuse(message, Problem(RejectReason.VALUE_IS_INCORRECT, 16))
        elif first <= newest:
            self.outbox.resend(first, min(last, newest) or newest, self.now_ns)
        else:
            self.events.append(Warned(f"the peer asks for message {first}, and {newest} was the last"))

    def _on_reject(self, message: Message) -> None:
        self._count()
        self.events.append(Refused(number(message.get(45)) or 0, text_of(message)))

    def _on_gap_fill(self, message: Message) -> None:
        following = number(message.get(36)) or 0
        if following > self._inbox.next_in:
            self._jump(following)
        else:
            self._count()
            self._refuse(message, Problem(RejectReason.VALUE_IS_INCORRECT))

    def _on_sequence_reset(self, message: Message) -> None:
        """Reset mode: the peer gives up what is missing. Its MsgSeqNum does not matter, and numbers only rise."""
        following = number(message.get(36)) or 0
        if problem := check(message, self.settings.dictionary, self.settings.validation):
            self._refuse(message, problem)
        elif following < self._inbox.next_in:
            self._refuse(message, Problem(RejectReason.VALUE_IS_INCORRECT))
        else:
            if following > self._inbox.next_in:
                self.events.append(Warned(f"the peer gave up messages {self._inbox.next_in} to {following - 1}"))
            self._jump(following)
            self._take_held()

    def _on_logout(self, message: Message) -> None:
        self._count()
        self._answer_logout(message)

    def _answer_logout(self, message: Message) -> None:
        if self.state is State.ACTIVE:
            self._say(b"5", [])
        self.cut(text_of(message) or "the peer logged out", refused=False)
