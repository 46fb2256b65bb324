"""What the engine must agree with, kept the slow way: the orders' statuses, and each trailing stop with its peak."""

from typing import NamedTuple

from actors.domain.dealing.lifecycle import TABLE
from actors.domain.events.event import Event
from actors.domain.events.orders import (
    OrderAccepted,
    OrderEnded,
    OrderFilled,
    OrderModified,
    PositionModified,
)
from actors.domain.events.terms import GroupDefined
from actors.domain.group import STANDARD, Group
from actors.domain.order import BUY, SELL, Order, OrderReason, OrderStatus, OrderType, Position, Side
from actors.domain.quote import Tick
from actors.domain.state import State

WAITING = (OrderStatus.WORKING, OrderStatus.TRIGGERED)


class Following(NamedTuple):
    symbol: str
    side: Side
    """The side that a stop that is reached deals on: a sell follows the bid, a buy the ask."""
    distance_e8: int
    best_e8: int
    """As the account's group sees it."""
    group: str


def gone_back_e8(one: Following, tick: Tick) -> int:
    """How far the price is from the best that the stop has seen."""
    return one.best_e8 - tick.bid_e8 if one.side is SELL else tick.ask_e8 - one.best_e8


class Trails:
    """Every trailing stop, by ("order" or "position", number)."""

    def __init__(self) -> None:
        self.followed: dict[tuple[str, int], Following] = {}
        self.groups = {STANDARD: Group(STANDARD)}

    def see(self, market: Tick) -> set[tuple[str, int]]:
        """Follows; gives what the market's tick reaches."""
        reached = set()
        for key, known in self.followed.items():
            if known.symbol == market.symbol:
                tick = self.groups[known.group].tick(market)
                best = max(known.best_e8, tick.bid_e8) if known.side is SELL else min(known.best_e8, tick.ask_e8)
                one = self.followed[key] = known._replace(best_e8=best)
                if gone_back_e8(one, tick) >= one.distance_e8:
                    reached.add(key)
        return reached

    def hold(self, reached: set[tuple[str, int]], market: Tick) -> None:
        """Those that the tick reaches, and that are not dealt with: reached again where the price is no better."""
        for key in reached:
            one = self.followed[key]
            tick = self.groups[one.group].tick(market)
            best_e8 = tick.bid_e8 + one.distance_e8 if one.side is SELL else tick.ask_e8 - one.distance_e8
            self.followed[key] = one._replace(best_e8=best_e8)

    def take(self, event: Event, state: State) -> None:
        if isinstance(event, GroupDefined):
            self._reprice(event.group, state)
        if isinstance(event, OrderFilled | PositionModified):
            position = event.position
            group = state.accounts[position.account_id].group.name
            distance_e8 = position.trailing_stop_e8 if position.quantity_e8 else 0
            key = ("position", position.position_id)
            self._set(key, position.symbol, position.side.opposite, distance_e8, group, state)
        if isinstance(event, OrderAccepted | OrderModified | OrderFilled | OrderEnded):
            order = event.order
            distance_e8 = order.terms.trail_e8 if order.status in WAITING else 0
            group = state.accounts[order.account_id].group.name
            self._set(("order", order.order_id), order.symbol, order.side, distance_e8, group, state)

    def _reprice(self, group: Group, state: State) -> None:
        before = self.groups.get(group.name)
        self.groups[group.name] = group
        for key, one in self.followed.items():
            if before is not None and one.group == group.name:
                self._move(key, before, group, state)

    def _move(self, key: tuple[str, int], before: Group, after: Group, state: State) -> None:
        """A trail stays as far from its client's price as it was."""
        one = self.followed[key]
        was, now = before.tick(state.ticks[one.symbol]), after.tick(state.ticks[one.symbol])
        moved_e8 = now.bid_e8 - was.bid_e8 if one.side is SELL else now.ask_e8 - was.ask_e8
        self.followed[key] = one._replace(best_e8=one.best_e8 + moved_e8, group=after.name)

    def _set(self, key: tuple[str, int], symbol: str, side: Side, distance_e8: int, group: str, state: State) -> None:
        known = self.followed.get(key)
        if not distance_e8:
            self.followed.pop(key, None)
        elif known is None or known.distance_e8 != distance_e8:
            tick = self.groups[group].tick(state.ticks[symbol])
            best_e8 = tick.bid_e8 if side is SELL else tick.ask_e8
            self.followed[key] = Following(symbol, side, distance_e8, best_e8, group)


class Lives:
    """The status of every order, by its number."""

    def __init__(self) -> None:
        self.statuses: dict[int, OrderStatus] = {}

    def take(self, order: Order) -> None:
        known = self.statuses.get(order.order_id, OrderStatus.WORKING)
        allowed = {after for (before, _), after in TABLE.items() if before is known}
        if order.order_id not in self.statuses:
            allowed.add(OrderStatus.REJECTED)
        if known in WAITING:
            allowed.add(known)
        assert order.status in allowed, (known, order.status)
        self.statuses[order.order_id] = order.status


def trailed(events: list[Event]) -> set[tuple[str, int]]:
    """What went because its trailing stop was reached."""
    gone = set()
    for event in events:
        if not isinstance(event, OrderFilled | OrderEnded):
            continue
        if event.order.reason is OrderReason.TRAILING_STOP and isinstance(event, OrderFilled):
            gone.add(("position", event.position.position_id))
        is_expiry = event.order.status is OrderStatus.EXPIRED
        is_oco = isinstance(event, OrderEnded) and event.code == "OCO"
        if event.order.terms.type is OrderType.TRAILING_STOP and not (is_expiry or is_oco):
            gone.add(("order", event.order.order_id))
    return gone


def is_reached(order: Order, tick: Tick) -> bool:
    """Whether an order that waits for a price should not wait any more."""
    terms = order.terms
    buys = terms.side is BUY
    price_e8 = tick.ask_e8 if buys else tick.bid_e8
    if terms.type is OrderType.TRAILING_STOP:
        return False
    if terms.type is OrderType.LIMIT or order.status is OrderStatus.TRIGGERED:
        return price_e8 <= terms.limit_e8 if buys else price_e8 >= terms.limit_e8
    if terms.type is OrderType.MARKET_IF_TOUCHED:
        return price_e8 <= terms.stop_e8 if buys else price_e8 >= terms.stop_e8
    return price_e8 >= terms.stop_e8 if buys else price_e8 <= terms.stop_e8


def is_behind_its_protection(position: Position, tick: Tick) -> bool:
    price_e8 = tick.bid_e8 if position.side is BUY else tick.ask_e8
    sign = 1 if position.side is BUY else -1
    stop_e8, profit_e8 = position.stop_loss_e8, position.take_profit_e8
    return bool(stop_e8 and (price_e8 - stop_e8) * sign <= 0) or bool(profit_e8 and (profit_e8 - price_e8) * sign <= 0)
