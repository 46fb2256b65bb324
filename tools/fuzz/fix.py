"""FIX under the fuzzer: framing, validation, and a whole session. What is raised is a fault."""

import itertools
from pathlib import Path

from gateway.fix.codec import Framer
from gateway.fix.dictionary import fix44
from gateway.fix.session import Session
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.store import SqliteStore
from gateway.fix.times import SECOND_NS
from gateway.fix.validation import Level, check

START_NS = 1_768_824_000 * SECOND_NS
"""The SendingTime of the corpus: 2026-01-19 12:00 UTC. Its messages go from THEM to US."""
SETTINGS = SessionSettings(session_id="us", role=Role.ACCEPTOR, sender="US", target="THEM")
CORPUS_LOGON = Path(__file__).parent.parent.parent / "tests" / "fuzz" / "corpus" / "fix_session" / "logon"
CUT_BYTES = 4


def fix_framing(data: bytes) -> None:
    """However a stream is cut, the messages are the same; validation has an opinion of each."""
    framer = Framer()
    cut = [message for piece in _pieces(data) for message in framer.receive_data(piece)]
    whole = Framer().receive_data(data[CUT_BYTES:])
    assert [message.fields for message in cut] == [message.fields for message in whole]
    for message in whole:
        for level in Level:
            check(message, fix44(), level)


def fix_session(data: bytes) -> None:
    """Without a Logon, and after one."""
    for begin in (b"", CORPUS_LOGON.read_bytes()[CUT_BYTES:]):
        store, now_ns = SqliteStore(":memory:"), START_NS
        session = Session(SETTINGS, store)
        session.open(now_ns)
        for piece in (begin, *_pieces(data)):
            session.receive_data(piece, now_ns)
            now_ns += SECOND_NS
            session.tick(now_ns)
            with store.transaction():
                session.save()
            session.data_to_send()
        session.closed(now_ns)
        store.close()


def _pieces(data: bytes) -> list[bytes]:
    """The first bytes say where the rest is cut."""
    cuts, rest = sorted(data[:CUT_BYTES]), data[CUT_BYTES:]
    bounds = [0, *(cut * len(rest) // 256 for cut in cuts), len(rest)]
    return [rest[begin:end] for begin, end in itertools.pairwise(bounds)]
