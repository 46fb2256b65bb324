"""The process fix-lp: the FIX sessions of all LPs, their quotes to the aggregator, orders out and executions back.

It is the one writer of these sessions' numbers. Each LP has its own file, with the sessions' messages and numbers and
the dispatcher's orders and reports.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable
from functools import partial

import zmq

from actors import process
from actors.bus import codec, sockets, topics
from actors.bus.endpoints import Endpoints
from actors.bus.streams import LpsAnnounced
from actors.dispatch.dispatcher import Dispatcher
from actors.domain.instrument import Instrument
from actors.domain.prices.lp_registry import FIX_ADAPTER, Lp
from actors.fix_sessions import Served, SessionDesk
from actors.listed import Listed
from actors.lp.desk import BATCH_MESSAGES, Desk
from actors.lp.line import Line
from actors.lp.orders import Orders
from actors.lp.quotes import Quotes
from actors.lp.route import route, session_settings
from actors.lp.survey import Survey
from actors.quoting.lp_feed import Feed
from actors.store.dispatch import Dispatch
from actors.store.lp_config import LpConfig
from config import catalogue, lp_sessions, session_ids
from config import settings as config
from config.lp_sessions import LpSession
from config.settings import Settings
from gateway.fix.connection import Tap
from gateway.fix.initiator import Initiator
from gateway.fix.message_log import MessageLog
from gateway.fix.store import SqliteStore
from gateway.venues.interface import BadSettings

BEAT_S = 0.05
STATUS_INTERVAL_S = 1.0
DRAIN_S = 6.0
"""How long logging out may take."""

_decode_announced = codec.decoder(LpsAnnounced)
Socket = zmq.Socket[bytes]


class Runner:
    """Turns one event loop for all LPs."""

    def __init__(
        self, desks: list[Desk], announcements: Socket, listed: Listed, engine: Socket, operators: SessionDesk
    ) -> None:
        """`engine`: it says there which instruments are `listed`."""
        self._desks = desks
        self._operators = operators
        self._announcements = announcements
        self._listed = listed
        self._engine = engine
        self._aggregator_started_ns = 0

    def run(self, stopping: Callable[[], bool]) -> None:
        """Raises what an actor or the disk raised, and the process ends with it."""
        asyncio.run(self._run(stopping))

    async def _run(self, stopping: Callable[[], bool]) -> None:
        loop = asyncio.get_running_loop()
        arrived = asyncio.Event()
        watched = [socket.fileno() for desk in self._desks for socket in desk.sockets]
        for number in watched:
            loop.add_reader(number, arrived.set)
        lines = [line for desk in self._desks for line in desk.lines]
        running = [asyncio.create_task(line.initiator.run()) for line in lines]
        operators = asyncio.create_task(self._operators.inlet.run())
        try:
            await self._turn_until(stopping, arrived, lines, running, operators)
            for line in lines:
                line.initiator.stop()
            await asyncio.wait(running, timeout=DRAIN_S) if running else None
        finally:
            for number in watched:
                loop.remove_reader(number)
            for task in (*running, operators):
                task.cancel()
            await asyncio.gather(*running, operators, return_exceptions=True)

    async def _turn_until(
        self,
        stopping: Callable[[], bool],
        arrived: asyncio.Event,
        lines: list[Line],
        running: list[asyncio.Task[None]],
        operators: asyncio.Task[None],
    ) -> None:
        loop = asyncio.get_running_loop()
        next_status = loop.time()
        while not stopping():
            arrived.clear()
            self._hear_announcements()
            now_ns = process.clock_ns()
            self._follow_instruments(now_ns)
            for desk in self._desks:
                desk.turn(now_ns)
            if loop.time() >= next_status:
                next_status = loop.time() + STATUS_INTERVAL_S
                for desk in self._desks:
                    desk.beat(process.clock_ns())
            for line, task in zip(lines, running, strict=True):
                if line.failure is not None:
                    raise line.failure
                if task.done():
                    task.result()
            if operators.done():
                operators.result()
            if any(desk.has_messages() for desk in self._desks):
                await asyncio.sleep(0)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(arrived.wait(), BEAT_S)

    def _follow_instruments(self, now_ns: int) -> None:
        if self._listed.hear([sockets.drained(self._engine, BATCH_MESSAGES)]):
            for desk in self._desks:
                desk.relist(self._listed.instruments)
        with contextlib.suppress(zmq.Again):
            for frame in self._listed.question(now_ns):
                self._engine.send(frame, zmq.NOBLOCK)

    def _hear_announcements(self) -> None:
        newest: LpsAnnounced | None = None
        for frame in sockets.drained(self._announcements, BATCH_MESSAGES):
            with contextlib.suppress(codec.BadFrame):
                newest = _decode_announced(codec.topic_and_body(frame)[1])
        if newest is None:
            return
        now_ns = process.clock_ns()
        for desk in self._desks:
            lp = newest.registry.lps.get(desk.name)
            desk.follow(lp if _is_ours(lp) else None, now_ns)
        sessions = newest.sessions
        self._each_quotes(lambda quotes: quotes.keep_hours(sessions))
        if newest.started_ns != self._aggregator_started_ns:
            self._aggregator_started_ns = newest.started_ns
            self._each_quotes(lambda quotes: quotes.ask(now_ns))

    def _each_quotes(self, tell: Callable[[Quotes], None]) -> None:
        for desk in self._desks:
            desk.each_quotes(tell)


def build(settings: Settings, endpoints: Endpoints, context: process.Context) -> Runner:
    try:
        sessions, instruments = lp_sessions.read(settings.lp_sessions), catalogue.instruments()
        if both := session_ids.shared(settings):
            config.stop(both)
        desks = [
            _desk(
                name,
                [session for session in sessions if session.lp == name],
                instruments,
                settings,
                endpoints,
                context,
            )
            for name in dict.fromkeys(session.lp for session in sessions)
        ]
    except (lp_sessions.Unreadable, BadSettings) as error:
        config.stop(str(error))
    purposes = {session.id: session.purpose for session in sessions}
    served = [
        Served(purposes[line.id], line.initiator, desk.store, partial(getattr, line, "logged_on_ns"), line.as_surveyed)
        for desk in desks
        for line in desk.lines
    ]
    operators = SessionDesk(sockets.router(context, endpoints.fix_lp), served, process.clock_ns)
    return Runner(
        desks,
        sockets.subscriber(context, endpoints.ticks, topics.LPS),
        Listed(instruments),
        sockets.dealer(context, endpoints.engine, only_connected=True),
        operators,
    )


def _desk(
    name: str,
    sessions: list[LpSession],
    instruments: dict[str, Instrument],
    settings: Settings,
    endpoints: Endpoints,
    context: process.Context,
) -> Desk:
    now_ns = process.clock_ns()
    path = settings.run_dir / "fix" / f"{name.lower()}.sqlite"
    store = SqliteStore(path)
    registry = LpConfig(settings.lp_config).load()
    lp = (catalogue.lps() if registry is None else registry.lps).get(name)
    names = lp.symbols if lp is not None else {}
    desk = Desk(
        name,
        store,
        sockets.reporter(context, endpoints.quotes),
        sockets.subscriber(context, endpoints.events, topics.EVENTS),
        sockets.dealer(context, endpoints.engine),
    )
    for session in sessions:
        line = Line(session.id)
        if session.has_quotes:
            line.quotes = Quotes(Feed.start(name, instruments, now_ns), session, desk.publish)
        if session.has_orders:
            dispatch = Dispatch(path, now_ns, store.db)
            dispatcher = Dispatcher.start(name, names, dispatch, now_ns, _is_ours(lp))
            line.orders = Orders(dispatcher, dispatch, store, session, names, desk.tell_engine)
        if session.security_list or session.collateral_s:
            line.survey = Survey(session, instruments, line.quotes.misfits if line.quotes else _nobody_is_told)
            line.survey.follow(names)
        line.initiator = Initiator(
            session_settings(session, settings, line.may_replay),
            route(session, settings),
            store,
            line,
            process.clock_ns,
            random.SystemRandom(),
            _tap(session, settings),
        )
        desk.lines.append(line)
    return desk


def _is_ours(lp: Lp | None) -> bool:
    """Whether prices and orders of a registry's entry go over FIX."""
    return lp is not None and lp.enabled and lp.adapter == FIX_ADAPTER


def _nobody_is_told(_misfits: dict[str, str]) -> None:
    """Of a session without quotes the operator sees them with the session."""


def _tap(session: LpSession, settings: Settings) -> Tap:
    if not session.message_log:
        return lambda _is_ours, _data: None
    path = settings.run_dir / "fix" / "log" / f"{session.id}.log"
    return MessageLog(path, process.clock_ns, with_market_data=session.log_market_data).tap


if __name__ == "__main__":
    process.run("fix-lp", build)
