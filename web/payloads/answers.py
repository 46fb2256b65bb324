"""Whole answers of the API, beside the bodies of single things in bodies.py."""

from msgspec import UNSET, UnsetType

from web.payloads.bodies import (
    BarBody,
    Body,
    Component,
    EntryBody,
    FeedBody,
    FillBody,
    LpFeed,
    LpStatus,
    OrderBody,
    PositionBody,
    SymbolBody,
    TickBody,
)
from web.payloads.schema import Amount, Id, Moment, Setting


class ProblemBody(Body, frozen=True):
    """A refusal (RFC 9457). `code` is for programs, `detail` for people, `field` the part of the request at fault."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | UnsetType = UNSET
    order: OrderBody | UnsetType = UNSET
    """The order that was rejected."""
    client_order_id: str | UnsetType = UNSET
    """Under which a request of unknown outcome may be sent again."""
    retry_after_s: int | UnsetType = UNSET
    """After how many seconds one who asks too often may ask again, as Retry-After."""


class OneOrder(Body, frozen=True):
    order: OrderBody


class _Page(Body, frozen=True):
    next: Id | None
    """Where the next page begins: what `before` is to be. null on the last."""


class OrdersPage(_Page, frozen=True):
    orders: list[OrderBody]


class TradesPage(_Page, frozen=True):
    trades: list[FillBody]


class EntriesPage(_Page, frozen=True):
    entries: list[EntryBody]


class TransactionsPage(_Page, frozen=True):
    """Oldest first; `next` is what `since` is to be for what follows, and null where there is no more yet."""

    entries: list[EntryBody]
    last: Id | None
    """The last entry of this page: ask again with it as `since` later."""


class Positions(Body, frozen=True):
    positions: list[PositionBody]


class Symbols(Body, frozen=True):
    symbols: list[SymbolBody]


class Bars(Body, frozen=True):
    symbol: str
    timeframe: str
    bars: list[BarBody]
    next: Moment | None
    """The start of the first, where there are earlier ones."""


class Ticks(Body, frozen=True):
    symbol: str
    ticks: list[TickBody]
    next: Id | None
    """The `seq` of the first, where there are earlier ones."""


class Statement(Body, frozen=True):
    """The account's ledger in a period: closing balance = opening balance + the sum of the entries."""

    account_id: Id
    currency: str
    start: Moment
    end: Moment
    opening_balance: Amount
    closing_balance: Amount
    totals: dict[str, Amount]
    """Sums of the entries by kind."""
    entries: list[EntryBody]


class ExposureLimits(Body, frozen=True):
    """The highest net exposure; null: not limited."""

    currency: str
    symbol: Amount | None
    total: Amount | None


class LimitsBody(Body, frozen=True):
    """What holds for the account: its own limits, else its group's. null: not limited."""

    account_id: Id
    group: str
    leverage: int | None
    margin_call_level: Amount
    """In percent of the maintenance margin; so for the next."""
    stop_out_level: Amount
    waiting_orders: int | None
    positions: int | None
    orders_per_second: int | None
    order_lots: Amount | None
    exposure: ExposureLimits | None


class SymbolMargin(Body, frozen=True):
    initial: Amount
    maintenance: Amount


class MarginBody(Body, frozen=True):
    """What ties margin up, by symbol; `reserved` is kept free for orders at venues."""

    account_id: Id
    currency: str
    equity: Amount
    margin: Amount
    maintenance_margin: Amount
    reserved: Amount
    free_margin: Amount
    margin_level: Amount | None
    symbols: dict[str, SymbolMargin]
    time: Moment


class MarginPreview(Body, frozen=True):
    """What an order at the market would do to the account now. It promises nothing: prices move."""

    symbol: str
    side: str
    quantity: Amount
    price: Amount
    notional: Amount
    """In the account's currency, as all amounts here."""
    commission: Amount
    margin_needed: Amount
    """By how much the margin would rise; negative where the order frees some."""
    margin: Amount
    """After the order; so for the next three."""
    equity: Amount
    free_margin: Amount
    margin_level: Amount | None
    sufficient: bool
    """Whether free margin would not be below zero."""


class LotSize(Body, frozen=True):
    """The largest quantity whose loss at the stop is no more than what is risked."""

    symbol: str
    side: str
    price: Amount
    stop_loss: Amount
    risk: Amount
    """In the account's currency, as `loss`."""
    quantity: Amount
    """0 where the least quantity risks more."""
    lots: Amount
    loss: Amount
    limited_by: str | None
    """What keeps the quantity lower than the risk alone would: quantity_max."""


class Health(Body, frozen=True):
    status: str


class Readiness(Body, frozen=True):
    status: str
    components: dict[str, Component]
    feeds: list[FeedBody]


class LpBody(Body, frozen=True):
    """An LP as the registry has it, what its feed says, and what the aggregator sees of it."""

    name: str
    adapter: str
    symbols: dict[str, str]
    enabled: bool
    priority: int
    weight: int
    silence_timeout_ms: int
    settings: dict[str, Setting]
    limits: dict[str, int]
    feed: LpFeed | None
    status: LpStatus | None


class Lps(Body, frozen=True):
    version: int
    lps: list[LpBody]


class FixCollateral(Body, frozen=True):
    """What an LP counts for our account; null where it does not say."""

    currency: str
    total_net_value: Amount | None
    cash: Amount | None
    margin_excess: Amount | None
    told: Moment


class FixSurvey(Body, frozen=True):
    """What an LP has said of itself."""

    listed: int | None
    misfits: dict[str, str]
    collateral: FixCollateral | None
    refused: str


class FixSessionBody(Body, frozen=True):
    id: str
    purpose: str
    role: str
    state: str
    next_out: int
    next_in: int
    began: Moment | None
    logged_on: Moment | None
    peer: str | None
    survey: FixSurvey | None


class FixSessionsBody(Body, frozen=True):
    sessions: list[FixSessionBody]
    silent: list[str]
    """Processes that have sessions and do not answer."""
