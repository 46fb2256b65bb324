"""A day of the real engine in the tables: what they hold is what the engine's state says."""

import contextlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import msgspec
import psycopg
import pytest

from actors.bus.history_answers import Entries, Fills, Orders
from actors.bus.requests import GetEntries, GetFills, GetOrders
from actors.domain.broker import apply
from actors.domain.charges import Commission, CommissionBasis, Swap, SwapBasis
from actors.domain.commands import (
    CancelOrder,
    ClosePosition,
    ClosePositionBy,
    ClosePositions,
    Command,
    DefineGroup,
    DefineInstrument,
    Deposit,
    GrantCredit,
    Mode,
    ModifyOrder,
    ModifyPosition,
    ObserveStream,
    ObserveTicks,
    OpenAccount,
    ReversePosition,
    SubmitOrder,
    Which,
)
from actors.domain.events.accounts import DaySealed
from actors.domain.events.event import Event
from actors.domain.group import Group
from actors.domain.order import OrderTerms, OrderType, Side, TimeInForce
from actors.domain.quote import Tick
from actors.domain.refusal import Refused
from actors.domain.state import State
from actors.store.database import database_url as sqlalchemy_url
from actors.store.history import History
from actors.store.order_rows import position_row
from tests.examples import EVERY_NIGHT
from tests.store import facts

STEPS = 1_500
SECOND_NS = 1_000_000_000
PIP_E8 = 10_000
SWAP = Swap(SwapBasis.INTEREST, -3_000_000, 1_000_000, nights=EVERY_NIGHT)
COMMISSION = Commission(CommissionBasis.MILLION, 20 * facts.E8, 0, "USD")


@pytest.fixture
def history(database_url: str) -> Iterator[History]:
    opened = History(sqlalchemy_url(Path(), database_url))
    yield opened
    opened.close()


class Day:
    """Two accounts, hedging and netting, of a group that pays commission, and clients who try everything at random."""

    def __init__(self, seed: int) -> None:
        self.state, self.events = State(), list[Event]()
        self._chance = random.Random(seed)
        self._now_ns = facts.START_NS
        self._bid_e8 = 110_000_000
        for told in (
            DefineInstrument(msgspec.structs.replace(facts.EURUSD, swap=SWAP)),
            DefineGroup(Group("payers", commission=COMMISSION)),
            OpenAccount(1, "USD", Mode.HEDGING, "payers"),
            OpenAccount(2, "USD", Mode.NETTING, "payers"),
            Deposit(1, 50_000, "one", "config"),
            Deposit(2, 50_000, "two", "config"),
            GrantCredit(1, 10_000, "bonus", "config"),
        ):
            self.events += apply(self.state, told, self._now_ns)
        for step in range(1, STEPS):
            self._step(step)

    def _step(self, step: int) -> None:
        chance = self._chance
        self._now_ns += 60 * SECOND_NS
        self._bid_e8 += chance.randint(-10, 10) * PIP_E8
        tick = Tick("EURUSD", step, self._now_ns, self._bid_e8, self._bid_e8 + PIP_E8, "a", "b", True)
        self.events += apply(self.state, ObserveStream(self._now_ns), self._now_ns)
        self.events += apply(self.state, ObserveTicks((tick,)), self._now_ns)
        with contextlib.suppress(Refused):
            self.events += apply(self.state, self._command(step), self._now_ns)

    def _command(self, step: int) -> Command:
        chance, name = self._chance, f"client-{step}"
        account = self.state.accounts[chance.choice((1, 2))]
        account_id, positions, orders = account.account_id, list(account.positions), list(account.orders.values())
        kind = chance.random()
        if kind < 0.1 and orders:
            order = chance.choice(orders)
            if chance.random() < 0.5:
                return CancelOrder(account_id, order.order_id)
            return ModifyOrder(account_id, order.order_id, self._terms(order.terms.type, order.terms.side))
        if kind < 0.3 and positions:
            position_id, other_id = chance.choice(positions), chance.choice(positions)
            return chance.choice(
                (
                    ClosePosition(account_id, name, position_id),
                    ClosePosition(account_id, name, position_id, 1_000 * facts.E8),
                    ClosePositionBy(account_id, name, position_id, other_id),
                    ReversePosition(account_id, name, position_id),
                    ModifyPosition(account_id, position_id, 0, 0, 30 * PIP_E8),
                )
            )
        if kind < 0.33:
            return ClosePositions(account_id, name, chance.choice(list(Which)))
        return SubmitOrder(account_id, name, self._terms(chance.choice(list(OrderType)), chance.choice(list(Side))))

    def _terms(self, kind: OrderType, side: Side) -> OrderTerms:
        chance = self._chance
        quantity_e8 = chance.randint(1_000, 9_999) * facts.E8
        if kind is OrderType.MARKET:
            return OrderTerms("EURUSD", side, kind, quantity_e8, reduce_only=chance.random() < 0.2)
        if kind is OrderType.TRAILING_STOP:
            return OrderTerms("EURUSD", side, kind, quantity_e8, trail_e8=20 * PIP_E8)
        is_above = (side is Side.BUY) is (kind in (OrderType.STOP, OrderType.STOP_LIMIT))
        price_e8 = self._bid_e8 + (30 if is_above else -30) * PIP_E8
        return OrderTerms(
            "EURUSD",
            side,
            kind,
            quantity_e8,
            TimeInForce.GTD,
            limit_e8=price_e8 if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else 0,
            stop_e8=0 if kind is OrderType.LIMIT else price_e8,
            trailing_stop_e8=chance.choice((0, 25 * PIP_E8)),
            expires_ns=self._now_ns + chance.randint(10, 300) * SECOND_NS,
            oco=chance.choice(("", "pair")),
        )


@pytest.mark.parametrize("seed", [1, 2])
def test_the_tables_hold_the_engines_state(history: History, database_url: str, seed: int) -> None:
    day = Day(seed)
    chance, stored = random.Random(seed), 0
    while stored < len(day.events):
        count = chance.randint(1, 200)
        history.store_events(stored + 1, day.events[stored : stored + count])
        stored += count
        positions = facts.positions(day.events[:stored])
        assert stored_positions(database_url) == [position_row(position, "USD") for position in positions]
    for account_id, account in day.state.accounts.items():
        orders = [order for order in facts.orders(day.events) if order.account_id == account_id]
        fills = [fill for fill in facts.fills(day.events) if fill.account_id == account_id]
        lines = history.answer(GetEntries(account.ledger_account, 1, 0, 0))
        assert history.answer(GetOrders(account_id, 1_000, 0, 0)) == Orders(orders[:1_000])
        assert history.answer(GetFills(account_id, 1_000, 0, 0)) == Fills(fills[:1_000])
        assert isinstance(lines, Entries)
        assert lines.lines[0].balance_minor == day.state.balance_minor(account)
        left = {p.position_id: p for p in positions if p.account_id == account_id and p.quantity_e8}
        assert left == account.positions
    assert {type(event).__name__ for event in day.events} >= {
        "OrderAccepted",
        "OrderModified",
        "OrderFilled",
        "OrderEnded",
        "OrderRejected",
        "PositionModified",
        "GroupDefined",
        "MarginStatusChanged",
        "SwapCharged",
        "DaySealed",
    }
    stored_statuses = column(database_url, "SELECT margin_status FROM accounts ORDER BY account_id")
    assert stored_statuses == [account.status.value for account in day.state.accounts.values()]
    seals = [event for event in day.events if isinstance(event, DaySealed)]
    sealed = sorted(entry.amount_minor for seal in seals for entry in seal.balances)
    assert column(database_url, "SELECT (balance * 100)::bigint FROM trial_balances ORDER BY balance") == sealed


def column(database_url: str, query: LiteralString) -> list[object]:
    with contextlib.closing(psycopg.connect(database_url)) as session:
        return [row[0] for row in session.execute(query)]


def stored_positions(database_url: str) -> list[dict[str, object]]:
    with contextlib.closing(psycopg.connect(database_url, row_factory=psycopg.rows.dict_row)) as session:
        return session.execute("SELECT * FROM positions ORDER BY position_id").fetchall()
