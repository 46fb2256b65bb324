"""Asynchronous tests run on one event loop, with everything that they talk to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.world import World, running
from web.auth.allowance import ADDRESS, USER


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as made:
        yield made


@pytest.fixture
async def plenty(tmp_path: Path) -> AsyncIterator[World]:
    """A world where everybody may ask as often as they like."""
    async with running(tmp_path, rates_per_s={USER: 1_000_000, ADDRESS: 1_000_000}) as made:
        yield made
