"""What happens to an account apart from its deals: money, margin, the end of the day."""

from actors.domain.commands import Mode
from actors.domain.events.happened import (
    Happened,
)
from actors.domain.group import STANDARD
from actors.domain.ledger import Entry, Posting
from actors.domain.order import Position
from actors.domain.risk.requirement import Requirement
from actors.domain.risk.stop_out import MarginStatus


class AccountOpened(Happened, frozen=True):
    account_id: int
    currency: str
    mode: Mode = Mode.HEDGING
    group: str = STANDARD


class MarginRevised(Happened, frozen=True):
    """What an account has open in a symbol asks for this margin by the terms of now."""

    account_id: int
    symbol: str
    requirement: Requirement


class MoneyMoved(Happened, frozen=True):
    account_id: int
    key: str
    actor: str
    posting: Posting


class MarginStatusChanged(Happened, frozen=True):
    """An account fell below its margin call or stop-out level, or came back, with the numbers that decided it."""

    account_id: int
    status: MarginStatus
    equity_minor: int
    maintenance_minor: int


class NegativeBalanceForgiven(Happened, frozen=True):
    """An account with nothing open owed money, and need not pay it."""

    account_id: int
    posting: Posting


class SwapCharged(Happened, frozen=True):
    """A position was kept over a roll: what that costs its client, or brings it, for so many nights."""

    position: Position
    nights: int
    posting: Posting


class DaySealed(Happened, frozen=True):
    """The trial balance at the end of a trading day: every ledger account, and all currencies sum to zero."""

    trading_day: int
    balances: tuple[Entry, ...]
