"""The desk's side of the engine: events followed without a hole, requests asked until they are answered."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
import zmq

from actors.bus.answers import AccountReport, Answer, Pong
from actors.bus.asking import Asker, Away, Declined, Inlet, NoAnswer
from actors.bus.desk_answers import Terms
from actors.bus.following import EventStream
from actors.bus.prices import Prices
from actors.bus.requests import GetAccount, GetTerms, Ping
from actors.clients.books import Books
from actors.clients.client import Client
from actors.clients.correspondence import Correspondence
from actors.clients.desk import Desk
from actors.clients.line import Line
from actors.clients.reporting import Reporting
from actors.clients.standing import Standing
from actors.domain.events.event import Event
from actors.domain.events.terms import InstrumentDefined

EVENTS_PER_COMMIT = 1_000
ASK_TIMEOUT_MS = 2_000
RETRY_S = 0.25
CATCH_UP_POLL_S = 0.02


class Lost(RuntimeError):
    """The engine does not have events any more that clients were not told of: a person must look at it."""


class EngineSide:
    def __init__(
        self,
        asker: Asker,
        line: zmq.Socket[bytes],
        events: zmq.Socket[bytes],
        books: Books,
        desk: Desk,
        correspondence: Correspondence,
        reporting: Reporting,
        standing: Standing,
        prices: Prices,
        clients: dict[str, Client],
        clock_ns: Callable[[], int],
        settle: Callable[[], None],
    ) -> None:
        """`settle` commits what was said and what the books are, and lets it go."""
        self.line = Line(line, self._on_replies)
        self._asker = asker
        self._socket = events
        self._books = books
        self._desk = desk
        self._mail = correspondence
        self._reporting = reporting
        self._standing = standing
        self._prices = prices
        self._clients = clients
        self._clock_ns = clock_ns
        self._settle = settle
        self._heard: list[tuple[int, int, Event]] = []
        self._work = asyncio.Event()
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Until cancelled. Raises Lost."""
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self.line.inlet.run())
            await self._learn_accounts()
            stream = EventStream(self._asker, self._on_event, self._on_lost, self._books.event_seq + 1)
            parts.create_task(Inlet(self._socket, lambda messages: self._receive(stream, messages)).run())
            parts.create_task(stream.fill_holes())
            parts.create_task(self._keep_working())
            parts.create_task(self._catch_up())

    def wake(self) -> None:
        """There are new requests, which are kept by now."""
        self._work.set()

    def turn(self, now_ns: int) -> None:
        """Once a second: what has had no answer for long is asked again, and its client told that it is pending."""
        self._mail.tell_late(now_ns)
        if self._desk.heard_ns:
            self.line.ask(self._books.requests.values(), now_ns)

    async def _learn_accounts(self) -> None:
        """Where nothing was followed before, reports begin with what happens next."""
        pong = await ask_until(self._asker, Ping(), Pong)
        if not self._books.event_seq:
            self._books.event_seq = pong.seq if pong is not None else 0
        terms = await ask_until(self._asker, GetTerms(), Terms)
        self._standing.define(terms.groups if terms is not None else ())
        quoted = [client.account for client in self._clients.values() if client.account]
        for account_id in dict.fromkeys([*self._mail.accounts, *quoted]):
            report = await ask_until(self._asker, GetAccount(account_id), AccountReport)
            if report is None:
                self._log.error("there is no such account (yet)", account=account_id)
            else:
                self._standing.learn(account_id, report)
            if account_id in self._mail.accounts and account_id not in self._books.since:
                seq, waiting = (report.seq, report.orders) if report is not None else (0, ())
                self._books.begin(account_id, seq, waiting)
        self._settle()

    async def _catch_up(self) -> None:
        """Requests are taken, and those of before are asked again, once the books are where the engine is."""
        pong = await ask_until(self._asker, Ping(), Pong)
        while pong is not None and self._books.event_seq < pong.seq:
            await asyncio.sleep(CATCH_UP_POLL_S)
        now_ns = self._clock_ns()
        for client in self._clients.values():
            if not client.is_up:
                self._desk.leave(client, now_ns)
        self._desk.heard_ns = now_ns
        self._settle()
        self.line.ask(self._books.requests.values(), now_ns)
        self._log.info("following", event_seq=self._books.event_seq)

    def _receive(self, stream: EventStream, messages: list[list[bytes]]) -> None:
        if self._desk.heard_ns:
            self._desk.heard_ns = self._clock_ns()
        stream.receive(messages)

    def _on_event(self, seq: int, time_ns: int, event: Event) -> None:
        self._heard.append((seq, time_ns, event))
        self._work.set()

    def _on_lost(self) -> None:
        raise Lost(f"the engine has no events after {self._books.event_seq} up to its stream's")

    def _on_replies(self, replies: list[tuple[int, Answer]]) -> None:
        now_ns = self._clock_ns()
        for request_id, answer in replies:
            self._reporting.answer(request_id, answer, now_ns)
        self._settle()
        self._work.set()

    async def _keep_working(self) -> None:
        """Says what has happened and asks what is new: one commit and one message for as much as there is."""
        while True:
            await self._work.wait()
            self._work.clear()
            self._report()
            fresh, self._books.fresh = self._books.fresh, []
            if fresh and self._desk.heard_ns:
                self.line.ask(fresh, self._clock_ns())
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


async def ask_until(asker: Asker, question: Any, answer: type[Any]) -> Any:
    """The answer, however long the process is away; None where it declines."""
    while True:
        try:
            return await asker.ask(question, answer, ASK_TIMEOUT_MS)
        except (Away, NoAnswer):
            await asyncio.sleep(RETRY_S)
        except Declined as error:
            if error.refusal.code != "UNAVAILABLE":
                return None
            await asyncio.sleep(RETRY_S)
