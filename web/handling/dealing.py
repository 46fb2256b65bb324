"""What clients have the engine do, whichever way they ask: over REST (asking.py) and over /ws (ws/stream.py)."""

import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from actors.bus.answers import AccountReport, Answer, Done, OrderReport
from actors.bus.asking import Away, Declined, NoAnswer
from actors.domain.commands import (
    CancelOrder,
    ClosePosition,
    ClosePositionBy,
    ClosePositions,
    ModifyOrder,
    ModifyPosition,
    ReversePosition,
    SubmitOrder,
)
from actors.domain.order import OrderStatus
from actors.domain.refusal import Code
from web.handling.backend import Backend
from web.payloads import bodies, problem, schema
from web.payloads.terms import changed_protections, changed_terms, new_terms, positive_e8, protections

COMMAND_TIMEOUT_MS = 5_000
CHANGE_TRIES = 10
"""How often a change is made anew, because another came between the look and the change."""

A = TypeVar("A", bound=Answer)
Deal = SubmitOrder | ClosePosition | ClosePositionBy | ClosePositions | ReversePosition
"""What has a client_order_id."""


def submit(account_id: int, wanted: schema.PlaceOrder) -> SubmitOrder:
    return SubmitOrder(account_id, wanted.client_order_id or new_client_order_id(), new_terms(wanted))


def close(account_id: int, position_id: str, wanted: schema.ClosePart) -> ClosePosition:
    """All of it, or the quantity named."""
    quantity_e8 = 0 if wanted.quantity is None else positive_e8(wanted.quantity, "quantity")
    name = wanted.client_order_id or new_client_order_id()
    return ClosePosition(account_id, name, int(position_id), quantity_e8)


def close_by(account_id: int, position_id: str, wanted: schema.CloseBy) -> ClosePositionBy:
    name = wanted.client_order_id or new_client_order_id()
    return ClosePositionBy(account_id, name, int(position_id), int(wanted.other_position_id))


def reverse(account_id: int, position_id: str, wanted: schema.Reverse) -> ReversePosition:
    return ReversePosition(account_id, wanted.client_order_id or new_client_order_id(), int(position_id))


def close_many(account_id: int, wanted: schema.CloseMany) -> ClosePositions:
    name = wanted.client_order_id or new_client_order_id()
    return ClosePositions(account_id, name, wanted.which, wanted.symbol or "")


async def modify_order(backend: Backend, account_id: int, order_id: str, wanted: schema.ChangeOrder) -> None:
    """What is not named stays, null takes it away."""
    number = int(order_id)

    def changed(known: AccountReport) -> ModifyOrder:
        for order in known.orders:
            if order.order_id == number:
                return ModifyOrder(account_id, number, changed_terms(order.terms, wanted), order.terms)
        raise problem.of_code("UNKNOWN_ORDER", f"order {number} does not wait (any more)")

    await _modify(backend, account_id, changed)


async def modify_position(backend: Backend, account_id: int, position_id: str, wanted: schema.ChangePosition) -> None:
    """Other protections. What is not named stays, null takes it away."""
    number = int(position_id)

    def changed(known: AccountReport) -> ModifyPosition:
        for position in (reported.position for reported in known.positions):
            if position.position_id == number:
                new = changed_protections(position, wanted)
                return ModifyPosition(account_id, number, *new, seen=protections(position))
        raise problem.of_code("UNKNOWN_POSITION", f"there is no open position {number}", "position_id")

    await _modify(backend, account_id, changed)


async def _modify(
    backend: Backend, account_id: int, changed: Callable[[AccountReport], ModifyOrder | ModifyPosition]
) -> None:
    """Has a change made of what the account has now; where another comes in between, of what it has then."""
    for _ in range(CHANGE_TRIES):
        try:
            await change(backend, changed(await report(backend, account_id)))
            return
        except problem.Problem as refused:
            if refused.code != Code.VERSION_MISMATCH.value:
                raise
    raise problem.unavailable("Others change it at the same time, and nothing was done. Please try again in a moment.")


async def report(backend: Backend, account_id: int) -> AccountReport:
    """The account as the engine has it."""
    try:
        return await backend.accounts.report(account_id)
    except (Away, NoAnswer, Declined) as error:
        raise problem.of_bus(error) from None


async def currency(backend: Backend, account_id: int) -> str:
    try:
        return await backend.accounts.currency(account_id)
    except (Away, NoAnswer, Declined) as error:
        raise problem.of_bus(error) from None


async def group(backend: Backend, account_id: int) -> str:
    """The name of the account's group, of which the terms are known from now on."""
    try:
        return await backend.accounts.group(account_id)
    except (Away, NoAnswer, Declined) as error:
        raise problem.of_bus(error) from None


async def deal(backend: Backend, command: Deal) -> tuple[bodies.ExecutionBody, bool]:
    """Has a command with a client_order_id carried out; gives what came of it, and whether it was done before."""
    money = await currency(backend, command.account_id)
    identity = {"client_order_id": command.client_order_id}
    reported = await _tell(backend, command, OrderReport, identity, backend.clock_ns())
    outcome = reported.outcome
    execution = backend.render.execution(outcome, money)
    if outcome.order.status is OrderStatus.REJECTED:
        raise problem.of_code(outcome.code, outcome.detail, order=execution.order)
    return execution, reported.repeated


async def change(backend: Backend, command: ModifyOrder | CancelOrder | ModifyPosition) -> None:
    """Has a command carried out whose repetition changes nothing."""
    await _tell(backend, command, Done, {})


async def _tell(backend: Backend, command: Any, answer: type[A], identity: dict[str, str], sent_ns: int = 0) -> A:
    """`identity`: under what the command may be sent again when its outcome is not known.

    `sent_ns`: now, where it is not to be carried out once the client has been told so.
    """
    try:
        reported: Any = await backend.engine.ask(command, answer, COMMAND_TIMEOUT_MS, sent_ns)
    except Declined as error:
        raise problem.of_refusal(error.refusal) from None
    except Away as error:
        raise problem.unavailable(f"The request was not sent: {error}. Please try again in a moment.") from None
    except NoAnswer:
        raise problem.outcome_unknown(identity) from None
    backend.accounts.known.note(command.account_id, reported.seq)
    got: A = reported
    return got


def new_client_order_id() -> str:
    return f"web-{secrets.token_hex(12)}"
