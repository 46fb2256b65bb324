"""Orders over FIX: with every fault of the simulated LP, cut anywhere, and killed at every commit."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.domain.events.venues import ChildChanged, ChildSent
from actors.domain.order import Side
from actors.domain.routing.child import BreakReason, ChildState
from tests.actors.fix_world import FixWorld, FragileStore
from tests.examples import order
from tools.venues.fix.faults import Faults
from tools.venues.fix.wire import utc_timestamp

FAULTS = ("", "duplicate_executions", "gaps", "low_sequence_numbers", "silent_orders", "cut_orders", "lost_orders")


@pytest.fixture(autouse=True)
def nobody_dies() -> Iterator[None]:
    FragileStore.commits = FragileStore.at = 0
    FragileStore.after = False
    yield
    FragileStore.at = 0


def opened(path: Path, faults: Faults | None = None) -> FixWorld:
    world = FixWorld(path / "fix.sqlite", faults or Faults())
    world.desk.show("EUR/USD", "1.10000", "1.10020", world.now_ns)
    for _ in range(5):
        world.step()
    return world


def traded(path: Path, faults: tuple[str, ...]) -> FixWorld:
    """An order for each fault, a second apart, until all is known."""
    world = opened(path)
    for number, fault in enumerate(faults):
        if fault:
            world.lp_faults.set(f"{fault}=1")
        world.tell(order("EURUSD", Side.BUY if number % 3 else Side.SELL, "10000", f"order-{number}"))
        for _ in range(10):
            world.step()
    world.run()
    return world


def ends(world: FixWorld) -> list[ChildState]:
    last = {event.child.child_id: event.child.state for event in world.events if isinstance(event, ChildChanged)}
    return [last[event.sent.child.child_id] for event in world.events if isinstance(event, ChildSent)]


def client_ids(world: FixWorld) -> list[str]:
    sent = [event.sent.child for event in world.events if isinstance(event, ChildSent)]
    return [f"{child.child_id}-{child.sent_ns}" for child in sent]


def test_what_an_lp_wants_beside_is_said_in_orders_cancels_and_questions(tmp_path: Path) -> None:
    world = traded(tmp_path, ("silent_orders", "resting_orders"))
    told = {msg_type: world.beside[msg_type] for msg_type in ("D", "F", "H", "AD")}
    assert told == {"D": ("4", "20260121"), "F": ("4", "20260121"), "H": ("4", ""), "AD": ("", "")}


def deal_behind_our_back(world: FixWorld, name: str) -> None:
    """An execution in our account of which the session says nothing."""
    theirs = world.lp_book.new_order(
        peer="OTHER", cl_ord_id=name, symbol="EUR/USD", side="1", ord_type="1", time_in_force="3",
        quantity_e8=7 * 10**8, price_e8=0, status="0",
    )  # fmt: skip
    world.lp_book.fill(theirs, theirs.quantity_e8, 110_000_000, utc_timestamp(world.now_ns))


def check(world: FixWorld) -> None:
    """The LP's book and the engine's journal say the same, and no order was sent again after its connection."""
    assert world.our_fills() == world.lp_fills()
    assert world.breaks() == []
    assert not world.state.accounts[1].orders
    assert world.stale == []
    world.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_the_lp(tmp_path: Path, fault: str) -> None:
    world = traded(tmp_path, (fault,))
    assert ends(world) == [ChildState.REJECTED if fault == "lost_orders" else ChildState.FILLED]
    assert len(world.lp_fills()) == (fault != "lost_orders")
    check(world)


def test_a_lost_order_is_unknown_until_the_lp_says_that_it_knows_none(tmp_path: Path) -> None:
    world = traded(tmp_path, ("lost_orders",))
    states = [event.child.state for event in world.events if isinstance(event, ChildChanged)]
    assert states == [ChildState.UNKNOWN, ChildState.REJECTED]
    check(world)


def test_last_look_refuses_and_fills_in_parts(tmp_path: Path) -> None:
    world = opened(tmp_path, Faults(partial_permille=1000, hold_ms=300))
    world.tell(order("EURUSD", Side.BUY, "10000", "parts"))
    world.run()
    assert [quantity_e8 for _, _, quantity_e8, _ in world.our_fills()] == [5_000 * 10**8] * 2
    world.lp_faults.set("reject_permille=1000")
    world.tell(order("EURUSD", Side.BUY, "10000", "refused"))
    world.run()
    assert ends(world) == [ChildState.FILLED, ChildState.REJECTED]
    check(world)


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_every_commit(tmp_path: Path, after: bool) -> None:
    """Before a commit, which then never was, or after it, when nothing of it has left."""
    FragileStore.after = after
    faults = ("", "silent_orders", "cut_orders")
    check(traded(tmp_path / "whole", faults))
    commits = FragileStore.commits
    assert commits > 10
    for at in range(1, commits + 1):
        FragileStore.commits, FragileStore.at = 0, at
        world = traded(tmp_path / str(at), faults)
        assert world.kills == 1
        check(world)


@pytest.mark.parametrize("seed", range(12))
def test_cut_and_killed_at_random(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    world = opened(tmp_path, Faults(partial_permille=300, reject_permille=100, hold_ms=150))
    for number in range(20):
        if chance.random() < 0.5:
            world.lp_faults.set(f"{chance.choice(FAULTS[1:])}=1")
        FragileStore.commits, FragileStore.at = 0, chance.choice((0, 0, 1, 2, 3, 5))
        FragileStore.after = chance.random() < 0.5
        world.tell(order("EURUSD", chance.choice((Side.BUY, Side.SELL)), "1000", f"order-{number}"))
        for _ in range(chance.randrange(12)):
            world.step()
            if chance.random() < 0.1:
                world.cut()
    FragileStore.at = 0
    world.run()
    assert world.kills
    check(world)


def test_what_somebody_else_deals_on_the_account_is_a_break_that_is_told_once(tmp_path: Path) -> None:
    world = traded(tmp_path, ("",))
    deal_behind_our_back(world, "x")
    for _ in range(600):
        world.step()
    (found,) = world.breaks()
    assert found.found.reason is BreakReason.HOLDING
    assert world.our_fills() == world.lp_fills()[:1]
    world.close()


def test_an_order_that_rests_though_it_is_immediate_is_cancelled(tmp_path: Path) -> None:
    world = traded(tmp_path, ("resting_orders",))
    assert ends(world) == [ChildState.CANCELLED]
    (theirs,) = world.lp_book.orders()
    assert (theirs.status, theirs.orig_cl_ord_id, theirs.filled_e8) == ("4", client_ids(world)[0], 0)
    check(world)


@pytest.mark.parametrize("fault", ["busts", "corrections"])
def test_an_execution_that_the_lp_takes_back_or_corrects_is_a_break_that_is_told_once(
    tmp_path: Path, fault: str
) -> None:
    world = traded(tmp_path, (fault,))
    for _ in range(3):
        world.cut()
        for _ in range(20):
            world.step()
    (found,) = [event.found for event in world.breaks() if event.found.reason is not BreakReason.HOLDING]
    assert found.reason is BreakReason.BUSTED
    assert found.report is not None
    assert "of execution E1" in found.report.text
    assert ends(world) == [ChildState.FILLED]
    world.close()


def test_an_execution_that_we_do_not_know_is_found_after_a_reconnect_and_told_once(tmp_path: Path) -> None:
    world = traded(tmp_path, ("",))
    deal_behind_our_back(world, "x")
    deal_behind_our_back(world, "")
    for _ in range(3):
        world.cut()
        for _ in range(20):
            world.step()
    strays = [event.found for event in world.breaks() if event.found.reason is BreakReason.UNKNOWN_ORDER]
    assert [found.child_id for found in strays] == ["x", "E3"]
    assert len(world.our_fills()) == 1
    world.close()


def test_an_execution_that_was_lost_of_an_order_of_ours_is_taken(tmp_path: Path) -> None:
    """The LP forgets to say it, and its back office has it."""
    world = opened(tmp_path)
    world.lp_faults.set("resting_orders=1")
    world.tell(order("EURUSD", Side.BUY, "10000", "forgotten"))
    for _ in range(5):
        world.step()
    (theirs,) = world.lp_book.orders()
    world.lp_book.fill(theirs, theirs.quantity_e8, 110_020_000, utc_timestamp(world.now_ns))
    world.cut()
    for _ in range(5):
        world.step()
    assert ends(world) == [ChildState.FILLED]
    world.run()
    check(world)


def test_names_follow_the_registry(tmp_path: Path) -> None:
    world = opened(tmp_path)
    world.register({})
    world.tell(order("EURUSD", Side.BUY, "10000", "nameless"))
    world.run()
    assert ends(world) == [ChildState.REJECTED]
    assert world.lp_book.orders() == []
    world.register({"EURUSD": "EUR/USD"})
    world.tell(order("EURUSD", Side.BUY, "10000", "named"))
    world.run()
    assert ends(world) == [ChildState.REJECTED, ChildState.FILLED]
    check(world)


def test_a_disabled_lp_is_sent_nothing(tmp_path: Path) -> None:
    world = opened(tmp_path)
    world.tell(order("EURUSD", Side.BUY, "10000", "before"))
    world.run()
    world.register(None)
    world.tell(order("EURUSD", Side.BUY, "10000", "disabled"))
    world.run()
    assert ends(world) == [ChildState.FILLED, ChildState.REJECTED]
    world.register({"EURUSD": "EUR/USD"})
    world.tell(order("EURUSD", Side.BUY, "10000", "enabled"))
    world.run()
    assert ends(world) == [ChildState.FILLED, ChildState.REJECTED, ChildState.FILLED]
    check(world)
