"""Plays the same bytes to a session of ours and to a QuickFIX acceptor, and tells what each says."""

import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.fix.codec import Framer, Message, encode
from gateway.fix.session import Session
from gateway.fix.store import SqliteStore
from gateway.fix.times import SECOND_NS, utc_timestamp
from tools.fix_conformance import SETTINGS, Echo

Step = Callable[[int], bytes]
"""What is sent, from the time (ns)."""

PATIENCE_S = 60.0
SILENT_S, OPEN_S = 0.5, 2.5
"""So long is waited for what will not come: an answer, and the end of the connection."""
ATTEMPTS = 600
FREE_TEXT = (b"3", b"5", b"j")
_OF_THE_MOMENT = (49, 52, 56, 60, 122)


def fields(text: str) -> Step:
    """A framed message of `tag=value` separated by |, with <now> and <now-121> (s) for times."""

    def made(now_ns: int) -> bytes:
        return encode(b"FIX.4.4", timed(text, now_ns))

    return made


def timed(text: str, now_ns: int) -> bytes:
    parts = []
    for part in text.split("|"):
        name, _, value = part.partition("=")
        if value.startswith("<now"):
            shift_s = int(value[4:-1] or 0)
            value = utc_timestamp(now_ns + shift_s * SECOND_NS).decode()
        parts.append(f"{name}={value}" if "=" in part else part)
    return "\x01".join(parts).encode("latin-1") + b"\x01"


def said(kind: str, seq: int | str, body: str = "", header: str = "", route: str = "49=TW44|52=<now>|56=ISLD") -> Step:
    """A message of TW44's with the usual header."""
    return fields("|".join(part for part in (f"35={kind}", f"34={seq}", route, header, body) if part))


def told(message: Message) -> str:
    """MsgType and fields, without what is free or of the moment."""
    free = (58,) if message.msg_type in FREE_TEXT else (112,) if message.msg_type == b"1" else ()
    rest = [
        f"{tag}={value.decode('latin-1')}"
        for tag, value in message.fields
        if tag not in (35, *_OF_THE_MOMENT, *free)
    ]  # fmt: skip
    return " ".join([message.msg_type.decode("latin-1"), *sorted(rest)])


class Ours:
    def __init__(self) -> None:
        self._store = SqliteStore(":memory:")
        self._echo = Echo()
        self.session = Session(SETTINGS, self._store)
        self._framer = Framer()
        self.messages: list[str] = []
        self.session.open(time.time_ns())

    @property
    def is_closed(self) -> bool:
        return self.session.must_close

    def hear(self, data: bytes, now_ns: int) -> None:
        with self._store.transaction():
            self._echo.on_events(self.session, self.session.receive_data(data, now_ns), now_ns)
            self.session.save()
        self.messages += [told(message) for message in self._framer.receive_data(self.session.data_to_send())]


class Theirs:
    def __init__(self, port: int, answer_s: float, close_s: float):
        self._answer_s = answer_s
        self._close_s = close_s
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._framer = Framer()
        self.messages: list[str] = []
        self.is_closed = False

    def hear(self, data: bytes, count: int, closes: bool) -> None:
        """Waits until it has said so many messages, and closed if it should."""
        try:
            self._socket.sendall(data)
            self._until_read()
        except OSError:
            self.is_closed = True
        deadline = time.monotonic() + (self._close_s if closes else self._answer_s)
        while not self.is_closed and (closes or len(self.messages) < count):
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                more = self._socket.recv(65_536)
            except TimeoutError:
                return
            except OSError:
                more = b""
            self.is_closed = not more
            self.messages += [told(message) for message in self._framer.receive_data(more)]

    def _until_read(self) -> None:
        """Where bytes were cut may change what QuickFIX makes of a garbled message: it gets each step by itself."""
        port, our_port = self._socket.getpeername()[1], self._socket.getsockname()[1]
        ends = f":{port:04X} 0100007F:{our_port:04X} "
        deadline = time.monotonic() + PATIENCE_S
        while any(
            ends in line and not line.split()[4].endswith(":00000000")  # tx_queue:rx_queue (proc(5))
            for line in Path("/proc/net/tcp").read_text().splitlines()
        ):
            assert time.monotonic() < deadline, "it does not read"
            time.sleep(0.001)

    def close(self) -> None:
        self._socket.close()


def play(port: int, steps: Sequence[Step], *, alike: bool = True) -> tuple[list[str], list[str]]:
    """What ours and theirs say, with `closed` at the end of who has closed. `alike`: both should say the same.

    Who is still logged on is asked with a TestRequest in sequence at the end: nothing more may have been said, and
    both must count alike.
    """
    patience = (PATIENCE_S, PATIENCE_S) if alike else (SILENT_S, OPEN_S)
    for _ in range(ATTEMPTS):
        ours, theirs = Ours(), Theirs(port, *patience)
        try:
            for step in steps:
                if ours.is_closed:
                    break
                now_ns = time.time_ns()
                data = step(now_ns)
                ours.hear(data, now_ns)
                theirs.hear(data, len(ours.messages), ours.is_closed)
                if theirs.is_closed:
                    break
            if ours.session.is_logged_on and not theirs.is_closed:
                probe = said("1", ours.session.sequences.next_in, "112=probe")(time.time_ns())
                ours.hear(probe, time.time_ns())
                theirs.hear(probe, len(ours.messages), False)
        finally:
            theirs.close()
        if not theirs.is_closed or theirs.messages or not ours.messages[:1] or ours.messages[0][0] != "A":
            break
        time.sleep(0.05)  # It has not seen yet that the connection before this is gone.
    return _ended(ours), _ended(theirs)


def _ended(side: Ours | Theirs) -> list[str]:
    return [*side.messages, "closed"] if side.is_closed else side.messages


LOGON = said("A", 1, "98=0|108=30")
ORDER = "11=ID|21=3|38=100|40=1|54=1|55=INTC|60=<now>"
RESENT = "43=Y|122=<now>"


def order(seq: int, header: str = "", body: str = ORDER) -> Step:
    return said("D", seq, body, header)
