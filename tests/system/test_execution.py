"""Large orders go to the simulated OANDA, by real processes, killed at any moment: nothing is lost or doubled."""

import itertools
import json
import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import zmq

from actors.bus import codec, endpoints, sockets, topics
from actors.bus.answers import AccountReport, Events, OrderReport, Reply
from actors.bus.desk_answers import Breaks, ExposureReport
from actors.bus.requests import AggregatorRequest, EngineRequest, GetAccount, GetBreaks, GetEvents, GetExposure, GetLps
from actors.bus.streams import StreamStatus
from actors.domain.commands import SubmitOrder
from actors.domain.events.event import Event
from actors.domain.events.venues import BreakFound, ChildChanged, ChildSent
from actors.domain.money import format_e8, parse_e8
from actors.domain.order import OrderTerms, OrderType, Side
from actors.domain.prices.lp_registry import ChangeLp
from actors.domain.routing.child import Break, BreakReason, ChildState
from tests.system.running import Broker, eventually

NAMES = ("venues", "feeds", "aggregator", "engine", "execution-oanda")
PATIENCE_S = 200.0
"""An order that is asked about anew is asked about 155 s after it was sent, by the engine's fifth inquiry."""
LARGE = "100000"
UNKNOWN_NS = 75_000_000_000
"""So old is an order at the least of which a person is told that nobody says what became of it."""

_decode_reply = codec.decoder(Reply)
_decode_status = codec.decoder(StreamStatus)


class Dealing:
    """The processes that an A-book order passes, asked over the bus."""

    names: tuple[str, ...] = NAMES
    large = LARGE

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._requests = 0

    def __enter__(self) -> "Dealing":
        for name in self.names:
            self.broker.start(name)
        where = endpoints.local(self.broker.run_dir)
        self._engine = sockets.dealer(self._context, where.engine)
        self._aggregator = sockets.dealer(self._context, where.aggregator)
        self._streams = sockets.subscriber(self._context, where.ticks, topics.STATUS)
        return self

    def __exit__(self, *reason: object) -> None:
        self._context.destroy(linger=0)
        self.broker.__exit__(*reason)

    def ask(self, body: Any) -> Any:
        """Again and again until the engine answers: every command here is safe to repeat."""
        end = time.monotonic() + PATIENCE_S
        self._requests += 1
        while time.monotonic() < end:
            self._engine.send(codec.encode(EngineRequest(self._requests, body)))
            if self._engine.poll(500):
                reply = _decode_reply(self._engine.recv())
                if reply.request_id == self._requests:
                    return reply.body
        raise AssertionError("the engine does not answer")

    def ask_aggregator(self, body: Any) -> Any:
        self._requests += 1
        self._aggregator.send(codec.encode(AggregatorRequest(self._requests, body)))
        assert self._aggregator.poll(int(PATIENCE_S) * 1_000)
        return _decode_reply(self._aggregator.recv()).body

    def is_quoted_by(self, lp: str) -> bool:
        """Whether the LP has shown a price of EURUSD: before that it deals in none."""
        if not self._streams.poll(1_000):
            return False
        status: StreamStatus = _decode_status(codec.topic_and_body(self._streams.recv())[1])
        return any(feed.venue == lp and feed.quoted_ns.get("EURUSD") for feed in status.feeds)

    def registered(self) -> int:
        """How often its process has heard of another entry in the registry."""
        return self.broker.log("execution-oanda").count("the LP registry has changed")

    def registered_since(self, changes: int) -> bool:
        return self.registered() > changes

    def buy(self, name: str, quantity: str = LARGE, side: Side = Side.BUY) -> bool:
        terms = OrderTerms("EURUSD", side, OrderType.MARKET, parse_e8(quantity))
        return isinstance(self.ask(SubmitOrder(1, name, terms)), OrderReport)

    def deal(self, name: str, side: Side = Side.BUY) -> None:
        """A large order that the engine takes; tried again while there is no price."""
        tries = itertools.count()

        def is_taken() -> bool:
            terms = OrderTerms("EURUSD", side, OrderType.MARKET, parse_e8(self.large))
            report = self.ask(SubmitOrder(1, f"{name}-{next(tries)}", terms))
            assert isinstance(report, OrderReport)
            return report.outcome.code == ""

        eventually(is_taken)

    def events(self) -> list[Event]:
        return [event for _, event in self.happened()]

    def happened(self) -> list[tuple[int, Event]]:
        """Events with the times (ns) at which the engine had them."""
        found: list[tuple[int, Event]] = []
        while True:
            page = self.ask(GetEvents(len(found) + 1))
            assert isinstance(page, Events)
            new = [(batch.time_ns, event) for batch in page.batches for event in batch.events]
            if not new:
                return found
            known = len(found) + 1 - page.batches[0].first_seq
            found += new[known:]

    def breaks(self) -> list[Break]:
        """What waits for a person, and what ever did for no good reason.

        With processes away so often it may be true that an order was unknown for long. That ends when it is known.
        """
        sent_ns: dict[str, int] = {}
        wrong: list[Break] = []
        for time_ns, event in self.happened():
            if isinstance(event, ChildSent):
                sent_ns[event.sent.child.child_id] = event.sent.child.sent_ns
            elif isinstance(event, BreakFound):
                found = event.found
                is_true = found.reason is BreakReason.STILL_UNKNOWN and time_ns - sent_ns[found.child_id] > UNKNOWN_NS
                wrong += [] if is_true else [found]
        report = self.ask(GetBreaks())
        assert isinstance(report, Breaks)
        return [*wrong, *(one.found for one in report.breaks)]

    def is_settled(self) -> bool:
        report = self.ask(GetExposure())
        assert isinstance(report, ExposureReport)
        return not report.children

    def venue(self, method: str, path: str, content: str = "") -> Any:
        """Waits for a venue that is about to start: what the file says before that is where it was."""

        def answer() -> httpx.Response | None:
            address = json.loads((self.broker.run_dir / "venues.json").read_text())["oanda"]
            headers = {"Authorization": f"Bearer {address['token']}"}
            url = address["url"] + path.replace("{account}", f"/v3/accounts/{address['account']}")
            try:
                told = httpx.request(method, url, headers=headers, content=content, timeout=PATIENCE_S)
            except httpx.TransportError:
                return None
            return told if told.is_success else None

        return eventually(answer).json()

    def fault(self, *kinds: str) -> None:
        self.venue("PUT", "/faults", json.dumps([{"kind": kind, "delay_ms": 700} for kind in kinds]))

    def venue_fills(self) -> list[tuple[str, str, str, str]]:
        batches = (self.broker.run_dir / "venues" / "oanda.jsonl").read_text().splitlines()
        made = [it for batch in batches for it in json.loads(batch)]
        return [
            (it["clientOrderID"], it["id"], it["units"], it["fullVWAP"]) for it in made if it["type"] == "ORDER_FILL"
        ]

    def engine_fills(self) -> list[tuple[str, str, str, str]]:
        found = []
        for event in self.events():
            if isinstance(event, ChildChanged) and event.fill is not None:
                child, fill = event.child, event.fill
                units = format_e8(fill.quantity_e8 if child.side is Side.BUY else -fill.quantity_e8)
                name = f"{child.child_id}-{child.sent_ns}"
                found.append((name, fill.exec_id, units, format_e8(fill.price_e8, 5)))
        return sorted(found, key=lambda fill: int(fill[1]))

    def held(self) -> tuple[int, int]:
        """What the venue's account holds, and what the engine counts there."""
        positions = self.venue("GET", "{account}/openPositions")["positions"]
        held = sum(int(it["long"]["units"]) + int(it["short"]["units"]) for it in positions)
        report = self.ask(GetExposure())
        return held * 10**8, sum(desk.at_venues_e8.get("OANDA", 0) for desk in report.desks)


@pytest.fixture
def dealing(tmp_path: Path) -> Iterator[Dealing]:
    with Dealing(Broker(tmp_path / "x" / "var")) as dealing:
        tries = itertools.count()
        eventually(lambda: dealing.buy(f"warm-{next(tries)}", "1000") and has_position(dealing))
        # An order that cannot be sent within 5 s comes back.
        eventually(lambda: "execution venue connected" in dealing.broker.log("execution-oanda"))
        eventually(lambda: dealing.is_quoted_by("OANDA"))
        yield dealing


def has_position(dealing: Dealing) -> bool:
    """There are prices: an order without one is refused, and remembered so."""
    report = dealing.ask(GetAccount(1))
    return isinstance(report, AccountReport) and bool(report.positions)


def check(dealing: Dealing) -> None:
    eventually(dealing.is_settled, PATIENCE_S)
    assert dealing.engine_fills() == dealing.venue_fills()
    held, counted = dealing.held()
    assert held == counted
    assert dealing.breaks() == []


def test_a_large_order_is_filled_at_oanda_and_what_goes_wrong_is_known_in_the_end(dealing: Dealing) -> None:
    faults = ("partial", "reject", "cancel", "cut", "delay", "late", "swallow")
    dealing.fault("delay", *faults)
    for number in range(len(faults) + 1):
        dealing.deal(f"order-{number}")
    check(dealing)
    assert sum(units == LARGE for _, _, units, _ in dealing.venue_fills()) == 4
    assert sum(units == "50000" for _, _, units, _ in dealing.venue_fills()) <= 1
    assert len(dealing.venue_fills()) == 5


@pytest.mark.timeout(600)
def test_each_process_is_killed_at_any_moment(dealing: Dealing) -> None:
    chance = random.Random(7)
    for number in range(25):
        name = ("execution-oanda", "venues", "engine", "execution-oanda", "venues")[number % 5]
        dealing.deal(f"order-{number}", chance.choice((Side.BUY, Side.SELL)))
        time.sleep(chance.random() * 0.03)
        dealing.broker.kill(name)
        dealing.broker.start(name)
        time.sleep(chance.random() * 2.0)
    check(dealing)
    eventually(lambda: dealing.buy("last") and dealing.is_settled())
    check(dealing)
    assert len(dealing.venue_fills()) > 5


def test_orders_go_by_the_registry_while_it_runs(dealing: Dealing) -> None:
    """Prices go on from another LP."""
    dealing.deal("named")
    check(dealing)
    fills = dealing.venue_fills()
    oanda = dealing.ask_aggregator(GetLps()).registry.lps["OANDA"]
    symbols = {ours: theirs for ours, theirs in oanda.symbols.items() if ours != "EURUSD"}
    nameless, disabled = (msgspec.structs.replace(oanda, **it) for it in ({"symbols": symbols}, {"enabled": False}))
    for name, lp in (("nameless", nameless), ("disabled", disabled)):
        changes = dealing.registered()
        dealing.ask_aggregator(ChangeLp(by="test", lp=lp))
        eventually(partial(dealing.registered_since, changes))
        dealing.deal(name)
        eventually(dealing.is_settled)
        changed = [event.child for event in dealing.events() if isinstance(event, ChildChanged)]
        assert changed[-1].state is ChildState.REJECTED
        assert dealing.venue_fills() == fills
    dealing.ask_aggregator(ChangeLp(by="test", lp=oanda))
    eventually(lambda: dealing.registered() == 3)
    dealing.deal("named again")
    check(dealing)
    assert len(dealing.venue_fills()) == len(fills) + 1
