"""Questions about the history, answered in SQL."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy
from sqlalchemy import or_, select, text

from actors.bus.answers import Answer, Refusal, Ticks
from actors.bus.history_answers import Bars, Entries, Fills, Orders, Transactions
from actors.bus.requests import GetBars, GetEntries, GetFills, GetOrders, GetTickHistory, GetTransactions
from actors.domain.prices.bar import MINUTE_NS
from actors.store import order_rows, rows
from actors.store.schema import BARS, ENTRIES, FILLS, ORDERS, POSTINGS, TICKS

ROWS_MAX = 1_001
"""No answer holds more rows, whatever was asked for: a page of 1,000, and one that shows that there are more."""
BAR_MINUTES = (1, 5, 15, 30, 60, 240, 1440)
"""M1, M5, M15, M30, H1, H4 and D1; a day is one of UTC."""

Query = GetOrders | GetFills | GetEntries | GetTransactions | GetTickHistory | GetBars

# A step of the recursion finds the next older span that has a bar, by the primary key: however long the history is,
# only the minutes of the bars that are answered are read.
_SPANS = text("""
    WITH RECURSIVE spans (number, start) AS (
        SELECT 1, (
            SELECT date_bin(:span, start, :epoch) FROM bars
            WHERE symbol = :symbol AND start < :before ORDER BY start DESC LIMIT 1
        )
        UNION ALL
        SELECT number + 1, (
            SELECT date_bin(:span, bars.start, :epoch) FROM bars
            WHERE symbol = :symbol AND bars.start < spans.start ORDER BY bars.start DESC LIMIT 1
        )
        FROM spans WHERE number < :limit AND spans.start IS NOT NULL
    )
    SELECT spans.start, joined.* FROM spans CROSS JOIN LATERAL (
        SELECT (array_agg(bid_open ORDER BY start))[1] AS bid_open, max(bid_high) AS bid_high,
            min(bid_low) AS bid_low, (array_agg(bid_close ORDER BY start DESC))[1] AS bid_close,
            (array_agg(ask_open ORDER BY start))[1] AS ask_open, max(ask_high) AS ask_high,
            min(ask_low) AS ask_low, (array_agg(ask_close ORDER BY start DESC))[1] AS ask_close,
            sum(ticks) AS ticks
        FROM bars WHERE symbol = :symbol AND bars.start >= spans.start AND bars.start < spans.start + :span
    ) AS joined
    WHERE spans.start IS NOT NULL ORDER BY spans.start
""")


def answer(connection: sqlalchemy.Connection, query: Query) -> Answer:
    return _ANSWERS[type(query)](connection, query)


def _orders(connection: sqlalchemy.Connection, query: GetOrders) -> Answer:
    newest = _newest(select(ORDERS).where(ORDERS.c.account_id == query.account_id), ORDERS.c.order_id, query)
    return Orders([order_rows.order_of(row) for row in connection.execute(newest).mappings()])


def _fills(connection: sqlalchemy.Connection, query: GetFills) -> Answer:
    newest = _newest(select(FILLS).where(FILLS.c.account_id == query.account_id), FILLS.c.fill_id, query)
    return Fills([order_rows.fill_of(row) for row in connection.execute(newest).mappings()])


def _entries(connection: sqlalchemy.Connection, query: GetEntries) -> Answer:
    lines = select(ENTRIES, POSTINGS.c.kind, POSTINGS.c.reference, POSTINGS.c.time_ns).join(POSTINGS)
    newest = _newest(lines.where(ENTRIES.c.account == query.account), ENTRIES.c.entry_id, query)
    return Entries([rows.line_of(row) for row in connection.execute(newest).mappings()])


def _transactions(connection: sqlalchemy.Connection, query: GetTransactions) -> Answer:
    number, time_ns = ENTRIES.c.entry_id, POSTINGS.c.time_ns
    whose = select(ENTRIES, POSTINGS.c.kind, POSTINGS.c.reference, POSTINGS.c.time_ns).join(POSTINGS)
    whose = whose.where(ENTRIES.c.account == query.account, ENTRIES.c.currency == query.currency)
    before = whose.where(or_(number <= query.after_id, time_ns < query.start_ns)).order_by(number.desc()).limit(1)
    last = connection.execute(before).mappings().one_or_none()
    opening_minor = rows.line_of(last).balance_minor if last is not None else 0
    asked = whose.where(number > query.after_id, time_ns >= query.start_ns, time_ns < query.end_ns)
    oldest = connection.execute(asked.order_by(number).limit(_limit(query.limit))).mappings()
    return Transactions(opening_minor, [rows.line_of(row) for row in oldest])


def _tick_history(connection: sqlalchemy.Connection, query: GetTickHistory) -> Answer:
    newest = select(TICKS).where(TICKS.c.symbol == query.symbol).order_by(TICKS.c.seq.desc()).limit(_limit(query.limit))
    if query.before_seq:
        newest = newest.where(TICKS.c.seq < query.before_seq)
    ticks = [rows.tick_of(row) for row in connection.execute(newest).mappings()]
    return Ticks(query.symbol, ticks[::-1])


def _bars(connection: sqlalchemy.Connection, query: GetBars) -> Answer:
    if query.minutes not in BAR_MINUTES:
        allowed = ", ".join(map(str, BAR_MINUTES))
        return Refusal("BAD_REQUEST", f"bars have one of {allowed} minutes, not {query.minutes}", "minutes")
    if query.minutes == 1:
        found = connection.execute(_minute_bars(query)).mappings().all()[::-1]
    else:
        found = connection.execute(_SPANS, _span_parameters(query)).mappings().all()
    return Bars(query.symbol, query.minutes, [rows.bar_of(query.symbol, row) for row in found])


def _minute_bars(query: GetBars) -> sqlalchemy.Select[Any]:
    older = select(BARS).where(BARS.c.symbol == query.symbol, BARS.c.start < _before(query))
    return older.order_by(BARS.c.start.desc()).limit(_limit(query.limit))


def _span_parameters(query: GetBars) -> dict[str, Any]:
    return {
        "symbol": query.symbol,
        "span": timedelta(minutes=query.minutes),
        "epoch": rows.EPOCH,
        "before": _before(query),
        "limit": _limit(query.limit),
    }


def _before(query: GetBars) -> datetime:
    """The start that the bars are before. A bar that starts before `before_ns` is answered whole, whenever it ends."""
    span_ns = query.minutes * MINUTE_NS
    return rows.moment(-(-query.before_ns // span_ns) * span_ns if query.before_ns else 2**63)


def _newest(
    rows_of: sqlalchemy.Select[Any], number: sqlalchemy.Column[Any], query: GetOrders | GetFills | GetEntries
) -> sqlalchemy.Select[Any]:
    newest = rows_of.order_by(number.desc()).limit(_limit(query.limit))
    return newest.where(number < query.before_id) if query.before_id else newest


def _limit(asked: int) -> int:
    return min(max(asked, 1), ROWS_MAX)


_ANSWERS: dict[type, Callable[[sqlalchemy.Connection, Any], Answer]] = {
    GetOrders: _orders,
    GetFills: _fills,
    GetEntries: _entries,
    GetTransactions: _transactions,
    GetTickHistory: _tick_history,
    GetBars: _bars,
}
