"""Which adapters are installed: the entry points of the group `hedgerow.venues`, our own among them."""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import cast

from gateway.venues.interface import Adapter, BadSettings, Parser, Patience

GROUP = "hedgerow.venues"
_NOWHERE = {
    "oanda": {"url": "https://localhost", "account_env": "account", "token_env": "token"},
    "binance": {"url": "wss://localhost"},
}
"""What makes the built-in adapters without an LP, for their parsers."""


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


def parser_of(name: str, settings: Mapping[str, object]) -> Callable[[], Parser]:
    """Makes parsers of an adapter for bytes that were recorded: nothing is connected, secrets are not needed.

    Raises `BadSettings`.
    """
    venue = adapter(name)({**_NOWHERE.get(name, {}), **settings}, lambda _: "none", Patience())
    return venue.parser
