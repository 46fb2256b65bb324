"""Trading that staff have halted: everything, what a group of accounts deals, or one symbol.

While it is halted nothing is dealt: no order, no closing, no protection, no stop-out. Orders may be cancelled. A
group is halted for its clients: the broker hedges on, but not in a symbol that is halted.
What waits for its price waits on, and is dealt with at the first tick after the halt, if the market is there then.
"""

from collections.abc import Iterator
from enum import Enum

import msgspec


class HaltScope(Enum):
    ALL = "all"
    GROUP = "group"
    SYMBOL = "symbol"


class Halt(msgspec.Struct, frozen=True, array_like=True, gc=False):
    scope: HaltScope
    name: str
    """Of the group or the symbol; empty where all is halted."""
    actor: str
    reason: str
    since_ns: int

    @property
    def what(self) -> str:
        return " ".join(part for part in (self.scope.value, self.name) if part)


class Halts:
    """What is halted now, oldest first."""

    def __init__(self) -> None:
        self._halts: dict[str, Halt] = {}
        self._everything = False
        self._groups: dict[str, None] = {}
        self._symbols: dict[str, None] = {}

    def __iter__(self) -> Iterator[Halt]:
        return iter(self._halts.values())

    def __contains__(self, what: str) -> bool:
        return what in self._halts

    def begin(self, halt: Halt) -> None:
        self._halts[halt.what] = halt
        self._index()

    def end(self, what: str) -> None:
        del self._halts[what]
        self._index()

    def stops_symbol(self, symbol: str) -> bool:
        """Whether nobody deals the symbol."""
        return self._everything or symbol in self._symbols

    def stops_group(self, group: str) -> bool:
        """Whether the group deals nothing because of a halt of its own."""
        return group in self._groups

    @property
    def has_groups(self) -> bool:
        return bool(self._groups)

    def stops(self, group: str, symbol: str) -> bool:
        return self._everything or symbol in self._symbols or group in self._groups

    def _index(self) -> None:
        halts = self._halts.values()
        self._everything = any(halt.scope is HaltScope.ALL for halt in halts)
        self._groups = {halt.name: None for halt in halts if halt.scope is HaltScope.GROUP}
        self._symbols = {halt.name: None for halt in halts if halt.scope is HaltScope.SYMBOL}
