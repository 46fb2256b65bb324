"""What may be asked on /ws, and how it is answered. What the channels then tell is in payloads/messages.py."""

from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta

from web.auth.tokens import TOKEN_LIMIT_CHARACTERS
from web.payloads import bodies, schema
from web.payloads.bodies import Body

SYMBOLS_LIMIT = 500
RATE_LIMIT = 10
"""Messages a second in which a client hears of a symbol at most, unless it asks for every change."""

RequestId = int | Annotated[str, Meta(max_length=64)]
Symbols = Annotated[list[schema.Symbol], Meta(min_length=1, max_length=SYMBOLS_LIMIT)]


class Channel(StrEnum):
    QUOTES = "quotes"
    """Prices of symbols, as the caller's group sees them."""
    DEPTH = "depth"
    """The books of symbols."""
    BARS = "bars"
    """The bars of symbols that are not over."""
    ACCOUNT = "account"
    """An account's orders, fills, positions, money and figures."""
    ALERTS = "alerts"
    """Margin calls and stop-outs, of the caller's account or, for the staff, of all; for the staff breaks too."""
    EXPOSURE = "exposure"
    """The broker's books; for the staff."""
    LPS = "lps"
    """How the LPs do; for the staff."""


class Timeframe(StrEnum):
    M1 = "M1"
    M5 = "M5"
    M15 = "M15"
    M30 = "M30"
    H1 = "H1"
    H4 = "H4"
    D1 = "D1"


class BarPrice(StrEnum):
    BID = "bid"
    ASK = "ask"


class Asked(schema.Request, frozen=True, tag_field="op"):
    """The base of requests. Each is answered in its turn, with its `id`."""

    id: RequestId


class Auth(Asked, frozen=True, tag="auth"):
    """Says who is asking, unless the handshake has; again, with a new token, before the old one expires."""

    token: Annotated[str, Meta(max_length=TOKEN_LIMIT_CHARACTERS)]


class Ping(Asked, frozen=True, tag="ping"):
    """Answered, and nothing else."""


class Subscribe(Asked, frozen=True, tag="subscribe"):
    """To a channel. After the answer come a snapshot and then what changes. Fields that are not the channel's are
    refused."""

    channel: Channel
    symbols: Symbols | None = None
    """Of quotes, depth and bars, which need them."""
    max_rate: Annotated[int, Meta(ge=1, le=RATE_LIMIT)] | None = RATE_LIMIT
    """Of quotes, depth and bars: messages a second at most; null: every change."""
    timeframe: Timeframe | None = None
    """Of bars, which need it."""
    price: BarPrice | None = None
    """Of bars; bid without it."""
    tagged: bool | None = None
    """Of depth: whether a level is one LP's, with its name; without it a level is all that is offered at a price."""
    account_id: schema.Id | None = None
    """Of account and alerts, for the staff; others have their own without it."""
    since: Annotated[int, Meta(ge=0)] | None = None
    """Of account and alerts: the highest `seq` that was heard; what came after it is told before the snapshot."""


class Unsubscribe(Asked, frozen=True, tag="unsubscribe"):
    """As the subscription was; of quotes, depth and bars some symbols, or all without `symbols`."""

    channel: Channel
    symbols: Symbols | None = None
    timeframe: Timeframe | None = None
    account_id: schema.Id | None = None


class Place(Asked, frozen=True, tag="place"):
    """As POST /order."""

    body: schema.PlaceOrder


class Modify(Asked, frozen=True, tag="modify"):
    """As PUT /order/{order_id}."""

    order_id: schema.Id
    body: schema.ChangeOrder


class Cancel(Asked, frozen=True, tag="cancel"):
    """As DELETE /order/{order_id}."""

    order_id: schema.Id


class Protect(Asked, frozen=True, tag="protect"):
    """As PUT /position/{position_id}."""

    position_id: schema.Id
    body: schema.ChangePosition


class Close(Asked, frozen=True, tag="close"):
    """As POST /position/{position_id}/close."""

    position_id: schema.Id
    body: schema.ClosePart = schema.ClosePart()


class ClosePositionBy(Asked, frozen=True, tag="close_by"):
    """As POST /position/{position_id}/close-by."""

    position_id: schema.Id
    body: schema.CloseBy


class ReversePosition(Asked, frozen=True, tag="reverse"):
    """As POST /position/{position_id}/reverse."""

    position_id: schema.Id
    body: schema.Reverse = schema.Reverse()


class ClosePositions(Asked, frozen=True, tag="close_many"):
    """As POST /positions/close."""

    body: schema.CloseMany


Deal = Place | Close | ClosePositionBy | ReversePosition | ClosePositions
"""Answered by Executed; all others by Agreed."""
Request = Auth | Ping | Subscribe | Unsubscribe | Modify | Cancel | Protect | Deal


class Agreed(Body, frozen=True):
    """The answer to what was done and has no more to say."""

    id: int | str
    ok: bool = True


class Executed(Body, frozen=True):
    """The answer to what has a client_order_id: what came of it, as REST has it."""

    id: int | str
    body: bodies.ExecutionBody
    repeated: bool
    """It was done before, under the same client_order_id."""
    ok: bool = True


class Refused(Body, frozen=True):
    """The answer to what was not done. `error` is the problem document that REST has."""

    id: int | str | None
    """null where the request has none that can be read."""
    error: dict[str, Any]
    ok: bool = False
