"""An engine that can be asked by hand, for the tests of its module."""

from collections.abc import Iterator
from pathlib import Path

import pykka
import pytest

from tests.actors.engine_desk import Desk


@pytest.fixture
def actors_stop() -> Iterator[None]:
    """However the test ends: the thread of an actor that is left would keep the whole run from ending."""
    yield
    pykka.ActorRegistry.stop_all()


@pytest.fixture
def journal_path(tmp_path: Path, actors_stop: None) -> Path:
    return tmp_path / "engine.sqlite"


@pytest.fixture
def desk(journal_path: Path) -> Desk:
    """Defined, with prices, and the stream alive at START_NS."""
    made = Desk(journal_path)
    made.open()
    return made
