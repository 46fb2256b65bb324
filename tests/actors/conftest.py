"""An engine that can be asked by hand, for the tests of its module."""

from pathlib import Path

import pytest

from tests.actors.engine_desk import Desk


@pytest.fixture
def journal_path(tmp_path: Path) -> Path:
    return tmp_path / "engine.sqlite"


@pytest.fixture
def desk(journal_path: Path) -> Desk:
    """Defined, with prices, and the stream alive at START_NS."""
    made = Desk(journal_path)
    made.open()
    return made
