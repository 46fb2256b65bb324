"""The books of the symbols that some client follows in depth, as the aggregator publishes them."""

from collections import Counter

import zmq

from actors.bus import topics
from actors.bus.asking import Inlet
from actors.bus.codec import BadFrame, decoder, topic_and_body
from actors.bus.streams import StreamDepth
from actors.domain.prices.book import Depth

_decode = decoder(StreamDepth)


class Depths:
    def __init__(self, socket: zmq.Socket[bytes]) -> None:
        """`socket`: a subscriber of the aggregator's stream, for this alone."""
        self.inlet = Inlet(socket, self.receive)
        self.books: dict[str, Depth] = {}
        self.bad_frames = 0
        self._socket = socket
        self._followers: Counter[str] = Counter()

    def follow(self, symbol: str) -> None:
        """Its book comes soon, and then its changes."""
        self._followers[symbol] += 1
        if self._followers[symbol] == 1:
            self._socket.subscribe(topics.depth(symbol))
            self.inlet.look_again()

    def leave(self, symbol: str) -> None:
        """To be called once for each `follow`."""
        self._followers[symbol] -= 1
        if not self._followers[symbol]:
            del self._followers[symbol]
            self.books.pop(symbol, None)
            self._socket.unsubscribe(topics.depth(symbol))

    def receive(self, messages: list[list[bytes]]) -> None:
        for frames in messages:
            try:
                told = _decode(topic_and_body(frames[0])[1])
            except BadFrame:
                self.bad_frames += 1
                continue
            if told.symbol in self._followers:
                self.books[told.symbol] = told.depth
