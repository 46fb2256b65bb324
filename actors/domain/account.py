"""A trading account: its positions, its waiting orders, and what became of its requests."""

from collections import OrderedDict

import msgspec

from actors.domain import ledger
from actors.domain.commands import Mode
from actors.domain.margin import Exposure
from actors.domain.order import Fill, Order, OrderStatus, Outcome, Position

REMEMBERED_ORDERS = 10_000
"""How many of an account's last requests are known by their client_order_id; older ones are history's alone."""
WAITING = (OrderStatus.WORKING, OrderStatus.TRIGGERED)


class AccountSummary(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The figures of an account at one moment, in minor units of its currency."""

    account_id: int
    currency: str
    balance_minor: int
    open_profit_minor: int
    margin_minor: int
    time_ns: int

    @property
    def equity_minor(self) -> int:
        return self.balance_minor + self.open_profit_minor

    @property
    def free_margin_minor(self) -> int:
        return self.equity_minor - self.margin_minor


class Account:
    """Open positions and waiting orders by id, oldest first, and the latest outcomes by client_order_id."""

    __slots__ = (
        "account_id",
        "currency",
        "exposures",
        "ledger_account",
        "margin_minor",
        "mode",
        "orders",
        "outcomes",
        "positions",
    )

    def __init__(self, account_id: int, currency: str, mode: Mode) -> None:
        self.account_id = account_id
        self.currency = currency
        self.mode = mode
        self.ledger_account = ledger.client(account_id)
        self.positions: dict[int, Position] = {}
        self.orders: dict[int, Order] = {}
        self.exposures: dict[str, Exposure] = {}
        self.outcomes: OrderedDict[str, Outcome] = OrderedDict()
        self.margin_minor = 0

    def take(self, order: Order, fill: Fill | None = None, code: str = "", detail: str = "") -> None:
        """The order as it is now, and its latest fill; one that waits no longer leaves."""
        if order.status in WAITING:
            self.orders[order.order_id] = order
        else:
            self.orders.pop(order.order_id, None)
        name = order.client_order_id
        if not name:
            return
        known = self.outcomes.get(name)
        asked = known.asked if known is not None else order.asked
        fills = known.fills if known is not None else ()
        self.outcomes[name] = Outcome(asked, order, (*fills, fill) if fill is not None else fills, code, detail)
        if len(self.outcomes) > REMEMBERED_ORDERS:
            self.outcomes.popitem(last=False)

    def place(self, position: Position) -> None:
        """The position as it is now; with quantity 0 it leaves."""
        before = self.positions.get(position.position_id)
        exposure = self.exposures.get(position.symbol)
        if exposure is None:
            exposure = self.exposures[position.symbol] = Exposure()
        if before is not None:
            exposure.change(before.side, -before.quantity_e8, -before.cost_e16)
            self.margin_minor -= before.margin_minor
        if position.quantity_e8:
            self.positions[position.position_id] = position
            exposure.change(position.side, position.quantity_e8, position.cost_e16)
            self.margin_minor += position.margin_minor
        else:
            del self.positions[position.position_id]
            if exposure.is_flat:
                del self.exposures[position.symbol]
