"""What stood behind the ticks that were dealt on: which to ask the aggregator about, and how the answers are kept."""

from collections import deque
from collections.abc import Iterable, Sequence

import sqlalchemy
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from actors.bus.answers import Sources
from actors.bus.requests import GetSources
from actors.domain.events.event import Event
from actors.domain.events.orders import OrderFilled
from actors.domain.prices.evidence import Source
from actors.domain.quote import Quote
from actors.store import rows
from actors.store.database import our_errors
from actors.store.schema import TICK_QUOTES

WAITING_MAX_TICKS = 1_000
"""The oldest go beyond it, and are counted: the aggregator forgets them soon, too."""
ASKED_MAX_TICKS = 16
"""So many questions are on their way at once."""
ANSWER_NS = 2_000_000_000
"""A question without an answer for so long is given up: it is an explanation, not a fact that money hangs on."""
REMEMBERED_TICKS = 1_000


class SourceIntake:
    """Of several fills on one tick the first one asks."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, int], None] = {}
        self._asked: dict[tuple[str, int], int] = {}
        self._seen: deque[tuple[str, int]] = deque(maxlen=REMEMBERED_TICKS)
        self.lost = 0
        """Ticks of fills whose sources will not be known."""

    def take(self, events: Iterable[Event]) -> None:
        """Events that happened just now."""
        for event in events:
            if isinstance(event, OrderFilled) and event.fill.tick_seq:
                tick = (event.fill.symbol, event.fill.tick_seq)
                if tick not in self._waiting and tick not in self._asked and tick not in self._seen:
                    self._waiting[tick] = None
        while len(self._waiting) > WAITING_MAX_TICKS:
            del self._waiting[next(iter(self._waiting))]
            self.lost += 1

    def questions(self, now_ns: int) -> list[GetSources]:
        """What to ask now."""
        for tick in [tick for tick, asked_ns in self._asked.items() if now_ns - asked_ns > ANSWER_NS]:
            del self._asked[tick]
            self.lost += 1
        asked = []
        while self._waiting and len(self._asked) < ASKED_MAX_TICKS:
            tick = next(iter(self._waiting))
            del self._waiting[tick]
            self._asked[tick] = now_ns
            self._seen.append(tick)
            asked.append(GetSources(*tick))
        return asked

    def answered(self, symbol: str, seq: int, known: bool) -> None:
        """`known`: the aggregator still had them."""
        if self._asked.pop((symbol, seq), None) is not None and not known:
            self.lost += 1


def store(connection: sqlalchemy.Connection, many: Sequence[Sources]) -> None:
    """In the transaction that is open. What is stored already stays as it is."""
    values = [_row(told, place, source) for told in many for place, source in enumerate(told.sources)]
    if values:
        # Row by row: one statement for all may have more parameters than it takes, which looks as if nobody were there.
        connection.execute(insert(TICK_QUOTES).on_conflict_do_nothing(), values)


def read(connection: sqlalchemy.Connection, symbol: str, seq: int) -> list[Source]:
    """Empty where nothing is known."""
    found = select(TICK_QUOTES).where(TICK_QUOTES.c.symbol == symbol, TICK_QUOTES.c.seq == seq)
    return [_source(row) for row in connection.execute(found.order_by(TICK_QUOTES.c.place)).mappings()]


def look_up(url: URL, symbol: str, seq: int) -> list[Source]:
    """Over a connection of its own, for a tool; raises DatabaseAway and DatabaseRefused."""
    engine = sqlalchemy.create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 2})
    with our_errors(), engine.connect() as connection:
        return read(connection, symbol, seq)


def _row(told: Sources, place: int, source: Source) -> rows.Row:
    quote = source.quote
    return {
        "symbol": told.tick.symbol,
        "seq": told.tick.seq,
        "place": place,
        "lp": source.lp,
        "bid": rows.numeric_e8(quote.bid_e8),
        "ask": rows.numeric_e8(quote.ask_e8),
        "bid_size": rows.numeric_e8(quote.bid_size_e8),
        "ask_size": rows.numeric_e8(quote.ask_size_e8),
        "venue_time_ns": quote.venue_time_ns,
        "received_ns": quote.received_ns,
        "venue_seq": quote.venue_seq,
        "dropped": source.dropped or None,
        "judged_ns": source.time_ns,
    }


def _source(row: rows.Stored) -> Source:
    quote = Quote(
        row["symbol"],
        rows.e8(row["bid"]),
        rows.e8(row["ask"]),
        rows.e8(row["bid_size"]),
        rows.e8(row["ask_size"]),
        row["venue_time_ns"],
        row["received_ns"],
        row["venue_seq"],
    )
    return Source(row["lp"], quote, row["dropped"] or "", row["judged_ns"])
