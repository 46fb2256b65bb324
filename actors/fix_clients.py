"""The process in which clients trade over FIX: sessions on one side, the engine and the prices on the other.

It has one thread and no actor: a session's state, what the desk makes of a message and what the engine says of it are
one SQLite transaction, and a connection to SQLite belongs to one thread.
"""

import asyncio
import secrets
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from actors import process
from actors.bus import sockets, topics
from actors.bus.answers import AccountReport, Answer, Instruments, Pong
from actors.bus.asking import Asker, Away, Declined, Inlet, NoAnswer
from actors.bus.endpoints import Endpoints
from actors.bus.following import EventStream
from actors.bus.prices import TOPICS, Prices
from actors.bus.requests import AggregatorRequest, EngineRequest, GetAccount, GetInstruments, Ping
from actors.clients.books import Books
from actors.clients.client import Client, may_be_sent_again
from actors.clients.desk import ENGINE_SILENCE_LIMIT_NS, Desk
from actors.clients.inquiries import Inquiries
from actors.clients.line import Line
from actors.clients.market import Market
from actors.clients.reporting import Reporting
from actors.clients.standing import Standing
from actors.clients.words import order_view
from actors.counters import CounterLog
from actors.domain.events import Event, InstrumentDefined
from actors.domain.quote import Tick
from actors.store import private_files
from config import client_sessions as session_config
from config import settings as config
from config.client_sessions import ClientSession, Listener
from config.settings import Settings
from gateway.fix.acceptor import Acceptor
from gateway.fix.codec import Message
from gateway.fix.events import Event as SessionEvent
from gateway.fix.events import LoggedOn, LoggedOut, Received, Refused, Warned
from gateway.fix.reasons import BusinessReason
from gateway.fix.schedule import Schedule
from gateway.fix.session import Session
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.store import SqliteStore
from gateway.fix.tls import server_context
from gateway.fix.trading import inquiries as wire
from gateway.fix.trading import vocabulary
from gateway.fix.trading.requests import Unfit

TURN_S = 0.05
TURNS_PER_SECOND = 20
RETRY_S = 0.25
ASK_TIMEOUT_MS = 2_000
EVENTS_PER_COMMIT = 1_000
STOP_LIMIT_S = 3.0
PASSWORD_BYTES = 18


class Lost(RuntimeError):
    """The engine does not have events any more that clients were not told of: a person must look at it."""


class Clients:
    """Everything between the FIX sessions and the bus. What it raises ends the process, and nothing is lost by it."""

    def __init__(
        self,
        profiles: list[ClientSession],
        passwords: dict[str, str],
        store: SqliteStore,
        where: Endpoints,
        context: process.Context,
        clock_ns: Callable[[], int],
    ) -> None:
        self._clock_ns = clock_ns
        self._store = store
        self._log = structlog.get_logger()
        self._told: dict[str, None] = {}
        self._heard: list[tuple[int, int, Event]] = []
        self._work = asyncio.Event()
        self._failed: asyncio.Future[None] | None = None
        settings = [_session_settings(profile, passwords[profile.id]) for profile in profiles]
        self.acceptor = Acceptor(settings, store, self, clock_ns)
        self.clients = {one.id: Client(one, self.acceptor.sessions, self._told) for one in profiles}
        self._books = Books(store.db)
        self._standing = Standing()
        self._reporting = Reporting(self._books, self.clients.values(), self._standing.currencies)
        self._desk = Desk(self._books, self._reporting)
        self._reporting.on_orphan = lambda client, _known, now_ns: self._desk.leave(client, now_ns)
        self._prices = Prices(clock_ns, self._on_ticks)
        self._market = Market(self._prices, self._standing)
        self._engine = Asker("the engine", sockets.dealer(context, where.engine, only_connected=True), EngineRequest)
        self._aggregator = Asker(
            "the aggregator", sockets.dealer(context, where.aggregator, only_connected=True), AggregatorRequest
        )
        self._line = Line(sockets.dealer(context, where.engine, only_connected=True), self._on_replies)
        self._inquiries = Inquiries(self._engine, self._prices, clock_ns, self._session_status, self._settle)
        self._tick_socket = sockets.subscriber(context, where.ticks)
        self._tick_inlet = Inlet(self._tick_socket, self._prices.receive)
        self._event_socket = sockets.subscriber(context, where.events, topics.EVENTS)
        self._events: EventStream | None = None
        self._handlers: dict[bytes, Callable[[Client, Message, int], None]] = {
            **self._desk.handlers,
            b"V": self._market.ask,
            b"x": self._inquiries.security_list,
            b"g": self._inquiries.trading_session,
            b"AN": self._inquiries.positions,
            b"BB": self._inquiries.collateral,
        }
        self._counter_log = CounterLog(self._counts)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; raises what a part raises. The acceptor must be listening."""
        self._failed = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as parts:
            tasks = [
                parts.create_task(part)
                for part in (
                    self._engine.inlet.run(),
                    self._aggregator.inlet.run(),
                    self._line.inlet.run(),
                    self._tick_inlet.run(),
                    self._follow(),
                    self._learn_instruments(),
                    self._keep_reporting(),
                    self._keep_time(),
                    self._repair_prices(),
                    self._fail(),
                )
            ]
            await stop.wait()
            await self._log_out()
            for task in tasks:
                task.cancel()

    # What the sessions say

    def on_events(self, session: Session, events: list[SessionEvent], now_ns: int) -> None:
        """In the transaction of what was received: requests are kept with the number of their message."""
        client = self.clients[session.settings.session_id]
        for event in events:
            match event:
                case Received(message=message):
                    self._take(client, message, now_ns)
                case LoggedOn():
                    client.is_up = True
                    self._log.info("logged on", session=client.profile.id, reset=event.reset)
                case LoggedOut(text=text):
                    self._leave(client, text, now_ns)
                case Refused() | Warned():
                    self._log.warning("session", session=client.profile.id, said=repr(event))
        self._told.pop(client.profile.id, None)
        if self._books.has_news:
            self._books.save(self._store.db)
            self._work.set()

    def on_end(self, session: Session, error: Exception | None) -> None:
        if error is None or isinstance(error, OSError):
            return  # The client's connection was reset: no fault of ours.
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    def _take(self, client: Client, message: Message, now_ns: int) -> None:
        handler = self._handlers.get(message.msg_type)
        if handler is None or client.profile.purpose == "drop_copy":
            reason = BusinessReason.UNSUPPORTED_MESSAGE_TYPE
            if message.msg_type not in (b"j", b"3"):
                self.acceptor.sessions[client.profile.id].reject(message, reason, "Unsupported Message Type", now_ns)
            return
        try:
            client.check(message, now_ns)
            handler(client, message, now_ns)
        except Unfit as fault:
            known = self._desk.meant(client, message) if message.msg_type in (b"F", b"G") else None
            view = order_view(known.order, known.name) if known is not None else None
            client.refuse(message, fault, view, now_ns)

    def _leave(self, client: Client, text: str, now_ns: int) -> None:
        client.is_up = False
        self._market.leave(client)
        self._inquiries.leave(client)
        self._desk.leave(client, now_ns)
        self._log.info("logged out", session=client.profile.id, reason=text)

    # What the engine says

    async def _follow(self) -> None:
        """Finds out where the accounts stand, then follows the events from the last one that was dealt with."""
        await self._learn_accounts()
        self._events = EventStream(self._engine, self._on_event, self._on_lost, self._books.event_seq + 1)
        inlet = Inlet(self._event_socket, self._on_event_frames)
        async with asyncio.TaskGroup() as parts:
            parts.create_task(inlet.run())
            parts.create_task(self._events.fill_holes())
            parts.create_task(self._catch_up())

    async def _learn_accounts(self) -> None:
        """Where nothing was followed before, reports begin with what happens next."""
        pong = await self._ask_until(Ping(), Pong)
        if not self._books.event_seq:
            self._books.event_seq = pong.seq if pong is not None else 0
        for account_id in self._reporting.accounts:
            report = await self._ask_until(GetAccount(account_id), AccountReport)
            if report is None:
                self._log.error("there is no such account (yet)", account=account_id)
                self._books.since.setdefault(account_id, 0)
                continue
            self._standing.learn(account_id, report)
            if account_id not in self._books.since:
                self._books.begin(account_id, report.seq, report.orders)
        self._settle()

    async def _catch_up(self) -> None:
        """Requests are taken, and those of before are asked again, once the books are where the engine is."""
        pong = await self._ask_until(Ping(), Pong)
        while pong is not None and self._books.event_seq < pong.seq:
            await asyncio.sleep(0.02)
        now_ns = self._clock_ns()
        for client in self.clients.values():
            if not client.is_up:
                self._desk.leave(client, now_ns)
        self._desk.heard_ns = now_ns
        self._settle()
        self._work.set()
        self._log.info("following", event_seq=self._books.event_seq)

    async def _ask_until(self, question: object, answer: type) -> Any:
        """The answer, however long the engine is away; None where it declines."""
        while True:
            try:
                return await self._engine.ask(question, answer, ASK_TIMEOUT_MS)
            except (Away, NoAnswer):
                await asyncio.sleep(RETRY_S)
            except Declined as error:
                if error.refusal.code != "UNAVAILABLE":
                    return None
                await asyncio.sleep(RETRY_S)

    def _on_event_frames(self, messages: list[list[bytes]]) -> None:
        assert self._events is not None
        if self._desk.heard_ns:
            self._desk.heard_ns = self._clock_ns()
        self._events.receive(messages)

    def _on_event(self, seq: int, time_ns: int, event: Event) -> None:
        self._heard.append((seq, time_ns, event))
        self._work.set()

    async def _keep_reporting(self) -> None:
        """Says what has happened, and asks what was committed: once for as much as there is."""
        while True:
            await self._work.wait()
            self._work.clear()
            self._report()
            self._ask_engine()
            if self._heard:
                self._work.set()
            await asyncio.sleep(0)

    def _report(self) -> None:
        now, self._heard = self._heard[:EVENTS_PER_COMMIT], self._heard[EVENTS_PER_COMMIT:]
        now_ns = self._clock_ns()
        for seq, time_ns, event in now:
            self._standing.take(event)
            if isinstance(event, InstrumentDefined):
                self._prices.define(event.instrument)
            self._reporting.take(seq, time_ns, event, now_ns)
        self._reporting.settle(now_ns)
        self._settle()

    def _on_replies(self, replies: list[tuple[int, Answer]]) -> None:
        now_ns = self._clock_ns()
        for request_id, answer in replies:
            self._reporting.answer(request_id, answer, now_ns)
        self._work.set()

    def _on_lost(self) -> None:
        raise Lost(f"the engine has no events after {self._books.event_seq} up to its stream's")

    def _ask_engine(self) -> None:
        """Sends new requests, which are kept by now."""
        fresh, self._books.fresh = self._books.fresh, []
        if fresh:
            self._line.ask(fresh, self._clock_ns())

    def _settle(self) -> None:
        """Commits what was said, with what the books are now, and lets it go."""
        if self._told or self._books.has_news:
            told = [*self._told]
            self._told.clear()
            self.acceptor.commit(told, lambda: self._books.save(self._store.db))

    # Prices and time

    def _on_ticks(self, ticks: list[Tick]) -> None:
        """They are told by the turn, conflated."""

    def _session_status(self) -> bytes:
        now_ns = self._clock_ns()
        if now_ns - self._desk.heard_ns > ENGINE_SILENCE_LIMIT_NS:
            return wire.UNKNOWN
        return wire.OPEN if self._prices.is_alive(now_ns) else wire.HALTED

    async def _learn_instruments(self) -> None:
        answer = await self._ask_until(GetInstruments(), Instruments)
        self._prices.define(*(answer.instruments if answer is not None else ()))
        for topic in TOPICS:
            self._tick_socket.subscribe(topic)
        self._tick_inlet.look_again()

    async def _keep_time(self) -> None:
        turns = 0
        while True:
            await asyncio.sleep(TURN_S)
            turns += 1
            now_ns = self._clock_ns()
            self._market.turn(self.clients.values(), now_ns)
            self._reporting.settle(now_ns)
            if turns % TURNS_PER_SECOND == 0:
                self._prices.hush(now_ns)
                self._inquiries.turn(self.clients, now_ns)
                self._reporting.tell_late(now_ns)
                self._counter_log.tell(now_ns)
                if self._desk.heard_ns:
                    self._line.ask(self._books.requests.values(), now_ns)
                if self._books.is_behind:
                    self.acceptor.commit([], lambda: self._books.save(self._store.db))
            self._settle()

    async def _repair_prices(self) -> None:
        while True:
            await asyncio.sleep(1)
            if self._prices.behind:
                await self._prices.repair(self._aggregator)

    def _counts(self) -> dict[str, int]:
        refused = sum(client.refused for client in self.clients.values())
        return {"refused": refused, "bad_replies": self._line.bad_frames, "bad_prices": self._prices.bad_frames}

    # The end

    async def _fail(self) -> None:
        assert self._failed is not None
        await self._failed

    async def _log_out(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_LIMIT_S):
                while self.acceptor.log_out("the broker's FIX service stops"):
                    await asyncio.sleep(0.05)


class Runner:
    """The process's loop."""

    def __init__(self, clients: Clients, listener: Listener, tls: ssl.SSLContext | None) -> None:
        self._clients = clients
        self._listener = listener
        self._tls = tls

    def run(self, stopping: Callable[[], bool]) -> None:
        asyncio.run(self._run(stopping))

    async def _run(self, stopping: Callable[[], bool]) -> None:
        listener = self._listener
        try:
            server = await self._clients.acceptor.listen(listener.host, listener.port, self._tls)
        except OSError as error:
            config.stop(f"HEDGEROW_FIX_PORT: cannot listen on {listener.host}:{listener.port}: {error.strerror}")
        stop = asyncio.Event()

        async def watch() -> None:
            while not stopping():
                await asyncio.sleep(TURN_S)
            server.close()
            stop.set()

        watching = asyncio.create_task(watch())
        try:
            await self._clients.run(stop)
        finally:
            watching.cancel()


def build(settings: Settings, endpoints: Endpoints, context: process.Context) -> Runner:
    try:
        listener, profiles = session_config.read(settings.fix_sessions)
        passwords = {one.id: _password(settings.run_dir / "secrets", one) for one in profiles}
        tls = _tls(listener)
    except session_config.Unreadable as error:
        config.stop(f"FIX sessions: {error}")
    if settings.fix_port is not None:
        listener = Listener(listener.host, settings.fix_port, tls=listener.tls)
    store = SqliteStore(settings.run_dir / "fix" / "clients.sqlite")
    clients = Clients(profiles, passwords, store, endpoints, context, process.clock_ns)
    return Runner(clients, listener, tls)


def _password(folder: Path, profile: ClientSession) -> str:
    """From the environment or its file, which is made where there is none."""
    if profile.password_env:
        return session_config.password(profile)
    path = folder / profile.password_file
    if not path.exists():
        private_files.write(path, secrets.token_urlsafe(PASSWORD_BYTES) + "\n")
    return path.read_text(encoding="ascii").strip()


def _tls(listener: Listener) -> ssl.SSLContext | None:
    if not listener.tls or listener.certificate is None or listener.key is None:
        return None
    try:
        return server_context(listener.certificate, listener.key, listener.client_ca)
    except OSError as error:
        raise session_config.Unreadable(f"[listener]: certificate or key: {error}") from None


def _session_settings(profile: ClientSession, password: str) -> SessionSettings:
    hours = profile.hours
    schedule = None
    if hours is not None:
        schedule = Schedule(hours.start, hours.end, ZoneInfo(hours.zone), hours.start_weekday, hours.end_weekday)
    return SessionSettings(
        session_id=profile.id,
        role=Role.ACCEPTOR,
        sender=profile.sender,
        target=profile.target,
        username=profile.username,
        password=password,
        heartbeat_limit_s=profile.heartbeat_limit_s,
        dictionary=vocabulary.DICTIONARY,
        schedule=schedule,
        replay=may_be_sent_again,
    )


if __name__ == "__main__":
    process.run("fix-clients", build)
