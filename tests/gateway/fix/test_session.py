"""The session's answers, message by message."""

import dataclasses
import random
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fix.codec import Message, encode, split
from gateway.fix.events import LoggedOn, LoggedOut, Received, Refused
from gateway.fix.reasons import BusinessReason
from gateway.fix.schedule import Schedule
from gateway.fix.session import Session, SessionMisuse
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.store import SqliteStore
from gateway.fix.times import SECOND_NS, utc_timestamp
from gateway.fix.validation import Level
from tests.gateway.fix.peers import ACCEPTOR, INITIATOR, ORDER, START_NS, Desk, logon, wire

RESENT = (43, b"Y"), (122, utc_timestamp(START_NS))


def order(seq: int, *header: tuple[int, bytes]) -> bytes:
    return wire(b"D", seq, *ORDER, header=header)


def received(desk: Desk) -> list[int]:
    return [event.seq for event in desk.events if isinstance(event, Received)]


def test_an_acceptor_answers_a_logon() -> None:
    desk = Desk()
    assert desk.open() == []
    assert desk.hear(logon()) == ["A 34=1 98=0 108=30"]
    assert desk.events == [LoggedOn(reset=False)]
    assert desk.session.sequences[:2] == (2, 2)


def test_an_initiator_logs_on_with_its_password_which_no_repr_shows() -> None:
    desk = Desk(INITIATOR)
    assert desk.open() == ["A 34=1 98=0 108=30 553=me 554=secret"]
    assert desk.hear(logon()) == []
    assert desk.events == [LoggedOn(reset=False)]
    assert "secret" not in repr(INITIATOR)


@pytest.mark.parametrize(
    "data",
    [
        wire(b"0", 1),
        logon(1, (553, b"me")),
        logon(1, (553, b"me"), (554, b"wrong")),
        wire(b"A", 1, (98, b"0"), (108, b"30"), (553, b"me"), (554, b"secret"), sender=b"OTHER"),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_a_stranger_is_told_nothing_and_changes_nothing(data: bytes) -> None:
    desk = Desk(dataclasses.replace(ACCEPTOR, username="me", password="secret"))
    desk.open()
    assert desk.hear(data) == []
    assert desk.session.must_close
    assert desk.session.sequences[:2] == (1, 1)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (wire(b"A", 1, (98, b"0"), (108, b"30"), now_ns=START_NS - 121 * SECOND_NS), "SendingTime accuracy problem"),
        (wire(b"A", 1, (98, b"1"), (108, b"30")), "EncryptMethod must be 0"),
        (wire(b"A", 1, (98, b"0"), (108, b"-1")), "HeartBtInt must be 0 to 3600"),
        (wire(b"A", 1, (98, b"0")), "Required tag missing: 108"),
        (wire(b"A", 0, (98, b"0"), (108, b"30")), "MsgSeqNum must be a number above 0"),
    ],
)
def test_a_logon_that_cannot_be_taken(data: bytes, text: str) -> None:
    desk = Desk()
    desk.open()
    assert desk.hear(data) == [f"5 34=1 58={text}"]
    assert desk.session.must_close


def test_a_gap_is_asked_for_once_and_what_came_above_it_is_taken_after_it() -> None:
    desk = Desk().logged_on()
    assert desk.hear(order(4)) == ["2 34=2 7=2 16=0"]
    assert desk.hear(order(5)) == []
    assert desk.hear(order(2, *RESENT)) == []
    assert received(desk) == [2]
    assert desk.hear(wire(b"4", 3, (36, b"4"), (123, b"Y"), header=RESENT)) == []
    assert received(desk) == [4, 5]
    assert desk.hear(order(4, *RESENT), order(5, *RESENT), order(6)) == []
    assert received(desk) == [6]


def test_a_logon_above_a_gap() -> None:
    desk = Desk()
    desk.open()
    assert desk.hear(logon(3)) == ["A 34=1 98=0 108=30", "2 34=2 7=1 16=0"]
    assert desk.hear(order(1, *RESENT), order(2, *RESENT)) == []
    assert received(desk) == [1, 2]
    assert desk.session.sequences.next_in == 4


def test_a_gap_that_does_not_shrink_is_asked_for_again() -> None:
    desk = Desk().logged_on()
    desk.hear(order(4))
    assert desk.wait(29) == []
    assert desk.wait(2) == ["0 34=3", "2 34=4 7=2 16=0"]


def test_both_ask_at_the_same_time() -> None:
    desk = Desk().logged_on()
    desk.session.send(b"D", ORDER, START_NS)
    desk.said()
    assert desk.hear(order(3), wire(b"2", 4, (7, b"2"), (16, b"0"))) == [
        "2 34=3 7=2 16=0",
        "D 34=2 43=Y 11=o1 21=1 55=EUR/USD 54=1 38=1000 40=1",
        "4 34=3 43=Y 36=4 123=Y",
    ]
    assert desk.hear(order(2, *RESENT)) == []
    assert received(desk) == [2, 3]
    assert desk.session.sequences.next_in == 5


@pytest.mark.parametrize("body", [((7, b"0"), (16, b"0")), ((7, b"3"), (16, b"2"))])
def test_a_range_that_is_none(body: tuple[tuple[int, bytes], ...]) -> None:
    desk = Desk().logged_on()
    assert desk.hear(wire(b"2", 2, *body))[0].startswith("3 34=2 45=2 371=")
    assert desk.session.sequences.next_in == 3


def test_a_low_number_ends_the_session_unless_it_may_be_a_repeat() -> None:
    desk = Desk().logged_on()
    desk.hear(order(2))
    assert desk.hear(order(2, *RESENT)) == []
    assert desk.hear(order(2)) == ["5 34=2 58=MsgSeqNum too low, expecting 3 but received 2"]
    assert desk.session.must_close


def test_a_repeat_without_the_time_of_the_original() -> None:
    desk = Desk().logged_on()
    desk.hear(order(2))
    refusal = "3 34={} 45={} 371=122 372=D 373=1 58=Required tag missing"
    assert desk.hear(order(2, (43, b"Y"))) == [refusal.format(2, 2)]
    assert desk.hear(order(3, (43, b"Y"))) == []
    assert received(desk) == [3]  # It fills a gap: refused, it would count as received, and be lost.


def test_sequence_reset() -> None:
    desk = Desk().logged_on()
    assert desk.hear(wire(b"4", 99, (36, b"7"))) == []
    assert desk.session.sequences.next_in == 7
    assert desk.hear(wire(b"4", 1, (36, b"7"))) == []
    assert desk.hear(wire(b"4", 1, (36, b"3"))) == ["3 34=2 45=1 372=4 373=5 58=Value is incorrect"]
    assert desk.session.sequences.next_in == 7


def test_no_number_no_session() -> None:
    desk = Desk().logged_on()
    bare = wire(b"0", 2).replace(b"34=2\x01", b"34=x\x01")
    body = bare[bare.index(b"35=") : bare.index(b"10=")]
    assert desk.hear(encode(b"FIX.4.4", body)) == ["5 34=2 58=MsgSeqNum is missing or no number"]
    assert desk.session.must_close


def test_wrong_names_are_rejected_and_logged_out() -> None:
    desk = Desk().logged_on()
    assert desk.hear(wire(b"0", 2, sender=b"OTHER")) == [
        "3 34=2 45=2 372=0 373=9 58=CompID problem",
        "5 34=3 58=CompID problem",
    ]
    assert not desk.session.must_close
    assert desk.wait(5) == []
    assert desk.session.must_close


def test_unknown_types_and_types_that_the_application_does_not_take() -> None:
    desk = Desk().logged_on()
    assert desk.hear(wire(b"ZZ", 2)) == ["3 34=2 45=2 372=ZZ 373=11 58=Invalid MsgType"]
    desk.hear(wire(b"B", 3, (148, b"news")))
    (event,) = desk.events
    assert isinstance(event, Received)
    desk.session.reject(event.message, BusinessReason.UNSUPPORTED_MESSAGE_TYPE, "no", START_NS)
    assert desk.said() == ["j 34=3 45=3 372=B 380=3 58=no"]


def test_heartbeats_test_requests_and_silence() -> None:
    desk = Desk().logged_on()
    assert desk.wait(29) == []
    assert desk.wait(1) == ["0 34=2"]
    assert desk.wait(5.9) == []
    assert desk.wait(0.1)[0].startswith("1 34=3 112=")
    assert desk.wait(30) == ["0 34=4"]
    assert desk.wait(5.9) == []
    assert not desk.session.must_close
    assert desk.wait(0.1) == []
    assert desk.events == [LoggedOut("the peer is silent")]
    assert desk.session.must_close


def test_a_rejected_message_of_ours() -> None:
    desk = Desk().logged_on()
    assert desk.hear(wire(b"3", 2, (45, b"7"), (58, b"why"))) == []
    assert desk.events == [Refused(7, "why")]


def test_logout_both_ways() -> None:
    desk = Desk().logged_on()
    desk.session.logout("bye", START_NS)
    assert desk.said() == ["5 34=2 58=bye"]
    assert desk.hear(order(2), wire(b"5", 3)) == []
    assert desk.session.must_close
    desk.close()
    desk.open()
    assert desk.hear(logon(4)) == ["A 34=3 98=0 108=30"]
    assert desk.hear(wire(b"5", 5, (58, b"done"))) == ["5 34=4"]
    assert desk.events == [LoggedOut("done")]


def test_messages_sent_while_down_are_asked_for() -> None:
    desk = Desk()
    assert desk.session.send(b"D", ORDER, START_NS) == 1
    assert desk.said() == []
    desk.open()
    assert desk.hear(logon()) == ["A 34=2 98=0 108=30"]
    assert desk.hear(wire(b"2", 2, (7, b"1"), (16, b"0"))) == [
        "D 34=1 43=Y 11=o1 21=1 55=EUR/USD 54=1 38=1000 40=1",
        "4 34=2 43=Y 36=3 123=Y",
    ]


def test_what_may_not_even_come_now_is_sent_and_not_kept() -> None:
    desk = Desk(dataclasses.replace(ACCEPTOR, replay=lambda sent, now_ns: sent.msg_type != b"W")).logged_on()
    desk.session.send(b"W", [(55, b"EUR/USD")], desk.now_ns)
    assert desk.said() == ["W 34=2 55=EUR/USD"]
    assert desk.store.sent("us", 1, 9, 9) == []
    assert desk.store.load("us").next_out == 3
    assert desk.hear(wire(b"2", 2, (7, b"1"), (16, b"0"))) == ["4 34=1 43=Y 36=3 123=Y"]


def test_what_must_not_come_late_is_filled_over() -> None:
    desk = Desk(dataclasses.replace(ACCEPTOR, replay=lambda sent, _now_ns: sent.msg_type != b"D")).logged_on()
    desk.session.send(b"D", ORDER, START_NS)
    desk.session.send(b"8", [(37, b"1")], START_NS)
    desk.said()
    assert desk.hear(wire(b"2", 2, (7, b"1"), (16, b"0"))) == ["4 34=1 43=Y 36=3 123=Y", "8 34=3 43=Y 37=1"]


def test_a_long_resend_goes_page_by_page() -> None:
    desk = Desk(dataclasses.replace(ACCEPTOR, resend_page_messages=2)).logged_on()
    for _ in range(3):
        desk.session.send(b"8", [(37, b"1")], START_NS)
    desk.said()
    assert desk.hear(wire(b"2", 2, (7, b"2"), (16, b"0"))) == ["8 34=2 43=Y 37=1", "8 34=3 43=Y 37=1"]
    assert desk.session.next_deadline_ns == START_NS
    assert desk.wait(0) == ["8 34=4 43=Y 37=1"]
    assert desk.session.next_deadline_ns != START_NS


def test_numbers_and_messages_outlive_the_process() -> None:
    store = SqliteStore(":memory:")
    desk = Desk(store=store).logged_on()
    desk.session.send(b"8", [(37, b"1")], START_NS)
    desk.said()
    again = Desk(store=store)
    again.open()
    assert again.hear(logon(2)) == ["A 34=3 98=0 108=30"]
    assert again.hear(wire(b"2", 3, (7, b"2"), (16, b"2"))) == ["8 34=2 43=Y 37=1"]


def test_nothing_may_be_written_before_it_is_saved() -> None:
    session = Session(INITIATOR, SqliteStore(":memory:"))
    session.open(START_NS)
    assert session.data_to_send() == b""


def test_a_new_day_begins_at_one() -> None:
    hours = Schedule(time(22), time(21), ZoneInfo("UTC"))
    desk = Desk(dataclasses.replace(ACCEPTOR, schedule=hours)).logged_on()
    desk.hear(order(2))
    assert desk.wait(9 * 3_600 - 1)[0].startswith("1 ")
    desk.hear(wire(b"0", 3, now_ns=desk.now_ns))
    assert desk.wait(1)[0] == "5 34=4 58=end of session hours"
    desk.close()
    assert desk.open() == []
    assert desk.session.must_close
    desk.close()
    desk.now_ns += 3_600 * SECOND_NS
    desk.open()
    desk.hear(wire(b"A", 1, (98, b"0"), (108, b"30"), now_ns=desk.now_ns))
    assert desk.session.sequences[:2] == (2, 2)


def test_a_reset_on_the_live_connection() -> None:
    desk = Desk().logged_on()
    desk.hear(order(2), order(3))
    assert desk.hear(logon(1, (141, b"Y"))) == ["A 34=1 98=0 108=30 141=Y"]
    assert desk.session.sequences[:2] == (2, 2)
    assert desk.hear(wire(b"A", 2, (98, b"0"), (108, b"30"), header=RESENT)) == []
    assert desk.hear(logon(3)) == []
    assert desk.events == [LoggedOut("a second Logon", refused=True)]


def test_an_operator_sets_the_numbers_while_the_session_is_down() -> None:
    desk = Desk().logged_on()
    for _ in range(3):
        desk.session.send(b"8", [(37, b"1")], START_NS)
    desk.said()
    with pytest.raises(SessionMisuse):
        desk.session.renumber(3, 7)
    desk.close()
    desk.session.renumber(3, 7)
    desk.said()
    again = Desk(store=desk.store)
    again.open()
    assert again.hear(logon(7)) == ["A 34=3 98=0 108=30"]
    again.session.send(b"8", [(37, b"2")], START_NS)
    assert again.said() == ["8 34=4 37=2"]
    assert again.hear(wire(b"2", 8, (7, b"1"), (16, b"0"))) == [
        "4 34=1 43=Y 36=2 123=Y",
        "8 34=2 43=Y 37=1",
        "4 34=3 43=Y 36=4 123=Y",
        "8 34=4 43=Y 37=2",
    ]


def test_the_count_of_quotes_may_wait_for_its_commit() -> None:
    desk = Desk(dataclasses.replace(ACCEPTOR, count_delay_ms=50)).logged_on()
    desk.hear(order(2))
    assert desk.store.load("us").next_in == 2
    assert desk.session.next_deadline_ns == START_NS + 50_000_000
    desk.wait(0.05)
    assert desk.store.load("us").next_in == 3
    desk.hear(order(3))
    desk.session.send(b"8", [(37, b"1")], desk.now_ns)
    desk.said()
    assert desk.store.load("us").next_in == 4


def test_misuse() -> None:
    desk = Desk().logged_on()
    with pytest.raises(SessionMisuse):
        desk.session.open(START_NS)
    with pytest.raises(SessionMisuse):
        desk.session.send(b"A", [], START_NS)


SCRIPT = [
    logon(), order(2), wire(b"1", 3, (112, b"x")), wire(b"2", 4, (7, b"1"), (16, b"0")), wire(b"0", 5),
    wire(b"4", 6, (36, b"9"), (123, b"Y")), wire(b"4", 9, (36, b"12")), wire(b"3", 12, (45, b"1")),
    logon(1, (141, b"Y")), wire(b"D", 2, *ORDER, (386, b"2"), (336, b"1"), (336, b"2")), wire(b"5", 3),
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(list(Role)), st.sampled_from(list(Level)))
def test_no_bytes_raise(seed: int, role: Role, level: Level) -> None:
    """Messages in any order, with bytes and whole fields changed, framed again or not, in any pieces."""
    chance = random.Random(seed)
    desk = Desk(dataclasses.replace(ACCEPTOR, role=role, validation=level))
    desk.open()
    stream = b"".join(_mutated(chance.choice(SCRIPT), chance) for _ in range(12))
    desk.hear(logon())
    while stream:
        cut = chance.randrange(1, 300)
        desk.hear(stream[:cut])
        stream = stream[cut:]
        desk.wait(chance.choice((0, 0, 31)))
        if desk.session.must_close:
            desk.close()
            desk.open()
            desk.hear(logon(desk.session.sequences.next_in))


def _mutated(data: bytes, chance: random.Random) -> bytes:
    fields = split(data[data.index(b"35=") : data.rindex(b"10=")]) or []
    for _ in range(chance.randrange(3)):
        at = chance.randrange(len(fields))
        match chance.randrange(5):
            case 0:
                del fields[at]
            case 1:
                fields.insert(at, chance.choice(fields))
            case 2:
                value = chance.choice((b"", b"0", b"-1", b"Y", b"9" * 5_000, b"\xff", b"99999999-99:99:99"))
                fields[at] = (fields[at][0], value)
            case 3:
                fields[at] = (chance.choice((0, -1, 10, 8, 34, 43, 122, 36, 7, 386, 5000)), fields[at][1])
            case _:
                chance.shuffle(fields)
        if not fields:
            break
    whole = encode(b"FIX.4.4", b"".join(b"%d=%b\x01" % field for field in fields))
    if chance.random() < 0.2:
        at = chance.randrange(len(whole))
        whole = whole[:at] + bytes([chance.randrange(256)]) + whole[at + 1 :]
    return whole


def test_a_message_shows_no_values() -> None:
    assert "secret" not in repr(Message(b"FIX.4.4", [(35, b"A"), (554, b"secret")]))


NAMED: dict[str, Any] = {"sender_sub": "desk", "target_sub": "trader", "sender_location": "LD", "target_location": "NY"}
OF_PEER = {50: b"trader", 57: b"desk", 142: b"NY", 143: b"LD"}


def named(msg_type: bytes, seq: int, *body: tuple[int, bytes], **other: bytes) -> bytes:
    """`other`: by its tag what the message has in the place of the agreed name; empty: nothing."""
    names = {**OF_PEER, **{int(tag[1:]): name for tag, name in other.items()}}
    return wire(msg_type, seq, *body, header=tuple((tag, name) for tag, name in names.items() if name))


def test_sub_and_location_ids_are_sent() -> None:
    desk = Desk(dataclasses.replace(INITIATOR, **NAMED))
    assert desk.open() == ["A 34=1 50=desk 142=LD 57=trader 143=NY 98=0 108=30 553=me 554=secret"]


@pytest.mark.parametrize("other", [{"t50": b""}, {"t57": b"x"}, {"t142": b"x"}, {"t143": b""}])
def test_an_acceptor_takes_no_logon_with_other_sub_or_location_ids(other: dict[str, bytes]) -> None:
    desk = Desk(dataclasses.replace(ACCEPTOR, **NAMED))
    desk.open()
    assert desk.hear(named(b"A", 1, (98, b"0"), (108, b"30"), **other)) == []
    assert (desk.session.must_close, desk.session.sequences[:2]) == (True, (1, 1))


@pytest.mark.parametrize("tag", OF_PEER)
@pytest.mark.parametrize("role", [ACCEPTOR, INITIATOR])
def test_a_message_with_another_sub_or_location_id_ends_the_session(tag: int, role: SessionSettings) -> None:
    desk = Desk(dataclasses.replace(role, **NAMED))
    desk.open()
    desk.hear(named(b"A", 1, (98, b"0"), (108, b"30")))
    assert desk.hear(named(b"0", 2, **{f"t{tag}": b""})) == []
    assert desk.session.is_logged_on
    reject, logout = desk.hear(named(b"0", 3, **{f"t{tag}": b"other"}))
    assert "45=3 372=0 373=9 58=CompID problem" in reject
    assert "58=CompID problem" in logout
    assert not desk.session.is_logged_on
