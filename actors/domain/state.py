"""The engine's whole state, and how each event changes it. Nothing else changes it."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import msgspec

from actors.domain import ledger as books
from actors.domain.account import AccountSummary
from actors.domain.events import (
    AccountOpened,
    Event,
    InstrumentDefined,
    MoneyDeposited,
    OrderFilled,
    OrderRejected,
)
from actors.domain.instrument import Instrument
from actors.domain.ledger import Entry, Ledger, Posting
from actors.domain.margin import Exposure, crosses_of, open_profit_minor
from actors.domain.order import Outcome, Position
from actors.domain.quote import Tick
from actors.domain.trigger import Triggers

REMEMBERED_ORDERS = 10_000
"""How many of an account's last orders are known by their client_order_id; older ones are history's alone."""


class Account:
    """A hedging account: open positions by id, and the latest outcomes by client_order_id."""

    __slots__ = ("account_id", "currency", "exposures", "ledger_account", "margin_minor", "outcomes", "positions")

    def __init__(self, account_id: int, currency: str) -> None:
        self.account_id = account_id
        self.currency = currency
        self.ledger_account = books.client(account_id)
        self.positions: dict[int, Position] = {}
        self.exposures: dict[str, Exposure] = {}
        self.outcomes: OrderedDict[str, Outcome] = OrderedDict()
        self.margin_minor = 0

    def remember(self, outcome: Outcome) -> None:
        """Keeps the outcome of a client's order; those that the engine made itself have no client_order_id."""
        if not outcome.order.client_order_id:
            return
        self.outcomes[outcome.order.client_order_id] = outcome
        if len(self.outcomes) > REMEMBERED_ORDERS:
            self.outcomes.popitem(last=False)

    def place(self, position: Position) -> None:
        """The position as it is now; with quantity 0 it leaves."""
        before = self.positions.get(position.position_id)
        exposure = self.exposures.get(position.symbol)
        if exposure is None:
            exposure = self.exposures[position.symbol] = Exposure()
        if before is not None:
            exposure.change(before.side, -before.quantity_e8, before.open_price_e8)
            self.margin_minor -= before.margin_minor
        if position.quantity_e8:
            self.positions[position.position_id] = position
            exposure.change(position.side, position.quantity_e8, position.open_price_e8)
            self.margin_minor += position.margin_minor
        else:
            del self.positions[position.position_id]
            if exposure.is_flat:
                del self.exposures[position.symbol]


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

    def evolve(self, event: Event) -> None:
        """Takes an event in; the same for one just decided and one from the journal."""
        _EVOLVE[type(event)](self, event)
        self.event_seq += 1

    def observe(self, tick: Tick) -> None:
        """A tick is the price of its symbol from now on, unless it comes late: again, or behind a newer one."""
        known = self.ticks.get(tick.symbol)
        if known is None or tick.seq > known.seq or not known.live:
            self.ticks[tick.symbol] = tick

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
        return AccountSummary(
            account.account_id,
            account.currency,
            self.balance_minor(account),
            profit_minor,
            account.margin_minor,
            now_ns,
        )

    def _post(self, posting: Posting) -> None:
        self.ledger.post(posting)
        self.last_posting_id = posting.posting_id

    def _watch(self, position: Position) -> None:
        if position.stop_loss_e8 or position.take_profit_e8:
            self.triggers.setdefault(position.symbol, Triggers()).watch(position)

    def _on_instrument(self, event: InstrumentDefined) -> None:
        self.instruments[event.instrument.symbol] = event.instrument
        self.crosses = crosses_of(self.instruments)

    def _on_account(self, event: AccountOpened) -> None:
        self.accounts[event.account_id] = Account(event.account_id, event.currency)

    def _on_deposit(self, event: MoneyDeposited) -> None:
        self._post(event.posting)
        self.deposits[event.key] = (event.account_id, event.posting.entries[0].amount_minor)

    def _on_fill(self, event: OrderFilled) -> None:
        account = self.accounts[event.order.account_id]
        self.last_order_id = event.order.order_id
        self.last_fill_id = event.fill.fill_id
        self.last_position_id = max(self.last_position_id, event.position.position_id)
        if event.position.position_id not in account.positions:
            self._watch(event.position)
        elif not event.position.quantity_e8 and event.position.symbol in self.triggers:
            self.triggers[event.position.symbol].forget(event.position.position_id)
        account.place(event.position)
        account.remember(Outcome(event.order, (event.fill,)))
        if event.posting is not None:
            self._post(event.posting)

    def _on_rejection(self, event: OrderRejected) -> None:
        self.last_order_id = event.order.order_id
        self.accounts[event.order.account_id].remember(Outcome(event.order, (), event.code, event.detail))


_EVOLVE: dict[type, Callable[[State, Any], None]] = {
    InstrumentDefined: State._on_instrument,
    AccountOpened: State._on_account,
    MoneyDeposited: State._on_deposit,
    OrderFilled: State._on_fill,
    OrderRejected: State._on_rejection,
}


class AccountSnapshot(msgspec.Struct, frozen=True, array_like=True):
    account_id: int
    currency: str
    positions: list[Position]
    outcomes: list[Outcome]


class Snapshot(msgspec.Struct, frozen=True, array_like=True):
    """A state at rest, as it is kept in the journal."""

    event_seq: int
    stream_alive_ns: int
    last_order_id: int
    last_fill_id: int
    last_position_id: int
    last_posting_id: int
    instruments: list[Instrument]
    ticks: list[Tick]
    accounts: list[AccountSnapshot]
    deposits: dict[str, tuple[int, int]]
    balances: tuple[Entry, ...]


def snapshot(state: State) -> Snapshot:
    return Snapshot(
        state.event_seq,
        state.stream_alive_ns,
        state.last_order_id,
        state.last_fill_id,
        state.last_position_id,
        state.last_posting_id,
        list(state.instruments.values()),
        list(state.ticks.values()),
        [
            AccountSnapshot(
                account.account_id, account.currency, list(account.positions.values()), list(account.outcomes.values())
            )
            for account in state.accounts.values()
        ],
        dict(state.deposits),
        state.ledger.balances(),
    )


def restore(saved: Snapshot) -> State:
    """The state that `snapshot` was taken of; indexes (crosses, exposures, triggers) are built anew."""
    state = State()
    state.event_seq = saved.event_seq
    state.stream_alive_ns = saved.stream_alive_ns
    state.last_order_id = saved.last_order_id
    state.last_fill_id = saved.last_fill_id
    state.last_position_id = saved.last_position_id
    state.last_posting_id = saved.last_posting_id
    state.instruments = {instrument.symbol: instrument for instrument in saved.instruments}
    state.crosses = crosses_of(state.instruments)
    state.ticks = {tick.symbol: tick for tick in saved.ticks}
    state.deposits = dict(saved.deposits)
    state.ledger = Ledger(saved.balances)
    for part in saved.accounts:
        account = state.accounts[part.account_id] = Account(part.account_id, part.currency)
        for position in part.positions:
            account.place(position)
            state._watch(position)
        for outcome in part.outcomes:
            account.remember(outcome)
    return state
