"""Sessions that peers connect to: which one a connection is for, by the names in its Logon."""

import asyncio
import ssl
from collections.abc import Callable, Iterable

from gateway.fix.codec import Framer
from gateway.fix.connection import Application, Link, TransactionalStore
from gateway.fix.session import LOGON_LIMIT_BYTES, Session
from gateway.fix.settings import SessionSettings
from gateway.fix.times import MS_NS, SECOND_NS

STRANGERS_LIMIT = 100
"""Connections that have not said who they are; a further one is closed at once."""
STRANGER_TIMEOUT_MS = 10_000


class Acceptor:
    """Serves sessions in one event loop. `sessions` has them by id, for as long as it lives."""

    def __init__(
        self,
        settings: Iterable[SessionSettings],
        store: TransactionalStore,
        application: Application,
        clock: Callable[[], int],
    ):
        self._settings = {(one.target.encode(), one.sender.encode()): one for one in settings}
        self._store = store
        self._application = application
        self._clock = clock
        self.sessions = {one.session_id: Session(one, store) for one in self._settings.values()}
        self._links: dict[str, Link] = {}
        self._held: dict[str, None] = {}
        self._strangers = 0

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None) -> asyncio.Server:
        """Begins to serve; without `tls` in plain text."""
        return await asyncio.get_running_loop().create_server(lambda: _Stranger(self), host, port, ssl=tls)

    def commit(self, told: Iterable[str], write: Callable[[], None] = lambda: None) -> None:
        """Commits what the application has sent on its own account in these sessions, and writes it where they are up.

        `write`: what else belongs into that transaction. What is raised leaves all of it undone, and these sessions
        and whoever sent in them are no longer true.
        """
        told = dict.fromkeys(told)
        with self._store.transaction():
            write()
            for session_id in told:
                self.sessions[session_id].save()
        for session_id in told:
            if link := self._links.get(session_id):
                link.write()

    def seat(self, session_id: str) -> "Seat":
        return Seat(self, session_id)

    def log_out(self, text: str) -> bool:
        """Begins to log out in all sessions; whether there is still one that has a connection."""
        for link in [*self._links.values()]:
            if link.session.is_logged_on:
                link.log_out(text)
        return bool(self._links)

    def admit(self, transport: asyncio.Transport) -> bool:
        self._strangers += 1
        if self._strangers > STRANGERS_LIMIT:
            transport.abort()
        return self._strangers <= STRANGERS_LIMIT

    def leave(self) -> None:
        self._strangers -= 1

    def link_for(self, names: tuple[bytes | None, bytes | None]) -> Link | None:
        """For the session of a peer and us by these names, if there is one that has no connection and is not held."""
        settings = self._settings.get(names) if None not in names else None  # type: ignore[arg-type]
        if settings is None or settings.session_id in self._links or settings.session_id in self._held:
            return None
        session = self.sessions[settings.session_id]
        link = Link(session, self._store, self._application, self._clock, self._on_end)
        self._links[settings.session_id] = link
        return link

    def _on_end(self, link: Link, error: Exception | None) -> None:
        settings = link.session.settings
        del self._links[settings.session_id]
        if not link.session.is_down:
            self.sessions[settings.session_id] = Session(settings, self._store)
        self._application.on_end(self.sessions[settings.session_id], error)


class Seat:
    """The place of one session at an acceptor."""

    def __init__(self, acceptor: Acceptor, session_id: str):
        self._acceptor = acceptor
        self._id = session_id

    @property
    def session(self) -> Session:
        return self._acceptor.sessions[self._id]

    @property
    def is_held(self) -> bool:
        return self._id in self._acceptor._held

    @property
    def peer(self) -> str | None:
        """Of the connection, None where there is none."""
        link = self._acceptor._links.get(self._id)
        return link.peer if link is not None else None

    def hold(self, text: str) -> None:
        """Logs out, and takes no Logon until `release`."""
        self._acceptor._held[self._id] = None
        if link := self._acceptor._links.get(self._id):
            link.log_out(text)

    def release(self) -> None:
        self._acceptor._held.pop(self._id, None)

    def reread(self) -> None:
        """The store has other numbers now. There must be no connection."""
        self._acceptor.sessions[self._id] = Session(self.session.settings, self._acceptor._store)


class _Stranger(asyncio.Protocol):
    """A connection up to its first message, which must say for which session it is."""

    def __init__(self, acceptor: Acceptor):
        self._acceptor = acceptor
        self._framer = Framer(LOGON_LIMIT_BYTES)
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._is_admitted = self._acceptor.admit(transport)
        wait_s = STRANGER_TIMEOUT_MS * MS_NS / SECOND_NS
        self._timer = asyncio.get_running_loop().call_later(wait_s, transport.abort)

    def data_received(self, data: bytes) -> None:
        self._data += data
        messages = self._framer.receive_data(data)
        if messages:
            link = self._acceptor.link_for((messages[0].get(49), messages[0].get(56)))
            if link is None:
                self._transport.close()
                return
            self._forget()
            self._transport.set_protocol(link)
            link.connection_made(self._transport)
            link.data_received(self._data)
        elif self._framer.garbled or len(self._data) > LOGON_LIMIT_BYTES:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()

    def _forget(self) -> None:
        self._timer.cancel()
        self._acceptor.leave()
