"""What the staff do below /admin, each act in the audit log. root and dora (a dealer) are those of the fake broker."""

from typing import Any

import httpx
import pytest

from actors.bus.users import RecordAct, RecordOutcome, User
from actors.domain.commands import ClosePosition, DefineRules, OpenAccount, ReportHolding
from actors.domain.group import Markup
from actors.domain.routing.rulebook import Book, Rule
from tests.web.broker import ADMIN, DEALER, TRADER, eventually, password_hash
from tests.web.world import World

pytestmark = pytest.mark.anyio

SECOND_ADMIN = "olga"


async def ask(
    world: World, method: str, path: str, body: Any = None, who: str = ADMIN, **headers: str
) -> httpx.Response:
    world.broker.users.setdefault(SECOND_ADMIN, User(9, SECOND_ADMIN, password_hash(), "admin", 0))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await world.http.request(method, f"/admin{path}", json=body, headers=world.bearer(who) | named)


def acts(world: World) -> list[tuple[str, str, str, str]]:
    """Action, subject, reason and outcome of each."""
    told, outcomes = world.broker.acts, {}
    for one in told:
        if isinstance(one, RecordOutcome):
            outcomes[one.act_seq] = one.outcome
    return [
        (one.action, one.subject, one.reason, outcomes.get(number, ""))
        for number, one in enumerate(told, 1)
        if isinstance(one, RecordAct)
    ]


async def test_money_goes_at_once_up_to_the_limit_and_once(world: World) -> None:
    body = {"kind": "deposit", "amount": "1000.00", "reason": "wire 17"}
    moved = await ask(world, "POST", "/accounts/1/money", body, Idempotency_Key='"wire-17"')
    again = await ask(world, "POST", "/accounts/1/money", body, Idempotency_Key="wire-17")
    request = moved.json()["request"]
    assert (moved.status_code, request["status"], request["amount"], request["currency"]) == (
        201,
        "moved",
        "1000.00",
        "USD",
    )
    assert moved.headers["Location"] == f"/admin/money-requests/{request['id']}"
    assert again.json() == moved.json()
    other = await ask(world, "POST", "/accounts/1/money", {**body, "amount": "1.00"}, Idempotency_Key="wire-17")
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert (await world.get("/account")).json()["balance"] == "101000.00"
    assert acts(world) == [
        ("RequestMoney", "account 1", "wire 17", "done"),
        ("RequestMoney", "account 1", "wire 17", "done"),
        ("RequestMoney", "account 1", "wire 17", "IDEMPOTENCY_KEY_REUSED"),
    ]


async def test_above_the_limit_another_person_approves(world: World) -> None:
    body = {"kind": "withdrawal", "amount": "1000.01", "reason": "payout"}
    asked = await ask(world, "POST", "/accounts/1/money", body, Idempotency_Key="p-1")
    request = asked.json()["request"]
    assert (asked.status_code, request["status"], request["asked_by"]) == (202, "pending", ADMIN)
    assert (await world.get("/account")).json()["balance"] == "100000.00"
    listed = (await ask(world, "GET", "/money-requests?status=pending", who=DEALER)).json()
    assert listed == {"requests": [request], "next": None}
    path = f"/money-requests/{request['id']}/decision"
    same = await ask(world, "POST", path, {"approve": True, "reason": "mine"})
    assert (same.status_code, same.json()["code"]) == (403, "SAME_PERSON")
    assert (await ask(world, "POST", path, {"approve": True, "reason": "x"}, who=DEALER)).status_code == 403
    done = await ask(world, "POST", path, {"approve": True, "reason": "seen"}, who=SECOND_ADMIN)
    assert (done.status_code, done.json()["request"]["status"], done.json()["request"]["decided_by"]) == (
        200,
        "moved",
        SECOND_ADMIN,
    )
    assert (await world.get("/account")).json()["balance"] == "98999.99"
    late = await ask(world, "POST", path, {"approve": False, "reason": "no"}, who=SECOND_ADMIN)
    assert (late.status_code, late.json()["code"]) == (409, "REQUEST_DECIDED")
    assert (await ask(world, "GET", f"/money-requests/{request['id']}")).json() == done.json()
    assert (await ask(world, "GET", "/money-requests/999")).json()["code"] == "UNKNOWN_REQUEST"


@pytest.mark.parametrize(
    ("body", "key", "status", "code", "field"),
    [
        ({"kind": "deposit", "amount": "1", "reason": "x"}, "", 400, "BAD_IDEMPOTENCY_KEY", "Idempotency-Key"),
        ({"kind": "deposit", "amount": "1.001", "reason": "x"}, "k", 422, "INVALID_FIELD", "amount"),
        ({"kind": "deposit", "amount": "-1", "reason": "x"}, "k", 422, "BAD_AMOUNT", "amount"),
        ({"kind": "deposit", "amount": "9" * 20, "reason": "x"}, "k", 422, "INVALID_FIELD", "amount"),
        ({"kind": "deposit", "amount": "1"}, "k", 422, "INVALID_FIELD", "reason"),
        ({"kind": "gift", "amount": "1", "reason": "x"}, "k", 422, "INVALID_FIELD", "kind"),
        ({"kind": "withdrawal", "amount": "100000.01", "reason": "x"}, "k", 422, "NOT_WITHDRAWABLE", "amount"),
    ],
)
async def test_money_that_is_not_asked_for_well(
    world: World, body: Any, key: str, status: int, code: str, field: str
) -> None:
    refused = await ask(world, "POST", "/accounts/1/money", body, Idempotency_Key=key)
    said = refused.json()
    assert (refused.status_code, said["code"], said["field"]) == (status, code, field)


async def test_without_the_audit_log_nothing_is_done(world: World) -> None:
    world.broker.mute.add("persistence")
    body = {"kind": "deposit", "amount": "1.00", "reason": "x"}
    refused = await ask(world, "POST", "/accounts/1/money", body, Idempotency_Key="k")
    assert (refused.status_code, refused.json()["code"]) == (503, "UNAVAILABLE")
    assert "k" not in world.broker.state.moved


async def test_accounts_are_opened_listed_and_limited(world: World) -> None:
    new = {"account_id": "7", "currency": "EUR", "mode": "netting", "reason": "new client"}
    made = await ask(world, "POST", "/accounts", new)
    assert (made.status_code, made.json()["account"]["mode"]) == (201, "netting")
    assert (await ask(world, "POST", "/accounts", new)).json()["code"] == "DUPLICATE_ACCOUNT"
    first = (await ask(world, "GET", "/accounts?limit=2", who=DEALER)).json()
    assert ([row["account_id"] for row in first["accounts"]], first["next"]) == (["1", "2"], "2")
    rest = (await ask(world, "GET", "/accounts?limit=2&after=2")).json()
    assert ([row["account_id"] for row in rest["accounts"]], rest["next"]) == (["7"], None)
    terms = {"positions": 7, "exposure": {"currency": "USD", "symbol": "5000.00"}}
    changed = await ask(world, "PATCH", "/accounts/7/limits", {"terms": terms, "reason": "asked for"}, who=DEALER)
    assert changed.status_code == 200
    assert changed.json()["terms"]["exposure"] == {"currency": "USD", "symbol": "5000.00", "total": "0.00"}
    shown = (await ask(world, "GET", "/accounts/7")).json()
    assert (shown["account"]["limits"]["positions"], shown["summary"]["balance"]) == (7, "0.00")
    assert (await ask(world, "GET", "/accounts/8")).json()["code"] == "UNKNOWN_ACCOUNT"


async def test_orders_and_positions_of_any_account(world: World) -> None:
    await world.order(stop_loss="1.05")
    await world.order(type="limit", limit_price="1.05")
    positions = (await ask(world, "GET", "/accounts/1/positions", who=DEALER)).json()["positions"]
    (order,) = (await ask(world, "GET", "/accounts/1/orders", who=DEALER)).json()["orders"]
    path = f"/accounts/1/orders/{order['id']}"
    assert (await ask(world, "DELETE", path, who=DEALER)).json()["field"] == "reason"
    assert (await ask(world, "DELETE", f"{path}?reason=stale", who=DEALER)).status_code == 204
    assert await world.waiting() == []
    path = f"/accounts/1/positions/{positions[0]['id']}/close"
    body = {"quantity": "4000", "reason": "asked by phone"}
    closed = await ask(world, "POST", path, body, DEALER, Idempotency_Key="c-1")
    again = await ask(world, "POST", path, body, DEALER, Idempotency_Key="c-1")
    assert (closed.status_code, closed.json()) == (200, again.json())
    assert (await world.get("/positions")).json()["positions"][0]["quantity"] == "6000"
    assert acts(world)[0] == ("CancelOrder", "account 1", "stale", "done")


async def test_an_instrument_is_changed_against_its_version_and_the_old_one_can_be_read(world: World) -> None:
    shown = await ask(world, "GET", "/instruments/EURUSD", who=DEALER)
    body = {"terms": {"state": "close_only", "margin_rate": "0.05"}, "reason": "election"}
    tag = shown.headers["ETag"]
    changed = await ask(world, "PATCH", "/instruments/EURUSD", body, DEALER, If_Match=tag)
    assert (changed.status_code, changed.json()["terms"]["state"]) == (200, "close_only")
    assert (await world.order()).json()["code"] == "CLOSE_ONLY"
    stale = await ask(world, "PATCH", "/instruments/EURUSD", {**body, "terms": {}}, DEALER, If_Match=tag)
    back = {"terms": {"state": "open"}, "reason": "over"}
    stale = await ask(world, "PATCH", "/instruments/EURUSD", back, DEALER, If_Match=tag)
    assert (stale.status_code, stale.json()["code"]) == (412, "VERSION_MISMATCH")
    (change,) = (await ask(world, "GET", "/changes?subject=instrument%20EURUSD", who=DEALER)).json()["changes"]
    assert (change["actor"], change["reason"], f'"{change["previous"]}"') == (DEALER, "election", tag)
    for version, margin in ((change["previous"], "0.0333"), (change["version"], "0.05")):
        old = (await ask(world, "GET", f"/versions/{version}", who=DEALER)).json()
        assert (old["terms"]["kind"], old["terms"]["instrument"]["margin_rate"]) == ("InstrumentDefined", margin)
    assert (await ask(world, "GET", "/versions/999999")).json()["code"] == "UNKNOWN_VERSION"
    wrong = await ask(world, "PATCH", "/instruments/EURUSD", {"terms": {"margin_rate": 1}, "reason": "x"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "terms.margin_rate")
    assert (await ask(world, "GET", "/instruments/NOSUCH")).status_code == 404


async def test_groups_and_holidays(world: World) -> None:
    new = {"terms": {"name": "pros", "leverage": 30, "markup": {"bid": "0.0001", "ask": "0.0001"}}, "reason": "new"}
    assert (await ask(world, "POST", "/groups", new, DEALER)).status_code == 201
    assert (await ask(world, "POST", "/groups", new, DEALER)).json()["code"] == "DUPLICATE_GROUP"
    spread = {"spread_min": "0.0002", "spread_max": "0.0005", "skew": "-0.0001"}
    terms = {"markup": {"bid": "0", **spread}, "markups": {"USDJPY": {"spread_max": "0.03"}}}
    changed = await ask(world, "PATCH", "/groups/pros", {"terms": terms, "reason": "tighter"}, DEALER)
    assert changed.json()["terms"]["markup"] == {"bid": "0", "ask": "0.0001", **spread}
    assert world.broker.state.groups["pros"].markups == {"USDJPY": Markup(spread_max_e8=3_000_000)}
    crossed = {"terms": {"markup": {"spread_max": "0.0001"}}, "reason": "less than the least"}
    refused = await ask(world, "PATCH", "/groups/pros", crossed, DEALER)
    assert (refused.status_code, refused.json()["code"]) == (422, "BAD_TERMS")
    names = [it["terms"]["name"] for it in (await ask(world, "GET", "/groups", who=DEALER)).json()["groups"]]
    assert names == ["standard", "pros"]
    days = {"days": ["2026-12-25", "2026-07-04"], "reason": "calendar"}
    assert (await ask(world, "PUT", "/holidays/USD", days, DEALER)).json()["days"] == ["2026-07-04", "2026-12-25"]
    wrong = await ask(world, "PUT", "/holidays/USD", {"days": ["2026-02-30"], "reason": "x"}, DEALER)
    assert (wrong.status_code, wrong.json()["field"]) == (422, "days")


async def test_a_preview_says_to_which_venues_nothing_is_sent(world: World) -> None:
    venues = ("ACME", "OANDA", "GONE")
    world.broker.tell(DefineRules((Rule(rule_id=1, name="all", book=Book.A_BOOK, venues=venues),), venues))
    lp = {"name": "ACME", "adapter": "acme", "symbols": {"EURUSD": "EUR/USD"}}

    async def passed_over() -> dict[str, str]:
        order = {"account_id": "1", "symbol": "EURUSD", "side": "buy", "quantity": "1000"}
        found = (await ask(world, "POST", "/routing/preview", order, DEALER)).json()["passed_over"]
        return {it["venue"]: it["why"] for it in found}

    assert (await ask(world, "POST", "/lps", lp, ADMIN)).status_code == 201
    assert await passed_over() == {"GONE": "not in the LP registry"}
    assert (await ask(world, "PATCH", "/lps/ACME", {"enabled": False}, ADMIN)).status_code == 200
    assert await passed_over() == {"ACME": "disabled", "GONE": "not in the LP registry"}
    assert (await ask(world, "PATCH", "/lps/ACME", {"enabled": True, "symbols": {"EURUSD": None}}, ADMIN)).is_success
    assert await passed_over() == {"ACME": "no name for EURUSD", "GONE": "not in the LP registry"}


async def test_routing_rules_and_a_preview_of_them(world: World) -> None:
    world.broker.tell(DefineRules((Rule(rule_id=1, name="default", book=Book.B_BOOK),), ("LMAX",)))
    rule = {"name": "large", "book": "a_book", "venues": ["LMAX"], "quantity_min": "50000"}
    order = {"account_id": "1", "symbol": "EURUSD", "side": "buy", "quantity": "60000"}
    draft = [{"rule_id": "2", **rule}, {"rule_id": "1", "name": "default", "book": "b_book"}]
    dry = (await ask(world, "POST", "/routing/preview", {**order, "rules": draft}, DEALER)).json()
    assert (dry["rule"]["name"], dry["routing"]["venues"]) == ("large", ["LMAX"])
    assert dry["passed_over"] == [{"venue": "LMAX", "why": "not in the LP registry"}]
    assert world.broker.state.books.rules.version == 1
    made = await ask(world, "POST", "/routing", {"rule": rule, "reason": "large ones out"}, DEALER)
    assert (made.status_code, [it["name"] for it in made.json()["rules"]]) == (201, ["large", "default"])
    small = (await ask(world, "POST", "/routing/preview", {**order, "quantity": "1000"}, DEALER)).json()
    assert (small["rule"]["name"], small["considered"][0]["why_not"]) == ("default", "quantity 1000 < 50000")
    assert small["passed_over"] == []
    wrong = await ask(world, "PUT", "/routing/order", {"rule_ids": ["1", "2"], "reason": "x"}, DEALER)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "BAD_TERMS")
    wrong = await ask(world, "PUT", "/routing/order", {"rule_ids": ["1"], "reason": "x"}, DEALER)
    assert wrong.json()["field"] == "rule_ids"
    changed = await ask(world, "PATCH", "/routing/2", {"terms": {"quantity_min": "70000"}, "reason": "y"}, DEALER)
    assert changed.json()["rules"][0]["quantity_min"] == "70000"
    assert (await ask(world, "DELETE", "/routing/2?reason=enough", who=DEALER)).json()["version"] == 4
    assert (await ask(world, "DELETE", "/routing/2?reason=enough", who=DEALER)).json()["code"] == "UNKNOWN_RULE"
    assert [act[2] for act in acts(world)] == ["large ones out", "x", "y", "enough"]


async def test_trading_is_halted_and_resumed(world: World) -> None:
    for scope, name in (("all", ""), ("group", "standard"), ("symbol", "EURUSD")):
        body = {"scope": scope, "name": name, "reason": "news"}
        halted = await ask(world, "POST", "/halts", body, DEALER)
        (halt,) = halted.json()["halts"]
        assert (halt["scope"], halt["name"], halt["actor"], halt["reason"]) == (scope, name, DEALER, "news")
        assert (await world.order()).json()["code"] == "HALTED"
        assert (await ask(world, "POST", "/halts/resume", body, DEALER)).json() == {"halts": []}
        assert (await world.order()).status_code == 201
    refused = await ask(world, "POST", "/halts", {"scope": "symbol", "name": "NOSUCH", "reason": "x"}, DEALER)
    assert (refused.status_code, refused.json()["code"]) == (422, "UNKNOWN_SYMBOL")


async def test_exposure_hedges_and_breaks(world: World) -> None:
    world.broker.tell(DefineRules((Rule(rule_id=1, name="default", book=Book.B_BOOK),), ("LMAX",)))
    await world.order()
    terms = {"limit": "500000", "step": "1000", "minimum": "10000", "venues": ["LMAX"]}
    hedge = await ask(world, "PUT", "/hedges/EURUSD", {"terms": terms, "reason": "limit"}, DEALER)
    assert (hedge.status_code, hedge.json()["terms"]) == (200, {"symbol": "EURUSD", **terms})
    body = {"side": "buy", "quantity": "10000", "venues": ["LMAX"], "reason": "now"}
    for _ in range(2):
        sent = await ask(world, "POST", "/hedges/EURUSD/orders", body, DEALER, Idempotency_Key="h-1")
        assert sent.status_code == 202
    shown = (await ask(world, "GET", "/exposure", who=DEALER)).json()
    (desk,) = shown["desks"]
    assert (desk["symbol"], desk["exposure"], desk["hedging"], desk["open"]) == ("EURUSD", "10000", "10000", "10000")
    assert len(shown["children"]) == 1
    world.broker.tell(ReportHolding("LMAX", "USDJPY", 500_000_000))
    (found,) = (await ask(world, "GET", "/breaks", who=DEALER)).json()["breaks"]
    assert (found["child_id"], found["reason"]) == ("LMAX:USDJPY", "holding")
    child_id = shown["children"][0]["child"]["child_id"]
    settled = {"child_id": child_id, "filled": "0", "reason": "the venue says no"}
    assert (await ask(world, "POST", "/breaks/settle", settled, DEALER)).status_code == 204
    shown = (await ask(world, "GET", "/exposure", who=DEALER)).json()
    assert (shown["desks"][0]["hedging"], shown["children"]) == ("0", [])
    again = await ask(world, "POST", "/breaks/settle", settled, DEALER)
    assert (again.status_code, again.json()["code"]) == (422, "BAD_TERMS")
    dismissed = {"child_id": "LMAX:USDJPY", "reason": "moved by hand"}
    assert (await ask(world, "POST", "/breaks/dismiss", dismissed, DEALER)).status_code == 204
    again = await ask(world, "POST", "/breaks/dismiss", dismissed, DEALER)
    assert (again.status_code, again.json()["code"]) == (404, "UNKNOWN_BREAK")


async def test_it_is_for_the_staff(world: World) -> None:
    assert (await ask(world, "GET", "/accounts", who=TRADER)).status_code == 403
    body = {"kind": "deposit", "amount": "1.00", "reason": "x"}
    for who in (TRADER, DEALER):
        refused = await ask(world, "POST", "/accounts/1/money", body, who, Idempotency_Key="k")
        assert refused.status_code == 403
    assert acts(world) == []


AUDUSD = {
    "symbol": "AUDUSD",
    "base": "AUD",
    "quote": "USD",
    "description": "Australian dollar",
    "price_digits": 5,
    "quantity_min": "1",
    "quantity_max": "1000000",
    "quantity_step": "1",
    "margin_rate": "0.05",
    "price_min": "0.2",
    "price_max": "2",
}


async def test_an_instrument_is_added_and_retired(world: World) -> None:
    body = {"terms": AUDUSD, "reason": "clients ask for it"}
    added = await ask(world, "POST", "/instruments", body)
    assert (added.status_code, added.headers["Location"]) == (201, "/admin/instruments/AUDUSD")
    assert added.json()["terms"] | AUDUSD == added.json()["terms"]
    assert (await ask(world, "POST", "/instruments", body)).json()["code"] == "DUPLICATE_INSTRUMENT"
    await eventually(lambda: "AUDUSD" in world.web.prices.instruments)
    assert [it["symbol"] for it in (await world.get("/symbols")).json()["symbols"]] == ["EURUSD", "USDJPY", "AUDUSD"]
    gone = {"terms": {"state": "retired"}, "reason": "nobody does"}
    retired = await ask(world, "PATCH", "/instruments/AUDUSD", gone)
    assert (retired.status_code, retired.json()["terms"]["state"]) == (200, "retired")
    await eventually(lambda: not world.web.prices.instruments["AUDUSD"].is_listed)
    assert [it["symbol"] for it in (await world.get("/symbols")).json()["symbols"]] == ["EURUSD", "USDJPY"]
    assert (await world.order()).status_code == 201
    used = await ask(world, "PATCH", "/instruments/EURUSD", gone)
    assert (used.status_code, used.json()["code"], used.json()["field"]) == (409, "INSTRUMENT_IN_USE", "state")


async def test_an_account_moves_to_another_group(world: World) -> None:
    terms = {"name": "pros", "leverage": 10, "markup": {"bid": "0.0001", "ask": "0.0001"}}
    await ask(world, "POST", "/groups", {"terms": terms, "reason": "new"})
    assert (await world.order()).status_code == 201
    async with world.socket() as socket:
        await socket.ask(id=2, op="subscribe", channel="quotes", symbols=["EURUSD"])
        body = {"group": "pros", "reason": "asked for"}
        moved = await ask(world, "PUT", "/accounts/1/group", body, If_Match='"3"')
        assert moved.json()["code"] == "VERSION_MISMATCH"
        moved = await ask(world, "PUT", "/accounts/1/group", body)
        assert (moved.status_code, moved.json()["account"]["group"]) == (200, "pros")
        assert moved.headers["ETag"] == f'"{moved.json()["account"]["group_version"]}"'
        await socket.connection.wait_closed()
        assert socket.connection.close_code == 4410
    assert (await world.get("/account")).json()["margin"] == "1100.10"
    assert acts(world)[-1] == ("AssignGroup", "account 1", "asked for", "done")
    unknown = await ask(world, "PUT", "/accounts/1/group", {"group": "none", "reason": "x"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "UNKNOWN_GROUP")


async def test_a_hedge_is_taken_away(world: World) -> None:
    world.broker.tell(DefineRules((Rule(rule_id=1, name="all", book=Book.B_BOOK),), ("LMAX",)))
    hedge = {"limit": "1000", "step": "1000", "minimum": "1000", "venues": ["LMAX"]}
    put = await ask(world, "PUT", "/hedges/EURUSD", {"terms": hedge, "reason": "limit"})
    assert put.status_code == 200
    assert (await ask(world, "DELETE", "/hedges/EURUSD?reason=by%20hand")).status_code == 204
    assert (await ask(world, "GET", "/hedges")).json() == {"hedges": []}
    again = await ask(world, "DELETE", "/hedges/EURUSD?reason=by%20hand")
    assert (again.status_code, again.json()["code"]) == (404, "UNKNOWN_HEDGE")


async def test_versions_are_compared_and_restored(world: World) -> None:
    first = (await ask(world, "GET", "/instruments/EURUSD")).json()
    patch = {"terms": {"margin_rate": "0.05", "swap": {"basis": "points", "long": "-1"}}, "reason": "election"}
    second = (await ask(world, "PATCH", "/instruments/EURUSD", patch)).json()
    compared = (await ask(world, "GET", f"/versions/{second['version']}/diff")).json()
    assert compared == {
        "subject": "instrument EURUSD",
        "version": second["version"],
        "against": first["version"],
        "differences": [
            {"path": "/instrument/margin_rate", "before": "0.0333", "after": "0.05"},
            {"path": "/instrument/swap/basis", "before": "free", "after": "points"},
            {"path": "/instrument/swap/long", "before": "0", "after": "-1"},
        ],
    }
    named = await ask(world, "GET", f"/versions/{first['version']}/diff?against={second['version']}")
    assert [it["after"] for it in named.json()["differences"]] == ["0.0333", "free", "0"]
    other = (await ask(world, "PUT", "/holidays/USD", {"days": ["2026-12-25"], "reason": "x"})).headers["ETag"]
    wrong = await ask(world, "GET", f"/versions/{first['version']}/diff?against={other[1:-1]}")
    assert (wrong.status_code, wrong.json()["field"]) == (422, "against")
    back = await ask(world, "POST", f"/versions/{first['version']}/restore", {"reason": "a slip"})
    now = (await ask(world, "GET", "/instruments/EURUSD")).json()
    assert (back.status_code, back.json()) == (200, {"subject": "instrument EURUSD", "version": now["version"]})
    assert now["terms"] == first["terms"]
    await ask(world, "POST", "/halts", {"scope": "all", "reason": "fire"})
    halt = (await ask(world, "GET", "/changes?limit=1")).json()["changes"][0]["version"]
    refused = await ask(world, "POST", f"/versions/{halt}/restore", {"reason": "x"})
    assert (refused.status_code, refused.json()["code"]) == (422, "BAD_TERMS")


async def test_pages_have_a_link(world: World) -> None:
    for currency in ("USD", "EUR", "JPY"):
        await ask(world, "PUT", f"/holidays/{currency}", {"days": ["2026-12-25"], "reason": "x"})
    first = await ask(world, "GET", "/changes?limit=2")
    link = first.links["next"]["url"]
    assert link == f"/admin/changes?limit=2&before={first.json()['next']}"
    rest = (await ask(world, "GET", link.removeprefix("/admin"))).json()
    assert ([it["subject"] for it in rest["changes"]], rest["next"]) == (["holidays USD"], None)


async def test_the_longest_page_is_not_taken_for_the_last(world: World) -> None:
    for account_id in range(3, 502):
        world.broker.tell(OpenAccount(account_id, "USD"))
    first = await ask(world, "GET", "/accounts?limit=500")
    assert (len(first.json()["accounts"]), first.json()["next"]) == (500, "500")
    rest = await world.http.get(first.links["next"]["url"], headers=world.bearer(ADMIN))
    assert ([row["account_id"] for row in rest.json()["accounts"]], rest.json()["next"]) == (["501"], None)


@pytest.mark.parametrize(
    ("path", "terms", "field"),
    [
        ("/accounts/1/limits", {"positions": 2**63}, "positions"),
        ("/accounts/1/limits", {"exposure": {"currency": "USD", "symbol": "9" * 20}}, "exposure.symbol"),
        ("/groups/standard", {"leverage": -(10**30)}, "leverage"),
        ("/instruments/EURUSD", {"price_digits": 10**30}, "price_digits"),
    ],
)
async def test_a_number_that_nothing_can_hold_is_named(world: World, path: str, terms: Any, field: str) -> None:
    refused = await ask(world, "PATCH", path, {"terms": terms, "reason": "x"})
    assert (refused.status_code, refused.json()["field"]) == (422, f"terms.{field}")


async def test_closing_for_a_client_is_not_begun_late(world: World) -> None:
    await world.order()
    closed = await ask(world, "POST", "/accounts/1/positions/1/close", {"reason": "asked"}, Idempotency_Key="c-1")
    assert (closed.status_code, world.broker.deadlines_ms[ClosePosition]) == (200, 5_000)


async def test_what_is_unanswered_and_has_no_identity_is_to_be_looked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.desk.handler.TIMEOUT_MS", 500)

    def engine_falls_silent(told: Any) -> Any:
        world.broker.mute.add("engine")
        return world.broker.know(told)

    world.broker.people = engine_falls_silent
    halted = (await ask(world, "POST", "/halts", {"scope": "all", "reason": "x"})).json()
    assert (halted["code"], halted["detail"].split(".")[1]) == (
        "OUTCOME_UNKNOWN",
        " Look what became of it before you send it again",
    )
