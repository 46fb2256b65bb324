"""Orders, fills and positions: the words that clients, the ledger and history share."""

from enum import Enum

import msgspec


class Side(Enum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


BUY = Side.BUY
"""For the hot path: in Python 3.11 looking a member up in its class takes longer than a division."""


class OrderType(Enum):
    MARKET = "market"


class OrderStatus(Enum):
    FILLED = "filled"
    REJECTED = "rejected"


class OrderReason(Enum):
    """Who or what asked for the order."""

    CLIENT = "client"
    CLOSE = "close"
    """The client closes a position, whatever is left of it."""
    REDUCE = "reduce"
    """The client closes a named quantity of a position."""
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"


class Conversion(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How an amount in the quote currency became one in the account's: times `multiplier_e8`, over `divisor_e8`."""

    symbol: str
    """The cross that was used; empty where the currencies are the same."""
    tick_seq: int
    multiplier_e8: int
    divisor_e8: int


class Fill(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One execution. Never changed once made."""

    fill_id: int
    order_id: int
    account_id: int
    position_id: int
    symbol: str
    side: Side
    price_e8: int
    quantity_e8: int
    profit_minor: int
    """Realised by this fill, in the account's currency; 0 where it opens."""
    conversion: Conversion
    tick_seq: int
    time_ns: int


class Order(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A client's order, or one that the engine made for a client (a stop loss that was reached)."""

    order_id: int
    account_id: int
    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    reason: OrderReason
    quantity_e8: int
    stop_loss_e8: int
    """0 where there is none; so for `take_profit_e8`."""
    take_profit_e8: int
    status: OrderStatus
    filled_e8: int
    average_price_e8: int
    position_id: int
    created_ns: int


class Position(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One open position of a hedging account. Quantity 0: it is closed."""

    position_id: int
    account_id: int
    symbol: str
    side: Side
    quantity_e8: int
    open_price_e8: int
    margin_minor: int
    stop_loss_e8: int
    take_profit_e8: int
    opened_ns: int


class Outcome(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What became of an order: its fills, or the code and the sentence of the refusal."""

    order: Order
    fills: tuple[Fill, ...]
    code: str = ""
    detail: str = ""
