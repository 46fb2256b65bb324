"""Opening the sockets of the bus, each with its limits. A socket belongs to the thread that uses it."""

import contextlib

import zmq

from actors.bus.codec import MAX_FRAME_BYTES

QUEUE_MESSAGES = 10_000
"""High-water mark of every socket. Beyond it a publisher drops for the slow subscriber; sequence numbers tell."""
LINGER_MS = 500
"""How long a closing socket may go on sending what it was given."""


def router(context: zmq.Context[zmq.Socket[bytes]], endpoint: str) -> zmq.Socket[bytes]:
    """Answers requests; binds. A reply to a peer that is gone is dropped: the peer asks again."""
    return _bound(_socket(context, zmq.ROUTER), endpoint)


def dealer(
    context: zmq.Context[zmq.Socket[bytes]], endpoint: str, *, only_connected: bool = False
) -> zmq.Socket[bytes]:
    """Asks a router; connects, now or whenever the router is there.

    `only_connected`: sending raises `zmq.Again` while the router is away, instead of keeping the question for it.
    """
    socket = _socket(context, zmq.DEALER)
    socket.setsockopt(zmq.IMMEDIATE, only_connected)
    return _connected(socket, endpoint)


def publisher(context: zmq.Context[zmq.Socket[bytes]], endpoint: str) -> zmq.Socket[bytes]:
    """A public stream; binds."""
    return _bound(_socket(context, zmq.PUB), endpoint)


def snapshot_publisher(context: zmq.Context[zmq.Socket[bytes]], endpoint: str) -> zmq.Socket[bytes]:
    """A public stream whose owner hears of each subscription, so that late joiners get a snapshot; binds."""
    socket = _socket(context, zmq.XPUB)
    socket.setsockopt(zmq.XPUB_VERBOSE, 1)
    return _bound(socket, endpoint)


def reporter(context: zmq.Context[zmq.Socket[bytes]], endpoint: str) -> zmq.Socket[bytes]:
    """Publishes to a collector; connects."""
    return _connected(_socket(context, zmq.PUB), endpoint)


def collector(context: zmq.Context[zmq.Socket[bytes]], endpoint: str) -> zmq.Socket[bytes]:
    """Hears all reporters; binds."""
    socket = _bound(_socket(context, zmq.SUB), endpoint)
    socket.subscribe(b"")
    return socket


def drained(socket: zmq.Socket[bytes], limit_messages: int) -> list[bytes]:
    """The frames of what waits to be read."""
    frames: list[bytes] = []
    with contextlib.suppress(zmq.Again):
        for _ in range(limit_messages):
            frames += socket.recv_multipart(zmq.NOBLOCK)
    return frames


def subscriber(context: zmq.Context[zmq.Socket[bytes]], endpoint: str, *topics: bytes) -> zmq.Socket[bytes]:
    """Follows a public stream; connects, now or whenever it is there."""
    socket = _connected(_socket(context, zmq.SUB), endpoint)
    for topic in topics:
        socket.subscribe(topic)
    return socket


def _socket(context: zmq.Context[zmq.Socket[bytes]], kind: int) -> zmq.Socket[bytes]:
    socket = context.socket(kind)
    socket.setsockopt(zmq.SNDHWM, QUEUE_MESSAGES)
    socket.setsockopt(zmq.RCVHWM, QUEUE_MESSAGES)
    socket.setsockopt(zmq.LINGER, LINGER_MS)
    socket.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME_BYTES)
    return socket


def _bound(socket: zmq.Socket[bytes], endpoint: str) -> zmq.Socket[bytes]:
    socket.bind(endpoint)
    return socket


def _connected(socket: zmq.Socket[bytes], endpoint: str) -> zmq.Socket[bytes]:
    socket.connect(endpoint)
    return socket
