"""What the engine's actor answers, whole outboxes."""

import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from actors.answering.reports import REPLIES_PER_MESSAGE
from actors.bus import codec, topics
from actors.bus.answers import (
    AccountReport,
    Answer,
    Done,
    Events,
    Instruments,
    OrderReport,
    Pong,
    PositionReport,
    Refusal,
    Reply,
)
from actors.bus.pump import Inbox
from actors.bus.requests import EngineRequest, GetAccount, GetEvents, GetInstruments, Ping
from actors.bus.streams import EventBatch, StreamAlive
from actors.domain.account import AccountSummary
from actors.domain.commands import (
    CancelOrder,
    ClosePositionBy,
    Deposit,
    ModifyOrder,
    ModifyPosition,
    OpenAccount,
    ReversePosition,
    SubmitOrder,
)
from actors.domain.events.orders import OrderFilled, OrderRejected
from actors.domain.group import STANDARD, Group
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderReason, OrderTerms, OrderType, Outcome, Side, TimeInForce
from actors.domain.quote import Tick
from actors.domain.risk.requirement import Requirement
from actors.engine import HEARTBEAT_NS, TICKS_WAIT_NS
from tests.actors.engine_desk import (
    ASKER,
    DEFINED,
    Desk,
    alive_frame,
    events_in,
    events_message,
    replies_message,
    ticks_frame,
)
from tests.examples import ACCOUNT, INSTRUMENTS, SECOND_NS, START_NS, closing, order, terms, tick

BUY, SELL = Side.BUY, Side.SELL
GTD = TimeInForce.GTD


def test_definitions_are_told_first_and_once(journal_path: Path) -> None:
    desk = Desk(journal_path)
    outbox = desk.ask(START_NS, requests=[Ping()])
    events = events_in(outbox)
    assert len(events) == DEFINED
    assert outbox == [
        events_message(1, START_NS, *events),
        replies_message(Pong(True, "", DEFINED)),
    ]
    assert desk.ask(START_NS + 1) == []
    desk.crash()
    again = Desk(journal_path)
    assert events_in(again.ask(START_NS + 2)) == []
    again.crash()


def test_an_order_is_answered_after_its_event(desk: Desk) -> None:
    outbox = desk.ask(START_NS + 5, requests=[order("EURUSD", BUY, "10000")])
    (filled,) = events_in(outbox)
    assert isinstance(filled, OrderFilled)
    report = OrderReport(DEFINED + 1, Outcome(filled.order.terms, filled.order, (filled.fill,)), repeated=False)
    assert outbox == [events_message(DEFINED + 1, START_NS + 5, filled), replies_message(report)]
    assert (filled.fill.price_e8, filled.fill.tick_seq, filled.fill.time_ns) == (e8("1.10020"), 1, START_NS + 5)
    assert desk.journal.events_from(DEFINED + 1) == [EventBatch(DEFINED + 1, START_NS + 5, [filled])]


def test_one_turn_is_one_batch_and_its_answers_are_in_order(desk: Desk) -> None:
    """An order, the same again, one that margin refuses, one without a symbol, a question, a close."""
    first = order("EURUSD", BUY, "10000")
    requests = [first, first, order("EURUSD", BUY, "9999999", "big"), order("X", BUY, "1", "x"), Ping(), closing(1)]
    outbox = desk.ask(START_NS, requests=requests)
    filled, rejected, closed = events_in(outbox)
    assert isinstance(filled, OrderFilled)
    assert isinstance(rejected, OrderRejected)
    assert isinstance(closed, OrderFilled)
    seq = DEFINED + 1
    outcome = Outcome(filled.order.terms, filled.order, (filled.fill,))
    refused = Outcome(rejected.order.terms, rejected.order, (), rejected.code, rejected.detail)
    assert outbox == [
        events_message(seq, START_NS, filled, rejected, closed),
        replies_message(
            OrderReport(seq, outcome, repeated=False),
            OrderReport(seq, outcome, repeated=True),
            OrderReport(seq + 1, refused, repeated=False),
            Refusal("UNKNOWN_SYMBOL", "there is no symbol 'X'", "symbol"),
            Pong(True, "", seq + 1),
            OrderReport(seq + 2, Outcome("close all of 1", closed.order, (closed.fill,)), repeated=False),
        ),
    ]


def test_each_asker_gets_its_own_replies_so_many_to_a_message(desk: Desk) -> None:
    """However the requests came."""
    count = 2 * REPLIES_PER_MESSAGE + 5
    frames = [codec.encode(EngineRequest(number, Ping())) for number in range(1, count + 1)]
    other = codec.encode(EngineRequest(1, GetAccount(9)))
    requests = [[ASKER, *frames[:100]], [b"other", other], [ASKER], [ASKER, *frames[100:]]]
    outbox = desk.actor.ask(Inbox(START_NS, {"requests": requests}), block=True)
    pongs = [codec.encode(Reply(number, Pong(True, "", DEFINED))) for number in range(1, count + 1)]
    parts = [pongs[start : start + REPLIES_PER_MESSAGE] for start in range(0, count, REPLIES_PER_MESSAGE)]
    refused = Refusal("UNKNOWN_ACCOUNT", "there is no account 9", "account_id")
    assert outbox == [*(("requests", [ASKER, *part]) for part in parts), replies_message(refused, asker=b"other")]


def test_a_repeat_makes_no_event(desk: Desk) -> None:
    first = desk.answer(order("EURUSD", BUY, "10000"))
    outbox = desk.ask(START_NS + SECOND_NS // 100, requests=[order("EURUSD", BUY, "10000")])
    assert isinstance(first, OrderReport)
    assert outbox == [replies_message(msgspec.structs.replace(first, repeated=True))]


def test_a_refused_command_changes_nothing(desk: Desk) -> None:
    before = desk.encoded()
    outbox = desk.ask(START_NS, requests=[order("EURUSD", BUY, "0"), Deposit(ACCOUNT, -5, "k", "a"), closing(5)])
    sentence = "quantity of EURUSD is from 1 to 10000000, not 0"
    assert outbox == [
        replies_message(
            Refusal("QUANTITY_OUT_OF_RANGE", sentence, "quantity"),
            Refusal("BAD_AMOUNT", "the amount is more than nothing and within the limit", "amount"),
            Refusal("UNKNOWN_POSITION", "there is no open position 5", "position_id"),
        )
    ]
    assert desk.encoded() == before


def test_deposits_and_accounts_are_done_once(desk: Desk) -> None:
    requests = [OpenAccount(2, "EUR"), OpenAccount(2, "EUR"), Deposit(2, 5_00, "k", "a"), Deposit(2, 5_00, "k", "a")]
    outbox = desk.ask(START_NS, requests=requests)
    assert [type(event).__name__ for event in events_in(outbox)] == ["AccountOpened", "MoneyMoved"]
    assert outbox[1:] == [replies_message(*(Done(DEFINED + seq) for seq in (1, 1, 2, 2)))]


BAD_REQUESTS: list[list[bytes]] = [
    [ASKER, b""],
    [ASKER, b"\x01garbage"],
    [ASKER, codec.encode([1, ["DefineInstrument", []]])],
    [ASKER, codec.encode([1, ["SubmitOrder", 1, "id", "EURUSD", "buy", "market", 2**64 - 1, 0.5]])],
    [ASKER, b"\x01" + b"\x00" * codec.MAX_FRAME_BYTES],
]
BAD_TICKS: list[list[bytes]] = [
    [],
    [b""],
    [b"tick:EURUSD\0"],
    [b"tick:EURUSD\0\x01garbage"],
    [topics.ALIVE + b"\x01\x90"],
    [ticks_frame(tick("EURUSD", "1", "1", 2)), b"more"],
    [codec.encode([["EURUSD", 2, 0, 1.5, 1.6, "A", "A", True]], topics.tick("EURUSD"))],
]


def test_bad_frames_are_counted_and_the_rest_is_served(desk: Desk) -> None:
    good = [ASKER, codec.encode(EngineRequest(1, Ping()))]
    before = desk.encoded()
    outbox = desk.actor.ask(Inbox(START_NS, {"ticks": BAD_TICKS, "requests": [*BAD_REQUESTS, good]}))
    assert outbox == [replies_message(Pong(True, "", DEFINED, {"bad_frames": 12}))]
    assert desk.counter("bad_frames") == len(BAD_REQUESTS) + len(BAD_TICKS)
    assert desk.encoded() == before


FAR_FIELDS = [name for name in OrderTerms.__struct_fields__ if name.endswith(("_e8", "_ns")) and name != "quantity_e8"]


def test_numbers_at_their_limits_are_answered(desk: Desk) -> None:
    """Whatever integer MessagePack can carry, in any field."""
    for number in (2**64 - 1, 2**63, -(2**63)):
        prices: dict[str, Any] = dict.fromkeys(FAR_FIELDS, number)
        far = OrderTerms("EURUSD", BUY, OrderType.STOP_LIMIT, e8("1"), GTD, **prices)
        bodies = [
            SubmitOrder(ACCOUNT, f"id{number}", OrderTerms("EURUSD", BUY, OrderType.MARKET, number)),
            SubmitOrder(ACCOUNT, f"id{number}", far),
            ModifyOrder(ACCOUNT, number, OrderTerms("EURUSD", BUY, OrderType.LIMIT, number, limit_e8=number)),
            CancelOrder(number, number),
            ModifyPosition(ACCOUNT, number, number, number, number),
            ClosePositionBy(ACCOUNT, "by", number, number),
            ReversePosition(ACCOUNT, "reverse", number),
            OpenAccount(number, "USD"),
            Deposit(ACCOUNT, number, "key", "actor"),
            msgspec.structs.replace(closing(1), position_id=number, quantity_e8=number),
            GetAccount(number),
            GetEvents(number),
        ]
        outbox = desk.ask(START_NS, requests=bodies)
        replies = [
            codec.decoder(Reply)(frame).body for name, (_, *frames) in outbox if name == "requests" for frame in frames
        ]
        assert [isinstance(reply, Refusal) for reply in replies] == [True] * 11 + [False]
    ticks = [Tick("EURUSD", number, number, number, number, "A", "A", True) for number in (2**64 - 1, -(2**63), 0)]
    desk.ask(START_NS, ticks=[ticks_frame(*ticks), alive_frame(2**64 - 1, EURUSD=2**64 - 1)])
    assert desk.counter("bad_ticks") == 3
    assert desk.answer(Ping()) == Pong(True, "", DEFINED, {"bad_ticks": 3})


def test_ticks_that_nobody_could_have_made_are_dropped(desk: Desk) -> None:
    """No price, crossed, of a symbol that is not ours: they would be dealt on, divided by, or kept for ever."""
    bad = [
        tick("EURUSD", "0", "1.1", 5),
        tick("EURUSD", "-1", "1.1", 5),
        tick("EURUSD", "1.2", "1.1", 5),
        tick("XAUUSD", "1900", "1901", 5),
    ]
    good = tick("EURUSD", "1.3", "1.4", 4)
    desk.ask(START_NS, ticks=[ticks_frame(*bad, good)])
    assert desk.state.ticks["EURUSD"] == good
    assert "XAUUSD" not in desk.state.ticks
    assert desk.counter("bad_ticks") == len(bad)


def batches(journal_path: Path) -> int:
    database = sqlite3.connect(journal_path)
    (count,) = database.execute("SELECT count(*) FROM batches").fetchone()
    database.close()
    return int(count)


def test_ticks_that_cause_nothing_wait_for_company(desk: Desk, journal_path: Path) -> None:
    before = batches(journal_path)
    assert desk.ask(START_NS + 1, ticks=[ticks_frame(tick("EURUSD", "1.2", "1.2002", 2))]) == []
    assert batches(journal_path) == before
    assert desk.ask(START_NS + TICKS_WAIT_NS) == []
    assert batches(journal_path) == before + 1
    assert desk.ask(START_NS + 2 * TICKS_WAIT_NS) == []
    assert batches(journal_path) == before + 1


def test_a_tick_that_stops_a_position_does_not_wait(desk: Desk) -> None:
    """10,000 bought at 1.10020, stopped at 1.09: -102.00."""
    desk.ask(START_NS, requests=[order("EURUSD", BUY, "10000", stop_loss="1.095")])
    outbox = desk.ask(START_NS + 1, ticks=[ticks_frame(tick("EURUSD", "1.09", "1.0902", 2))])
    (event,) = events_in(outbox)
    assert outbox == [events_message(DEFINED + 2, START_NS + 1, event)]
    assert isinstance(event, OrderFilled)
    assert (event.order.reason, event.fill.profit_minor) == (OrderReason.STOP_LOSS, -102_00)


def test_ticks_come_before_the_requests_of_the_same_turn(desk: Desk) -> None:
    ticks = [ticks_frame(tick("EURUSD", "1.2", "1.2002", 2))]
    (event,) = events_in(desk.ask(START_NS, ticks=ticks, requests=[order("EURUSD", BUY, "1")]))
    assert isinstance(event, OrderFilled)
    assert (event.fill.price_e8, event.fill.tick_seq) == (e8("1.2002"), 2)


def test_a_quiet_engine_says_that_it_lives(desk: Desk) -> None:
    later_ns = START_NS + HEARTBEAT_NS + TICKS_WAIT_NS
    assert desk.ask(START_NS + HEARTBEAT_NS - 1) == []
    assert desk.ask(later_ns) == [events_message(DEFINED + 1, later_ns)]


def code_of(answer: Answer) -> str:
    assert isinstance(answer, OrderReport)
    return answer.outcome.code


def test_a_symbol_of_which_a_tick_was_missed_is_not_dealt_on_until_the_next(desk: Desk) -> None:
    desk.ask(START_NS, ticks=[alive_frame(START_NS, EURUSD=2)])
    assert code_of(desk.answer(order("EURUSD", BUY, "1", "a"))) == "NO_PRICE"
    assert code_of(desk.answer(order("GBPUSD", BUY, "1", "b"))) == ""
    desk.ask(START_NS, ticks=[ticks_frame(tick("EURUSD", "1.2", "1.2002", 3)), alive_frame(START_NS, EURUSD=3)])
    assert code_of(desk.answer(order("EURUSD", BUY, "1", "c"))) == ""


def test_a_symbol_that_a_new_aggregator_does_not_know_is_not_dealt_on(desk: Desk) -> None:
    """It lives, but no LP of EURUSD has come back to it: our price is of before its restart."""
    known = StreamAlive(START_NS, {symbol: 1 for symbol in INSTRUMENTS if symbol != "EURUSD"})
    desk.ask(START_NS, ticks=[codec.encode(known, topics.ALIVE)])
    assert code_of(desk.answer(order("EURUSD", BUY, "1", "a"))) == "NO_PRICE"
    assert code_of(desk.answer(order("GBPUSD", BUY, "1", "b"))) == ""


def test_a_silent_stream_is_not_dealt_on(desk: Desk) -> None:
    late_ns = START_NS + 3 * SECOND_NS + 1
    assert code_of(desk.answer(order("EURUSD", BUY, "1", "a"), late_ns)) == "STALE_PRICE"
    desk.ask(late_ns, ticks=[alive_frame(late_ns)])
    assert code_of(desk.answer(order("EURUSD", BUY, "1", "b"), late_ns)) == ""


def test_a_heartbeat_that_has_waited_in_a_queue_is_no_sign_of_life(desk: Desk) -> None:
    """An engine that was stopped finds the stream of long ago, with heartbeats that fit the ticks."""
    late_ns = START_NS + 3_600 * SECOND_NS
    waited = [ticks_frame(tick("EURUSD", "1.2", "1.2002", 2)), alive_frame(START_NS + SECOND_NS, EURUSD=2)]
    (event,) = events_in(desk.ask(late_ns, ticks=waited, requests=[order("EURUSD", BUY, "1")]))
    assert isinstance(event, OrderRejected)
    assert event.code == "STALE_PRICE"


def test_questions(desk: Desk) -> None:
    """10,000 EURUSD bought at 1.10020 (margin 366.37), now 1.10500/1.10520: +48.00."""
    desk.answer(order("EURUSD", BUY, "10000"))
    desk.ask(START_NS, ticks=[ticks_frame(tick("EURUSD", "1.10500", "1.10520", 2))])
    desk.answer(SubmitOrder(ACCOUNT, "waits", terms("EURUSD", BUY, "1", OrderType.LIMIT, limit="1")))
    position = desk.state.accounts[ACCOUNT].positions[1]
    waiting = desk.state.accounts[ACCOUNT].orders[2]
    seq = DEFINED + 2
    assert desk.answer(Ping()) == Pong(True, "", seq)
    newest = len(INSTRUMENTS)
    assert desk.answer(GetInstruments()) == Instruments(list(INSTRUMENTS.values()), newest)
    assert desk.answer(GetInstruments(newest)) == Instruments([], newest)
    assert desk.answer(GetAccount(ACCOUNT)) == AccountReport(
        seq,
        AccountSummary(ACCOUNT, "USD", 10_000_00, 48_00, 366_37, START_NS, 0, 366_37),
        [PositionReport(position, e8("1.10500"), 48_00)],
        [waiting],
        Group(STANDARD),
        {"EURUSD": Requirement(366_37, 366_37)},
    )
    assert desk.answer(GetAccount(9)) == Refusal("UNKNOWN_ACCOUNT", "there is no account 9", "account_id")
    assert desk.answer(GetEvents(1)) == Events(desk.journal.events_from(1))
    assert desk.answer(GetEvents(seq + 1)) == Events([])


def test_a_command_that_has_waited_for_too_long_is_refused_and_nothing_is_done(desk: Desk) -> None:
    """It may come after 200 ms, and not after 201 ms; and without a deadline whenever it likes."""
    desk.open()
    before = desk.state.event_seq
    command = order("EURUSD", BUY, "1000", "late")
    late = EngineRequest(1, command, START_NS, 200)
    refused = desk.answer(late, START_NS + 201_000_000)
    detail = "it has waited for 201 ms, more than 200 ms, and nothing was done"
    assert refused == Refusal("EXPIRED_REQUEST", detail)
    assert desk.state.event_seq == before
    in_time = desk.answer(EngineRequest(1, command, START_NS + 10_000_000, 200), START_NS + 210_999_999)
    assert isinstance(in_time, OrderReport)
    assert not in_time.repeated
    whenever = desk.answer(EngineRequest(1, order("EURUSD", BUY, "1000", "other"), START_NS), START_NS + SECOND_NS)
    assert isinstance(whenever, OrderReport)


def test_what_was_done_before_is_answered_however_late_it_is_asked_again(desk: Desk) -> None:
    desk.open()
    command = order("EURUSD", BUY, "1000", "once")
    first = desk.answer(EngineRequest(1, command, START_NS, 200), START_NS + 1)
    again = desk.answer(EngineRequest(1, command, START_NS, 200), START_NS + 10 * SECOND_NS)
    assert isinstance(first, OrderReport)
    assert again == OrderReport(first.seq, first.outcome, repeated=True)


def test_a_late_command_leaves_nothing_in_the_journal(desk: Desk, journal_path: Path) -> None:
    desk.open()
    desk.answer(EngineRequest(1, order("EURUSD", BUY, "1000"), START_NS, 200), START_NS + SECOND_NS)
    desk.crash()
    assert Desk(journal_path).state.accounts[ACCOUNT].outcomes == {}
