"""What is said of a fill: numbers worked out by hand, and the same from a snapshot, from the start, and on the bus."""

import json
from pathlib import Path

import msgspec
import pytest
from sqlalchemy.engine import make_url

from actors.bus.answers import Refusal, Sources
from actors.bus.desk_answers import Explanation, JournalPlace
from actors.domain.account import AccountSummary
from actors.domain.commands import DefineGroup, DefineRules, Input, ObserveTicks, ReportExecution
from actors.domain.events.orders import Cover
from actors.domain.group import STANDARD, Group, Markup
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderReason
from actors.domain.prices.evidence import Source
from actors.domain.routing.child import UNSAID, ReportKind, VenueReport
from actors.domain.routing.rulebook import Book, Rule
from actors.domain.state import State
from actors.store.database import DRIVER
from actors.store.explaining import explain
from actors.store.history import History
from actors.store.journal import Journal
from tests.examples import ACCOUNT, EURUSD, START_NS, TICKS, closing, order, quote, tick, trading_inputs
from tests.store.turns import BUY, SELL, live
from tools import explain as command

NOTHING_BEHIND = command.Behind([], "")
LATER_NS = START_NS + 1_000_000
STOPS = (
    tick("GBPUSD", "1.26000", "1.26020", 2),
    tick("EURUSD", "1.08000", "1.08020", 2),
    tick("EURUSD", "1.20000", "1.20020", 3),
)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fill 1 opens 10,000 EURUSD with a stop, fill 2 EURGBP; the second of three ticks stops the first position."""
    monkeypatch.setenv("HEDGEROW_RUN_DIR", str(tmp_path))
    path = tmp_path / "engine.sqlite"
    journal, state = Journal(path), State()
    live(journal, state, trading_inputs())
    orders: list[Input] = [order("EURUSD", BUY, "10000", "a", stop_loss="1.09"), order("EURGBP", SELL, "500", "b")]
    live(journal, state, orders, START_NS + 5)
    live(journal, state, [ObserveTicks(STOPS)], LATER_NS)
    journal.save_snapshot(state)
    live(journal, state, [closing(2, "c")], LATER_NS + 1)
    journal.close()
    return path


def explained(path: Path, fill_id: int) -> Explanation:
    told = explain(path, fill_id)
    assert isinstance(told, Explanation)
    return told


def test_an_opening_fill(path: Path) -> None:
    """10,000 x 1.10020 x 3.33 % = 366.3666: margin 366.37; the spread of 0.00020 costs 2.00."""
    told = explained(path, 1)
    assert (told.order.order_id, told.position.position_id, told.instrument, told.currency) == (1, 1, EURUSD, "USD")
    assert (told.cause, told.tick) == (order("EURUSD", BUY, "10000", "a", stop_loss="1.09"), TICKS[0])
    assert (told.conversion_tick, told.postings) == (None, ())
    assert told.before == AccountSummary(ACCOUNT, "USD", 10_000_00, 0, 0, START_NS + 5)
    assert told.after == AccountSummary(ACCOUNT, "USD", 10_000_00, -2_00, 366_37, START_NS + 5, 0, 366_37)
    assert told.place == JournalPlace(2, 9, 9, 10, START_NS + 5, 0)


def test_a_fill_in_another_currency_names_the_cross(path: Path) -> None:
    """A loss in GBP is bought with USD at the ask of GBPUSD."""
    told = explained(path, 2)
    assert (told.fill.conversion.symbol, told.fill.conversion.multiplier_e8) == ("GBPUSD", e8("1.25020"))
    assert told.conversion_tick == TICKS[1]
    assert told.before.margin_minor == 366_37
    assert told.place == JournalPlace(2, 10, 9, 10, START_NS + 5, 0)


def test_a_stop_is_explained_by_its_tick_and_not_by_later_ones(path: Path) -> None:
    """Closed at 1.08: 10,000 x (1.08000 - 1.10020) = -202.00. Before it, that is open profit; after it, balance.

    500 EURGBP sold at 0.88: buying them back at 0.88020 loses 0.10 GBP, which is 0.13 USD at 1.26020.
    """
    told = explained(path, 3)
    assert (told.order.reason, told.fill.profit_minor) == (OrderReason.STOP_LOSS, -202_00)
    assert (told.cause, told.tick) == (ObserveTicks((STOPS[1],)), STOPS[1])
    assert (told.before.balance_minor, told.before.open_profit_minor) == (10_000_00, -202_13)
    assert (told.after.balance_minor, told.after.open_profit_minor) == (9_798_00, -13)
    assert told.before.equity_minor == told.after.equity_minor
    assert told.before.margin_minor - told.after.margin_minor == 366_37
    (posting,) = told.postings
    assert (posting.reference, [entry.amount_minor for entry in posting.entries]) == ("fill:3", [-202_00, 202_00])
    assert told.place == JournalPlace(3, 11, 11, 11, LATER_NS, 0)


def test_it_begins_at_the_nearest_snapshot_before(path: Path) -> None:
    told = explained(path, 4)
    assert told.place == JournalPlace(4, 12, 12, 12, LATER_NS + 1, 3)
    assert told.after.margin_minor == 0


@pytest.mark.parametrize("fill_id", [0, -1, 5, 2**63, 2**80])
def test_there_is_no_such_fill(path: Path, fill_id: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(path, fill_id) == Refusal("UNKNOWN_FILL", f"there is no fill {fill_id}", "fill_id")
    assert command.main(["--journal", str(path), "--", str(fill_id)]) == 1
    assert capsys.readouterr() == ("", f"explain: there is no fill {fill_id}\n")


TEXT = """\
Fill 3: sell 10000 EURUSD at 1.08000, 2026-01-19 13:49:23.001000000 UTC
  realised  -202.00 USD
  charged   0.00 USD commission
  account   1 (USD)
  position  1: buy, 0 open after it

Order 3: market, sell 10000 EURUSD
  reason           stop_loss
  told by          the price: tick 2 of EURUSD
  client_order_id  (none: the engine made it)
  status           filled, 10000 filled at 1.08000 on average

Route: it closes, and goes where it was opened
  dealt on the broker's own book

Price: tick 2 of EURUSD, 2026-01-19 13:49:23.000000000 UTC: bid 1.08000 of OANDA, ask 1.08020 of OANDA
  markup: 0 off the bid, 0 on the ask

Quotes behind it: not known; the history cannot be read: the embedded database has not been made yet

Conversion: none, USD is the account's currency

Account in USD       before            after           change
  balance              10000.00          9798.00          -202.00
  open profit           -202.13            -0.13           202.00
  equity                9797.87          9797.87             0.00
  margin                 384.69            18.32          -366.37
  free margin           9413.18          9779.55           366.37

Postings
  2: trade, fill:3
    client:1                     -202.00 USD
    broker:trading                202.00 USD

Journal: event 11 in batch 3
  committed 2026-01-19 13:49:23.001000000 UTC, with events 11 to 11
  figures worked out from the first record on
"""


def test_what_a_person_reads(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Margin of 500 EURGBP: 500 x 0.88 x 1.25020 x 3.33 % = 18.3179, rounded up."""
    assert command.main(["3", "--journal", str(path)]) == 0
    assert capsys.readouterr().out == TEXT


def test_a_conversion_and_the_margin_of_what_is_open_are_said_too(path: Path) -> None:
    lines = command.text(explained(path, 2), NOTHING_BEHIND).splitlines()
    assert "Conversion: GBP to USD over GBPUSD, times 1.2502" in lines
    assert "  margin of the position: 18.32 USD for 500 x 0.88000 GBP, initially at a rate of 0.0333" in lines


def test_what_a_program_reads(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["2", "--json", "--journal", str(path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kind"] == "Explanation"
    assert told["cause"]["kind"] == "SubmitOrder"
    assert told["fill"]["conversion"]["symbol"] == "GBPUSD"
    assert told["before"]["margin_minor"] == 366_37
    assert told["place"]["batch_seq"] == 2


def routed(tmp_path: Path, *rules: Rule) -> Path:
    """Fill 1 opens 10,000 EURUSD by the rules, fill 2 closes them; venues fill at 1.10015 and 1.10005."""
    path = tmp_path / "routed.sqlite"
    journal, state = Journal(path), State()
    inputs: list[Input] = [*trading_inputs(), DefineGroup(Group(STANDARD, markup=Markup(1_000, 2_000)))]
    live(journal, state, [*inputs, DefineRules(rules, ("LMAX",))])
    for told, price in ((order("EURUSD", BUY, "10000", "a"), "1.10015"), (closing(1, "b"), "1.10005")):
        live(journal, state, [told], LATER_NS)
        for sent in list(state.books.open.values()):
            child = sent.child
            report = VenueReport(
                "LMAX", child.child_id, "e", ReportKind.FILL, child.quantity_e8, e8(price), UNSAID, UNSAID, "", 0
            )
            live(journal, state, [ReportExecution(report)], LATER_NS)
    journal.close()
    return path


def route(path: Path, fill_id: int) -> list[str]:
    """The section about it."""
    lines = command.text(explained(path, fill_id), NOTHING_BEHIND).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("Route"))
    return lines[start : lines.index("", start)]


ALL = Rule(rule_id=7, name="everything to LMAX", book=Book.A_BOOK, venues=("LMAX",))
LARGE = Rule(rule_id=3, name="large orders", book=Book.A_BOOK, venues=("LMAX",), quantity_min_e8=e8("50000"))
OURS = Rule(rule_id=9, name="ours", book=Book.B_BOOK)


def test_the_rule_that_sent_an_order_to_a_venue_is_named(tmp_path: Path) -> None:
    path = routed(tmp_path, ALL)
    assert route(path, 1) == [
        "Route: rule 7 'everything to LMAX', of version 1 of the rules",
        "  dealt at LMAX at 1.10015, markup 0.00002 for the client",
    ]
    assert route(path, 2) == [
        "Route: it closes, and goes where it was opened",
        "  dealt at LMAX at 1.10005, markup 0.00001 for the client",
    ]


@pytest.mark.parametrize("rules", [(LARGE, OURS), (OURS,)])
def test_the_rule_by_which_the_broker_dealt_itself_is_named(tmp_path: Path, rules: tuple[Rule, ...]) -> None:
    assert route(routed(tmp_path, *rules), 1) == [
        "Route: rule 9 'ours', of version 1 of the rules",
        "  dealt on the broker's own book",
    ]


def test_without_rules_there_is_none_to_name(path: Path) -> None:
    assert route(path, 1) == ["Route: no rules were defined", "  dealt on the broker's own book"]


def test_what_the_broker_keeps_at_a_venue_is_said(path: Path) -> None:
    told = explained(path, 3)
    kept = msgspec.structs.replace(told, cover=Cover("LMAX", e8("1.08"), 0, is_kept=True))
    assert (
        "  closed by the broker, who keeps what it has at LMAX: 1.08000"
        in command.text(kept, NOTHING_BEHIND).splitlines()
    )


def test_a_program_reads_the_rule_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = routed(tmp_path, ALL)
    assert command.main(["1", "--json", "--journal", str(path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["order"]["routed_by"] == {"version": 1, "rule_id": 7, "name": "everything to LMAX"}
    assert told["cover"]["venue"] == "LMAX"
    assert told["sources"] == []


def test_the_quotes_behind_the_price_are_those_of_the_history(
    path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live, crossed = quote("EURUSD", "1.08", "1.0802"), quote("EURUSD", "1.3", "1.2", received_ns=START_NS + 7)
    told = [Source("OANDA", live, "", START_NS), Source("BINANCE", crossed, "crossed", START_NS + 8)]
    history = History(make_url(database_url).set(drivername=DRIVER))
    for _ in range(2):
        history.store_sources([Sources(STOPS[1], told)])
    history.close()
    monkeypatch.setenv("DATABASE_URL", database_url)
    assert command.main(["3", "--journal", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    start = lines.index("Quotes behind tick 2 of EURUSD")
    assert lines[start + 1 : start + 4] == [
        "  live          OANDA     bid 1.08000, ask 1.08020, received 2026-01-19 13:49:23.000000000 UTC",
        "  crossed       BINANCE   bid 1.30000, ask 1.20000, received 2026-01-19 13:49:23.000000007 UTC, "
        "dropped 2026-01-19 13:49:23.000000008 UTC",
        "",
    ]
    assert command.main(["1", "--journal", str(path)]) == 0
    assert "Quotes behind it: not known; the aggregator was started anew" in capsys.readouterr().out
