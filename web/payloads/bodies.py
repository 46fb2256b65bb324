"""What goes out: the bodies of single things. Whole answers are in answers.py, and what comes in in schema.py."""

import msgspec

from web.payloads.schema import Amount, Id, Moment


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
    account_id: Id | None


class AccountBody(Body, frozen=True):
    account_id: Id
    currency: str
    balance: Amount
    credit: Amount
    equity: Amount
    open_profit: Amount
    margin: Amount
    free_margin: Amount
    margin_level: Amount | None
    time: Moment


class SymbolBody(Body, frozen=True):
    symbol: str
    base: str
    quote: str
    description: str
    price_digits: int
    quantity_min: Amount
    quantity_max: Amount
    quantity_step: Amount
    margin_rate: Amount
    bid: Amount | None
    ask: Amount | None
    time: Moment | None
    seq: int | None
    live: bool


class OrderFields(Body, frozen=True):
    """Of an order, but its type."""

    id: Id
    account_id: Id
    client_order_id: str
    symbol: str
    side: str
    quantity: Amount
    filled_quantity: Amount
    average_price: Amount | None
    limit_price: Amount | None
    stop_price: Amount | None
    trail: Amount | None
    price_bound: Amount | None
    time_in_force: str
    expires: Moment | None
    reduce_only: bool
    oco: str | None
    stop_loss: Amount | None
    take_profit: Amount | None
    trailing_stop: Amount | None
    status: str
    reason: str
    position_id: Id | None
    created_at: Moment


class OrderBody(OrderFields, frozen=True):
    type: str


class FillBody(Body, frozen=True):
    id: Id
    order_id: Id
    position_id: Id
    symbol: str
    side: str
    price: Amount
    quantity: Amount
    profit: Amount
    commission: Amount
    tick_seq: int
    time: Moment


class PositionBody(Body, frozen=True):
    id: Id
    symbol: str
    side: str
    quantity: Amount
    open_price: Amount
    current_price: Amount
    profit: Amount
    margin: Amount
    stop_loss: Amount | None
    take_profit: Amount | None
    trailing_stop: Amount | None
    opened_at: Moment


class EntryBody(Body, frozen=True):
    id: Id
    posting_id: Id
    time: Moment
    kind: str
    amount: Amount
    currency: str
    balance_after: Amount
    reference: str


class BarBody(Body, frozen=True):
    time: Moment
    open: Amount
    high: Amount
    low: Amount
    close: Amount
    ticks: int


class TickBody(Body, frozen=True):
    seq: int
    time: Moment
    bid: Amount
    ask: Amount
    lp_bid: str
    lp_ask: str
    live: bool


class Component(Body, frozen=True):
    ready: bool
    detail: str


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
    misfits: dict[str, str]
    """Symbols whose terms the LP does not take, and which."""
    streams: list[LpStream]


class LatencyBucket(Body, frozen=True):
    """Quotes that took less than this, and not less than the bucket before says; null: any longer."""

    below_us: int | None
    quotes: int


class LpStatus(Body, frozen=True):
    """What the aggregator sees of the LP (actors/domain/prices/lp_status.py). Shares are of 1."""

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
