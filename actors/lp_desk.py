"""The aggregator's side of the LP registry: takes changes, keeps each before it is acknowledged, tells the feeds."""

from collections.abc import Mapping

import msgspec
import structlog

from actors.bus import codec, topics
from actors.bus.answers import Lps, Refusal
from actors.bus.requests import GetLps
from actors.bus.streams import LpsAnnounced
from actors.domain.instrument import Instrument
from actors.domain.prices import lp_registry
from actors.domain.prices.lp_registry import Known, LpChange, Registry
from actors.domain.prices.pricing import LpTerms
from actors.domain.refusal import Refused
from actors.store.lp_config import LpConfig


class LpDesk:
    """One writer: the aggregator's thread. Nobody is waited for, so nothing can lock."""

    def __init__(self, registry: Registry, store: LpConfig | None, known: Known, started_ns: int) -> None:
        """`store`: None keeps nothing, for measurements."""
        self.registry = registry
        self._store = store
        self._known = known
        self._started_ns = started_ns
        self._instruments: Mapping[str, Instrument] = {}
        self._log = structlog.get_logger()

    def relist(self, instruments: Mapping[str, Instrument]) -> None:
        """What LPs may be asked for; an entry may still name what has been retired."""
        self._instruments = instruments
        self._known = msgspec.structs.replace(self._known, symbols=frozenset(instruments))

    def terms(self) -> dict[str, LpTerms]:
        """Of the LPs that have a place in the books."""
        return {
            name: LpTerms(lp.limits, lp.priority, lp.weight) for name, lp in self.registry.lps.items() if lp.enabled
        }

    def announcement(self) -> bytes:
        """The frame for the feeds: the whole registry."""
        retired = {symbol for symbol, it in self._instruments.items() if not it.is_listed}
        registry = self.registry
        if retired:
            lps = {name: _without(lp, retired) for name, lp in registry.lps.items()}
            registry = msgspec.structs.replace(registry, lps=lps)
        sessions = {symbol: it.sessions for symbol, it in self._instruments.items()}
        return codec.encode(LpsAnnounced(self._started_ns, registry, sessions), topics.LPS)

    def ask_anew(self, now_ns: int) -> None:
        """From the next announcement on: feeds that see it tell the quotes by which their LPs stand."""
        self._started_ns = now_ns

    def serve(self, asked: GetLps | LpChange, now_ns: int) -> Lps | Refusal:
        if isinstance(asked, GetLps):
            return Lps(self.registry)
        try:
            changed = lp_registry.apply(self.registry, asked, self._known, now_ns)
        except Refused as error:
            self._log.warning("lp change refused", change=type(asked).__name__, by=asked.by, why=str(error))
            return Refusal(error.code.value, error.detail, error.field)
        if changed is not self.registry:
            try:
                if self._store is not None:
                    self._store.save(changed)
            except OSError as error:
                self._log.error("lp change not kept", change=changed.change, by=asked.by, why=error.strerror)
                return Refusal("UNAVAILABLE", f"the change cannot be kept on the disk: {error.strerror}")
            self.registry = changed
            self._log.info("lp change", change=changed.change, by=changed.by, version=changed.version)
        return Lps(changed)


def _without(lp: lp_registry.Lp, symbols: set[str]) -> lp_registry.Lp:
    return msgspec.structs.replace(lp, symbols={ours: it for ours, it in lp.symbols.items() if ours not in symbols})


def open_desk(store: LpConfig, first: dict[str, lp_registry.Lp], known: Known, now_ns: int) -> LpDesk:
    """With what is on the disk, or at the first start with `first`. Raises Damaged, Refused and OSError."""
    registry = store.load()
    if registry is None:
        registry = lp_registry.opening(first, known, now_ns)
        store.save(registry)
    return LpDesk(registry, store, known, now_ns)
