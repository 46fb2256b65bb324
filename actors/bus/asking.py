"""The bus on an asyncio loop: questions to the other processes, many at a time, and streams from them."""

import asyncio
from collections.abc import Callable
from itertools import chain
from typing import Any, NamedTuple, TypeVar

import zmq

from actors.bus.answers import Answer, Refusal, Reply
from actors.bus.codec import BadFrame, decoder, encode
from actors.bus.fix_sessions import FixRequest
from actors.bus.multipart import drain, send
from actors.bus.requests import AggregatorRequest, EngineRequest, HistoryRequest

BATCH_MESSAGES = 1_000
"""How many messages are taken from a socket before the rest of the process has its turn."""
OPEN_QUESTIONS_LIMIT = 1_000
"""How many questions to one process may wait for their answer; one more is not sent (`Away`)."""
FRAMES_LIMIT = 100
"""How many questions to the engine, which takes several in one message, leave in one at most."""
LOOK_S = 0.05
"""How often it is looked who has waited too long: one timer for all questions, for each of its own costs more."""

A = TypeVar("A", bound=Answer)


class Away(Exception):
    """The process is not there, or is behind with too many questions: this one was not sent."""


class NoAnswer(Exception):
    """The question was sent and not answered in time. Whether a command was carried out is not known."""


class Declined(Exception):
    """The process answered with a Refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.code}: {refusal.detail}")
        self.refusal = refusal


class Inlet:
    """Takes a socket's messages, as they come, to a function: a list of them at a time, each a list of frames."""

    def __init__(
        self, socket: zmq.Socket[bytes], receive: Callable[[list[list[bytes]]], None], pause_s: float = 0.0
    ) -> None:
        """`pause_s`: between one list and the next."""
        self._socket = socket
        self._receive = receive
        self._pause_s = pause_s
        self._readable = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled; raises what `receive` raises."""
        loop = asyncio.get_running_loop()
        descriptor = self._socket.fileno()
        is_listening = False
        try:
            while True:
                if messages := drain(self._socket, BATCH_MESSAGES):
                    self._receive(messages)
                    await asyncio.sleep(self._pause_s)
                    continue
                self._readable.clear()
                if not is_listening:
                    is_listening = True
                    loop.add_reader(descriptor, self._readable.set)
                await self._readable.wait()
                if self._pause_s:
                    # During a pause what arrives does not wake anybody.
                    is_listening = False
                    loop.remove_reader(descriptor)
        finally:
            loop.remove_reader(descriptor)

    def look_again(self) -> None:
        """To be called after each use of the socket: sending may take the signal away that something has arrived."""
        self._readable.set()


class _Open(NamedTuple):
    """A question that waits for its answer."""

    future: asyncio.Future[Answer]
    timeout_ms: int
    due_s: float
    """By the loop's clock."""


class Asker:
    """Asks one process over a DEALER socket, many questions at a time. An answer that comes too late is dropped.

    The questions of one turn of the loop leave together, so that the other side wakes once for all of them.
    """

    def __init__(
        self,
        name: str,
        socket: zmq.Socket[bytes],
        request: type[EngineRequest] | type[HistoryRequest] | type[AggregatorRequest] | type[FixRequest],
        questions_per_message: int = 1,
    ) -> None:
        """`name` says in sentences which process this is; `questions_per_message`: how many frames it takes in one."""
        self.name = name
        self.dropped = 0
        """Replies that did not decode or that nobody waits for."""
        self.inlet = Inlet(socket, self._on_replies)
        self._socket = socket
        self._request: Callable[..., Any] = request
        self._questions_per_message = questions_per_message
        self._decode = decoder(Reply)
        self._last_id = 0
        self._open: dict[int, _Open] = {}
        self._unsent: list[tuple[int, bytes]] = []
        """The questions of this turn, with their ids."""
        self._looks = False

    async def ask(self, question: Any, answer: type[A], timeout_ms: int, sent_ns: int = 0) -> A:
        """The answer, which must be of the class given; raises Away, NoAnswer or Declined.

        `sent_ns`: now, where the engine is not to begin with it after the timeout.
        """
        if len(self._open) >= OPEN_QUESTIONS_LIMIT:
            raise Away(f"{self.name} is behind with {OPEN_QUESTIONS_LIMIT} questions")
        self._last_id += 1
        request_id = self._last_id
        limits = (sent_ns, timeout_ms) if sent_ns else ()
        frame = encode(self._request(request_id, question, *limits))
        loop = asyncio.get_running_loop()
        if not self._unsent:
            loop.call_soon(self._send)
        self._unsent.append((request_id, frame))
        future: asyncio.Future[Answer] = loop.create_future()
        self._open[request_id] = _Open(future, timeout_ms, loop.time() + timeout_ms / 1_000)
        if not self._looks:
            self._looks = True
            loop.call_later(LOOK_S, self._look, loop)
        try:
            got = await future
        finally:
            del self._open[request_id]
        if isinstance(got, Refusal):
            raise Declined(got)
        if not isinstance(got, answer):
            self.dropped += 1
            raise NoAnswer(f"{self.name} answered {type(got).__name__}, not {answer.__name__}")
        return got

    def _send(self) -> None:
        unsent, self._unsent = self._unsent, []
        for start in range(0, len(unsent), self._questions_per_message):
            together = unsent[start : start + self._questions_per_message]
            if not send(self._socket, [frame for _, frame in together]):
                for request_id, _ in together:
                    self._fail(request_id, Away(f"{self.name} is not there"))
        self.inlet.look_again()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now_s = loop.time()
        for request_id, (_, timeout_ms, due_s) in list(self._open.items()):
            if due_s <= now_s:
                self._fail(request_id, NoAnswer(f"{self.name} has not answered for {timeout_ms} ms"))
        self._looks = bool(self._open)
        if self._looks:
            loop.call_later(LOOK_S, self._look, loop)

    def _fail(self, request_id: int, why: Exception) -> None:
        question = self._open.get(request_id)
        if question is not None and not question.future.done():
            question.future.set_exception(why)

    def _on_replies(self, messages: list[list[bytes]]) -> None:
        for frame in chain.from_iterable(messages):
            try:
                reply = self._decode(frame)
            except BadFrame:
                self.dropped += 1
                continue
            question = self._open.get(reply.request_id)
            if question is None or question.future.done():
                self.dropped += 1
            else:
                question.future.set_result(reply.body)
