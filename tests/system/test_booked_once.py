"""Requests that are repeated, reordered, cut off and sent at once, through two web processes, while web and engine are
killed: each is booked once or not at all, and the ledger has what was acknowledged."""

import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.conftest import Figure
from tests.system.running import PATIENCE_S, Broker, eventually, until_dealable

SEED = 20_261_122
ORDERS, DEPOSITS, HALVES = 40, 20, 10
SPREAD_S = 8.0
"""In what time the attempts begin: the kills fall in it."""
DONE = {200, 201}
REJECTED = 422
"""An engine that has just started knows no price yet: then an order's outcome is that it was not dealt, for good."""
LATER = {0, 429, 503, 504}
"""No answer, or one that says to ask again."""


class Act(NamedTuple):
    key: str
    path: str
    body: dict[str, str]
    role: str


class Answer(NamedTuple):
    status: int
    """0: none came."""
    body: dict[str, Any]


NOTHING = Answer(0, {})


@pytest.fixture(scope="module")
def broker(private_folder: Path) -> Iterator[Broker]:
    plenty = "1000000"
    settings = {f"HEDGEROW_{whose}_REQUESTS_PER_SECOND": plenty for whose in ("USER", "ADDRESS")}
    with Broker(private_folder / "once" / "var", HEDGEROW_WEB_PROCESSES="2", **settings) as broker:
        broker.wait_ready()
        yield broker


def acts(account_id: str) -> list[Act]:
    order = {"symbol": "EURUSD", "side": "buy", "type": "market", "quantity": "1000"}
    money = {"kind": "deposit", "amount": "1.00", "reason": "wire"}
    path = f"/admin/accounts/{account_id}/money"
    orders = [Act(f"order-{number}", "/order", order, "trader") for number in range(ORDERS)]
    return orders + [Act(f"wire-{number}", path, money, "admin") for number in range(DEPOSITS)]


class Clients:
    """Those who send, each time over a connection of its own, so that either web process may get it."""

    def __init__(self, broker: Broker, tokens: dict[str, str], dice: random.Random) -> None:
        self.answers: dict[str, list[Answer]] = defaultdict(list)
        self._broker = broker
        self._tokens = tokens
        self._dice = dice

    def raw(self, act: Act) -> bytes:
        body = json.dumps(act.body)
        return (
            f"POST {act.path} HTTP/1.1\r\nHost: x\r\nAuthorization: {self._tokens[act.role]}\r\n"
            f'Idempotency-Key: "{act.key}"\r\nContent-Length: {len(body)}\r\n\r\n{body}'
        ).encode()

    async def attempt(self, act: Act, how: str) -> None:
        await asyncio.sleep(self._dice.uniform(0, SPREAD_S))
        await self._send(act, how)

    async def insist(self, act: Act) -> Answer:
        """Until it is said what came of it."""
        async with asyncio.timeout(PATIENCE_S):
            while (answer := await self._send(act, "whole")).status in LATER:
                await asyncio.sleep(0.1)
        return answer

    async def _send(self, act: Act, how: str) -> Answer:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._broker.port)
        except OSError:
            return NOTHING
        try:
            return await self._exchange(act, how, reader, writer)
        except (OSError, EOFError):
            return NOTHING
        finally:
            writer.transport.abort()

    async def _exchange(self, act: Act, how: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Answer:
        raw = self.raw(act)
        if how == "half":
            raw = raw[: self._dice.randrange(1, len(raw))]
        writer.write(raw * 2 if how == "twice" else raw)
        await writer.drain()
        if how == "half":
            await asyncio.sleep(self._dice.uniform(0, 0.2))
            return NOTHING
        if how == "unread":
            return NOTHING
        if how == "cut":
            await reader.read(self._dice.randrange(1, 200))
            return NOTHING
        for _ in range(2 if how == "twice" else 1):
            answer = await _answer(reader)
            self.answers[act.key].append(answer)
        return answer


async def _answer(reader: asyncio.StreamReader) -> Answer:
    async with asyncio.timeout(PATIENCE_S):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = [line.lower() for line in head.split("\r\n")]
        length = next(line.removeprefix("content-length:") for line in lines if line.startswith("content-length:"))
        return Answer(int(head.split()[1]), json.loads(await reader.readexactly(int(length))))


async def _kill(broker: Broker) -> None:
    """The engine, then one of the two web processes, which ends the other, then the engine again."""
    for name in ("engine", "web", "engine"):
        await asyncio.sleep(SPREAD_S / 4)
        await asyncio.to_thread(broker.kill_a_child if name == "web" else broker.kill, name)
        broker.start(name)


async def _rage(broker: Broker, clients: Clients, wanted: list[Act], halves: list[Act], dice: random.Random) -> None:
    ways = ["whole", "whole", "twice", "half", "cut", "unread"]
    tries = [(act, dice.choice(ways)) for act in wanted for _ in range(dice.randrange(1, 5))]
    tries += [(act, "half") for act in halves for _ in range(3)]
    dice.shuffle(tries)
    await asyncio.gather(_kill(broker), *(clients.attempt(act, how) for act, how in tries))


def test_each_request_is_booked_once_or_not_at_all(broker: Broker, figure: Figure) -> None:
    dice = random.Random(SEED)
    with broker.client() as trader, broker.client("admin") as admin:
        tokens = {"trader": trader.headers["Authorization"], "admin": admin.headers["Authorization"]}
        before = trader.get("/account").json()
        wanted = acts(before["account_id"])
        halves = [
            act._replace(key=f"half-{number}") for number, act in enumerate(wanted[-HALVES // 2 - ORDERS :][:HALVES])
        ]
        clients = Clients(broker, tokens, dice)

        async def all_of_it() -> None:
            await _rage(broker, clients, wanted, halves, dice)
            await asyncio.to_thread(until_dealable, trader)
            for act in wanted:
                assert _is_final(await clients.insist(act))

        asyncio.run(all_of_it())
        told = sum(map(len, clients.answers.values()))
        figure("booked once: whole answers to each request that was booked", told / len(wanted))
        _check_answers(clients)
        broker.wait_ready()
        dealt = {key for key, answers in clients.answers.items() if answers[-1].status in DONE}
        _check_books(trader, before, wanted, dealt)


def _is_final(answer: Answer) -> bool:
    return answer.status in DONE or (
        answer.status == REJECTED and answer.body.get("order", {}).get("status") == "rejected"
    )


def _check_answers(clients: Clients) -> None:
    """All that were told of a request were told of the same, and one at most that an order was new."""
    for key, answers in clients.answers.items():
        final = [answer for answer in answers if _is_final(answer)]
        told = {((it.body.get("order") or it.body["request"])["id"], it.status == REJECTED) for it in final}
        assert len(told) == 1, (key, answers)
        assert not key.startswith("order") or sum(answer.status == 201 for answer in final) <= 1, (key, answers)
        assert {answer.status for answer in answers if answer not in final} <= LATER, (key, answers)


def _check_books(trader: httpx.Client, before: dict[str, Any], wanted: list[Act], dealt: set[str]) -> None:
    expected = {act.key: 1 for act in wanted if act.role == "trader"}

    def listed(name: str, path: str, at_least: int) -> list[dict[str, Any]]:
        """All of them: a process that had no part in the last ones hears of them within a second."""

        def told() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = trader.get(path, params={"limit": 500}).json()[name]
            return found if len(found) >= at_least else []

        rows: list[dict[str, Any]] = eventually(told)
        return rows

    orders = listed("orders", "/orders", len(expected))
    assert Counter(order["client_order_id"] for order in orders) == expected
    filled = [order["id"] for order in orders if order["client_order_id"] in dealt]
    assert filled
    fills = listed("trades", "/trades", len(filled))
    assert Counter(fill["order_id"] for fill in fills) == dict.fromkeys(filled, 1)
    positions = trader.get("/positions").json()["positions"]
    assert sum(Decimal(each["quantity"]) for each in positions) == len(filled) * 1_000
    entries = listed("entries", "/ledger", DEPOSITS + 1)  # The first is of the balance before.
    moved = Counter(entry["reference"] for entry in entries if entry["amount"] != before["balance"])
    assert moved == {f"deposit:{act.key}": 1 for act in wanted if act.role == "admin"}
    after = trader.get("/account").json()
    assert Decimal(after["balance"]) == sum(Decimal(entry["amount"]) for entry in entries)
    assert Decimal(after["balance"]) - Decimal(before["balance"]) == DEPOSITS
