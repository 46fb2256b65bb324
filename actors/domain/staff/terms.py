"""What staff say of accounts and of settlement: limits of one account, bank holidays. And who changes terms, why."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from actors.domain.changes import check_reason
from actors.domain.checks import account_of, check_conversions
from actors.domain.commands import AssignGroup, DefineHolidays, SetLimits
from actors.domain.events.event import Event
from actors.domain.events.terms import GroupAssigned, HolidaysDefined, LimitsSet, TermsChanged
from actors.domain.refusal import Code, Refused
from actors.domain.risk.limits import check_sound
from actors.domain.risk.margin import conversion
from actors.domain.risk.requirement import required
from actors.domain.staff.cash import check_actor
from actors.domain.state import State

CURRENCIES_LIMIT = 200
CURRENCY_LIMIT_CHARACTERS = 10
HOLIDAYS_LIMIT = 1_000
"""Of one currency: some 80 years of them."""
DAY_LIMIT = 100_000
"""In the year 2243."""


def set_limits(state: State, command: SetLimits, now_ns: int) -> list[Event]:
    account = account_of(state, command.account_id)
    check_actor(command.actor)
    check_sound(command.limits)
    if command.limits == account.own_limits:
        return []
    return [LimitsSet(account.account_id, command.limits, command.actor)]


def assign_group(state: State, command: AssignGroup, now_ns: int) -> list[Event]:
    """Margin is asked for anew, converted at the prices of the moment; raises Refused where there is none."""
    account = account_of(state, command.account_id)
    group = state.groups.get(command.group)
    if group is None:
        raise Refused(Code.UNKNOWN_GROUP, f"there is no group {command.group[:40]!r}", "group")
    if group is account.group:
        return []
    check_conversions(state, account, group, state.crosses)
    ticks, requirements = state.group_ticks[group.name], {}
    # Sorted: exposures lie in another order after a restart.
    for symbol, exposure in sorted(account.exposures.items()):
        by = conversion(state.crosses, ticks, exposure.quote, account.currency, gain=False)
        agreed = state.margin_terms(group, state.instruments[symbol])
        requirements[symbol] = required(exposure, agreed, by, account.currency)
    return [GroupAssigned(account.account_id, group, requirements)]


def define_holidays(state: State, command: DefineHolidays, now_ns: int) -> list[Event]:
    code, days = command.currency, command.days
    if not (code.isascii() and code.isalpha() and code.isupper() and len(code) <= CURRENCY_LIMIT_CHARACTERS):
        raise Refused(Code.BAD_CURRENCY, f"{code[:10]!r} is not a currency code", "currency")
    if code not in state.holidays and len(state.holidays) >= CURRENCIES_LIMIT:
        raise Refused(Code.BAD_TERMS, f"{CURRENCIES_LIMIT} currencies have holidays already", "currency")
    if len(days) > HOLIDAYS_LIMIT or any(not 0 < day < DAY_LIMIT for day in days):
        raise Refused(Code.BAD_TERMS, f"a currency has at most {HOLIDAYS_LIMIT} holidays, from 1970 on", "days")
    if any(earlier >= later for earlier, later in pairwise(days)):
        raise Refused(Code.BAD_TERMS, "holidays come in order, each once", "days")
    return [] if state.holidays.get(code, ()) == days else [HolidaysDefined(code, days)]


def explained(
    subject_of: Callable[[Any], str], decide: Callable[[State, Any, int], list[Event]]
) -> Callable[[State, Any, int], list[Event]]:
    """`decide`, for a command that changes the terms of a subject: with who wants it, why, and to which version.

    Terms that are so already are no change, whatever version was named: the same command again does nothing.
    """

    def step(state: State, command: Any, now_ns: int) -> list[Event]:
        check_actor(command.actor)
        if command.reason:
            check_reason(command.reason)
        subject = subject_of(command)
        events = decide(state, command, now_ns)
        if not events:
            return []
        state.versions.check(subject, getattr(command, "if_version", 0))
        if command.reason:
            events.append(TermsChanged(subject, command.actor, command.reason, now_ns))
        return events

    return step
