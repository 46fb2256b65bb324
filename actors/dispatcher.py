"""The actor between the engine and one execution venue: child orders out, executions in, neither lost nor doubled.

It decides and keeps; calling the venue, and the sockets, are its process's (actors/execution.py). What it rests on: an
order is marked in the store before it is sent, and one that was marked is asked for, never sent again; how far the
venue's record was heard is kept together with what was heard; a report is told the engine until that has it in its
journal, and the engine knows a repetition by its exec_id.
"""

from collections import Counter

import pykka
import structlog

from actors.bus import codec
from actors.bus.answers import Done, Events, Refusal, Reply
from actors.bus.desk_answers import ExposureReport
from actors.bus.requests import EngineRequest, GetEvents, GetExposure
from actors.bus.streams import EventBatch
from actors.counters import CounterLog
from actors.domain.books import SentChild
from actors.domain.child import ChildState, ReportKind, VenueReport
from actors.domain.commands import EngineCommand, ReportExecution
from actors.domain.events import ChildChanged, ChildSent, InquiryDue
from actors.domain.refusal import Code
from actors.holdings import Reconciliation
from actors.store.dispatch import Dispatch, Dispatched, Stage
from actors.store.intake import EventIntake
from actors.venue_calls import (
    AskHoldings,
    BusHeard,
    HoldingsHeard,
    Inquire,
    Inquired,
    Linked,
    NotPlaced,
    Place,
    Placed,
    RecordHeard,
    Told,
    VenueCall,
    Work,
)
from actors.venue_words import client_id, order_of, report_of, unsaid_report
from gateway.venues.execution import Said

PLACING_LIMIT = 100
"""Orders whose answer is waited for; the others wait their turn, as long as they may."""
REPORT_AGAIN_NS = 1_000_000_000
"""A report, or a question, that the engine has not answered is sent again after this."""
PLACE_AGAIN_NS = 250_000_000
"""After the venue could not be reached."""
INQUIRE_AGAIN_NS = 2_000_000_000
PROGRESS_NS = 1_000_000_000
"""How far the events were followed is kept at least so often, where none of them is of this venue."""
QUESTIONS_FROM = 1 << 62
"""Request ids below are numbers of reports."""

_decode_events = codec.decoder(EventBatch)
_decode_reply = codec.decoder(Reply)


class Dispatcher(pykka.ThreadingActor):
    """Answers each `Told` with the `Work` that it leads to. Raises sqlite3.Error when its disk fails."""

    def __init__(self, venue: str, names: dict[str, str], store: Dispatch, now_ns: int) -> None:
        """`names`: from our symbol to the venue's name for it."""
        super().__init__()
        self._venue = venue
        self._names = names
        self._store = store
        self._log = structlog.get_logger()
        self._events = EventIntake()
        self._progress_ns = 0
        self._is_up = False
        self._arrival_limit_ns = 0
        self._placing: set[str] = set()
        self._place_ns = 0
        self._inquiring: set[str] = set()
        self._inquire_ns: dict[str, int] = {}
        self._told_ns: dict[int, int] = {}
        """When each report that waits for the engine was told last, by number."""
        self._question = QUESTIONS_FROM
        self._events_asked = 0
        self._fault = ""
        self._begin_asked_ns = 0
        self._reconciliation = Reconciliation(venue, {theirs: ours for ours, theirs in names.items()})
        self.counters: Counter[str] = Counter()
        self._counter_log = CounterLog(lambda: self.counters)
        if store.event_seq is not None:
            self._events.start(store.event_seq)
        for it in store.alive():
            if it.stage is Stage.ATTEMPTED:
                # The process that attempted it is gone, and its connections with it, by now at the latest.
                store.give_up(it.sent.child.child_id, now_ns)

    def on_receive(self, message: Told) -> Work:
        now_ns = message.now_ns
        frames: list[bytes] = []
        if isinstance(message, BusHeard):
            frames = self._hear_bus(message)
        elif isinstance(message, Linked):
            self._is_up, self._arrival_limit_ns = message.up, message.arrival_limit_ns
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
        self._counter_log.tell(now_ns)
        calls: list[VenueCall] = [*self._inquiries(now_ns), *self._placings(now_ns), *self._reconciling(now_ns)]
        return Work([*frames, *self._questions(now_ns), *self._reports(now_ns)], calls)

    # The engine's side.

    def _hear_bus(self, heard: BusHeard) -> list[bytes]:
        batches: list[EventBatch] = []
        for frame in heard.events:
            try:
                batches += self._events.receive(_decode_events(codec.topic_and_body(frame)[1]), room=True)
            except codec.BadFrame:
                self.counters["bad_frames"] += 1
        acknowledged: list[int] = []
        frames: list[bytes] = []
        for frame in heard.replies:
            try:
                reply = _decode_reply(frame)
            except codec.BadFrame:
                self.counters["bad_frames"] += 1
                continue
            body = reply.body
            if reply.request_id < QUESTIONS_FROM:
                acknowledged += self._acknowledged(reply)
            elif isinstance(body, Events) and reply.request_id == self._events_asked:
                batches += self._events.receive_answer(body.batches)
            elif isinstance(body, ExposureReport):
                frames += self._hear_exposure(body)
        if acknowledged:
            self._store.acknowledge(acknowledged)
        self._follow(batches, heard.now_ns)
        if self._events.fault != self._fault:
            self._fault = self._events.fault
            self._log.error("the engine's events cannot be followed", reason=self._fault or "they can again")
        return frames

    def _acknowledged(self, reply: Reply) -> list[int]:
        body, number = reply.body, reply.request_id
        if isinstance(body, Refusal):
            if body.code == Code.JOURNAL_FULL.value:
                return []
            self.counters["reports_refused"] += 1
            self._log.error("the engine refuses a report", number=number, code=body.code, detail=body.detail)
        elif not isinstance(body, Done):
            return []
        self._told_ns.pop(number, None)
        return [number]

    def _hear_exposure(self, report: ExposureReport) -> list[bytes]:
        """Where the store is new, the orders that it begins with; else what the engine counts at the venue."""
        if self._store.event_seq is None:
            children = [
                (sent, client_id(sent), sent.child.state in (ChildState.UNKNOWN, ChildState.ENDING))
                for sent in report.children
                if sent.child.venue == self._venue
            ]
            self._store.begin(report.seq, children)
            self._events.start(report.seq)
            return []
        counted_e8 = {desk.symbol: desk.at_venues_e8.get(self._venue, 0) for desk in report.desks}
        breaks = self._reconciliation.engine_counts(counted_e8, self._store)
        return [self._request(command) for command in breaks]

    def _follow(self, batches: list[EventBatch], now_ns: int) -> None:
        if not batches:
            return
        sent: list[tuple[SentChild, str]] = []
        over: list[str] = []
        asked: list[str] = []
        for batch in batches:
            for event in batch.events:
                if isinstance(event, ChildSent) and event.sent.child.venue == self._venue:
                    sent.append((event.sent, client_id(event.sent)))
                elif isinstance(event, ChildChanged) and event.child.venue == self._venue and event.child.is_over:
                    over.append(event.child.child_id)
                elif isinstance(event, InquiryDue) and event.venue == self._venue:
                    asked.append(event.child_id)
        if sent or over or asked or now_ns - self._progress_ns >= PROGRESS_NS:
            self._progress_ns = now_ns
            self._store.follow(batches[-1].first_seq + len(batches[-1].events) - 1, sent, over, asked)

    def _questions(self, now_ns: int) -> list[bytes]:
        """What to ask the engine: where to begin, or the events that were missed."""
        if self._store.event_seq is None:
            if now_ns - self._begin_asked_ns < REPORT_AGAIN_NS:
                return []
            self._begin_asked_ns = now_ns
            return [self._request(GetExposure())]
        frames = [self._request(GetExposure())] if self._reconciliation.wants_engine(now_ns) else []
        question = self._events.question(now_ns)
        if question is not None:
            frames.append(self._request(question))
            self._events_asked = self._question
        return frames

    def _reports(self, now_ns: int) -> list[bytes]:
        """Of each order one report at a time, so that the engine hears them in their order."""
        frames = []
        waiting = self._store.waiting()
        self._told_ns = {number: self._told_ns.get(number, 0) for number, _ in waiting}
        for number, report in waiting:
            if now_ns - self._told_ns[number] >= REPORT_AGAIN_NS:
                self._told_ns[number] = now_ns
                frames.append(codec.encode(EngineRequest(number, ReportExecution(report))))
        return frames

    def _request(self, body: EngineCommand | GetExposure | GetEvents) -> bytes:
        self._question += 1
        return codec.encode(EngineRequest(self._question, body))

    # The venue's side.

    def _placings(self, now_ns: int) -> list[Place]:
        """Orders that are due, marked as attempted; what is too old is given back to the engine instead."""
        due: list[Dispatched] = []
        for it in self._store.alive():
            child = it.sent.child
            if it.stage is not Stage.DUE:
                continue
            if child.finish_ns and now_ns > child.finish_ns:
                self._refuse(child.child_id, "not sent: the venue could not be reached in time")
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
            return
        it = self._store.by_child_id(child_id)
        if it is None or it.stage is not Stage.ATTEMPTED:
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
        """A fill of an order that we do not know is reported too: the engine makes a break of it."""
        known = self._store.by_client_id(said.client_id)
        if known is None and said.kind != "fill":
            self.counters["of_others"] += 1
            return None
        return report_of(self._venue, said, known.sent.child.child_id if known else said.client_id)

    def _reconciling(self, now_ns: int) -> list[AskHoldings]:
        wanted = self._is_up and self._reconciliation.wants_venue(now_ns, self._store)
        return [AskHoldings()] if wanted else []
