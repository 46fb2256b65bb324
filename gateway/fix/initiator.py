"""A session that we connect: host after host, with backoff, in its hours, until it is stopped."""

import asyncio
import random
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from gateway.connection import backoff_ms
from gateway.fix.connection import Application, Link, Tap, TransactionalStore
from gateway.fix.events import Event, LoggedOn, LoggedOut
from gateway.fix.proxy import Proxy
from gateway.fix.session import Session
from gateway.fix.settings import SessionSettings
from gateway.fix.times import SECOND_NS
from gateway.venues.interface import Patience


@dataclass(frozen=True, slots=True)
class Host:
    name: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How the peer is reached. `tls` is None only where plain text is the explicit wish."""

    hosts: Sequence[Host]
    tls: ssl.SSLContext | None
    proxy: Proxy | None = None
    server_name: str = ""
    """The name that the peer's certificate has, and SNI says, where it is not that of the host."""
    patience: Patience = field(default_factory=Patience)

    def host(self, attempt: int) -> Host:
        """One after the other. May raise OSError: there is none now."""
        return self.hosts[attempt % len(self.hosts)]


class Initiator:
    """Drives one session in one event loop; `session` is always the one to send through, and `flush` sends."""

    def __init__(
        self,
        settings: SessionSettings,
        route: Route,
        store: TransactionalStore,
        application: Application,
        clock: Callable[[], int],
        chance: random.Random,
        tap: Tap = lambda _is_ours, _data: None,
    ):
        self.session = Session(settings, store)
        self._route = route
        self._store = store
        self._application = application
        self._clock = clock
        self._chance = chance
        self._tap = tap
        self._link: Link | None = None
        self._ended: asyncio.Future[None] | None = None
        self._failures = 0
        self._refused = False
        self._stopping = False
        self._held = False
        self._wake = asyncio.Event()

    def flush(self) -> None:
        """Commits what the application has sent on its own account, and writes it if the session is up."""
        self.commit(lambda: None)

    def commit(self, act: Callable[[], None]) -> None:
        """As `flush`, with what `act` sends and writes in the same transaction.

        What is raised leaves all of it undone, and the session is no longer true.
        """
        with self._store.transaction():
            act()
            self.session.save()
        if self._link is not None:
            self._link.write()

    def stop(self) -> None:
        """Logs out and ends `run`; calling it again changes nothing."""
        self._stopping = True
        self._wake.set()
        if self._link is not None:
            self._link.log_out("stopped")

    @property
    def is_held(self) -> bool:
        return self._held

    @property
    def peer(self) -> str | None:
        """Of the connection, None where there is none."""
        return self._link.peer if self._link is not None else None

    def hold(self, text: str) -> None:
        """Logs out, and does not connect until `release`."""
        self._held = True
        if self._link is not None:
            self._link.log_out(text)

    def release(self) -> None:
        """Connects at once, where it waits for that."""
        self._held = False
        self._wake.set()

    def reread(self) -> None:
        """The store has other numbers now. There must be no connection."""
        self.session = Session(self.session.settings, self._store)

    async def run(self) -> None:
        """Connects, and connects again after each end, until `stop`."""
        attempt = 0
        while not self._stopping:
            if self._held:
                await self._sleep(None)
                continue
            if (wait_ns := self._until_hours_ns()) > 0:
                await self._sleep(wait_ns / SECOND_NS)
                continue
            self._failures += 1
            self._refused = False
            try:
                await self._connect(self._route.host(attempt))
            except (OSError, TimeoutError) as error:
                if self._link is not None and not self._link.is_open:
                    self._link = None  # TLS was not agreed on: the link never had a transport.
                self._application.on_end(self.session, error)
            attempt += 1
            if not self._stopping:
                wait_ms = backoff_ms(self._failures, self._refused, self._route.patience, self._chance)
                await self._sleep(wait_ms / 1000)

    async def _connect(self, host: Host) -> None:
        """One connection, up to its end. Raises OSError, TimeoutError."""
        loop = asyncio.get_running_loop()
        route = self._route
        name = (route.server_name or host.name) if route.tls else None
        self._ended = loop.create_future()
        async with asyncio.timeout(route.patience.connect_timeout_ms / 1000):
            if route.proxy is None:
                await loop.create_connection(self._made, host.name, host.port, ssl=route.tls, server_hostname=name)
            else:
                line = await route.proxy.connect(host.name, host.port)
                await loop.create_connection(self._made, sock=line, ssl=route.tls, server_hostname=name)
        if self._link is not None and (self._held or self._stopping):
            self._link.log_out("stopped")
        await self._ended

    def _made(self) -> Link:
        application = _Listening(self, self._application)
        self._link = Link(self.session, self._store, application, self._clock, self._on_end, self._tap)
        return self._link

    def note(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, LoggedOn):
                self._failures = 0
            elif isinstance(event, LoggedOut):
                self._refused = event.refused

    def _on_end(self, link: Link, error: Exception | None) -> None:
        self._link = None
        if not self.session.is_down:
            self.session = Session(self.session.settings, self._store)
        self._application.on_end(self.session, error)
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    def _until_hours_ns(self) -> int:
        schedule, now_ns = self.session.settings.schedule, self._clock()
        if schedule is None or schedule.window_ns(now_ns):
            return 0
        return schedule.next_start_ns(now_ns) - now_ns

    async def _sleep(self, wait_s: float | None) -> None:
        self._wake.clear()
        if not self._stopping:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait_s)


class _Listening:
    """Lets the initiator know what its application is told."""

    def __init__(self, initiator: Initiator, application: Application):
        self._initiator = initiator
        self._application = application

    def on_events(self, session: Session, events: list[Event], now_ns: int) -> None:
        self._initiator.note(events)
        self._application.on_events(session, events, now_ns)

    def on_end(self, session: Session, error: Exception | None) -> None:
        self._application.on_end(session, error)
