"""What the simulated OANDA's pricing stream does wrong, on demand."""

from collections import Counter
from dataclasses import dataclass, field

GARBAGE = b'{"type":"PRICE","instrument":"\xff"}\n'


@dataclass(slots=True)
class PriceFaults:
    """Counts are of the next lines or connections, and fall to 0; the rest holds until it is taken back."""

    silent: bool = False
    """Neither prices nor heartbeats are sent any more; the connection stays."""
    unpriced: set[str] = field(default_factory=set)
    """Instruments of which no price is sent any more; heartbeats are, and the others' prices."""
    names: dict[str, str] = field(default_factory=dict)
    """The prices of an instrument come under this name."""
    more_digits: str = ""
    """Written behind each price."""
    clock_ahead_ms: int = 0
    """How far the clock by which prices are dated is ahead; below 0: behind."""
    garbage_lines: int = 0
    """Each before a price."""
    refused_streams: int = 0
    """Answered with 503."""
    cut_streams: int = 0
    """Ended as soon as they have begun."""
    connections: Counter[str] = field(default_factory=Counter)
    """How many streams were asked for, and what became of each: `refused`, `cut`, `held`."""

    def take(self, name: str) -> bool:
        """Whether the next one of this kind is due; it is used up then."""
        left: int = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0

    def hides(self, name: str) -> bool:
        return self.silent or name in self.unpriced

    def told(self, name: str, bid: str, ask: str) -> tuple[str, str, str]:
        """Name and prices as they are sent."""
        return self.names.get(name, name), bid + self.more_digits, ask + self.more_digits

    def connect(self) -> str:
        """What becomes of a stream that is asked for."""
        fate = "refused" if self.take("refused_streams") else "cut" if self.take("cut_streams") else "held"
        self.connections[fate] += 1
        return fate
