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
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
)

METADATA = MetaData()


def text_column(name: str, *more: Any, **options: Any) -> Column[Any]:
    return Column(name, Text, *more, **{"nullable": False} | options)


def number_column(name: str, *more: Any, **options: Any) -> Column[Any]:
    return Column(name, BigInteger, *more, **{"nullable": False} | options)


def _e8(name: str, **options: Any) -> Column[Any]:
    return Column(name, Numeric(20, 8), **{"nullable": False} | options)


def _money(name: str) -> Column[Any]:
    """With the digits of the currency that is beside it."""
    return Column(name, Numeric, nullable=False)


def _moment(name: str, *, nullable: bool = False) -> tuple[Column[Any], Column[Any]]:
    return Column(name, DateTime(timezone=True), nullable=nullable), number_column(f"{name}_ns", nullable=nullable)


INSTRUMENTS = Table(
    "instruments",
    METADATA,
    text_column("symbol", primary_key=True),
    text_column("base"),
    text_column("quote"),
    text_column("description"),
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
    number_column("account_id", primary_key=True),
    text_column("currency"),
    text_column("mode"),
    text_column("client_group"),
    text_column("margin_status"),
)

ORDERS = Table(
    "orders",
    METADATA,
    number_column("order_id", primary_key=True),
    number_column("account_id"),
    text_column("client_order_id", nullable=True),
    text_column("symbol"),
    text_column("side"),
    text_column("type"),
    _e8("quantity"),
    text_column("time_in_force"),
    _e8("limit_price", nullable=True),
    _e8("stop_price", nullable=True),
    _e8("trail", nullable=True),
    _e8("price_bound", nullable=True),
    _e8("stop_loss", nullable=True),
    _e8("take_profit", nullable=True),
    _e8("trailing_stop", nullable=True),
    *_moment("expires", nullable=True),
    Column("reduce_only", Boolean, nullable=False),
    text_column("oco", nullable=True),
    text_column("request", nullable=True),
    text_column("reason"),
    text_column("status"),
    _e8("asked", nullable=True),
    _e8("filled"),
    _e8("average_price", nullable=True),
    number_column("position_id", nullable=True),
    number_column("trail_seq", nullable=True),
    text_column("code", nullable=True),
    text_column("detail", nullable=True),
    *_moment("created"),
    Index("orders_by_account", "account_id", "order_id"),
    comment="As the engine last reported them; code and detail say why one was rejected or ended before it was filled. "
    "asked: the quantity that was asked for, where a reduce-only order was cut to what was open.",
)

FILLS = Table(
    "fills",
    METADATA,
    number_column("fill_id", primary_key=True),
    number_column("order_id", ForeignKey(ORDERS.c.order_id)),
    number_column("account_id"),
    number_column("position_id"),
    text_column("symbol"),
    text_column("side"),
    _e8("price"),
    _e8("quantity"),
    _money("profit"),
    text_column("currency"),
    text_column("conversion_symbol", nullable=True),
    number_column("conversion_tick_seq"),
    _e8("conversion_multiplier"),
    _e8("conversion_divisor"),
    number_column("tick_seq"),
    _money("commission"),
    *_moment("time"),
    Index("fills_by_account", "account_id", "fill_id"),
    Index("fills_by_order", "order_id"),
    comment="Executions. profit: what the fill realised, in the currency of the account.",
)

POSITIONS = Table(
    "positions",
    METADATA,
    number_column("position_id", primary_key=True),
    number_column("account_id"),
    text_column("symbol"),
    text_column("side"),
    _e8("quantity"),
    _e8("open_price"),
    Column("open_rest", Numeric(36, 16), nullable=False),
    _money("margin"),
    text_column("currency"),
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
    number_column("posting_id", primary_key=True),
    text_column("kind"),
    text_column("reference"),
    text_column("actor", nullable=True),
    *_moment("time"),
)

ENTRIES = Table(
    "entries",
    METADATA,
    number_column("entry_id", primary_key=True),
    number_column("posting_id", ForeignKey(POSTINGS.c.posting_id)),
    text_column("account"),
    text_column("currency"),
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
    text_column("symbol", primary_key=True),
    number_column("seq", primary_key=True),
    *_moment("time"),
    _e8("bid"),
    _e8("ask"),
    text_column("lp_bid"),
    text_column("lp_ask"),
    Column("live", Boolean, nullable=False),
    comment="Best bid and ask, numbered by symbol. live: false where no LP stood behind it any more.",
)

TICK_QUOTES = Table(
    "tick_quotes",
    METADATA,
    text_column("symbol", primary_key=True),
    number_column("seq", primary_key=True),
    Column("place", Integer, primary_key=True),
    text_column("lp"),
    *(_e8(name) for name in ("bid", "ask", "bid_size", "ask_size")),
    *(number_column(name) for name in ("venue_time_ns", "received_ns", "venue_seq")),
    text_column("dropped", nullable=True),
    number_column("judged_ns"),
    comment="The LPs' quotes behind each tick that was dealt on. dropped: why one was not used; null where it was.",
)

BARS = Table(
    "bars",
    METADATA,
    text_column("symbol", primary_key=True),
    Column("start", DateTime(timezone=True), primary_key=True),
    *(_e8(f"{side}_{point}") for side in ("bid", "ask") for point in ("open", "high", "low", "close")),
    number_column("ticks"),
    comment="One minute each, of the live ticks.",
)

PROGRESS = Table(
    "progress",
    METADATA,
    text_column("stream", primary_key=True),
    number_column("seq"),
    comment="The number of the last event, and of the last tick of each symbol, that is stored.",
)
