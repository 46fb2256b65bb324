"""The asyncio loop's side of FIX sessions: sockets, timers, and one commit for each piece of input."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Protocol

from gateway.fix.events import Event
from gateway.fix.session import Session
from gateway.fix.store import Store
from gateway.fix.times import SECOND_NS

WRITE_LIMIT_BYTES = 4_194_304
"""A peer that leaves more unread is cut off: what it misses it asks for when it is back."""
HALVED_FROM_BYTES = 8_192
"""So much that comes at once is taken in by two turns, each with its commit: the peer works on our answers to the first
half while we work on the second. Else all that is under way gathers at one side, and the other one waits."""


Tap = Callable[[bool, bytes], None]
"""Is shown what goes over the wire: whether it is ours, and the bytes."""


class TransactionalStore(Store, Protocol):
    def transaction(self) -> AbstractContextManager[Any]: ...


class Application(Protocol):
    """`on_events` runs inside the store's transaction: what it writes there is kept together with the session's state.

    What it raises undoes the transaction and cuts the connection; the peer sends those messages again.
    """

    def on_events(self, session: Session, events: list[Event], now_ns: int) -> None: ...

    def on_end(self, session: Session, error: Exception | None) -> None:
        """The connection is gone; `error` is what ended it, if it was neither peer. Outside transactions."""
        ...


class Link(asyncio.Protocol):
    """One transport for one session, from `open` to the end."""

    def __init__(
        self,
        session: Session,
        store: TransactionalStore,
        application: Application,
        clock: Callable[[], int],
        on_end: Callable[["Link", Exception | None], None],
        tap: Tap = lambda _is_ours, _data: None,
    ):
        self.session = session
        self._store = store
        self._application = application
        self._clock = clock
        self._on_end = on_end
        self._tap = tap
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due_ns = 0
        self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(high=WRITE_LIMIT_BYTES // 4)
        self._transport = transport
        self._turn(lambda now_ns: [self.session.open(now_ns)])

    def data_received(self, data: bytes) -> None:
        self._tap(False, data)
        middle = len(data) // 2 if len(data) >= HALVED_FROM_BYTES else 0
        for part in (data[:middle], data[middle:]):
            if self._transport is None or self._transport.is_closing():
                return  # What was not taken in is not counted, and comes again.
            if part:
                self._turn(partial(self.session.receive_in_turn, part))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._turn(lambda now_ns: [self.session.closed(now_ns)])
        if self._transport is not None:
            self._finish(exc)

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._arm()

    @property
    def peer(self) -> str:
        """The other end's address and port; empty where it has none, as a Unix socket."""
        name = self._transport.get_extra_info("peername") if self._transport is not None else None
        return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else ""

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    def flush(self) -> None:
        """Commits and writes what the application has sent on its own account."""
        self._turn(lambda _now_ns: [[]])

    def log_out(self, text: str) -> None:
        """Begins to log out; before a Logon was answered it just ends."""
        self._turn(lambda now_ns: [self.session.logout(text, now_ns)])

    def _turn(self, step: Callable[[int], Iterable[list[Event]]]) -> None:
        """One step of the session and what the application makes of it, in one transaction; then the bytes."""
        transport = self._transport
        if transport is None:
            return
        now_ns = self._clock()
        try:
            with self._store.transaction():
                for events in step(now_ns):
                    if events:
                        self._application.on_events(self.session, events, now_ns)
                self.session.save()
        except Exception as error:  # noqa: BLE001 - it is handed on, and the session is made anew
            transport.abort()
            self._finish(error)
            return
        self.write()

    def write(self) -> None:
        """Gives the transport what was committed, and does what follows from it."""
        transport = self._transport
        if transport is None:
            return
        if data := self.session.data_to_send():
            self._tap(True, data)
            transport.write(data)
        if transport.get_write_buffer_size() > WRITE_LIMIT_BYTES:
            transport.abort()
        elif self.session.must_close:
            transport.close()
        self._arm()

    def _arm(self) -> None:
        """A timer that is set for an earlier time stays: deadlines move on with each message."""
        deadline_ns = self.session.next_deadline_ns
        may_wait = self._transport is not None and not self._is_paused
        if self._timer is not None and may_wait and deadline_ns is not None and self._timer_due_ns <= deadline_ns:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if may_wait and deadline_ns is not None:
            wait_s = max(deadline_ns - self._clock(), 0) / SECOND_NS
            self._timer_due_ns = deadline_ns
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        deadline_ns = self.session.next_deadline_ns
        if deadline_ns is not None and deadline_ns <= self._clock():
            self._turn(lambda now_ns: [self.session.tick(now_ns)])
        else:
            self._arm()

    def _finish(self, error: Exception | None) -> None:
        self._transport = None
        self._arm()
        self._on_end(self, error)
