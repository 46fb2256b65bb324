"""A symbol that configuration does not know: added, quoted, dealt, bounded and retired while the broker runs."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system.running import Broker, eventually, until_dealable

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
            until_dealable(trader, "NEWUSD")
            order = {"symbol": "NEWUSD", "side": "buy", "type": "market", "quantity": "1000"}
            placed = trader.post("/order", json=order)
            assert placed.json()["order"]["status"] == "filled", placed.text
            path = "/admin/instruments/NEWUSD"
            used = admin.patch(path, json={"terms": {"state": "retired"}, "reason": "too early"})
            assert (used.status_code, used.json()["code"]) == (409, "INSTRUMENT_IN_USE")
            admin.patch(path, json={"terms": {"price_min": "1.9"}, "reason": "wrong price"}).raise_for_status()
            eventually(lambda: is_live(False))
            admin.patch(path, json={"terms": {"price_min": "0.2"}, "reason": "it was right"}).raise_for_status()
            until_dealable(trader, "NEWUSD")
            position = placed.json()["order"]["position_id"]
            assert trader.post(f"/position/{position}/close", json={}).json()["order"]["status"] == "filled"
            retired = admin.patch(path, json={"terms": {"state": "retired"}, "reason": "nobody does"})
            assert retired.status_code == 200, retired.text
            eventually(lambda: symbol(trader, "NEWUSD") is None)
            refused = trader.post("/order", json=order)
            assert refused.json()["code"] == "UNKNOWN_SYMBOL"
            assert trader.get("/trades", params={"limit": 1}).json()["trades"][0]["symbol"] == "NEWUSD"
            broker.kill("aggregator")
            broker.start("aggregator")
            eventually(lambda: (symbol(trader, "XBTUSD") or {}).get("live"))


@pytest.mark.timeout(300)
def test_a_session_over_fix_knows_a_symbol_that_comes_changes_and_goes(private_folder: Path) -> None:
    """The FIX LP alone has it: what is quoted and dealt is quoted and dealt there."""
    with Broker(private_folder / "over-fix" / "var") as broker:
        broker.wait_ready()
        log = broker.run_dir / "fix" / "log"
        with broker.client("admin") as admin, broker.client() as trader:
            fine = NEWUSD | {"price_digits": 6, "quantity_min": "0.1", "quantity_step": "0.1"}
            admin.post("/admin/instruments", json={"terms": fine, "reason": "more"}).raise_for_status()
            names = {"NZDUSD": None, "NEWUSD": "NZD/USD"}
            eventually(lambda: admin.patch("/admin/lps/SIMLP", json={"symbols": names}).is_success)
            eventually(lambda: (symbol(trader, "NEWUSD") or {}).get("live"))

            def misfit() -> str | None:
                sessions = admin.get("/admin/fix/sessions").json()["sessions"]
                found = [one["survey"]["misfits"] for one in sessions if one["survey"]]
                told = admin.get("/admin/lps/SIMLP").json()["feed"]["misfits"]
                words = {misfits.get("NEWUSD") for misfits in [*found, told]}
                return words.pop() if len(found) == 2 and len(words) == 1 else "not agreed yet"

            digits = "prices have 5 digits there, and 6 here"
            quantities = "the least quantity is 1 there, and 0.1 here; the step is 1 there, and 0.1 here"
            eventually(lambda: misfit() == f"{digits}; {quantities}")
            path = "/admin/instruments/NEWUSD"
            whole = {"quantity_min": "1", "quantity_step": "1", "price_digits": 5}
            admin.patch(path, json={"terms": whole, "reason": "as the LP has it"}).raise_for_status()
            eventually(lambda: misfit() is None)

            rule = {"name": "new over FIX", "book": "a_book", "venues": ["SIMLP"], "symbols": ["NEWUSD"]}
            added = admin.post("/admin/routing", json={"rule": rule, "place": 0, "reason": "they deal it"})
            assert added.status_code == 201, added.text
            order = {"symbol": "NEWUSD", "side": "buy", "type": "market", "quantity": "1000"}

            def dealt() -> str:
                placed = trader.post("/order", json=order).json().get("order", {})
                return str(placed.get("id", ""))

            order_id = eventually(dealt)

            def filled() -> dict[str, Any] | None:
                found: dict[str, Any] = trader.get(f"/order/{order_id}").json()["order"]
                return found if found["status"] == "filled" else None

            position = eventually(filled)["position_id"]
            assert "|55=NZD/USD|" in next(
                line for line in (log / "simlp-orders.log").read_text().splitlines() if "|35=D|" in line
            )
            until_dealable(trader, "NEWUSD")
            trader.post(f"/position/{position}/close", json={}).raise_for_status()
            eventually(lambda: trader.get("/positions").json()["positions"] == [])

            admin.patch(path, json={"terms": {"state": "retired"}, "reason": "nobody does"}).raise_for_status()

            def is_unsubscribed() -> bool:
                lines = (log / "simlp-quotes.log").read_text().splitlines()
                return any("|263=2|" in line and "|55=NZD/USD|" in line for line in lines)

            eventually(is_unsubscribed)
            eventually(lambda: "NEWUSD" not in admin.get("/admin/lps/SIMLP").json()["feed"]["quote_age_ms"])
