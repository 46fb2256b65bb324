"""A token whose signature was checked once is known, and yet ends: with its time, its revocation, its key."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actors.bus.logins import Revocation
from actors.store import private_files
from tests.web.world import KEY, KID, TRADER, World, running
from web.auth import keyring

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    keys = tmp_path / "signing"
    keys.mkdir(mode=0o700)
    private_files.write(keys / KID, KEY.decode())
    async with running(tmp_path, keys_folder=keys) as made:
        yield made


async def status(world: World, token: dict[str, str]) -> int:
    return (await world.http.get("/account", headers=token)).status_code


async def test_a_known_token_is_void_when_its_key_is_gone(world: World, tmp_path: Path) -> None:
    token = world.bearer()
    assert [await status(world, token), await status(world, token)] == [200, 200]
    keyring.make(tmp_path / "signing")
    await world.web.backend.callers.follow()
    assert await status(world, token) == 200
    (tmp_path / "signing" / KID).unlink()
    await world.web.backend.callers.follow()
    assert await status(world, token) == 401


async def test_a_known_token_is_void_when_it_is_revoked(world: World) -> None:
    token = world.bearer()
    assert await status(world, token) == 200
    user = world.broker.users[TRADER]
    revoked = Revocation(1, world.clock(), user.user_id, user.version + 1, session_id=0, key_id=0)
    world.web.backend.callers.revoke([revoked])
    assert await status(world, token) == 401


async def test_a_known_token_ends_with_its_time(world: World) -> None:
    token = world.bearer()
    assert await status(world, token) == 200
    world.clock.ahead_ns = 600 * 1_000_000_000
    assert await status(world, token) == 401


async def test_so_many_tokens_are_known_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.auth.callers.TOKENS_KEPT_LIMIT", 2)
    callers = world.web.backend.callers
    tokens = []
    for ahead_s in range(3):
        world.clock.ahead_ns = ahead_s * 1_000_000_000
        tokens.append(world.token())
    for token in tokens:
        callers.read(token)
    assert [*callers._signed] == tokens[1:]
    assert callers.read(tokens[0]).username == callers.read(tokens[2]).username
