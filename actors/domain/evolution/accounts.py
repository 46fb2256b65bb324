"""Accounts and their terms, and money that moves without a fill."""

from actors.domain.calendar import roll_ns
from actors.domain.events import (
    AccountOpened,
    DaySealed,
    GroupDefined,
    HolidaysDefined,
    InstrumentDefined,
    LimitsSet,
    MarginStatusChanged,
    MoneyMoved,
    NegativeBalanceForgiven,
    SwapCharged,
)
from actors.domain.evolution.table import Evolutions
from actors.domain.state import State
from actors.domain.waiting import rewatch


def _instrument(state: State, event: InstrumentDefined) -> None:
    state.define_instrument(event.instrument)


def _account(state: State, event: AccountOpened) -> None:
    state.open_account(event.account_id, event.currency, event.mode, event.group)


def _group(state: State, event: GroupDefined) -> None:
    state.define_group(event.group)
    for account in state.accounts.values():
        if account.group.name == event.group.name:
            account.agree(event.group, account.own_limits)
            state.unwatched[account.account_id] = None
    for symbol in list(state.triggers):
        rewatch(state, symbol)


def _limits(state: State, event: LimitsSet) -> None:
    account = state.accounts[event.account_id]
    account.agree(account.group, event.limits)


def _holidays(state: State, event: HolidaysDefined) -> None:
    state.holidays[event.currency] = event.days


def _money(state: State, event: MoneyMoved) -> None:
    state.post(event.posting)
    posting = event.posting
    state.unwatched[event.account_id] = None
    state.moved[event.key] = (event.account_id, posting.kind.value, posting.entries[0].amount_minor)


def _swap(state: State, event: SwapCharged) -> None:
    state.post(event.posting)
    state.unwatched[event.position.account_id] = None


def _status(state: State, event: MarginStatusChanged) -> None:
    state.accounts[event.account_id].status = event.status


def _forgiven(state: State, event: NegativeBalanceForgiven) -> None:
    state.post(event.posting)


def _seal(state: State, event: DaySealed) -> None:
    state.next_roll_ns = roll_ns(event.trading_day + 1)


EVOLVE: Evolutions = {
    InstrumentDefined: _instrument,
    AccountOpened: _account,
    GroupDefined: _group,
    LimitsSet: _limits,
    HolidaysDefined: _holidays,
    MoneyMoved: _money,
    SwapCharged: _swap,
    MarginStatusChanged: _status,
    NegativeBalanceForgiven: _forgiven,
    DaySealed: _seal,
}
