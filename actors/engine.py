"""The engine process: orders, positions and money. One actor that journals what the domain decides, then says so."""

from collections.abc import Callable
from typing import Any

import pykka
import structlog

from actors import process
from actors.bus import codec, sockets, topics
from actors.bus.endpoints import Endpoints
from actors.bus.messages import (
    AccountReport,
    Answer,
    Done,
    EngineRequest,
    EventBatch,
    Events,
    GetAccount,
    GetEvents,
    GetInstruments,
    Instruments,
    OrderReport,
    Ping,
    Pong,
    PositionReport,
    Refusal,
    Reply,
    StreamAlive,
)
from actors.bus.pump import Inbox, Outbox, Stop
from actors.counters import CounterLog
from actors.domain import broker, margin
from actors.domain.commands import ClosePosition, Command, Input, ObserveStream, ObserveTicks, SubmitOrder
from actors.domain.events import Event
from actors.domain.quote import Tick, is_sound
from actors.domain.refusal import Code, Refused
from actors.domain.state import State
from actors.store.journal import Journal
from config import catalogue
from config.settings import Settings

INTERVAL_MS = 50
TICKS_WAIT_NS = 50_000_000
"""Ticks that cause nothing wait so long for the next commit at most; a command never waits."""
HEARTBEAT_NS = 1_000_000_000
REPLIES_PER_MESSAGE = 64
"""Replies of one turn to the same asker go together: a message costs more than a frame of one."""
SNAPSHOT_EVERY_EVENTS = 500_000

_decode_request = codec.decoder(EngineRequest)
_decode_ticks = codec.decoder(tuple[Tick, ...])
_decode_alive = codec.decoder(StreamAlive)


class Engine(pykka.ThreadingActor):
    """Answers an Inbox of ticks and requests with replies and the event stream, after the journal has it all."""

    def __init__(self, journal: Journal, state: State, last_ns: int, definitions: list[Command]) -> None:
        """`definitions`: what configuration wants to be so; told first, and nothing where it is so already."""
        super().__init__()
        self._journal = journal
        self._state = state
        self._now_ns = last_ns
        # What was a price before a restart is none after it, until the stream says so again.
        seen = tuple(symbol for symbol, tick in state.ticks.items() if tick.live)
        self._openings: list[Input] = [ObserveStream(state.stream_alive_ns, seen), *definitions]
        self._inputs: list[Input] = []
        self._events: list[Event] = []
        self._committed_ns = self._published_ns = last_ns
        self._snapshot_seq = state.event_seq
        self._queries: dict[type, Callable[[Any], Answer]] = {
            Ping: self._ping,
            GetInstruments: self._instruments,
            GetAccount: self._account,
            GetEvents: self._events_from,
        }
        self.bad_frames = 0
        self.bad_ticks = 0
        self._counter_log = CounterLog(lambda: {"bad_frames": self.bad_frames, "bad_ticks": self.bad_ticks})

    def on_receive(self, message: Inbox | Stop) -> Outbox:
        # The engine's time never falls, whatever the clock does.
        self._now_ns = max(self._now_ns, message.now_ns)
        self._counter_log.tell(self._now_ns, last=isinstance(message, Stop))
        if isinstance(message, Stop):
            outbox = self._commit()
            self._journal.save_snapshot(self._state)
            self._journal.close()
            return outbox
        for opening in self._openings:
            try:
                self._tell(opening)
            except Refused as refusal:
                structlog.get_logger().error("configuration refused", command=repr(opening), reason=str(refusal))
        self._openings = []
        for frames in message.of("ticks"):
            self._observe(frames)
        replies: dict[bytes, list[bytes]] = {}
        for identity, *asked in message.of("requests"):
            replies.setdefault(identity, []).extend(reply for frame in asked for reply in self._serve(frame))
        waited_ns = self._now_ns - self._committed_ns
        outbox = self._commit() if self._events or waited_ns >= TICKS_WAIT_NS else []
        return outbox + [
            ("requests", [identity, *frames[start : start + REPLIES_PER_MESSAGE]])
            for identity, frames in replies.items()
            for start in range(0, len(frames), REPLIES_PER_MESSAGE)
        ]

    def _tell(self, told: Input) -> int:
        """Applies an input and keeps it, with its events, for the commit; gives the number of events."""
        events = broker.apply(self._state, told, self._now_ns)
        if events or isinstance(told, ObserveTicks | ObserveStream):
            self._inputs.append(told)
            self._events += events
        return len(events)

    def _commit(self) -> Outbox:
        """Makes everything since the last commit durable, and says what may be said now."""
        state, events = self._state, self._events
        outbox: Outbox = []
        if self._inputs:
            frames = self._journal.append(self._now_ns, self._inputs, state.event_seq - len(events) + 1, events)
            outbox = [("events", [topics.EVENTS + frame]) for frame in frames]
            self._inputs, self._events = [], []
        self._committed_ns = self._now_ns
        if outbox:
            self._published_ns = self._now_ns
        elif self._now_ns - self._published_ns >= HEARTBEAT_NS:
            self._published_ns = self._now_ns
            heartbeat = EventBatch(state.event_seq + 1, self._now_ns, [])
            outbox = [("events", [codec.encode(heartbeat, topics.EVENTS)])]
        if state.event_seq - self._snapshot_seq >= SNAPSHOT_EVERY_EVENTS:
            self._journal.save_snapshot(state)
            self._snapshot_seq = state.event_seq
        return outbox

    def _observe(self, frames: list[bytes]) -> None:
        try:
            (frame,) = frames
            topic, body = codec.topic_and_body(frame)
            if topic == topics.ALIVE:
                alive = _decode_alive(body)
                last_seq = alive.last_seq
                # A symbol that the stream does not know is behind too: the aggregator is new and has no price of it.
                behind = [s for s, tick in self._state.ticks.items() if tick.live and tick.seq != last_seq.get(s)]
                # What has waited in a queue says how the stream was, not how it is.
                self._tell(ObserveStream(min(alive.time_ns, self._now_ns), tuple(behind)))
                return
            ticks = _decode_ticks(body)
            sound = tuple(tick for tick in ticks if tick.symbol in self._state.instruments and is_sound(tick))
            self.bad_ticks += len(ticks) - len(sound)
            if sound:
                self._tell(ObserveTicks(sound))
        except (ValueError, codec.BadFrame):
            self.bad_frames += 1

    def _serve(self, frame: bytes) -> list[bytes]:
        """The reply to one request: sent after the commit, so that it never tells what a crash could undo."""
        try:
            request = _decode_request(frame)
        except codec.BadFrame:
            self.bad_frames += 1
            return []
        query = self._queries.get(type(request.body))
        try:
            answer = query(request.body) if query else self._obey(request.body)
        except Refused as refusal:
            answer = Refusal(refusal.code.value, refusal.detail, refusal.field)
        return [codec.encode(Reply(request.request_id, answer))]

    def _obey(self, command: Command) -> Answer:
        count = self._tell(command)
        if not isinstance(command, SubmitOrder | ClosePosition):
            return Done(self._state.event_seq)
        outcome = self._state.accounts[command.account_id].outcomes[command.client_order_id]
        return OrderReport(self._state.event_seq, outcome, repeated=count == 0)

    def _ping(self, _: Ping) -> Answer:
        return Pong(ready=True, detail="", seq=self._state.event_seq)

    def _instruments(self, _: GetInstruments) -> Answer:
        return Instruments(list(self._state.instruments.values()))

    def _account(self, query: GetAccount) -> Answer:
        state = self._state
        account = state.accounts.get(query.account_id)
        if account is None:
            raise Refused(Code.UNKNOWN_ACCOUNT, f"there is no account {query.account_id}", "account_id")
        positions = [
            PositionReport(
                position,
                margin.closing_price_e8(position.side, state.ticks[position.symbol]),
                margin.profit_minor(
                    position, state.instruments[position.symbol], state.crosses, state.ticks, account.currency
                ),
            )
            for position in account.positions.values()
        ]
        return AccountReport(state.event_seq, state.summary(account, self._now_ns), positions)

    def _events_from(self, query: GetEvents) -> Answer:
        return Events(self._journal.events_from(query.first_seq))


def build(settings: Settings, endpoints: Endpoints, context: process.Context) -> process.Running:
    journal = Journal(settings.run_dir / "journal" / "engine.sqlite")
    state, last_ns = journal.recover()
    structlog.get_logger().info("recovered", event_seq=state.event_seq, accounts=len(state.accounts))
    definitions = [*catalogue.instrument_definitions(), *catalogue.account_definitions()]
    return process.Running(
        Engine.start(journal, state, last_ns, definitions),
        {
            "ticks": sockets.subscriber(context, endpoints.ticks, topics.TICK_PREFIX, topics.ALIVE),
            "requests": sockets.router(context, endpoints.engine),
            "events": sockets.publisher(context, endpoints.events),
        },
        INTERVAL_MS,
        process.Clock(last_ns),
    )


if __name__ == "__main__":
    process.run("engine", build)
