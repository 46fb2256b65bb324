"""The simulated FIX LP, seen from our own FIX sessions over real sockets."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from gateway.fix.codec import Message
from gateway.fix.connection import Link
from gateway.fix.dictionary import fix44
from gateway.fix.events import Event, Received
from gateway.fix.session import Session
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.store import SqliteStore
from tools.venues.fix import Faults, FixVenue
from tools.venues.fix.book import Book
from tools.venues.fix.session import COMP_ID, Login
from tools.venues.market import Market

LOGINS = {"BROKER": Login("broker", "secret-of-the-test")}
WAIT_LIMIT_S = 90
SETTINGS = SessionSettings(
    session_id="lp",
    role=Role.INITIATOR,
    sender="BROKER",
    target=COMP_ID,
    username="broker",
    password="secret-of-the-test",
    dictionary=fix44().with_custom({969: "MinPriceIncrement FLOAT"}, {"y": "146(55! 561 562 969)"}),
)
"""The LP's list has a field of FIX 5.0 in its group."""


class Broker:
    """Our side: what it was told, in order."""

    def __init__(self) -> None:
        self.store = SqliteStore(":memory:")
        self.session = Session(SETTINGS, self.store)
        self.messages: list[Message] = []
        self.ended = asyncio.Event()

    def on_events(self, session: Session, events: list[Event], now_ns: int) -> None:
        self.messages += [event.message for event in events if isinstance(event, Received)]

    def on_end(self, session: Session, error: Exception | None) -> None:
        self.ended.set()

    @contextlib.asynccontextmanager
    async def connected(self, port: int) -> AsyncIterator[None]:
        self.ended.clear()
        self.link = Link(self.session, self.store, self, time.time_ns, lambda link, error: self.ended.set())
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: self.link, "127.0.0.1", port)
        await self.until(lambda: self.session.is_logged_on or self.ended.is_set())
        try:
            yield
        finally:
            transport.close()
            await self.ended.wait()

    def send(self, msg_type: str, *fields: tuple[int, str]) -> None:
        self.session.send(msg_type.encode(), [(tag, value.encode()) for tag, value in fields], time.time_ns())
        self.link.flush()

    def order(self, cl_ord_id: str, *more: tuple[int, str], quantity: str = "10000", side: str = "1") -> None:
        at = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())
        terms = ((11, cl_ord_id), (55, "EUR/USD"), (54, side), (60, at), (38, quantity))
        self.send("D", *terms, *(more or ((40, "1"),)))

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_LIMIT_S):
            while not condition():
                await asyncio.sleep(0.005)

    def reports(self, cl_ord_id: str, exec_type: str = "") -> list[Message]:
        return [
            message
            for message in self.messages
            if message.msg_type == b"8"
            and message.get(11) == cl_ord_id.encode()
            and message.get(150) in ((exec_type.encode(),) if exec_type else (message.get(150),))
        ]

    async def reported(self, cl_ord_id: str, exec_type: str, times: int = 1) -> list[Message]:
        await self.until(lambda: len(self.reports(cl_ord_id, exec_type)) >= times)
        return self.reports(cl_ord_id, exec_type)


@contextlib.asynccontextmanager
async def trading(
    faults: Faults | None = None, book: Book | None = None
) -> AsyncIterator[tuple[FixVenue, Broker, int]]:
    """The LP, a broker that is logged on, and the port; prices have begun."""
    venue, broker = FixVenue(Market(seed=3, speed=50), LOGINS, faults, book, lag_ms=0), Broker()
    port = venue.bind_and_serve("127.0.0.1", 0)
    try:
        async with broker.connected(port):
            await broker.until(lambda: "EUR/USD" in venue.desk.prices.now)
            yield venue, broker, port
    finally:
        await venue.close()


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scene())


def values(message: Message, *tags: int) -> tuple[str, ...]:
    return tuple((message.get(tag) or b"").decode() for tag in tags)


def test_prices_come_by_subscription_whole_and_then_by_the_side_that_changed() -> None:
    async def scene() -> None:
        async with trading() as (_, broker, _):
            sides = ((267, "2"), (269, "0"), (269, "1"))
            broker.send("V", (262, "q"), (263, "1"), (264, "1"), (265, "1"), *sides, (146, "1"), (55, "EUR/USD"))

            def kinds() -> list[bytes]:
                return [message.msg_type for message in broker.messages]

            await broker.until(lambda: kinds().count(b"X") >= 5)
            first = broker.messages[0]
            assert (first.msg_type, values(first, 262, 55, 268)) == (b"W", ("q", "EUR/USD", "2"))
            assert b"W" not in kinds()[1:]
            broker.send("V", (262, "q"), (263, "2"), (264, "1"), *sides, (146, "1"), (55, "EUR/USD"))
            broker.send("V", (262, "r"), (263, "0"), (264, "1"), *sides, (146, "1"), (55, "EUR/XXX"))
            await broker.until(lambda: kinds()[-1] == b"Y")
            assert values(broker.messages[-1], 262, 281) == ("r", "0")

    run(scene)


def test_a_market_order_is_taken_and_filled_at_the_offer() -> None:
    async def scene() -> None:
        async with trading() as (venue, broker, _):
            broker.order("one")
            (filled,) = await broker.reported("one", "F")
            (order,), ((_, execution),) = venue.book.orders(), venue.book.executions()
            assert [values(message, 150, 39, 14, 151) for message in broker.reports("one")] == [
                ("0", "0", "0", "10000"),
                ("F", "2", "10000", "0"),
            ]
            assert values(filled, 17, 32) == (f"E{execution.exec_id}", "10000")
            assert execution.price_e8 * order.quantity_e8 == int(order.cost)
            broker.order("one")
            (repeated,) = await broker.reported("one", "8")
            assert values(repeated, 39, 103) == ("2", "6")

    run(scene)


def test_a_limit_order_waits_and_is_cancelled_or_replaced() -> None:
    async def scene() -> None:
        async with trading() as (_, broker, _):
            broker.order("low", (40, "2"), (44, "0.5"))
            await broker.reported("low", "0")
            broker.send(
                "G",
                (11, "high"),
                (41, "low"),
                (55, "EUR/USD"),
                (54, "1"),
                (60, _now()),
                (38, "20000"),
                (40, "2"),
                (44, "9"),
            )
            (replaced,) = await broker.reported("high", "5")
            assert values(replaced, 41, 38, 44) == ("low", "20000", "9")
            (filled,) = await broker.reported("high", "F")
            assert values(filled, 39, 14) == ("2", "20000")
            broker.order("other", (40, "2"), (44, "0.5"))
            await broker.reported("other", "0")
            broker.send("F", (11, "off"), (41, "other"), (55, "EUR/USD"), (54, "1"), (60, _now()))
            (cancelled,) = await broker.reported("off", "4")
            assert values(cancelled, 41, 39, 151) == ("other", "4", "0")
            broker.send("F", (11, "off2"), (41, "off"), (55, "EUR/USD"), (54, "1"), (60, _now()))
            await broker.until(lambda: broker.messages[-1].msg_type == b"9")
            assert values(broker.messages[-1], 39, 434, 102) == ("4", "1", "0")

    run(scene)


def test_what_cannot_be_filled_at_once_is_cancelled_where_it_may_not_wait() -> None:
    async def scene() -> None:
        async with trading() as (_, broker, _):
            broker.order("now", (40, "2"), (44, "0.5"), (59, "3"))
            (cancelled,) = await broker.reported("now", "4")
            assert values(cancelled, 39, 14) == ("4", "0")

    run(scene)


@pytest.mark.parametrize(
    ("fault", "reports"),
    [
        ("reject_permille=1000", [("8", "8", "0")]),
        ("partial_permille=1000", [("0", "0", "0"), ("F", "1", "5000"), ("F", "2", "10000")]),
        ("duplicate_executions=1", [("0", "0", "0"), ("F", "2", "10000"), ("F", "2", "10000")]),
    ],
)
def test_faults_of_dealing(fault: str, reports: list[tuple[str, ...]]) -> None:
    async def scene() -> None:
        faults = Faults()
        faults.set(fault)
        async with trading(faults) as (_, broker, _):
            broker.order("one")
            await broker.until(lambda: len(broker.reports("one")) == len(reports))
            assert [values(message, 150, 39, 14) for message in broker.reports("one")] == reports

    run(scene)


def test_an_order_that_is_met_with_silence_is_known_when_it_is_asked_for() -> None:
    async def scene() -> None:
        async with trading(Faults(silent_orders=1)) as (venue, broker, _):
            broker.order("one")
            await broker.until(lambda: bool(venue.book.executions()))
            assert broker.reports("one") == []
            broker.send("H", (11, "one"), (55, "EUR/USD"), (54, "1"))
            await broker.reported("one", "I")
            assert [values(message, 150, 39, 14) for message in broker.reports("one")] == [
                ("F", "2", "10000"),
                ("I", "2", "10000"),
            ]
            broker.send("H", (11, "never"), (55, "EUR/USD"), (54, "1"))
            (unknown,) = await broker.reported("never", "I")
            assert values(unknown, 39, 103) == ("8", "5")

    run(scene)


def test_reports_of_a_cut_connection_are_sent_again_when_the_peer_is_back() -> None:
    async def scene() -> None:
        async with trading(Faults(cut_orders=1)) as (venue, broker, port):
            broker.order("one")
            await broker.ended.wait()
            await broker.until(lambda: bool(venue.book.executions()))
            assert broker.reports("one") == []
            async with broker.connected(port):
                await broker.reported("one", "F")
            assert [values(message, 150) for message in broker.reports("one")] == [("0",), ("F",)]

    run(scene)


def test_an_order_that_is_lost_is_not_known() -> None:
    async def scene() -> None:
        async with trading(Faults(lost_orders=1)) as (_, broker, port):
            broker.order("one")
            await broker.ended.wait()
            async with broker.connected(port):
                broker.send("H", (11, "one"), (55, "EUR/USD"), (54, "1"))
                (unknown,) = await broker.reported("one", "I")
                assert values(unknown, 39, 103) == ("8", "5")

    run(scene)


@pytest.mark.parametrize(("fault", "kind", "trans_type"), [("busts", "H", "1"), ("corrections", "G", "2")])
def test_an_execution_is_taken_back_or_corrected(fault: str, kind: str, trans_type: str) -> None:
    async def scene() -> None:
        async with trading(Faults(**{fault: 1})) as (venue, broker, _):
            broker.order("one")
            (amended,) = await broker.reported("one", kind)
            assert values(amended, 17, 19, 39) == ("B1", "E1", "4" if kind == "H" else "2")
            broker.send("AD", (568, "t"), (569, "0"))
            await broker.until(lambda: broker.messages[-1].get(912) == b"Y")
            assert values(broker.messages[-1], 17, 572, 487) == ("B1", "T1", trans_type)
            (order,) = venue.book.orders()
            assert order.filled_e8 == (0 if kind == "H" else order.quantity_e8)

    run(scene)


def test_an_order_that_rests_though_it_is_immediate_waits_for_its_cancel() -> None:
    async def scene() -> None:
        async with trading(Faults(resting_orders=1)) as (_, broker, _):
            broker.order("one", (40, "2"), (44, "9"), (59, "3"))
            await broker.reported("one", "0")
            broker.send("F", (41, "one"), (11, "x"), (55, "EUR/USD"), (54, "1"), (60, _now()), (38, "10000"))
            (cancelled,) = await broker.reported("x", "4")
            assert values(cancelled, 41, 14) == ("one", "0")
            broker.send("H", (11, "one"), (55, "EUR/USD"), (54, "1"))
            (known,) = await broker.reported("x", "I")
            assert values(known, 41, 39) == ("one", "4")

    run(scene)


def test_a_gap_is_asked_for_and_a_number_used_twice_ends_the_session() -> None:
    async def scene() -> None:
        async with trading(Faults(gaps=1)) as (_, broker, _):
            broker.order("one")
            await broker.reported("one", "F")
            assert [message.msg_type for message in broker.messages] == [b"j", b"8", b"8"]
        async with trading(Faults(low_sequence_numbers=1)) as (_, broker, _):
            broker.order("one")
            await broker.ended.wait()
            assert broker.messages == []

    run(scene)


def test_positions_trades_symbols_and_orders_are_told(tmp_path: Path) -> None:
    async def scene() -> None:
        async with trading(book=Book(tmp_path / "lp.db")) as (_, broker, _):
            broker.order("one")
            broker.order("two", quantity="25000", side="2")
            broker.order("rest", (40, "2"), (44, "0.5"))
            await broker.reported("two", "F")
            await broker.reported("rest", "0")
            broker.messages.clear()
            account = ((453, "1"), (448, "SIM"), (447, "D"), (452, "13"), (1, "SIM"), (581, "1"))
            broker.send("AN", (710, "p"), (724, "0"), *account, (715, _now()[:8]), (60, _now()))
            broker.send("AD", (568, "t"), (569, "0"))
            broker.send("AD", (568, "o"), (569, "1"), (11, "one"))
            broker.send("AD", (568, "n"), (569, "0"), (580, "1"), (75, "20000101"), (60, "20000101-00:00:00"))
            broker.send("x", (320, "s"), (559, "4"))
            broker.send("BB", (909, "c"), (1, "A1"))
            broker.send("AF", (584, "m"), (585, "7"))
            await broker.reported("rest", "I")
            told = {message.msg_type: message for message in broker.messages}
            assert [message.msg_type for message in broker.messages] == [
                *(b"AO", b"AP", b"AQ", b"AE", b"AE", b"AQ", b"AE", b"AQ", b"y", b"BA", b"8"),
            ]
            trades = [message for message in broker.messages if message.msg_type in (b"AQ", b"AE")]
            assert [values(message, 568, 748, 11, 912) for message in trades] == [
                *(("t", "2", "", ""), ("t", "", "one", "N"), ("t", "", "two", "Y")),
                *(("o", "1", "", ""), ("o", "", "one", "Y"), ("n", "0", "", "")),
            ]
            assert values(told[b"BA"], 909, 1, 15, 901) == ("c", "A1", "USD", "10000000")
            assert values(told[b"y"], 320, 393, 893) == ("s", "19", "Y")
            listed = told[b"y"].fields
            euro = [(55, b"EUR/USD"), (561, b"1"), (562, b"1"), (969, b"0.00001")]
            assert listed[listed.index((55, b"EUR/USD")) :][:4] == euro
            assert values(told[b"AP"], 55, 704, 705) == ("EUR/USD", "0", "15000")
            assert values(trades[2], 32, 54, 17) == ("25000", "2", "E2")
            assert values(told[b"8"], 584, 911, 912) == ("m", "1", "Y")

    run(scene)


def test_a_stranger_and_a_wrong_password_are_sent_away() -> None:
    async def scene() -> None:
        venue = FixVenue(Market(seed=3), {"BROKER": Login("broker", "another")}, lag_ms=0)
        port, broker = venue.bind_and_serve("127.0.0.1", 0), Broker()
        async with broker.connected(port):
            assert not broker.session.is_logged_on
        await venue.close()

    run(scene)


def _now() -> str:
    return time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())
