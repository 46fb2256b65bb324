"""What the engine sees of the prices."""

from actors.domain.commands.told import Told
from actors.domain.quote import Tick


class ObserveTicks(Told, frozen=True):
    """Ticks in the order in which they came."""

    ticks: tuple[Tick, ...]


class ObserveStream(Told, frozen=True):
    """The price stream was alive at `alive_ns`; our price of the symbols `behind` is not its last: not to be used."""

    alive_ns: int
    behind: tuple[str, ...] = ()
