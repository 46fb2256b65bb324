"""Whether a venue's account holds what the engine counts there. A difference is told once, and a person settles it."""

import structlog

from actors.domain.commands import ReportHolding
from actors.domain.money import format_e8
from actors.store.dispatch import Dispatch
from gateway.venues.execution import Holdings

COMPARE_NS = 10_000_000_000


class Reconciliation:
    """Compares while nothing is on its way: asks the venue, then the engine, and believes what two rounds say."""

    def __init__(self, venue: str, symbols: dict[str, str]) -> None:
        """`symbols`: from the venue's name to ours."""
        self._venue = venue
        self._symbols = symbols
        self._asked_ns = 0
        self._held_e8: dict[str, int] | None = None
        self._engine_asked = False
        self._differences: dict[str, tuple[int, int]] = {}
        self._told: dict[str, tuple[int, int]] = {}

    def rename(self, symbols: dict[str, str]) -> None:
        """The venue has other names: what it has said with those before does not count."""
        self._symbols, self._held_e8 = symbols, None

    def wants_venue(self, now_ns: int, store: Dispatch) -> bool:
        if now_ns - self._asked_ns < COMPARE_NS or not store.cursor or not store.is_quiet:
            return False
        self._asked_ns = now_ns
        return True

    def venue_holds(self, holdings: Holdings | None, store: Dispatch) -> None:
        """As the account is after exactly what was heard of its record; else it is no answer."""
        self._held_e8 = None
        self._engine_asked = False
        if holdings is not None and holdings.cursor == store.cursor and store.is_quiet:
            self._held_e8 = {self._symbols.get(name, name): held for name, held in holdings.quantities_e8.items()}

    def wants_engine(self, now_ns: int) -> bool:
        if self._held_e8 is None or self._engine_asked:
            return False
        self._engine_asked = True
        return True

    def engine_counts(self, counted_e8: dict[str, int], store: Dispatch) -> list[ReportHolding]:
        """What to tell the engine: differences that the round before has seen too, each once."""
        held_e8, self._held_e8 = self._held_e8, None
        if held_e8 is None or not store.is_quiet:
            return []
        symbols = dict.fromkeys((*held_e8, *counted_e8))
        found = {
            symbol: (held_e8.get(symbol, 0), counted_e8.get(symbol, 0))
            for symbol in symbols
            if held_e8.get(symbol, 0) != counted_e8.get(symbol, 0)
        }
        new = [
            symbol for symbol, both in found.items() if self._differences.get(symbol) == both != self._told.get(symbol)
        ]
        self._differences = found
        self._told = {symbol: both for symbol, both in self._told.items() if symbol in found}
        for symbol in new:
            held, counted = found[symbol]
            self._told[symbol] = found[symbol]
            structlog.get_logger().error(
                "the venue holds what the engine does not count",
                symbol=symbol,
                held=format_e8(held),
                counted=format_e8(counted),
            )
        return [ReportHolding(self._venue, symbol, found[symbol][0]) for symbol in new]
