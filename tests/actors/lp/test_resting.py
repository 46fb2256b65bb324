"""Orders that rest at the simulated FIX LP: changed and cancelled there, with faults, and killed at every commit."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.dispatch import dispatcher
from actors.domain.commands import CancelOrder, DefineRules, Deposit, ModifyOrder, SubmitOrder
from actors.domain.events.orders import ChangeAsked, ChangeRefused, OrderEnded, OrderFilled, OrderModified
from actors.domain.money import parse_e8 as e8
from actors.domain.order import Order, OrderTerms, OrderType, Side, TimeInForce
from actors.domain.routing.rulebook import Book, Rule
from gateway.fix import codec
from tests.actors.fix_world import FixWorld, FragileStore
from tests.examples import ACCOUNT, SECOND_NS
from tools.venues.fix import book
from tools.venues.fix.faults import Faults

RULES = (
    Rule(rule_id=1, name="rest", book=Book.RESTING, venues=("SIMLP",)),
    Rule(rule_id=2, name="default", book=Book.B_BOOK),
)
TERMS = OrderTerms("EURUSD", Side.BUY, OrderType.LIMIT, e8("10000"), limit_e8=e8("1.09900"))
PATIENCE_NS = 60 * SECOND_NS


class RestingWorld(FixWorld):
    lp_name = "SIMLP"

    def __init__(self, path: Path) -> None:
        super().__init__(path / "fix.sqlite", Faults())
        self.tell(Deposit(ACCOUNT, 10**9, "more", "test"))
        self.tell(DefineRules((RULES[0],), ("SIMLP",)))
        self.show("1.10000", "1.10020")
        for _ in range(5):
            self.step()

    def show(self, bid: str, ask: str) -> None:
        self.desk.show("EUR/USD", bid, ask, self.now_ns)

    def until(self, holds: Callable[[], bool]) -> None:
        end_ns = self.now_ns + PATIENCE_NS
        while not holds():
            assert self.now_ns < end_ns, (self.state.books.open, self.state.books.changes, self.lp_book.orders())
            self.step()

    def until_over(self) -> None:
        self.until(lambda: not self.orders_of)

    def place(self, name: str = "one", **more: Any) -> None:
        self.tell(SubmitOrder(ACCOUNT, name, msgspec.structs.replace(TERMS, **more)))
        self.until(lambda: self.is_resting)

    def change(self, **terms: Any) -> None:
        number, order = next(iter(self.orders_of.items()))
        self.tell(ModifyOrder(ACCOUNT, number, msgspec.structs.replace(order.terms, **terms)))

    def cancel(self) -> None:
        self.tell(CancelOrder(ACCOUNT, next(iter(self.orders_of))))

    @property
    def orders_of(self) -> dict[int, Order]:
        return self.state.accounts[ACCOUNT].orders

    @property
    def is_resting(self) -> bool:
        return all(sent.child.is_working for sent in self.state.books.open.values())

    @property
    def is_answered(self) -> bool:
        return self.is_resting and not self.state.books.changes

    def at_lp(self) -> list[tuple[str, int, int, int, str]]:
        """Of each order: time in force, quantity, price, filled and status."""
        return [
            (it.time_in_force, it.quantity_e8, it.price_e8, it.filled_e8, it.status) for it in self.lp_book.orders()
        ]

    def happened(self, *kinds: type) -> list[type]:
        return [type(event) for event in self.events if isinstance(event, kinds)]

    def check(self) -> None:
        """When all is told: the LP and the engine have the same, and nobody is needed."""
        self.until(lambda: self._store.is_quiet)
        assert sorted(it[1:] for it in self.our_fills()) == sorted(it[1:] for it in self.lp_fills())
        assert self.breaks() == []
        mine = [(it.quantity_e8, it.terms.limit_e8, it.filled_e8) for it in self.orders_of.values()]
        assert mine == [(it.quantity_e8, it.price_e8, it.filled_e8) for it in open_at(self)]
        self.close()


def open_at(world: FixWorld) -> list[book.Order]:
    return [it for it in world.lp_book.orders() if it.is_open]


@pytest.fixture(autouse=True)
def nobody_dies() -> Iterator[None]:
    FragileStore.commits = FragileStore.at = 0
    FragileStore.after = False
    yield
    FragileStore.at = 0


def test_it_rests_is_changed_twice_and_filled_in_parts(tmp_path: Path) -> None:
    world = RestingWorld(tmp_path)
    world.place()
    assert world.at_lp() == [("1", e8("10000"), e8("1.099"), 0, "0")]
    for price, quantity in (("1.09800", "20000"), ("1.09700", "15000")):
        world.change(limit_e8=e8(price), quantity_e8=e8(quantity))
        world.until(lambda: world.is_answered)
        assert world.at_lp() == [("1", e8(quantity), e8(price), 0, "0")]
    assert world.happened(ChangeAsked, OrderModified) == [ChangeAsked, OrderModified] * 2
    world.lp_faults.set("partial_permille=1000")
    world.show("1.09690", "1.09700")
    world.until_over()
    assert world.happened(OrderFilled) == [OrderFilled] * 2
    world.check()


def test_it_is_cancelled_there(tmp_path: Path) -> None:
    world = RestingWorld(tmp_path)
    world.place()
    world.cancel()
    world.until_over()
    assert world.at_lp()[0][-1] == "4"
    assert world.happened(OrderEnded) == [OrderEnded]
    world.check()


def test_one_that_is_cancelled_before_it_was_sent_is_not_sent(tmp_path: Path) -> None:
    world = RestingWorld(tmp_path)
    world.cut()
    world.tell(SubmitOrder(ACCOUNT, "one", TERMS))
    world.cancel()
    world.until_over()
    assert [event.code for event in world.events if isinstance(event, OrderEnded)] == ["CANCELLED"]
    assert world.at_lp() == []
    world.check()


def test_it_is_cancelled_there_when_its_time_is_over(tmp_path: Path) -> None:
    world = RestingWorld(tmp_path)
    world.place(time_in_force=TimeInForce.GTD, expires_ns=world.now_ns + 5 * SECOND_NS)
    world.until_over()
    assert world.at_lp()[0][-1] == "4"
    assert next(event.code for event in world.events if isinstance(event, OrderEnded)) == "EXPIRED"
    world.check()


@pytest.mark.parametrize(
    ("fault", "answer"),
    [("refused_changes", ChangeRefused), ("silent_changes", OrderModified), ("lost_changes", ChangeRefused)],
)
def test_a_change_that_goes_wrong_is_known_in_the_end(tmp_path: Path, fault: str, answer: type) -> None:
    world = RestingWorld(tmp_path)
    world.place()
    world.lp_faults.set(f"{fault}=1")
    world.change(limit_e8=e8("1.09800"))
    world.until(lambda: world.is_answered)
    assert world.happened(OrderModified, ChangeRefused) == [answer]
    for _ in range(50):
        world.step()
    world.check()


def test_what_was_said_before_a_change_is_told_again_and_contradicts_nothing(tmp_path: Path) -> None:
    world = RestingWorld(tmp_path)
    world.place(quantity_e8=e8("20000"))
    world.change(quantity_e8=e8("10000"))
    world.until(lambda: world.is_answered)
    world.lp_faults.set("silent_changes=1")
    world.change(quantity_e8=e8("5000"))
    world.until(lambda: world.is_answered)
    assert world.happened(OrderModified) == [OrderModified] * 2
    world.check()


@pytest.mark.parametrize("fault", ["refused_changes", "silent_changes", "lost_changes"])
def test_a_cancel_that_goes_wrong_is_known_in_the_end(tmp_path: Path, fault: str) -> None:
    world = RestingWorld(tmp_path)
    world.place()
    world.lp_faults.set(f"{fault}=1")
    world.cancel()
    world.until(lambda: world.is_answered)
    if fault != "silent_changes":
        assert world.happened(ChangeRefused) == [ChangeRefused]
        world.cancel()
        world.until_over()
    assert not world.orders_of
    world.check()


def test_a_fill_that_crosses_what_is_asked_wins(tmp_path: Path) -> None:
    for name in ("change", "cancel"):
        path = tmp_path / name
        path.mkdir()
        world = RestingWorld(path)
        world.place()
        if name == "change":
            world.change(limit_e8=e8("1.09000"))
        else:
            world.cancel()
        world.show("1.09880", "1.09900")
        world.until_over()
        assert world.happened(OrderFilled, OrderEnded) == [OrderFilled]
        for _ in range(20):
            world.step()
        world.check()


def test_the_lp_is_asked_after_what_rests_there_when_the_line_is_back(tmp_path: Path) -> None:
    world = RestingWorld(tmp_path)
    world.place()
    world.change(limit_e8=e8("1.09800"))
    world.until(lambda: world.is_answered)
    world.cut()
    order = world.lp_book.orders()[0]
    world.lp_book.change(order.order_id, status="4")
    world.until_over()
    world.check()


def test_of_many_that_rest_a_few_are_asked_after_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "INQUIRED_LIMIT", 2)
    world = RestingWorld(tmp_path)
    for number in range(7):
        world.place(f"n{number}", quantity_e8=e8("1000"))
    world.until(lambda: world._store.is_quiet)
    world.cut()
    for order in world.lp_book.orders():
        world.lp_book.change(order.order_id, status="4")
    most = 0
    while world.orders_of:
        world.step()
        most = max(most, len(world._store.alive()))
    assert 0 < most <= 2
    world.check()


@pytest.mark.parametrize("names", [None, {}], ids=["disabled", "nameless"])
def test_what_rests_at_an_lp_that_gets_nothing_new_is_changed_and_cancelled_under_its_name(
    tmp_path: Path, names: dict[str, str] | None
) -> None:
    world = RestingWorld(tmp_path)
    world.place()
    world.register(names)
    world.change(limit_e8=e8("1.09800"))
    world.until(lambda: world.is_answered)
    assert world.at_lp() == [("1", e8("10000"), e8("1.098"), 0, "0")]
    world.cancel()
    world.until_over()
    assert world._fix is not None
    sent = [(it.msg_type, dict(codec.split(it.body) or ()).get(55)) for it in world._fix.sent("s", 1, 10**6, 10**6)]
    assert [it for it in sent if it[0] in (b"D", b"G", b"F")] == [(kind, b"EUR/USD") for kind in (b"D", b"G", b"F")]
    world.check()


def test_nothing_is_asked_while_we_log_out(tmp_path: Path) -> None:
    world = RestingWorld(tmp_path)
    world.place()
    world._turn(lambda now_ns: world.session.logout("the day is over", now_ns))
    assert not world.session.is_logged_on
    world.cancel()
    world.until_over()
    assert world.at_lp()[0][-1] == "4"
    world.check()


def test_an_order_that_never_arrived_is_not_taken_for_one_that_works_when_its_change_did_not_either(
    tmp_path: Path,
) -> None:
    world = RestingWorld(tmp_path)
    world.lp_faults.set("lost_orders=1")
    world.tell(SubmitOrder(ACCOUNT, "one", TERMS))
    world.change(limit_e8=e8("1.09800"))
    world.until_over()
    assert [event.code for event in world.events if isinstance(event, OrderEnded)] == ["VENUE_REJECTED"]
    assert world.at_lp() == []
    world.check()


def test_a_store_that_is_lost_begins_with_what_rests_and_what_is_asked_of_it(tmp_path: Path) -> None:
    world = RestingWorld(tmp_path)
    world.place()
    world.change(limit_e8=e8("1.09800"))
    world.until(lambda: world.is_answered)
    world.until(lambda: world._store.is_quiet)
    known = world._store.by_child_id("1-1")
    assert known is not None
    assert known.client_id == world.lp_book.orders()[0].cl_ord_id
    world.close()


def lived(path: Path) -> RestingWorld:
    """An order's whole life."""
    world = RestingWorld(path)
    world.tell(SubmitOrder(ACCOUNT, "one", TERMS))
    world.until(lambda: world.is_answered)
    if not world.orders_of:
        return world
    world.change(limit_e8=e8("1.09800"), quantity_e8=e8("20000"))
    world.until(lambda: world.is_answered)
    world.lp_faults.set("partial_permille=1000")
    world.show("1.09790", "1.09800")
    world.show("1.10000", "1.10020")
    world.until(lambda: any(isinstance(event, OrderFilled) for event in world.events))
    world.lp_faults.set("partial_permille=0")
    while world.orders_of:
        world.cancel()
        world.until(lambda: world.is_answered)
    for _ in range(20):
        world.step()
    return world


def test_killed_at_every_commit(tmp_path: Path) -> None:
    first = tmp_path / "never"
    first.mkdir()
    world = lived(first)
    commits = FragileStore.commits
    world.check()
    ends = set()
    for at in range(1, commits + 1):
        for after in (False, True):
            FragileStore.commits, FragileStore.at, FragileStore.after = 0, at, after
            path = tmp_path / f"{at}-{after}"
            path.mkdir()
            world = lived(path)
            FragileStore.at = 0
            assert world.kills == 1
            ends.add(tuple(it[1] for it in world.at_lp()))
            world.check()
    # What was marked and never sent is neither: an order is given back, a change refused.
    assert ends == {(), (e8("10000"),), (e8("20000"),)}
