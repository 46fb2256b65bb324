"""The JSON that comes in and goes out, and what is required of it. Decimals and ids are text, times RFC 3339 in UTC."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from actors.domain.commands import Which
from actors.domain.order import OrderType, Side, TimeInForce

HISTORY_LIMIT = 500
BARS_LIMIT = 1_000
TICKS_LIMIT = 1_000
PAGE_LIMIT = 500

Decimal = Annotated[
    str,
    Meta(
        max_length=40,
        description="a plain decimal number above zero, with at most 8 digits after the point",
        examples=["1.0845"],
        extra_json_schema={"pattern": r"^[0-9]{1,10}(\.[0-9]{1,8})?$"},
    ),
]
Id = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,17}$", description="an id", examples=["17"])]
Symbol = Annotated[str, Meta(min_length=1, max_length=32, examples=["EURUSD"])]
Time = Annotated[
    str,
    Meta(
        max_length=40,
        description="RFC 3339",
        examples=["2026-01-19T14:30:00Z"],
        extra_json_schema={"format": "date-time"},
    ),
]
Amount = Annotated[
    str,
    Meta(description="a decimal number", examples=["-1.05"], extra_json_schema={"pattern": r"^-?[0-9]+(\.[0-9]+)?$"}),
]
"""What goes out: prices, quantities and money."""
Moment = Annotated[
    str,
    Meta(
        description="RFC 3339 in UTC, to the nanosecond",
        extra_json_schema={"format": "date-time"},
        examples=["2026-01-19T14:30:00.123456789Z"],
    ),
]
SequenceNumber = Annotated[int, Meta(ge=1, le=999_999_999, description="MsgSeqNum (34) of the next message")]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{1,10}$", examples=["USD"])]
Reason = Annotated[str, Meta(min_length=1, max_length=500)]
Page = Annotated[int, Meta(ge=1, le=PAGE_LIMIT)]
Oco = Annotated[str, Meta(min_length=1, max_length=32, description="one cancels the others of the same mark")]
CLIENT_ORDER_ID = r"^[A-Za-z0-9._:-]{1,64}$"
ClientOrderId = Annotated[str, Meta(pattern=CLIENT_ORDER_ID, description="the order's identity", examples=["my-1"])]


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
    status: Literal["working"] | None = None
    """working: those that wait."""


class WhichEntries(WhichPage, frozen=True):
    account: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class WhichTransactions(WhoseAccount, frozen=True):
    since: Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,17})$", examples=["17"])] = "0"
    """The id of the last entry that is known; 0: none is."""
    limit: Annotated[int, Meta(ge=1, le=HISTORY_LIMIT)] = 100


class WhichStatement(WhoseAccount, frozen=True, kw_only=True):
    start: Time
    end: Time | None = None
    """What is booked from then on is left out; now without it."""
    format: Literal["json", "csv"] = "json"


class WhichPreview(WhoseAccount, frozen=True, kw_only=True):
    symbol: Symbol
    side: Side
    quantity: Decimal


class WhichLotSize(WhoseAccount, frozen=True, kw_only=True):
    symbol: Symbol
    side: Side
    stop_loss: Decimal
    risk: Decimal | None = None
    """What may be lost, in the account's currency."""
    risk_percent: Decimal | None = None
    """The same in percent of the equity. One of both is needed."""


class WhichBars(Request, frozen=True):
    symbol: Symbol
    timeframe: Literal["M1", "M5", "M15", "M30", "H1", "H4", "D1"]
    limit: Annotated[int, Meta(ge=1, le=BARS_LIMIT)] = 500
    before: Time | None = None
    price: Literal["bid", "ask"] = "bid"


class WhichTicks(Request, frozen=True):
    symbol: Symbol
    limit: Annotated[int, Meta(ge=1, le=TICKS_LIMIT)] = 500
    before: Id | None = None


LpName = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]{0,15}$", examples=["OANDA"])]
Whole = Annotated[int, Meta(ge=-1_000_000_000, le=1_000_000_000)]
Setting = str | Whole | bool


class NewLp(Request, frozen=True):
    name: LpName
    adapter: str
    symbols: dict[str, str]
    enabled: bool | UnsetType = UNSET
    priority: Whole | UnsetType = UNSET
    weight: Whole | UnsetType = UNSET
    silence_timeout_ms: Whole | UnsetType = UNSET
    settings: dict[str, Setting] | UnsetType = UNSET
    limits: dict[str, Whole] | UnsetType = UNSET


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
    priority: Whole | UnsetType = UNSET
    weight: Whole | UnsetType = UNSET
    silence_timeout_ms: Whole | UnsetType = UNSET
    settings: dict[str, Setting | None] | UnsetType = UNSET
    limits: dict[str, Whole] | UnsetType = UNSET


class LpPriorities(Request, frozen=True):
    priorities: dict[str, Whole]
