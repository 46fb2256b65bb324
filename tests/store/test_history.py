"""The history against a real PostgreSQL: everything comes back as it went in, once, and the ledger balances."""

import contextlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from actors.bus.messages import (
    Answer,
    Bars,
    Entries,
    Fills,
    GetBars,
    GetEntries,
    GetFills,
    GetOrders,
    GetTickHistory,
    GetUser,
    LedgerLine,
    Orders,
    Refusal,
    Ticks,
)
from actors.domain.bar import MINUTE_NS, Bar, bar_of, join
from actors.domain.events import AccountOpened, InstrumentDefined, OrderFilled
from actors.domain.ledger import Entry, Posting, PostingKind
from actors.domain.quote import Tick
from actors.store import queries
from actors.store.database import DatabaseAway, DatabaseRefused
from actors.store.database import database_url as sqlalchemy_url
from actors.store.history import History
from actors.store.schema import METADATA
from tests.store import facts


@pytest.fixture
def history(database_url: str) -> Iterator[History]:
    opened = open_history(database_url)
    yield opened
    opened.close()


def open_history(database_url: str) -> History:
    return History(sqlalchemy_url(Path(), database_url))


def test_a_network_that_swallows_packets_is_noticed(history: History) -> None:
    driver: Any = history._connection.connection.driver_connection
    limits = driver.info.get_parameters()
    assert {name: limits.get(name) for name in ("tcp_user_timeout", "keepalives_idle", "keepalives_count")} == {
        "tcp_user_timeout": "10000",
        "keepalives_idle": "5",
        "keepalives_count": "3",
    }


def rows(database_url: str, statement: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(psycopg.connect(database_url)) as session, session:
        return session.execute(statement.encode()).fetchall()


def test_the_tables_are_those_of_the_schema(history: History, database_url: str) -> None:
    engine = sqlalchemy.create_engine(sqlalchemy_url(Path(), database_url), poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_opening_again_changes_nothing(history: History, database_url: str) -> None:
    history.store_events(1, facts.opening())
    history.close()
    again = open_history(database_url)
    assert again.progress() == {"events": 3}
    again.close()


def test_there_is_one_writer(history: History, database_url: str) -> None:
    with pytest.raises(DatabaseAway, match="another process writes to this database"):
        open_history(database_url)


def test_a_database_that_is_not_there_is_away(database_url: str) -> None:
    with pytest.raises(DatabaseAway, match="does not exist"):
        open_history(database_url.replace("/test_", "/no_"))


def test_events_come_back_as_they_went_in(history: History) -> None:
    events = facts.day(300)
    history.store_events(1, events[:100])
    history.store_events(101, events[100:])
    orders = [event.order for event in events if hasattr(event, "order")][::-1]
    fills = [event.fill for event in events if isinstance(event, OrderFilled)][::-1]
    assert history.answer(GetOrders(1, 1_000, 0, 0)) == Orders(orders)
    assert history.answer(GetFills(1, 1_000, 0, 0)) == Fills(fills)
    assert history.progress() == {"events": 300}


def test_pages_go_on_below_the_last_id(history: History) -> None:
    history.store_events(1, facts.day(50))
    first = history.answer(GetOrders(1, 10, 0, 0))
    assert isinstance(first, Orders)
    second = history.answer(GetOrders(1, 10, first.orders[-1].order_id, 0))
    assert isinstance(second, Orders)
    assert [order.order_id for order in first.orders + second.orders] == list(range(48, 28, -1))


def test_another_accounts_rows_are_not_answered(history: History) -> None:
    history.store_events(1, [*facts.opening(), AccountOpened(2, "USD"), facts.filled(2, 100, account_id=2)])
    assert history.answer(GetOrders(1, 10, 0, 0)) == Orders([])
    assert history.answer(GetFills(1, 10, 0, 0)) == Fills([])


def test_limits_are_clamped(history: History) -> None:
    history.store_events(1, facts.day(queries.ROWS_MAX + 100))
    most = history.answer(GetOrders(1, 2**63 - 1, 0, 0))
    least = history.answer(GetOrders(1, -5, 0, 0))
    assert isinstance(most, Orders)
    assert isinstance(least, Orders)
    assert (len(most.orders), len(least.orders)) == (queries.ROWS_MAX, 1)


def test_entries_carry_the_balance_of_their_account(history: History) -> None:
    history.store_events(1, [*facts.opening(), facts.filled(2, 150)])
    history.store_events(5, [facts.filled(3, -1_000), facts.deposited(4, 7, currency="JPY")])
    time_ns = facts.START_NS
    assert history.answer(GetEntries("client:1", 10, 0, 0)) == Entries(
        [
            LedgerLine(7, 4, "deposit", "deposit:4", time_ns, "client:1", "JPY", 7, 7),
            LedgerLine(5, 3, "trade", "fill:3", time_ns + 3, "client:1", "USD", -1_000, 9_999_150),
            LedgerLine(3, 2, "trade", "fill:2", time_ns + 2, "client:1", "USD", 150, 10_000_150),
            LedgerLine(1, 1, "deposit", "deposit:1", time_ns, "client:1", "USD", 10_000_000, 10_000_000),
        ]
    )


def test_people_see_decimals(history: History, database_url: str) -> None:
    history.store_events(1, [*facts.opening(), facts.filled(2, 150), facts.deposited(3, 7, currency="JPY")])
    of_client = "FROM entries WHERE account = 'client:1' ORDER BY entry_id"
    found = rows(database_url, f"SELECT amount::text, currency {of_client}")
    assert found == [("100000.00", "USD"), ("1.50", "USD"), ("7", "JPY")]
    assert rows(database_url, "SELECT price, profit, currency, time::text FROM fills") == [
        (Decimal("1.10000003"), Decimal("1.50"), "USD", "2026-01-01 00:00:00+00")
    ]
    assert rows(database_url, "SELECT quantity, margin FROM positions") == [(Decimal("10000.00000002"), Decimal("333"))]


def test_a_rejected_order_keeps_its_reason(history: History, database_url: str) -> None:
    history.store_events(1, [*facts.opening(), facts.rejected(2)])
    found = rows(database_url, "SELECT status, code, detail, average_price FROM orders")
    assert found == [("rejected", "INSUFFICIENT_MARGIN", "not enough", None)]


@pytest.mark.parametrize(
    "entries",
    [
        (Entry("client:1", "USD", 100), Entry("broker:cash", "USD", -99)),
        (Entry("client:1", "USD", 100), Entry("broker:cash", "EUR", -100)),
        (Entry("client:1", "USD", 1),),
    ],
)
def test_the_database_refuses_an_unbalanced_posting(history: History, entries: tuple[Entry, ...]) -> None:
    history.store_events(1, facts.opening())
    posting = Posting(2, PostingKind.DEPOSIT, "deposit:2", facts.START_NS, entries)
    event = facts.deposited(2, 100)
    wrong = type(event)(1, "2", "config", posting)
    with pytest.raises(DatabaseRefused, match="posting 2 sums to"):
        history.store_events(4, [facts.filled(5), wrong])
    assert history.progress() == {"events": 3}
    assert history.answer(GetOrders(1, 10, 0, 0)) == Orders([])


@pytest.mark.parametrize("change", ["DELETE FROM entries WHERE entry_id = 1", "UPDATE entries SET amount = amount + 1"])
def test_the_database_refuses_to_unbalance_a_posting(history: History, database_url: str, change: str) -> None:
    history.store_events(1, facts.opening())
    with pytest.raises(psycopg.errors.CheckViolation, match="posting 1 sums to"):
        rows(database_url, f"{change} RETURNING entry_id")


def test_the_same_events_twice_are_refused_whole(history: History) -> None:
    events = facts.day(20)
    history.store_events(1, events)
    with pytest.raises(DatabaseRefused, match="duplicate key"):
        history.store_events(1, events)
    assert history.progress() == {"events": 20}


def test_a_fill_of_an_account_never_opened_is_refused(history: History) -> None:
    with pytest.raises(DatabaseRefused, match="account 9, which was never opened"):
        history.store_events(1, [facts.filled(1, account_id=9)])


def test_ticks_come_back_as_they_went_in(history: History) -> None:
    ticks = facts.ticks("EURUSD", 5, 100)
    history.store_ticks([*ticks[:50], *facts.ticks("GBPUSD", 900, 3)])
    history.store_ticks(ticks[50:])
    assert history.answer(GetTickHistory("EURUSD", 1_000, 0)) == Ticks("EURUSD", ticks)
    assert history.answer(GetTickHistory("EURUSD", 10, 55)) == Ticks("EURUSD", ticks[40:50])
    assert history.answer(GetTickHistory("XAUUSD", 10, 0)) == Ticks("XAUUSD", [])
    assert history.progress() == {"tick:EURUSD": 104, "tick:GBPUSD": 902}


def test_ticks_that_are_stored_are_refused_whole(history: History) -> None:
    ticks = facts.ticks("EURUSD", 1, 10)
    history.store_ticks(ticks[:5])
    before = history.answer(GetBars("EURUSD", 1, 10, 0))
    with pytest.raises(DatabaseRefused, match="duplicate key"):
        history.store_ticks(ticks[4:])
    assert history.answer(GetTickHistory("EURUSD", 100, 0)) == Ticks("EURUSD", ticks[:5])
    assert history.answer(GetBars("EURUSD", 1, 10, 0)) == before


def fold(ticks: list[Tick], minutes: int) -> list[Bar]:
    """Bars the straightforward way: tick by tick, each span for itself."""
    bars: dict[int, Bar] = {}
    for tick in ticks:
        if tick.live:
            bar = bar_of(tick, minutes * MINUTE_NS)
            bars[bar.start_ns] = join(bars[bar.start_ns], bar) if bar.start_ns in bars else bar
    return [bars[start_ns] for start_ns in sorted(bars)]


@pytest.mark.parametrize("minutes", queries.BAR_MINUTES)
def test_bars_are_the_fold_of_the_ticks(history: History, minutes: int) -> None:
    early = facts.ticks("EURUSD", 1, 700, step_ns=7_000_000_000)
    late = facts.ticks("EURUSD", 60_000, 700, step_ns=7_300_000_000, seed=2)
    ticks = early + late
    for start in range(0, len(ticks), 37):
        history.store_ticks(ticks[start : start + 37])
    bars = fold(ticks, minutes)
    assert history.answer(GetBars("EURUSD", minutes, 1_000, 0)) == Bars("EURUSD", minutes, bars)
    assert history.answer(GetBars("EURUSD", minutes, 2, 0)) == Bars("EURUSD", minutes, bars[-2:])
    middle = bars[len(bars) // 2].start_ns
    older = [bar for bar in bars if bar.start_ns < middle]
    assert history.answer(GetBars("EURUSD", minutes, 3, middle)) == Bars("EURUSD", minutes, older[-3:])
    assert history.answer(GetBars("EURUSD", minutes, 1, middle + 1)) == Bars("EURUSD", minutes, [bars[len(bars) // 2]])


@pytest.mark.parametrize("minutes", [0, -1, 2, 10_080])
def test_other_spans_are_refused(history: History, minutes: int) -> None:
    answer = history.answer(GetBars("EURUSD", minutes, 10, 0))
    assert answer == Refusal(
        "BAD_REQUEST", f"bars have one of 1, 5, 15, 30, 60, 240, 1440 minutes, not {minutes}", "minutes"
    )


@pytest.mark.parametrize(
    ("query", "nothing"),
    [
        (GetBars("EURUSD", 5, 10, 2**64 - 1), Bars("EURUSD", 5, [])),
        (GetBars("EURUSD", 1, 10, -(2**63)), Bars("EURUSD", 1, [])),
        (GetBars("EURUSD", 240, 10, -(2**63)), Bars("EURUSD", 240, [])),
        (GetTickHistory("EURUSD", 10, -1), Ticks("EURUSD", [])),
        (GetEntries("'; DROP TABLE users; --", 10, 0, 0), Entries([])),
    ],
)
def test_extreme_questions_find_nothing(history: History, query: queries.Query, nothing: Answer) -> None:
    assert history.answer(query) == nothing


def test_numbers_that_the_database_cannot_hold_are_refused(history: History) -> None:
    for query in (GetTickHistory("EURUSD", 10, 2**64 - 1), GetOrders(2**64 - 1, 10, 0, 0)):
        with pytest.raises(DatabaseRefused, match="out of range"):
            history.answer(query)
    assert history.answer(GetOrders(1, 10, 0, 0)) == Orders([])


def test_text_that_the_database_cannot_hold_is_refused(history: History) -> None:
    with pytest.raises(DatabaseRefused, match="NUL"):
        history.answer(GetUser("tra\0der"))
    assert history.answer(GetUser("trader")) == Refusal("UNKNOWN_USER", "there is no such user", "username")


def test_terms_that_change_leave_one_row(history: History, database_url: str) -> None:
    changed = msgspec.structs.replace(facts.EURUSD, price_digits=6)
    history.store_events(1, [*facts.opening(), InstrumentDefined(changed), AccountOpened(1, "USD")])
    found = rows(database_url, "SELECT symbol, price_digits, margin_rate FROM instruments")
    assert found == [("EURUSD", 6, Decimal("0.0333"))]


def test_what_the_database_says_holds_no_secret(database_url: str) -> None:
    wrong = sqlalchemy_url(Path(), database_url).set(password="not-the-password")
    with pytest.raises(DatabaseAway) as away:
        History(wrong)
    assert "not-the-password" not in str(away.value)
