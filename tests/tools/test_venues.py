"""The simulated LPs, over real sockets and through the adapters that production uses."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from actors.domain.money import parse_e8
from gateway.venues.binance.session import Terms
from gateway.venues.binance.stream import BinanceStream
from gateway.venues.events import VenueEvent, VenueHeartbeat, VenueQuote
from gateway.venues.interface import Patience
from gateway.venues.oanda.rest import Account
from gateway.venues.oanda.stream import OandaStream
from tools.venues.binance import BinanceVenue
from tools.venues.market import NEXT_RECORDING_NS, TURN_TICKS, Market, Play, Tick
from tools.venues.oanda import INSTRUMENTS, OandaVenue
from tools.venues.recording import RecordingError, find_recordings

ACCOUNT = "101-001-1000001-001"
TOKEN = "token-of-the-test"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
STREAM = f"/v3/accounts/{ACCOUNT}/pricing/stream"
WAIT_LIMIT_S = 90
PATIENCE = Patience()

Pair = tuple[str, int, int]


def recorded(folder: Path, **rows: Iterable[str]) -> Market:
    """A market of files with these rows (seconds and prices), played once, as fast as the clients read."""
    for name, lines in rows.items():
        header = "time,bid,ask" if name.startswith("EURUSD") else "time,symbol,bid,ask"
        body = "".join(f"2026-01-19T13:49:{line}\n" for line in lines)
        (folder / f"{name}.csv").write_text(f"{header}\n{body}")
    return Market(find_recordings([folder]), speed=0, once=True)


@contextlib.asynccontextmanager
async def oanda(market: Market, **options: Any) -> AsyncIterator[tuple[OandaVenue, str]]:
    venue = OandaVenue(market, ACCOUNT, TOKEN, **options)
    try:
        yield venue, f"http://127.0.0.1:{venue.listen('127.0.0.1', 0)}"
    finally:
        await venue.close()


@contextlib.asynccontextmanager
async def binance(market: Market, **options: Any) -> AsyncIterator[tuple[BinanceVenue, str]]:
    venue = BinanceVenue(market, **options)
    try:
        yield venue, f"ws://127.0.0.1:{venue.listen('127.0.0.1', 0)}"
    finally:
        await venue.close()


async def oanda_quotes(url: str, names: Iterable[str], count: int) -> list[Pair]:
    """The first quotes of a stream, without their times."""
    return await _quotes(OandaStream(Account(url, url, ACCOUNT, TOKEN), list(names), PATIENCE), count)


async def binance_quotes(url: str, names: Iterable[str], count: int) -> list[Pair]:
    return await _quotes(BinanceStream(Terms(url, PATIENCE), list(names)), count)


async def _quotes(stream: OandaStream | BinanceStream, count: int) -> list[Pair]:
    quotes: list[VenueEvent] = []
    async with asyncio.timeout(WAIT_LIMIT_S), stream.open() as chunks:
        async for events in chunks:
            quotes += [event for event in events if not isinstance(event, VenueHeartbeat)]
            if len(quotes) >= count:
                break
    assert all(isinstance(quote, VenueQuote) for quote in quotes)
    return [(quote.instrument, quote.bid_e8, quote.ask_e8) for quote in quotes if isinstance(quote, VenueQuote)]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_LIMIT_S):
        while not condition():
            await asyncio.sleep(0.005)


DIRTY = {
    "EURUSD-1": ["23Z,1.10,1.2", "23Z,1.11,1.2", "23.5Z,0,1.2", "24Z,1.3,1.2", "24Z,1.10,1.20"],
    "others": ["50Z,GBPUSD,1.3,1.4", "50.9Z,NOKSEK,1,2", "50.9Z,GBPUSD,1.3,0"],
}
EURUSD_SENT = [("1.10", "1.2"), ("1.11", "1.2"), ("0", "1.2"), ("1.3", "1.2"), ("1.10", "1.20")]


def pairs(name: str, prices: Iterable[tuple[str, str]]) -> list[Pair]:
    return [(name, parse_e8(bid), parse_e8(ask)) for bid, ask in prices]


def test_every_row_comes_once_and_in_order_from_both_lps(tmp_path: Path) -> None:
    async def main() -> None:
        market = recorded(tmp_path, **DIRTY)
        async with oanda(market) as (_, oanda_url), binance(market) as (_, binance_url):
            await asyncio.sleep(0.1)
            assert await oanda_quotes(oanda_url, ["EUR_USD", "GBP_USD"], 7) == [
                *pairs("EUR_USD", EURUSD_SENT[:2]),
                *pairs("GBP_USD", [("1.3", "1.4")]),
                *pairs("EUR_USD", EURUSD_SENT[2:3]),
                *pairs("GBP_USD", [("1.3", "0")]),
                *pairs("EUR_USD", EURUSD_SENT[3:]),
            ]
            assert await binance_quotes(binance_url, ["EURUSDT"], 5) == pairs("EURUSDT", EURUSD_SENT)

    asyncio.run(main())


def test_the_recorded_dirt_arrives_to_the_last_row(shared: Path) -> None:
    async def main() -> None:
        market = Market(find_recordings([shared / "ticks" / "FX14-2026-01-19.csv.gz"]), speed=0, once=True)
        (recording,) = market.recordings
        names = {name.replace("_", ""): name for name in INSTRUMENTS}
        rows = [(names[row.symbol], parse_e8(row.bid), parse_e8(row.ask)) for row in recording.rows()]
        async with oanda(market) as (_, url):
            sent = await oanda_quotes(url, [names[symbol] for symbol in recording.symbols], len(rows))
        assert sent == rows
        verdicts = Counter("zero" if 0 in (bid, ask) else "crossed" if bid > ask else "fit" for _, bid, ask in sent)
        assert verdicts == {"zero": 942, "crossed": 4, "fit": 62_147}

    asyncio.run(main())


def test_rows_keep_their_rhythm(tmp_path: Path) -> None:
    async def main() -> None:
        market = recorded(tmp_path, **{"EURUSD": ["20Z,1,2", "30Z,3,4"]})
        market.speed = 50
        async with oanda(market) as (_, url):
            began = asyncio.get_running_loop().time()
            assert await oanda_quotes(url, ["EUR_USD"], 2) == pairs("EUR_USD", [("1", "2"), ("3", "4")])
            assert asyncio.get_running_loop().time() - began >= 10 / 50

    asyncio.run(main())


def test_the_second_lp_comes_later(tmp_path: Path) -> None:
    async def main() -> None:
        market = recorded(tmp_path, **{"EURUSD": ["20Z,1,2"]})
        market.speed = 1
        async with binance(market, lag_ms=300) as (_, url):
            began = asyncio.get_running_loop().time()
            assert await binance_quotes(url, ["EURUSDT"], 1) == pairs("EURUSDT", [("1", "2")])
            assert asyncio.get_running_loop().time() - began >= 0.3

    asyncio.run(main())


def test_recordings_of_one_symbol_follow_one_another_and_begin_again(tmp_path: Path) -> None:
    market = recorded(
        tmp_path, **{"EURUSD-2": ["40Z,3,3.1"], "EURUSD-1": ["20Z,1,1.1", "22Z,2,2.1"], "other": ["59Z,GBPUSD,5,6"]}
    )
    second_ns = NEXT_RECORDING_NS
    once = [
        Tick(0, "EURUSD", "1", "1.1"),
        Tick(0, "GBPUSD", "5", "6"),
        Tick(2 * second_ns, "EURUSD", "2", "2.1"),
        Tick(3 * second_ns, "EURUSD", "3", "3.1"),
    ]
    assert sorted(market.recorded({"EURUSD", "GBPUSD"})) == once
    assert list(market.recorded({"AUDUSD"})) == []
    market.once = False
    again = list(islice(market.recorded({"EURUSD"}), 6))
    assert [(tick.offset_ns // second_ns, tick.bid) for tick in again] == [
        *[(0, "1"), (2, "2"), (3, "3")],
        *[(4, "1"), (6, "2"), (7, "3")],
    ]


def test_times_that_run_backwards_keep_the_order_of_the_file(tmp_path: Path) -> None:
    market = recorded(tmp_path, **{"EURUSD": ["20Z,1,2", "19Z,3,4", "21Z,5,6"]})
    assert [tick.offset_ns for tick in market.recorded({"EURUSD"})] == [0, 0, 10**9]


def test_what_is_not_recorded_comes_from_the_model(tmp_path: Path) -> None:
    async def main() -> None:
        market = recorded(tmp_path, **{"EURUSD": ["20Z,1,2"]})
        async with oanda(market) as (_, url):
            names = {name for name, _, _ in await oanda_quotes(url, INSTRUMENTS, 100)}
        assert names == set(INSTRUMENTS)

    asyncio.run(main())


def test_a_play_that_begins_later_joins_the_made_up_market_where_it_is() -> None:
    async def main() -> None:
        market = Market(speed=2000)
        shown: tuple[list[Pair], list[Pair]] = ([], [])

        def play(out: list[Pair]) -> Play:
            def show(name: str, bid: str, ask: str) -> None:
                out.append((name, parse_e8(bid), parse_e8(ask)))

            return Play(market, {"EURUSD": "EURUSD", "GBPUSD": "GBPUSD"}, show, lambda: asyncio.sleep(0))

        early, late = play(shown[0]), play(shown[1])
        early.begin()
        await until(lambda: len(shown[0]) > 2000)
        late.begin()
        await until(lambda: len(shown[1]) > 500)
        first, second = shown
        joined = next(i for i in range(len(first)) if first[i : i + 50] == second[:50])
        await until(lambda: abs(len(first) - joined - len(second)) <= 2 * TURN_TICKS)
        await early.close()
        await late.close()
        both = min(len(first) - joined, len(second))
        assert joined >= 2000
        assert first[joined : joined + both] == second[:both]

    asyncio.run(main())


def test_both_lps_show_one_made_up_market() -> None:
    async def main() -> None:
        market = Market(speed=10)
        async with oanda(market) as (venue, oanda_url), binance(market, lag_ms=0) as (_, binance_url):
            await oanda_quotes(oanda_url, ["BTC_USD"], 30)
            asking = asyncio.create_task(binance_quotes(binance_url, ["BTCUSDT"], 1))
            meanwhile: list[tuple[str, str]] = []
            while not asking.done():
                meanwhile.append(venue.latest["BTC_USD"])
                await asyncio.sleep(0.005)
            ((_, *shown), *_) = await asking
        near_e8 = 50 * 10**8
        for price_e8, side in zip(shown, zip(*meanwhile, strict=True), strict=True):
            prices = [parse_e8(price) for price in side]
            assert min(prices) - near_e8 < price_e8 < max(prices) + near_e8

    asyncio.run(main())


def test_a_second_client_gets_a_snapshot_first_unless_it_declines() -> None:
    async def main() -> None:
        async with oanda(Market()) as (venue, url), httpx.AsyncClient(base_url=url, headers=BEARER) as client:
            await oanda_quotes(url, INSTRUMENTS, len(INSTRUMENTS))
            await until(lambda: len(venue.latest) == len(INSTRUMENTS))
            async with client.stream("GET", STREAM, params={"instruments": ",".join(INSTRUMENTS)}) as response:
                first = await anext(response.aiter_raw())
            assert [json.loads(line)["instrument"] for line in first.splitlines()[: len(INSTRUMENTS)]] == list(
                INSTRUMENTS
            )
            declined = {"instruments": "EUR_USD", "snapshot": "false"}
            async with client.stream("GET", STREAM, params=declined) as response:
                assert response.status_code == 200
                (subscriber,) = venue.subscribers
                assert subscriber.instruments == {"EUR_USD"}

    asyncio.run(main())


@pytest.mark.parametrize(("form", "first"), [("UNIX", "1"), ("RFC3339", "2")])
def test_heartbeats_in_either_form_of_time(tmp_path: Path, form: str, first: str) -> None:
    async def main() -> None:
        market = recorded(tmp_path, **{"EURUSD": ["20Z,1,2"]})
        async with (
            oanda(market, heartbeat_interval_ms=20) as (_, url),
            httpx.AsyncClient(base_url=url, headers={**BEARER, "Accept-Datetime-Format": form}) as client,
            client.stream("GET", STREAM, params={"instruments": "EUR_USD"}) as response,
        ):
            kinds: set[str] = set()
            async for line in response.aiter_lines():
                message = json.loads(line)
                kinds.add(message["type"])
                assert message["time"].startswith(first)
                if kinds == {"PRICE", "HEARTBEAT"}:
                    break

    asyncio.run(main())


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "message"),
    [
        ("GET", STREAM + "?instruments=EUR_USD", {}, 401, "Insufficient authorization to perform request."),
        ("GET", "/v3/accounts", {"Authorization": "Bearer no"}, 401, "Insufficient authorization to perform request."),
        ("GET", STREAM, BEARER, 400, "Invalid value specified for 'instruments'"),
        ("GET", STREAM + "?instruments=EUR_USD,NO_SUCH", BEARER, 400, "Invalid value specified for 'instruments'"),
        ("GET", "/v3/accounts/mine/pricing/stream", BEARER, 400, "Invalid value specified for 'accountID'"),
        (
            "GET",
            "/v3/accounts/101-001-2-001/pricing/stream?instruments=EUR_USD",
            BEARER,
            404,
            "The account does not exist or is not yours",
        ),
        ("GET", "/v3/nothing", BEARER, 404, "No such resource"),
        ("POST", "/v3/accounts", BEARER, 405, "Method Not Allowed"),
    ],
)
def test_refusals_of_oanda(method: str, path: str, headers: dict[str, str], status: int, message: str) -> None:
    async def main() -> None:
        async with oanda(Market()) as (_, url), httpx.AsyncClient(base_url=url) as client:
            response = await client.request(method, path, headers=headers)
        assert (response.status_code, response.json()) == (status, {"errorMessage": message})
        assert "RequestID" in response.headers

    asyncio.run(main())


def test_accounts_and_instruments() -> None:
    async def main() -> None:
        async with oanda(Market()) as (_, url), httpx.AsyncClient(base_url=url, headers=BEARER) as client:
            accounts = (await client.get("/v3/accounts")).json()
            everything = (await client.get(f"/v3/accounts/{ACCOUNT}/instruments")).json()
            some = (await client.get(f"/v3/accounts/{ACCOUNT}/instruments?instruments=USD_JPY")).json()
        assert accounts == {"accounts": [{"id": ACCOUNT, "tags": []}]}
        assert [item["name"] for item in everything["instruments"]] == list(INSTRUMENTS)
        (yen,) = some["instruments"]
        assert (yen["pipLocation"], yen["displayPrecision"], yen["type"]) == (-2, 3, "CURRENCY")

    asyncio.run(main())


async def read_bids(client: httpx.AsyncClient, read: list[str]) -> None:
    """Of a stream that goes on, as they come."""
    async with client.stream("GET", STREAM, params={"instruments": "EUR_USD"}) as response:
        async for line in response.aiter_lines():
            message = json.loads(line)
            if message["type"] == "PRICE":
                read.append(message["bids"][0]["price"])


def test_a_client_that_does_not_read_is_cut_and_the_others_are_not(tmp_path: Path) -> None:
    async def main() -> None:
        rows = [f"{20 + i // 1000}.{i % 1000:03}Z,1.{i:05},2" for i in range(39_000)]
        market = recorded(tmp_path, **{"EURUSD": rows})
        market.speed, market.once = 20, False
        read: list[str] = []
        async with (
            oanda(market, buffer_limit_bytes=500_000) as (venue, url),
            httpx.AsyncClient(base_url=url, headers=BEARER, timeout=WAIT_LIMIT_S) as client,
        ):
            reading = asyncio.create_task(read_bids(client, read))
            await until(lambda: len(venue.subscribers) == 1)
            (reader,) = venue.subscribers
            with socket.socket() as sleeping:
                sleeping.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sleeping.connect(("127.0.0.1", int(url.rsplit(":", 1)[1])))
                ask = f"GET {STREAM}?instruments=EUR_USD HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
                sleeping.sendall(ask.encode())
                await until(lambda: len(venue.subscribers) == 2)
                await until(lambda: set(venue.subscribers) == {reader})
                await until(lambda: len(read) >= len(rows) or reading.done())
            assert set(venue.subscribers) == {reader}
            reading.cancel()
        assert read[: len(rows)] == [row.split(",")[1] for row in rows]

    asyncio.run(main())


def test_requests_to_binance() -> None:
    async def main() -> None:
        async with (
            binance(Market(speed=20), messages_limit_per_s=100) as (venue, url),
            websockets.connect(url + "/stream") as client,
        ):

            async def ask(request: str) -> Any:
                await client.send(request)
                async with asyncio.timeout(WAIT_LIMIT_S):
                    while "stream" in (reply := json.loads(await client.recv())):
                        pass
                return reply

            def request(method: str, *names: Any) -> str:
                return json.dumps({"method": method, "params": list(names), "id": 7})

            assert await ask(request("LIST_SUBSCRIPTIONS")) == {"result": [], "id": 7}
            assert await ask(request("SUBSCRIBE", "eurusdt@bookTicker", "x@depth")) == {"result": None, "id": 7}
            listed = await ask('{"method": "LIST_SUBSCRIPTIONS", "id": 8}')
            assert listed == {"result": ["eurusdt@bookTicker", "x@depth"], "id": 8}
            frame = json.loads(await asyncio.wait_for(client.recv(), WAIT_LIMIT_S))
            assert frame["stream"] == "eurusdt@bookTicker"
            assert list(frame["data"]) == ["u", "s", "b", "B", "a", "A"]
            assert all(len(frame["data"][side].partition(".")[2]) == 8 for side in "bBaA")
            assert await ask(request("UNSUBSCRIBE", "eurusdt@bookTicker")) == {"result": None, "id": 7}
            (subscriber,) = venue.subscribers
            assert subscriber.instruments == {"x@depth"}
            for wrong, code in (
                ("{", 3),
                ("[" * 5000, 3),
                ("[]", 2),
                (request("STOP"), 2),
                (request("SUBSCRIBE", 1), 2),
                (request("SUBSCRIBE", *map(str, range(2000))), 2),
            ):
                assert (await ask(wrong))["error"]["code"] == code

    asyncio.run(main())


def test_frames_are_as_recorded(shared: Path) -> None:
    def form(frame: dict[str, Any]) -> tuple[list[str], list[tuple[str, type]]]:
        return list(frame), [(key, type(value)) for key, value in frame["data"].items()]

    async def main() -> None:
        async with (
            binance(Market()) as (_, url),
            websockets.connect(f"{url}/stream?streams=btcusdt@bookTicker/ethusdt@bookTicker") as client,
        ):
            sent = json.loads(await asyncio.wait_for(client.recv(), WAIT_LIMIT_S))
        lines = (shared / "binance" / "BINANCE.ws.1.0.txt").read_text().splitlines()[1:]
        real = next(json.loads(line.partition(": ")[2]) for line in lines if '@bookTicker","data"' in line)
        assert form(sent) == form(real)

    asyncio.run(main())


def test_binance_pings_its_clients() -> None:
    async def main() -> None:
        async with binance(Market(), ping_interval_s=0.05) as (_, url):
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
            writer.write(
                b"GET /stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            async with asyncio.timeout(WAIT_LIMIT_S):
                assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
                assert await reader.readexactly(1) == b"\x89"
            writer.close()

    asyncio.run(main())


def test_a_recording_that_changes_underneath_is_a_failure_that_is_seen(tmp_path: Path) -> None:
    async def main() -> None:
        market = recorded(tmp_path, **{"EURUSD": ["20Z,1,2"]})
        (tmp_path / "EURUSD.csv").write_text("time,bid,ask\nbroken\n")
        async with (
            oanda(market) as (venue, url),
            httpx.AsyncClient(base_url=url, headers=BEARER) as client,
            client.stream("GET", STREAM, params={"instruments": "EUR_USD"}),
        ):
            with pytest.raises(RecordingError, match=r"EURUSD\.csv, line 2"):
                await asyncio.wait_for(asyncio.shield(venue.play.failed), WAIT_LIMIT_S)

    asyncio.run(main())


def command(run_dir: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tools.venues", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "HEDGEROW_RUN_DIR": str(run_dir)},
    )


def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with command(tmp_path, "--seed", "3") as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(3)]
        addresses = tmp_path / "venues.json"
        oanda = json.loads(addresses.read_text())["oanda"]
        bearer = {"Authorization": f"Bearer {oanda['token']}"}
        assert httpx.get(oanda["url"] + "/v3/accounts", headers=bearer).status_code == 200
        assert stat.S_IMODE(addresses.stat().st_mode) == 0o600
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=WAIT_LIMIT_S)
    assert (process.returncode, errors) == (0, "")
    assert lines[2] == "the model with seed 3\n"
    assert oanda["token"] not in "".join(lines)


def test_a_bad_recording_stops_the_command_with_one_line(tmp_path: Path) -> None:
    path = tmp_path / "EURUSD.csv"
    path.write_text("time,bid,ask\nnow,1,2\n")
    with command(tmp_path, "--ticks", str(path)) as process:
        _, errors = process.communicate(timeout=WAIT_LIMIT_S)
    assert process.returncode == 1
    assert errors == f"venues: {path}, line 2: 'now' is not a time\n"
