"""The engine as a function: `apply(state, input, now_ns) -> events`.

Each step first decides on its events without touching the state, and then the state takes them in. A refusal is
therefore always whole, and the same inputs give the same events, byte for byte.
"""

import heapq
from collections.abc import Callable
from typing import Any

from actors.domain.checks import check_conversions
from actors.domain.commands import (
    Adjust,
    AssignGroup,
    CancelOrder,
    ClosePosition,
    ClosePositionBy,
    ClosePositions,
    DecideRequest,
    DefineGroup,
    DefineHedge,
    DefineHolidays,
    DefineInstrument,
    DefineRules,
    Deposit,
    DismissBreak,
    GrantCredit,
    HaltTrading,
    Input,
    ModifyOrder,
    ModifyPosition,
    ObserveStream,
    ObserveTicks,
    OpenAccount,
    RemoveHedge,
    ReportExecution,
    ReportHolding,
    RequestMoney,
    ResumeTrading,
    ReversePosition,
    SendHedge,
    SetApprovalLimits,
    SetLimits,
    SettleBreak,
    SubmitOrder,
    Withdraw,
)
from actors.domain.dealing.orders import cancel_order, expire_order, modify_order, reach_order, submit_order
from actors.domain.dealing.positions import (
    close_position,
    close_position_by,
    close_positions,
    modify_position,
    protect,
    reverse_position,
)
from actors.domain.dealing.venues import hedge, report_execution, report_holding, settle_break, silent_venues
from actors.domain.events.accounts import AccountOpened
from actors.domain.events.event import Event
from actors.domain.events.terms import GroupDefined
from actors.domain.evolution import evolve
from actors.domain.quote import Tick
from actors.domain.refusal import Code, Refused
from actors.domain.revision import revised
from actors.domain.risk.limits import check_exposure_limit, check_sound
from actors.domain.risk.stop_out import check_levels
from actors.domain.roll import roll
from actors.domain.staff.cash import move_money
from actors.domain.staff.desk import (
    define_hedge,
    define_rules,
    dismiss_break,
    halt_subject,
    halt_trading,
    remove_hedge,
    resume_trading,
    send_hedge,
)
from actors.domain.staff.listing import define_instrument
from actors.domain.staff.requests import decide_request, request_money, set_approval_limits
from actors.domain.staff.terms import assign_group, define_holidays, explained, set_limits
from actors.domain.state import State
from actors.domain.trigger import Waiting
from actors.domain.waiting import see
from actors.domain.watch import look_at_margins

CURRENCY_LIMIT_CHARACTERS = 10
KEY_LIMIT_CHARACTERS = 64
GROUPS_LIMIT = 200


def apply(state: State, told: Input, now_ns: int) -> list[Event]:
    """Deals with one input. Raises Refused, the state then being untouched, for a command that is not well-formed.

    A well-formed order that the rules refuse is no exception: it is an OrderRejected.
    """
    decide = _DECIDE.get(type(told))
    if decide is not None:
        step = decide(state, told, now_ns)
        for event in step:
            evolve(state, event)
        return step
    events: list[Event] = []
    if state.to_revise:
        _evolve(state, revised(state), events)
    if isinstance(told, ObserveTicks):
        _expire(state, now_ns, events)
        for tick in told.ticks:
            _observe(state, tick, now_ns, events)
    elif isinstance(told, ObserveStream):
        _expire(state, now_ns, events)
        for step in silent_venues(state, now_ns):
            _evolve(state, step, events)
        state.observe_stream(told.alive_ns, told.behind)
        while 0 < state.next_roll_ns <= told.alive_ns:
            roll(state, now_ns, events)
    return events


def _observe(state: State, tick: Tick, now_ns: int, events: list[Event]) -> None:
    """The new price, and what it reaches, one after the other."""
    for reached in see(state, tick):
        account = state.accounts[reached.account_id]
        if reached.what is Waiting.ORDER:
            step = reach_order(state, account, reached.item_id, reached.mark, now_ns)
        else:
            step = protect(state, account, reached, now_ns)
        _evolve(state, step, events)
    look_at_margins(state, tick, now_ns, events)
    if state.books.hedges:
        _evolve(state, hedge(state, state.ticks[tick.symbol], now_ns), events)


def _expire(state: State, now_ns: int, events: list[Event]) -> None:
    """Orders whose time is over end before the market can reach them."""
    while state.expiries and state.expiries[0][0] <= now_ns:
        _, order_id, account_id = heapq.heappop(state.expiries)
        _evolve(state, expire_order(state, order_id, account_id, now_ns), events)


def _evolve(state: State, step: list[Event], events: list[Event]) -> None:
    for event in step:
        evolve(state, event)
    events += step


def _open_account(state: State, command: OpenAccount, now_ns: int) -> list[Event]:
    if not 0 < command.account_id < 2**63:
        raise Refused(Code.UNKNOWN_ACCOUNT, "an account's id is a positive number of 64 bits", "account_id")
    code = command.currency
    if not (code.isascii() and code.isalpha() and code.isupper() and len(code) <= CURRENCY_LIMIT_CHARACTERS):
        raise Refused(Code.BAD_CURRENCY, f"{code[:10]!r} is not a currency code", "currency")
    if command.group not in state.groups:
        raise Refused(Code.UNKNOWN_GROUP, f"there is no group {command.group[:40]!r}", "group")
    known = state.accounts.get(command.account_id)
    if known is None:
        return [AccountOpened(command.account_id, command.currency, command.mode, command.group)]
    if known.currency != command.currency:
        raise Refused(Code.BAD_CURRENCY, f"account {known.account_id} is kept in {known.currency}", "currency")
    if known.mode is not command.mode:
        raise Refused(Code.BAD_TERMS, f"account {known.account_id} is a {known.mode.value} account", "mode")
    return []


def _define_group(state: State, command: DefineGroup, now_ns: int) -> list[Event]:
    group = command.group
    sound = (
        0 < len(group.name) <= KEY_LIMIT_CHARACTERS
        and group.name.isprintable()
        and all(markup.is_sound for markup in (group.markup, *group.markups.values()))
    )
    if not sound:
        raise Refused(Code.BAD_TERMS, f"the terms of group {group.name[:40]!r} contradict each other", "group")
    if group.name not in state.groups and len(state.groups) >= GROUPS_LIMIT:
        raise Refused(Code.TOO_MANY_GROUPS, f"there are {GROUPS_LIMIT} groups already", "group")
    check_levels(group.levels)
    check_sound(group.limits)
    check_exposure_limit(group.exposure)
    for instrument in state.instruments.values():
        group.margin_terms(instrument)
    for account in state.accounts.values():
        if account.group.name == group.name:
            check_conversions(state, account, group, state.crosses)
    return [] if state.groups.get(group.name) == group else [GroupDefined(group)]


_DECIDE: dict[type, Callable[[State, Any, int], list[Event]]] = {
    DefineInstrument: explained(lambda told: f"instrument {told.instrument.symbol}", define_instrument),
    OpenAccount: _open_account,
    DefineGroup: explained(lambda told: f"group {told.group.name}", _define_group),
    AssignGroup: explained(lambda told: f"account {told.account_id}", assign_group),
    SetLimits: explained(lambda told: f"limits {told.account_id}", set_limits),
    DefineHolidays: explained(lambda told: f"holidays {told.currency}", define_holidays),
    DefineRules: explained(lambda told: "rules", define_rules),
    DefineHedge: explained(lambda told: f"hedge {told.terms.symbol}", define_hedge),
    RemoveHedge: explained(lambda told: f"hedge {told.symbol}", remove_hedge),
    SendHedge: send_hedge,
    HaltTrading: explained(halt_subject, halt_trading),
    ResumeTrading: explained(halt_subject, resume_trading),
    DismissBreak: dismiss_break,
    SetApprovalLimits: set_approval_limits,
    RequestMoney: request_money,
    DecideRequest: decide_request,
    ReportExecution: report_execution,
    ReportHolding: report_holding,
    SettleBreak: settle_break,
    Deposit: move_money,
    Withdraw: move_money,
    GrantCredit: move_money,
    Adjust: move_money,
    SubmitOrder: submit_order,
    ModifyOrder: modify_order,
    CancelOrder: cancel_order,
    ModifyPosition: modify_position,
    ClosePosition: close_position,
    ClosePositionBy: close_position_by,
    ClosePositions: close_positions,
    ReversePosition: reverse_position,
}
