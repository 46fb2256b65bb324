"""OANDA's own OpenAPI document, about what we send and about what the simulated OANDA answers."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.venues.interface import Patience
from gateway.venues.oanda.candles import MINUTE_NS, candles_request
from gateway.venues.oanda.client import Client
from gateway.venues.oanda.instruments import instruments_request
from gateway.venues.oanda.rest import Account
from gateway.venues.oanda.stream import OandaStream
from tests.gateway.raw_server import answer, raw_server
from tests.openapi import Document, lines_of
from tools.venues.market import Market
from tools.venues.oanda import INSTRUMENTS, OandaVenue

ACCOUNT = "101-001-1000001-001"
TOKEN = "token-of-the-test"
NAMES = "EUR_USD,USD_JPY,BTC_USD"
WHOLE = f"/accounts/{ACCOUNT}"
FRIDAY = "2026-11-20T12:00:00Z"


@pytest.fixture(scope="module")
def document(shared: Path) -> Document:
    return Document(shared / "oanda" / "v20.json")


def test_what_we_send_is_in_the_document(document: Document) -> None:
    async def main() -> None:
        async with raw_server(answer(200)) as server:
            account = Account(server.url, server.url, ACCOUNT, TOKEN)
            async with Client(account, Patience()) as client:
                for request in (instruments_request(), candles_request("EUR_USD", 0, 5000 * MINUTE_NS)):
                    await client.ask(request)
            async with OandaStream(account, NAMES.split(","), Patience()).open():
                pass
        assert len(server.asked) == 3
        for asked in server.asked:
            document.check_request(asked.method, asked.target, asked.headers, asked.body)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("/v3/accounts/1-1-1-1/pricing", "instruments is required"),
        ("/v3/accounts/1-1-1-1/pricing?instruments=EUR_USD&depth=1", "not in the document"),
        ("/v3/accounts/nobody/pricing?instruments=EUR_USD", "does not match"),
        ("/v3/accounts/1-1-1-1/pricing?instruments=EURUSD", "does not match"),
        ("/v3/quotes", "not in the document"),
    ],
)
def test_the_judge_sees_what_is_wrong(document: Document, target: str, fault: str) -> None:
    with pytest.raises(Exception, match=fault):
        document.check_request("GET", target, {"Authorization": "Bearer t"}, b"")


@pytest.mark.parametrize("zone", ["RFC3339", "UNIX"])
def test_what_the_simulated_venue_answers_is_in_the_document(document: Document, zone: str) -> None:
    prices = {"instruments": NAMES, "includeHomeConversions": "true"}
    candles = {"price": "MBA", "granularity": "M5", "count": "20"}
    asked: list[tuple[str, dict[str, str], int]] = [
        ("/accounts", {}, 200),
        (WHOLE, {}, 200),
        (WHOLE + "/summary", {}, 200),
        (WHOLE + "/instruments", {}, 200),
        (WHOLE + "/pricing", prices, 200),
        ("/instruments/EUR_USD/candles", candles, 200),
        (WHOLE + "/instruments/BTC_USD/candles", candles, 200),
        ("/accounts/1-1-1-1", {}, 400),
        (WHOLE + "/pricing", {}, 400),
        (WHOLE + "/pricing", {"instruments": "EUR_XXX"}, 400),
        ("/accounts/101-001-2-001/pricing", prices, 404),
        ("/instruments/EUR_USD/candles", {"count": "5001", "granularity": "M1"}, 400),
        ("/instruments/EUR_USD/candles", {"from": FRIDAY, "to": FRIDAY, "count": "1", "granularity": "M1"}, 400),
    ]

    async def main() -> None:
        venue = OandaVenue(Market(), ACCOUNT, TOKEN, heartbeat_interval_ms=50)
        url = f"http://127.0.0.1:{venue.listen('127.0.0.1', 0)}"
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept-Datetime-Format": zone}
        async with httpx.AsyncClient(base_url=url + "/v3", headers=headers) as client:
            for path, params, status in asked:
                reply = await client.get(path, params=params)
                assert reply.status_code == status, (path, reply.text)
                document.check_answer("GET", path, status, reply.json())
            refused = await client.get("/accounts", headers={"Authorization": "Bearer no"})
            document.check_answer("GET", "/accounts", 401, refused.json())
            await _check_stream(document, client)
        await venue.close()

    asyncio.run(main())


async def _check_stream(document: Document, client: httpx.AsyncClient) -> None:
    seen: dict[str, list[dict[str, Any]]] = {"PRICE": [], "HEARTBEAT": []}
    body = b""
    async with client.stream("GET", WHOLE + "/pricing/stream", params={"instruments": ",".join(INSTRUMENTS)}) as reply:
        async for chunk in reply.aiter_raw():
            body += chunk
            if body.count(b"HEARTBEAT") > 2 and body.count(b"PRICE") > len(INSTRUMENTS):
                break
    for message in lines_of(body[: body.rindex(b"\n")]):
        document.check_definition({"PRICE": "ClientPrice", "HEARTBEAT": "PricingHeartbeat"}[message["type"]], message)
        seen[message["type"]].append(message)
    assert all(seen.values())


def test_the_document_knows_every_instrument_field_that_we_read(document: Document) -> None:
    listed = {"name": "EUR_USD", "pipLocation": -4, "displayPrecision": 5, "minimumTradeSize": "1"}
    document.check_definition(
        "Instrument", listed | {"tradeUnitsPrecision": 0} | {"maximumOrderUnits": "100000000", "marginRate": "0.02"}
    )
    document.check_definition("Candlestick", json.loads('{"time":"1.000000000","volume":1,"complete":true}'))
