"""What persistence answers about an account's past, and about bars."""

from actors.bus.message import Body, Message
from actors.domain.order import Fill, Order
from actors.domain.prices.bar import Bar


class Orders(Body, frozen=True):
    orders: list[Order]


class Fills(Body, frozen=True):
    fills: list[Fill]


class LedgerLine(Message, frozen=True):
    """One entry of a ledger account, with what was there after it."""

    entry_id: int
    posting_id: int
    kind: str
    reference: str
    time_ns: int
    account: str
    currency: str
    amount_minor: int
    balance_minor: int


class Entries(Body, frozen=True):
    lines: list[LedgerLine]


class Transactions(Body, frozen=True):
    """Entries of a ledger account, oldest first, and what was there before the first that was asked for."""

    opening_minor: int
    lines: list[LedgerLine]


class Bars(Body, frozen=True):
    symbol: str
    minutes: int
    bars: list[Bar]
