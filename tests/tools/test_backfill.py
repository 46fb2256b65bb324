"""The command against a simulated OANDA and a real PostgreSQL."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.bus.history_answers import Bars
from actors.bus.requests import GetBars
from actors.domain.prices.bar import MINUTE_NS
from actors.store import database
from actors.store.history import History
from tools import backfill
from tools.venues.market import Market
from tools.venues.oanda import OandaVenue

ACCOUNT = "101-001-1000001-001"
TOKEN = "token-of-the-test"
THURSDAY_NS = 1_763_553_600 * 10**9
"""12:00 UTC on 19 November 2025."""
SPAN = ["--from", "2025-11-19T12:00:00Z", "--to", "2025-11-19T14:00:00Z"]


@pytest.fixture
def oanda(tmp_path: Path) -> Iterator[OandaVenue]:
    """In a thread of its own, and written down where the simulated LPs are looked for."""
    listening: list[OandaVenue] = []
    ready, over = threading.Event(), threading.Event()

    async def serve() -> None:
        venue = OandaVenue(Market(), ACCOUNT, TOKEN)
        url = f"http://127.0.0.1:{venue.listen('127.0.0.1', 0)}"
        (tmp_path / "venues.json").write_text(json.dumps({"oanda": {"url": url, "account": ACCOUNT, "token": TOKEN}}))
        listening.append(venue)
        ready.set()
        await asyncio.to_thread(over.wait)
        await venue.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(90)
    yield listening[0]
    over.set()
    thread.join()


@pytest.fixture
def history(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    monkeypatch.setenv("HEDGEROW_RUN_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    opened = History(database.database_url(Path(), database_url))
    yield opened
    opened.close()


def test_a_gap_is_filled_once(oanda: OandaVenue, history: History, capsys: pytest.CaptureFixture[str]) -> None:
    assert backfill.main([*SPAN, "EURUSD", "btcusd"]) == 0
    assert capsys.readouterr().out == "240 minutes filled; 240 asked for, 0 unusable\n"
    assert backfill.main([*SPAN, "EURUSD", "BTCUSD"]) == 0
    assert capsys.readouterr().out == "0 minutes filled; 0 asked for, 0 unusable\n"
    answer = history.answer(GetBars("EURUSD", 1, 500, THURSDAY_NS + 200 * MINUTE_NS))
    assert isinstance(answer, Bars)
    assert [bar.start_ns for bar in answer.bars] == [THURSDAY_NS + minute * MINUTE_NS for minute in range(120)]
    assert {bar.ticks for bar in answer.bars} == {0}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*SPAN, "XAUUSD"], "the LP OANDA has no XAUUSD"),
        ([*SPAN, "--lp", "NOBODY"], "there is no LP NOBODY; there are OANDA"),
        ([*SPAN, "--lp", "BINANCE"], "the LP BINANCE has no candles to give"),
        (["--from", "yesterday"], "'yesterday' is not a time"),
        (["--from", "2020-01-01T00:00:00Z"], "at most 366 days"),
        (["--from", "2025-01-02T00:00:00Z", "--to", "2025-01-01T00:00:00Z"], "a beginning before its end"),
        ([*SPAN, "EURUSD"], "the simulated LPs are not up yet"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str], words: str, history: History, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "BINANCE" in arguments:
        (tmp_path / "venues.json").write_text(json.dumps({"binance": {"url": "ws://127.0.0.1:9"}}))
    assert backfill.main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("backfill: ")
    assert printed.err.count("\n") == 1
    assert words in printed.err


def test_a_token_that_is_refused(
    oanda: OandaVenue, history: History, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    oanda.token = "another"
    assert backfill.main([*SPAN, "EURUSD"]) == 1
    assert capsys.readouterr().err == "backfill: HTTP 401: the LP does not accept the token\n"
