"""The page, in a real Chromium, against the whole real broker: what a trader does with it."""

import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.system.running import ROOT, Broker

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
PATIENCE_MS = 30_000

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
    assert amount(page, "account-margin") > 0
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


def test_an_administrator_sees_prices_and_no_ticket(broker: Broker, page: Page) -> None:
    log_in(page, broker, "admin")
    expect(page.get_by_test_id("chart")).to_be_visible()
    expect(page.get_by_test_id("ticket-buy")).to_have_count(0)
