"""An operator's hand on the clients' sessions, and what the engine does by itself, as clients over FIX hear it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from actors.bus import codec, endpoints, sockets
from actors.bus.answers import AccountReport, Answer, Refusal, Reply
from actors.bus.fix_sessions import (
    ConnectFixSession,
    DisconnectFixSession,
    FixRequest,
    FixSession,
    FixSessions,
    GetFixSessions,
    SetFixSequence,
)
from actors.bus.requests import GetAccount
from actors.domain.commands import DefineGroup, OpenAccount, SubmitOrder
from actors.domain.group import Group, Markup
from actors.domain.money import parse_e8
from actors.domain.order import OrderTerms, OrderType, Side
from actors.domain.prices.book import Depth
from actors.domain.quote import Level
from tests.actors.clients.floor import Floor, Trader, picked
from tests.actors.test_fix_clients import ready
from tests.system.running import eventually


@pytest.fixture(scope="module")
def floor(private_folder: Path) -> Iterator[Floor]:
    folder = private_folder / "operators"
    folder.mkdir()
    with Floor(folder) as floor:
        yield floor


@pytest.fixture
def operator(floor: Floor) -> Iterator["Operator"]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    yield Operator(sockets.dealer(context, endpoints.local(floor.run_dir).fix_clients))
    context.destroy(linger=0)


class Operator:
    def __init__(self, socket: zmq.Socket[bytes]) -> None:
        self._socket = socket
        self._asked = 0

    def ask(self, body: Any) -> Answer:
        """Again and again until it answers: what is on its way while the process is killed is lost."""
        self._asked += 1

        def answer() -> Answer | None:
            self._socket.send(b"garbage")
            self._socket.send(codec.encode(FixRequest(self._asked, body)))
            while self._socket.poll(2_000):
                reply: Reply = codec.decoder(Reply)(self._socket.recv())
                if reply.request_id == self._asked:
                    return reply.body
            return None

        answered: Answer = eventually(answer)
        return answered

    def session(self, session_id: str) -> FixSession:
        answer = self.ask(GetFixSessions())
        assert isinstance(answer, FixSessions)
        (found,) = [one for one in answer.sessions if one.session_id == session_id]
        return found


def refuses(trader: Trader) -> bool:
    """Whether the acceptor is there, and does not let it in."""
    try:
        assert not trader.tries()
    except ConnectionError:
        return False
    trader.cut()
    return True


def test_a_session_is_seen_held_repaired_and_let_go(floor: Floor, operator: Operator) -> None:
    trader = Trader(floor).log_on()
    seen = operator.session("TRADER")
    numbers = trader.session.sequences
    assert (seen.purpose, seen.role, seen.state) == ("client", "acceptor", "logged_on")
    assert (seen.next_out, seen.next_in) == (numbers.next_in, numbers.next_out)
    assert seen.peer.startswith("127.0.0.1:")
    assert (seen.began_ns, seen.logged_on_ns > 0) == (0, True)
    assert operator.session("SLOW").state == "down"

    refused = operator.ask(SetFixSequence("TRADER", 0, 70, "root", "too early"))
    assert isinstance(refused, Refusal)
    assert refused.code == "FIX_SESSION_UP"
    operator.ask(DisconnectFixSession("TRADER"))
    trader.until(lambda: not trader.session.is_logged_on)
    trader.cut()
    while operator.session("TRADER").state != "held":
        pass
    assert not trader.tries()
    trader.cut()
    floor.kill("fix_clients")
    floor.start("fix_clients")
    assert operator.session("TRADER").state == "held", "as it was left"
    eventually(lambda: refuses(trader))

    before = operator.session("TRADER")
    assert operator.ask(SetFixSequence("TRADER", 0, 0, "root", " ")) == Refusal(
        "BAD_REQUEST", "a repair needs numbers above 0 and a reason"
    )
    set_to = operator.ask(SetFixSequence("TRADER", before.next_out + 5, 0, "root", "as agreed"))
    assert isinstance(set_to, FixSessions)
    assert (set_to.sessions[0].next_out, set_to.sessions[0].next_in) == (before.next_out + 5, before.next_in)
    operator.ask(ConnectFixSession("TRADER"))
    trader.log_on()
    assert operator.session("TRADER").state == "logged_on"
    assert trader.session.sequences.next_in > before.next_out + 5
    trader.close()


def test_a_session_that_is_not_there(floor: Floor, operator: Operator) -> None:
    assert operator.ask(ConnectFixSession("NOBODY")) == Refusal(
        "UNKNOWN_FIX_SESSION", "there is no FIX session 'NOBODY' here", "session_id"
    )


def test_a_fill_by_another_way_and_the_stop_out_are_told(floor: Floor) -> None:
    ready(floor)
    trader = Trader(floor).log_on()
    bought = OrderTerms("EURUSD", Side.BUY, OrderType.MARKET, 90_000 * 10**8)
    positions = []
    for name in ("rest-1", "rest-2", "rest-3", "rest-4"):
        floor.ask_engine(SubmitOrder(1, name, bought))
        told = [trader.report(), trader.report()]
        assert [picked(one, 150, 11, 54, 32) for one in told] == [
            {150: "0", 11: name, 54: "1"},
            {150: "F", 11: name, 54: "1", 32: "90000"},
        ]
        positions.append(told[1][7007])
    floor.bid, floor.ask = "0.60000", "0.60020"
    closed: dict[str, str] = {}
    while len(closed) < len(positions):
        report = trader.report()
        if report[150] == "F":
            closed[report[7007]] = report[54]
    assert closed == dict.fromkeys(positions, "2")
    account = floor.ask_engine(GetAccount(1))
    assert isinstance(account, AccountReport)
    assert [one.position.position_id for one in account.positions if str(one.position.position_id) in positions] == []
    trader.close()


def test_who_only_watches_prices_sees_them_as_his_group_deals(floor: Floor) -> None:
    """Also where his account is opened later, and before he is told anything after a restart."""
    floor.bid, floor.ask = "1.10000", "1.10020"
    floor.depth = Depth([Level(parse_e8("1.1"), 10**8, "A")], [Level(parse_e8("1.1002"), 10**8, "A")])
    wide = Group("wide", Markup(spread_min_e8=parse_e8("0.0004")))
    assert not isinstance(floor.ask_engine(DefineGroup(wide)), Refusal)
    floor.stop("fix_clients")
    floor.start("fix_clients")
    watcher = Trader(floor, "WATCHER").log_on()
    sides = ((267, b"2"), (269, b"0"), (269, b"1"), (146, b"1"), (55, b"EURUSD"))

    def seen(depth: bytes) -> list[bytes]:
        watcher.send("V", (262, b"%d" % time.time_ns()), (263, b"0"), (264, depth), *sides)
        time.sleep(0.05)  # He may not ask too often.
        return [entry[270] for entry in watcher.next("W", "Y").group(268, (269, 270, 271, 272, 273))]

    assert (seen(b"1"), seen(b"0")) == ([], [])
    assert not isinstance(floor.ask_engine(OpenAccount(7, "USD", group="wide")), Refusal)
    eventually(lambda: seen(b"1") == seen(b"0") == [b"1.0999", b"1.1003"])
    watcher.close()
    floor.kill("fix_clients")
    floor.start("fix_clients")
    watcher = Trader(floor, "WATCHER").log_on()
    prices = list[list[bytes]]()
    while prices[-1:] != [[b"1.0999", b"1.1003"]]:
        prices.append(seen(b"1"))
    assert not any(prices[:-1])
    watcher.close()
