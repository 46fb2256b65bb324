"""The page, in a real Chromium, against the whole real broker: what a trader does with it."""

import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.system.running import ROOT, Broker, eventually

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE_MS = 90_000
NOTICES = """
window.notices = new Set();
new MutationObserver(() => {
  const shown = document.querySelector("[data-testid='notice']");
  if (shown) window.notices.add(shown.textContent);
}).observe(document, { childList: true, subtree: true, characterData: true });
"""
"""All that the page has shown: each goes away after some seconds."""

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium"),
    pytest.mark.skipif(
        not (ROOT / "web" / "ui" / "dist" / "index.html").exists(), reason="the page is not built: python -m tools.ui"
    ),
]


@pytest.fixture(scope="module")
def broker(private_folder: Path) -> Iterator[Broker]:
    with Broker(private_folder / "browser" / "var", HEDGEROW_TICK_SPEED="5") as broker:
        broker.wait_ready()
        yield broker


@pytest.fixture
def page() -> Iterator[Page]:
    """A page that must not report an error of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(NOTICES)
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        yield page
        browser.close()
        assert faults == []


def log_in(page: Page, broker: Broker, role: str = "trader") -> None:
    user = broker.credentials(role)
    page.goto(broker.url)
    page.get_by_test_id("login-username").fill(user["username"])
    page.get_by_test_id("login-password").fill(user["password"])
    page.get_by_test_id("login-submit").click()
    expect(page.get_by_test_id("watch-row-EURUSD")).to_be_visible()


def amount(page: Page, test_id: str) -> Decimal:
    """The exact decimal that an element shows grouped."""
    element = page.get_by_test_id(test_id)
    expect(element).to_have_attribute("data-value", re.compile(r"^-?\d"))
    return Decimal(element.get_attribute("data-value") or "")


def test_a_trade_from_login_to_ledger(broker: Broker, page: Page, tmp_path: Path) -> None:
    log_in(page, broker)
    expect(page.get_by_test_id("chart").locator("canvas").first).to_be_visible()
    bid = page.get_by_test_id("watch-bid-EURUSD")
    shown = bid.inner_text()
    expect(bid).not_to_have_text(shown)
    balance = amount(page, "account-balance")
    assert balance == Decimal("100000.00")

    page.get_by_test_id("watch-row-EURUSD").click()
    page.get_by_test_id("ticket-quantity").fill("10000")
    page.get_by_test_id("ticket-buy").click()
    expect(page.get_by_test_id("ticket-message")).to_contain_text("EURUSD")
    row = page.locator("[data-testid^='position-row-']")
    expect(row).to_have_count(1)
    position_id = (row.get_attribute("data-testid") or "").removeprefix("position-row-")
    profit = page.get_by_test_id(f"position-profit-{position_id}")
    first_profit = profit.inner_text()
    expect(profit).not_to_have_text(first_profit)
    expect(page.get_by_test_id("account-margin")).to_have_attribute("data-value", re.compile("[1-9]"))
    page.screenshot(path=tmp_path / "terminal.png")

    page.get_by_test_id(f"position-close-{position_id}").click()
    expect(row).to_have_count(0)
    expect(page.get_by_test_id("account-margin")).to_contain_text("0.00")
    page.get_by_test_id("tab-trades").click()
    expect(page.locator("[data-testid^='trade-row-']")).to_have_count(2)
    page.get_by_test_id("tab-ledger").click()
    expect(page.locator("[data-testid^='ledger-row-']").first).to_be_visible()
    page.reload()
    expect(page.get_by_test_id("account-balance")).to_be_visible()
    with broker.client() as client:
        account = client.get("/account").json()
    assert amount(page, "account-balance") == Decimal(account["balance"])


def test_a_limit_order_waits_is_modified_and_cancelled(broker: Broker, page: Page, tmp_path: Path) -> None:
    log_in(page, broker)
    page.get_by_test_id("watch-row-EURUSD").click()
    far = (amount(page, "watch-bid-EURUSD") * Decimal("0.9")).quantize(Decimal("0.00001"))
    farther = far - Decimal("0.01")
    page.get_by_test_id("ticket-type-limit").click()
    page.get_by_test_id("ticket-quantity").fill("10000")
    page.get_by_test_id("ticket-buy").click()
    expect(page.get_by_test_id("ticket-message")).to_contain_text("limit price is missing")
    page.get_by_test_id("ticket-limit-price").fill(str(far))
    page.get_by_test_id("ticket-time").select_option("day")
    page.get_by_test_id("ticket-buy").click()
    expect(page.get_by_test_id("ticket-message")).to_contain_text("waits")

    page.get_by_test_id("tab-orders").click()
    row = page.locator("[data-testid^='order-row-']")
    expect(row).to_have_count(1)
    order_id = (row.get_attribute("data-testid") or "").removeprefix("order-row-")
    price = page.get_by_test_id(f"order-price-{order_id}")
    expect(price).to_have_text(str(far))
    page.screenshot(path=tmp_path / "waiting.png")

    page.get_by_test_id(f"order-modify-{order_id}").click()
    page.get_by_test_id("order-edit-limit-price").fill(str(farther))
    page.screenshot(path=tmp_path / "modify.png")
    page.get_by_test_id("order-edit-save").click()
    expect(page.get_by_test_id("order-editor")).to_have_count(0)
    expect(price).to_have_text(str(farther))
    with broker.client() as client:
        (waiting,) = client.get("/orders", params={"status": "working"}).json()["orders"]
    assert (waiting["id"], waiting["time_in_force"]) == (order_id, "day")
    assert Decimal(waiting["limit_price"]) == farther
    page.reload()
    page.get_by_test_id("tab-orders").click()
    expect(price).to_have_text(str(farther))

    page.get_by_test_id(f"order-cancel-{order_id}").click()
    expect(page.get_by_test_id("orders-empty")).to_be_visible()
    with broker.client() as client:
        order = client.get(f"/order/{order_id}").json()["order"]
    assert order["status"] == "cancelled"


def test_a_position_is_protected_closed_in_part_and_with_all_others(broker: Broker, page: Page, tmp_path: Path) -> None:
    log_in(page, broker)
    page.get_by_test_id("watch-row-EURUSD").click()
    bid = amount(page, "watch-bid-EURUSD")
    page.get_by_test_id("ticket-quantity").fill("10000")
    row = page.locator("[data-testid^='position-row-']")
    for count, side in enumerate(("sell", "buy"), 1):
        page.get_by_test_id(f"ticket-{side}").click()
        expect(row).to_have_count(count)
    position_id = (row.first.get_attribute("data-testid") or "").removeprefix("position-row-")
    stop_loss = (bid * Decimal("0.9")).quantize(Decimal("0.00001"))
    page.get_by_test_id(f"position-edit-{position_id}").click()
    page.get_by_test_id("position-edit-stop-loss").fill(str(bid * 2))
    page.get_by_test_id("position-edit-save").click()
    expect(page.get_by_test_id("position-edit-message")).to_contain_text("stop_loss")
    page.get_by_test_id("position-edit-stop-loss").fill(str(stop_loss))
    page.get_by_test_id("position-edit-trailing-stop").fill("0.1")
    page.screenshot(path=tmp_path / "protect.png")
    page.get_by_test_id("position-edit-save").click()
    expect(page.get_by_test_id(f"position-stop-loss-{position_id}")).to_contain_text(str(stop_loss))
    expect(page.get_by_test_id(f"position-stop-loss-{position_id}")).to_contain_text("trails 0.10000")

    page.get_by_test_id(f"position-edit-{position_id}").click()
    page.get_by_test_id("position-part-quantity").fill("4000")
    page.get_by_test_id("position-part-close").click()
    expect(page.get_by_test_id(f"position-row-{position_id}")).to_contain_text("6,000")
    page.screenshot(path=tmp_path / "positions.png")

    page.get_by_test_id("close-all").click()
    expect(page.get_by_test_id("close-all")).to_have_text("Really close all?")
    page.get_by_test_id("close-all").click()
    expect(row).to_have_count(0)


def test_refusals_are_sentences(broker: Broker, page: Page) -> None:
    page.goto(broker.url)
    page.get_by_test_id("login-username").fill("trader")
    page.get_by_test_id("login-password").fill("wrong")
    page.get_by_test_id("login-submit").click()
    expect(page.get_by_test_id("login-error")).to_be_visible()

    log_in(page, broker)
    page.get_by_test_id("watch-row-EURUSD").click()
    page.get_by_test_id("ticket-quantity").fill("9999999")
    page.get_by_test_id("ticket-buy").click()
    expect(page.get_by_test_id("ticket-message")).to_contain_text(re.compile("margin", re.IGNORECASE))
    expect(page.locator("[data-testid^='position-row-']")).to_have_count(0)


NOTE_OFF = """button => {
    window.timesOff = 0;
    new MutationObserver(() => { timesOff += button.disabled }).observe(button, {attributeFilter: ["disabled"]});
}"""


def test_a_press_counts_though_the_price_moves_meanwhile(broker: Broker, page: Page) -> None:
    """Only one that meets a button that is off does not: where prices stay away for a while, it is made again."""
    log_in(page, broker)
    page.get_by_test_id("watch-row-EURUSD").click()
    page.get_by_test_id("ticket-quantity").fill("9999999")
    buy, message = page.get_by_test_id("ticket-buy"), page.get_by_test_id("ticket-message")
    price = buy.locator(".deal-price")
    buy.evaluate(NOTE_OFF)
    while True:
        expect(buy).to_be_enabled()
        page.evaluate("timesOff = 0")
        price.hover()
        page.mouse.down()
        before = price.get_attribute("data-value") or ""
        expect(price).to_have_attribute("data-value", re.compile(rf"^(?!{re.escape(before)}$)\d"))
        page.mouse.up()
        try:
            return expect(message).to_have_text(re.compile(r"\w"))
        except AssertionError:
            if not page.evaluate("timesOff"):
                raise


def test_an_administrator_sees_prices_and_no_ticket(broker: Broker, page: Page) -> None:
    log_in(page, broker, "admin")
    expect(page.get_by_test_id("chart")).to_be_visible()
    expect(page.get_by_test_id("ticket-buy")).to_have_count(0)


def test_a_margin_call_is_shown_until_it_is_over(broker: Broker, page: Page) -> None:
    """The broker raises the level of the call to 10,000 %; the account has 100,000 to some 1,800 of margin."""
    log_in(page, broker)
    page.get_by_test_id("watch-row-EURUSD").click()
    page.get_by_test_id("ticket-quantity").fill("50000")
    page.get_by_test_id("ticket-buy").click()
    expect(page.locator("[data-testid^='position-row-']")).to_have_count(1)
    alert = page.get_by_test_id("margin-alert")
    expect(alert).to_have_text("")
    with broker.client("admin") as admin:
        for call, words, notice in (("100", "Margin call", "Deposit money"), ("1", "", "suffices again")):
            change = {"terms": {"levels": {"call": call}}, "reason": "drill"}
            assert admin.patch("/admin/groups/standard", json=change).status_code == 200
            expect(alert).to_have_text(words)
            eventually(lambda notice=notice: any(notice in shown for shown in page.evaluate("[...notices]")))  # type: ignore[misc]
