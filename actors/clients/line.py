"""The line to the engine: requests that are kept until they are answered, many at a time."""

from collections.abc import Callable, Iterable
from itertools import chain

import zmq

from actors.bus.answers import Answer, Reply
from actors.bus.asking import Inlet
from actors.bus.codec import BadFrame, decoder, encode
from actors.bus.requests import EngineRequest
from actors.clients.books import Request

DEADLINE_MS = 5_000
"""A request that reaches the engine later than so long after it came is refused there (EXPIRED_REQUEST)."""
AGAIN_NS = 2_000_000_000
"""A request that is not answered is asked again after so long: under its own identity, so it is never done twice."""
REQUESTS_PER_MESSAGE = 64

_decode = decoder(Reply)


class Line:
    def __init__(self, socket: zmq.Socket[bytes], on_replies: Callable[[list[tuple[int, Answer]]], None]) -> None:
        """`on_replies` gets request ids with their answers, and some that nobody waits for (any more)."""
        self.bad_frames = 0
        self.inlet = Inlet(socket, self._receive)
        self._socket = socket
        self._on_replies = on_replies

    def ask(self, requests: Iterable[Request], now_ns: int) -> None:
        """Sends those that were not sent, or not answered for long. While the engine is away they wait."""
        due = [one for one in requests if one.is_ready and now_ns - one.asked_ns >= AGAIN_NS]
        for start in range(0, len(due), REQUESTS_PER_MESSAGE):
            page = due[start : start + REQUESTS_PER_MESSAGE]
            frames = [encode(EngineRequest(one.request_id, one.command, one.sent_ns, DEADLINE_MS)) for one in page]
            try:
                self._socket.send_multipart(frames, zmq.NOBLOCK)
            except zmq.Again:
                break
            for one in page:
                one.asked_ns = now_ns
        if due:
            self.inlet.look_again()

    def _receive(self, messages: list[list[bytes]]) -> None:
        replies = []
        for frame in chain.from_iterable(messages):
            try:
                reply = _decode(frame)
            except BadFrame:
                self.bad_frames += 1
                continue
            replies.append((reply.request_id, reply.body))
        self._on_replies(replies)
