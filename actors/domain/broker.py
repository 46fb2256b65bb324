"""The engine as a function: `apply(state, input, now_ns) -> events`.

Each step first decides on its events without touching the state, and then the state takes them in. A refusal is
therefore always whole, and the same inputs give the same events, byte for byte.
"""

from collections.abc import Callable
from typing import Any

from actors.domain import ledger
from actors.domain.checks import account_of, is_name
from actors.domain.commands import (
    ClosePosition,
    DefineInstrument,
    Deposit,
    Input,
    ObserveStream,
    ObserveTicks,
    OpenAccount,
    SubmitOrder,
)
from actors.domain.dealing import close, close_position, submit_order
from actors.domain.events import AccountOpened, Event, InstrumentDefined, MoneyDeposited
from actors.domain.ledger import PostingKind
from actors.domain.money import LIMIT_E8
from actors.domain.quote import Tick
from actors.domain.refusal import Code, Refused
from actors.domain.state import State

DEPOSIT_LIMIT_MINOR = 10**15
DEPOSITS_LIMIT_MINOR = 10**18
"""All that was ever paid in, in one currency: balances stay within the 64 bits of the bus and the journal."""
CURRENCY_LIMIT_CHARACTERS = 10
KEY_LIMIT_CHARACTERS = 64
ACTOR_LIMIT_CHARACTERS = 64
NOTIONAL_LIMIT_E16 = 10**13 * 10**16
"""Largest order at the highest price of an instrument: keeps every amount within 64 bits."""


def apply(state: State, told: Input, now_ns: int) -> list[Event]:
    """Deals with one input. Raises Refused, the state then being untouched, for a command that is not well-formed.

    A well-formed order that the rules refuse is no exception: it is an OrderRejected.
    """
    if isinstance(told, ObserveTicks):
        return [event for tick in told.ticks for event in _observe(state, tick, now_ns)]
    if isinstance(told, ObserveStream):
        state.observe_stream(told.alive_ns, told.behind)
        return []
    events = _DECIDE[type(told)](state, told, now_ns)
    for event in events:
        state.evolve(event)
    return events


def _observe(state: State, tick: Tick, now_ns: int) -> list[Event]:
    state.observe(tick)
    triggers = state.triggers.get(tick.symbol)
    if triggers is None or not tick.live or state.ticks[tick.symbol] is not tick:
        return []
    events: list[Event] = []
    for reached in triggers.reached(tick):
        position = state.accounts[reached.account_id].positions.get(reached.position_id)
        if position is not None:
            event = close(state, position, position.quantity_e8, "", reached.reason, tick, now_ns)
            state.evolve(event)
            events.append(event)
    return events


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
        return [AccountOpened(command.account_id, command.currency)]
    if known.currency != command.currency:
        raise Refused(Code.BAD_CURRENCY, f"account {known.account_id} is kept in {known.currency}", "currency")
    return []


def _deposit(state: State, command: Deposit, now_ns: int) -> list[Event]:
    account = account_of(state, command.account_id)
    if not 0 < command.amount_minor <= DEPOSIT_LIMIT_MINOR:
        raise Refused(Code.BAD_AMOUNT, "a deposit is more than nothing and within the limit", "amount")
    if not is_name(command.key, KEY_LIMIT_CHARACTERS):
        raise Refused(Code.BAD_KEY, f"a key has 1 to {KEY_LIMIT_CHARACTERS} printable characters", "key")
    if not is_name(command.actor, ACTOR_LIMIT_CHARACTERS):
        raise Refused(Code.BAD_ACTOR, f"an actor has 1 to {ACTOR_LIMIT_CHARACTERS} printable characters", "actor")
    done = state.deposits.get(command.key)
    if done == (command.account_id, command.amount_minor):
        return []
    if done is not None:
        raise Refused(Code.IDEMPOTENCY_KEY_REUSED, "the key belongs to another deposit", "key")
    if command.amount_minor - state.ledger.balance(ledger.CASH, account.currency) > DEPOSITS_LIMIT_MINOR:
        raise Refused(Code.BAD_AMOUNT, f"the broker's books hold no more {account.currency}", "amount")
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
    ClosePosition: close_position,
}
