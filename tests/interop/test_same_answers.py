"""Our session and QuickFIX's acceptor hear the same bytes and must say the same, down to reasons, tags and numbers."""

import pytest

from tests.interop.order_scripts import BODIES
from tests.interop.session_scripts import SCRIPTS
from tests.interop.side_by_side import LOGON, ORDER, RESENT, Step, fields, order, play, said

pytest.importorskip("quickfix", reason="the interop extra is not installed")

ON = "A 108=30 34=1 98=0"
ECHO = "D 11=ID 21=3 34={} 38=100 40=1 54=1 55=INTC"
PROBED = "0 112=probe 34={}"


@pytest.mark.parametrize("name", SCRIPTS)
def test_in_session(quickfix_echo: int, name: str) -> None:
    ours, theirs = play(quickfix_echo, SCRIPTS[name])
    assert ours == theirs


@pytest.mark.parametrize("name", BODIES)
def test_in_orders(quickfix_echo: int, name: str) -> None:
    ours, theirs = play(quickfix_echo, [LOGON, said("D", 2, BODIES[name])])
    assert ours == theirs


def body(text: str) -> list[Step]:
    return [LOGON, said("D", 2, text)]


def refused(reason: int, tag: int, kind: str = "D") -> list[str]:
    return [ON, f"3 34=2 371={tag} 372={kind} 373={reason} 45=2", PROBED.format(3)]


DIFFERENT: dict[str, tuple[list[Step], list[str]]] = {
    "a wrong Logon is told why": (
        [said("A", 1, "98=0|108=30", route="49=TW44|52=<now-200>|56=ISLD")],
        ["5 34=1", "closed"],
    ),
    "a message without MsgSeqNum ends the session": (
        [LOGON, fields("35=0|49=TW44|52=<now>|56=ISLD")],
        [ON, "5 34=2", "closed"],
    ),
    "a Logout is answered, whatever else it says": ([LOGON, said("5", 2, "55=X")], [ON, "5 34=2", "closed"]),
    "a Reject is never rejected": (
        [LOGON, said("3", 2, "58=x"), order(3)],
        [ON, ECHO.format(2), PROBED.format(3)],
    ),
    "an unknown type above a gap waits for its turn": (
        [LOGON, said("ZZ", 5)],
        [ON, "2 16=0 34=2 7=2", PROBED.format(3)],
    ),
    "a ResendRequest above a gap is answered, and the gap asked for": (
        [LOGON, order(2), said("2", 9, "7=1|16=0")],
        [
            ON,
            ECHO.format(2),
            "4 123=Y 34=1 36=2 43=Y",
            "D 11=ID 21=3 34=2 38=100 40=1 43=Y 54=1 55=INTC",
            "2 16=0 34=3 7=3",
            PROBED.format(4),
        ],
    ),
    "a range that is none is rejected": (
        [LOGON, said("2", 2, "7=3|16=2")],
        [ON, "3 34=2 371=16 372=2 373=5 45=2", PROBED.format(3)],
    ),
    "what was never sent is not filled over": ([LOGON, said("2", 2, "7=50|16=0")], [ON, PROBED.format(2)]),
    "a rejected GapFill counts": (
        [LOGON, said("4", 2, "36=2|123=Y"), order(3)],
        [ON, "3 34=2 372=4 373=5 45=2", ECHO.format(3), PROBED.format(4)],
    ),
    "a message that was cut off takes no other with it": (
        [LOGON, lambda now_ns: order(2)(now_ns)[:40], order(2)],
        [ON, ECHO.format(2), PROBED.format(3)],
    ),
    "OrigSendingTime above SendingTime, in sequence": (
        [LOGON, order(2, "43=Y|122=<now+100>")],
        [ON, "3 34=2 372=D 373=10 45=2", "5 34=3"],
    ),
    "a day that no month has": (body(ORDER.replace("<now>", "20200231-00:00:00")), refused(6, 60)),
    "a date that is none": (body(ORDER + "|432=20201331"), refused(6, 432)),
    "a month that is none": (body(ORDER + "|200=202013"), refused(6, 200)),
    "a group out of order": (body(ORDER + "|453=1|448=A|452=1|447=D"), refused(15, 447)),
    "a group within a group": (
        body(ORDER + "|453=1|448=A|447=D|452=1|802=2|523=x|803=1"),
        refused(16, 802),
    ),
    "values in a group": (body(ORDER + "|453=1|448=A|447=*|452=1"), refused(5, 447)),
    "no value in a group": (body(ORDER + "|453=1|448=|447=D|452=1"), refused(4, 448)),
    "a group of the header": (
        [LOGON, order(2, "627=2|628=x|629=<now>|630=1")],
        refused(16, 627),
    ),
}
"""Where ours is stricter, or loses less, than QuickFIX, and what it says."""


@pytest.mark.parametrize("name", DIFFERENT)
def test_other_answers_than_quickfix(quickfix_echo: int, name: str) -> None:
    steps, answers = DIFFERENT[name]
    ours, theirs = play(quickfix_echo, steps, alike=False)
    assert ours == answers
    assert theirs != answers


def test_a_repeat_of_an_order_that_is_not_known_is_taken(quickfix_echo: int) -> None:
    ours, theirs = play(quickfix_echo, [LOGON, order(2, RESENT)])
    assert ours == theirs == [ON, ECHO.format(2), PROBED.format(3)]
