"""A session's messages on their way out: numbered, saved, and only then given to the transport."""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.fix.codec import Field, encode, join
from gateway.fix.settings import SessionSettings
from gateway.fix.store import SentMessage, Sequences, Store
from gateway.fix.times import utc_timestamp

_POSS_DUP = b"43=Y\x01"


class _Resend(NamedTuple):
    """Up to `last`; `gap_from` is the first number that is not yet accounted for, `at` the next to look up."""

    gap_from: int
    at: int
    last: int


class Outbox:
    def __init__(self, settings: SessionSettings, store: Store, next_out: int):
        self.next_out = next_out
        self.last_written_ns = 0
        self._settings = settings
        self._store = store
        self._before_time = join(
            _named((49, settings.sender), (50, settings.sender_sub), (142, settings.sender_location))
        )
        self._after_time = join(
            _named((56, settings.target), (57, settings.target_sub), (143, settings.target_location))
        )
        self._unsaved: list[SentMessage] = []
        self._forget_from: int | None = None
        self._wire: list[bytes] = []
        self._held_back: list[bytes] = []
        self._is_ahead = False
        """Whether a number was used for what is not kept."""
        self._ready = b""
        self._resend: _Resend | None = None

    def session_message(
        self, msg_type: bytes, body: Sequence[Field], now_ns: int, header: Sequence[Field] = ()
    ) -> None:
        """One that is never sent again. Raises Unencodable."""
        self._write(self._encoded(self.next_out, msg_type, now_ns, join(header), join(body)), now_ns)
        self.next_out += 1

    def application_message(
        self, msg_type: bytes, body: Sequence[Field], now_ns: int, header: Sequence[Field], is_up: bool
    ) -> int:
        """Gives its number. While the session is not up it waits for `release`. Raises Unencodable."""
        seq = self.next_out
        sent = SentMessage(seq, msg_type, now_ns, join(header), join(body))
        data = self._encoded(seq, msg_type, now_ns, sent.header, sent.body)
        self.next_out += 1
        if self._settings.replay(sent, now_ns):
            self._unsaved.append(sent)
        else:
            self._is_ahead = True
        if is_up:
            self._write(data, now_ns)
        else:
            self._held_back.append(data)
        return seq

    def release(self) -> None:
        """The session is up: what was sent since our Logon goes after it."""
        self._wire += self._held_back
        self._held_back.clear()

    def drop_wire(self) -> None:
        """The transport has gone, or a new one has come: what was not written is asked for again by the peer."""
        self._wire.clear()
        self._held_back.clear()
        self._ready = b""
        self._resend = None

    def restart(self, next_out: int = 1) -> None:
        """Goes on with that number, and forgets what was sent with it and higher ones."""
        self.next_out = next_out
        self._unsaved = [sent for sent in self._unsaved if sent.seq < next_out]
        self._held_back.clear()
        self._forget_from = min(next_out, self._forget_from or next_out)
        self._resend = None

    @property
    def is_resending(self) -> bool:
        return self._resend is not None

    def resend(self, first: int, last: int, now_ns: int) -> None:
        """Sends messages again from their first page on; session messages are filled over."""
        self._resend = _Resend(first, first, last)
        self.resend_page(now_ns)

    def resend_page(self, now_ns: int) -> None:
        if self._resend is None:
            return
        gap_from, at, last = self._resend
        limit = self._settings.resend_page_messages
        rows = self._rows(at, last, limit)
        for sent in rows:
            if not self._settings.replay(sent, now_ns):
                continue
            self._fill(gap_from, sent.seq, now_ns)
            origin = b"122=%b\x01" % utc_timestamp(sent.sent_ns)
            data = self._encoded(sent.seq, sent.msg_type, now_ns, origin + sent.header, sent.body, _POSS_DUP)
            self._write(data, now_ns)
            gap_from = sent.seq + 1
        if len(rows) == limit:
            self._resend = _Resend(gap_from, rows[-1].seq + 1, last)
        else:
            self._fill(gap_from, last + 1, now_ns)
            self._resend = None

    def save(self, sequences: Sequences) -> None:
        """Writes into the transaction that the caller has begun. What is due may be written once that has ended."""
        session_id = self._settings.session_id
        if self._forget_from is not None:
            self._store.forget(session_id, self._forget_from)
        self._store.save(session_id, sequences, self._unsaved)
        self._forget_from = None
        self._is_ahead = False
        self._unsaved = []
        self._ready += b"".join(self._wire)
        self._wire.clear()

    @property
    def has_news(self) -> bool:
        """Whether there is something that `save` must write, or let go."""
        return bool(self._wire or self._unsaved or self._forget_from or self._is_ahead)

    def take_ready(self) -> bytes:
        ready, self._ready = self._ready, b""
        return ready

    def _rows(self, first: int, last: int, limit: int) -> list[SentMessage]:
        stored_last = last if self._forget_from is None else min(last, self._forget_from - 1)
        rows = self._store.sent(self._settings.session_id, first, stored_last, limit)
        rows += [sent for sent in self._unsaved if first <= sent.seq <= last]
        return rows[:limit]

    def _fill(self, first: int, following: int, now_ns: int) -> None:
        if first < following:
            origin = b"122=%b\x01" % utc_timestamp(now_ns)
            body = join([(36, b"%d" % following), (123, b"Y")])
            self._write(self._encoded(first, b"4", now_ns, origin, body, _POSS_DUP), now_ns)

    def _encoded(
        self, seq: int, msg_type: bytes, now_ns: int, header: bytes, body: bytes, poss_dup: bytes = b""
    ) -> bytes:
        data = b"35=%b\x0134=%d\x01%b%b52=%b\x01%b%b%b" % (
            msg_type,
            seq,
            poss_dup,
            self._before_time,
            utc_timestamp(now_ns),
            self._after_time,
            header,
            body,
        )
        return encode(self._settings.dictionary.begin_string, data)

    def _write(self, data: bytes, now_ns: int) -> None:
        self._wire.append(data)
        self.last_written_ns = now_ns


def _named(*names: tuple[int, str]) -> list[Field]:
    return [(tag, name.encode("ascii")) for tag, name in names if name]
