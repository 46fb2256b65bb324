"""Orders, fills and positions: the words that clients, the ledger and history share."""

from enum import Enum

import msgspec


class Side(Enum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> "Side":
        return SELL if self is BUY else BUY


# For the hot path: in Python 3.11 looking a member up in its class takes longer than a division.
BUY = Side.BUY
SELL = Side.SELL


class OrderType(Enum):
    MARKET = "market"
    LIMIT = "limit"
    """At `limit_e8` or better."""
    STOP = "stop"
    """At the market once the price is as bad as `stop_e8`: a buy when the ask is there, a sell when the bid is."""
    STOP_LIMIT = "stop_limit"
    """A limit order once the price is as bad as `stop_e8`."""
    MARKET_IF_TOUCHED = "market_if_touched"
    """At the market once the price is as good as `stop_e8`."""
    TRAILING_STOP = "trailing_stop"
    """A stop that follows the best price at a distance of `trail_e8`."""


class TimeInForce(Enum):
    """How long an order stands (FIX 4.4, tag 59)."""

    GTC = "gtc"
    """Until it is cancelled."""
    GTD = "gtd"
    """Until `expires_ns`."""
    DAY = "day"
    """Until the end of the trading day, 17:00 New York."""
    IOC = "ioc"
    """Now, as much as is possible; the rest is cancelled."""
    FOK = "fok"
    """Now and whole, or not at all."""


DAY = TimeInForce.DAY


class OrderStatus(Enum):
    """Where an order is. lifecycle.py has the table of what may follow what."""

    WORKING = "working"
    """It waits for its price."""
    TRIGGERED = "triggered"
    """A stop-limit order whose stop was reached: a limit order now."""
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"

    __hash__ = object.__hash__
    """By identity, in C: Enum's own is a function in Python, and this one is looked up with each fill."""


class OrderReason(Enum):
    """Who or what asked for the order."""

    CLIENT = "client"
    CLOSE = "close"
    """The client closes or reverses positions."""
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    TRAILING_STOP = "trailing_stop"
    STOP_OUT = "stop_out"
    """The account's equity fell below the stop-out level of its margin."""


class OrderTerms(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is asked for. Prices that do not belong to the type are 0, and so is a protection that is not wanted."""

    symbol: str
    side: Side
    type: OrderType
    quantity_e8: int
    time_in_force: TimeInForce = TimeInForce.GTC
    limit_e8: int = 0
    stop_e8: int = 0
    trail_e8: int = 0
    bound_e8: int = 0
    """The worst price that an order at the market may be filled at."""
    stop_loss_e8: int = 0
    """Becomes the position's; so for the next two."""
    take_profit_e8: int = 0
    trailing_stop_e8: int = 0
    """A distance."""
    expires_ns: int = 0
    reduce_only: bool = False
    """Closes what is open on the other side, oldest first, and opens nothing."""
    oco: str = ""
    """One cancels the others: orders of the account with the same mark."""


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
    commission_minor: int = 0
    """What the client was charged for it."""


class RoutedBy(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The dealing rule that decided where an order went, as it was then."""

    version: int
    """Of the rules."""
    rule_id: int
    name: str


class Order(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A client's order, or one that the engine made for a client (a stop loss that was reached)."""

    order_id: int
    account_id: int
    client_order_id: str
    """Empty where the engine made it. Orders that came of one request have the same."""
    terms: OrderTerms
    request: str
    """What the client asked for where that was no order: "close 5", "close all losers EURUSD"."""
    reason: OrderReason
    status: OrderStatus
    filled_e8: int
    average_price_e8: int
    position_id: int
    """Of the last fill, or the position that is to be closed; 0 where there is none."""
    created_ns: int
    trail_seq: int = 0
    """Number of the event that a trailing stop began to follow with: each beginning has its own."""
    asked_e8: int = 0
    """The quantity of before, where a reduce-only order was cut to what is open."""
    at_venue_e8: int = 0
    """How much of it is with execution venues, neither filled nor come back. It waits for no price then."""
    reserved_minor: int = 0
    """Margin that is kept free for what is at venues."""
    routed_by: RoutedBy | None = None
    """None while it waits, where it only closes (that goes where it was opened), and before rules were ever defined."""

    @property
    def asked(self) -> OrderTerms | str:
        """The request or the terms as the client sent them: without the day's end, and before the cut."""
        terms = self.terms
        if self.request or not (self.asked_e8 or terms.time_in_force is DAY):
            return self.request or terms
        expires_ns = 0 if terms.time_in_force is DAY else terms.expires_ns
        return msgspec.structs.replace(terms, quantity_e8=self.asked_e8 or terms.quantity_e8, expires_ns=expires_ns)

    @property
    def symbol(self) -> str:
        return self.terms.symbol

    @property
    def side(self) -> Side:
        return self.terms.side

    @property
    def quantity_e8(self) -> int:
        return self.terms.quantity_e8


class Position(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One open position. Quantity 0: it is closed."""

    position_id: int
    account_id: int
    symbol: str
    side: Side
    quantity_e8: int
    open_price_e8: int
    margin_minor: int
    """What it would tie up if it were all that the account has in the symbol, at the conversion of its last fill.

    On the terms of the group then. What the account's positions tie up together is in its requirements, by symbol.
    """
    stop_loss_e8: int
    take_profit_e8: int
    opened_ns: int
    trailing_stop_e8: int = 0
    """Distance of the stop from the best price since it was set; 0 where there is none."""
    open_rest_e16: int = 0
    """What the average price leaves over: it cost quantity times open price, and this."""
    trail_seq: int = 0
    """Number of the event that the trailing stop began to follow with: each beginning has its own."""
    a_book_e8: int = 0
    """How much of it the broker has dealt on at a venue, and deals there again when it closes."""
    venue: str = ""
    """Where the last of it was dealt on."""

    @property
    def cost_e16(self) -> int:
        """What was paid (got, for a short one) for what is open, in the quote currency."""
        return self.quantity_e8 * self.open_price_e8 + self.open_rest_e16


class Outcome(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What became of a request: its (last) order, all fills, or the code and the sentence of the refusal."""

    asked: OrderTerms | str
    """As it was asked: the first terms of an order, or the request in words."""
    order: Order
    fills: tuple[Fill, ...]
    code: str = ""
    detail: str = ""
