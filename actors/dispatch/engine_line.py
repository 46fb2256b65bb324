"""A dispatcher's side towards the engine: its events followed, reports told until it has them, questions asked."""

from collections import Counter

import structlog

from actors.bus import codec
from actors.bus.answers import Done, Events, Refusal, Reply
from actors.bus.desk_answers import ExposureReport
from actors.bus.requests import EngineRequest, GetEvents, GetExposure
from actors.bus.streams import EventBatch
from actors.dispatch.holdings import Reconciliation
from actors.dispatch.venue_calls import BusHeard
from actors.dispatch.venue_words import client_id
from actors.domain.commands import EngineCommand, ReportExecution
from actors.domain.events.venues import ChildChanged, ChildSent, InquiryDue
from actors.domain.refusal import Code
from actors.domain.routing.books import SentChild
from actors.domain.routing.child import ChildState
from actors.store.dispatch import Dispatch
from actors.store.intake import EventIntake

REPORT_AGAIN_NS = 1_000_000_000
"""A report, or a question, that the engine has not answered is sent again after this."""
PROGRESS_NS = 1_000_000_000
"""How far the events were followed is kept at least so often, where none of them is of this venue."""
QUESTIONS_FROM = 1 << 62
"""Request ids below are numbers of reports."""

_decode_events = codec.decoder(EventBatch)
_decode_reply = codec.decoder(Reply)


class EngineLine:
    """Of one venue. Bytes that are no message are counted; an event that was missed is asked for."""

    def __init__(self, venue: str, store: Dispatch, reconciliation: Reconciliation, counters: Counter[str]) -> None:
        self._venue = venue
        self._store = store
        self._reconciliation = reconciliation
        self._counters = counters
        self._log = structlog.get_logger()
        self._events = EventIntake()
        self._progress_ns = 0
        self._told_ns: dict[int, int] = {}
        """When each report that waits for the engine was told last, by number."""
        self._question = QUESTIONS_FROM
        self._events_asked = 0
        self._fault = ""
        self._begin_asked_ns = 0
        if store.event_seq is not None:
            self._events.start(store.event_seq, store.event_ns)

    def hear(self, heard: BusHeard) -> list[bytes]:
        """Follows the events, and takes the answers; gives what the engine is to be told at once."""
        batches: list[EventBatch] = []
        for frame in heard.events:
            try:
                batches += self._events.receive(_decode_events(codec.topic_and_body(frame)[1]), room=True)
            except codec.BadFrame:
                self._counters["bad_frames"] += 1
        acknowledged: list[int] = []
        frames: list[bytes] = []
        for frame in heard.replies:
            try:
                reply = _decode_reply(frame)
            except codec.BadFrame:
                self._counters["bad_frames"] += 1
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
            self._counters["reports_refused"] += 1
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
            last = batches[-1]
            self._store.follow(last.first_seq + len(last.events) - 1, last.time_ns, sent, over, asked)

    def frames(self, now_ns: int) -> list[bytes]:
        """What is due to be asked and told."""
        return [*self._questions(now_ns), *self._reports(now_ns)]

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
