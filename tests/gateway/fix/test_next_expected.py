"""NextExpectedMsgSeqNum (789): recovery at the Logon without a ResendRequest. FIX 4.4 volume 2, "Logon"."""

import dataclasses

import pytest

from gateway.fix.events import Event, Received
from gateway.fix.settings import SessionSettings
from tests.gateway.fix.peers import ACCEPTOR, INITIATOR, ORDER, START_NS, Desk, logon, wire

EXPECTING_ACCEPTOR = dataclasses.replace(ACCEPTOR, next_expected=True)
EXPECTING_INITIATOR = dataclasses.replace(INITIATOR, next_expected=True)


def expecting(number: int) -> tuple[int, bytes]:
    return 789, b"%d" % number


def numbered(next_out: int, next_in: int, settings: SessionSettings = EXPECTING_ACCEPTOR) -> Desk:
    """Down, with these numbers; what it sent before is an order each."""
    desk = Desk(settings)
    for _ in range(next_out - 1):
        desk.session.send(b"D", ORDER, START_NS)
    desk.said()
    desk.session.renumber(next_out, next_in)
    desk.said()
    desk.open()
    return desk


def test_an_acceptor_says_what_it_expects_only_to_who_said_it() -> None:
    assert numbered(1, 1).hear(logon(1, expecting(1))) == ["A 34=1 98=0 108=30 789=2"]
    assert numbered(1, 1).hear(logon(1)) == ["A 34=1 98=0 108=30"]
    assert Desk(ACCEPTOR).open() == []
    plain = Desk(ACCEPTOR)
    plain.open()
    assert plain.hear(logon(1, expecting(1))) == ["A 34=1 98=0 108=30"]


def test_a_peer_that_lacks_messages_gets_them_unasked() -> None:
    sent = "43=Y 11=o1 21=1 55=EUR/USD 54=1 38=1000 40=1"
    assert numbered(4, 1).hear(logon(1, expecting(2))) == [
        "A 34=4 98=0 108=30 789=2",
        f"D 34=2 {sent}",
        f"D 34=3 {sent}",
        "4 34=4 43=Y 36=5 123=Y",
    ]


def test_an_acceptor_that_lacks_messages_says_so_and_does_not_ask() -> None:
    desk = numbered(1, 3)
    assert desk.hear(logon(6, expecting(1))) == ["A 34=1 98=0 108=30 789=3"]
    resent = ((43, b"Y"), (122, b"20260119-12:00:00.000"))
    assert desk.hear(wire(b"D", 7, *ORDER)) == []
    assert desk.hear(*(wire(b"D", seq, *ORDER, header=resent) for seq in (3, 4, 5))) == []
    assert [event.seq for event in desk.events if isinstance(event, Received)] == [3, 4, 5, 7]
    assert desk.session.sequences.next_in == 8


def test_what_does_not_come_unasked_is_asked_for_in_the_end() -> None:
    desk = numbered(1, 3)
    desk.hear(logon(6, expecting(1)))
    assert "2 34=3 7=3 16=0" in desk.wait(31)


def test_an_initiator_on_both_ends_of_a_gap() -> None:
    desk = numbered(3, 2, EXPECTING_INITIATOR)
    desk.session.send(b"D", ORDER, START_NS)
    assert desk.hear(logon(4, expecting(2))) == [
        "D 34=4 11=o1 21=1 55=EUR/USD 54=1 38=1000 40=1",
        "D 34=1 43=Y 11=o1 21=1 55=EUR/USD 54=1 38=1000 40=1",  # QuickFIX says 2 where it lacks 1.
        "D 34=2 43=Y 11=o1 21=1 55=EUR/USD 54=1 38=1000 40=1",
        "4 34=3 43=Y 36=4 123=Y",
    ]
    assert desk.session.sequences[:2] == (5, 2)


def test_an_initiator_whose_peer_does_not_say_it_asks() -> None:
    desk = Desk(EXPECTING_INITIATOR)
    assert desk.open() == ["A 34=1 98=0 108=30 789=1 553=me 554=secret"]
    assert desk.hear(logon(3)) == ["2 34=2 7=1 16=0"]


@pytest.mark.parametrize("number", [0, 5, 10**18 - 1])
def test_what_was_never_sent_cannot_be_expected(number: int) -> None:
    desk = numbered(4, 1)
    text = f"NextExpectedMsgSeqNum (789) may be 1 to 4 and not {number}"
    assert desk.hear(logon(1, expecting(number))) == [f"5 34=4 58={text}"]
    assert desk.session.must_close
    initiator = numbered(3, 2, EXPECTING_INITIATOR)
    assert initiator.hear(logon(2, expecting(number)))[0].startswith("5 34=4 58=NextExpectedMsgSeqNum (789) may be")


@pytest.mark.parametrize("settings", [EXPECTING_ACCEPTOR, dataclasses.replace(EXPECTING_ACCEPTOR, reset_on_logon=True)])
def test_a_reset_expects_the_first(settings: SessionSettings) -> None:
    desk = numbered(4, 3, settings)
    assert desk.hear(logon(1, (141, b"Y"), expecting(1))) == ["A 34=1 98=0 108=30 141=Y 789=2"]
    assert desk.session.sequences[:2] == (2, 2)


def test_two_of_ours_recover_both_ways_without_a_resend_request() -> None:
    left = numbered(4, 2, EXPECTING_INITIATOR)
    right = Desk(dataclasses.replace(EXPECTING_ACCEPTOR, sender="THEM", target="US"))
    right = _with_numbers(right, 5, 3)
    said = list[bytes]()
    left.close()
    left.session.open(START_NS)
    events = list[Event]()
    for _ in range(4):
        for one, other in ((left, right), (right, left)):
            with one.store.transaction():
                one.session.save()
            data = one.session.data_to_send()
            said.append(data)
            events += other.session.receive_data(data, START_NS)
    assert b"\x0135=2\x01" not in b"".join(said)
    assert left.session.sequences[:2] == right.session.sequences[1::-1]
    assert [event.seq for event in events if isinstance(event, Received)] == [2, 3, 4, 3]


def _with_numbers(desk: Desk, next_out: int, next_in: int) -> Desk:
    for _ in range(next_out - 1):
        desk.session.send(b"8", [(37, b"1"), (17, b"1"), (150, b"0"), (39, b"0"), *ORDER[2:4], (151, b"0"), (14, b"0"),
                                 (6, b"0")], START_NS)  # fmt: skip
    desk.session.renumber(next_out, next_in)
    desk.said()
    desk.open()
    return desk
