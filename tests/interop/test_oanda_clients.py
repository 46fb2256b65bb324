"""The public clients of v20, unchanged, against the simulated OANDA: OANDA's own `v20`, and `oandapyV20`."""

import asyncio
import threading
from collections.abc import Iterator
from itertools import islice
from typing import Any

import oandapyV20
import pytest
import v20
from oandapyV20.contrib.factories import InstrumentsCandlesFactory
from oandapyV20.endpoints import accounts, instruments, pricing

from tools.venues.market import Market
from tools.venues.oanda import INSTRUMENTS, OandaVenue

ACCOUNT = "101-001-1000001-001"
TOKEN = "token-of-the-test"
NAMES = "EUR_USD,USD_JPY"
THURSDAY = "2026-01-15T12:00:00Z"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The simulated OANDA in a thread of its own: the clients block."""
    listening: list[int] = []
    ready, over = threading.Event(), threading.Event()

    async def serve() -> None:
        venue = OandaVenue(Market(speed=20), ACCOUNT, TOKEN, heartbeat_interval_ms=50)
        listening.append(venue.listen("127.0.0.1", 0))
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
def context(port: int) -> Iterator[Any]:
    made = v20.Context("127.0.0.1", port, ssl=False, token=TOKEN, decimal_number_as_float=False, stream_chunk_size=1)
    yield made
    made._session.close()


@pytest.fixture
def api(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    url = f"http://127.0.0.1:{port}"
    monkeypatch.setitem(oandapyV20.oandapyV20.TRADING_ENVIRONMENTS, "practice", {"stream": url, "api": url})
    with oandapyV20.API(TOKEN, environment="practice") as made:
        yield made


def test_v20_reads_accounts_and_instruments(context: Any) -> None:
    (account,) = context.account.list().get("accounts", 200)
    assert account.id == ACCOUNT
    details = context.account.get(ACCOUNT).get("account", 200)
    summary = context.account.summary(ACCOUNT).get("account", 200)
    assert (details.currency, details.balance, details.trades) == ("USD", summary.balance, [])
    listed = context.account.instruments(ACCOUNT).get("instruments", 200)
    assert [entry.name for entry in listed] == list(INSTRUMENTS)


def test_v20_reads_prices_and_candles(context: Any) -> None:
    prices = context.pricing.get(ACCOUNT, instruments=NAMES, includeHomeConversions=True)
    assert [price.instrument for price in prices.get("prices", 200)] == NAMES.split(",")
    assert [entry.currency for entry in prices.get("homeConversions", 200)] == ["EUR", "JPY", "USD"]
    made = context.instrument.candles("EUR_USD", price="BA", granularity="M1", fromTime=THURSDAY, count=3)
    candles = made.get("candles", 200)
    assert [candle.time for candle in candles] == [f"2026-01-15T12:0{i}:00.000000000Z" for i in range(3)]
    assert all(candle.bid.l <= candle.bid.o <= candle.bid.h and candle.complete for candle in candles)


def test_v20_reads_the_stream(context: Any) -> None:
    response = context.pricing.stream(ACCOUNT, instruments=NAMES, snapshot=True)
    assert response.status == 200
    kinds: set[str] = set()
    for kind, message in response.parts():
        kinds.add(kind)
        assert kind == "pricing.PricingHeartbeat" or message.instrument in NAMES
        if len(kinds) == 2:
            break
    assert kinds == {"pricing.ClientPrice", "pricing.PricingHeartbeat"}


def test_v20_is_told_what_is_wrong(context: Any) -> None:
    refused = context.pricing.get(ACCOUNT, instruments="NO_SUCH")
    assert (refused.status, refused.body["errorMessage"]) == (400, "Invalid value specified for 'instruments'")
    context.set_token("wrong")
    assert context.account.list().status == 401


def test_oandapyv20_reads_accounts_and_instruments(api: Any) -> None:
    assert api.request(accounts.AccountList()) == {"accounts": [{"id": ACCOUNT, "tags": []}]}
    assert api.request(accounts.AccountDetails(ACCOUNT))["account"]["id"] == ACCOUNT
    assert api.request(accounts.AccountSummary(ACCOUNT))["account"]["currency"] == "USD"
    asked = accounts.AccountInstruments(ACCOUNT, params={"instruments": NAMES})
    assert [entry["name"] for entry in api.request(asked)["instruments"]] == NAMES.split(",")


def test_oandapyv20_reads_prices_and_candles(api: Any) -> None:
    prices = api.request(pricing.PricingInfo(ACCOUNT, params={"instruments": NAMES}))["prices"]
    assert [price["instrument"] for price in prices] == NAMES.split(",")
    made = api.request(instruments.InstrumentsCandles("USD_JPY", params={"granularity": "M5", "count": 4}))
    assert (made["granularity"], len(made["candles"])) == ("M5", 4)
    whole = {"from": "2026-01-12T00:00:00Z", "to": "2026-01-17T00:00:00Z", "granularity": "M1", "count": 2500}
    times: list[str] = []
    for request in InstrumentsCandlesFactory("EUR_USD", params=whole):
        times += [candle["time"] for candle in api.request(request)["candles"]]
    assert (times[0], times[-1]) == ("2026-01-12T00:00:00.000000000Z", "2026-01-16T21:59:00.000000000Z")
    assert len(set(times)) == len(times) == 5 * 24 * 60 - 120


def test_oandapyv20_reads_the_stream(api: Any) -> None:
    request = pricing.PricingStream(ACCOUNT, params={"instruments": NAMES, "snapshot": "true"})
    messages = list(islice(api.request(request), 200))
    assert {message["type"] for message in messages} == {"PRICE", "HEARTBEAT"}
    with pytest.raises(oandapyV20.exceptions.StreamTerminated):
        request.terminate("enough")


def test_oandapyv20_is_told_what_is_wrong(api: Any) -> None:
    with pytest.raises(oandapyV20.V20Error, match="Invalid value specified for 'instruments'"):
        api.request(pricing.PricingInfo(ACCOUNT, params={"instruments": "NO_SUCH"}))
