"""The connection loops against the simulated LPs and against servers that misbehave, on real sockets."""

import asyncio
import contextlib
import random
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from gateway.connection import Connection, backoff_ms
from gateway.venues.binance.session import Terms
from gateway.venues.binance.stream import BinanceStream
from gateway.venues.events import VenueEvent, VenueGarbage, VenueHeartbeat, VenueQuote
from gateway.venues.interface import Patience, Stream
from gateway.venues.oanda.rest import Account
from gateway.venues.oanda.stream import OandaStream
from gateway.venues.pace import Pace
from tests.gateway.wires import Wire, saying, server
from tests.ports import free_port
from tools.venues.binance import BinanceVenue
from tools.venues.market import Market
from tools.venues.oanda import OandaVenue

ACCOUNT = "101-001-1000001-001"
TOKEN = "token-of-the-test"
PATIENT = Patience(60_000, 60_000, backoff_first_ms=10, backoff_cap_ms=20)
HASTY = Patience(connect_timeout_ms=5_000, silence_timeout_ms=300, backoff_first_ms=10, backoff_cap_ms=20)
WAIT_LIMIT_S = 90
OK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HEARTBEAT = b'{"type":"HEARTBEAT","time":"2026-01-19T13:49:25.000000000Z"}\n'
BEAT = VenueHeartbeat(1_768_830_565 * 10**9, 5_000)
PROMISE = VenueHeartbeat(0, 5_000)
"""Of OANDA, with its answer."""


class Seen:
    """A connection, and what its callbacks were told."""

    def __init__(self, stream: Stream, patience: Patience = PATIENT):
        self.events: list[VenueEvent] = []
        self.states: list[tuple[bool, str]] = []
        self.connection = Connection(
            stream,
            self.events.extend,
            lambda up, detail: self.states.append((up, detail)),
            patience,
            random.Random(1),
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.connection.run())
        try:
            yield
        finally:
            self.connection.stop()
            await task

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_LIMIT_S):
            while not condition():
                await asyncio.sleep(0.005)

    def count(self, kind: type[VenueEvent]) -> int:
        return sum(isinstance(event, kind) for event in self.events)


def oanda(port: int, token: str = TOKEN, patience: Patience = PATIENT, account: str = ACCOUNT) -> Stream:
    url = f"http://127.0.0.1:{port}"
    return OandaStream(Account(url, url, account, token), ["EUR_USD", "GBP_USD"], patience, pace=Pace(1000, 1000, 0))


def binance(port: int, patience: Patience = PATIENT) -> Stream:
    return BinanceStream(Terms(f"ws://127.0.0.1:{port}", patience), ["BTCUSDT", "EURUSDT"])


@contextlib.asynccontextmanager
async def oanda_venue(port: int = 0, heartbeat_interval_ms: int = 50) -> AsyncIterator[tuple[OandaVenue, int]]:
    venue = OandaVenue(Market(speed=5), ACCOUNT, TOKEN, heartbeat_interval_ms=heartbeat_interval_ms)
    try:
        yield venue, venue.listen("127.0.0.1", port)
    finally:
        await venue.close()


@contextlib.asynccontextmanager
async def binance_venue() -> AsyncIterator[tuple[BinanceVenue, int]]:
    venue = BinanceVenue(Market(speed=5), messages_limit_per_s=20)
    try:
        yield venue, venue.listen("127.0.0.1", 0)
    finally:
        await venue.close()


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def test_oanda_quotes_and_heartbeats_arrive() -> None:
    async def main() -> None:
        async with oanda_venue() as (_, port):
            seen = Seen(oanda(port))
            async with seen.running():
                await seen.until(lambda: seen.count(VenueQuote) > 20 and seen.count(VenueHeartbeat) > 2)
        assert seen.states == [(True, "connected"), (False, "stopped")]
        assert seen.count(VenueGarbage) == 0

    asyncio.run(main())


def test_binance_quotes_arrive() -> None:
    async def main() -> None:
        async with binance_venue() as (_, port):
            seen = Seen(binance(port))
            async with seen.running():
                await seen.until(lambda: seen.count(VenueQuote) > 20)
        assert seen.states == [(True, "connected"), (False, "stopped")]
        assert {event.instrument for event in seen.events if isinstance(event, VenueQuote)} == {"BTCUSDT", "EURUSDT"}

    asyncio.run(main())


@pytest.mark.parametrize("stream", [oanda, binance])
def test_a_proxy_of_the_environment_is_not_between_us_and_this_machine(
    stream: Callable[[int], Stream], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    async def main() -> None:
        async with oanda_venue() if stream is oanda else binance_venue() as (_, port):
            seen = Seen(stream(port))
            async with seen.running():
                await seen.until(lambda: seen.count(VenueQuote) > 0)

    asyncio.run(main())


def test_oanda_is_reconnected_after_each_loss_and_while_nobody_listens() -> None:
    async def main() -> None:
        async with oanda_venue(free_port()) as (venue, port):
            seen = Seen(oanda(port))
            async with seen.running():
                await seen.until(lambda: seen.count(VenueQuote) > 0)
                for subscriber in list(venue.subscribers):
                    subscriber.drop()
                await seen.until(lambda: [up for up, _ in seen.states] == [True, False, True])
                await venue.close()
                await seen.until(lambda: len(seen.states) >= 6 and "ConnectError" in seen.states[-1][1])
                async with oanda_venue(port):
                    await seen.until(lambda: seen.states[-1][0])

    asyncio.run(main())


def test_binance_is_reconnected_after_a_loss() -> None:
    async def main() -> None:
        async with binance_venue() as (venue, port):
            seen = Seen(binance(port))
            async with seen.running():
                await seen.until(lambda: seen.count(VenueQuote) > 0)
                for subscriber in list(venue.subscribers):
                    subscriber.drop()
                await seen.until(lambda: [up for up, _ in seen.states] == [True, False, True])

    asyncio.run(main())


def test_a_wire_that_is_cut_unseen_is_noticed_by_the_silence() -> None:
    async def main(venue_port: int, stream: Callable[[int], Stream], detail: str) -> None:
        wire = Wire(venue_port)
        async with server(wire) as port:
            seen = Seen(stream(port), HASTY)
            async with seen.running():
                await seen.until(lambda: seen.count(VenueQuote) > 0 and seen.states[-1][0])
                before = len(seen.states)
                wire.cut = b""
                await seen.until(lambda: len(seen.states) > before)
                wire.cut = None
                await seen.until(lambda: seen.states[-1][0])
        assert not seen.states[before][0]
        assert detail in seen.states[before][1]

    async def both() -> None:
        async with oanda_venue() as (_, port):
            await main(port, lambda port: oanda(port, patience=HASTY), "silent for longer than the limit")
        async with binance_venue() as (_, port):
            await main(port, lambda port: binance(port, HASTY), "keepalive ping timeout")

    asyncio.run(both())


@pytest.mark.parametrize(
    ("stream", "detail"),
    [
        (lambda port: oanda(port, token="wrong"), "HTTP 401: the LP does not accept the token"),
        (lambda port: oanda(port, account="101-001-2-001"), "HTTP 404: the LP knows no such account"),
        (lambda port: oanda(port, account="somebody"), "HTTP 400: the LP does not understand the request"),
        (binance, "HTTP 404: the LP knows no such account or address"),
    ],
)
def test_the_simulated_venue_refuses(stream: Callable[[int], Stream], detail: str) -> None:
    async def main() -> None:
        async with oanda_venue() as (_, port):
            seen = Seen(stream(port))
            async with seen.running():
                await seen.until(lambda: len(seen.states) >= 2)
        assert all(not up and text.startswith(detail) for up, text in seen.states)
        assert not any("wrong" in text or "101-001" in text or TOKEN in text for _, text in seen.states)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        (302, "HTTP 302: not the answer of a stream"),
        (403, "HTTP 403: the LP forbids it"),
        (429, "HTTP 429: too many requests"),
        (503, "HTTP 503: the LP is out of order"),
    ],
)
@pytest.mark.parametrize("stream", [oanda, binance])
def test_other_refusals(stream: Callable[[int], Stream], status: int, detail: str) -> None:
    async def main() -> None:
        async with server(saying(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())) as port:
            seen = Seen(stream(port))
            async with seen.running():
                await seen.until(lambda: bool(seen.states))
        assert seen.states[0][0] is False
        if not (stream is binance and status == 302):  # websockets says in its own words that the redirect is broken.
            assert seen.states[0][1].startswith(detail)

    asyncio.run(main())


@pytest.mark.parametrize("stream", [oanda, binance])
@pytest.mark.parametrize("answer", [b"", b"\0\xff not HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 20"])
def test_an_answer_that_is_no_stream_is_a_loss(stream: Callable[[int], Stream], answer: bytes) -> None:
    async def main() -> None:
        async with server(saying(answer)) as port:
            seen = Seen(stream(port))
            async with seen.running():
                await seen.until(lambda: sum(not up for up, _ in seen.states) >= 2)
        assert all(text.isprintable() and len(text) < 200 for _, text in seen.states)

    asyncio.run(main())


def test_garbage_in_the_stream_is_told_and_the_stream_goes_on() -> None:
    async def main() -> None:
        flood = [chunk(b"x" * 60_000)] * 5
        async with server(saying(OK, *flood, chunk(b"\n" + HEARTBEAT + b"?\n"), then_wait=True)) as port:
            seen = Seen(oanda(port))
            async with seen.running():
                await seen.until(lambda: len(seen.events) >= 4)
        assert seen.events == [PROMISE, VenueGarbage("too_long", "x" * 80), BEAT, VenueGarbage("bad_json", "?")]
        assert seen.states == [(True, "connected"), (False, "stopped")]

    asyncio.run(main())


def test_a_stream_that_says_nothing_has_promised_a_heartbeat_all_the_same() -> None:
    async def main() -> None:
        async with server(saying(OK, then_wait=True)) as port:
            seen = Seen(oanda(port))
            async with seen.running():
                await seen.until(lambda: len(seen.events) > 0)
        assert seen.events == [PROMISE]
        assert seen.states == [(True, "connected"), (False, "stopped")]

    asyncio.run(main())


def test_bytes_without_a_price_or_a_heartbeat_do_not_keep_a_stream_alive() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + chunk(HEARTBEAT))
        while not reader.at_eof():
            writer.write(chunk(b"?\n"))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.02)

    async def main() -> None:
        async with server(drip) as port:
            seen = Seen(oanda(port, patience=HASTY), HASTY)
            async with seen.running():
                # A machine that stands still for so long has the connection end as one that is silent.
                await seen.until(lambda: any(text.startswith(expected) for _, text in seen.states))
        assert (True, "connected") in seen.states

    expected = "neither price nor heartbeat for longer than the limit"

    asyncio.run(main())


def test_half_a_line_does_not_outlive_its_connection() -> None:
    async def main() -> None:
        async with server(saying(OK, chunk(HEARTBEAT + HEARTBEAT[:20]))) as port:
            seen = Seen(oanda(port))
            async with seen.running():
                await seen.until(lambda: len(seen.events) >= 6)
        assert set(seen.events) == {PROMISE, BEAT}

    asyncio.run(main())


def test_stop_works_from_another_thread_and_before_the_start() -> None:
    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def main() -> None:
        async with server(nothing) as port:
            for stream in (oanda(port), binance(port)):
                seen = Seen(stream)
                thread = threading.Thread(target=lambda connection=seen.connection: asyncio.run(connection.run()))
                thread.start()
                await asyncio.sleep(0.1)
                seen.connection.stop()
                await asyncio.to_thread(thread.join, WAIT_LIMIT_S)
                assert not thread.is_alive()
                seen.connection.stop()
            early = Seen(oanda(port))
            early.connection.stop()
            await early.connection.run()
            assert early.states == []

    asyncio.run(main())


@pytest.mark.parametrize("error", [RuntimeError, OSError])
def test_what_a_callback_raises_ends_the_run(error: type[Exception]) -> None:
    def fail(events: list[VenueEvent]) -> None:
        raise error("from the callback")

    async def main() -> None:
        async with oanda_venue() as (_, oanda_port), binance_venue() as (_, binance_port):
            for stream in (oanda(oanda_port), binance(binance_port)):
                connection = Connection(stream, fail, lambda up, detail: None, PATIENT, random.Random(1))
                with pytest.raises(error, match="from the callback"):
                    await asyncio.wait_for(connection.run(), WAIT_LIMIT_S)

    asyncio.run(main())


def test_backoff_doubles_up_to_the_cap_with_full_jitter() -> None:
    patience = Patience(backoff_first_ms=100, backoff_cap_ms=1000)

    def spread(failures: int, refused: bool = False) -> tuple[int, int]:
        waits = [backoff_ms(failures, refused, patience, random.Random(seed)) for seed in range(5000)]
        return round(min(waits), -1), round(max(waits), -1)

    assert [spread(failures) for failures in (1, 2, 3, 4, 5, 500)] == [
        (0, 100),
        (0, 200),
        (0, 400),
        (0, 800),
        (0, 1000),
        (0, 1000),
    ]
    assert spread(1, refused=True) == (500, 1000)
