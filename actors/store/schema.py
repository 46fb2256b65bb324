"""The tables of the history, as migrations/ makes them. Money and prices are NUMERIC, exact; times are UTC.

A `timestamptz` is for people and for SQL; beside it `*_ns` holds the same moment to the nanosecond.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    func,
)

METADATA = MetaData()


def _text(name: str, *more: Any, **options: Any) -> Column[Any]:
    return Column(name, Text, *more, **{"nullable": False} | options)


def _number(name: str, *more: Any, **options: Any) -> Column[Any]:
    return Column(name, BigInteger, *more, **{"nullable": False} | options)


def _e8(name: str, **options: Any) -> Column[Any]:
    return Column(name, Numeric(20, 8), **{"nullable": False} | options)


def _money(name: str) -> Column[Any]:
    """With the digits of the currency that is beside it."""
    return Column(name, Numeric, nullable=False)


def _moment(name: str, *, nullable: bool = False) -> tuple[Column[Any], Column[Any]]:
    return Column(name, DateTime(timezone=True), nullable=nullable), _number(f"{name}_ns", nullable=nullable)


USERS = Table(
    "users",
    METADATA,
    _number("user_id", Identity(), primary_key=True),
    _text("username", unique=True),
    _text("password_hash"),
    _text("role"),
    _number("account_id", nullable=True),
    Column("created", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

INSTRUMENTS = Table(
    "instruments",
    METADATA,
    _text("symbol", primary_key=True),
    _text("base"),
    _text("quote"),
    _text("description"),
    Column("price_digits", Integer, nullable=False),
    _e8("quantity_min"),
    _e8("quantity_max"),
    _e8("quantity_step"),
    _e8("margin_rate"),
    _e8("price_min"),
    _e8("price_max"),
)

ACCOUNTS = Table(
    "accounts",
    METADATA,
    _number("account_id", primary_key=True),
    _text("currency"),
    _text("mode"),
    _text("client_group"),
    _text("margin_status"),
)

ORDERS = Table(
    "orders",
    METADATA,
    _number("order_id", primary_key=True),
    _number("account_id"),
    _text("client_order_id", nullable=True),
    _text("symbol"),
    _text("side"),
    _text("type"),
    _e8("quantity"),
    _text("time_in_force"),
    _e8("limit_price", nullable=True),
    _e8("stop_price", nullable=True),
    _e8("trail", nullable=True),
    _e8("price_bound", nullable=True),
    _e8("stop_loss", nullable=True),
    _e8("take_profit", nullable=True),
    _e8("trailing_stop", nullable=True),
    *_moment("expires", nullable=True),
    Column("reduce_only", Boolean, nullable=False),
    _text("oco", nullable=True),
    _text("request", nullable=True),
    _text("reason"),
    _text("status"),
    _e8("asked", nullable=True),
    _e8("filled"),
    _e8("average_price", nullable=True),
    _number("position_id", nullable=True),
    _number("trail_tick_seq", nullable=True),
    _text("code", nullable=True),
    _text("detail", nullable=True),
    *_moment("created"),
    Index("orders_by_account", "account_id", "order_id"),
    comment="As the engine last reported them; code and detail say why one was rejected or ended before it was filled. "
    "asked: the quantity that was asked for, where a reduce-only order was cut to what was open.",
)

FILLS = Table(
    "fills",
    METADATA,
    _number("fill_id", primary_key=True),
    _number("order_id", ForeignKey(ORDERS.c.order_id)),
    _number("account_id"),
    _number("position_id"),
    _text("symbol"),
    _text("side"),
    _e8("price"),
    _e8("quantity"),
    _money("profit"),
    _text("currency"),
    _text("conversion_symbol", nullable=True),
    _number("conversion_tick_seq"),
    _e8("conversion_multiplier"),
    _e8("conversion_divisor"),
    _number("tick_seq"),
    _money("commission"),
    *_moment("time"),
    Index("fills_by_account", "account_id", "fill_id"),
    Index("fills_by_order", "order_id"),
    comment="Executions. profit: what the fill realised, in the currency of the account.",
)

POSITIONS = Table(
    "positions",
    METADATA,
    _number("position_id", primary_key=True),
    _number("account_id"),
    _text("symbol"),
    _text("side"),
    _e8("quantity"),
    _e8("open_price"),
    Column("open_rest", Numeric(36, 16), nullable=False),
    _money("margin"),
    _text("currency"),
    _e8("stop_loss", nullable=True),
    _e8("take_profit", nullable=True),
    _e8("trailing_stop", nullable=True),
    *_moment("opened"),
    Index("positions_by_account", "account_id", "position_id"),
    comment="As the engine last reported them: they cost quantity * open_price + open_rest. Quantity 0 is closed.",
)

POSTINGS = Table(
    "postings",
    METADATA,
    _number("posting_id", primary_key=True),
    _text("kind"),
    _text("reference"),
    _text("actor", nullable=True),
    *_moment("time"),
)

ENTRIES = Table(
    "entries",
    METADATA,
    _number("entry_id", primary_key=True),
    _number("posting_id", ForeignKey(POSTINGS.c.posting_id)),
    _text("account"),
    _text("currency"),
    _money("amount"),
    _money("balance"),
    Index("entries_by_account", "account", "currency", "entry_id"),
    Index("entries_by_posting", "posting_id"),
    comment="The ledger. balance: of the account in the currency, after this entry.",
)

TRIAL_BALANCES = Table(
    "trial_balances",
    METADATA,
    Column("trading_day", Date, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    _money("balance"),
    comment="Every ledger account at the end of a trading day (17:00 New York); each currency sums to zero.",
)

TICKS = Table(
    "ticks",
    METADATA,
    _text("symbol", primary_key=True),
    _number("seq", primary_key=True),
    *_moment("time"),
    _e8("bid"),
    _e8("ask"),
    _text("lp_bid"),
    _text("lp_ask"),
    Column("live", Boolean, nullable=False),
    comment="Best bid and ask, numbered by symbol. live: false where no LP stood behind it any more.",
)

TICK_QUOTES = Table(
    "tick_quotes",
    METADATA,
    _text("symbol", primary_key=True),
    _number("seq", primary_key=True),
    Column("place", Integer, primary_key=True),
    _text("lp"),
    *(_e8(name) for name in ("bid", "ask", "bid_size", "ask_size")),
    *(_number(name) for name in ("venue_time_ns", "received_ns", "venue_seq")),
    _text("dropped", nullable=True),
    _number("judged_ns"),
    comment="The LPs' quotes behind each tick that was dealt on. dropped: why one was not used; null where it was.",
)

BARS = Table(
    "bars",
    METADATA,
    _text("symbol", primary_key=True),
    Column("start", DateTime(timezone=True), primary_key=True),
    *(_e8(f"{side}_{point}") for side in ("bid", "ask") for point in ("open", "high", "low", "close")),
    _number("ticks"),
    comment="One minute each, of the live ticks.",
)

PROGRESS = Table(
    "progress",
    METADATA,
    _text("stream", primary_key=True),
    _number("seq"),
    comment="The number of the last event, and of the last tick of each symbol, that is stored.",
)
