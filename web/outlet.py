"""What is written to a WebSocket, past the layers that make a frame anew for each connection."""

from collections.abc import Callable
from functools import partial

from tornado.iostream import IOStream, SSLIOStream, StreamClosedError

UNSENT_LIMIT_BYTES = 1_048_576
"""What may wait for a client that reads too slowly."""


class Outlet:
    """Whole frames to one connection. What the socket does not take at once waits, within a bound."""

    __slots__ = ("_send", "_stream", "unsent_bytes")

    def __init__(self, stream: IOStream) -> None:
        self.unsent_bytes = 0
        self._stream = stream
        # TLS has retries of its own, which the stream knows of.
        self._send: Callable[[bytes], int] = (
            _of_stream(stream) if isinstance(stream, SSLIOStream) else stream.socket.send
        )

    def write(self, frames: bytes) -> bool:
        """False where so much waits that these are not taken. Of a connection that is lost nothing is said."""
        if self.unsent_bytes:
            if self.unsent_bytes > UNSENT_LIMIT_BYTES:
                return False
        elif not self._stream.writing():
            try:
                sent = self._send(frames)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self._stream.close(exc_info=error)
                return True
            if sent == len(frames):
                return True
            frames = frames[sent:]
        try:
            written = self._stream.write(frames)
        except StreamClosedError:
            return True
        if not written.done():
            self.unsent_bytes += len(frames)
            written.add_done_callback(partial(self._sent, len(frames)))
        return True

    def _sent(self, size_bytes: int, _: object) -> None:
        self.unsent_bytes -= size_bytes


def _of_stream(stream: SSLIOStream) -> Callable[[bytes], int]:
    return lambda frames: stream.write_to_fd(memoryview(frames))
