"""Money that staff ask for: moved at once within the limit of one person, else when another has agreed."""

import msgspec

from actors.domain.approval import PENDING_LIMIT, MoneyRequest, RequestStatus
from actors.domain.changes import check_reason
from actors.domain.checks import account_of
from actors.domain.commands import DecideRequest, Movement, RequestMoney, SetApprovalLimits
from actors.domain.events.event import Event
from actors.domain.events.terms import ApprovalLimitsSet, MoneyRequested, RequestDecided
from actors.domain.refusal import Code, Refused
from actors.domain.risk.limits import AMOUNT_LIMIT_MINOR
from actors.domain.staff.cash import check_actor, move_money
from actors.domain.state import State

DAY_NS = 24 * 3_600 * 1_000_000_000
PENDING, MOVED, REJECTED = RequestStatus.PENDING, RequestStatus.MOVED, RequestStatus.REJECTED


def set_approval_limits(state: State, command: SetApprovalLimits, now_ns: int) -> list[Event]:
    if any(not 0 <= limit <= AMOUNT_LIMIT_MINOR for limit in command.limits_minor.values()):
        raise Refused(Code.BAD_TERMS, "a limit is not negative, and within all bounds", "limits_minor")
    return [] if command.limits_minor == state.approval_limits else [ApprovalLimitsSet(command.limits_minor)]


def request_money(state: State, command: RequestMoney, now_ns: int) -> list[Event]:
    movement = command.movement
    check_reason(command.reason)
    known = state.requests.by_key.get(movement.key)
    if known is not None:
        if _asked(known.movement) != _asked(movement):
            raise Refused(Code.IDEMPOTENCY_KEY_REUSED, "the key belongs to another movement of money", "key")
        return []
    if movement.key in state.moved:
        raise Refused(Code.IDEMPOTENCY_KEY_REUSED, "money was moved under the key long ago", "key")
    step = move_money(state, movement, now_ns)
    number = state.event_seq + 1
    if not _needs_another(state, movement, now_ns):
        return [MoneyRequested(MoneyRequest(number, movement, command.reason, now_ns, MOVED)), *step]
    if len(state.requests.pending) >= PENDING_LIMIT:
        raise Refused(Code.TOO_MANY_PENDING, f"{PENDING_LIMIT} requests wait for a decision: decide one first")
    return [MoneyRequested(MoneyRequest(number, movement, command.reason, now_ns, PENDING))]


def decide_request(state: State, command: DecideRequest, now_ns: int) -> list[Event]:
    """Whoever has asked may turn it down, and not approve it. Decided again in the same way it stays as it is."""
    check_actor(command.actor)
    check_reason(command.reason)
    request = state.requests.find(command.request_id)
    if request is None:
        raise Refused(Code.UNKNOWN_REQUEST, f"there is no request {command.request_id}", "request_id")
    status = MOVED if command.approves else REJECTED
    if request.status is not PENDING:
        if (request.status, request.decided_by) == (status, command.actor):
            return []
        raise Refused(Code.REQUEST_DECIDED, f"request {request.request_id} is {request.status.value} already")
    if command.approves and command.actor == request.movement.actor:
        raise Refused(Code.SAME_PERSON, f"{command.actor} has asked for it: another person must approve it", "actor")
    decided = msgspec.structs.replace(
        request, status=status, decided_by=command.actor, decision_reason=command.reason, decided_ns=now_ns
    )
    step = move_money(state, request.movement, now_ns) if command.approves else []
    return [RequestDecided(decided), *step]


def _needs_another(state: State, movement: Movement, now_ns: int) -> bool:
    """Whether it is more than one person may move on the account within a day, with what they have moved already.

    Small parts of a large amount are counted together, in whichever direction each goes. Where so many were asked for
    within the day that some are forgotten, nobody moves anything alone.
    """
    limit_minor = state.approval_limits.get(account_of(state, movement.account_id).currency, 0)
    moved_minor = abs(movement.amount_minor)
    if moved_minor > limit_minor or state.requests.forgets_after(now_ns - DAY_NS):
        return True
    for request in reversed(state.requests.by_key.values()):
        if request.asked_ns <= now_ns - DAY_NS:
            break
        other = request.movement
        alone = request.status is MOVED and not request.decided_by
        if alone and (other.account_id, other.actor) == (movement.account_id, movement.actor):
            moved_minor += abs(other.amount_minor)
    return moved_minor > limit_minor


def _asked(movement: Movement) -> tuple[type, int, int]:
    return type(movement), movement.account_id, movement.amount_minor
