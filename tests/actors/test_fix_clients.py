"""Clients trade over FIX: real processes, a client on our own session engine."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actors.bus.answers import AccountReport, OrderReport
from actors.bus.requests import GetAccount
from actors.domain.commands import CancelOrder, SubmitOrder
from actors.domain.money import format_e8, format_minor, parse_e8
from actors.domain.order import OrderTerms, OrderType, Side
from actors.domain.prices.book import Depth
from actors.domain.quote import Level
from gateway.fix.codec import Message
from gateway.fix.times import utc_timestamp
from tests.actors.clients.floor import PASSWORD, Floor, Trader, fields_of, picked

ESSENCE = (150, 39, 11, 41, 14, 151, 103, 102)


@pytest.fixture(scope="module")
def floor(private_folder: Path) -> Iterator[Floor]:
    folder = private_folder / "floor"
    folder.mkdir()
    with Floor(folder) as floor:
        ready(floor)
        yield floor


def ready(floor: Floor) -> None:
    """Until a market order is filled: the engine has prices, and the desk follows it."""
    trader = Trader(floor).log_on()
    number = 0
    while True:
        number += 1
        trader.order(f"opening-{number}", quantity="1")
        report = trader.report()
        if report[150] == "0":
            assert trader.report()[150] == "F"
            break
    trader.close()


@pytest.fixture
def client(floor: Floor) -> Iterator[Callable[..., Trader]]:
    """Makes clients that are gone when the test is over."""
    made: list[Trader] = []

    def make(name: str, password: str = PASSWORD) -> Trader:
        made.append(Trader(floor, name, password))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def trader(client: Callable[..., Trader]) -> Trader:
    return client("TRADER").log_on()


def test_a_market_order_is_new_and_then_traded(trader: Trader) -> None:
    trader.order("market-1")
    new, trade = trader.report(), trader.report()
    assert picked(new, *ESSENCE) == {150: "0", 39: "0", 11: "market-1", 14: "0", 151: "1000"}
    assert picked(trade, *ESSENCE, 31, 32, 6) == {
        150: "F", 39: "2", 11: "market-1", 14: "1000", 151: "0", 31: "1.1002", 32: "1000", 6: "1.1002",
    }  # fmt: skip


def test_an_order_waits_is_replaced_and_cancelled(trader: Trader) -> None:
    trader.order("wait-1", (40, b"2"), (44, b"1.05"), (59, b"1"))
    assert picked(trader.report(), *ESSENCE, 44) == {150: "0", 39: "0", 11: "wait-1", 14: "0", 151: "1000", 44: "1.05"}
    trader.change("G", "wait-2", "wait-1", (38, b"2000"), (40, b"2"), (44, b"1.06"), (59, b"1"))
    assert picked(trader.report(), *ESSENCE, 44) == {
        150: "5", 39: "0", 11: "wait-2", 41: "wait-1", 14: "0", 151: "2000", 44: "1.06",
    }  # fmt: skip
    trader.change("F", "wait-3", "wait-2", (38, b"2000"))
    assert picked(trader.report(), *ESSENCE) == {150: "4", 39: "4", 11: "wait-3", 41: "wait-2", 14: "0", 151: "0"}
    trader.change("F", "wait-4", "wait-2", (38, b"2000"))
    assert picked(trader.report(), *ESSENCE) == {39: "4", 11: "wait-4", 41: "wait-2", 102: "0"}
    trader.change("F", "wait-5", "nobody", (38, b"2000"))
    assert picked(trader.report(), *ESSENCE) == {39: "8", 11: "wait-5", 41: "nobody", 102: "1"}


def test_what_belongs_together_may_come_in_one_piece(trader: Trader) -> None:
    """A replace of an order and a cancel of the replace, before anything is answered."""
    with trader.written_at_once():
        trader.order("quick-1", (40, b"2"), (44, b"1.05"), (59, b"1"))
        trader.change("G", "quick-2", "quick-1", (38, b"3000"), (40, b"2"), (44, b"1.04"), (59, b"1"))
        trader.change("F", "quick-3", "quick-2", (38, b"3000"))
        trader.change("F", "quick-4", "quick-2", (38, b"3000"))
    told = [picked(trader.report(), *ESSENCE) for _ in range(4)]
    assert told[:3] == [
        {150: "0", 39: "0", 11: "quick-1", 14: "0", 151: "1000"},
        {150: "5", 39: "0", 11: "quick-2", 41: "quick-1", 14: "0", 151: "3000"},
        {150: "4", 39: "4", 11: "quick-3", 41: "quick-2", 14: "0", 151: "0"},
    ]
    assert told[3] == {39: "4", 11: "quick-4", 41: "quick-2", 102: "0"}


@pytest.mark.parametrize(
    ("name", "fields", "told"),
    [
        ("limit", ((40, b"2"), (44, b"1.05"), (59, b"1")), {40: "2", 44: "1.05", 59: "1"}),
        ("day", ((40, b"2"), (44, b"1.05")), {40: "2", 44: "1.05", 59: "0"}),
        (
            "gtd",
            ((40, b"2"), (44, b"1.05"), (59, b"6"), (126, b"20990101-00:00:00")),
            {40: "2", 44: "1.05", 59: "6", 126: "20990101-00:00:00.000"},
        ),
        ("stop", ((40, b"3"), (99, b"1.20"), (59, b"1")), {40: "3", 99: "1.2", 59: "1"}),
        (
            "stop-limit",
            ((40, b"4"), (99, b"1.20"), (44, b"1.21"), (59, b"1")),
            {40: "4", 99: "1.2", 44: "1.21", 59: "1"},
        ),
        ("touched", ((40, b"J"), (99, b"1.05"), (59, b"1")), {40: "J", 99: "1.05", 59: "1"}),
        ("trailing", ((40, b"P"), (18, b"a"), (211, b"0.01"), (59, b"1")), {40: "P", 18: "a", 211: "0.01", 59: "1"}),
        (
            "protected",
            ((40, b"2"), (44, b"1.05"), (59, b"1"), (7001, b"1.04"), (7002, b"1.06"), (7003, b"0.01"), (7005, b"x")),
            {40: "2", 44: "1.05", 59: "1", 7001: "1.04", 7002: "1.06", 7003: "0.01", 7005: "x"},
        ),
        (
            "bound",
            ((40, b"3"), (99, b"1.20"), (59, b"1"), (7006, b"1.21"), (7004, b"Y")),
            {40: "3", 99: "1.2", 59: "1", 7006: "1.21", 7004: "Y"},
        ),
    ],
)
def test_every_kind_of_order_waits_as_it_was_asked(
    trader: Trader, name: str, fields: tuple[tuple[int, bytes], ...], told: dict[int, str]
) -> None:
    trader.order(f"kind-{name}", *fields)
    new = trader.report()
    terms = (40, 44, 99, 211, 18, 59, 126, *range(7001, 7007))
    if name == "day":
        del new[126]
    assert (new[150], picked(new, *terms)) == ("0", told), new
    trader.change("G", f"kind-{name}-more", f"kind-{name}", (38, b"3000"), *fields)
    replaced = trader.report()
    if name == "day":
        del replaced[126]
    assert (picked(replaced, 150, 41, 38), picked(replaced, *terms)) == (
        {150: "5", 41: f"kind-{name}", 38: "3000"},
        told,
    ), replaced
    trader.change("F", f"kind-{name}-off", f"kind-{name}-more", (38, b"3000"))
    assert trader.report()[150] == "4"


@pytest.mark.parametrize(("name", "time_in_force"), [("ioc", b"3"), ("fok", b"4")])
def test_what_is_for_now_and_cannot_be_dealt_is_cancelled(trader: Trader, name: str, time_in_force: bytes) -> None:
    trader.order(f"now-{name}", (40, b"2"), (44, b"1.05"), (59, time_in_force))
    assert trader.report()[150] == "0"
    cancelled = trader.report()
    assert picked(cancelled, *ESSENCE) == {150: "4", 39: "4", 11: f"now-{name}", 14: "0", 151: "0"}
    assert cancelled[58].startswith("NOT_MARKETABLE: ")


def test_a_price_that_comes_triggers_and_fills(floor: Floor, trader: Trader) -> None:
    trader.order("reach-1", (40, b"4"), (99, b"1.10100"), (44, b"1.10050"), (59, b"1"))
    assert trader.report()[150] == "0"
    try:
        floor.bid, floor.ask = "1.10090", "1.10110"
        triggered = trader.report()
        assert (picked(triggered, *ESSENCE), triggered[58].split(":")[0]) == (
            {150: "D", 39: "0", 11: "reach-1", 14: "0", 151: "1000"},
            "TRIGGERED",
        )
        floor.bid, floor.ask = "1.10020", "1.10040"
        assert picked(trader.report(), 150, 39, 31) == {150: "F", 39: "2", 31: "1.1004"}
    finally:
        floor.bid, floor.ask = "1.10000", "1.10020"


def test_of_two_that_belong_together_the_other_is_cancelled(floor: Floor, trader: Trader) -> None:
    trader.order("pair-1", (40, b"2"), (44, b"1.09"), (59, b"1"), (7005, b"pair"))
    trader.order("pair-2", (40, b"3"), (99, b"1.101"), (59, b"1"), (7005, b"pair"))
    assert [trader.report()[150] for _ in range(2)] == ["0", "0"]
    try:
        floor.bid, floor.ask = "1.10090", "1.10110"
        told: dict[str, list[str]] = {"pair-1": [], "pair-2": []}
        while told["pair-1"] != ["4"] or told["pair-2"][-1:] != ["F"]:
            report = trader.report()
            told[report[11]].append(report[150])
    finally:
        floor.bid, floor.ask = "1.10000", "1.10020"


def test_a_part_of_a_position_is_closed(floor: Floor, trader: Trader) -> None:
    def held() -> dict[int, str]:
        report = floor.ask_engine(GetAccount(1))
        assert isinstance(report, AccountReport)
        return {one.position.position_id: format_e8(one.position.quantity_e8) for one in report.positions}

    before = held()
    trader.order("part-1", (7001, b"1.05"), (7002, b"1.15"), quantity="3000")
    trader.report()
    opened = trader.report()
    assert picked(opened, 150, 7001, 7002) == {150: "F", 7001: "1.05", 7002: "1.15"}
    trader.order("part-2", (7004, b"Y"), side="2", quantity="1000")
    trader.report()
    closed = [trader.report()]
    while closed[-1][151] != "0":
        closed.append(trader.report())
    assert {(one[150], one[7004]) for one in closed} == {("F", "Y")}
    assert sum(int(one[32]) for one in closed) == 1000
    assert int(closed[0][7007]) == min(before), "the oldest first"
    assert sum(int(one) for one in held().values()) == sum(int(one) for one in before.values()) + 2000
    trader.order("part-3", (7004, b"Y"), quantity="1000")
    refused = trader.report()
    assert (refused[150], refused[58].split(":")[0]) == ("8", "NOTHING_TO_CLOSE")


def test_a_position_is_closed_by_its_id(client: Callable[..., Trader], trader: Trader) -> None:
    """Of two of the same side the younger, in part and then whole; who wants FIX 5.0's field for it is told there."""
    reader, positions = client("READER").log_on(), []
    for name in ("held-1", "held-2"):
        trader.order(name, quantity="3000")
        assert picked(trader.report(), 150, 7007) == {150: "0"}
        positions.append(trader.report()[7007])
    younger = position_id(positions[1])
    trader.order("close-1", CLOSE, younger, side="2", quantity="1000")
    told = [picked(trader.report(), *ESSENCE, 32, 38, 54, 77, 7007) for _ in range(2)]
    essence = {11: "close-1", 38: "1000", 54: "2", 77: "C", 7007: positions[1]}
    assert told == [
        {150: "0", 39: "0", 14: "0", 151: "1000", **essence},
        {150: "F", 39: "2", 14: "1000", 151: "0", 32: "1000", **essence},
    ]
    told = [picked(reader.report(), 150, 77, 2618, 7007) for _ in range(6)]
    assert told[4:] == [{150: "0", 77: "C", 2618: positions[1]}, {150: "F", 77: "C", 2618: positions[1]}]
    trader.order("close-1", CLOSE, younger, side="2", quantity="1000")
    assert picked(trader.report(), 150, 39, 14, 7007) == {150: "I", 39: "2", 14: "1000", 7007: positions[1]}
    trader.send("D", (11, b"close-2"), (55, b"EURUSD"), (54, b"2"), (60, now()), (40, b"1"), CLOSE, younger)
    assert [picked(trader.report(), 150, 38, 14, 7007) for _ in range(2)] == [
        {150: "0", 38: "2000", 14: "0", 7007: positions[1]},
        {150: "F", 38: "2000", 14: "2000", 7007: positions[1]},
    ]
    assert positions[0] in held_by(trader)
    assert positions[1] not in held_by(trader)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"quantity": "1000.5"}, "QUANTITY_OUT_OF_RANGE"),
        ({"quantity": "999.5"}, "QUANTITY_STEP"),
        ({"side": "1"}, "NOT_OPPOSITE"),
        ({"symbol": "GBPUSD"}, "UNKNOWN_POSITION"),
    ],
)
def test_a_position_that_is_not_what_is_said_stays_open(trader: Trader, change: dict[str, str], code: str) -> None:
    name = "-".join(change.values())
    trader.order(f"stays-{name}")
    trader.report()
    position = trader.report()[7007]
    trader.order(f"refused-{name}", CLOSE, position_id(position), **{"side": "2", **change})
    refused = trader.report()
    assert (picked(refused, 150, 39, 11, 103, 7007), refused[58].split(":")[0]) == (
        {150: "8", 39: "8", 11: f"refused-{name}", 103: "13" if "quantity" in change else "99", 7007: position},
        code,
    )
    assert position in held_by(trader)
    trader.order(f"done-{name}", CLOSE, position_id(position), side="2")
    assert [trader.report()[150] for _ in range(2)] == ["0", "F"]
    trader.order(f"gone-{name}", CLOSE, position_id(position), side="2")
    assert trader.report()[58] == f"UNKNOWN_POSITION: there is no open position {position}"


def position_id(number: str) -> tuple[int, bytes]:
    """PositionID, as FIX 5.0 SP2 has it."""
    return 2618, number.encode()


CLOSE = (77, b"C")


def now() -> bytes:
    return utc_timestamp(time.time_ns())


def held_by(trader: Trader) -> list[str]:
    """The ids of all open positions, as they are reported."""
    trader.send("AN", (710, b"held"), (724, b"0"), (1, b"1"), (581, b"1"), (715, b"20260119"), (60, now()))
    count = int(fields_of(trader.next("AO"))[727])
    return [fields_of(trader.next("AP"))[7007] for _ in range(count)]


@pytest.mark.parametrize(
    ("name", "fields", "reason", "code"),
    [
        ("symbol", {"symbol": "XXXYYY"}, "1", "UNKNOWN_SYMBOL"),
        ("size", {"quantity": "99999999"}, "13", "QUANTITY_OUT_OF_RANGE"),
        ("step", {"quantity": "0.5"}, "13", "QUANTITY_OUT_OF_RANGE"),
        ("margin", {"quantity": "9999999"}, "3", "INSUFFICIENT_MARGIN"),
        ("nothing", {"quantity": "0"}, "11", "BAD_TERMS"),
        ("exact", {"quantity": "1000.123456789"}, "11", "BAD_TERMS"),
    ],
)
def test_a_refused_order_is_rejected_with_its_code(
    trader: Trader, name: str, fields: dict[str, str], reason: str, code: str
) -> None:
    trader.order(f"refused-{name}", **fields)
    told = trader.report()
    assert picked(told, *ESSENCE) == {150: "8", 39: "8", 11: f"refused-{name}", 14: "0", 151: "0", 103: reason}
    assert told[58].startswith(f"{code}: ")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (((40, b"P"), (211, b"0.01")), "BAD_TERMS"),
        (((40, b"P"), (18, b"a"), (836, b"1"), (211, b"1")), "BAD_TERMS"),
        (((40, b"E"),), "BAD_TERMS"),
        (((40, b"2"),), "BAD_TERMS"),
        (((59, b"7"),), "BAD_TERMS"),
        (((110, b"500"),), "BAD_TERMS"),
        (((432, b"20990101"),), "BAD_TERMS"),
        (((15, b"USD"),), "BAD_TERMS"),
        (((1, b"2"),), "UNKNOWN_ACCOUNT"),
        (((7001, b"1.2"),), "WRONG_SIDE_OF_MARKET"),
    ],
)
def test_terms_that_cannot_be_are_refused(trader: Trader, fields: tuple[tuple[int, bytes], ...], code: str) -> None:
    trader.order(f"terms-{hash(fields)}", *fields)
    told = trader.report()
    assert (told[150], told[58].split(":")[0]) == ("8", code)


def test_a_repeated_order_gets_its_first_result_and_deals_once(trader: Trader) -> None:
    trader.order("again-1")
    first, trade = trader.report(), trader.report()
    assert (first[150], trade[150]) == ("0", "F")
    trader.order("again-1")
    assert picked(trader.report(), *ESSENCE, 37) == {
        150: "I", 39: "2", 11: "again-1", 14: "1000", 151: "0", 37: first[37],
    }  # fmt: skip
    trader.order("again-1", quantity="2000")
    told = trader.report()
    assert (told[150], told[103], told[58].split(":")[0]) == ("8", "6", "DUPLICATE_CLIENT_ORDER_ID")


def test_orders_by_another_way_are_reported_and_share_their_names(floor: Floor, trader: Trader) -> None:
    waiting = OrderTerms("EURUSD", Side.BUY, OrderType.LIMIT, 1000 * 10**8, limit_e8=parse_e8("1.05"))
    floor.ask_engine(SubmitOrder(1, "rest-1", waiting))
    assert picked(trader.report(), *ESSENCE) == {150: "0", 39: "0", 11: "rest-1", 14: "0", 151: "1000"}
    trader.order("rest-1", (40, b"2"), (44, b"1.05"), (59, b"1"))
    assert picked(trader.report(), *ESSENCE) == {150: "I", 39: "0", 11: "rest-1", 14: "0", 151: "1000"}
    trader.order("rest-1")
    assert picked(trader.report(), 150, 103) == {150: "8", 103: "6"}
    trader.change("F", "rest-2", "rest-1", (38, b"1000"))
    assert picked(trader.report(), *ESSENCE) == {150: "4", 39: "4", 11: "rest-2", 41: "rest-1", 14: "0", 151: "0"}
    trader.order("fix-1", (40, b"2"), (44, b"1.05"), (59, b"1"))
    trader.report()
    repeated = floor.ask_engine(SubmitOrder(1, "fix-1", waiting))
    assert isinstance(repeated, OrderReport)
    assert repeated.repeated
    floor.ask_engine(CancelOrder(1, repeated.outcome.order.order_id))
    assert picked(trader.report(), *ESSENCE) == {150: "4", 39: "4", 11: "fix-1", 14: "0", 151: "0"}


def test_the_state_of_orders_can_be_asked(trader: Trader) -> None:
    trader.order("state-1", (40, b"2"), (44, b"1.05"), (59, b"1"))
    new = trader.report()
    trader.send("H", (11, b"state-1"), (55, b"EURUSD"), (54, b"1"), (790, b"q"))
    assert picked(trader.report(), *ESSENCE, 37, 790) == {
        150: "I", 39: "0", 11: "state-1", 14: "0", 151: "1000", 37: new[37], 790: "q",
    }  # fmt: skip
    trader.send("H", (11, b"nobody"), (55, b"EURUSD"), (54, b"1"))
    assert picked(trader.report(), 150, 39, 11) == {150: "I", 39: "8", 11: "nobody"}
    trader.send("AF", (584, b"all"), (585, b"7"))
    assert picked(trader.report(), 150, 11, 584, 911, 912) == {150: "I", 11: "state-1", 584: "all", 911: "1", 912: "Y"}
    trader.change("F", "state-2", "state-1", (38, b"1000"))
    trader.report()
    trader.send("AF", (584, b"none"), (585, b"7"))
    assert picked(trader.report(), 150, 584, 911, 912) == {150: "I", 584: "none", 911: "0", 912: "Y"}


def test_who_may_not_is_told_so(client: Callable[..., Trader]) -> None:
    reader = client("READER").log_on()
    reader.order("reader-1")
    told = reader.report()
    assert (told[150], told[58].split(":")[0]) == ("8", "NOT_PERMITTED")
    reader.change("F", "reader-2", "market-1", (38, b"1000"))
    assert picked(reader.report(), 102, 39) == {102: "2", 39: "2"}
    reader.send("V", (262, b"1"), (263, b"0"), (264, b"1"), (267, b"1"), (269, b"0"), (146, b"1"), (55, b"EURUSD"))
    assert fields_of(reader.next())[281] == "3"
    reader.send("AD", (568, b"t"), (569, b"0"))
    told = fields_of(reader.next())
    assert picked(told, 35, 372, 380) == {35: "j", 372: "AD", 380: "3"}
    for name, password in (("TRADER", "wrong"), ("AWAY", PASSWORD), ("STRANGER", PASSWORD)):
        assert not client(name, password).tries()


def test_more_requests_than_agreed_are_refused(client: Callable[..., Trader]) -> None:
    slow = client("SLOW").log_on()
    began_s, asked = time.monotonic(), 200
    with slow.written_at_once():
        for number in range(asked):
            slow.send("H", (11, b"h%d" % number), (55, b"EURUSD"), (54, b"1"))
    told = [slow.next() for _ in range(asked)]
    limited = [one for one in told if (one.get(58) or b"").startswith(b"RATE_LIMITED: ")]
    seconds = int(time.monotonic() - began_s) + 2
    assert asked + 1 - 20 * seconds <= len(limited) <= asked - 19, "one was asked before, and seconds have begun"
    assert {one.msg_type for one in limited} == {b"j"}


def test_a_drop_copy_hears_all_and_says_nothing(client: Callable[..., Trader], trader: Trader) -> None:
    copy = client("COPY").log_on()
    trader.order("copied-1")
    mine = [trader.report(), trader.report()]
    copies: list[dict[int, str]] = []
    while len(copies) < 2:
        told = copy.report()
        if told.get(11) == "copied-1":
            assert told.pop(797) == "Y"
            copies.append(told)
    assert [one | {9: ""} for one in copies] == [one | {9: ""} for one in mine]
    copy.order("copied-2")
    assert picked(fields_of(copy.next("j")), 372, 380) == {372: "D", 380: "3"}


def test_a_lost_connection_cancels_what_is_to_be_cancelled(client: Callable[..., Trader], trader: Trader) -> None:
    careful = client("CAREFUL").log_on()
    careful.order("careful-1", (40, b"2"), (44, b"1.05"), (59, b"1"))
    trader.order("careless-1", (40, b"2"), (44, b"1.05"), (59, b"1"))
    told: dict[str, str] = {}
    while len(told) < 2:
        report = trader.report()
        told[report[11]] = report[150]
    assert told == {"careful-1": "0", "careless-1": "0"}
    careful.cut()
    assert picked(trader.report(), *ESSENCE) == {150: "4", 39: "4", 11: "careful-1", 14: "0", 151: "0"}
    trader.change("F", "careless-2", "careless-1", (38, b"1000"))
    assert picked(trader.report(), 150, 11) == {150: "4", 11: "careless-2"}


def test_a_reset_connection_ends_the_session_alone(client: Callable[..., Trader], trader: Trader) -> None:
    reader = client("READER").log_on()
    reader.reset()
    trader.order("reset-1")
    assert [trader.report()[150], trader.report()[150]] == ["0", "F"]
    reader.log_on()


def test_prices_come_as_snapshot_and_changes(floor: Floor, trader: Trader) -> None:
    asked = ((264, b"1"), (265, b"1"), (267, b"2"), (269, b"0"), (269, b"1"), (146, b"1"), (55, b"EURUSD"))
    trader.send("V", (262, b"p"), (263, b"1"), *asked)
    snapshot = trader.next("W", "Y")
    assert (snapshot.get(262), entries(snapshot)) == (b"p", [(b"0", b"1.1"), (b"1", b"1.1002")])
    trader.send("V", (262, b"p"), (263, b"1"), *asked)
    assert picked(fields_of(trader.next("Y")), 262, 281) == {262: "p", 281: "1"}
    trader.send("V", (262, b"q"), (263, b"0"), *asked[:-1], (55, b"XXXYYY"))
    assert picked(fields_of(trader.next("Y")), 262, 281) == {262: "q", 281: "0"}
    try:
        floor.ask = "1.10030"
        changed = trader.next("X")
        assert changed.group(268, (279, 269, 55, 270, 272, 273)) == [
            {279: b"1", 269: b"1", 55: b"EURUSD", 270: b"1.1003", 272: changed.get(272), 273: changed.get(273)}
        ]
        floor.is_live = False
        gone = trader.next("X")
        assert [entry[279] for entry in gone.group(268, (279, 269, 55, 270, 272, 273))] == [b"2", b"2"]
    finally:
        floor.ask, floor.is_live = "1.10020", True
    assert [entry[279] for entry in trader.next("X").group(268, (279, 269, 55, 270, 272, 273))] == [b"0", b"0"]
    trader.send("V", (262, b"p"), (263, b"2"), *asked)
    trader.order("after-prices")
    trader.report()
    trader.received = [one for one in trader.received if one.msg_type == b"X"]
    floor.ask = "1.10040"
    trader.send("V", (262, b"r"), (263, b"0"), *asked)
    assert trader.next("W").get(262) == b"r"
    floor.ask = "1.10020"


def test_depth_comes_as_snapshot_and_changes(floor: Floor, trader: Trader) -> None:
    def level(price: str, size: int, lp: str) -> Level:
        return Level(parse_e8(price), size * 10**8, lp)

    def changes(message: Message) -> list[tuple[bytes, ...]]:
        tags = (279, 269, 55, 270, 271, 272, 273)
        return [tuple(entry[tag] for tag in (279, 269, 270, 271)) for entry in message.group(268, tags)]

    floor.depth = Depth(
        [level("1.1", 5, "A"), level("1.1", 2, "B"), level("1.0999", 9, "A"), level("1.0998", 1, "A")],
        [level("1.1002", 4, "B")],
    )
    asked = ((264, b"2"), (265, b"1"), (267, b"2"), (269, b"0"), (269, b"1"), (146, b"1"), (55, b"EURUSD"))
    trader.send("V", (262, b"deep"), (263, b"1"), *asked)
    book = trader.next("W", "Y")
    assert [(entry[269], entry[270], entry[271]) for entry in book.group(268, (269, 270, 271, 272, 273))] == [
        (b"0", b"1.1", b"7"),
        (b"0", b"1.0999", b"9"),
        (b"1", b"1.1002", b"4"),
    ]
    floor.depth = Depth([level("1.1", 5, "A"), level("1.0998", 1, "A")], [level("1.1002", 4, "B")])
    assert changes(trader.next("X")) == [
        (b"2", b"0", b"1.0999", b"9"),
        (b"1", b"0", b"1.1", b"5"),
        (b"0", b"0", b"1.0998", b"1"),
    ]
    trader.send("V", (262, b"deep"), (263, b"2"), *asked)
    trader.send("V", (262, b"once"), (263, b"0"), (264, b"0"), *asked[2:])
    assert trader.next("W").get(268) == b"3"
    floor.depth = Depth([], [])
    trader.send("V", (262, b"once"), (263, b"0"), (264, b"0"), *asked[2:])
    assert trader.next("W", "X", "Y").get(262) == b"once"
    trader.send("V", (262, b"bad"), (263, b"0"), (264, b"-1"), *asked[2:])
    assert trader.next("Y", "j").get(262) == b"bad"


def entries(message: Message) -> list[tuple[bytes, bytes]]:
    return [(entry[269], entry[270]) for entry in message.group(268, (269, 270, 272, 273))]


def test_what_else_may_be_asked(client: Callable[..., Trader], floor: Floor) -> None:
    reader = client("READER").log_on()
    reader.send("x", (320, b"all"), (559, b"4"))
    listed = reader.next("y")
    symbols = [entry[55] for entry in listed.group(146, (55, 107, 870, 871, 872, 15, 561, 562))]
    assert (listed.get(560), listed.get(393), listed.get(893)) == (b"0", b"%d" % len(symbols), b"Y")
    assert b"EURUSD" in symbols
    reader.send("x", (320, b"one"), (559, b"0"), (55, b"EURUSD"))
    facts = reader.next("y")
    assert picked(fields_of(facts), 55, 15, 561, 562) == {55: "EURUSD", 15: "USD", 561: "1", 562: "1"}
    assert [value for tag, value in facts.fields if tag == 872] == [
        b"base=EUR", b"price_digits=5", b"price_step=0.00001", b"quantity_max=10000000", b"lot=100000",
        b"margin_rate=0.0333", b"asset_class=other", b"state=open",
    ]  # fmt: skip
    reader.send("g", (335, b"s"), (263, b"0"))
    assert picked(fields_of(reader.next("h")), 335, 336, 340) == {335: "s", 336: "DEALING", 340: "2"}
    report = floor.ask_engine(GetAccount(1))
    assert isinstance(report, AccountReport)
    moment = utc_timestamp(time.time_ns())
    inquiry = ((710, b"pos"), (724, b"0"), (1, b"1"), (581, b"1"), (715, b"20260101"), (60, moment))
    reader.send("AN", *inquiry)
    acknowledged = fields_of(reader.next("AO"))
    assert picked(acknowledged, 710, 727, 728, 729) == {
        710: "pos", 727: str(len(report.positions)), 728: "0", 729: "0",
    }  # fmt: skip
    held = [fields_of(reader.next("AP")) for _ in report.positions]
    assert [picked(one, 2618, 704, 734) for one in held] == [
        {
            2618: str(one.position.position_id),
            704: format_e8(one.position.quantity_e8),
            734: format_e8(one.position.open_price_e8),
        }
        for one in report.positions
    ]
    reader.send("BB", (909, b"m"))
    margin = fields_of(reader.next("BA"))
    assert picked(margin, 909, 1, 15, 901, 7009) == {
        909: "m", 1: "1", 15: "USD", 901: format_minor(report.summary.balance_minor, "USD"),
        7009: format_minor(report.summary.margin_minor, "USD"),
    }  # fmt: skip
    reader.send("AN", *(field if field[0] != 724 else (724, b"1") for field in inquiry))
    assert picked(fields_of(reader.next("AO")), 728, 729) == {728: "99", 729: "2"}
    reader.send("AN", (263, b"1"), *inquiry)
    assert fields_of(reader.next("AO"))[58].startswith("BAD_REQUEST: ")
    for question in (("x", (320, b"s"), (559, b"4")), ("BB", (909, b"s"))):
        reader.send(*question, (263, b"1"))
        refused = fields_of(reader.next("j"))
        assert (picked(refused, 372, 379, 380), refused[58].split(":")[0]) == (
            {372: question[0], 379: "s", 380: "5"},
            "BAD_REQUEST",
        )
