"""What is written to a WebSocket, past the layers that make a frame anew for each connection."""

from collections.abc import Callable
from functools import partial

from tornado.iostream import IOStream, SSLIOStream, StreamClosedError

UNSENT_LIMIT_BYTES = 1_048_576
"""What may wait for a client that reads too slowly."""


class Outlet:
    """Whole frames to one connection. What the socket does not take at once waits, within a bound."""

    __slots__ = ("_is_clear", "_is_closed", "_is_shared", "_overrun", "_send", "_stream", "_unsent_bytes")

    def __init__(self, stream: IOStream, overrun: Callable[[], None]) -> None:
        """`overrun` is called with frames that are not taken, because too much waits already."""
        self._stream = stream
        self._overrun = overrun
        self._unsent_bytes = 0
        self._is_clear = True
        """Nothing waits, and nobody but us can have made it so: frames go to the socket without a look."""
        self._is_shared = False
        self._is_closed = False
        # TLS has retries of its own, which the stream knows of.
        self._send: Callable[[bytes], int] = (
            _of_stream(stream) if isinstance(stream, SSLIOStream) else stream.socket.send
        )

    def write(self, frames: bytes) -> None:
        """Of a connection that is lost nothing is said."""
        if self._is_clear or self._look():
            try:
                sent = self._send(frames)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self._stream.close(exc_info=error)
                return
            if sent == len(frames):
                return
            frames = frames[sent:]
        self._wait(frames)

    def look(self) -> None:
        """To be called when somebody else has written to the stream: it may hold some of that back."""
        self._is_clear = False

    def share(self) -> None:
        """From now on somebody else writes to the stream when it suits them."""
        self._is_clear = False
        self._is_shared = True

    def close(self) -> None:
        """Nothing is sent any more; what waits is."""
        self._is_clear = False
        self._is_closed = True

    def _look(self) -> bool:
        """Whether frames may go to the socket now."""
        if self._is_closed or self._unsent_bytes or self._stream.writing():
            return False
        self._is_clear = not self._is_shared
        return True

    def _wait(self, frames: bytes) -> None:
        if self._is_closed:
            return
        if self._unsent_bytes > UNSENT_LIMIT_BYTES:
            self._overrun()
            return
        self._is_clear = False
        try:
            written = self._stream.write(frames)
        except StreamClosedError:
            return
        if not written.done():
            self._unsent_bytes += len(frames)
            written.add_done_callback(partial(self._sent, len(frames)))

    def _sent(self, size_bytes: int, _: object) -> None:
        self._unsent_bytes -= size_bytes


def _of_stream(stream: SSLIOStream) -> Callable[[bytes], int]:
    return lambda frames: stream.write_to_fd(memoryview(frames))
