"""A trading account: its positions, its waiting orders, and what became of its requests."""

from itertools import islice

import msgspec

from actors.domain import ledger
from actors.domain.commands import Mode
from actors.domain.group import Group
from actors.domain.order import BUY, Fill, Order, OrderStatus, Outcome, Position
from actors.domain.quote import Tick
from actors.domain.remembered import Remembered
from actors.domain.risk.exposure import Exposure
from actors.domain.risk.limits import AS_THE_GROUP, Limits, in_force
from actors.domain.risk.margin import Converted
from actors.domain.risk.requirement import NOTHING, Requirement
from actors.domain.risk.stop_out import MarginStatus

FORGOTTEN_TOGETHER = 1_000
"""So many of the oldest requests are looked up at once."""
WAITING = (OrderStatus.WORKING, OrderStatus.TRIGGERED)


class AccountSummary(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The figures of an account at one moment, in minor units of its currency."""

    account_id: int
    currency: str
    balance_minor: int
    open_profit_minor: int
    margin_minor: int
    """Initial margin of what is open, and what is kept free for orders at venues."""
    time_ns: int
    credit_minor: int = 0
    """Given by the broker, and never paid out."""
    maintenance_minor: int = 0
    """What the margin level is measured by."""

    @property
    def equity_minor(self) -> int:
        return self.balance_minor + self.credit_minor + self.open_profit_minor

    @property
    def free_margin_minor(self) -> int:
        return self.equity_minor - self.margin_minor


class Account:
    """Open positions and waiting orders by id, oldest first, and the latest outcomes by client_order_id."""

    __slots__ = (
        "_oldest",
        "account_id",
        "converted",
        "credit_account",
        "currency",
        "exposures",
        "group",
        "group_nets",
        "ledger_account",
        "limits",
        "maintenance_minor",
        "margin_minor",
        "mode",
        "orders",
        "outcomes",
        "own_limits",
        "positions",
        "remembered",
        "requirements",
        "reserved_minor",
        "second",
        "second_orders",
        "status",
        "ticks",
    )

    def __init__(
        self,
        account_id: int,
        currency: str,
        mode: Mode,
        group: Group,
        ticks: dict[str, Tick],
        group_nets: dict[str, int] | None = None,
        remembered: Remembered | None = None,
    ) -> None:
        """`ticks`: prices as the group sees them, kept up to date by whoever owns them.

        `group_nets`: net quantities of all accounts of the group, by symbol, which this one keeps its part of.

        `remembered`: of all accounts, how many requests are known.
        """
        self.agree(group, AS_THE_GROUP)
        self.ticks = ticks
        self.group_nets = {} if group_nets is None else group_nets
        self.remembered = Remembered() if remembered is None else remembered
        self.remembered.join(self)
        self.second = self.second_orders = 0
        """Orders that came within the second after `second` (of the epoch)."""
        self.credit_account = ledger.credit(account_id)
        self.account_id = account_id
        self.currency = currency
        self.mode = mode
        self.ledger_account = ledger.client(account_id)
        self.positions: dict[int, Position] = {}
        self.orders: dict[int, Order] = {}
        self.exposures: dict[str, Exposure] = {}
        self.converted: Converted = {}
        """Of open profit, so that an order converts only what it changes."""
        self.outcomes: dict[str, Outcome] = {}
        self._oldest: list[str] = []
        """The names that `outcomes` begins with, the first of them last, as far as they were looked up together."""
        self.requirements: dict[str, Requirement] = {}
        self.margin_minor = self.maintenance_minor = 0
        """Sums of the requirements: initial and maintenance."""
        self.reserved_minor = 0
        """Margin that is kept free for orders at venues."""
        self.status = MarginStatus.NORMAL

    def forget(self, latest: str = "") -> bool:
        """Its oldest request of which nothing waits any more; False where there is none: as many as may wait are kept.

        `latest`: one that is kept too, for it is about to be answered.
        """
        kept = {order.client_order_id: None for order in self.orders.values()}
        kept[latest] = None
        for _ in range(min(len(kept) + 1, len(self.outcomes))):
            if not self._oldest:
                # Together, for the first entry of a dict is found behind the places of all that were taken out.
                self._oldest = list(islice(self.outcomes, FORGOTTEN_TOGETHER))[::-1]
            name = self._oldest.pop()
            outcome = self.outcomes.pop(name)
            if name not in kept:
                return True
            self.outcomes[name] = outcome
        return False

    def agree(self, group: Group, own_limits: Limits) -> None:
        """The terms of its group, and limits of its own, from now on."""
        self.group, self.own_limits = group, own_limits
        self.limits = in_force(group.limits, own_limits)

    def nets(self) -> dict[str, int]:
        """Longs less shorts by symbol, with what orders at venues would add to them."""
        found = {symbol: exposure.net_e8 for symbol, exposure in self.exposures.items()}
        for order in self.orders.values():
            if order.at_venue_e8:
                found[order.symbol] = found.get(order.symbol, 0) + _opening_e8(order)
        return found

    def take(self, order: Order, fill: Fill | None = None, code: str = "", detail: str = "") -> None:
        """The order as it is now, and its latest fill; one that waits no longer leaves."""
        if self.orders:
            before = self.orders.get(order.order_id)
            if before is not None:
                self._reserve(before, -1)
        if order.status in WAITING:
            self.wait(order)
        elif self.orders:
            self.orders.pop(order.order_id, None)
        name = order.client_order_id
        if not name:
            return
        second = order.created_ns // 1_000_000_000
        if second != self.second:
            self.second, self.second_orders = second, 0
        known = self.outcomes.get(name)
        fills: tuple[Fill, ...] = () if fill is None else (fill,)
        if known is None:
            self.second_orders += 1
            self.outcomes[name] = Outcome(order.asked, order, fills, code, detail)
            self.remembered.note(self, name)
        else:
            self.outcomes[name] = Outcome(known.asked, order, known.fills + fills, code, detail)

    def wait(self, order: Order) -> None:
        """One that waits, or is at venues."""
        self.orders[order.order_id] = order
        self._reserve(order, 1)

    def _reserve(self, order: Order, sign: int) -> None:
        """What an order at venues keeps free of margin and would add to the net position; sign -1: no longer."""
        self.reserved_minor += sign * order.reserved_minor
        if order.at_venue_e8:
            nets, symbol = self.group_nets, order.symbol
            nets[symbol] = nets.get(symbol, 0) + sign * _opening_e8(order)

    def place(self, position: Position, quote: str, before: Position | None = None) -> None:
        """The position as it is now, in an instrument quoted in `quote`; with quantity 0 it leaves.

        `before`: the same as it was; None for a new one.
        """
        symbol = position.symbol
        exposure = self.exposures.get(symbol)
        if exposure is None:
            exposure = self.exposures[symbol] = Exposure(quote)
        net_e8 = exposure.long_e8 - exposure.short_e8
        if before is not None:
            exposure.change(before.side, -before.quantity_e8, -before.cost_e16)
        if position.quantity_e8:
            self.positions[position.position_id] = position
            exposure.change(position.side, position.quantity_e8, position.cost_e16)
        else:
            del self.positions[position.position_id]
            if exposure.is_flat:
                del self.exposures[symbol]
        change_e8 = exposure.long_e8 - exposure.short_e8 - net_e8
        if change_e8:
            nets = self.group_nets
            nets[symbol] = nets.get(symbol, 0) + change_e8

    def require(self, symbol: str, requirement: Requirement) -> None:
        """The margin for all that is open in a symbol."""
        before = self.requirements.get(symbol, NOTHING)
        self.margin_minor += requirement.initial_minor - before.initial_minor
        self.maintenance_minor += requirement.maintenance_minor - before.maintenance_minor
        if requirement.initial_minor:
            self.requirements[symbol] = requirement
        else:
            self.requirements.pop(symbol, None)


def _opening_e8(order: Order) -> int:
    """How much of an order at venues would open something, signed: a sale is negative."""
    if order.terms.reduce_only:
        return 0
    return order.at_venue_e8 if order.side is BUY else -order.at_venue_e8
