"""A symbol that configuration does not know: added, quoted, dealt, bounded and retired while the broker runs."""

from pathlib import Path
from typing import Any

import httpx

from tests.system.running import Broker, eventually

NEWUSD = {
    "symbol": "NEWUSD",
    "base": "NEW",
    "quote": "USD",
    "description": "What OANDA calls NZD_USD",
    "price_digits": 5,
    "quantity_min": "1",
    "quantity_max": "1000000",
    "quantity_step": "1",
    "margin_rate": "0.05",
    "price_min": "0.2",
    "price_max": "2",
}
XBTUSD = NEWUSD | {"symbol": "XBTUSD", "base": "XBT", "price_digits": 2, "price_min": "100", "price_max": "10000000"}
NAMES = {"NZDUSD": None, "NEWUSD": "NZD_USD", "BTCUSD": None, "XBTUSD": "BTC_USD"}
"""The simulated LP has no instruments that we do not know: it has two by new names here."""


def symbol(client: httpx.Client, name: str) -> dict[str, Any] | None:
    listed = client.get("/symbols").json()["symbols"]
    return next((it for it in listed if it["symbol"] == name), None)


def test_a_symbol_comes_and_goes_while_the_broker_runs(private_folder: Path) -> None:
    with Broker(private_folder / "instruments" / "var") as broker:
        broker.wait_ready()
        with broker.client("admin") as admin, broker.client() as trader:
            for terms in (NEWUSD, XBTUSD):
                added = admin.post("/admin/instruments", json={"terms": terms, "reason": "clients ask for it"})
                assert added.status_code == 201, added.text

            def mapped() -> bool:
                """The aggregator knows the new symbols within a second."""
                answer = admin.patch("/admin/lps/OANDA", json={"symbols": NAMES})
                assert answer.status_code in (200, 422), answer.text
                return answer.is_success

            eventually(mapped)

            def is_live(wanted: bool) -> bool:
                found = symbol(trader, "NEWUSD")
                return found is not None and found["live"] is wanted

            eventually(lambda: is_live(True))
            order = {"symbol": "NEWUSD", "side": "buy", "type": "market", "quantity": "1000"}
            placed = trader.post("/order", json=order)
            assert placed.json()["order"]["status"] == "filled", placed.text
            used = admin.delete("/admin/instruments/NEWUSD", params={"reason": "too early"})
            assert (used.status_code, used.json()["code"]) == (409, "INSTRUMENT_IN_USE")
            path = "/admin/instruments/NEWUSD"
            admin.patch(path, json={"terms": {"price_min": "1.9"}, "reason": "wrong price"}).raise_for_status()
            eventually(lambda: is_live(False))
            admin.patch(path, json={"terms": {"price_min": "0.2"}, "reason": "it was right"}).raise_for_status()
            eventually(lambda: is_live(True))
            position = placed.json()["order"]["position_id"]
            assert trader.post(f"/position/{position}/close", json={}).json()["order"]["status"] == "filled"
            retired = admin.delete(path, params={"reason": "nobody does"})
            assert retired.status_code == 200, retired.text
            eventually(lambda: symbol(trader, "NEWUSD") is None)
            refused = trader.post("/order", json=order)
            assert refused.json()["code"] == "UNKNOWN_SYMBOL"
            assert trader.get("/trades", params={"limit": 1}).json()["trades"][0]["symbol"] == "NEWUSD"
            broker.kill("aggregator")
            broker.start("aggregator")
            eventually(lambda: (symbol(trader, "XBTUSD") or {}).get("live"))
