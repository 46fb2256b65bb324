"""What the engine may be told, all rooms together."""

from typing import get_args

from actors.domain import commands
from actors.domain.commands import Input, Told


def test_whatever_is_made_to_be_told_the_engine_takes() -> None:
    assert set(Told.__subclasses__()) == set(get_args(Input))


def test_all_of_it_is_found_in_one_place() -> None:
    told = {kind.__name__ for kind in get_args(Input)}
    assert told <= set(commands.__all__)
    assert commands.__all__ == sorted(commands.__all__)
