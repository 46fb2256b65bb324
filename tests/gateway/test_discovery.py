"""Adapters by entry point: our own, and a stranger's that was installed into a folder of its own."""

import asyncio
import tomllib
from pathlib import Path

import pytest

from gateway.venues import discovery
from gateway.venues.events import VenueGarbage, VenueQuote
from gateway.venues.interface import BadSettings, Patience
from tests.conftest import ROOT
from tests.docs import documents

ACME = Path(__file__).parent / "acme_lp"


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> None:
    """As pip leaves it: the module, and its metadata beside it."""
    monkeypatch.syspath_prepend(str(ACME))


def secret(name: str) -> str:
    return f"value of {name}"


def test_our_own_adapters_are_entry_points_too() -> None:
    assert discovery.names() >= {"oanda", "binance", "playback"}
    named = documents.read("setup.cfg").partition("hedgerow.venues =\n")[2].partition("\n\n")[0]
    for line in named.splitlines():
        name, _, place = line.strip().partition(" = ")
        adapter = discovery.adapter(name)
        assert f"{adapter.__module__}:{adapter.__name__}" == place  # type: ignore[attr-defined]


def test_the_documents_entry_point_is_that_of_the_example() -> None:
    (text,) = [text for kind, text in documents.fences(documents.read("docs/venues.md")) if kind == "toml"]
    entry = tomllib.loads(text)["project"]["entry-points"]["hedgerow.venues"]
    installed = (ACME / "acme_lp-1.0.dist-info" / "entry_points.txt").read_text()
    assert installed == f"[hedgerow.venues]\nacme = {entry['acme']}\n"
    assert (ROOT / "tests/gateway/acme_lp/acme_lp.py").exists()


@pytest.mark.usefixtures("acme")
def test_a_strangers_adapter_is_found_and_gives_quotes() -> None:
    heard: list[bytes] = []
    tapped: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readline())
        writer.write(b"EURUSD 1.08450 1.08462\nEURU")
        await writer.drain()
        writer.write(b"SD 1.08451 1.08462\nhello\n")
        writer.close()

    async def run() -> list[object]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        settings = {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1], "token_env": "LP_ACME"}
        venue = discovery.adapter("acme")(settings, secret, Patience())
        async with server, venue.stream(["EURUSD", "GBPUSD"], tapped.append).open() as chunks:
            return [event async for events in chunks for event in events]

    assert "acme" in discovery.names()
    first, second, third = asyncio.run(run())
    assert (first, second) == (
        VenueQuote("EURUSD", 108_450_000, 108_462_000, 0, 0, 0),
        VenueQuote("EURUSD", 108_451_000, 108_462_000, 0, 0, 0),
    )
    assert type(third).__name__ == "VenueGarbage"
    assert heard == [b"value of LP_ACME EURUSD GBPUSD\n"]
    assert (tapped[0], b"".join(tapped)) == (b"", b"EURUSD 1.08450 1.08462\nEURUSD 1.08451 1.08462\nhello\n")


def test_an_adapter_that_is_not_installed_is_said() -> None:
    with pytest.raises(BadSettings, match="no adapter 'acme' is installed"):
        discovery.adapter("acme")


def test_an_adapter_that_cannot_be_loaded_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    metadata = tmp_path / "broken-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[hedgerow.venues]\nbroken = broken:adapter\n")
    (tmp_path / "broken.py").write_text("raise RuntimeError('boom')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(BadSettings, match="the adapter broken cannot be loaded: RuntimeError: boom"):
        discovery.adapter("broken")


@pytest.mark.parametrize("name", ["oanda", "binance"])
def test_a_parser_for_recorded_bytes_needs_no_lp_and_no_secret(name: str) -> None:
    for event in discovery.parser_of(name, {})()(b"hello\n"):
        assert isinstance(event, VenueGarbage)
