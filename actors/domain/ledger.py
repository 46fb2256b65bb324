"""Double entry: every posting sums to zero per currency, or it is not made."""

from collections.abc import Iterable
from enum import Enum

import msgspec

CASH = "broker:cash"
"""Money that clients paid in, as the broker holds it: falls below zero by what it owes them."""
TRADING = "broker:trading"
"""The broker's own profit and loss on the book that it deals itself (B-book).

What a client gains by a fill that a venue has dealt for the broker (A-book) comes from the venue's account instead
(`lp`), and what it loses goes there: the broker has the same deal with the venue, at the venue's price. What is left on
that account once all is closed is the broker's markup, to be settled with the venue. Either way a posting has the
client on one side and one account of the broker on the other, in the client's currency, and sums to zero.
"""


FEES = "broker:fees"
"""Commission that clients paid."""
SWAPS = "broker:swaps"
"""Financing that clients paid, less what they got."""
PROMOTION = "broker:promotion"
"""Credit that was given."""
ADJUSTMENTS = "broker:adjustments"
PROTECTION = "broker:protection"
"""Negative balances that were forgiven."""


def client(account_id: int) -> str:
    """The ledger account of a client's trading account."""
    return f"client:{account_id}"


def lp(venue: str) -> str:
    """The ledger account of what the broker gets from an execution venue: negative, what it has got."""
    return f"lp:{venue}"


def credit(account_id: int) -> str:
    """The ledger account of the credit that a client was given: equity, and never paid out."""
    return f"credit:{account_id}"


class PostingKind(Enum):
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    CREDIT = "credit"
    ADJUSTMENT = "adjustment"
    TRADE = "trade"
    COMMISSION = "commission"
    SWAP = "swap"
    PROTECTION = "protection"


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One line of a posting. Positive: the ledger account has more."""

    account: str
    currency: str
    amount_minor: int


class Posting(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A balanced movement of money."""

    posting_id: int
    kind: PostingKind
    reference: str
    """What caused it: "fill:17", "deposit:KEY"."""
    time_ns: int
    entries: tuple[Entry, ...]


class Unbalanced(ArithmeticError):
    """A posting does not sum to zero in one of its currencies: a fault in our own code, never a client's."""


def transfer(
    posting_id: int,
    kind: PostingKind,
    reference: str,
    time_ns: int,
    debit: str,
    credit: str,
    currency: str,
    amount_minor: int,
) -> Posting:
    """Moves `amount_minor` from `debit` to `credit` (a negative amount goes the other way)."""
    return Posting(
        posting_id,
        kind,
        reference,
        time_ns,
        (Entry(credit, currency, amount_minor), Entry(debit, currency, -amount_minor)),
    )


class Ledger:
    """Balances by ledger account and currency. Takes balanced postings only."""

    def __init__(self, balances: Iterable[Entry] = ()) -> None:
        self._balances = {(entry.account, entry.currency): entry.amount_minor for entry in balances}
        if not self.is_balanced():
            raise Unbalanced("the opening balances do not sum to zero")

    def post(self, posting: Posting) -> None:
        """Books a posting whole, or raises `Unbalanced` and books nothing."""
        sums: dict[str, int] = {}
        for entry in posting.entries:
            sums[entry.currency] = sums.get(entry.currency, 0) + entry.amount_minor
        if any(sums.values()):
            raise Unbalanced(f"posting {posting.posting_id} sums to {sums}")
        balances = self._balances
        for entry in posting.entries:
            key = (entry.account, entry.currency)
            balances[key] = balances.get(key, 0) + entry.amount_minor

    def balance(self, account: str, currency: str) -> int:
        return self._balances.get((account, currency), 0)

    def balances(self) -> tuple[Entry, ...]:
        return tuple(Entry(account, currency, amount) for (account, currency), amount in self._balances.items())

    def is_balanced(self) -> bool:
        sums: dict[str, int] = {}
        for (_, currency), amount in self._balances.items():
            sums[currency] = sums.get(currency, 0) + amount
        return not any(sums.values())
