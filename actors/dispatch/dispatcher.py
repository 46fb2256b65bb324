"""The actor between the engine and one execution venue: child orders out, executions in, neither lost nor doubled.

It decides and keeps; calling the venue, and the sockets, are its process's (actors/execution.py), and the engine's side
is in engine_line.py. What it rests on: an order is marked in the store before it is sent, and one that was marked is
asked for, never sent again; how far the venue's record was heard is kept together with what was heard; a report is told
the engine until that has it in its journal, and the engine knows a repetition by its exec_id.
"""

from collections import Counter

import msgspec
import pykka

from actors.counters import CounterLog
from actors.dispatch.engine_line import EngineLine
from actors.dispatch.holdings import Reconciliation
from actors.dispatch.venue_calls import (
    Ask,
    Asked,
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
from actors.dispatch.venue_words import (
    CANCELS,
    answer_of,
    asked_ns,
    change_id,
    changed_order,
    order_of,
    report_of,
    unsaid_report,
)
from actors.domain.routing.child import ReportKind, VenueReport
from actors.store.changes import Stage
from actors.store.dispatch import Dispatch, Dispatched
from gateway.venues.execution import Said

PLACING_LIMIT = 100
"""Orders whose answer is waited for; the others wait their turn, as long as they may."""
PLACE_AGAIN_NS = 250_000_000
"""After the venue could not be reached: with an order, or with a change of one."""
INQUIRE_AGAIN_NS = 2_000_000_000
INQUIRED_LIMIT = 100
"""Orders that rest and are asked after when the line is back; the others follow as these are answered."""


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
        self._change_ns = 0
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
        store.changes.give_up(now_ns)

    def on_receive(self, message: Told) -> Work:
        now_ns = message.now_ns
        frames: list[bytes] = []
        if isinstance(message, BusHeard):
            frames = self._engine.hear(message)
        elif isinstance(message, Linked):
            self._is_up = message.up
            if message.up:
                self._arrival_limit_ns = message.arrival_limit_ns
                # What became of it while nobody listened may never be said again.
                self._store.ask_after_all()
        elif isinstance(message, RecordHeard):
            self._take(message.heard.said, cursor=message.heard.cursor)
        elif isinstance(message, Placed | NotPlaced):
            self._placing.discard(message.child_id)
            self._hear_of_placing(message)
        elif isinstance(message, Inquired):
            self._inquiring.discard(message.child_id)
            self._hear_of_inquiry(message)
        elif isinstance(message, Asked):
            if not message.sent:
                self._change_ns = now_ns + PLACE_AGAIN_NS
                self._store.changes.give_back(message.child_id)
        elif isinstance(message, HoldingsHeard):
            self._reconciliation.venue_holds(message.holdings, self._store)
        elif isinstance(message, Registered):
            self._takes_orders = message.takes_orders
            if message.names != self._names:
                self._names = message.names
                self._reconciliation.rename({theirs: ours for ours, theirs in message.names.items()})
        self._counter_log.tell(now_ns)
        cancels, self._cancels = self._cancels, []
        calls: list[VenueCall] = [*cancels, *self._inquiries(now_ns), *self._askings(now_ns), *self._placings(now_ns)]
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
        self._store.changes.call(
            [(it.sent.child.child_id, self._names[it.sent.child.symbol]) for it in due if it.sent.rests]
        )
        self._store.attempt([it.sent.child.child_id for it in due], now_ns)
        self._placing.update(it.sent.child.child_id for it in due)
        return [Place(it.sent.child.child_id, order_of(it, self._names)) for it in due]

    def _askings(self, now_ns: int) -> list[Ask]:
        """Changes and cancels that are due, marked as attempted. An order that was never sent is not sent any more."""
        calls = []
        for it in self._store.changing():
            child_id, changing = it.sent.child.child_id, it.changing
            assert changing is not None
            if it.stage is Stage.DUE:
                if changing.change.terms is None:
                    self._refuse(child_id, "not sent: it was to be cancelled first", ReportKind.CANCELLED)
            elif self._is_up and now_ns >= self._change_ns and child_id not in self._placing:
                order = order_of(it, self._names)
                calls.append(Ask(child_id, change_id(changing.change), order, changed_order(order, changing.change)))
        if calls:
            self._store.changes.attempt([call.child_id for call in calls], now_ns)
        return calls

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
        if self._is_up and len(self._inquire_ns) < INQUIRED_LIMIT:
            self._store.take_up(INQUIRED_LIMIT - len(self._inquire_ns))
        asked = [it for it in self._store.alive() if it.asked and it.stage is Stage.ATTEMPTED]
        self._inquire_ns = {it.client_id: self._inquire_ns.get(it.client_id, 0) for it in asked}
        for it in asked:
            child_id = it.sent.child.child_id
            busy = child_id in self._placing or child_id in self._inquiring
            if busy or not self._is_up or now_ns - self._inquire_ns[it.client_id] < INQUIRE_AGAIN_NS:
                continue
            self._inquire_ns[it.client_id] = now_ns
            self._inquiring.add(child_id)
            calls.append(Inquire(child_id, _asked_name(it), self._store.cursor))
        return calls

    def _hear_of_inquiry(self, told: Inquired) -> None:
        """What is known is told again, for the engine may have lost it; no order there is an answer only in time."""
        child_id = told.child_id
        before = self._store.by_child_id(child_id)
        if not told.answered or before is None or self._is_undecided(before, told):
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

    def _is_undecided(self, it: Dispatched, told: Inquired) -> bool:
        """Whether an inquiry into an order that is asked for a change leaves open what becomes of that.

        Where the venue does not have it, it is believed late, as that it has no such order; then the order is asked
        for under its own name.
        """
        changing = it.changing
        if changing is None or changing.stage is not Stage.ATTEMPTED:
            return False
        change, said = changing.change, told.said[-1] if told.said else None
        name = change_id(change)
        if said is not None and (said.kind != "accepted" or said.name == name):
            return False
        if said is None and change.terms is None:
            return False
        is_answer = told.client_id == name if said is None else not said.is_pending
        if is_answer and told.now_ns - changing.attempted_ns > self._arrival_limit_ns:
            self.counters["changes_never_arrived"] += 1
            detail = "the venue does not have it"
            self._store.take([answer_of(self._venue, change.child_id, ReportKind.KEPT, change.asked_ns, detail)])
        return True

    def _refuse(self, child_id: str, detail: str, kind: ReportKind = ReportKind.REJECTED) -> None:
        """An order that is certainly not at the venue, and will not be."""
        self.counters["refused_here"] += 1
        report = unsaid_report(self._venue, child_id, kind, detail)
        self._store.take([report], over=child_id)

    def _take(self, said: list[Said], *, cursor: str = "", again: str = "", answered: str = "") -> None:
        reports = [report for it in said for report in self._reports(it)]
        new = self._store.take(reports, cursor=cursor, again=again, answered=answered)
        self.counters["reports"] += new
        for it in said:
            known = self._store.by_client_id(it.client_id)
            if known is not None and known.sent.rests and not it.is_pending:
                self._store.take([], resting=known.sent.child.child_id)

    def _reports(self, said: Said) -> list[VenueReport]:
        """A fill, or the end of one, of an order that we do not know is reported too: a break for the engine.

        What is said of an order under the name of a change says first that the change was taken.
        """
        known = self._store.by_client_id(said.client_id)
        if known is None:
            if said.kind not in ("fill", "busted"):
                self.counters["of_others"] += 1
                return []
            # What has no client id goes by its own, so that each is a break.
            return [report_of(self._venue, said, said.client_id or said.exec_id)]
        sent, child_id = known.sent, known.sent.child.child_id
        change_ns = asked_ns(said.name) if sent.rests and self._store.by_client_id(said.name) is not None else 0
        if said.kind == "kept":
            if change_ns:
                return [answer_of(self._venue, child_id, ReportKind.KEPT, change_ns, said.text)]
            said = msgspec.structs.replace(said, kind="accepted")
        if change_ns > sent.child.sent_ns and not said.name.startswith(CANCELS):
            replaced = answer_of(self._venue, child_id, ReportKind.REPLACED, change_ns)
            return [replaced] if said.kind == "accepted" else [replaced, report_of(self._venue, said, child_id, True)]
        return [report_of(self._venue, said, child_id, sent.rests)]

    def _reconciling(self, now_ns: int) -> list[AskHoldings]:
        wanted = self._is_up and self._reconciliation.wants_venue(now_ns, self._store)
        return [AskHoldings()] if wanted else []


def _asked_name(it: Dispatched) -> str:
    """The newest name that the venue may know the order by."""
    changing = it.changing
    if changing is None or changing.stage is not Stage.ATTEMPTED or changing.change.terms is None:
        return it.client_id
    return change_id(changing.change)
