"""The engine as a function: `apply(state, input, now_ns) -> events`.

Each step first decides on its events without touching the state, and then the state takes them in. A refusal is
therefore always whole, and the same inputs give the same events, byte for byte.
"""

import heapq
from collections.abc import Callable
from typing import Any

from actors.domain import ledger
from actors.domain.checks import account_of
from actors.domain.commands import (
    CancelOrder,
    ClosePosition,
    ClosePositionBy,
    ClosePositions,
    DefineInstrument,
    Deposit,
    Input,
    ModifyOrder,
    ModifyPosition,
    ObserveStream,
    ObserveTicks,
    OpenAccount,
    ReversePosition,
    SubmitOrder,
)
from actors.domain.events import AccountOpened, Event, InstrumentDefined, MoneyDeposited
from actors.domain.ledger import PostingKind
from actors.domain.money import LIMIT_E8
from actors.domain.orders import cancel_order, expire_order, modify_order, reach_order, submit_order
from actors.domain.positions import (
    close_position,
    close_position_by,
    close_positions,
    modify_position,
    protect,
    reverse_position,
)
from actors.domain.quote import Tick
from actors.domain.refusal import Code, Refused
from actors.domain.state import State
from actors.domain.trigger import Waiting

DEPOSIT_LIMIT_MINOR = 10**15
CURRENCY_LIMIT_CHARACTERS = 10
KEY_LIMIT_CHARACTERS = 64
ACTOR_LIMIT_CHARACTERS = 64
NOTIONAL_LIMIT_E16 = 10**13 * 10**16
"""Largest order at the highest price of an instrument: keeps every amount within 64 bits."""


def apply(state: State, told: Input, now_ns: int) -> list[Event]:
    """Deals with one input. Raises Refused, the state then being untouched, for a command that is not well-formed.

    A well-formed order that the rules refuse is no exception: it is an OrderRejected.
    """
    events: list[Event] = []
    if isinstance(told, ObserveTicks):
        _expire(state, now_ns, events)
        for tick in told.ticks:
            _observe(state, tick, now_ns, events)
    elif isinstance(told, ObserveStream):
        _expire(state, now_ns, events)
        state.observe_stream(told.alive_ns, told.behind)
    else:
        _evolve(state, _DECIDE[type(told)](state, told, now_ns), events)
    return events


def _observe(state: State, tick: Tick, now_ns: int, events: list[Event]) -> None:
    """The new price, and what it reaches, one after the other."""
    for reached in state.observe(tick):
        account = state.accounts[reached.account_id]
        if reached.what is Waiting.ORDER:
            step = reach_order(state, account, reached.item_id, reached.mark, tick, now_ns)
        else:
            step = protect(state, account, reached, tick, now_ns)
        _evolve(state, step, events)


def _expire(state: State, now_ns: int, events: list[Event]) -> None:
    """Orders whose time is over end before the market can reach them."""
    while state.expiries and state.expiries[0][0] <= now_ns:
        _, order_id, account_id = heapq.heappop(state.expiries)
        _evolve(state, expire_order(state, order_id, account_id, now_ns), events)


def _evolve(state: State, step: list[Event], events: list[Event]) -> None:
    for event in step:
        state.evolve(event)
    events += step


def _define_instrument(state: State, command: DefineInstrument, now_ns: int) -> list[Event]:
    it = command.instrument
    sound = (
        0 < it.quantity_min_e8 <= it.quantity_max_e8 < LIMIT_E8
        and 0 < it.price_min_e8 < it.price_max_e8 < LIMIT_E8
        and it.quantity_max_e8 * it.price_max_e8 <= NOTIONAL_LIMIT_E16
        and it.quantity_step_e8 > 0
        and 0 <= it.price_digits <= 8
        and it.margin_rate_e8 > 0
        and it.base != it.quote
    )
    if not sound:
        raise Refused(Code.BAD_INSTRUMENT, f"the terms of {it.symbol!r} contradict each other", "instrument")
    known = state.instruments.get(it.symbol)
    if known is not None and (known.base, known.quote) != (it.base, it.quote):
        raise Refused(Code.BAD_INSTRUMENT, f"{it.symbol} is {known.base} in {known.quote} for good", "instrument")
    return [] if known == it else [InstrumentDefined(it)]


def _open_account(state: State, command: OpenAccount, now_ns: int) -> list[Event]:
    if not 0 < command.account_id < 2**63:
        raise Refused(Code.UNKNOWN_ACCOUNT, "an account's id is a positive number of 64 bits", "account_id")
    code = command.currency
    if not (code.isascii() and code.isalpha() and code.isupper() and len(code) <= CURRENCY_LIMIT_CHARACTERS):
        raise Refused(Code.BAD_CURRENCY, f"{code[:10]!r} is not a currency code", "currency")
    known = state.accounts.get(command.account_id)
    if known is None:
        return [AccountOpened(command.account_id, command.currency, command.mode)]
    if known.currency != command.currency:
        raise Refused(Code.BAD_CURRENCY, f"account {known.account_id} is kept in {known.currency}", "currency")
    if known.mode is not command.mode:
        raise Refused(Code.BAD_TERMS, f"account {known.account_id} is a {known.mode.value} account", "mode")
    return []


def _deposit(state: State, command: Deposit, now_ns: int) -> list[Event]:
    account = account_of(state, command.account_id)
    if not 0 < command.amount_minor <= DEPOSIT_LIMIT_MINOR:
        raise Refused(Code.BAD_AMOUNT, "a deposit is more than nothing and within the limit", "amount")
    done = state.deposits.get(command.key)
    if done == (command.account_id, command.amount_minor):
        return []
    if done is not None or not 0 < len(command.key) <= KEY_LIMIT_CHARACTERS:
        raise Refused(
            Code.IDEMPOTENCY_KEY_REUSED,
            f"the key belongs to another deposit, or has not 1 to {KEY_LIMIT_CHARACTERS} characters",
            "key",
        )
    if len(command.actor) > ACTOR_LIMIT_CHARACTERS:
        raise Refused(Code.BAD_AMOUNT, f"the actor's name has more than {ACTOR_LIMIT_CHARACTERS} characters", "actor")
    posting = ledger.transfer(
        state.last_posting_id + 1,
        PostingKind.DEPOSIT,
        f"deposit:{command.key}",
        now_ns,
        ledger.CASH,
        account.ledger_account,
        account.currency,
        command.amount_minor,
    )
    return [MoneyDeposited(account.account_id, command.key, command.actor, posting)]


_DECIDE: dict[type, Callable[[State, Any, int], list[Event]]] = {
    DefineInstrument: _define_instrument,
    OpenAccount: _open_account,
    Deposit: _deposit,
    SubmitOrder: submit_order,
    ModifyOrder: modify_order,
    CancelOrder: cancel_order,
    ModifyPosition: modify_position,
    ClosePosition: close_position,
    ClosePositionBy: close_position_by,
    ClosePositions: close_positions,
    ReversePosition: reverse_position,
}
