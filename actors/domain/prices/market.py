"""All symbols and all LPs: what feeds say in, ticks out. Decides everything that the aggregator publishes."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import msgspec

from actors.domain.instrument import Instrument
from actors.domain.prices.composite import Composite
from actors.domain.prices.lp_status import LpRecord, LpStatus
from actors.domain.prices.pricing import LpTerms, Pricing
from actors.domain.quote import Drop, Ladder, Quote, Tick

FEED_SILENCE_LIMIT_NS = 3_000_000_000
"""A feed says how it is once a second; one that says nothing for so long is not fresh."""
SWEEP_NS = 100_000_000
"""What is due by time alone (stale quotes, a better LP whose hold time is over) is looked at so often."""

Ticks = dict[str, list[Tick]]
"""New ticks by symbol, in order."""


class Market:
    """Time (UTC, ns) is passed in. Ticks are added to the `ticks` that is passed in, as they arise."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        lps: Mapping[str, LpTerms],
        pricings: Mapping[str, Pricing],
        first_seq: int,
        now_ns: int,
    ) -> None:
        """`lps`: those that have a place here. `pricings`: of symbols that have terms of their own."""
        self._pricings = pricings
        self._lps = lps
        self._first_seq = first_seq
        self._next_seqs: dict[str, int] = {}
        """Of symbols that were taken off the list: if they come back, their numbers go on."""
        self.composites = {
            symbol: self._composite(instrument) for symbol, instrument in instruments.items() if instrument.is_listed
        }
        self.records = {venue: LpRecord(venue, now_ns) for venue in lps}
        self._heard_ns: dict[str, int] = {}
        self._tick_sides = 0
        self._swept_ns = now_ns

    def relist(self, instruments: Mapping[str, Instrument], now_ns: int, ticks: Ticks) -> None:
        """The instruments from now on: new ones begin without a price, retired ones end without one."""
        for symbol in [it for it in self.composites if it not in instruments or not instruments[it].is_listed]:
            self._add(self.composites[symbol].define({}, now_ns), ticks)
            self._next_seqs[symbol] = self.composites.pop(symbol).next_seq
        for symbol, instrument in instruments.items():
            if instrument.is_listed and symbol not in self.composites:
                self.composites[symbol] = self._composite(instrument)
            elif instrument.is_listed and self.composites[symbol].instrument != instrument:
                self._add(self.composites[symbol].relist(instrument, now_ns), ticks)

    def _composite(self, instrument: Instrument) -> Composite:
        symbol = instrument.symbol
        pricing = self._pricings.get(symbol, Pricing())
        return Composite(instrument, _lps_in(pricing, self._lps), pricing, self._next_seqs.pop(symbol, self._first_seq))

    def define(self, lps: Mapping[str, LpTerms], now_ns: int, ticks: Ticks) -> None:
        """Other LPs, or other terms of theirs, from now on. Those that are not named leave all books."""
        self._lps = lps
        for venue in lps:
            self.records.setdefault(venue, LpRecord(venue, now_ns))
        for symbol, composite in self.composites.items():
            self._add(composite.define(_lps_in(self._pricings.get(symbol, Pricing()), lps), now_ns), ticks)
        for venue in [venue for venue in self.records if venue not in lps]:
            self._heard_ns.pop(venue, None)
            del self.records[venue]

    def quote(self, venue: str, quotes: Sequence[Quote], now_ns: int, ticks: Ticks) -> None:
        """New quotes of one of the LPs, in their order."""
        composites, record = self.composites, self.records[venue]
        record.take(quotes, now_ns)
        heard_ns = 0
        for quote in quotes:
            composite = composites.get(quote.symbol)
            if composite is None:
                record.drops[Drop.UNKNOWN_SYMBOL.value] += 1
                continue
            received_ns = quote.received_ns
            if abs(now_ns - received_ns) > FEED_SILENCE_LIMIT_NS:
                tick = composite.refuse(venue, quote, Drop.LATE, now_ns)
            else:
                heard_ns = received_ns
                tick = composite.take(venue, quote, now_ns)
            if tick is not None:
                self._add(tick, ticks)
        if heard_ns:
            self._hear(venue, heard_ns, now_ns)

    def deepen(self, venue: str, ladders: Sequence[Ladder], now_ns: int) -> None:
        """Order books of one of the LPs: what there is behind its quotes, which alone make ticks."""
        for ladder in ladders:
            composite = self.composites.get(ladder.symbol)
            if composite is not None and abs(now_ns - ladder.received_ns) <= FEED_SILENCE_LIMIT_NS:
                composite.book.deepen(venue, ladder)

    def stand(self, venue: str, time_ns: int, quotes: Sequence[Quote], now_ns: int, ticks: Ticks) -> None:
        """The quotes by which the LP stood at `time_ns`, whenever it made them: the feed's connection lives."""
        if now_ns - time_ns > FEED_SILENCE_LIMIT_NS:
            return
        self._hear(venue, time_ns, now_ns)
        for quote in quotes:
            composite = self.composites.get(quote.symbol)
            if composite is not None:
                self._add(composite.confirm(venue, quote, now_ns), ticks)

    def status(self, venue: str, connected: bool, time_ns: int, now_ns: int, ticks: Ticks) -> None:
        """How the connection of one of the LPs was at `time_ns`."""
        self.records[venue].connect(connected, now_ns)
        if connected:
            self._hear(venue, time_ns, now_ns)
        else:
            self._lose([venue], now_ns, ticks)

    def pass_time(self, now_ns: int, ticks: Ticks) -> None:
        silent = [venue for venue, heard_ns in self._heard_ns.items() if now_ns - heard_ns > FEED_SILENCE_LIMIT_NS]
        for venue in silent:
            self.records[venue].connect(False, now_ns)
        is_due = now_ns - self._swept_ns >= SWEEP_NS
        if is_due:
            self._swept_ns = now_ns
            for record in self.records.values():
                record.pass_time(now_ns)
            for composite in self.composites.values():
                composite.pass_time(now_ns)
        if is_due or silent:
            self._lose(silent, now_ns, ticks)

    def report(self, now_ns: int) -> list[LpStatus]:
        reports = []
        for venue, record in self.records.items():
            drops: Counter[str] = Counter()
            quarantined = []
            for symbol, composite in self.composites.items():
                line = composite.lines[venue]
                drops.update({drop.value: count for drop, count in line.drops.items()})
                if line.quarantine.is_on:
                    quarantined.append(symbol)
            reports.append(record.report(drops, quarantined, self._tick_sides, now_ns))
        return reports

    def _hear(self, venue: str, time_ns: int, now_ns: int) -> None:
        """The LP was fresh at that time, which is when the feed said so: the message may have waited since."""
        self._heard_ns[venue] = max(min(time_ns, now_ns), self._heard_ns.get(venue, 0))

    def _lose(self, venues: Collection[str], now_ns: int, ticks: Ticks) -> None:
        """These LPs are not fresh any more: their quotes leave all books."""
        for venue in venues:
            self._heard_ns.pop(venue, None)
        for composite in self.composites.values():
            self._add(composite.lose(venues, now_ns), ticks)

    def _add(self, tick: Tick | None, ticks: Ticks) -> None:
        if tick is None:
            return
        if tick.live:
            self._tick_sides += 2
            self.records[tick.lp_bid].best += 1
            self.records[tick.lp_ask].best += 1
        symbol = tick.symbol
        if symbol in ticks:
            ticks[symbol].append(tick)
        else:
            ticks[symbol] = [tick]


def _lps_in(pricing: Pricing, lps: Mapping[str, LpTerms]) -> dict[str, LpTerms]:
    """The LPs' terms with the limits that hold in one symbol."""
    found = {}
    for venue, terms in lps.items():
        changed = {**pricing.limits.get("all", {}), **pricing.limits.get(venue, {})}
        found[venue] = msgspec.structs.replace(terms, limits=msgspec.structs.replace(terms.limits, **changed))
    return found
