"""What is told on /ws: the messages of each channel."""

from web.payloads import bodies
from web.payloads.bodies import Body


class Quote(bodies.TickBody, frozen=True):
    """The price of a symbol. One that is not newer than what is known, by `seq`, has other terms or another `live`."""

    symbol: str


class QuotesMessage(Body, frozen=True, tag_field="type", tag="quotes"):
    """Of the channel quotes: the last of each symbol that has moved, or in their order all of them."""

    quotes: list[Quote]


class Level(Body, frozen=True):
    price: str
    quantity: str
    lp: str | None = None
    """Whose it is, where the subscription is `tagged`."""


class Book(Body, frozen=True):
    """Both sides of a symbol's book, the best price first. `seq` rises, and some are left out."""

    symbol: str
    seq: int
    time: str
    tick_seq: int
    bids: list[Level]
    asks: list[Level]


class DepthMessage(Body, frozen=True, tag_field="type", tag="depth"):
    depth: list[Book]


class LiveBar(Body, frozen=True):
    """A bar that is not over, and the one before it, which is; of the market's prices, as /ohlc has them."""

    symbol: str
    timeframe: str
    price: str
    bar: bodies.BarBody
    before: bodies.BarBody | None


class BarsMessage(Body, frozen=True, tag_field="type", tag="bars"):
    bars: list[LiveBar]


class OrderMessage(bodies.OrderFields, frozen=True, tag_field="type", tag="order"):
    """What became of an order, by event `seq`. `type` being the message's, the order's is `order_type`."""

    order_type: str
    code: str | None
    """As of ExecutionBody, or why the order was rejected."""
    detail: str | None
    seq: int


class FillMessage(bodies.FillBody, frozen=True, tag_field="type", tag="fill"):
    seq: int


class PositionMessage(bodies.PositionBody, frozen=True, tag_field="type", tag="position"):
    """A position after event `seq`, at the prices of the moment. Closed: at the price that closed it."""

    status: str
    seq: int


class MoneyMessage(Body, frozen=True, tag_field="type", tag="money"):
    """What moved an account's balance or credit, other than a trade, by event `seq`. `kind` is that of /ledger."""

    account_id: str
    posting_id: str
    kind: str
    amount: str
    currency: str
    reference: str
    time: str
    seq: int


class AccountMessage(bodies.AccountBody, frozen=True, tag_field="type", tag="account"):
    seq: int


class MarginAlert(Body, frozen=True, tag_field="type", tag="margin"):
    """The margin status of an account: as it is at the subscription, and then whenever it is another: margin_call,
    stop_out, or normal again."""

    account_id: str
    status: str
    margin_level: str | None
    """That decided it, as in the account."""
    time: str
    seq: int


class BreakAlert(Body, frozen=True, tag_field="type", tag="break"):
    """The books and a venue differ, for a person to settle; for the staff."""

    child_id: str
    reason: str
    detail: str
    time: str
    seq: int


class DeskExposure(Body, frozen=True):
    """The broker's books in one symbol; quantities are long where positive."""

    symbol: str
    exposure: str
    coverage: str
    hedging: str
    open: str
    at_venues: dict[str, str]


class ExposureMessage(Body, frozen=True, tag_field="type", tag="exposure"):
    """All books after event `seq`: at once, and then whenever they are others, at most once a second."""

    desks: list[DeskExposure]
    seq: int


class LpHealth(Body, frozen=True):
    """As `feed` and `status` of /admin/lps; null where the LP has not been heard of."""

    name: str
    feed: bodies.LpFeed | None
    status: bodies.LpStatus | None


class LpsMessage(Body, frozen=True, tag_field="type", tag="lps"):
    """At once, and then once a second."""

    lps: list[LpHealth]
    time: str


AccountChannelMessage = OrderMessage | FillMessage | PositionMessage | MoneyMessage | AccountMessage
Message = (
    QuotesMessage
    | DepthMessage
    | BarsMessage
    | AccountChannelMessage
    | MarginAlert
    | BreakAlert
    | ExposureMessage
    | LpsMessage
)
