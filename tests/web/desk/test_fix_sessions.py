"""/admin/fix/sessions: seen, held down, connected and repaired by the staff, each act in the audit log."""

from typing import Any

import httpx
import pytest

from actors.bus.users import RecordAct, RecordOutcome
from tests.web.broker import ADMIN, DEALER, TRADER
from tests.web.world import World

pytestmark = pytest.mark.anyio

DEMO = {
    "id": "DEMO",
    "purpose": "client",
    "role": "acceptor",
    "state": "down",
    "next_out": 7,
    "next_in": 5,
    "began": "1970-01-01T00:00:01Z",
    "logged_on": "1970-01-01T00:00:02Z",
    "peer": None,
    "survey": None,
}


async def ask(world: World, method: str, path: str = "", body: Any = None, who: str = ADMIN) -> httpx.Response:
    return await world.http.request(method, f"/admin/fix/sessions{path}", headers=world.bearer(who), json=body)


def audited(world: World) -> list[tuple[str, ...]]:
    return [
        (act.action, act.subject, act.reason) if isinstance(act, RecordAct) else (act.outcome,)
        for act in world.broker.acts
        if isinstance(act, RecordAct | RecordOutcome)
    ]


async def test_sessions_and_who_does_not_answer_for_theirs(world: World) -> None:
    listed = await ask(world, "GET", who=DEALER)
    assert (listed.status_code, listed.json()) == (200, {"sessions": [DEMO], "silent": []})
    world.broker.mute.add("fix-lp")
    assert (await ask(world, "GET")).json() == {"sessions": [DEMO], "silent": ["fix-lp"]}
    assert (await ask(world, "GET", who=TRADER)).status_code == 403


async def test_a_session_is_held_down_and_let_go(world: World) -> None:
    held = await ask(world, "POST", "/DEMO/disconnect")
    assert (held.status_code, held.json()) == (200, {**DEMO, "state": "held"})
    assert (await ask(world, "POST", "/DEMO/connect")).json() == DEMO
    assert audited(world) == [
        ("DisconnectFixSession", "fix session DEMO", ""),
        ("done",),
        ("ConnectFixSession", "fix session DEMO", ""),
        ("done",),
    ]


async def test_numbers_are_set_and_the_reason_is_kept(world: World) -> None:
    set_one = await ask(world, "PUT", "/DEMO/sequence", {"next_in": 9, "reason": "as agreed"})
    assert (set_one.status_code, set_one.json()) == (200, {**DEMO, "next_in": 9})
    assert world.broker.fix.sessions["DEMO"].sequences[:2] == (7, 9)
    assert audited(world) == [("SetFixSequence", "fix session DEMO", "as agreed"), ("done",)]


@pytest.mark.parametrize(
    "body", [{"next_in": 0, "reason": "x"}, {"next_out": 3}, {"next_out": 10**9, "reason": "x"}, {"reason": ""}]
)
async def test_numbers_that_cannot_be_are_refused(world: World, body: dict[str, Any]) -> None:
    refused = await ask(world, "PUT", "/DEMO/sequence", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "INVALID_FIELD")
    assert audited(world) == []


async def test_a_session_that_only_a_silent_process_may_know(world: World) -> None:
    refused = await ask(world, "POST", "/NOBODY/connect")
    assert (refused.status_code, refused.json()["code"]) == (404, "UNKNOWN_FIX_SESSION")
    world.broker.mute.add("fix-lp")
    refused = await ask(world, "POST", "/NOBODY/connect")
    assert (refused.status_code, refused.json()["code"]) == (503, "UNAVAILABLE")
    assert audited(world) == []
