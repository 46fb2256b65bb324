"""Money that staff move. Prices are those of examples.py; the account holds 10,000 USD."""

import pytest

from actors.domain import ledger
from actors.domain.broker import apply
from actors.domain.commands import Adjust, Deposit, GrantCredit, Movement, ObserveTicks, Withdraw
from actors.domain.events.accounts import MoneyMoved
from actors.domain.ledger import Entry, Posting, PostingKind
from actors.domain.order import Side
from actors.domain.refusal import Code
from actors.domain.state import State
from tests.actors.domain.deals import NOW_NS, filled, refusal
from tests.examples import ACCOUNT, opening, order, tick, trading_state


def told(state: State, *commands: Movement) -> None:
    for command in commands:
        apply(state, command, NOW_NS)


def figures(state: State) -> tuple[int, int, int, int]:
    """Balance, credit, equity and free margin."""
    summary = state.summary(state.accounts[ACCOUNT], NOW_NS)
    return summary.balance_minor, summary.credit_minor, summary.equity_minor, summary.free_margin_minor


@pytest.mark.parametrize(
    ("command", "kind", "client", "broker", "amount_minor", "expected"),
    [
        (Deposit, PostingKind.DEPOSIT, "client:1", ledger.CASH, 50_00, (10_050_00, 0, 10_050_00)),
        (Withdraw, PostingKind.WITHDRAWAL, "client:1", ledger.CASH, 50_00, (9_950_00, 0, 9_950_00)),
        (GrantCredit, PostingKind.CREDIT, "credit:1", ledger.PROMOTION, 50_00, (10_000_00, 50_00, 10_050_00)),
        (Adjust, PostingKind.ADJUSTMENT, "client:1", ledger.ADJUSTMENTS, 50_00, (10_050_00, 0, 10_050_00)),
        (Adjust, PostingKind.ADJUSTMENT, "client:1", ledger.ADJUSTMENTS, -50_00, (9_950_00, 0, 9_950_00)),
        # An adjustment corrects what was booked: it may leave the client owing.
        (Adjust, PostingKind.ADJUSTMENT, "client:1", ledger.ADJUSTMENTS, -10_001_00, (-1_00, 0, -1_00)),
    ],
)
def test_a_movement_is_one_balanced_posting(
    command: type[Deposit | Withdraw | GrantCredit | Adjust],
    kind: PostingKind,
    client: str,
    broker: str,
    amount_minor: int,
    expected: tuple[int, int, int],
) -> None:
    state = trading_state()
    moved_minor = -amount_minor if command is Withdraw else amount_minor
    entries = (Entry(client, "USD", moved_minor), Entry(broker, "USD", -moved_minor))
    posting = Posting(2, kind, f"{kind.value}:key", NOW_NS, entries)
    events = apply(state, command(ACCOUNT, amount_minor, "key", "anna"), NOW_NS)
    assert events == [MoneyMoved(ACCOUNT, "key", "anna", posting)]
    assert figures(state)[:3] == expected


def test_what_can_be_withdrawn_is_free_margin() -> None:
    """10,000 EURUSD bought at 1.10020 tie up 366.37 and are 2.00 down: 10,000.00 - 2.00 - 366.37 = 9,631.63."""
    state = trading_state()
    filled(state, order("EURUSD", Side.BUY, "10000"))
    too_much = (Code.NOT_WITHDRAWABLE, "9631.63 USD can be taken < 9631.64", "amount")
    assert refusal(state, Withdraw(ACCOUNT, 9_631_64, "out", "anna")) == too_much
    told(state, Withdraw(ACCOUNT, 9_631_63, "out", "anna"))
    assert figures(state) == (368_37, 0, 366_37, 0)


def test_open_profit_cannot_be_withdrawn_beyond_the_balance() -> None:
    """At 2.20000 the 10,000 EUR are 10,998.00 up; free margin is 20,631.63, but the balance is 10,000.00."""
    state = trading_state()
    filled(state, order("EURUSD", Side.BUY, "10000"))
    apply(state, ObserveTicks((tick("EURUSD", "2.20000", "2.20020", 2),)), NOW_NS)
    assert figures(state) == (10_000_00, 0, 20_998_00, 20_631_63)
    too_much = (Code.NOT_WITHDRAWABLE, "10000.00 USD can be taken < 10000.01", "amount")
    assert refusal(state, Withdraw(ACCOUNT, 10_000_01, "out", "anna")) == too_much
    told(state, Withdraw(ACCOUNT, 10_000_00, "out", "anna"))
    assert figures(state) == (0, 0, 10_998_00, 10_631_63)


def test_credit_is_margin_and_is_never_paid_out() -> None:
    """With 500.00 of credit there are 500.00 more of equity, and not a cent more to withdraw."""
    state = trading_state()
    told(state, GrantCredit(ACCOUNT, 500_00, "bonus", "anna"))
    assert figures(state) == (10_000_00, 500_00, 10_500_00, 10_500_00)
    too_much = (Code.NOT_WITHDRAWABLE, "10000.00 USD can be taken < 10000.01", "amount")
    assert refusal(state, Withdraw(ACCOUNT, 10_000_01, "out", "anna")) == too_much
    filled(state, order("EURUSD", Side.BUY, "10000"))
    too_much = (Code.NOT_WITHDRAWABLE, "9631.63 USD can be taken < 9631.64", "amount")
    assert refusal(state, Withdraw(ACCOUNT, 9_631_64, "out", "anna")) == too_much


def test_credit_alone_opens_a_position() -> None:
    """368.37 are enough for 10,000 EURUSD: 366.37 of margin and 2.00 of spread."""
    state = trading_state("0.01")
    told(state, GrantCredit(ACCOUNT, 368_36, "bonus", "anna"))
    filled(state, order("EURUSD", Side.BUY, "10000"))
    assert figures(state) == (1, 368_36, 366_37, 0)


def test_credit_is_taken_back_as_far_as_it_was_given() -> None:
    state = trading_state()
    told(state, GrantCredit(ACCOUNT, 500_00, "bonus", "anna"))
    too_much = (Code.NOT_WITHDRAWABLE, "500.00 USD can be taken < 500.01", "amount")
    assert refusal(state, GrantCredit(ACCOUNT, -500_01, "back", "anna")) == too_much
    told(state, GrantCredit(ACCOUNT, -500_00, "back", "anna"))
    assert figures(state) == (10_000_00, 0, 10_000_00, 10_000_00)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (Deposit(ACCOUNT, 0, "key", "anna"), (Code.BAD_AMOUNT, "amount")),
        (Deposit(ACCOUNT, 10**15 + 1, "key", "anna"), (Code.BAD_AMOUNT, "amount")),
        (Withdraw(ACCOUNT, 0, "key", "anna"), (Code.BAD_AMOUNT, "amount")),
        # A negative withdrawal would be a deposit without its name.
        (Withdraw(ACCOUNT, -1, "key", "anna"), (Code.BAD_AMOUNT, "amount")),
        (GrantCredit(ACCOUNT, 0, "key", "anna"), (Code.BAD_AMOUNT, "amount")),
        (GrantCredit(ACCOUNT, 10**15 + 1, "key", "anna"), (Code.BAD_AMOUNT, "amount")),
        (GrantCredit(ACCOUNT, -1, "key", "anna"), (Code.NOT_WITHDRAWABLE, "amount")),
        (Adjust(ACCOUNT, 0, "key", "anna"), (Code.BAD_AMOUNT, "amount")),
        (Adjust(ACCOUNT, -(10**15) - 1, "key", "anna"), (Code.BAD_AMOUNT, "amount")),
        (Withdraw(9, 1, "key", "anna"), (Code.UNKNOWN_ACCOUNT, "account_id")),
        (Withdraw(ACCOUNT, 1, "", "anna"), (Code.BAD_KEY, "key")),
        (Adjust(ACCOUNT, 1, "line\nbreak", "anna"), (Code.BAD_KEY, "key")),
        (GrantCredit(ACCOUNT, 1, "key", ""), (Code.BAD_ACTOR, "actor")),
        (Adjust(ACCOUNT, 1, "key", "x" * 65), (Code.BAD_ACTOR, "actor")),
    ],
)
def test_what_is_not_sound_is_refused(command: Movement, expected: tuple[Code, str]) -> None:
    assert refusal(trading_state(), command)[::2] == expected


def test_a_key_moves_money_once() -> None:
    """Sent again it changes nothing, even where it would be refused by now."""
    state = trading_state()
    command = Withdraw(ACCOUNT, 10_000_00, "key", "anna")
    told(state, command)
    assert apply(state, command, NOW_NS + 1) == []
    assert figures(state) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "other",
    [
        Deposit(ACCOUNT, 50_01, "key", "anna"),
        Deposit(2, 50_00, "key", "anna"),
        Withdraw(ACCOUNT, 50_00, "key", "anna"),
        GrantCredit(ACCOUNT, 50_00, "key", "anna"),
        Adjust(ACCOUNT, 50_00, "key", "anna"),
    ],
)
def test_a_key_belongs_to_one_movement(other: Movement) -> None:
    state = trading_state()
    for command in opening(account_id=2):
        apply(state, command, NOW_NS)
    told(state, Deposit(ACCOUNT, 50_00, "key", "anna"))
    sentence = "the key belongs to another movement of money"
    assert refusal(state, other) == (Code.IDEMPOTENCY_KEY_REUSED, sentence, "key")


def test_an_account_with_positions_but_no_price_of_a_cross_does_not_fall_over() -> None:
    """Its figures are those of the last prices, live or not."""
    state = trading_state()
    filled(state, order("EURGBP", Side.BUY, "10000"))
    dead = (tick("GBPUSD", "1.25000", "1.25020", 2, live=False), tick("EURGBP", "0.88000", "0.88020", 2, live=False))
    apply(state, ObserveTicks(dead), NOW_NS)
    told(state, Withdraw(ACCOUNT, 1_000_00, "out", "anna"))
    assert figures(state)[0] == 9_000_00
