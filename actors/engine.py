"""The engine process: orders, positions and money. One actor that journals what the domain decides, then says so."""

from typing import Any

import pykka
import structlog

from actors import process
from actors.answering import desk_reports
from actors.answering.explainer import Explainer
from actors.answering.questions import QUESTIONS
from actors.answering.reports import Answered, messages_of
from actors.bus import codec, sockets, topics
from actors.bus.answers import Answer, Done, Events, OrderReport, Pong, Refusal, Reply
from actors.bus.endpoints import Endpoints
from actors.bus.pump import Inbox, Outbox, Stop
from actors.bus.requests import EngineRequest, GetEvents, GetExplanation, Ping
from actors.bus.streams import EventBatch, StreamAlive
from actors.counters import CounterLog, nonzero
from actors.domain import broker
from actors.domain.commands import (
    ClosePosition,
    ClosePositionBy,
    ClosePositions,
    Command,
    DecideRequest,
    Input,
    ObserveStream,
    ObserveTicks,
    RequestMoney,
    ReversePosition,
    SubmitOrder,
)
from actors.domain.dealing import positions
from actors.domain.events.event import Event
from actors.domain.refusal import Code, Refused
from actors.domain.state import State
from actors.journaling.keeping import Keeping
from actors.journaling.observations import Observation, Observations
from actors.journaling.room import Room
from actors.store.journal import Full, Journal
from actors.store.opening import opened
from actors.store.record import Damaged, Turn
from actors.store.recovery import Recovered
from config import catalogue
from config.settings import Settings

INTERVAL_MS = 50
TICKS_WAIT_NS = 50_000_000
"""Ticks that cause nothing wait so long for the next commit at most; a command never waits."""
HEARTBEAT_NS = 1_000_000_000
NAMED = (SubmitOrder, ClosePosition, ClosePositionBy, ClosePositions, ReversePosition)
"""The commands that their client_order_id makes safe to repeat."""
OBSERVED = (ObserveTicks, ObserveStream)
"""Inputs that are kept even where they cause nothing: what comes later depends on them."""

_decode_request = codec.decoder(EngineRequest)

Asked = list[tuple[bytes, EngineRequest]]
"""Requests in order, each with the identity of who asks."""


class Engine(pykka.ThreadingActor):
    """Answers an Inbox of ticks and requests with replies and the event stream, after the journal has it all.

    While the journal has no room, the state stays what the journal has: commands are refused with JOURNAL_FULL,
    questions are answered, and prices wait, to be seen in their order when there is room again.
    """

    def __init__(self, journal: Journal, recovered: Recovered, definitions: list[Command]) -> None:
        """`definitions`: what configuration wants to be so; told first, and nothing where it is so already."""
        super().__init__()
        self._journal = journal
        self._state = recovered.state
        self._now_ns = self._committed_ns = self._published_ns = recovered.now_ns
        # What was a price before a restart is none after it, until the stream says so again.
        seen = tuple(symbol for symbol, tick in recovered.state.ticks.items() if tick.live)
        self._openings: list[Input] = [ObserveStream(recovered.state.stream_alive_ns, seen), *definitions]
        """What is told first, until it is in the journal."""
        self._untold = self._openings
        self._turns: list[Turn] = []
        self._events: list[Event] = []
        self._seen = Observations()
        self._keeping = Keeping(journal.path, recovered.replayed)
        self._explainer = Explainer(journal.path)
        self._room = Room()
        self._bad_requests = 0
        self._counter_log = CounterLog(lambda: self.counters)

    @property
    def counters(self) -> dict[str, int]:
        seen = self._seen
        bad_frames = self._bad_requests + seen.bad_frames
        return {"bad_frames": bad_frames, "bad_ticks": seen.bad_ticks, "skipped_ticks": seen.skipped}

    def on_receive(self, message: Inbox | Stop) -> Outbox:
        # The engine's time never falls, whatever the clock does.
        self._now_ns = max(self._now_ns, message.now_ns)
        self._counter_log.tell(self._now_ns, last=isinstance(message, Stop))
        if isinstance(message, Stop):
            return self._rest()
        asked = self._asked(message.of("requests"))
        try:
            outbox = self._turn(message.of("ticks"), asked)
        except Full as fault:
            self._stand_back(fault)
            outbox = messages_of(self._answers(asked))
        self._keeping.tend(may_start=not self._room.lack)
        return outbox + messages_of(self._explainer.answers(self._now_ns))

    def _turn(self, ticks: list[list[bytes]], asked: Asked) -> Outbox:
        """Raises Full, the state then being ahead of the journal."""
        resumes = self._room.is_due(self._now_ns) and self._journal.has_room()
        if self._room.lack and not resumes:
            for frames in ticks:
                self._seen.hear(frames, self._state.instruments)
            return self._heartbeat() + messages_of(self._answers(asked))
        self._room.lack = ""
        self._define()
        if resumes:
            for seen in self._seen:
                self._see(seen)
        for frames in ticks:
            self._see(self._seen.hear(frames, self._state.instruments))
        replies = self._answers(asked)
        waited_ns = self._now_ns - self._committed_ns
        outbox = self._commit() if self._events or resumes or waited_ns >= TICKS_WAIT_NS else []
        # After the commit, so that no reply tells what a crash could undo.
        return outbox + messages_of(replies)

    def _rest(self) -> Outbox:
        """Brings everything to rest."""
        log = structlog.get_logger()
        outbox: Outbox = []
        try:
            outbox = self._commit()
            if not self._room.lack:
                log.info(
                    "snapshot", event_seq=self._state.event_seq, state_hash=self._journal.save_snapshot(self._state)
                )
        except (Full, OSError) as fault:
            log.error("stopped without a snapshot", reason=str(fault))
        self._explainer.stop()
        self._keeping.stop()
        self._journal.close()
        return outbox

    def _stand_back(self, fault: Full) -> None:
        """Forgets what could not be made durable: the state is that of the journal again."""
        structlog.get_logger().error("the journal has no room: nothing is accepted", reason=str(fault))
        self._room.end(f"the journal cannot be written: {fault}", self._now_ns)
        self._turns, self._events = [], []
        self._untold = self._openings
        self._state = State()
        self._state = self._journal.recover().state

    def _define(self) -> None:
        for opening in self._untold:
            try:
                self._tell(opening)
            except Refused as refusal:
                structlog.get_logger().error("configuration refused", command=repr(opening), reason=str(refusal))
        self._untold = []

    def _tell(self, told: Input) -> int:
        """Applies an input and keeps it, with its events, for the commit; gives the number of events."""
        events = broker.apply(self._state, told, self._now_ns)
        count = len(events)
        if count or isinstance(told, OBSERVED):
            turns = self._turns
            if not turns or turns[-1].now_ns != self._now_ns:
                turns.append(Turn(self._now_ns, [], []))
            turn = turns[-1]
            turn.inputs.append(told)
            turn.counts.append(count)
            self._events += events
        return count

    def _commit(self) -> Outbox:
        """Makes everything since the last commit durable, and says what may be said now. Raises Full."""
        if self._turns:
            state, events = self._state, self._events
            first_event_seq = state.event_seq - len(events) + 1
            frames = self._journal.append(self._turns, first_event_seq, events, state.last_fill_id)
            self._keeping.count(len(events) + sum(len(turn.inputs) for turn in self._turns))
            self._turns, self._events, self._openings = [], [], []
            self._seen.clear()
            self._room.prove()
            if frames:
                self._committed_ns = self._published_ns = self._now_ns
                return [("events", [topics.EVENTS + frame]) for frame in frames]
        self._committed_ns = self._now_ns
        return self._heartbeat()

    def _heartbeat(self) -> Outbox:
        """Which event is next, where nothing was published for a while. Only where all events are committed."""
        if self._now_ns - self._published_ns < HEARTBEAT_NS:
            return []
        self._published_ns = self._now_ns
        heartbeat = EventBatch(self._state.event_seq + 1, self._now_ns, [])
        return [("events", [codec.encode(heartbeat, topics.EVENTS)])]

    def _see(self, seen: Observation | None) -> None:
        if isinstance(seen, StreamAlive):
            # A symbol that the stream does not know is behind too: the aggregator is new and has no price of it.
            last_seq = seen.last_seq
            behind = [s for s, tick in self._state.ticks.items() if tick.live and tick.seq != last_seq.get(s)]
            # What has waited in a queue says how the stream was, not how it is.
            self._tell(ObserveStream(min(seen.time_ns, self._now_ns), tuple(behind)))
        elif seen is not None:
            for tick in seen:
                # One by one: recovery must take in what each caused before it sees the next, for stops that follow.
                self._tell(ObserveTicks((tick,)))

    def _asked(self, messages: list[list[bytes]]) -> Asked:
        """The requests of this turn. Questions whose answers take long are handed on at once."""
        asked: Asked = []
        for identity, *frames in messages:
            for frame in frames:
                try:
                    request = _decode_request(frame)
                except codec.BadFrame:
                    self._bad_requests += 1
                    continue
                if isinstance(request.body, GetExplanation):
                    self._explainer.ask(identity, request.request_id, request.body.fill_id)
                else:
                    asked.append((identity, request))
        return asked

    def _answers(self, asked: Asked) -> list[Answered]:
        return [(identity, Reply(request.request_id, self._answer(request))) for identity, request in asked]

    def _answer(self, request: EngineRequest) -> Answer:
        body: Any = request.body
        question = QUESTIONS.get(type(body))
        try:
            if question is not None:
                return question(self._state, body, self._now_ns)
            if isinstance(body, GetEvents):
                return Events(self._journal.events_from(body.first_seq))
            if isinstance(body, Ping):
                return self._pong()
            if self._room.lack:
                lack = f"nothing can be accepted now, and nothing was done: {self._room.lack}"
                return self._known(body, Refused(Code.JOURNAL_FULL, lack))
            waited_ms = (self._now_ns - request.sent_ns) // 1_000_000
            if request.deadline_ms and waited_ms > request.deadline_ms:
                late = f"it has waited for {waited_ms} ms, more than {request.deadline_ms} ms, and nothing was done"
                return self._known(body, Refused(Code.EXPIRED_REQUEST, late))
            return self._obey(body)
        except Refused as refusal:
            return Refusal(refusal.code.value, refusal.detail, refusal.field)
        except Damaged as fault:
            structlog.get_logger().error("the journal is damaged", reason=str(fault))
            return Refusal("UNAVAILABLE", f"the journal cannot answer: {fault}")

    def _known(self, command: Command, refused: Refused) -> Answer:
        """What was answered before is answered again, and all else refused."""
        if isinstance(command, NAMED):
            outcome = positions.known_outcome(self._state, command)
            if outcome is not None:
                return OrderReport(self._state.event_seq, outcome, repeated=True)
        raise refused

    def _obey(self, command: Command) -> Answer:
        count = self._tell(command)
        if isinstance(command, RequestMoney):
            return desk_reports.money_report(self._state, self._state.requests.by_key[command.movement.key].request_id)
        if isinstance(command, DecideRequest):
            return desk_reports.money_report(self._state, command.request_id)
        if not isinstance(command, NAMED):
            return Done(self._state.event_seq)
        outcome = self._state.accounts[command.account_id].outcomes[command.client_order_id]
        return OrderReport(self._state.event_seq, outcome, repeated=count == 0)

    def _pong(self) -> Pong:
        counters = nonzero(self.counters)
        return Pong(ready=not self._room.lack, detail=self._room.lack, seq=self._state.event_seq, counters=counters)


def build(settings: Settings, endpoints: Endpoints, context: process.Context) -> process.Running:
    journal, recovered = opened(settings.run_dir / "journal" / "engine.sqlite")
    definitions = catalogue.definitions(recovered.state)
    return process.Running(
        Engine.start(journal, recovered, definitions),
        {
            "ticks": sockets.subscriber(context, endpoints.ticks, topics.TICK_PREFIX, topics.ALIVE),
            "requests": sockets.router(context, endpoints.engine),
            "events": sockets.publisher(context, endpoints.events),
        },
        INTERVAL_MS,
        process.Clock(recovered.now_ns),
    )


if __name__ == "__main__":
    process.run("engine", build)
