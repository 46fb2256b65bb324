"""Minutes of which the history has no bar, and bars for them from elsewhere.

A bar that is filled in has 0 ticks. It never takes the place of another, and gives way to one of our own ticks: so this
may be done beside the process that writes the history, which stays the only one to say what our own ticks were.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from actors.domain.calendar import Sessions, state_at
from actors.domain.prices.bar import MINUTE_NS, Bar
from actors.store import rows
from actors.store.database import our_errors
from actors.store.schema import BARS

CONNECT_TIMEOUT_S = 5

Span = tuple[int, int]
"""From a minute up to but without another, in nanoseconds."""


class Gaps:
    """One connection, used by one thread. All methods raise `DatabaseAway` or `DatabaseRefused`."""

    def __init__(self, url: URL) -> None:
        engine = sqlalchemy.create_engine(
            url, poolclass=NullPool, connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "backfill"}
        )
        with our_errors():
            self._connection = engine.connect()

    def close(self) -> None:
        self._connection.close()

    def missing(self, symbol: str, start_ns: int, end_ns: int, sessions: Sessions, span_limit: int) -> list[Span]:
        """What to ask for so that each trading minute without a bar is in it: spans of at most `span_limit` minutes."""
        moments = (rows.moment(start_ns), rows.moment(end_ns))
        statement = select(BARS.c.start).where(BARS.c.symbol == symbol, BARS.c.start.between(*moments))
        with our_errors(), self._connection.begin():
            found: Sequence[datetime] = self._connection.scalars(statement).all()
        return spans({rows.nanoseconds(start) for start in found}, start_ns, end_ns, sessions, span_limit)

    def fill(self, bars: Sequence[Bar]) -> int:
        """Those whose minutes have no bar; how many they were."""
        if not bars:
            return 0
        statement = insert(BARS).on_conflict_do_nothing().returning(BARS.c.start)
        filled = [rows.bar_row(bar) | {"ticks": 0} for bar in bars]
        with our_errors(), self._connection.begin():
            return len(self._connection.execute(statement, filled).all())


def spans(present: set[int], start_ns: int, end_ns: int, sessions: Sessions, span_limit: int) -> list[Span]:
    """The fewest spans from one missing minute to another that hold all the missing ones."""
    made: list[Span] = []
    minute_ns = start_ns + -start_ns % MINUTE_NS
    while minute_ns < end_ns:
        state = state_at(sessions, minute_ns)
        if not state.open:
            minute_ns = state.until_ns + -state.until_ns % MINUTE_NS
            continue
        for missing_ns in range(minute_ns, min(state.until_ns, end_ns), MINUTE_NS):
            if missing_ns in present:
                continue
            after_ns = missing_ns + MINUTE_NS
            if made and after_ns - made[-1][0] <= span_limit * MINUTE_NS:
                made[-1] = made[-1][0], after_ns
            else:
                made.append((missing_ns, after_ns))
        minute_ns = state.until_ns + -state.until_ns % MINUTE_NS
    return made
