"""What FIX 4.4 volume 2 has a session say, as scripts for tools/fix_conformance.py.

A script is what the peer sends, what it must hear, and the MsgSeqNum with which a TestRequest asks in the end whether
the session lives and counts alike; 0: the session must have been closed.
"""

from typing import NamedTuple

from gateway.fix.codec import encode
from tests.interop.side_by_side import LOGON, ORDER, RESENT, Step, fields, order, said, timed

ON = "A 108=30 34=1 98=0"
ECHO = "D 11=ID 21=3 34={} 38=100 40=1 54=1 55=INTC"
AGAIN = "D 11=ID 21=3 34={} 38=100 40=1 43=Y 54=1 55=INTC"


class Script(NamedTuple):
    sent: list[Step]
    heard: list[str]
    next_in: int


def logged_on(*sent: Step, heard: list[str], next_in: int) -> Script:
    return Script([LOGON, *sent], [ON, *heard], next_in)


def refused(body: str, reason: int, tag: int, kind: str = "D") -> Script:
    """The message is rejected, and counts as received."""
    heard = [f"3 34=2 371={tag} 372={kind} 373={reason} 45=2", ECHO.format(3)]
    return logged_on(said(kind, 2, body), order(3), heard=heard, next_in=4)


def filled(seq: int, following: int, header: str = RESENT) -> Step:
    return said("4", seq, f"36={following}|123=Y", header)


def reset(seq: int, following: int) -> Step:
    return said("4", seq, f"36={following}|123=N")


def with_begin_string(name: bytes, text: str) -> Step:
    return lambda now_ns: encode(name, timed(text, now_ns))


def broken(step: Step, old: bytes, new: bytes) -> Step:
    return lambda now_ns: step(now_ns).replace(old, new)


ROUTE = "115=a|128=b|116=c|129=d|144=e|145=f"
REVERSED = "115=b 116=d 128=a 129=c"
NO_SIDE = ORDER.replace("|54=1", "")

LOGONS = {
    "in sequence": Script([LOGON], [ON], 2),
    "too high": Script([said("A", 5, "98=0|108=30")], [ON, "2 16=0 34=2 7=1"], 1),
    "too high, then filled": Script([said("A", 5, "98=0|108=30"), filled(1, 6)], [ON, "2 16=0 34=2 7=1"], 6),
    "from a stranger": Script([said("A", 1, "98=0|108=30", route="49=X|52=<now>|56=ISLD")], [], 0),
    "to a stranger": Script([said("A", 1, "98=0|108=30", route="49=TW44|52=<now>|56=X")], [], 0),
    "of another version": Script(
        [with_begin_string(b"FIX.4.2", "35=A|34=1|49=TW44|52=<now>|56=ISLD|98=0|108=30")], [], 0
    ),
    "no Logon": Script([order(1)], [], 0),
    "a Heartbeat": Script([said("0", 1)], [], 0),
    "a Logout": Script([said("5", 1)], [], 0),
    "a length that is wrong": Script([broken(LOGON, b"\x019=6", b"\x019=5")], [], 0),
    "both numbers anew": Script([said("A", 1, "98=0|108=30|141=Y")], ["A 108=30 141=Y 34=1 98=0"], 2),
}
NUMBERS = {
    "a gap is asked for once": logged_on(
        order(5), order(6), order(7), heard=["2 16=0 34=2 7=2"], next_in=2
    ),
    "what waits above a gap follows it": logged_on(
        order(4), order(2, RESENT), order(3, RESENT),
        heard=["2 16=0 34=2 7=2", ECHO.format(3), ECHO.format(4), ECHO.format(5)], next_in=5,
    ),
    "too low": logged_on(order(2), said("0", 2), heard=[ECHO.format(2), "5 34=3"], next_in=0),
    "too low and a repeat": logged_on(order(2), order(2, RESENT), heard=[ECHO.format(2)], next_in=3),
    "a repeat that never came": logged_on(order(2, RESENT), heard=[ECHO.format(2)], next_in=3),
    "a repeat from the future": logged_on(
        order(2), order(2, "43=Y|122=<now+50>"), heard=[ECHO.format(2), "3 34=3 372=D 373=10 45=2", "5 34=4"], next_in=3
    ),
    "a repeat without its time": logged_on(
        order(2), order(2, "43=Y"), heard=[ECHO.format(2), "3 34=3 371=122 372=D 373=1 45=2"], next_in=3
    ),
    "a gap fill": logged_on(filled(2, 20, ""), order(20), heard=[ECHO.format(2)], next_in=21),
    "a gap fill above a gap": logged_on(
        filled(4, 9, ""), order(2, RESENT), order(3, RESENT),
        heard=["2 16=0 34=2 7=2", ECHO.format(3), ECHO.format(4)], next_in=9,
    ),
    "a gap fill that came before": logged_on(order(2), order(3), filled(2, 9), heard=[ECHO.format(2), ECHO.format(3)],
                                             next_in=4),
    "a low gap fill that is no repeat": logged_on(
        order(2), filled(2, 9, ""), heard=[ECHO.format(2), "5 34=3"], next_in=0
    ),
    "a gap fill to where it is": logged_on(filled(2, 2, ""), heard=["3 34=2 372=4 373=5 45=2"], next_in=3),
    "a reset forward": logged_on(reset(2, 40), order(40), heard=[ECHO.format(2)], next_in=41),
    "a reset to where it is": logged_on(reset(9, 2), order(2), heard=[ECHO.format(2)], next_in=3),
    "a reset back": logged_on(order(2), reset(3, 1), heard=[ECHO.format(2), "3 34=3 372=4 373=5 45=3"], next_in=3),
    "both ask at once": logged_on(
        order(2), order(4), said("2", 5, "7=1|16=0"), order(3, RESENT),
        heard=[ECHO.format(2), "2 16=0 34=3 7=3", "4 123=Y 34=1 36=2 43=Y", AGAIN.format(2), "4 123=Y 34=3 36=4 43=Y",
               ECHO.format(4), ECHO.format(5)], next_in=6,
    ),
}  # fmt: skip
RESENDS = {
    "all": logged_on(
        order(2), said("1", 3, "112=x"), order(4), said("2", 5, "7=1|16=0"),
        heard=[ECHO.format(2), "0 112=x 34=3", ECHO.format(4), "4 123=Y 34=1 36=2 43=Y", AGAIN.format(2),
               "4 123=Y 34=3 36=4 43=Y", AGAIN.format(4)], next_in=6,
    ),
    "a range": logged_on(
        order(2), order(3), order(4), said("2", 5, "7=3|16=3"),
        heard=[ECHO.format(2), ECHO.format(3), ECHO.format(4), AGAIN.format(3)], next_in=6,
    ),
    "beyond the last": logged_on(
        order(2), said("2", 3, "7=2|16=999"), heard=[ECHO.format(2), AGAIN.format(2)], next_in=4
    ),
    "session messages alone": logged_on(
        said("1", 2, "112=x"), said("1", 3, "112=y"), said("2", 4, "7=1|16=0"),
        heard=["0 112=x 34=2", "0 112=y 34=3", "4 123=Y 34=1 36=4 43=Y"], next_in=5,
    ),
    "a Reject is not sent again": logged_on(
        said("D", 2, NO_SIDE), order(3), said("2", 4, "7=2|16=0"),
        heard=["3 34=2 371=54 372=D 373=1 45=2", ECHO.format(3), "4 123=Y 34=2 36=3 43=Y", AGAIN.format(3)], next_in=5,
    ),
    "a BusinessMessageReject is": logged_on(
        said("AE", 2, "571=a|570=N|55=X|32=1|31=1|75=20260105|60=<now>|552=1|54=1|37=a"), said("2", 3, "7=2|16=0"),
        heard=["j 34=2 372=AE 380=3 45=2", "j 34=2 372=AE 380=3 43=Y 45=2"], next_in=4,
    ),
}  # fmt: skip
WRONG = {
    "BeginString": logged_on(
        with_begin_string(b"FIX.4.3", "35=0|34=2|49=TW44|52=<now>|56=ISLD"), heard=["5 34=2"], next_in=2
    ),
    "SenderCompID": logged_on(
        said("0", 2, route="49=X|52=<now>|56=ISLD"), heard=["3 34=2 372=0 373=9 45=2", "5 34=3"], next_in=3
    ),
    "TargetCompID": logged_on(
        order(2), said("D", 3, ORDER, route="49=TW44|52=<now>|56=X"),
        heard=[ECHO.format(2), "3 34=3 372=D 373=9 45=3", "5 34=4"], next_in=4,
    ),
    "SendingTime, old": logged_on(
        said("0", 2, route="49=TW44|52=<now-130>|56=ISLD"), heard=["3 34=2 372=0 373=10 45=2", "5 34=3"], next_in=3
    ),
    "SendingTime, to come": logged_on(
        said("0", 2, route="49=TW44|52=<now+130>|56=ISLD"), heard=["3 34=2 372=0 373=10 45=2", "5 34=3"], next_in=3
    ),
    "no MsgSeqNum": logged_on(fields("35=0|49=TW44|52=<now>|56=ISLD"), heard=["5 34=2"], next_in=0),
    "MsgType": logged_on(said("*", 2), order(3), heard=["3 34=2 372=* 373=11 45=2", ECHO.format(3)], next_in=4),
    "a type that is not taken": logged_on(
        said("AE", 2, "571=a|570=N|55=X|32=1|31=1|75=20260105|60=<now>|552=1|54=1|37=a"), order(3),
        heard=["j 34=2 372=AE 380=3 45=2", ECHO.format(3)], next_in=4,
    ),
    "CheckSum": logged_on(
        lambda now_ns: order(2)(now_ns)[:-4] + b"999\x01", order(2), heard=[ECHO.format(2)], next_in=3
    ),
    "the first three fields": logged_on(
        lambda _: b"9=20\x018=FIX.4.4\x0135=0\x0134=2\x0110=000\x01",
        lambda _: b"8=FIX.4.4\x0135=0\x019=5\x0134=2\x0110=000\x01",
        fields("34=2|35=0|49=TW44|52=<now>|56=ISLD"), order(2), heard=[ECHO.format(2)], next_in=3,
    ),
    "BodyLength, too long": logged_on(
        broken(order(2), b"\x019=1", b"\x019=3"), order(2), heard=[ECHO.format(2)], next_in=3
    ),
    "BodyLength, too short": logged_on(
        broken(order(2), b"\x019=1", b"\x019="), order(2), heard=[ECHO.format(2)], next_in=3
    ),
    "no end": logged_on(
        lambda now_ns: order(2)(now_ns)[:80], order(2), said("0", 3), heard=[ECHO.format(2)], next_in=4
    ),
    "noise": logged_on(lambda _: b"\x00\xff8=FIX8=\x019=\x01\r\n", order(2), heard=[ECHO.format(2)], next_in=3),
}  # fmt: skip
FIELDS = {
    "an unknown tag": refused(ORDER + "|9999=x", 0, 9999),
    "a field that is missing": refused(NO_SIDE, 1, 54),
    "a field of another type": refused(ORDER + "|41=x", 2, 41),
    "no value": refused(ORDER + "|58=", 4, 58),
    "a value that is none of its": refused(ORDER.replace("54=1", "54=Z"), 5, 54),
    "no number": refused(ORDER.replace("38=100", "38=+1e2"), 6, 38),
    "no time": refused(ORDER.replace("60=<now>", "60=20260105"), 6, 60),
    "a field of the header in the body": refused(ORDER + "|90=1", 14, 90),
    "a field twice": refused(ORDER + "|54=1", 13, 54),
    "a group of other size": refused(ORDER + "|453=2|448=a|447=D|452=1", 16, 453),
    "a group without a size": refused(ORDER + "|453=0|448=a", 16, 453),
    "a group that begins elsewhere": refused(ORDER + "|453=1|447=D|448=a|452=1", 15, 447),
    "any order in header and body": logged_on(
        fields("35=D|56=ISLD|34=2|52=<now>|49=TW44|60=<now>|55=INTC|54=1|40=1|38=100|21=3|11=ID"),
        heard=[ECHO.format(2)], next_in=3,
    ),
    "a repeat that is wrong": logged_on(
        order(3), said("D", 2, NO_SIDE, RESENT),
        heard=["2 16=0 34=2 7=2", "3 34=3 371=54 372=D 373=1 45=2", ECHO.format(4)], next_in=4,
    ),
}  # fmt: skip
ANSWERS = {
    "a TestRequest": logged_on(said("1", 2, "112=hello"), heard=["0 112=hello 34=2"], next_in=3),
    "a Heartbeat is not answered": logged_on(said("0", 2), said("0", 3, "112=x"), heard=[], next_in=4),
    "a Reject is not answered": logged_on(said("3", 2, "45=1|58=why"), heard=[], next_in=3),
    "a Logout": logged_on(said("5", 2, "58=bye"), heard=["5 34=2"], next_in=0),
    "a Logout above a gap": logged_on(said("5", 9), heard=["5 34=2"], next_in=0),
    "nothing after a Logout": logged_on(
        lambda now_ns: said("5", 2)(now_ns) + order(3)(now_ns), heard=["5 34=2"], next_in=0
    ),
    "a second Logon": logged_on(said("A", 2, "98=0|108=30"), heard=[], next_in=0),
    "a reset on the way": logged_on(
        order(2), said("A", 1, "98=0|108=30|141=Y"), order(2),
        heard=[ECHO.format(2), "A 108=30 141=Y 34=1 98=0", ECHO.format(2)], next_in=3,
    ),
    "what may be a repeat": logged_on(
        order(2), order(3, "97=Y"), order(4, "97=Y", ORDER.replace("ID", "NEW")),
        heard=[ECHO.format(2), "D 11=NEW 21=3 34=3 38=100 40=1 54=1 55=INTC 97=Y"], next_in=5,
    ),
    "back the way it came": logged_on(
        said("D", 2, NO_SIDE, ROUTE),
        heard=["3 115=b 116=d 128=a 129=c 144=f 145=e 34=2 371=54 372=D 373=1 45=2"], next_in=3,
    ),
    "back a way without a name": logged_on(
        said("D", 2, ORDER, "115=|128=b"), heard=["3 115=b 34=2 371=115 372=D 373=4 45=2"], next_in=3
    ),
}  # fmt: skip
SCRIPTS = {
    f"{chapter}: {name}": script
    for chapter, scripts in (
        ("Logon", LOGONS), ("numbers", NUMBERS), ("resend", RESENDS), ("wrong", WRONG), ("fields", FIELDS),
        ("answers", ANSWERS),
    )
    for name, script in scripts.items()
}  # fmt: skip
