"""Which adapters are installed: the entry points of the group `hedgerow.venues`, our own among them."""

from importlib.metadata import entry_points
from typing import cast

from gateway.venues.interface import Adapter, BadSettings

GROUP = "hedgerow.venues"


def names() -> frozenset[str]:
    """The adapters that can be named in an LP's entry."""
    return frozenset(point.name for point in entry_points(group=GROUP))


def adapter(name: str) -> Adapter:
    """Raises `BadSettings` where none is installed under that name, or it cannot be loaded."""
    for point in entry_points(group=GROUP, name=name):
        try:
            return cast(Adapter, point.load())
        except Exception as error:  # A stranger's package may fail in any way.
            raise BadSettings(f"the adapter {name} cannot be loaded: {type(error).__name__}: {error}") from error
    raise BadSettings(f"no adapter {name[:40]!r} is installed; there are {', '.join(sorted(names())) or 'none'}")
