"""The JSON that comes in and goes out, and what is required of it. Decimals and ids are text, times RFC 3339 in UTC."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from actors.domain.commands import Which
from actors.domain.order import OrderType, Side, TimeInForce

HISTORY_LIMIT = 500
BARS_LIMIT = 1_000
TICKS_LIMIT = 1_000

Decimal = Annotated[str, Meta(max_length=40, description="a plain decimal number", examples=["1.0845"])]
Id = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,17}$", description="an id", examples=["17"])]
Symbol = Annotated[str, Meta(min_length=1, max_length=32, examples=["EURUSD"])]
Time = Annotated[str, Meta(max_length=40, description="RFC 3339", examples=["2026-01-19T14:30:00Z"])]
SequenceNumber = Annotated[int, Meta(ge=1, le=999_999_999, description="MsgSeqNum (34) of the next message")]
Oco = Annotated[str, Meta(min_length=1, max_length=32, description="one cancels the others of the same mark")]
ClientOrderId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{1,64}$", description="the order's identity")]


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The base of bodies and of query parameters: what is not asked for is refused."""


class Login(Request, frozen=True):
    username: Annotated[str, Meta(min_length=1, max_length=64)]
    password: Annotated[str, Meta(min_length=1, max_length=1_024)]
    otp: Annotated[str, Meta(min_length=6, max_length=32, description="a code, or a recovery code")] | None = None


class Refresh(Request, frozen=True):
    refresh_token: Annotated[str, Meta(max_length=2_048)]


class PlaceOrder(Request, frozen=True):
    symbol: Symbol
    side: Side
    type: OrderType
    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None
    price_bound: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expires: Time | None = None
    reduce_only: bool = False
    oco: Oco | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    trailing_stop: Decimal | None = None
    client_order_id: ClientOrderId | None = None
    account_id: Id | None = None


class ChangeOrder(Request, frozen=True):
    """What is absent stays as it is; null takes it away."""

    quantity: Decimal | UnsetType = UNSET
    limit_price: Decimal | UnsetType | None = UNSET
    stop_price: Decimal | UnsetType | None = UNSET
    trail: Decimal | UnsetType | None = UNSET
    price_bound: Decimal | UnsetType | None = UNSET
    time_in_force: TimeInForce | UnsetType = UNSET
    expires: Time | UnsetType | None = UNSET
    reduce_only: bool | UnsetType = UNSET
    oco: Oco | UnsetType | None = UNSET
    stop_loss: Decimal | UnsetType | None = UNSET
    take_profit: Decimal | UnsetType | None = UNSET
    trailing_stop: Decimal | UnsetType | None = UNSET


class ChangePosition(Request, frozen=True):
    """As ChangeOrder."""

    stop_loss: Decimal | UnsetType | None = UNSET
    take_profit: Decimal | UnsetType | None = UNSET
    trailing_stop: Decimal | UnsetType | None = UNSET


class Reverse(Request, frozen=True):
    client_order_id: ClientOrderId | None = None


class ClosePart(Request, frozen=True):
    quantity: Decimal | None = None
    client_order_id: ClientOrderId | None = None


class CloseBy(Request, frozen=True):
    other_position_id: Id
    client_order_id: ClientOrderId | None = None


class CloseMany(Request, frozen=True):
    which: Which
    symbol: Symbol | None = None
    client_order_id: ClientOrderId | None = None


class NoParameters(Request, frozen=True):
    """None at all."""


class WhoseAccount(Request, frozen=True):
    account_id: Id | None = None


class WhichPage(WhoseAccount, frozen=True):
    limit: Annotated[int, Meta(ge=1, le=HISTORY_LIMIT)] = 100
    before: Id | None = None


class WhichOrders(WhichPage, frozen=True):
    status: str | None = None


class WhichEntries(WhichPage, frozen=True):
    account: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class WhichBars(Request, frozen=True):
    symbol: Symbol
    timeframe: str
    limit: Annotated[int, Meta(ge=1, le=BARS_LIMIT)] = 500
    before: Time | None = None
    price: str = "bid"


class WhichTicks(Request, frozen=True):
    symbol: Symbol
    limit: Annotated[int, Meta(ge=1, le=TICKS_LIMIT)] = 500
    before: Id | None = None


LpName = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]{0,15}$", examples=["OANDA"])]
Setting = str | int | bool


class NewLp(Request, frozen=True):
    name: LpName
    adapter: str
    symbols: dict[str, str]
    enabled: bool | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    weight: int | UnsetType = UNSET
    silence_timeout_ms: int | UnsetType = UNSET
    settings: dict[str, Setting] | UnsetType = UNSET
    limits: dict[str, int] | UnsetType = UNSET


class FixSequence(Request, frozen=True):
    """A number that is not named stays."""

    reason: Annotated[str, Meta(min_length=1, max_length=200)]
    next_out: SequenceNumber | None = None
    next_in: SequenceNumber | None = None


class ChangedLp(Request, frozen=True):
    """What is absent stays as it is; null takes a symbol or a setting away."""

    adapter: str | UnsetType = UNSET
    symbols: dict[str, str | None] | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    weight: int | UnsetType = UNSET
    silence_timeout_ms: int | UnsetType = UNSET
    settings: dict[str, Setting | None] | UnsetType = UNSET
    limits: dict[str, int] | UnsetType = UNSET


class LpPriorities(Request, frozen=True):
    priorities: dict[str, int]


class Body(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The base of what goes out."""


class Session(Body, frozen=True):
    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    refresh_expires_in: int
    username: str
    role: str
    account_id: str | None


class AccountBody(Body, frozen=True):
    account_id: str
    currency: str
    balance: str
    credit: str
    equity: str
    open_profit: str
    margin: str
    free_margin: str
    margin_level: str | None
    time: str


class SymbolBody(Body, frozen=True):
    symbol: str
    base: str
    quote: str
    description: str
    price_digits: int
    quantity_min: str
    quantity_max: str
    quantity_step: str
    margin_rate: str
    bid: str | None
    ask: str | None
    time: str | None
    seq: int | None
    live: bool


class OrderFields(Body, frozen=True):
    """Of an order, but its type."""

    id: str
    account_id: str
    client_order_id: str
    symbol: str
    side: str
    quantity: str
    filled_quantity: str
    average_price: str | None
    limit_price: str | None
    stop_price: str | None
    trail: str | None
    price_bound: str | None
    time_in_force: str
    expires: str | None
    reduce_only: bool
    oco: str | None
    stop_loss: str | None
    take_profit: str | None
    trailing_stop: str | None
    status: str
    reason: str
    position_id: str | None
    created_at: str


class OrderBody(OrderFields, frozen=True):
    type: str


class FillBody(Body, frozen=True):
    id: str
    order_id: str
    position_id: str
    symbol: str
    side: str
    price: str
    quantity: str
    profit: str
    commission: str
    tick_seq: int
    time: str


class PositionBody(Body, frozen=True):
    id: str
    symbol: str
    side: str
    quantity: str
    open_price: str
    current_price: str
    profit: str
    margin: str
    stop_loss: str | None
    take_profit: str | None
    trailing_stop: str | None
    opened_at: str


class EntryBody(Body, frozen=True):
    id: str
    posting_id: str
    time: str
    kind: str
    amount: str
    currency: str
    balance_after: str
    reference: str


class BarBody(Body, frozen=True):
    time: str
    open: str
    high: str
    low: str
    close: str
    ticks: int


class TickBody(Body, frozen=True):
    seq: int
    time: str
    bid: str
    ask: str
    lp_bid: str
    lp_ask: str
    live: bool


class FeedBody(Body, frozen=True):
    venue: str
    connected: bool
    detail: str
    quotes: int
    dropped: dict[str, int]


class LpStream(Body, frozen=True):
    """One of a feed's connections."""

    connected: bool
    detail: str
    symbols: int
    silent_ms: int | None
    connections: int


class LpFeed(Body, frozen=True):
    """What the LP's feed says of itself, since its own start."""

    connected: bool
    detail: str
    told: str
    running_s: int | None
    quotes: int
    dropped: dict[str, int]
    quote_age_ms: dict[str, int | None]
    """Of each symbol that is asked for."""
    missing: dict[str, str]
    streams: list[LpStream]


class LatencyBucket(Body, frozen=True):
    """Quotes that took less than this, and not less than the bucket before says; null: any longer."""

    below_us: int | None
    quotes: int


class LpStatus(Body, frozen=True):
    """What the aggregator sees of the LP (actors/domain/lp_status.py). Shares are of 1."""

    connected: bool
    last_quote_age_ms: int | None
    quotes: int
    quotes_per_second: float
    dropped: dict[str, int]
    best_share: float
    connected_s: int
    uptime: float
    clock_ahead_ms: float | None
    to_received: list[LatencyBucket]
    to_published: list[LatencyBucket]
    quarantined: list[str]


class ExecutionBody(Body, frozen=True):
    order: OrderBody
    fills: list[FillBody]
    code: str | None
    """Why the order ended without being filled whole; null where it did not."""
    detail: str | None
