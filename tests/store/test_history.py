"""The history against a real PostgreSQL: everything comes back as it went in, once, and the ledger balances."""

import contextlib
import re
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from actors.bus.answers import Answer, Refusal, Sources, Ticks
from actors.bus.history_answers import Bars, Entries, Fills, LedgerLine, Orders, Transactions
from actors.bus.requests import GetBars, GetEntries, GetFills, GetOrders, GetTickHistory, GetTransactions
from actors.bus.users import GetUser
from actors.domain.commands import Mode
from actors.domain.events.accounts import AccountOpened
from actors.domain.events.event import Event
from actors.domain.events.orders import PositionModified
from actors.domain.events.terms import GroupAssigned, GroupDefined, InstrumentDefined
from actors.domain.group import Group
from actors.domain.ledger import Entry, Posting, PostingKind
from actors.domain.order import OrderReason, OrderStatus, OrderType, Side, TimeInForce
from actors.domain.prices.bar import MINUTE_NS, Bar, bar_of, join
from actors.domain.prices.evidence import Source
from actors.domain.quote import Quote, Tick
from actors.domain.risk.stop_out import MarginStatus
from actors.store import queries
from actors.store.database import DatabaseAway, DatabaseRefused
from actors.store.database import database_url as sqlalchemy_url
from actors.store.history import History
from actors.store.recorder import SOURCES_BUFFERED_MAX
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


def test_the_tables_take_every_word_of_the_domain_and_no_other(history: History, database_url: str) -> None:
    words: dict[str, type[Enum]] = {
        "accounts.mode": Mode,
        "accounts.margin_status": MarginStatus,
        "orders.side": Side,
        "orders.type": OrderType,
        "orders.time_in_force": TimeInForce,
        "orders.reason": OrderReason,
        "orders.status": OrderStatus,
        "fills.side": Side,
        "positions.side": Side,
        "postings.kind": PostingKind,
    }
    checks = rows(
        database_url,
        "SELECT conrelid::regclass || '.' || attname, pg_get_constraintdef(pg_constraint.oid) FROM pg_constraint"
        " JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1] WHERE contype = 'c'",
    )
    taken = {column: set(re.findall("'([^']*)'::text", check)) for column, check in checks}
    expected = {column: {member.value for member in values} for column, values in words.items()}
    assert {column: taken[column] for column in words} == expected


def test_opening_again_changes_nothing(history: History, database_url: str) -> None:
    history.store_events(1, facts.opening())
    history.close()
    again = open_history(database_url)
    assert again.progress()["events"] == 3
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
    assert history.answer(GetOrders(1, 1_000, 0, 0)) == Orders(facts.orders(events))
    assert history.answer(GetFills(1, 1_000, 0, 0)) == Fills(facts.fills(events))
    assert history.progress()["events"] == 300


def test_pages_go_on_below_the_last_id(history: History) -> None:
    events = facts.day(50)
    history.store_events(1, events)
    first = history.answer(GetOrders(1, 10, 0, 0))
    assert isinstance(first, Orders)
    second = history.answer(GetOrders(1, 10, first.orders[-1].order_id, 0))
    assert isinstance(second, Orders)
    assert first.orders + second.orders == facts.orders(events)[:20]


def test_another_accounts_rows_are_not_answered(history: History) -> None:
    history.store_events(1, [*facts.opening(), AccountOpened(2, "USD"), facts.filled(2, 100, account_id=2)])
    assert history.answer(GetOrders(1, 10, 0, 0)) == Orders([])
    assert history.answer(GetFills(1, 10, 0, 0)) == Fills([])


def test_limits_are_clamped(history: History) -> None:
    history.store_events(1, facts.day(2 * queries.ROWS_MAX))
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


def test_a_netting_account_says_so(history: History, database_url: str) -> None:
    history.store_events(1, [AccountOpened(1, "USD", Mode.NETTING), AccountOpened(2, "JPY")])
    found = rows(database_url, "SELECT account_id, currency, mode FROM accounts ORDER BY 1")
    assert found == [(1, "USD", "netting"), (2, "JPY", "hedging")]


def test_the_orders_of_one_request_have_the_same_client_order_id(history: History) -> None:
    closing = [facts.order(number) for number in (2, 3)]
    closing = [msgspec.structs.replace(order, client_order_id="all", request="close all") for order in closing]
    events = [msgspec.structs.replace(facts.filled(order.order_id), order=order) for order in closing]
    history.store_events(1, [*facts.opening(), *events])
    assert history.answer(GetOrders(1, 10, 0, 0)) == Orders(closing[::-1])


def test_a_position_that_is_modified_later_is_as_it_was_last(history: History, database_url: str) -> None:
    history.store_events(1, [*facts.opening(), facts.filled(2)])
    history.store_events(5, [PositionModified(facts.position(2, stop_loss_e8=107_654_321))])
    assert rows(database_url, "SELECT position_id, stop_loss FROM positions") == [(2, Decimal("1.07654321"))]


def test_an_order_that_closes_two_positions_has_a_row_and_two_fills(history: History, database_url: str) -> None:
    first, second = facts.filled(2, 150), facts.filled(3, -70, order_id=2)
    history.store_events(1, [*facts.opening(), first, second])
    assert history.answer(GetOrders(1, 10, 0, 0)) == Orders([second.order])
    assert history.answer(GetFills(1, 10, 0, 0)) == Fills([second.fill, first.fill])
    assert rows(database_url, "SELECT count(*) FROM positions") == [(2,)]


def test_a_fill_may_move_money_more_than_once(history: History) -> None:
    fill = msgspec.structs.replace(facts.filled(2), postings=(facts.trade(2, 150), facts.trade(3, -7)))
    history.store_events(1, [*facts.opening(), fill])
    lines = history.answer(GetEntries("client:1", 2, 0, 0))
    assert isinstance(lines, Entries)
    assert [(line.amount_minor, line.balance_minor) for line in lines.lines] == [(-7, 10_000_143), (150, 10_000_150)]


def test_transactions_go_forwards_from_an_entry_and_within_a_period(history: History) -> None:
    moved = tuple(facts.trade(number, 100 * number) for number in (2, 3, 4))
    history.store_events(1, [*facts.opening(), msgspec.structs.replace(facts.filled(2), postings=moved)])
    ends = 2**63 - 1

    def told(after_id: int, limit: int, start_ns: int = 0, end_ns: int = ends) -> tuple[int, list[int]]:
        question = GetTransactions("client:1", "USD", limit, after_id, start_ns, end_ns, 0)
        answer = history.answer(question)
        assert isinstance(answer, Transactions)
        return answer.opening_minor, [line.amount_minor for line in answer.lines]

    assert told(0, 10) == (0, [10_000_000, 200, 300, 400])
    whole = history.answer(GetTransactions("client:1", "USD", 10, 0, 0, ends, 0))
    assert isinstance(whole, Transactions)
    second, fourth = whole.lines[1], whole.lines[3]
    assert told(second.entry_id, 1) == (10_000_200, [300])
    assert told(fourth.entry_id, 10) == (10_000_900, [])
    assert told(0, 10, end_ns=0) == (0, [])
    assert told(0, 10, start_ns=ends) == (10_000_900, [])


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
    assert history.progress()["events"] == 3
    assert history.answer(GetOrders(1, 10, 0, 0)) == Orders([])


@pytest.mark.parametrize("change", ["DELETE FROM entries WHERE entry_id = 1", "UPDATE entries SET amount = amount + 1"])
def test_the_database_refuses_to_unbalance_a_posting(history: History, database_url: str, change: str) -> None:
    history.store_events(1, facts.opening())
    with pytest.raises(psycopg.errors.CheckViolation, match="posting 1 sums to"):
        rows(database_url, f"{change} RETURNING entry_id")


@pytest.mark.parametrize(
    ("change", "entry_ids"),
    [
        ("DELETE FROM entries WHERE posting_id = 1", [(1,), (2,)]),
        ("UPDATE entries SET amount = -amount", [(1,), (2,)]),
        ("UPDATE entries SET balance = 0 WHERE entry_id = 1", [(1,)]),
    ],
)
def test_a_change_that_leaves_a_posting_balanced_is_taken(
    history: History, database_url: str, change: str, entry_ids: list[tuple[int]]
) -> None:
    history.store_events(1, facts.opening())
    assert rows(database_url, f"{change} RETURNING entry_id") == entry_ids


def test_entries_may_not_move_from_one_posting_to_another(history: History, database_url: str) -> None:
    history.store_events(1, [*facts.opening(), facts.filled(2, 150)])
    with pytest.raises(psycopg.errors.CheckViolation, match="sums to"):
        rows(database_url, "UPDATE entries SET posting_id = 2 WHERE entry_id = 1 RETURNING entry_id")


def test_the_same_events_twice_are_refused_whole(history: History) -> None:
    events = facts.day(20)
    history.store_events(1, events)
    with pytest.raises(DatabaseRefused, match="duplicate key"):
        history.store_events(1, events)
    assert history.progress()["events"] == 20


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
        history.answer_about_people(GetUser("tra\0der"), 1)
    assert history.answer_about_people(GetUser("trader"), 1) == Refusal(
        "UNKNOWN_USER", "there is no such user", "username"
    )


def test_terms_that_change_leave_one_row(history: History, database_url: str) -> None:
    changed = msgspec.structs.replace(facts.EURUSD, price_digits=6)
    history.store_events(1, [*facts.opening(), InstrumentDefined(changed), AccountOpened(1, "USD")])
    found = rows(database_url, "SELECT symbol, price_digits, margin_rate FROM instruments")
    assert found == [("EURUSD", 6, Decimal("0.0333"))]


def test_a_margin_status_is_that_of_the_account_as_it_was_last(history: History, database_url: str) -> None:
    call, out, normal = MarginStatus.MARGIN_CALL, MarginStatus.STOP_OUT, MarginStatus.NORMAL
    statuses: list[list[tuple[Any, ...]]] = []
    for changes in ([], [call], [out, normal, call], [normal]):
        events: list[Event] = [facts.status_changed(status) for status in changes]
        first_seq = history.progress().get("events", 0) + 1
        history.store_events(first_seq, events if statuses else [*facts.opening(), AccountOpened(2, "EUR"), *events])
        statuses.append(rows(database_url, "SELECT account_id, margin_status FROM accounts ORDER BY account_id"))
    assert statuses == [[(1, word), (2, "normal")] for word in ("normal", "margin_call", "margin_call", "normal")]


def test_an_account_and_its_margin_status_may_come_together(history: History, database_url: str) -> None:
    history.store_events(1, [*facts.opening(), facts.status_changed(MarginStatus.MARGIN_CALL)])
    assert rows(database_url, "SELECT account_id, margin_status FROM accounts") == [(1, "margin_call")]


def test_the_group_of_an_account_is_kept(history: History, database_url: str) -> None:
    history.store_events(1, [GroupDefined(Group("pros")), AccountOpened(7, "USD", Mode.NETTING, "pros")])
    found = rows(database_url, "SELECT account_id, mode, client_group, margin_status FROM accounts")
    assert found == [(7, "netting", "pros", "normal")]
    history.store_events(3, [GroupAssigned(7, Group("standard"), {})])
    assert rows(database_url, "SELECT account_id, client_group FROM accounts") == [(7, "standard")]


def test_a_sealed_day_is_the_trial_balance_and_sums_to_zero(history: History, database_url: str) -> None:
    """2024-10-04 is day 20,000 of the epoch."""
    events = [*facts.opening(), facts.filled(2, -1_234), facts.swap(3, -95), facts.forgiven(4, 7)]
    sealed = facts.sealed(20_000, events)
    history.store_events(1, [*events, sealed, facts.sealed(20_003, events[:3])])
    found = rows(database_url, "SELECT trading_day::text, account, currency, balance FROM trial_balances ORDER BY 1, 2")
    assert found == [
        ("2024-10-04", "broker:cash", "USD", Decimal("-100000.00")),
        ("2024-10-04", "broker:protection", "USD", Decimal("-0.07")),
        ("2024-10-04", "broker:swaps", "USD", Decimal("0.95")),
        ("2024-10-04", "broker:trading", "USD", Decimal("12.34")),
        ("2024-10-04", "client:1", "USD", Decimal("99986.78")),
        ("2024-10-07", "broker:cash", "USD", Decimal("-100000.00")),
        ("2024-10-07", "client:1", "USD", Decimal("100000.00")),
    ]
    entries = rows(
        database_url,
        "SELECT account, sum(amount), (array_agg(balance ORDER BY entry_id DESC))[1]"
        " FROM entries GROUP BY 1 ORDER BY 1",
    )
    assert [(account, total, total) for _, account, _, total in found[:5]] == entries


def test_swaps_and_forgiven_balances_are_lines_of_the_client(history: History, database_url: str) -> None:
    history.store_events(1, [*facts.opening(), facts.swap(2, -9_52), facts.swap(3, 25_00), facts.forgiven(4, 1_00)])
    answer = history.answer(GetEntries("client:1", 10, 0, 0))
    assert isinstance(answer, Entries)
    assert [(line.kind, line.reference, line.amount_minor, line.balance_minor) for line in answer.lines] == [
        ("protection", "protection:4", 1_00, 100_016_48),
        ("swap", "swap:3", 25_00, 100_015_48),
        ("swap", "swap:2", -9_52, 99_990_48),
        ("deposit", "deposit:1", 100_000_00, 100_000_00),
    ]
    actors = rows(database_url, "SELECT posting_id, actor FROM postings ORDER BY 1")
    assert actors == [(1, "config"), (2, None), (3, None), (4, None)]


def test_the_commission_of_a_fill_is_kept(history: History, database_url: str) -> None:
    """25 cents where the number leaves 1 when divided by 3 (facts.filled), 50 where it leaves 2."""
    history.store_events(1, [*facts.opening(), facts.filled(2), facts.filled(3), facts.filled(4)])
    found = rows(database_url, "SELECT fill_id, commission FROM fills ORDER BY 1")
    assert found == [(2, Decimal("0.50")), (3, Decimal("0.00")), (4, Decimal("0.25"))]


def test_what_the_database_says_holds_no_secret(database_url: str) -> None:
    wrong = sqlalchemy_url(Path(), database_url).set(password="not-the-password")
    with pytest.raises(DatabaseAway) as away:
        History(wrong)
    assert "not-the-password" not in str(away.value)


def test_as_many_sources_are_stored_at_once_as_may_wait(history: History, database_url: str) -> None:
    """A statement has 65,535 parameters at most; more sources than that wait when the database was away for long."""
    quote = Quote("EURUSD", 108_000_000, 108_010_000, 10**8, 10**8, 5, 6, 7)
    sources = [Source(f"LP{place}", quote, "", 8) for place in range(6)]
    ticks = (Tick("EURUSD", seq, 1, 1, 2, "A", "B", True) for seq in range(1, SOURCES_BUFFERED_MAX + 1))
    waiting = [Sources(tick, sources) for tick in ticks]
    history.store_sources(waiting)
    history.store_sources(waiting)
    assert rows(database_url, "SELECT count(*) FROM tick_quotes") == [(6 * SOURCES_BUFFERED_MAX,)]
