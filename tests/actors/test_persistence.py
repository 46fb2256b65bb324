"""The persistence process between a real PostgreSQL and an engine and an aggregator that the test plays."""

import contextlib
import json
import random
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

import actors.persistence
from actors.bus import codec, topics
from actors.bus.answers import Answer, Refusal, Reply, Sources, Ticks
from actors.bus.history_answers import Bars, Entries, Fills, Orders
from actors.bus.pump import Inbox, Outbox
from actors.bus.requests import GetBars, GetEntries, GetFills, GetOrders, GetTickHistory, HistoryRequest
from actors.bus.streams import EventBatch
from actors.bus.users import GetUser, User, UserReport
from actors.domain.ledger import Entry, Posting, PostingKind
from actors.domain.prices.evidence import Source
from actors.domain.quote import Quote, Tick
from actors.persistence import QUERY_WAIT_NS
from actors.store import database
from actors.store.database import database_url as sqlalchemy_url
from actors.store.history import History
from actors.store.passwords import check_password
from actors.store.recorder import Recorder
from actors.store.sources import look_up
from tests.actors.peers import Peers, start
from tests.store import facts
from tests.store.test_history import fold


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return tmp_path / "var"


@pytest.fixture
def peers(run_dir: Path) -> Iterator[Peers]:
    made = Peers(run_dir)
    yield made
    made.close()


class Persistence:
    """The process, which may be killed and started again."""

    def __init__(self, run_dir: Path, database_url: str) -> None:
        self._run_dir = run_dir
        self._database_url = database_url
        self._log = run_dir.parent / "persistence.log"
        self.start()

    def start(self) -> None:
        self.process = start("actors.persistence", self._run_dir, self._log, DATABASE_URL=self._database_url)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def log(self) -> str:
        return self._log.read_text()


@pytest.fixture
def persistence(run_dir: Path, database_url: str, peers: Peers) -> Iterator[Persistence]:
    running = Persistence(run_dir, database_url)
    yield running
    running.kill()


def rows(database_url: str, statement: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(psycopg.connect(database_url)) as session, session:
        return session.execute(statement.encode()).fetchall()


def stored_ticks(peers: Peers, symbol: str) -> list[Tick]:
    answer = peers.answer(GetTickHistory(symbol, 1_000, 0))
    assert isinstance(answer, Ticks)
    return answer.ticks


def until_ticks(peers: Peers, ticks: list[Tick]) -> None:
    peers.until(lambda: stored_ticks(peers, ticks[0].symbol) == ticks)


def assert_stored(peers: Peers, database_url: str) -> None:
    """The tables hold what the journal says: every row once and as it was last, the ledger's balances as their sums."""
    events = [event for batch in peers.journal for event in batch.events]
    orders = [(order.order_id, order.status.value) for order in facts.orders(events)]
    fills = [(fill.fill_id,) for fill in facts.fills(events)]
    stops = [(position.position_id, Decimal(position.stop_loss_e8) / 10**8) for position in facts.positions(events)]
    postings = {posting.posting_id: posting for posting in facts.postings(events)}
    assert rows(database_url, "SELECT order_id, status FROM orders ORDER BY 1 DESC") == orders
    assert rows(database_url, "SELECT fill_id FROM fills ORDER BY 1 DESC") == fills
    assert rows(database_url, "SELECT position_id, stop_loss FROM positions ORDER BY 1") == stops
    assert rows(database_url, "SELECT posting_id FROM postings ORDER BY 1") == [(n,) for n in sorted(postings)]
    balances: dict[str, int] = {}
    expected: list[tuple[Any, ...]] = []
    for posting in postings.values():
        for entry in posting.entries:
            balances[entry.account] = balances.get(entry.account, 0) + entry.amount_minor
            amount, balance = Decimal(entry.amount_minor) / 100, Decimal(balances[entry.account]) / 100
            expected.append((len(expected) + 1, posting.posting_id, entry.account, amount, balance))
    entries = rows(database_url, "SELECT entry_id, posting_id, account, amount, balance FROM entries ORDER BY 1")
    assert entries == expected


def test_what_the_streams_say_is_stored_and_answered(persistence: Persistence, peers: Peers, database_url: str) -> None:
    peers.until(lambda: peers.pong().ready)
    events, ticks = facts.day(60), facts.ticks("EURUSD", 1, 90)
    for first in range(0, 60, 5):
        peers.happen(events[first : first + 5])
    for first in range(0, 90, 9):
        peers.tick(ticks[first : first + 9])
    peers.until_stored()
    until_ticks(peers, ticks)
    assert peers.answer(GetOrders(1, 1_000, 0, 60)) == Orders(facts.orders(events))
    assert peers.answer(GetFills(1, 1_000, 0, 60)) == Fills(facts.fills(events))
    assert peers.answer(GetBars("EURUSD", 1, 1_000, 0)) == Bars("EURUSD", 1, fold(ticks, 1))
    pong = peers.pong()
    assert (pong.ready, pong.detail, pong.seq) == (True, "", 60)
    assert_stored(peers, database_url)


def test_what_stood_behind_the_tick_of_a_fill_is_kept(
    persistence: Persistence, peers: Peers, database_url: str
) -> None:
    peers.until(lambda: peers.pong().ready)
    quote = Quote("EURUSD", 108_000_000, 108_010_000, 10**8, 10**8, 5, 6, 7)
    sources = [Source("OANDA", quote, "", 8), Source("BINANCE", quote, "crossed", 9)]
    fills = facts.fills(facts.day(60))
    known = fills[0].tick_seq
    tick = Tick("EURUSD", known, 1, 108_000_000, 108_010_000, "OANDA", "OANDA", True)
    peers.sources[known] = Sources(tick, sources)
    peers.happen(facts.day(60))
    peers.until_stored()
    count = "SELECT count(*) FROM tick_quotes"
    peers.until(lambda: rows(database_url, count) == [(2,)])
    assert look_up(make_url(database_url).set(drivername=database.DRIVER), "EURUSD", known) == sources
    unknown = len({fill.tick_seq for fill in fills}) - 1
    peers.until(lambda: peers.pong().counters.get("sources_lost") == unknown)
    persistence.process.send_signal(signal.SIGTERM)
    assert persistence.process.wait() == 0
    assert f"sources_lost={unknown}" in persistence.log()


def test_who_starts_late_catches_up_page_by_page(
    run_dir: Path, peers: Peers, database_url: str, request: pytest.FixtureRequest
) -> None:
    events, ticks = facts.day(400), facts.ticks("EURUSD", 1, 400)
    for first in range(0, 400, 4):
        peers.happen(events[first : first + 4])
    peers.tick(ticks)
    request.getfixturevalue("persistence")
    peers.until_stored()
    until_ticks(peers, ticks)
    assert_stored(peers, database_url)
    assert len(peers.asked_for_events) >= 400 / 4 / 7


def test_a_gap_in_the_events_is_filled_before_anything_later(
    persistence: Persistence, peers: Peers, database_url: str
) -> None:
    peers.until(lambda: peers.pong().ready)
    events = facts.day(40)
    peers.happen(events[:10])
    peers.happen(events[10:20], publish=False)
    peers.happen(events[20:30])
    peers.happen(events[30:])
    peers.until_stored()
    assert_stored(peers, database_url)


def test_a_last_event_that_was_lost_is_seen_by_the_heartbeat(
    persistence: Persistence, peers: Peers, database_url: str
) -> None:
    peers.until(lambda: peers.pong().ready)
    peers.happen(facts.day(10), publish=False)
    peers.until_stored()
    assert_stored(peers, database_url)


def test_events_that_come_again_are_not_stored_again(persistence: Persistence, peers: Peers, database_url: str) -> None:
    events = facts.day(30)
    peers.happen(events[:10])
    peers.happen(events[10:20])
    peers.until_stored()
    peers.journal, journal = [EventBatch(6, 0, events[5:25])], peers.journal
    peers.until(lambda: bool(rows(database_url, "SELECT FROM progress WHERE seq = 25")))
    peers.journal = [*journal, EventBatch(21, 0, events[20:25])]
    assert_stored(peers, database_url)


def test_ticks_that_were_lost_come_from_the_backlog(persistence: Persistence, peers: Peers) -> None:
    peers.until(lambda: peers.pong().ready)
    ticks = facts.ticks("EURUSD", 1, 300)
    peers.tick(ticks[:20])
    peers.tick(ticks[20:200], publish=False)
    peers.tick(ticks[200:280])
    until_ticks(peers, ticks[:280])
    peers.tick(ticks[280:], publish=False)
    until_ticks(peers, ticks)
    peers.tick(ticks[-1:], keep=False)
    peers.tick(ticks[10:30], keep=False)
    peers.last_seq["EURUSD"] = 300
    gbpusd = facts.ticks("GBPUSD", 5, 10)
    peers.tick(gbpusd)
    until_ticks(peers, gbpusd)
    assert stored_ticks(peers, "EURUSD") == ticks


def test_ticks_that_nobody_has_any_more_are_a_gap_that_is_counted(persistence: Persistence, peers: Peers) -> None:
    peers.until(lambda: peers.pong().ready)
    ticks = facts.ticks("EURUSD", 1, 60)
    peers.tick(ticks[:20])
    until_ticks(peers, ticks[:20])
    peers.tick(ticks[20:30], publish=False, keep=False)
    peers.tick(ticks[30:50])
    until_ticks(peers, ticks[:20] + ticks[30:50])
    persistence.process.send_signal(signal.SIGTERM)
    assert persistence.process.wait() == 0
    assert "ticks_gaps=1" in persistence.log()


def test_an_aggregator_that_started_anew_goes_on_at_a_higher_number(persistence: Persistence, peers: Peers) -> None:
    old, new = facts.ticks("EURUSD", 1, 20), facts.ticks("EURUSD", 1_767_225_600_000_000, 20)
    peers.tick(old)
    until_ticks(peers, old)
    peers.backlog.clear()
    peers.tick(new)
    until_ticks(peers, old + new)


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_or_doubled_when_it_is_killed(
    persistence: Persistence, peers: Peers, database_url: str, seed: int
) -> None:
    chance = random.Random(seed)
    events, ticks = facts.day(3_000, seed), facts.ticks("EURUSD", 1, 900)
    kills = 0
    while events or ticks:
        if events:
            count = chance.randint(1, 60)
            peers.happen(events[:count], publish=chance.random() > 0.1)
            del events[:count]
        if ticks:
            count = chance.randint(1, 25)
            peers.tick(ticks[:count], publish=chance.random() > 0.1)
            del ticks[:count]
        for _ in range(chance.randint(0, 10)):
            peers.serve()
        if kills < 4 and chance.random() < 0.1:
            kills += 1
            peers.until(lambda: persistence.process.poll() is not None or peers.pong().seq > 0)
            for _ in range(chance.randint(0, 3)):
                peers.serve()
            persistence.kill()
            persistence.start()
    persistence.kill()
    persistence.start()
    peers.until_stored()
    until_ticks(peers, peers.backlog["EURUSD"])
    assert kills >= 2
    assert_stored(peers, database_url)
    assert peers.answer(GetBars("EURUSD", 1, 1_000, 0)) == Bars("EURUSD", 1, fold(peers.backlog["EURUSD"], 1))


def test_sigterm_stores_the_ticks_that_waited(persistence: Persistence, peers: Peers, database_url: str) -> None:
    peers.until(lambda: peers.pong().ready)
    ticks = facts.ticks("EURUSD", 1, 100)
    peers.tick(ticks[:1])
    until_ticks(peers, ticks[:1])
    peers.tick(ticks[1:])
    peers.send_raw("ticks", [b"tick:EURUSD\0\x01garbage"])
    peers.until(lambda: peers.pong().counters.get("bad_frames") == 1)  # it has read what came before that, too
    persistence.process.send_signal(signal.SIGTERM)
    assert persistence.process.wait() == 0
    assert rows(database_url, "SELECT count(*) FROM ticks") == [(100,)]


@contextlib.contextmanager
def away(postgres: Path, database_url: str) -> Iterator[None]:
    """The database takes no connections, and has ended those that were."""
    name = database.database_url(Path(), database_url).database
    with psycopg.connect(database.conninfo(database.superuser_url(postgres)), autocommit=True) as session:
        session.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        session.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            session.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


def test_a_database_that_goes_away_and_comes_back_has_everything_once(
    persistence: Persistence, peers: Peers, postgres: Path, database_url: str
) -> None:
    events, ticks = facts.day(200), facts.ticks("EURUSD", 1, 200)
    peers.happen(events[:50])
    peers.tick(ticks[:50])
    peers.until_stored()
    until_ticks(peers, ticks[:50])
    with away(postgres, database_url):
        peers.happen(events[50:120])
        peers.tick(ticks[50:120])
        peers.until(lambda: not peers.pong().ready)
        peers.happen(events[120:150])
        peers.tick(ticks[120:150])
        answer = peers.answer(GetOrders(1, 10, 0, 150))
        assert isinstance(answer, Refusal)
        assert answer.code == "UNAVAILABLE"
        peers.backlog["EURUSD"] = []
    peers.happen(events[150:])
    peers.tick(ticks[150:])
    peers.until_stored()
    until_ticks(peers, ticks)
    assert_stored(peers, database_url)
    pong = peers.pong()
    assert (pong.ready, pong.detail, pong.seq) == (True, "", 200)


def test_it_starts_without_a_database(run_dir: Path, peers: Peers, postgres: Path, database_url: str) -> None:
    events, ticks = facts.day(20), facts.ticks("EURUSD", 1, 20)
    with away(postgres, database_url):
        persistence = Persistence(run_dir, database_url)
        assert not peers.pong().ready
        peers.happen(events)
        peers.tick(ticks, keep=False)
        assert not peers.pong().ready
    peers.until_stored()
    until_ticks(peers, ticks)
    persistence.kill()


def test_a_query_waits_for_the_event_that_it_wants_and_not_for_ever(database_url: str, tmp_path: Path) -> None:
    """By the time that the actor is told: a machine may be as slow as it likes."""
    recorder = Recorder(lambda: History(sqlalchemy_url(Path(), database_url)), tmp_path / "credentials.json")
    actor = actors.persistence.Persistence.start(recorder)
    events = facts.day(10)

    def turn(now_ns: int, *queries: Any, batch: EventBatch | None = None) -> list[Answer]:
        heard = {"events": [[codec.encode(batch, topics.EVENTS)]]} if batch else {}
        asked = {"history": [[b"web", codec.encode(HistoryRequest(1, query))] for query in queries]}
        outbox: Outbox = actor.ask(Inbox(now_ns, heard | asked), block=True)
        return [codec.decoder(Reply)(frames[1]).body for name, frames in outbox if name == "history"]

    turn(0)
    began_ns = 0
    while recorder.is_away:  # libpq gives up to connect after 2 s of the machine's own time
        began_ns += 10_000_000_000
        turn(began_ns)
    until_ns = began_ns + QUERY_WAIT_NS
    assert turn(began_ns, batch=EventBatch(1, 0, events[:9])) == []
    assert turn(began_ns + 1, GetOrders(1, 1, 0, 10), GetFills(1, 1, 0, 10), GetEntries("x", 1, 0, 10)) == []
    assert turn(until_ns) == []
    told = turn(until_ns, batch=EventBatch(10, 0, events[9:]))
    assert told == [Orders(facts.orders(events)[:1]), Fills(facts.fills(events)[:1]), Entries([])]
    assert turn(until_ns, GetOrders(1, 10, 0, 999)) == []
    assert turn(until_ns + QUERY_WAIT_NS - 1) == []
    assert turn(until_ns + QUERY_WAIT_NS) == [Orders(facts.orders(events)[:10])]
    actor.stop()
    recorder.close()


def test_the_first_users(persistence: Persistence, peers: Peers, run_dir: Path) -> None:
    peers.until(lambda: peers.pong().ready)
    file = run_dir / "credentials.json"
    assert file.stat().st_mode & 0o777 == 0o600
    kept = json.loads(file.read_text())
    assert {name: entry["username"] for name, entry in kept.items()} == {"trader": "trader", "admin": "admin"}
    for name, account_id in (("trader", 1), ("admin", 0)):
        report = peers.answer(GetUser(name))
        assert isinstance(report, UserReport)
        user = report.user
        assert check_password(kept[name]["password"], user.password_hash)
        assert user == User(user.user_id, name, user.password_hash, name, account_id)
    assert all(entry["password"] not in persistence.log() for entry in kept.values())
    assert isinstance(peers.answer(GetUser("nobody")), Refusal)


def test_garbage_is_counted_and_survived(persistence: Persistence, peers: Peers) -> None:
    peers.happen(facts.day(5))
    peers.until_stored()
    peers.tick(facts.ticks("EURUSD", 1, 5))
    until_ticks(peers, facts.ticks("EURUSD", 1, 5))  # it hears both streams
    peers.send_raw("ticks", [b"tick:EURUSD\0\x01garbage"])
    peers.send_raw("ticks", [topics.tick("GBPUSD") + b"\x01\x90"])
    peers.send_raw("events", [b"events\0\x02"])
    peers.send_raw("events", [b"events\0", b"two frames"])
    peers.send_raw("history", [b"\x01\xff"])
    peers.send_raw("history", [b"", b"", b""])
    peers.until(lambda: peers.pong().counters.get("bad_frames") == 6)
    persistence.process.send_signal(signal.SIGTERM)
    assert persistence.process.wait() == 0
    assert "bad_frames=6" in persistence.log()


def test_an_event_that_cannot_be_stored_stops_the_events_and_nothing_else(
    persistence: Persistence, peers: Peers, database_url: str
) -> None:
    entries = (Entry("client:1", "USD", 5), Entry("broker:cash", "USD", -4))
    wrong = facts.deposited(2, 5).__class__(1, "2", "x", Posting(2, PostingKind.DEPOSIT, "x", facts.START_NS, entries))
    peers.happen([*facts.opening(), facts.filled(3)])
    peers.happen([wrong])
    peers.happen([facts.filled(4)])
    peers.until(lambda: "events 5 to 5 cannot be stored: posting 2 sums to 0.01 USD" in peers.pong().detail)
    assert peers.pong().seq == 4
    ticks = facts.ticks("EURUSD", 1, 5)
    peers.tick(ticks)
    until_ticks(peers, ticks)


def test_an_engine_with_another_journal_is_a_fault(persistence: Persistence, peers: Peers) -> None:
    peers.happen(facts.day(10))
    peers.until_stored()
    peers.journal = [EventBatch(1, 0, list(facts.opening()))]
    peers.until(lambda: peers.pong().detail == "event 10 is stored, and the engine is at 3: another journal?")


def test_an_engine_that_has_gone_on_another_way_meanwhile_is_a_fault(persistence: Persistence, peers: Peers) -> None:
    """It was brought back from a backup, and has passed the stored number when persistence comes back."""
    peers.happen(facts.day(10))
    peers.until_stored()
    persistence.kill()
    peers.journal = []
    peers.happen(facts.day(20), publish=False)
    persistence.start()
    fault = "event 10 is stored, and the engine has another one or none: another journal?"
    peers.until(lambda: peers.pong().detail == fault)
    assert peers.pong().seq == 10


def test_a_database_url_of_another_kind_ends_it_with_one_line(run_dir: Path) -> None:
    log = run_dir.parent / "log"
    run = start("actors.persistence", run_dir, log, DATABASE_URL="mysql://x:secret@y/z")
    assert run.wait() == 2
    assert log.read_text() == "hedgerow: DATABASE_URL begins with mysql, not with postgresql.\n"
