"""Child orders to a venue and executions back: with every fault of a venue, and killed at every commit."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.dispatch.dispatcher import Dispatcher
from actors.dispatch.venue_calls import AskHoldings, Cancel, Inquired, Linked, Place, Placed, Told, VenueCall, Work
from actors.domain.commands import DefineRules
from actors.domain.events.orders import OrderEnded
from actors.domain.events.venues import ChildChanged, ChildSent
from actors.domain.order import OrderStatus, Side, TimeInForce
from actors.domain.routing.books import SentChild
from actors.domain.routing.child import BreakReason, ChildState, ReportKind, send
from actors.domain.routing.rulebook import Book, Rule
from actors.store.dispatch import Dispatch
from gateway.venues.execution import Said
from tests.actors.venue_world import ARRIVAL_LIMIT_NS, FragileDispatch, World
from tests.examples import START_NS, order

FAULTS = ("", "partial", "reject", "cancel", "cut", "swallow", "late", "away")


@pytest.fixture(autouse=True)
def nobody_dies() -> Iterator[None]:
    FragileDispatch.commits = FragileDispatch.at = 0
    FragileDispatch.after = False
    yield
    FragileDispatch.at = 0


def traded(path: Path, faults: list[str]) -> World:
    """An order for each fault, a second apart, until all is known."""
    world = World(path / "oanda.sqlite", list(faults))
    for number in range(len(faults)):
        world.tell(order("EURUSD", Side.BUY if number % 3 else Side.SELL, "10000", f"order-{number}"))
        for _ in range(10):
            world.step()
    world.run()
    return world


def ends(world: World) -> list[ChildState]:
    last = {event.child.child_id: event.child.state for event in world.events if isinstance(event, ChildChanged)}
    return [last[event.sent.child.child_id] for event in world.events if isinstance(event, ChildSent)]


def check(world: World) -> None:
    """The venue's record and the engine's journal say the same; no order was given out twice."""
    assert world.engine_fills() == world.venue_fills()
    assert world.breaks() == []
    assert len(world.sent) == len(set(world.sent))
    assert not world.state.accounts[1].orders
    world.close()


def test_each_answer_of_a_venue(tmp_path: Path) -> None:
    world = traded(tmp_path, ["", "partial", "reject", "cancel"])
    assert ends(world) == [ChildState.FILLED, ChildState.CANCELLED, ChildState.REJECTED, ChildState.CANCELLED]
    assert [fill[2] for fill in world.engine_fills()] == ["-10000", "5000"]
    check(world)


def test_an_answer_that_is_lost_is_found_in_the_record(tmp_path: Path) -> None:
    world = traded(tmp_path, ["cut", "late"])
    assert ends(world) == [ChildState.FILLED, ChildState.FILLED]
    check(world)


def test_an_order_that_is_lost_is_asked_for_until_it_can_no_longer_arrive(tmp_path: Path) -> None:
    world = traded(tmp_path, ["swallow"])
    assert ends(world) == [ChildState.REJECTED]
    states = [event.child.state for event in world.events if isinstance(event, ChildChanged)]
    assert states == [ChildState.UNKNOWN, ChildState.REJECTED]
    check(world)


def test_an_order_that_did_not_reach_the_venue_is_sent_again_while_it_is_not_too_old(tmp_path: Path) -> None:
    world = World(tmp_path / "oanda.sqlite", ["away", "away"])
    world.tell(order("EURUSD", Side.BUY, "10000", "again"))
    world.run()
    assert ends(world) == [ChildState.FILLED]
    assert len(world.sent) == 3

    world = World(tmp_path / "other" / "oanda.sqlite", ["away"] * 1_000)
    world.tell(order("EURUSD", Side.BUY, "10000", "old"))
    world.run()
    assert ends(world) == [ChildState.REJECTED]
    assert world.book.orders == {}


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_any_commit_loses_and_doubles_nothing(tmp_path: Path, after: bool) -> None:
    """At each of the commits of the run in turn, until a run has fewer."""
    at, faults = 1, ["", "partial", "cut", "reject", "swallow"]
    while True:
        FragileDispatch.commits, FragileDispatch.at, FragileDispatch.after = 0, at, after
        world = traded(tmp_path / str(at), faults)
        commits, kills = FragileDispatch.commits, world.kills
        check(world)
        if commits < at:
            break
        assert kills == 1, at
        at += 1
    assert at > 20


@pytest.mark.parametrize("after", [False, True])
def test_a_fill_of_somebody_else_is_a_break_whatever_is_killed(tmp_path: Path, after: bool) -> None:
    for at in range(10):
        FragileDispatch.commits, FragileDispatch.at, FragileDispatch.after = 0, 0, after
        world = World(tmp_path / str(at) / "oanda.sqlite", [])
        world.step()
        FragileDispatch.at = FragileDispatch.commits + at
        world.deal_by_hand()
        world.run()
        found = [(it.found.child_id, it.found.reason) for it in world.breaks()]
        assert found[:1] == [("order 2", BreakReason.UNKNOWN_ORDER)], at
        world.close()


@pytest.mark.parametrize("seed", range(10))
def test_kills_and_faults_at_random(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    world = World(tmp_path / "oanda.sqlite", [chance.choice(FAULTS[:-1]) for _ in range(20)])
    FragileDispatch.at = FragileDispatch.commits + chance.randint(1, 10)
    for number in range(20):
        world.tell(order("EURUSD", chance.choice((Side.BUY, Side.SELL)), "10000", f"order-{number}"))
        for _ in range(chance.randint(0, 15)):
            kills = world.kills
            world.step()
            if world.kills > kills:
                FragileDispatch.at = FragileDispatch.commits + chance.randint(1, 15)
                FragileDispatch.after = chance.random() < 0.5
    FragileDispatch.at = 0
    world.run()
    assert world.kills > 3
    check(world)


def test_a_store_that_is_lost_begins_with_the_engines_open_orders(tmp_path: Path) -> None:
    """One order is at the venue and its fill is not reported, one never arrived, one is filled and over."""
    world = World(tmp_path / "oanda.sqlite", ["", "late", "swallow"])
    for number in range(3):
        world.tell(order("EURUSD", Side.BUY, "10000", f"order-{number}"))
    for _ in range(3):
        world.step()
    world.lose_store()
    world.run()
    assert ends(world) == [ChildState.FILLED, ChildState.FILLED, ChildState.REJECTED]
    assert world.state.accounts[1].positions
    check(world)


def test_the_client_order_follows(tmp_path: Path) -> None:
    world = traded(tmp_path, ["partial"])
    (ended,) = [event.order for event in world.events if isinstance(event, OrderEnded)]
    assert (ended.status, ended.filled_e8) == (OrderStatus.CANCELLED, 5_000 * 10**8)
    check(world)


def test_a_venue_that_is_disabled_is_sent_nothing_and_the_order_goes_on_to_the_next(tmp_path: Path) -> None:
    """One that was sent before is asked for all the same; where there is no next venue the order ends."""
    world = World(tmp_path / "oanda.sqlite", ["late"])
    world.tell(order("EURUSD", Side.BUY, "10000", "before"))
    while not world.sent:
        world.step()
    world.enable(False)
    world.tell(order("EURUSD", Side.BUY, "10000", "disabled"))
    world.run()
    assert ends(world) == [ChildState.FILLED, ChildState.REJECTED]
    (ended,) = [event for event in world.events if isinstance(event, OrderEnded)]
    assert (ended.order.client_order_id, ended.code) == ("disabled", "VENUE_REJECTED")

    both = Rule(rule_id=1, name="all", book=Book.A_BOOK, venues=("OANDA", "OTHER"))
    world.tell(DefineRules((both,), ("OANDA", "OTHER")))
    world.tell(order("EURUSD", Side.BUY, "10000", "next"))
    for _ in range(3):
        world.step()
    assert [it.sent.child.venue for it in world.events if isinstance(it, ChildSent)][2:] == ["OANDA", "OTHER"]
    assert len(world.sent) == 1
    world.close()


def test_an_order_that_should_be_over_and_works_is_to_be_cancelled(tmp_path: Path) -> None:
    store = Dispatch(tmp_path / "d.sqlite", START_NS)
    sent = SentChild(send(1, 1, "OANDA", "EURUSD", Side.BUY, 5, 0, START_NS + 10, START_NS), 1, (), TimeInForce.IOC)
    store.follow(1, 0, [(sent, "c1")], [], [])
    actor = Dispatcher.start("OANDA", {"EURUSD": "EUR_USD"}, store, START_NS)

    def told(message: Told) -> list[VenueCall]:
        work: Work = actor.ask(message, block=True)
        return [call for call in work.calls if not isinstance(call, AskHoldings)]

    (placed,) = told(Linked(START_NS, True, ""))
    assert isinstance(placed, Place)
    told(Placed(START_NS, "1-1", []))
    works = [Said("c1", "accepted", "")]
    assert told(Inquired(START_NS + 10, "1-1", works)) == []
    assert told(Inquired(START_NS + 11, "1-1", [Said("c1", "fill", "E1", 5, 1)])) == []
    assert told(Inquired(START_NS + 11, "1-1", works)) == [Cancel("1-1", placed.order)]
    store.follow(2, 0, [], ["1-1"], [])
    assert told(Inquired(START_NS + 12, "1-1", works)) == []
    store.close()


def test_an_answer_that_comes_when_the_link_has_gone_is_believed_no_sooner(tmp_path: Path) -> None:
    store = Dispatch(tmp_path / "d.sqlite", START_NS)
    sent = SentChild(send(1, 1, "OANDA", "EURUSD", Side.BUY, 5, 0, START_NS + 10, START_NS), 1, (), TimeInForce.IOC)
    store.follow(1, 0, [(sent, "c1")], [], [])
    actor = Dispatcher.start("OANDA", {"EURUSD": "EUR_USD"}, store, START_NS)

    def told(message: Told) -> None:
        actor.ask(message, block=True)

    told(Linked(START_NS, True, "", ARRIVAL_LIMIT_NS))
    told(Placed(START_NS, "1-1", None))
    store.follow(2, 0, [], [], ["1-1"])
    told(Linked(START_NS + 1, False, "the venue ended the stream"))
    told(Inquired(START_NS + 2, "1-1", None))
    assert store.waiting() == []
    told(Inquired(START_NS + ARRIVAL_LIMIT_NS + 1, "1-1", None))
    assert [report.kind for _, report in store.waiting()] == [ReportKind.NOT_KNOWN]
    store.close()
