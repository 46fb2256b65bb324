"""Margin for what is open, worked out anew where its terms have changed: some with each sign of life of the market.

So a change of terms counts within seconds, whoever deals, and no tick waits for all accounts of a group.
"""

from itertools import islice

from actors.domain.events.accounts import MarginRevised
from actors.domain.events.event import Event
from actors.domain.group import Group
from actors.domain.instrument import Instrument
from actors.domain.risk.margin import conversion
from actors.domain.risk.requirement import required
from actors.domain.state import State

REVISED_TOGETHER = 200
"""So many, each of an account in a symbol, with one input of the market: some milliseconds."""


def revise_group(state: State, before: Group, after: Group) -> None:
    """The group has other terms: what its accounts have open is due where they ask for other margin."""
    changed = {it.symbol for it in state.instruments.values() if before.margin_terms(it) != after.margin_terms(it)}
    if changed:
        for account in state.accounts.values():
            if account.group.name == after.name:
                # Sorted: exposures lie in another order after a restart.
                for symbol in sorted(changed & account.exposures.keys()):
                    state.to_revise[account.account_id, symbol] = None


def revise_instrument(state: State, before: Instrument, after: Instrument) -> None:
    """The instrument has other terms: what is open in it is due where they ask for other margin."""
    groups = {it.name for it in state.groups.values() if it.margin_terms(before) != it.margin_terms(after)}
    if groups:
        for account in state.accounts.values():
            if account.group.name in groups and after.symbol in account.exposures:
                state.to_revise[account.account_id, after.symbol] = None


def revised(state: State) -> list[Event]:
    """The next that are due, converted at the prices of the moment."""
    events: list[Event] = []
    for account_id, symbol in islice(state.to_revise, REVISED_TOGETHER):
        account = state.accounts[account_id]
        exposure, agreed = account.exposures[symbol], state.margin_terms(account.group, state.instruments[symbol])
        by = conversion(state.crosses, account.ticks, exposure.quote, account.currency, gain=False)
        events.append(MarginRevised(account_id, symbol, required(exposure, agreed, by, account.currency)))
    return events
