"""The engine's whole state, and how each event changes it. Nothing else changes it."""

import heapq
from collections.abc import Callable
from typing import Any

import msgspec

from actors.domain.account import Account, AccountSummary
from actors.domain.events import (
    AccountOpened,
    Event,
    InstrumentDefined,
    MoneyDeposited,
    OrderAccepted,
    OrderEnded,
    OrderFilled,
    OrderModified,
    OrderRejected,
    PositionModified,
)
from actors.domain.instrument import Instrument
from actors.domain.ledger import Ledger, Posting
from actors.domain.margin import crosses_of, open_profit_minor
from actors.domain.order import BUY, Order, OrderStatus, OrderType, Position
from actors.domain.quote import Tick
from actors.domain.trigger import Reached, Triggers, Waiting

LIMIT, STOP, STOP_LIMIT = OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT
TRAILING_STOP = OrderType.TRAILING_STOP
TRIGGERED = OrderStatus.TRIGGERED


def waits_for_e8(order: Order) -> int:
    """The price that a waiting order waits for; 0 for one that follows the price."""
    terms = order.terms
    if terms.type is LIMIT or order.status is TRIGGERED:
        return terms.limit_e8
    return terms.stop_e8


def _waits_as(order: Order) -> tuple[OrderStatus, int, int]:
    return order.status, waits_for_e8(order), order.trail_seq


class State:
    """Everything that the next event depends on. Dicts and lists only: their order is the same on every machine."""

    def __init__(self) -> None:
        self.event_seq = 0
        """Number of the last event."""
        self.stream_alive_ns = 0
        """When the price stream was last seen alive."""
        self.last_order_id = 0
        self.last_fill_id = 0
        self.last_position_id = 0
        self.last_posting_id = 0
        self.instruments: dict[str, Instrument] = {}
        self.crosses: dict[tuple[str, str], tuple[str, bool]] = {}
        self.ticks: dict[str, Tick] = {}
        self.accounts: dict[int, Account] = {}
        self.deposits: dict[str, tuple[int, int]] = {}
        """What each idempotency key paid in, and to which account."""
        self.ledger = Ledger()
        self.triggers: dict[str, Triggers] = {}
        self.expiries: list[tuple[int, int, int]] = []
        """A heap of (time, order, account); an order that is gone, or has another time by now, is passed over."""

    def evolve(self, event: Event) -> None:
        """Takes an event in; the same for one just decided and one from the journal."""
        _EVOLVE[type(event)](self, event)
        self.event_seq += 1

    def observe(self, tick: Tick) -> list[Reached]:
        """A tick is the price of its symbol from now on, unless it comes late: again, or behind a newer one.

        Gives what waited for this price, in order of dealing; it waits no longer.
        """
        known = self.ticks.get(tick.symbol)
        if known is not None and tick.seq <= known.seq and known.live:
            return []
        self.ticks[tick.symbol] = tick
        triggers = self.triggers.get(tick.symbol)
        return triggers.reached(tick) if triggers is not None and tick.live else []

    def observe_stream(self, alive_ns: int, behind: tuple[str, ...]) -> None:
        """The stream is alive; our price of the symbols `behind` is not its last, and must not be dealt on."""
        self.stream_alive_ns = alive_ns
        for symbol in behind:
            if symbol in self.ticks:
                self.ticks[symbol] = msgspec.structs.replace(self.ticks[symbol], live=False)

    def balance_minor(self, account: Account) -> int:
        return self.ledger.balance(account.ledger_account, account.currency)

    def summary(self, account: Account, now_ns: int) -> AccountSummary:
        """The account's figures at the last ticks."""
        profit_minor = open_profit_minor(
            account.exposures, self.instruments, self.crosses, self.ticks, account.currency
        )
        balance_minor = self.balance_minor(account)
        return AccountSummary(
            account.account_id, account.currency, balance_minor, profit_minor, account.margin_minor, now_ns
        )

    def watch_order(self, order: Order, before: Order | None = None) -> None:
        """The order waits for its price from now on, if it did not before, and for its end if it has one."""
        terms = order.terms
        triggers = self._triggers(terms.symbol)
        buys = terms.side is BUY
        self.watch_expiry(order)
        if before is not None and _waits_as(order) == _waits_as(before):
            return
        if terms.type is TRAILING_STOP:
            waiting = Reached(Waiting.ORDER, order.order_id, order.account_id, order.trail_seq)
            self._follow(triggers, terms.symbol, terms.trail_e8, waiting, below_bid=not buys)
            return
        price_e8 = waits_for_e8(order)
        waiting = Reached(Waiting.ORDER, order.order_id, order.account_id, price_e8)
        if terms.type is STOP or (terms.type is STOP_LIMIT and order.status is not TRIGGERED):
            (triggers.when_ask_rises if buys else triggers.when_bid_falls)(price_e8, waiting)
        else:
            (triggers.when_ask_falls if buys else triggers.when_bid_rises)(price_e8, waiting)

    def watch_expiry(self, order: Order) -> None:
        if order.terms.expires_ns:
            heapq.heappush(self.expiries, (order.terms.expires_ns, order.order_id, order.account_id))

    def watch_position(self, position: Position, before: Position | None) -> None:
        """Takes up the protections that are not those it had before."""
        stop_e8, profit_e8, trail_e8 = position.stop_loss_e8, position.take_profit_e8, position.trailing_stop_e8
        if not (stop_e8 or profit_e8 or trail_e8) or not position.quantity_e8:
            return
        triggers = self._triggers(position.symbol)
        buys = position.side is BUY
        ids = (position.position_id, position.account_id)
        if stop_e8 and (before is None or before.stop_loss_e8 != stop_e8):
            reached = Reached(Waiting.STOP_LOSS, *ids, stop_e8)
            (triggers.when_bid_falls if buys else triggers.when_ask_rises)(stop_e8, reached)
        if profit_e8 and (before is None or before.take_profit_e8 != profit_e8):
            reached = Reached(Waiting.TAKE_PROFIT, *ids, profit_e8)
            (triggers.when_bid_rises if buys else triggers.when_ask_falls)(profit_e8, reached)
        if trail_e8 and (before is None or before.trail_seq != position.trail_seq):
            reached = Reached(Waiting.TRAILING_STOP, *ids, position.trail_seq)
            self._follow(triggers, position.symbol, trail_e8, reached, below_bid=buys)

    def _follow(self, triggers: Triggers, symbol: str, distance_e8: int, waiting: Reached, *, below_bid: bool) -> None:
        tick = self.ticks[symbol]
        if below_bid:
            triggers.below_bid.add(tick.bid_e8, distance_e8, waiting)
        else:
            triggers.above_ask.add(-tick.ask_e8, distance_e8, waiting)

    def _triggers(self, symbol: str) -> Triggers:
        found = self.triggers.get(symbol)
        if found is None:
            found = self.triggers[symbol] = Triggers()
        return found

    def _post(self, posting: Posting) -> None:
        self.ledger.post(posting)
        self.last_posting_id = posting.posting_id

    def _on_instrument(self, event: InstrumentDefined) -> None:
        self.instruments[event.instrument.symbol] = event.instrument
        self.crosses = crosses_of(self.instruments)

    def _on_account(self, event: AccountOpened) -> None:
        self.accounts[event.account_id] = Account(event.account_id, event.currency, event.mode)

    def _on_deposit(self, event: MoneyDeposited) -> None:
        self._post(event.posting)
        self.deposits[event.key] = (event.account_id, event.posting.entries[0].amount_minor)

    def _on_accepted(self, event: OrderAccepted) -> None:
        order = event.order
        self.last_order_id = order.order_id
        self.accounts[order.account_id].take(order)
        self.watch_order(order)

    def _on_modified(self, event: OrderModified) -> None:
        account = self.accounts[event.order.account_id]
        before = account.orders[event.order.order_id]
        account.take(event.order)
        self.watch_order(event.order, before)

    def _on_fill(self, event: OrderFilled) -> None:
        order, position = event.order, event.position
        account = self.accounts[order.account_id]
        if order.order_id > self.last_order_id:
            self.last_order_id = order.order_id
        self.last_fill_id = event.fill.fill_id
        before = account.positions.get(position.position_id)
        if before is None:
            self.last_position_id = position.position_id
        account.place(position)
        self.watch_position(position, before)
        account.take(order, event.fill)
        for posting in event.postings:
            self._post(posting)

    def _on_end(self, event: OrderEnded) -> None:
        order = event.order
        if order.order_id > self.last_order_id:
            self.last_order_id = order.order_id
        self.accounts[order.account_id].take(order, None, event.code, event.detail)

    def _on_position(self, event: PositionModified) -> None:
        account = self.accounts[event.position.account_id]
        before = account.positions[event.position.position_id]
        account.place(event.position)
        self.watch_position(event.position, before)


_EVOLVE: dict[type, Callable[[State, Any], None]] = {
    InstrumentDefined: State._on_instrument,
    AccountOpened: State._on_account,
    MoneyDeposited: State._on_deposit,
    OrderAccepted: State._on_accepted,
    OrderModified: State._on_modified,
    OrderFilled: State._on_fill,
    OrderEnded: State._on_end,
    OrderRejected: State._on_end,
    PositionModified: State._on_position,
}
