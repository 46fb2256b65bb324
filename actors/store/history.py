"""The history in PostgreSQL: what it holds, and how far it got, changed together or not at all.

Every write is one transaction with the number that its stream reached (table `progress`). Whoever writes again after a
crash reads that number first, and so nothing is lost or doubled.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy
from sqlalchemy import JSON, Text, bindparam, case, cast, func, select, text, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from actors.bus.answers import Answer, Sources
from actors.bus.people import PeopleRequest
from actors.domain.events.event import Event
from actors.domain.prices.bar import Bar, bar_of, join
from actors.domain.quote import Tick
from actors.store import people, queries, rows, sources, users
from actors.store.booking import EventRows
from actors.store.database import DatabaseAway, our_errors
from actors.store.migrations import migrate
from actors.store.schema import (
    ACCOUNTS,
    BARS,
    ENTRIES,
    FILLS,
    INSTRUMENTS,
    ORDERS,
    POSITIONS,
    POSTINGS,
    PROGRESS,
    TICKS,
    TRIAL_BALANCES,
)

EVENTS = "events"
"""The name of the event stream in `progress`."""
EVENTS_TIME = "events:time_ns"
"""There instead of a number: when the last stored event was committed. Another journal has it otherwise."""
CONNECTION = {
    "application_name": "hedgerow",
    "connect_timeout": 2,
    # A network that swallows packets is noticed in seconds, not after the system's hours.
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""For libpq: seconds, except tcp_user_timeout, which is in milliseconds."""
STATEMENT_TIMEOUT_MS = 10_000
_WRITER_LOCK = 0x4865646765_02
"""Advisory lock of the one process that writes."""
_COPY_TICKS = f"COPY ticks ({', '.join(column.name for column in TICKS.c)}) FROM STDIN"


def tick_stream(symbol: str) -> str:
    """The name of a symbol's ticks in `progress`."""
    return f"tick:{symbol}"


class History:
    """One connection, used by one thread. All methods raise `DatabaseAway`; after that, open another one."""

    def __init__(self, url: URL) -> None:
        """Connects as the only writer, and brings the schema up to date."""
        engine = sqlalchemy.create_engine(url, poolclass=NullPool, connect_args=CONNECTION)
        with our_errors():
            self._connection = engine.connect()
            try:
                self._become_writer()
                migrate(self._connection)
                self._set_up_session()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        if not self._connection.closed:
            self._connection.invalidate()
            self._connection.close()

    def ensure_users(self, credentials: Path) -> bool:
        """Where there are no users yet, makes the first two (users.py); True when it did."""
        with our_errors(), self._connection.begin():
            return users.ensure(self._connection, credentials)

    def progress(self) -> dict[str, int]:
        """The last number of each stream that is stored."""
        with our_errors(), self._connection.begin():
            return {row.stream: row.seq for row in self._connection.execute(select(PROGRESS))}

    def store_ticks(self, ticks: Sequence[Tick]) -> None:
        """Ticks that are not stored yet, each symbol's in order, and their minutes' bars; raises `DatabaseRefused`."""
        reached = {tick_stream(tick.symbol): tick.seq for tick in ticks}
        with our_errors(), self._connection.begin():
            driver: Any = self._connection.connection.driver_connection
            with driver.cursor() as cursor, cursor.copy(_COPY_TICKS) as copy:
                for tick in ticks:
                    copy.write_row(rows.tick_fields(tick))
            self._write(_MERGE_BARS, [rows.bar_row(bar) for bar in _minutes(ticks)])
            self._reach(reached)

    def store_events(self, first_seq: int, events: Sequence[Event], time_ns: int = 0) -> None:
        """The events from number `first_seq` on, which is the next after those stored; raises `DatabaseRefused`.

        `time_ns`: that of the last one's batch; 0: it is not known.
        """
        with our_errors(), self._connection.begin():
            made = EventRows(self._connection, events)
            self._write(_UPSERT_INSTRUMENTS, made.instruments.values())
            self._write(_UPSERT_ACCOUNTS, made.accounts.values())
            self._write(_UPSERT_ORDERS, made.orders.values())
            self._write(_INSERT_FILLS, made.fills)
            self._write(_UPSERT_POSITIONS, made.positions.values())
            self._write(_INSERT_POSTINGS, made.postings)
            self._write(_INSERT_ENTRIES, made.entries)
            self._write(_INSERT_TRIAL_BALANCES, made.trial_balances)
            for account_id, group in made.groups.items():
                self._connection.execute(_SET_GROUP, {"account": account_id, "group": group})
            for account_id, status in made.statuses.items():
                self._connection.execute(_SET_STATUS, {"account": account_id, "status": status})
            self._reach({EVENTS: first_seq + len(events) - 1, EVENTS_TIME: time_ns})

    def store_sources(self, many: Sequence[Sources]) -> None:
        """What stood behind ticks that were dealt on; raises `DatabaseRefused`."""
        with our_errors(), self._connection.begin():
            sources.store(self._connection, many)

    def answer(self, query: queries.Query) -> Answer:
        """What is stored, or a Refusal."""
        with our_errors(), self._connection.begin():
            return queries.answer(self._connection, query)

    def answer_about_people(self, told: PeopleRequest, now_ns: int) -> Answer:
        """Does what is told, or answers what is asked, in a transaction of its own; raises `DatabaseRefused`."""
        with our_errors(), self._connection.begin():
            return people.answer(self._connection, told, now_ns)

    def _become_writer(self) -> None:
        with self._connection.begin():
            if not self._connection.scalar(select(func.pg_try_advisory_lock(_WRITER_LOCK))):
                raise DatabaseAway("another process writes to this database")

    def _set_up_session(self) -> None:
        with self._connection.begin():
            self._connection.execute(text(f"SET SESSION statement_timeout = {STATEMENT_TIMEOUT_MS}"))
            self._connection.execute(text("SET SESSION timezone = 'UTC'"))

    def _write(self, statement: Insert, values: Iterable[rows.Row]) -> None:
        many = list(values)
        if many:
            self._connection.execute(statement, {"rows": msgspec.json.encode(many).decode()})

    def _reach(self, reached: dict[str, int]) -> None:
        self._write(_UPSERT_PROGRESS, [{"stream": stream, "seq": seq} for stream, seq in reached.items()])


def _minutes(ticks: Iterable[Tick]) -> Iterable[Bar]:
    """M1 bars of the live ticks. What a tick says when nobody stands behind it is no price of that minute."""
    bars: dict[tuple[str, int], Bar] = {}
    for tick in ticks:
        if tick.live:
            bar = bar_of(tick)
            key = (bar.symbol, bar.start_ns)
            bars[key] = join(bars[key], bar) if key in bars else bar
    return bars.values()


def _insert(table: sqlalchemy.Table) -> Insert:
    """INSERT of all `rows`, which go as one text in JSON: several times as fast as a statement for each of them."""
    names = [column.name for column in table.c]
    rows_of_table = func.json_populate_recordset(
        text(f"CAST(NULL AS {table.name})"), cast(bindparam("rows", type_=Text), JSON)
    ).table_valued(*names)
    return insert(table).from_select(names, select(rows_of_table))


def _upsert(table: sqlalchemy.Table, merged: Callable[[str, Any, Any], Any] = lambda name, old, new: new) -> Insert:
    """INSERT, or where the key is there already, each other column as `merged(name, old, new)`."""
    statement = _insert(table)
    key = [column.name for column in table.primary_key]
    changed = {
        column.name: merged(column.name, column, statement.excluded[column.name])
        for column in table.c
        if column.name not in key
    }
    return statement.on_conflict_do_update(index_elements=key, set_=changed)


def _merge_bar(name: str, earlier: Any, later: Any) -> Any:
    """As actors.domain.prices.bar.join does it; a bar without ticks was filled in (gaps.py), and gives way."""
    if name == "ticks":
        return earlier + later
    points = {"open": earlier, "high": func.greatest(earlier, later), "low": func.least(earlier, later), "close": later}
    return case((BARS.c.ticks == 0, later), else_=points[name.partition("_")[2]])


_UPSERT_INSTRUMENTS = _upsert(INSTRUMENTS)
_UPSERT_ACCOUNTS = _upsert(ACCOUNTS)
_UPSERT_ORDERS = _upsert(ORDERS)
_INSERT_FILLS = _insert(FILLS)
_UPSERT_POSITIONS = _upsert(POSITIONS)
_INSERT_POSTINGS = _insert(POSTINGS)
_INSERT_ENTRIES = _insert(ENTRIES)
_INSERT_TRIAL_BALANCES = _insert(TRIAL_BALANCES)
_SET_STATUS = (
    update(ACCOUNTS).where(ACCOUNTS.c.account_id == bindparam("account")).values(margin_status=bindparam("status"))
)
_SET_GROUP = (
    update(ACCOUNTS).where(ACCOUNTS.c.account_id == bindparam("account")).values(client_group=bindparam("group"))
)
_UPSERT_PROGRESS = _upsert(PROGRESS)
_MERGE_BARS = _upsert(BARS, _merge_bar)
