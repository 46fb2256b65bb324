"""The acceptor's side of a FIX 4.4 session, as plain as the specification (volume 2) allows."""

import hmac
from collections.abc import Callable, Mapping
from typing import NamedTuple

import simplefix

from tools.venues.fix.book import Book, Sent
from tools.venues.fix.faults import Faults
from tools.venues.fix.wire import Fields, encode, number, text, utc_timestamp

COMP_ID = "SIMLP"
SENDING_TIME_LIMIT_BEATS = 2.4
"""A peer that is silent for so many heartbeat intervals is gone; after half of them it is asked."""
PERISHABLE = frozenset(["W", "X"])
"""Prices are not sent again: a gap fill goes in their place."""
ADMIN = frozenset(["0", "1", "2", "3", "4", "5", "A"])


class Login(NamedTuple):
    """What a peer must say at its Logon."""

    username: str
    password: str


class Session:
    """One connection: messages in, bytes to send out. The application is asked with each of its messages, once."""

    def __init__(
        self,
        book: Book,
        logins: Mapping[str, Login],
        faults: Faults,
        application: Callable[["Session", simplefix.FixMessage, int], None],
    ) -> None:
        """`logins`: by the peer's SenderCompID."""
        self.peer = ""
        self.is_up = False
        self.closing = False
        """The connection is to be cut once what `take` gives is written."""
        self._book = book
        self._logins = logins
        self._faults = faults
        self._application = application
        self._heartbeat_ns = 30_000_000_000
        self._heard_ns = 0
        self._said_ns = 0
        self._asked = False
        self._waiting: list[bytes] = []

    def take(self) -> bytes:
        waiting, self._waiting = self._waiting, []
        return b"".join(waiting)

    def receive(self, message: simplefix.FixMessage, now_ns: int) -> None:
        msg_type, seq = text(message, 35), number(message, 34)
        self._heard_ns, self._asked = now_ns, False
        if not self.is_up:
            self._log_on(message, msg_type, seq, now_ns)
            return
        if (text(message, 49), text(message, 56)) != (self.peer, COMP_ID):
            self._part("the CompIDs are not those of the Logon", now_ns)
            return
        if msg_type == "4" and text(message, 123) != "Y":
            self._book.set_next_in(self.peer, number(message, 36))
            return
        expected, _ = self._book.numbers(self.peer)
        if seq > expected:
            if msg_type == "2":
                self._resend(message, now_ns)
            self._say("2", [(7, str(expected)), (16, "0")], now_ns)
        elif seq < expected:
            if text(message, 43) != "Y":
                self._part(f"MsgSeqNum too low, expecting {expected} but received {seq}", now_ns)
        else:
            self._book.set_next_in(self.peer, seq + 1)
            self._act(msg_type, message, now_ns)

    def beat(self, now_ns: int) -> None:
        """Time has passed."""
        if not self.is_up:
            return
        silent_ns = now_ns - self._heard_ns
        if silent_ns > SENDING_TIME_LIMIT_BEATS * self._heartbeat_ns:
            self.is_up, self.closing = False, True
        elif silent_ns > SENDING_TIME_LIMIT_BEATS / 2 * self._heartbeat_ns and not self._asked:
            self._asked = True
            self._say("1", [(112, "are you there?")], now_ns)
        elif now_ns - self._said_ns >= self._heartbeat_ns:
            self._say("0", [], now_ns)

    def send(self, msg_type: str, body: Fields, now_ns: int) -> None:
        """An application message: kept, and sent now or when the peer asks for it."""
        if self._faults.use("gaps"):
            self._keep("j", [(45, "1"), (372, "D"), (380, "4"), (58, "this message was held back on purpose")], now_ns)
        if self._faults.use("low_sequence_numbers"):
            self._waiting.append(encode(msg_type, self._header(1, now_ns), body))
        seq = self._keep(msg_type, body, now_ns)
        if self.is_up:
            self._waiting.append(encode(msg_type, self._header(seq, now_ns), body))
            self._said_ns = now_ns

    def log_out(self, now_ns: int) -> None:
        if self.is_up:
            self._part("the LP is going away", now_ns)

    def _log_on(self, message: simplefix.FixMessage, msg_type: str, seq: int, now_ns: int) -> None:
        peer = text(message, 49)
        login = self._logins.get(peer)
        if msg_type != "A" or text(message, 56) != COMP_ID or login is None:
            self.closing = True  # A stranger is not told what would be right (volume 2, "Logon").
            return
        self.peer = peer
        given = f"{text(message, 553)}\n{text(message, 554)}".encode()
        if not hmac.compare_digest(given, f"{login.username}\n{login.password}".encode()):
            self.closing = True
            self._say("5", [(58, "username or password is wrong")], now_ns)
            return
        reset = text(message, 141) == "Y"
        if reset:
            self._book.reset(peer)
        expected, _ = self._book.numbers(peer)
        if seq < expected:
            self._part(f"MsgSeqNum too low, expecting {expected} but received {seq}", now_ns)
            return
        interval = text(message, 108)
        self._heartbeat_ns = max(number(message, 108), 1) * 1_000_000_000
        self.is_up = True
        self._say("A", [(98, "0"), (108, interval), *([(141, "Y")] if reset else [])], now_ns)
        if seq > expected:
            self._say("2", [(7, str(expected)), (16, "0")], now_ns)
        else:
            self._book.set_next_in(peer, seq + 1)

    def _act(self, msg_type: str, message: simplefix.FixMessage, now_ns: int) -> None:
        if msg_type == "1":
            self._say("0", [(112, text(message, 112))], now_ns)
        elif msg_type == "2":
            self._resend(message, now_ns)
        elif msg_type == "4":
            self._book.set_next_in(self.peer, number(message, 36))
        elif msg_type == "5":
            self._part("", now_ns)
        elif msg_type not in ADMIN:
            self._application(self, message, now_ns)

    def _resend(self, message: simplefix.FixMessage, now_ns: int) -> None:
        """Application messages again, each as it was; the rest is a gap fill (volume 2, "Resend Request")."""
        _, next_out = self._book.numbers(self.peer)
        first, last = number(message, 7), number(message, 16) or next_out - 1
        last = min(last, next_out - 1)
        for sent in self._book.sent(self.peer, first, last):
            self._fill_gap(first, sent.seq, now_ns)
            header = [*self._header(sent.seq, now_ns), (43, "Y"), (122, sent.sent_at)]
            self._waiting.append(encode(sent.msg_type, header, sent.body))
            first = sent.seq + 1
        self._fill_gap(first, last + 1, now_ns)

    def _fill_gap(self, first: int, until: int, now_ns: int) -> None:
        if first < until:
            header = [*self._header(first, now_ns), (43, "Y"), (122, utc_timestamp(now_ns))]
            self._waiting.append(encode("4", header, [(123, "Y"), (36, str(until))]))

    def _part(self, reason: str, now_ns: int) -> None:
        self._say("5", [(58, reason)] if reason else [], now_ns)
        self.is_up, self.closing = False, True

    def _say(self, msg_type: str, body: Fields, now_ns: int) -> None:
        """A message of the session's own: numbered, never sent again."""
        _, seq = self._book.numbers(self.peer)
        self._book.set_next_out(self.peer, seq + 1)
        self._waiting.append(encode(msg_type, self._header(seq, now_ns), body))
        self._said_ns = now_ns

    def _keep(self, msg_type: str, body: Fields, now_ns: int) -> int:
        _, seq = self._book.numbers(self.peer)
        self._book.set_next_out(self.peer, seq + 1)
        if msg_type not in PERISHABLE:
            self._book.keep_sent(self.peer, Sent(seq, msg_type, utc_timestamp(now_ns), body))
        return seq

    def _header(self, seq: int, now_ns: int) -> Fields:
        return [(49, COMP_ID), (56, self.peer), (34, str(seq)), (52, utc_timestamp(now_ns))]
