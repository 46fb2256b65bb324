"""The process in which clients trade over FIX: sessions on one side, the engine and the prices on the other.

It has one thread and no actor: a session's state, what the desk makes of a message and what the engine says of it are
one SQLite transaction, and a connection to SQLite belongs to one thread.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from actors import process
from actors.bus import sockets, topics
from actors.bus.asking import Asker
from actors.bus.endpoints import Endpoints
from actors.bus.requests import AggregatorRequest, EngineRequest
from actors.clients.books import Books
from actors.clients.client import Client
from actors.clients.correspondence import Correspondence
from actors.clients.depths import Depths
from actors.clients.desk import ENGINE_SILENCE_LIMIT_NS, Desk
from actors.clients.engine import EngineSide
from actors.clients.inquiries import Inquiries
from actors.clients.market import Market
from actors.clients.price_feed import PriceFeed
from actors.clients.reporting import Reporting
from actors.clients.sessions import Agreed
from actors.clients.standing import Standing
from actors.clients.words import order_view
from actors.counters import CounterLog
from actors.fix_sessions import Served, SessionDesk
from config import session_ids
from config import settings as config
from config.client_sessions import Unreadable
from config.settings import Settings
from gateway.fix.acceptor import Acceptor
from gateway.fix.codec import Message
from gateway.fix.events import Event, LoggedOn, LoggedOut, Received, Refused, Warned
from gateway.fix.reasons import BusinessReason
from gateway.fix.session import Session
from gateway.fix.store import SqliteStore
from gateway.fix.trading import inquiries
from gateway.fix.trading.requests import Unfit

TURN_S = 0.05
TURNS_PER_SECOND = 20
STOP_LIMIT_S = 3.0


class Clients:
    """Everything between the FIX sessions and the bus. What it raises ends the process, and nothing is lost by it."""

    def __init__(
        self,
        agreed: Agreed,
        store: SqliteStore,
        where: Endpoints,
        context: process.Context,
        clock_ns: Callable[[], int],
    ) -> None:
        self._clock_ns = clock_ns
        self._store = store
        self._log = structlog.get_logger()
        self._told: dict[str, None] = {}
        self._failed: asyncio.Future[None] | None = None
        self.acceptor = Acceptor(agreed.settings, store, self, clock_ns)
        self._clients = {one.id: Client(one, self.acceptor.sessions, self._told) for one in agreed.profiles}
        self._asker = Asker("the engine", sockets.dealer(context, where.engine, only_connected=True), EngineRequest)
        self._aggregator = Asker(
            "the aggregator", sockets.dealer(context, where.aggregator, only_connected=True), AggregatorRequest
        )
        self._feed = PriceFeed(self._asker, self._aggregator, sockets.subscriber(context, where.ticks), clock_ns)
        self._books = Books(store.db)
        standing = Standing()
        correspondence = Correspondence(self._books, self._clients.values())
        self._reporting = Reporting(self._books, correspondence, standing.currencies)
        self._desk = Desk(self._books, correspondence, lambda: self._feed.prices.instruments)
        self._reporting.on_orphan = lambda client, _known, now_ns: self._desk.leave(client, now_ns)
        self._engine = EngineSide(
            self._asker,
            sockets.dealer(context, where.engine, only_connected=True),
            sockets.subscriber(context, where.events, topics.EVENTS),
            self._books,
            self._desk,
            correspondence,
            self._reporting,
            standing,
            self._feed.prices,
            self._clients,
            clock_ns,
            self._settle,
        )
        self._depths = Depths(sockets.subscriber(context, where.ticks))
        self._market = Market(self._feed.prices, standing, self._depths)
        self._inquiries = Inquiries(self._asker, self._feed.prices, clock_ns, self._session_status, self._settle)
        self._handlers: dict[bytes, Callable[[Client, Message, int], None]] = {
            **self._desk.handlers,
            b"V": self._market.ask,
            b"x": self._inquiries.security_list,
            b"g": self._inquiries.trading_session,
            b"AN": self._inquiries.positions,
            b"BB": self._inquiries.collateral,
        }
        self._sessions = SessionDesk(
            sockets.router(context, where.fix_clients),
            [self._served(client, store) for client in self._clients.values()],
            clock_ns,
        )
        self._counter_log = CounterLog(self._counts)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; raises what a part raises. The acceptor must be listening."""
        self._failed = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as parts:
            tasks = [
                parts.create_task(part)
                for part in (
                    self._asker.inlet.run(),
                    self._aggregator.inlet.run(),
                    self._engine.run(),
                    self._sessions.inlet.run(),
                    self._feed.run(),
                    self._depths.inlet.run(),
                    self._keep_time(),
                    self._fail(self._failed),
                )
            ]
            await stop.wait()
            await self._log_out()
            for task in tasks:
                task.cancel()

    def on_events(self, session: Session, events: list[Event], now_ns: int) -> None:
        """In the transaction of what was received: requests are kept with the number of their message."""
        client = self._clients[session.settings.session_id]
        for event in events:
            match event:
                case Received(message=message):
                    self._take(client, message, now_ns)
                case LoggedOn():
                    client.is_up = True
                    client.logged_on_ns = now_ns
                    self._log.info("logged on", session=client.profile.id, reset=event.reset)
                case LoggedOut(text=text):
                    self._leave(client, text, now_ns)
                case Refused() | Warned():
                    self._log.warning("session", session=client.profile.id, said=repr(event))
        self._told.pop(client.profile.id, None)
        if self._books.has_news:
            self._books.save(self._store.db)
            self._engine.wake()

    def on_end(self, session: Session, error: Exception | None) -> None:
        if error is None or isinstance(error, OSError):
            return  # The client's connection was reset: no fault of ours.
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    def _served(self, client: Client, store: SqliteStore) -> Served:
        seat = self.acceptor.seat(client.profile.id)
        return Served(client.profile.purpose, seat, store, lambda: client.logged_on_ns)

    def _take(self, client: Client, message: Message, now_ns: int) -> None:
        handler = self._handlers.get(message.msg_type)
        if handler is None or client.profile.purpose == "drop_copy":
            # A BusinessMessageReject (j) is not answered with another one.
            if message.msg_type != b"j":
                client.refused += 1
                reason = BusinessReason.UNSUPPORTED_MESSAGE_TYPE
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

    def _settle(self) -> None:
        """Commits what was said, with what the books are now, and lets it go."""
        if self._told or self._books.has_news:
            told = [*self._told]
            self._told.clear()
            self.acceptor.commit(told, lambda: self._books.save(self._store.db))

    def _session_status(self) -> bytes:
        now_ns = self._clock_ns()
        if now_ns - self._desk.heard_ns > ENGINE_SILENCE_LIMIT_NS:
            return inquiries.UNKNOWN
        return inquiries.OPEN if self._feed.prices.is_alive(now_ns) else inquiries.HALTED

    async def _keep_time(self) -> None:
        turns = 0
        while True:
            await asyncio.sleep(TURN_S)
            turns += 1
            now_ns = self._clock_ns()
            self._market.turn(self._clients.values(), now_ns)
            self._reporting.settle(now_ns)
            if turns % TURNS_PER_SECOND == 0:
                self._feed.prices.hush(now_ns)
                self._inquiries.turn(self._clients, now_ns)
                self._engine.turn(now_ns)
                self._counter_log.tell(now_ns)
                if self._books.is_behind:
                    self.acceptor.commit([], lambda: self._books.save(self._store.db))
            self._settle()

    def _counts(self) -> dict[str, int]:
        refused = sum(client.refused for client in self._clients.values())
        bad_frames = self._engine.line.bad_frames + self._feed.prices.bad_frames + self._sessions.bad_frames
        return {"refused": refused, "bad_frames": bad_frames, **self._store.counters}

    @staticmethod
    async def _fail(failed: asyncio.Future[None]) -> None:
        await failed

    async def _log_out(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_LIMIT_S):
                while self.acceptor.log_out("the broker's FIX service stops"):
                    await asyncio.sleep(TURN_S)


class Runner:
    """The process's loop."""

    def __init__(self, clients: Clients, agreed: Agreed) -> None:
        self._clients = clients
        self._agreed = agreed

    def run(self, stopping: Callable[[], bool]) -> None:
        asyncio.run(self._run(stopping))

    async def _run(self, stopping: Callable[[], bool]) -> None:
        host, port = self._agreed.host, self._agreed.port
        try:
            server = await self._clients.acceptor.listen(host, port, self._agreed.tls)
        except OSError as error:
            config.stop(f"HEDGEROW_FIX_PORT: cannot listen on {host}:{port}: {error.strerror}")
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
        agreed = Agreed.read(settings)
    except Unreadable as error:
        config.stop(f"FIX sessions: {error}")
    if both := session_ids.shared(settings):
        config.stop(both)
    store = SqliteStore(settings.run_dir / "fix" / "clients.sqlite")
    return Runner(Clients(agreed, store, endpoints, context, process.clock_ns), agreed)


if __name__ == "__main__":
    process.run("fix-clients", build)
