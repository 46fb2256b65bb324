"""The actor between the engine and one execution venue: child orders out, executions in, neither lost nor doubled.

It decides and keeps; calling the venue, and the sockets, are its process's (actors/execution.py), and the engine's side
is in engine_line.py. What it rests on: an order is marked in the store before it is sent, and one that was marked is
asked for, never sent again; how far the venue's record was heard is kept together with what was heard; a report is told
the engine until that has it in its journal, and the engine knows a repetition by its exec_id.
"""

from collections import Counter

import pykka

from actors.counters import CounterLog
from actors.dispatch.engine_line import EngineLine
from actors.dispatch.holdings import Reconciliation
from actors.dispatch.venue_calls import (
    AskHoldings,
    BusHeard,
    Cancel,
    HoldingsHeard,
    Inquire,
    Inquired,
    Linked,
    NotPlaced,
    Place,
    Placed,
    RecordHeard,
    Registered,
    Told,
    VenueCall,
    Work,
)
from actors.dispatch.venue_words import order_of, report_of, unsaid_report
from actors.domain.routing.child import ReportKind, VenueReport
from actors.store.dispatch import Dispatch, Dispatched, Stage
from gateway.venues.execution import Said

PLACING_LIMIT = 100
"""Orders whose answer is waited for; the others wait their turn, as long as they may."""
PLACE_AGAIN_NS = 250_000_000
"""After the venue could not be reached."""
INQUIRE_AGAIN_NS = 2_000_000_000


class Dispatcher(pykka.ThreadingActor):
    """Answers each `Told` with the `Work` that it leads to. Raises sqlite3.Error when its disk fails."""

    def __init__(
        self, venue: str, names: dict[str, str], store: Dispatch, now_ns: int, takes_orders: bool = True
    ) -> None:
        """`names`: from our symbol to the venue's name for it; what has none is not sent there.

        `takes_orders` False: nothing is. What was sent before is asked for and compared all the same.
        """
        super().__init__()
        self._venue = venue
        self._names = names
        self._takes_orders = takes_orders
        self._store = store
        self._is_up = False
        self._arrival_limit_ns = 0
        self._placing: set[str] = set()
        self._place_ns = 0
        self._inquiring: set[str] = set()
        self._inquire_ns: dict[str, int] = {}
        self._cancels: list[Cancel] = []
        self._reconciliation = Reconciliation(venue, {theirs: ours for ours, theirs in names.items()})
        self.counters: Counter[str] = Counter()
        self._counter_log = CounterLog(lambda: self.counters)
        self._engine = EngineLine(venue, store, self._reconciliation, self.counters)
        for it in store.alive():
            if it.stage is Stage.ATTEMPTED:
                # The process that attempted it is gone, and its connections with it, by now at the latest.
                store.give_up(it.sent.child.child_id, now_ns)

    def on_receive(self, message: Told) -> Work:
        now_ns = message.now_ns
        frames: list[bytes] = []
        if isinstance(message, BusHeard):
            frames = self._engine.hear(message)
        elif isinstance(message, Linked):
            self._is_up = message.up
            if message.up:
                self._arrival_limit_ns = message.arrival_limit_ns
        elif isinstance(message, RecordHeard):
            self._take(message.heard.said, cursor=message.heard.cursor)
        elif isinstance(message, Placed | NotPlaced):
            self._placing.discard(message.child_id)
            self._hear_of_placing(message)
        elif isinstance(message, Inquired):
            self._inquiring.discard(message.child_id)
            self._hear_of_inquiry(message)
        elif isinstance(message, HoldingsHeard):
            self._reconciliation.venue_holds(message.holdings, self._store)
        elif isinstance(message, Registered):
            self._takes_orders = message.takes_orders
            if message.names != self._names:
                self._names = message.names
                self._reconciliation.rename({theirs: ours for ours, theirs in message.names.items()})
        self._counter_log.tell(now_ns)
        cancels, self._cancels = self._cancels, []
        calls: list[VenueCall] = [*cancels, *self._inquiries(now_ns), *self._placings(now_ns)]
        calls += self._reconciling(now_ns)
        return Work([*frames, *self._engine.frames(now_ns)], calls)

    def _placings(self, now_ns: int) -> list[Place]:
        """Orders that are due, marked as attempted; what is too old is given back to the engine instead."""
        due: list[Dispatched] = []
        for it in self._store.alive():
            child = it.sent.child
            if it.stage is not Stage.DUE:
                continue
            if child.finish_ns and now_ns > child.finish_ns:
                self._refuse(child.child_id, "not sent: the venue could not be reached in time")
            elif not self._takes_orders:
                self._refuse(child.child_id, "not sent: the LP registry has this venue disabled, or not at all")
            elif child.symbol not in self._names:
                self._refuse(child.child_id, f"not sent: the LP registry does not say what {child.symbol} is there")
            elif self._is_up and now_ns >= self._place_ns and len(self._placing) + len(due) < PLACING_LIMIT:
                due.append(it)
        if not due:
            return []
        self._store.attempt([it.sent.child.child_id for it in due], now_ns)
        self._placing.update(it.sent.child.child_id for it in due)
        return [Place(it.sent.child.child_id, order_of(it, self._names)) for it in due]

    def _hear_of_placing(self, told: Placed | NotPlaced) -> None:
        child_id = told.child_id
        if isinstance(told, NotPlaced):
            if told.for_good:
                self._refuse(child_id, f"not sent: {told.detail}")
                return
            self.counters["not_reached"] += 1
            self._place_ns = told.now_ns + PLACE_AGAIN_NS
            self._store.give_back(child_id)
        elif told.said is None:
            self.counters["unanswered"] += 1
            self._store.give_up(child_id, told.now_ns)
        else:
            self._take(told.said)

    def _inquiries(self, now_ns: int) -> list[Inquire]:
        """Of orders that the engine asks about, and whose sending is over."""
        calls = []
        asked = [it for it in self._store.alive() if it.asked and it.stage is Stage.ATTEMPTED]
        self._inquire_ns = {it.client_id: self._inquire_ns.get(it.client_id, 0) for it in asked}
        for it in asked:
            child_id = it.sent.child.child_id
            busy = child_id in self._placing or child_id in self._inquiring
            if busy or not self._is_up or now_ns - self._inquire_ns[it.client_id] < INQUIRE_AGAIN_NS:
                continue
            self._inquire_ns[it.client_id] = now_ns
            self._inquiring.add(child_id)
            calls.append(Inquire(child_id, it.client_id, self._store.cursor))
        return calls

    def _hear_of_inquiry(self, told: Inquired) -> None:
        """What is known is told again, for the engine may have lost it; no order there is an answer only in time."""
        child_id = told.child_id
        if not told.answered:
            return
        if told.said is not None:
            self._take(told.said, again=child_id, answered=child_id)
        it = self._store.by_child_id(child_id)
        if it is None or it.stage is not Stage.ATTEMPTED:
            return
        if told.said is not None:
            if 0 < it.sent.child.finish_ns < told.now_ns and told.said and told.said[-1].kind == "accepted":
                self.counters["overdue"] += 1
                self._cancels.append(Cancel(child_id, order_of(it, self._names)))
            return
        if told.now_ns - it.attempted_ns > self._arrival_limit_ns:
            self.counters["never_arrived"] += 1
            report = unsaid_report(self._venue, child_id, ReportKind.NOT_KNOWN, "the venue knows no such order")
            self._store.take([report], over=child_id, answered=child_id)

    def _refuse(self, child_id: str, detail: str) -> None:
        """An order that is certainly not at the venue, and will not be."""
        self.counters["refused_here"] += 1
        report = unsaid_report(self._venue, child_id, ReportKind.REJECTED, detail)
        self._store.take([report], over=child_id)

    def _take(self, said: list[Said], *, cursor: str = "", again: str = "", answered: str = "") -> None:
        reports = [report for it in said if (report := self._report(it)) is not None]
        new = self._store.take(reports, cursor=cursor, again=again, answered=answered)
        self.counters["reports"] += new

    def _report(self, said: Said) -> VenueReport | None:
        """A fill, or the end of one, of an order that we do not know is reported too: a break for the engine."""
        known = self._store.by_client_id(said.client_id)
        if known is None and said.kind not in ("fill", "busted"):
            self.counters["of_others"] += 1
            return None
        # What has no client id goes by its own, so that each is a break.
        return report_of(self._venue, said, known.sent.child.child_id if known else said.client_id or said.exec_id)

    def _reconciling(self, now_ns: int) -> list[AskHoldings]:
        wanted = self._is_up and self._reconciliation.wants_venue(now_ns, self._store)
        return [AskHoldings()] if wanted else []
