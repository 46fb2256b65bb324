"""Money that staff move on an account, once per idempotency key, each with who is answerable."""

from actors.domain import ledger
from actors.domain.account import Account
from actors.domain.checks import account_of, is_name
from actors.domain.commands import Adjust, Deposit, GrantCredit, Movement, Withdraw
from actors.domain.events.accounts import MoneyMoved
from actors.domain.events.event import Event
from actors.domain.ledger import PostingKind
from actors.domain.money import format_minor
from actors.domain.refusal import Code, Refused
from actors.domain.state import State

AMOUNT_LIMIT_MINOR = 10**15
BOOKS_LIMIT_MINOR = 10**18
"""All that is moved against one account of the broker: balances stay within the 64 bits of the bus and the journal."""
TEXT_LIMIT_CHARACTERS = 64

KINDS: dict[type, tuple[PostingKind, str]] = {
    Deposit: (PostingKind.DEPOSIT, ledger.CASH),
    Withdraw: (PostingKind.WITHDRAWAL, ledger.CASH),
    GrantCredit: (PostingKind.CREDIT, ledger.PROMOTION),
    Adjust: (PostingKind.ADJUSTMENT, ledger.ADJUSTMENTS),
}
"""Of each movement the kind of its posting, and where the money comes from or goes to."""


def move_money(state: State, command: Movement, now_ns: int) -> list[Event]:
    account = account_of(state, command.account_id)
    kind, counterpart = KINDS[type(command)]
    if not is_name(command.key, TEXT_LIMIT_CHARACTERS):
        raise Refused(Code.BAD_KEY, f"a key has 1 to {TEXT_LIMIT_CHARACTERS} printable characters", "key")
    check_actor(command.actor)
    amount_minor = -command.amount_minor if isinstance(command, Withdraw) else command.amount_minor
    moved = (account.account_id, kind.value, amount_minor)
    done = state.moved.get(command.key)
    if done is not None:
        if done != moved:
            raise Refused(Code.IDEMPOTENCY_KEY_REUSED, "the key belongs to another movement of money", "key")
        return []
    _check_amount(state, account, command)
    posting = ledger.transfer(
        state.last_posting_id + 1,
        kind,
        f"{kind.value}:{command.key}",
        now_ns,
        counterpart,
        ledger.credit(account.account_id) if isinstance(command, GrantCredit) else account.ledger_account,
        account.currency,
        amount_minor,
    )
    return [MoneyMoved(account.account_id, command.key, command.actor, posting)]


def check_actor(actor: str) -> None:
    if not is_name(actor, TEXT_LIMIT_CHARACTERS):
        raise Refused(Code.BAD_ACTOR, f"an actor has 1 to {TEXT_LIMIT_CHARACTERS} printable characters", "actor")


def _check_amount(state: State, account: Account, command: Movement) -> None:
    """Withdrawals are covered by balance and free margin, and credit is taken back only as far as it was given."""
    amount_minor, currency = command.amount_minor, account.currency
    either_way = isinstance(command, GrantCredit | Adjust)
    if not 0 < (abs(amount_minor) if either_way else amount_minor) <= AMOUNT_LIMIT_MINOR:
        raise Refused(Code.BAD_AMOUNT, "the amount is more than nothing and within the limit", "amount")
    if abs(state.ledger.balance(KINDS[type(command)][1], currency)) + abs(amount_minor) > BOOKS_LIMIT_MINOR:
        raise Refused(Code.BAD_AMOUNT, f"the broker's books hold no more {currency}", "amount")
    if isinstance(command, Withdraw):
        taken_minor = amount_minor
        free_margin_minor = state.summary(account, 0).free_margin_minor - state.credit_minor(account)
        free_minor = min(state.balance_minor(account), free_margin_minor)
    elif isinstance(command, GrantCredit):
        taken_minor, free_minor = -amount_minor, state.credit_minor(account)
    else:
        return
    if taken_minor > free_minor:
        raise Refused(
            Code.NOT_WITHDRAWABLE,
            f"{format_minor(free_minor, currency)} {currency} can be taken < {format_minor(taken_minor, currency)}",
            "amount",
        )
