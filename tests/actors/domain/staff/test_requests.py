"""Money that staff ask for: the limit of one person, and four eyes above it. The account holds 10,000 USD."""

import msgspec
import pytest

from actors.domain import ledger
from actors.domain.approval import PENDING_LIMIT, REQUESTS_LIMIT, MoneyRequest, RequestStatus
from actors.domain.broker import apply
from actors.domain.commands import (
    Adjust,
    DecideRequest,
    Deposit,
    GrantCredit,
    Movement,
    RequestMoney,
    SetApprovalLimits,
    Withdraw,
)
from actors.domain.events.accounts import MoneyMoved
from actors.domain.events.event import Event
from actors.domain.events.terms import ApprovalLimitsSet, MoneyRequested, RequestDecided
from actors.domain.ledger import PostingKind
from actors.domain.refusal import Code
from actors.domain.snapshot import restore, snapshot
from actors.domain.staff.requests import DAY_NS
from actors.domain.state import State
from tests.actors.domain.deals import NOW_NS, refusal
from tests.examples import ACCOUNT, encoded, trading_state

PENDING, MOVED, REJECTED = RequestStatus.PENDING, RequestStatus.MOVED, RequestStatus.REJECTED


def desk(limit_minor: int = 1_000_00) -> State:
    state = trading_state()
    limits = {"USD": limit_minor}
    assert apply(state, SetApprovalLimits(limits), NOW_NS) == [ApprovalLimitsSet(limits)]
    assert apply(state, SetApprovalLimits(limits), NOW_NS) == []
    return state


def ask(state: State, movement: Movement, now_ns: int = NOW_NS) -> list[Event]:
    return apply(state, RequestMoney(movement, "as agreed"), now_ns)


def balance(state: State) -> int:
    return state.balance_minor(state.accounts[ACCOUNT])


def moved(state: State, kind: PostingKind, amount_minor: int, broker: str = ledger.CASH) -> MoneyMoved:
    number = state.last_posting_id + 1
    posting = ledger.transfer(
        number, kind, f"{kind.value}:k", NOW_NS, broker, ledger.client(ACCOUNT), "USD", amount_minor
    )
    return MoneyMoved(ACCOUNT, "k", "anna", posting)


def test_up_to_the_limit_it_is_moved_at_once_and_once() -> None:
    state = desk()
    movement = Deposit(ACCOUNT, 1_000_00, "k", "anna")
    expected = moved(state, PostingKind.DEPOSIT, 1_000_00)
    request = MoneyRequest(state.event_seq + 1, movement, "as agreed", NOW_NS, MOVED)
    assert ask(state, movement) == [MoneyRequested(request), expected]
    assert ask(state, movement, NOW_NS + 5) == []
    assert balance(state) == 11_000_00
    assert refusal(state, RequestMoney(Deposit(ACCOUNT, 1, "k", "anna"), "other"))[0] is Code.IDEMPOTENCY_KEY_REUSED


@pytest.mark.parametrize(
    ("movement", "kind", "signed_minor", "broker"),
    [
        (Deposit(ACCOUNT, 1_000_01, "k", "anna"), PostingKind.DEPOSIT, 1_000_01, ledger.CASH),
        (Withdraw(ACCOUNT, 1_000_01, "k", "anna"), PostingKind.WITHDRAWAL, -1_000_01, ledger.CASH),
        (Adjust(ACCOUNT, -1_000_01, "k", "anna"), PostingKind.ADJUSTMENT, -1_000_01, ledger.ADJUSTMENTS),
    ],
)
def test_above_it_another_person_approves(
    movement: Movement, kind: PostingKind, signed_minor: int, broker: str
) -> None:
    state = desk()
    request = MoneyRequest(state.event_seq + 1, movement, "as agreed", NOW_NS, PENDING)
    assert ask(state, movement) == [MoneyRequested(request)]
    assert balance(state) == 10_000_00
    state = restore(snapshot(state))
    assert state.requests.pending == [request]
    number = request.request_id
    same = refusal(state, DecideRequest(number, True, "anna", "mine"))
    assert same == (Code.SAME_PERSON, "anna has asked for it: another person must approve it", "actor")
    decided = msgspec.structs.replace(
        request, status=MOVED, decided_by="olga", decision_reason="seen", decided_ns=NOW_NS
    )
    expected = moved(state, kind, signed_minor, broker)
    assert apply(state, DecideRequest(number, True, "olga", "seen"), NOW_NS) == [RequestDecided(decided), expected]
    assert balance(state) == 10_000_00 + signed_minor
    assert apply(state, DecideRequest(number, True, "olga", "seen"), NOW_NS + 1) == []
    assert ask(state, movement) == []
    for told in (DecideRequest(number, False, "olga", "no"), DecideRequest(number, True, "rita", "me too")):
        assert refusal(state, told)[0] is Code.REQUEST_DECIDED
    copy = restore(snapshot(state))
    assert encoded(copy) == encoded(state)


def test_who_asked_may_turn_it_down_and_nothing_moves() -> None:
    state = desk()
    ask(state, GrantCredit(ACCOUNT, 5_000_00, "k", "anna"))
    (request,) = state.requests.pending
    (decided,) = apply(state, DecideRequest(request.request_id, False, "anna", "a slip"), NOW_NS)
    assert isinstance(decided, RequestDecided)
    assert (decided.request.status, decided.request.decided_by) == (REJECTED, "anna")
    assert ask(state, GrantCredit(ACCOUNT, 5_000_00, "k", "anna")) == []
    assert state.requests.pending == []


def test_small_parts_of_a_day_count_together_by_person_and_account() -> None:
    state = desk()
    ask(state, Deposit(ACCOUNT, 600_00, "a", "anna"))
    ask(state, Deposit(ACCOUNT, 600_00, "b", "olga"))
    assert state.requests.pending == []
    ask(state, Withdraw(ACCOUNT, 600_00, "c", "anna"))
    assert [request.movement.key for request in state.requests.pending] == ["c"]
    ask(state, Withdraw(ACCOUNT, 600_00, "d", "anna"), NOW_NS + DAY_NS)
    assert [request.movement.key for request in state.requests.pending] == ["c"]


def test_a_withdrawal_must_still_be_covered_when_it_is_approved() -> None:
    state = desk()
    ask(state, Withdraw(ACCOUNT, 9_000_00, "k", "anna"))
    (request,) = state.requests.pending
    apply(state, Withdraw(ACCOUNT, 2_000_00, "other", "anna"), NOW_NS)
    assert refusal(state, DecideRequest(request.request_id, True, "olga", "ok"))[0] is Code.NOT_WITHDRAWABLE
    assert state.requests.pending == [request]


def test_what_is_not_asked_for_well() -> None:
    state = desk()
    for told, code in (
        (RequestMoney(Deposit(ACCOUNT, 1, "k", "anna"), ""), Code.BAD_REASON),
        (RequestMoney(Deposit(9, 1, "k", "anna"), "x"), Code.UNKNOWN_ACCOUNT),
        (RequestMoney(Withdraw(ACCOUNT, 10_000_01, "k", "anna"), "x"), Code.NOT_WITHDRAWABLE),
        (RequestMoney(Deposit(ACCOUNT, 10_000_00, "opening-1", "test"), "x"), Code.IDEMPOTENCY_KEY_REUSED),
        (DecideRequest(99, True, "olga", "x"), Code.UNKNOWN_REQUEST),
        (SetApprovalLimits({"USD": -1}), Code.BAD_TERMS),
    ):
        assert refusal(state, told)[0] is code


def test_without_a_limit_for_the_currency_everything_is_approved() -> None:
    state = trading_state()
    ask(state, Deposit(ACCOUNT, 1, "k", "anna"))
    assert len(state.requests.pending) == 1


def test_pending_requests_are_bounded() -> None:
    state = desk()
    for number in range(PENDING_LIMIT):
        ask(state, Deposit(ACCOUNT, 1_000_01, f"k{number}", "anna"))
    told = RequestMoney(Deposit(ACCOUNT, 1_000_01, "one more", "anna"), "x")
    assert refusal(state, told)[0] is Code.TOO_MANY_PENDING


def test_where_requests_of_the_day_are_forgotten_nobody_moves_money_alone() -> None:
    """11,000 of one cent have pushed the 900.00 of before out: what was moved in parts cannot be counted any more."""
    state = desk()
    limit = REQUESTS_LIMIT + PENDING_LIMIT
    ask(state, Deposit(ACCOUNT, 900_00, "k", "anna"))
    for number in range(limit - 1):
        ask(state, GrantCredit(ACCOUNT, 1 - number % 2 * 2, f"cent-{number}", "bert"))
    more = Deposit(ACCOUNT, 1, "more", "bert")
    assert [type(event) for event in ask(state, more)] == [MoneyRequested]
    assert state.requests.by_key["more"].status is PENDING
    after = Deposit(ACCOUNT, 1, "after", "bert")
    assert [type(event) for event in ask(state, after, NOW_NS + DAY_NS)] == [MoneyRequested, MoneyMoved]
