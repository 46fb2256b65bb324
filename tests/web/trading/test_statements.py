"""REST: the account's ledger forwards, page by page and by period."""

import csv
import io

import pytest

from actors.domain.commands import Deposit
from tests.web.world import World

pytestmark = pytest.mark.anyio


async def test_transactions_go_on_from_the_last_that_is_known(world: World) -> None:
    for number in (1, 2):
        world.broker.tell(Deposit(1, 100 * number, f"gift-{number}", "test"))
    first = await world.get("/account/transactions", limit=2)
    assert [entry["amount"] for entry in first.json()["entries"]] == ["100000.00", "1.00"]
    cursor = first.json()["next"]
    assert first.headers["link"] == f'</account/transactions?limit=2&since={cursor}>; rel="next"'
    rest = (await world.http.get(first.links["next"]["url"], headers=world.bearer())).json()
    assert [entry["amount"] for entry in rest["entries"]] == ["2.00"]
    assert rest["next"] is None
    nothing = (await world.get("/account/transactions", since=rest["last"])).json()
    assert nothing == {"entries": [], "next": None, "last": None}


async def test_a_statement_adds_up(world: World) -> None:
    await world.order()
    await world.price("EURUSD", "1.10110", "1.10120")
    await world.post("/position/1/close", {})
    whole = (await world.get("/account/statement", start="2026-01-01T00:00:00Z")).json()
    assert (whole["opening_balance"], whole["closing_balance"]) == ("0.00", "100010.00")
    assert whole["totals"] == {"deposit": "100000.00", "trade": "10.00"}
    middle = whole["entries"][-1]["time"]
    later = (await world.get("/account/statement", start=middle)).json()
    assert (later["opening_balance"], later["closing_balance"]) == ("100000.00", "100010.00")
    before = (await world.get("/account/statement", start="2026-01-01T00:00:00Z", end=middle)).json()
    assert (before["closing_balance"], len(before["entries"])) == ("100000.00", 1)


async def test_a_statement_as_csv(world: World) -> None:
    response = await world.get("/account/statement", start="2026-01-01T00:00:00Z", format="csv")
    assert response.headers["content-type"].startswith("text/csv")
    assert response.headers["content-disposition"] == 'attachment; filename="statement-1.csv"'
    (row,) = csv.DictReader(io.StringIO(response.text))
    assert (row["kind"], row["amount"], row["balance_after"]) == ("deposit", "100000.00", "100000.00")


async def test_a_period_that_cannot_be_is_named(world: World) -> None:
    for query, field in (
        ({"start": "2999-01-01T00:00:00Z"}, "start"),
        ({"start": "yesterday"}, "start"),
        ({"start": "2026-01-01T00:00:00Z", "end": "2025-01-01T00:00:00Z"}, "start"),
        ({"start": "2026-01-01T00:00:00Z", "format": "pdf"}, "format"),
        ({}, "start"),
    ):
        response = await world.get("/account/statement", **query)
        assert (query, response.status_code, response.json()["field"]) == (query, 422, field)


async def test_a_statement_has_as_many_entries_as_it_may_and_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.trading.statements.PAGE_ENTRIES", 2)
    monkeypatch.setattr("web.trading.statements.STATEMENT_LIMIT_ENTRIES", 4)
    for number in range(3):
        world.broker.tell(Deposit(1, 100, f"gift-{number}", "test"))
    whole = await world.get("/account/statement", start="2026-01-01T00:00:00Z")
    assert (whole.status_code, len(whole.json()["entries"])) == (200, 4)
    world.broker.tell(Deposit(1, 100, "gift-3", "test"))
    longer = await world.get("/account/statement", start="2026-01-01T00:00:00Z")
    assert (longer.status_code, longer.json()["code"]) == (422, "STATEMENT_TOO_LONG")
