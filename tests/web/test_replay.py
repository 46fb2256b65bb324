"""Requests that come twice, at once, out of order or in halves, on real sockets: nothing is booked twice."""

import asyncio
import json

import httpx
import pytest

from actors.domain.commands import SubmitOrder
from tests.web.broker import eventually
from tests.web.world import PATIENCE_S, World

pytestmark = pytest.mark.anyio

ORDER = {"symbol": "EURUSD", "side": "buy", "type": "market", "quantity": "10000"}


async def keyed(world: World, key: str, path: str = "/order", **body: str) -> httpx.Response:
    headers = {**world.bearer(), "Idempotency-Key": key}
    return await world.http.post(path, headers=headers, json=body or ORDER)


async def held(world: World) -> list[str]:
    return [each["quantity"] for each in (await world.get("/positions")).json()["positions"]]


def raw(world: World, body: str, key: str) -> bytes:
    return (
        f"POST /order HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {world.token()}\r\n"
        f'Idempotency-Key: "{key}"\r\nContent-Length: {len(body)}\r\n\r\n{body}'
    ).encode()


async def test_a_key_is_the_order_s_identity(world: World) -> None:
    first = await keyed(world, '"retry-1"')
    again = await keyed(world, '"retry-1"')
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["order"]["client_order_id"] == "retry-1"
    same = await world.order(client_order_id="retry-1")
    assert same.json() == first.json()
    assert await held(world) == ["10000"]


async def test_a_key_with_another_body_is_422_and_books_nothing(world: World) -> None:
    await keyed(world, '"retry-1"')
    for path, body in (("/order", {**ORDER, "quantity": "1"}), ("/position/1/close", {"quantity": "1"})):
        other = await keyed(world, '"retry-1"', path, **body)
        assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert await held(world) == ["10000"]


async def test_a_key_that_is_none_or_contradicts_the_body_is_refused(world: World) -> None:
    for key in ('""', '"a b"', '"a", "b"', "x" * 65, "'a'"):
        response = await keyed(world, key)
        assert (key, response.status_code, response.json()["code"]) == (key, 400, "BAD_IDEMPOTENCY_KEY")
    both = await keyed(world, '"a"', **ORDER, client_order_id="b")
    assert (both.status_code, both.json()["field"]) == (422, "client_order_id")
    assert await held(world) == []


async def test_fifty_copies_at_once_book_once(world: World) -> None:
    answers = await asyncio.gather(*(keyed(world, '"burst"') for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert await held(world) == ["10000"]


async def test_copies_of_each_way_to_close_change_nothing_more(world: World) -> None:
    for side in ("buy", "sell", "buy"):
        await world.order(side=side)
    for path, body in (
        ("/position/1/close", {"quantity": "4000"}),
        ("/position/1/close-by", {"other_position_id": "2"}),
        ("/position/3/reverse", {}),
        ("/positions/close", {"which": "all"}),
    ):
        key = f'"{path.replace("/", "-")}"'
        first = await world.http.post(path, headers={**world.bearer(), "Idempotency-Key": key}, json=body)
        before = (await world.get("/account/transactions")).json()
        again = await world.http.post(path, headers={**world.bearer(), "Idempotency-Key": key}, json=body)
        assert (path, first.status_code, again.json()) == (path, 200, first.json())
        assert (await world.get("/account/transactions")).json() == before
    assert await held(world) == []


async def test_a_close_that_overtakes_its_order_books_nothing_and_the_order_once(world: World) -> None:
    early = await keyed(world, '"close-1"', "/position/1/close", quantity="10000")
    assert early.json()["code"] == "UNKNOWN_POSITION"
    for _ in range(2):
        await keyed(world, '"open-1"')
    assert await held(world) == ["10000"]


async def test_an_order_of_which_the_half_has_come_is_none(world: World) -> None:
    whole = raw(world, json.dumps(ORDER), "half")
    for size in (len(whole) // 2, len(whole) - 1):
        _, writer = await asyncio.open_connection("127.0.0.1", world.port)
        writer.write(whole[:size])
        await writer.drain()
        writer.close()
    await eventually(lambda: not world.web.backend.requests)
    assert not [asked for asked in world.broker.asked if isinstance(asked, SubmitOrder)]
    assert (await keyed(world, '"half"')).status_code == 201


async def test_a_client_that_leaves_before_the_answer_finds_its_order_by_the_same_key(world: World) -> None:
    world.broker.delay_s = 0.2
    _, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(raw(world, json.dumps(ORDER), "gone"))
    await eventually(lambda: [asked for asked in world.broker.asked if isinstance(asked, SubmitOrder)])
    writer.close()
    world.broker.delay_s = 0.0
    again = await keyed(world, '"gone"')
    assert (again.status_code, again.json()["order"]["status"]) == (200, "filled")
    assert await held(world) == ["10000"]


async def test_orders_in_one_write_are_dealt_in_their_order_and_once(world: World) -> None:
    """Pipelined (RFC 9112, 9.3.2), the second a copy of the first."""
    body = json.dumps(ORDER)
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(raw(world, body, "p-1") + raw(world, body, "p-1") + raw(world, body, "p-2"))
    statuses: list[int] = []
    while len(statuses) < 3:
        async with asyncio.timeout(PATIENCE_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        statuses.append(int(head.split()[1]))
        length = next(line for line in head.split("\r\n") if line.lower().startswith("content-length"))
        await reader.readexactly(int(length.split(":")[1]))
    writer.close()
    assert statuses == [201, 200, 201]
    assert await held(world) == ["10000", "10000"]
