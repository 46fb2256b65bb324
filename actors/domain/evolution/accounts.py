"""Accounts and their terms, and money that moves without a fill."""

from actors.domain.calendar import roll_ns
from actors.domain.events.accounts import (
    AccountOpened,
    DaySealed,
    MarginRevised,
    MarginStatusChanged,
    MoneyMoved,
    NegativeBalanceForgiven,
    SwapCharged,
)
from actors.domain.events.terms import (
    ApprovalLimitsSet,
    GroupAssigned,
    GroupDefined,
    HolidaysDefined,
    InstrumentDefined,
    LimitsSet,
    MoneyRequested,
    RequestDecided,
    TermsChanged,
    TradingHalted,
    TradingResumed,
)
from actors.domain.evolution.table import Evolutions
from actors.domain.repricing import define_group, join_group
from actors.domain.revision import revise_group, revise_instrument
from actors.domain.state import State

KEYS_LIMIT = 1_000_000
"""So many of the last idempotency keys of money are known; an older one would be taken for new."""


def _instrument(state: State, event: InstrumentDefined) -> None:
    before = state.instruments.get(event.instrument.symbol)
    state.define_instrument(event.instrument)
    if before is not None:
        revise_instrument(state, before, event.instrument)
    state.versions.note(f"instrument {event.instrument.symbol}", state.event_seq + 1)
    for account in state.accounts.values():
        # Sessions, margin and crosses may be others: what was known of its bands holds no longer.
        if account.positions:
            state.unwatched[account.account_id] = None


def _account(state: State, event: AccountOpened) -> None:
    state.open_account(event.account_id, event.currency, event.mode, event.group)


def _group(state: State, event: GroupDefined) -> None:
    before = state.groups.get(event.group.name)
    define_group(state, event.group)
    if before is not None:
        revise_group(state, before, event.group)
    state.versions.note(f"group {event.group.name}", state.event_seq + 1)


def _assigned(state: State, event: GroupAssigned) -> None:
    account = state.accounts[event.account_id]
    join_group(state, account, event.group.name)
    for symbol, requirement in event.requirements.items():
        account.require(symbol, requirement)
        state.to_revise.pop((event.account_id, symbol), None)
    state.versions.note(f"account {event.account_id}", state.event_seq + 1)


def _revised(state: State, event: MarginRevised) -> None:
    state.accounts[event.account_id].require(event.symbol, event.requirement)
    state.unwatched[event.account_id] = None
    del state.to_revise[event.account_id, event.symbol]


def _limits(state: State, event: LimitsSet) -> None:
    account = state.accounts[event.account_id]
    account.agree(account.group, event.limits)
    state.versions.note(f"limits {event.account_id}", state.event_seq + 1)


def _holidays(state: State, event: HolidaysDefined) -> None:
    state.holidays[event.currency] = event.days
    state.versions.note(f"holidays {event.currency}", state.event_seq + 1)


def _halted(state: State, event: TradingHalted) -> None:
    state.halts.begin(event.halt)
    state.versions.note(f"halt {event.halt.what}", state.event_seq + 1)


def _resumed(state: State, event: TradingResumed) -> None:
    state.halts.end(event.halt.what)
    state.versions.note(f"halt {event.halt.what}", state.event_seq + 1)


def _changed(state: State, event: TermsChanged) -> None:
    state.versions.explain(state.event_seq, event.subject, event.actor, event.reason, event.time_ns)


def _approval_limits(state: State, event: ApprovalLimitsSet) -> None:
    state.approval_limits = event.limits_minor


def _request(state: State, event: MoneyRequested | RequestDecided) -> None:
    state.requests.take(event.request)


def _money(state: State, event: MoneyMoved) -> None:
    state.post(event.posting)
    posting = event.posting
    state.unwatched[event.account_id] = None
    state.moved[event.key] = (event.account_id, posting.kind.value, posting.entries[0].amount_minor)
    if len(state.moved) > KEYS_LIMIT:
        state.moved.popitem(last=False)


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
    GroupAssigned: _assigned,
    GroupDefined: _group,
    MarginRevised: _revised,
    LimitsSet: _limits,
    HolidaysDefined: _holidays,
    TradingHalted: _halted,
    TradingResumed: _resumed,
    TermsChanged: _changed,
    ApprovalLimitsSet: _approval_limits,
    MoneyRequested: _request,
    RequestDecided: _request,
    MoneyMoved: _money,
    SwapCharged: _swap,
    MarginStatusChanged: _status,
    NegativeBalanceForgiven: _forgiven,
    DaySealed: _seal,
}
