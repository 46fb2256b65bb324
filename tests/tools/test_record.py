"""tools.record against a simulated LP, and what tools.replay and the playback adapter make of it."""

import asyncio
import os
import resource
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from actors.domain.prices.lp_registry import Lp, Registry
from actors.store.lp_config import LpConfig
from gateway import captures
from gateway.captures import CaptureWriter, Header, Piece
from gateway.venues import discovery
from gateway.venues.events import VenueQuote
from gateway.venues.interface import BadSettings, ConnectionLost, Patience, Venue
from tests.conftest import ROOT
from tools import record, replay
from tools.venues.binance import BinanceVenue
from tools.venues.market import Market
from tools.venues.oanda import OandaVenue

LINE = (
    b'{"type":"PRICE","time":"2026-01-19T14:30:00.000000000Z","instrument":"EUR_USD","tradeable":true,'
    b'"bids":[{"price":"%b","liquidity":1}],"asks":[{"price":"1.2","liquidity":1}]}\n'
)
LINES = [LINE % bid for bid in (b"1.1", b"1.11", b"1.12")]
SECOND_NS = 1_000_000_000
TIME_NS = 1_768_833_000 * SECOND_NS


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Three prices within two seconds, on two connections, cut in the middle of lines."""
    writer = CaptureWriter(tmp_path / "captures", Header("OANDA", "oanda"), 1_000_000, 1_000_000)
    writer.write(TIME_NS, 1, b"")
    writer.write(TIME_NS, 1, LINES[0] + LINES[1][:30])
    writer.write(TIME_NS + SECOND_NS, 1, LINES[1][30:] + b'{"half')
    writer.write(TIME_NS + SECOND_NS, 1, b"")
    writer.write(TIME_NS + 2 * SECOND_NS, 1, LINES[2] + b"junk\n")
    writer.close()
    return tmp_path / "captures"


def test_a_replay_counts_what_the_adapter_makes_of_it(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay.main([str(capture), "--print"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2026-01-19T14:30:00.000000000Z EUR_USD           1.10000        1.20000",
        "2026-01-19T14:30:01.000000000Z EUR_USD           1.11000        1.20000",
        "2026-01-19T14:30:02.000000000Z EUR_USD           1.12000        1.20000",
        "         3 EUR_USD",
        "         1 dropped: bad_json",
        "         4 in all",
    ]


def test_another_file_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay.main([str(tmp_path)]) == 1
    assert "no *.capture file" in capsys.readouterr().err


def test_the_playback_adapter_moves_times_to_now_and_plays_once_where_it_is_not_repeated(capture: Path) -> None:
    settings = {"path": str(capture), "speed_percent": 0, "repeat": False}
    stream = discovery.adapter("playback")(settings, str, Patience()).stream(["EUR_USD"])

    async def play() -> list[VenueQuote]:
        async with stream.open() as chunks:
            return [event async for events in chunks for event in events if isinstance(event, VenueQuote)]

    quotes = asyncio.run(play())
    assert [quote.bid_e8 for quote in quotes] == [110_000_000, 111_000_000, 112_000_000]
    assert all(quote.time_ns > TIME_NS + SECOND_NS * 3_600 for quote in quotes)
    with pytest.raises(ConnectionLost, match="the recording is over"):
        asyncio.run(play())


@pytest.mark.parametrize(
    "settings", [{}, {"path": "/nowhere"}, {"path": "{}", "speed_percent": -1}, {"path": "{}", "repeat": 1}]
)
def test_a_playback_without_its_capture_is_said(capture: Path, settings: dict[str, object]) -> None:
    whole = {name: value.format(capture) if isinstance(value, str) else value for name, value in settings.items()}
    with pytest.raises(BadSettings):
        discovery.adapter("playback")(whole, str, Patience())


def test_what_is_recorded_of_an_lp_is_byte_for_byte_what_it_sent(capture: Path, tmp_path: Path) -> None:
    """The LP is the playback of a capture: its record has the same bytes."""
    venue = discovery.adapter("playback")({"path": str(capture), "speed_percent": 0}, str, Patience())
    taken = recorded(venue, tmp_path / "again")
    sent = b"".join(piece.content for piece in captures.read(captures.segments(capture)))
    assert b"".join(piece.content for piece in taken).startswith(sent)
    assert (taken[0].content, len({piece.connection for piece in taken})) == (b"", 1)
    counted: Counter[str] = asyncio.run(replay.replay(captures.segments(tmp_path / "again"), 0, shown=False))
    assert counted["EUR_USD"] >= 2


def recorded(venue: Venue, folder: Path) -> Sequence[Piece]:
    writer = CaptureWriter(folder, Header("OANDA", "oanda"), 1_000_000, 1_000_000)

    async def run() -> None:
        stop = asyncio.Event()
        recording = asyncio.create_task(record.record(Lp("OANDA", "oanda", {"EURUSD": "EUR_USD"}), venue, writer, stop))
        async with asyncio.timeout(90):
            while writer.pieces < 8:
                await asyncio.sleep(0.01)
        stop.set()
        await recording

    asyncio.run(run())
    writer.close()
    return list(captures.read(captures.segments(folder)))


@pytest.mark.parametrize("adapter", ["oanda", "binance"])
def test_where_nothing_can_be_written_any_more_it_ends_and_what_was_written_is_good(
    adapter: str, tmp_path: Path
) -> None:
    """A file may have 4 KiB: as on a full disk, a write fails in the middle of a stream."""

    async def main() -> tuple[int | None, str]:
        market = Market(speed=20)
        venue = OandaVenue(market, "101-001-1-001", "the-token") if adapter == "oanda" else BinanceVenue(market)
        host = f"127.0.0.1:{venue.listen('127.0.0.1', 0)}"
        oanda = {"url": f"http://{host}", "api_url": f"http://{host}", "account_env": "LP_ACCOUNT"}
        settings = {**oanda, "token_env": "LP_TOKEN"} if adapter == "oanda" else {"url": f"ws://{host}"}
        lp = Lp("ACME", adapter, {"EURUSD": "EUR_USD" if adapter == "oanda" else "EURUSDT"}, settings={**settings})
        LpConfig(tmp_path / "lp_config").save(Registry(1, {"ACME": lp}, TIME_NS, "root", "the start"))
        own = {"HEDGEROW_RUN_DIR": str(tmp_path), "LP_ACCOUNT": "101-001-1-001", "LP_TOKEN": "the-token"}
        try:
            recording = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tools.record", "ACME", "--segment-mib", "1"),
                cwd=ROOT,
                env={**os.environ, **own},
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, 4_096)),
            )
            async with asyncio.timeout(90):
                _, said = await recording.communicate()
        finally:
            await venue.close()
        return recording.returncode, said.decode()

    status, said = asyncio.run(main())
    assert (status, "File too large" in said) == (1, True)
    kept = list(captures.read(captures.segments(tmp_path / "captures")))
    assert kept
    assert kept[0].content == b""
