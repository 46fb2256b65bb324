"""What clients ask for: orders, and the closing and protecting of what is open."""

from enum import Enum

from actors.domain.commands.told import Told
from actors.domain.order import OrderTerms, Side


class Which(Enum):
    """Which of the open positions are to be closed."""

    ALL = "all"
    WINNERS = "winners"
    LOSERS = "losers"


class SubmitOrder(Told, frozen=True):
    """A client's order. `client_order_id` is its identity: sent again unchanged, it gets the first answer again."""

    account_id: int
    client_order_id: str
    terms: OrderTerms


class ModifyOrder(Told, frozen=True):
    """Changes a waiting order: what has another value in `terms` than the order has. Symbol, side and type stay."""

    account_id: int
    order_id: int
    terms: OrderTerms
    seen: OrderTerms | None = None
    """What `terms` were made of: refused (VERSION_MISMATCH) where they are others by now. None: whatever they are."""


class CancelOrder(Told, frozen=True):
    """Takes a waiting order back. One that has gone already stays as it is, and is the answer."""

    account_id: int
    order_id: int


class ModifyPosition(Told, frozen=True):
    """Sets all three protections of a position; 0 takes one away."""

    account_id: int
    position_id: int
    stop_loss_e8: int
    take_profit_e8: int
    trailing_stop_e8: int = 0
    seen: tuple[int, int, int] | None = None
    """As of ModifyOrder: the three in this order."""


class ClosePosition(Told, frozen=True):
    """Closes a position, or `quantity_e8` of it (0: all) at the market."""

    account_id: int
    client_order_id: str
    position_id: int
    quantity_e8: int = 0
    symbol: str = ""
    """The position's, and the side that closes it, where the client says them too: refused where it has others."""
    side: Side | None = None


class ClosePositionBy(Told, frozen=True):
    """Closes a position against an opposite one of the same symbol, as far as both go: no spread is paid."""

    account_id: int
    client_order_id: str
    position_id: int
    other_position_id: int


class ClosePositions(Told, frozen=True):
    """Closes many at the market; `symbol` empty: in all symbols. Those that cannot be dealt now stay open."""

    account_id: int
    client_order_id: str
    which: Which
    symbol: str = ""


class ReversePosition(Told, frozen=True):
    """Closes a position and opens its opposite, of the same quantity."""

    account_id: int
    client_order_id: str
    position_id: int
