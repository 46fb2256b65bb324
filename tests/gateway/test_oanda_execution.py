"""OANDA as an execution venue: the adapter against the simulated venue, and both against OANDA's own document."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.venues.execution import Holdings, NoAnswer, NotSent, VenueOrder
from gateway.venues.interface import Patience
from gateway.venues.oanda.execution import NOT_TAKEN, OandaExecution
from gateway.venues.oanda.rest import Account
from tests.gateway.raw_server import answer, raw_server
from tests.openapi import Document, lines_of
from tools.venues.market import Market
from tools.venues.oanda import OandaVenue

ACCOUNT = "101-001-1000001-001"
TOKEN = "token-of-the-test"
WHOLE = f"/accounts/{ACCOUNT}"
E8 = 10**8
LIMIT_S = 90


@pytest.fixture(scope="module")
def document(shared: Path) -> Document:
    return Document(shared / "oanda" / "v20.json")


@contextlib.asynccontextmanager
async def simulated(record: Path | None = None) -> AsyncIterator[tuple[OandaVenue, OandaExecution]]:
    """With prices that stand still: EUR_USD 1.10000/1.10020."""
    venue = OandaVenue(Market(speed=0, once=True), ACCOUNT, TOKEN, heartbeat_interval_ms=50, record=record)
    venue.latest["EUR_USD"] = ("1.10000", "1.10020")
    venue.play.begin = lambda: None  # type: ignore[method-assign]
    url = f"http://127.0.0.1:{venue.listen('127.0.0.1', 0)}"
    adapter = OandaExecution(Account(url, url, ACCOUNT, TOKEN), Patience(60_000, 60_000))
    try:
        async with asyncio.timeout(LIMIT_S):
            yield venue, adapter
    finally:
        await adapter.close()
        await venue.close()


def order(number: int, units: int = 1_000, **terms: Any) -> VenueOrder:
    given = {"time_in_force": "IOC", **terms}
    return VenueOrder(f"{number}-1-5", "EUR_USD", units > 0, abs(units) * E8, **given)


def test_an_order_is_filled_and_the_record_says_the_same() -> None:
    async def main() -> None:
        async with simulated() as (_, adapter):
            start = (await adapter.heard_since("")).cursor
            said = await adapter.place(order(1, -1_000))
            assert [(it.client_id, it.kind, it.quantity_e8, it.price_e8) for it in said] == [
                ("1-1-5", "fill", 1_000 * E8, 110_000_000)
            ]
            heard = await adapter.heard_since(start)
            assert heard.said == said
            assert await adapter.inquire("1-1-5", start) == said
            assert (await adapter.heard_since(heard.cursor)) == (heard.cursor, [])
            assert await adapter.holdings() == Holdings(heard.cursor, {"EUR_USD": -1_000 * E8})

    asyncio.run(main())


@pytest.mark.parametrize(
    ("fault", "kinds", "filled"),
    [("partial", ["fill", "cancelled"], 500), ("cancel", ["cancelled"], 0), ("reject", ["rejected"], 0)],
)
def test_what_is_not_filled(fault: str, kinds: list[str], filled: int) -> None:
    async def main() -> None:
        async with simulated() as (venue, adapter):
            venue.faults.want(json.dumps([{"kind": fault}]).encode())
            said = await adapter.place(order(1))
            assert [it.kind for it in said] == kinds
            assert sum(it.quantity_e8 for it in said) == filled * E8
            assert (await adapter.inquire("1-1-5", "1")) == said

    asyncio.run(main())


@pytest.mark.parametrize(
    ("terms", "kind"),
    [
        ({"bound_e8": 110_019_000}, "cancelled"),
        ({"bound_e8": 110_020_000}, "fill"),
        ({"limit_e8": 110_000_000}, "cancelled"),
    ],
)
def test_a_bound_is_kept(terms: dict[str, int], kind: str) -> None:
    async def main() -> None:
        async with simulated() as (_, adapter):
            assert (await adapter.place(order(1, **terms)))[-1].kind == kind

    asyncio.run(main())


def test_a_limit_order_works_until_its_price_comes_or_it_is_cancelled() -> None:
    async def main() -> None:
        async with simulated() as (venue, adapter):
            terms: dict[str, Any] = {"limit_e8": 109_000_000, "time_in_force": "GTC"}
            assert [it.kind for it in await adapter.place(order(1, **terms))] == ["accepted"]
            assert [it.kind for it in await adapter.place(order(2, **terms))] == ["accepted"]
            assert [it.kind for it in await adapter.inquire("1-1-5", "1") or []] == ["accepted"]
            assert [it.kind for it in await adapter.cancel("2-1-5")] == ["cancelled"]
            assert await adapter.cancel("2-1-5") == []
            cursor = (await adapter.heard_since("")).cursor
            venue.show("EUR_USD", "1.08980", "1.09000")
            (filled,) = (await adapter.heard_since(cursor)).said
            assert (filled.client_id, filled.kind, filled.price_e8) == ("1-1-5", "fill", 109_000_000)

    asyncio.run(main())


def test_an_answer_that_is_cut_off_is_not_known_until_asked() -> None:
    async def main() -> None:
        async with simulated() as (venue, adapter):
            venue.faults.want(b'[{"kind": "cut"}, {"kind": "swallow"}]')
            for number in (1, 2):
                with pytest.raises(NoAnswer):
                    await adapter.place(order(number))
            assert [it.kind for it in await adapter.inquire("1-1-5", "1") or []] == ["fill"]
            assert await adapter.inquire("2-1-5", "1") is None

    asyncio.run(main())


def test_what_certainly_was_not_sent() -> None:
    async def main() -> None:
        async with simulated() as (venue, adapter):
            with pytest.raises(NotSent) as never:
                await adapter.place(VenueOrder("1-1-5", "XXX_USD", True, E8, "IOC"))
            assert never.value.for_good
            await adapter.place(order(1))
            venue.token = "another"
            with pytest.raises(NotSent) as refused:
                await adapter.place(order(2))
            assert refused.value.for_good
            assert TOKEN not in str(refused.value)
            assert ACCOUNT not in str(refused.value)
            with pytest.raises(NoAnswer):
                await adapter.inquire("1-1-5", "1")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("status", "is_known"),
    [(400, True), (404, True), (405, True), (408, False), (409, False), (413, False), (425, False), (499, False)],
)
def test_only_a_refusal_that_the_document_has_says_that_an_order_was_not_taken(status: int, is_known: bool) -> None:
    listed = b'{"instruments":[{"name":"EUR_USD","displayPrecision":5,"tradeUnitsPrecision":0}]}'

    async def main() -> None:
        async with raw_server(answer(200, listed), answer(status, b'{"errorMessage":"no"}')) as server:
            adapter = OandaExecution(Account(server.url, server.url, ACCOUNT, TOKEN), Patience())
            with pytest.raises(NotSent if is_known else NoAnswer) as said:
                await adapter.place(order(1))
            await adapter.close()
        assert str(said.value) == f"HTTP {status}: no"
        assert [it.method for it in server.asked] == ["GET", "POST"]

    asyncio.run(main())


def test_what_the_document_says_of_an_order_is_what_is_believed(shared: Path) -> None:
    whole = json.loads((shared / "oanda" / "v20.json").read_text(encoding="utf-8"))
    responses = whole["paths"]["/accounts/{accountID}/orders"]["post"]["responses"]
    assert {int(status) for status in responses} == {201, 401, 403, *NOT_TAKEN}


def test_nobody_there_is_not_sent() -> None:
    async def main() -> None:
        url = "http://127.0.0.1:1"
        adapter = OandaExecution(Account(url, url, ACCOUNT, TOKEN), Patience(backoff_first_ms=1, backoff_cap_ms=2))
        with pytest.raises(NotSent) as away:
            await adapter.place(order(1))
        assert not away.value.for_good
        assert ACCOUNT not in repr(adapter) + str(away.value)
        await adapter.close()

    asyncio.run(main())


def test_the_stream_says_how_far_the_record_goes() -> None:
    async def main() -> None:
        async with simulated() as (venue, adapter), adapter.follow() as reached:
            assert await anext(reached) == "1"
            await adapter.place(order(1))
            while (place := await anext(reached)) != venue.book.last_id:
                assert int(place) <= 3
            venue.token = "another"
            with pytest.raises(NoAnswer):
                async with adapter.follow():
                    pass

    asyncio.run(main())


def test_the_account_outlives_the_venue_and_a_torn_end(tmp_path: Path) -> None:
    async def main() -> None:
        record = tmp_path / "oanda.jsonl"
        async with simulated(record) as (venue, adapter):
            await adapter.place(order(1, 1_000))
            await adapter.place(order(2, -300))
            before = venue.book.transactions
        with record.open("ab") as file:
            file.write(b'[{"id":"6","type":"MARKET_ORD')
        async with simulated(record) as (venue, adapter):
            assert venue.book.transactions == before
            assert await adapter.holdings() == Holdings("5", {"EUR_USD": 700 * E8})
            assert [it.kind for it in await adapter.inquire("2-1-5", "5") or []] == ["fill"]
            await adapter.place(order(3, 1))
            assert venue.book.last_id == "7"
        async with simulated(record) as (venue, _):
            assert venue.book.last_id == "7"

    asyncio.run(main())


def test_what_we_send_is_in_the_document(document: Document) -> None:
    async def main() -> None:
        async with raw_server(
            answer(
                200,
                b'{"instruments":[{"name":"EUR_USD","displayPrecision":5,"tradeUnitsPrecision":0}],'
                b'"lastTransactionID":"1","order":{"id":"1","state":"PENDING"}}',
            )
        ) as server:
            adapter = OandaExecution(Account(server.url, server.url, ACCOUNT, TOKEN), Patience())
            await adapter.place(order(1, bound_e8=110_020_000))
            await adapter.place(
                order(2, -5, limit_e8=110_020_000, time_in_force="GTD", expires_ns=1_795_176_000 * 10**9)
            )
            await adapter.cancel("1-1-5")
            await adapter.inquire("1-1-5", "1")
            await adapter.heard_since("")
            await adapter.heard_since("1")
            await adapter.holdings()
            async with adapter.follow():
                pass
            await adapter.close()
        assert len(server.asked) == 9
        for asked in server.asked:
            document.check_request(asked.method, asked.target, asked.headers, asked.body)
            if asked.method == "POST":
                body = json.loads(asked.body)["order"]
                document.check_definition(
                    {"MARKET": "MarketOrderRequest", "LIMIT": "LimitOrderRequest"}[body["type"]], body
                )

    asyncio.run(main())


@pytest.mark.parametrize("zone", ["RFC3339", "UNIX"])
def test_what_the_simulated_venue_answers_is_in_the_document(document: Document, zone: str) -> None:
    market = {"type": "MARKET", "instrument": "EUR_USD", "units": "1000", "timeInForce": "IOC"}
    limit = {**market, "type": "LIMIT", "price": "1.05000", "timeInForce": "GTC", "clientExtensions": {"id": "L"}}
    posted: list[tuple[dict[str, Any], int]] = [
        (market, 201),
        ({**market, "units": "-300"}, 201),
        ({**market, "units": "-5000"}, 201),
        ({**market, "priceBound": "1.00000"}, 201),
        (limit, 201),
        (limit, 400),
        ({**market, "units": "0.5"}, 400),
        ({**market, "instrument": "XXX_YYY"}, 400),
    ]
    asked: list[tuple[str, str, dict[str, str], int]] = [
        ("GET", WHOLE, {}, 200),
        ("GET", WHOLE + "/summary", {}, 200),
        ("GET", WHOLE + "/orders", {"state": "ALL"}, 200),
        ("GET", WHOLE + "/pendingOrders", {}, 200),
        ("GET", WHOLE + "/orders/@L", {}, 200),
        ("GET", WHOLE + "/orders/@M", {}, 404),
        ("PUT", WHOLE + "/orders/@L/cancel", {}, 200),
        ("PUT", WHOLE + "/orders/@L/cancel", {}, 404),
        ("GET", WHOLE + "/trades", {}, 200),
        ("GET", WHOLE + "/openTrades", {}, 200),
        ("GET", WHOLE + "/positions", {}, 200),
        ("GET", WHOLE + "/openPositions", {}, 200),
        ("GET", WHOLE + "/transactions/sinceid", {"id": "1"}, 200),
        ("GET", WHOLE + "/transactions/sinceid", {"id": "999"}, 416),
        ("GET", WHOLE + "/transactions/sinceid", {"id": "x"}, 400),
        ("GET", WHOLE + "/transactions/idrange", {"from": "2", "to": "4"}, 200),
        ("GET", WHOLE + "/transactions/3", {}, 200),
        ("GET", WHOLE + "/transactions/999", {}, 404),
    ]
    names = {"ORDER_FILL": "OrderFillTransaction", "ORDER_CANCEL": "OrderCancelTransaction"}
    names |= {f"{kind.upper()}_ORDER{end.upper()}": f"{kind}Order{end.strip('_')}Transaction"
              for kind in ("Market", "Limit") for end in ("", "_Reject")}  # fmt: skip

    async def main() -> None:
        async with simulated() as (venue, _):
            (socket,) = venue._server._sockets.values()
            url = f"http://127.0.0.1:{socket.getsockname()[1]}/v3"
            headers = {"Authorization": f"Bearer {TOKEN}", "Accept-Datetime-Format": zone}
            async with httpx.AsyncClient(base_url=url, headers=headers, timeout=LIMIT_S) as client:
                async with client.stream("GET", WHOLE + "/transactions/stream") as stream:
                    for order_request, status in posted:
                        reply = await client.post(WHOLE + "/orders", json={"order": order_request})
                        assert reply.status_code == status, reply.text
                        document.check_answer("POST", WHOLE + "/orders", status, reply.json())
                    body = b""
                    async for chunk in stream.aiter_raw():
                        body += chunk
                        if body.endswith(b"\n") and body.count(b"HEARTBEAT") > 1:
                            break
                for method, path, params, status in asked:
                    reply = await client.request(method, path, params=params)
                    assert reply.status_code == status, (path, reply.text)
                    document.check_answer(method, path, status, reply.json())
                page = (await client.get(WHOLE + "/transactions/sinceid", params={"id": "1"})).json()
            streamed = list(lines_of(body))
            for message in [*page["transactions"], *(it for it in streamed if it["type"] != "HEARTBEAT")]:
                if message["type"] in names:
                    document.check_definition(names[message["type"]], message)
            for message in [it for it in streamed if it["type"] == "HEARTBEAT"]:
                document.check_definition("TransactionHeartbeat", message)
            assert {it["type"] for it in page["transactions"]} >= set(names) - {"LIMIT_ORDER_REJECT"}

    asyncio.run(main())
