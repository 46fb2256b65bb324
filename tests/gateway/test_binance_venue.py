"""Binance's adapter and its REST side, against the simulated venue and servers that misbehave."""

import asyncio
import contextlib
from typing import Any

import pytest

from gateway.venues.binance.rest import BinanceRest, _pause_s
from gateway.venues.binance.venue import adapter
from gateway.venues.events import VenueDepth, VenueEvent
from gateway.venues.interface import BadSettings, ConnectionLost, Patience, VenueInstrument
from tests.gateway.wires import saying, server
from tools.venues.binance import SYMBOLS, BinanceVenue
from tools.venues.market import Market

PATIENCE = Patience(60_000, 60_000)


def secret(name: str) -> str:
    raise AssertionError(f"{name} is not needed")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "Binance needs url, a text"),
        ({"url": "wss://x", "rest_url": 1}, "Binance's rest_url is a text"),
        ({"url": "wss://x", "rest_url": "https://x", "depth": "yes"}, "Binance's depth is true or false"),
        ({"url": "wss://x", "depth": True}, "Binance's depth needs rest_url beside it"),
    ],
)
def test_bad_settings(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadSettings, match=sentence):
        adapter(settings, secret, PATIENCE)


def test_a_stream_with_order_books_carries_half_as_many_instruments() -> None:
    plain = adapter({"url": "wss://x"}, secret, PATIENCE)
    deep = adapter({"url": "wss://x", "rest_url": "https://x", "depth": True}, secret, PATIENCE)
    assert (plain.instruments_per_stream, deep.instruments_per_stream) == (1024, 512)
    assert asyncio.run(plain.instruments()) is None


def test_the_list_of_instruments_and_a_recording_that_is_played_back() -> None:
    async def main() -> None:
        simulated = BinanceVenue(Market(speed=20), depth_interval_ms=20)
        host = f"127.0.0.1:{simulated.listen('127.0.0.1', 0)}"
        settings = {"url": f"ws://{host}", "rest_url": f"http://{host}", "depth": True}
        venue = adapter(settings, secret, PATIENCE)
        try:
            listed = await venue.instruments()
            assert listed is not None
            assert list(listed) == list(SYMBOLS.values())
            assert listed["EURUSDT"] == VenueInstrument(
                "EURUSDT",
                price_digits=4,
                quantity_min_e8=1_000,
                quantity_max_e8=9_000 * 10**8,
                price_step_e8=10_000,
                quantity_step_e8=1_000,
            )
            tapped: list[bytes] = []
            told: list[VenueEvent] = []
            async with asyncio.timeout(90), venue.stream(["BTCUSDT"], tapped.append).open() as chunks:
                async for events in chunks:
                    told += events
                    if sum(isinstance(event, VenueDepth) for event in told) > 5:
                        break
        finally:
            await simulated.close()
        assert tapped[0] == b""
        parse = venue.parser()
        again = [event for message in tapped[1:] for event in parse(message)]
        assert again[: len(told)] == told

    asyncio.run(main())


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "HTTP 503: the LP is out of order"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "the list of instruments is not understood"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xff", "the list of instruments is not understood"),
        (b"\xff\r\n\r\n", "RemoteProtocolError"),
    ],
)
def test_a_list_that_is_none(answer: bytes, detail: str) -> None:
    async def main() -> None:
        async with server(saying(answer)) as port:
            with pytest.raises(ConnectionLost, match=detail):
                await BinanceRest(f"http://127.0.0.1:{port}", PATIENCE).instruments()

    asyncio.run(main())


def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.venues.binance.rest.ANSWER_TIMEOUT_S", 0.2)

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not reader.at_eof():
            writer.write(b" ")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1_000), 0.01)

    async def main() -> None:
        async with server(drip) as port:
            with pytest.raises(ConnectionLost, match=r"no whole answer within 0\.2 s"):
                await BinanceRest(f"http://127.0.0.1:{port}", PATIENCE).snapshot("BTCUSDT")

    asyncio.run(main())


def test_numbers_that_are_none_are_left_out() -> None:
    body = (
        b'{"symbols":[{"symbol":"A","filters":[{"filterType":"PRICE_FILTER","tickSize":"0.00000000"},'
        b'{"filterType":"LOT_SIZE","minQty":"?","maxQty":"1e9","stepSize":"1.00000000"}]},{"symbol":"B","filters":[]}]}'
    )
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    async def main() -> None:
        async with server(saying(answer)) as port:
            listed = await BinanceRest(f"http://127.0.0.1:{port}", PATIENCE).instruments()
        assert listed == {"A": VenueInstrument("A", quantity_step_e8=10**8), "B": VenueInstrument("B")}

    asyncio.run(main())


def test_nothing_is_asked_while_the_lp_wants_a_pause() -> None:
    answer = b"HTTP/1.1 429 No\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"

    async def main() -> None:
        async with server(saying(answer)) as port:
            rest = BinanceRest(f"http://127.0.0.1:{port}", PATIENCE)
            for detail in ("HTTP 429: too many requests", "Binance wants no requests for now"):
                with pytest.raises(ConnectionLost, match=detail) as lost:
                    await rest.snapshot("BTCUSDT")
                assert lost.value.refused

    asyncio.run(main())


@pytest.mark.parametrize(
    ("text", "pause_s"), [("7", 7), ("0", 1), ("", 60), ("-1", 60), ("9" * 8, 259_200), ("9" * 9, 60)]
)
def test_how_long_a_pause_is(text: str, pause_s: int) -> None:
    assert _pause_s(text) == pause_s
