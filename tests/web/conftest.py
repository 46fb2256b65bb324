"""Asynchronous tests run on one event loop, with everything that they talk to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.world import World, running


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as made:
        yield made
