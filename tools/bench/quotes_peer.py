"""The peer of `quotes`: bare pyzmq processes that move each quote as a message over the same hops."""

import time
from pathlib import Path
from typing import NamedTuple

import zmq

from actors.bus import codec, endpoints, sockets
from actors.domain.quote import Quote
from actors.process import Context
from tools.bench import market
from tools.bench.quotes_chain import OPENING_INTERVAL_MS, SILENCE_LIMIT_MS, ack_address, prices_e8

LEAD_FRAMES = 4_000
"""How far the source may be ahead of the sink: enough to keep all three busy, and below half of the high-water
mark, for ZeroMQ counts what was read in steps of the other half."""
ACK_FRAMES = 1_000
HELLO = b""
"""Goes through all hops before anything counts."""


class Moved(NamedTuple):
    """What one of the processes has moved, from when to when."""

    frames: int
    start_ns: int
    end_ns: int


def source(folder: Path, quotes: int) -> Moved:
    """In the place of the feeds."""
    period = [
        codec.encode(Quote(symbol, *prices_e8(0, symbol, turn), 10**14, 10**14, time.time_ns(), time.time_ns()))
        for turn in range(12)
        for symbol in market.thirty()
    ]
    context: Context = zmq.Context()
    socket = sockets.reporter(context, endpoints.local(folder).quotes)
    acks = context.socket(zmq.PULL)
    acks.setsockopt(zmq.RCVTIMEO, SILENCE_LIMIT_MS)
    acks.bind(ack_address(folder, "peer"))
    while not acks.poll(OPENING_INTERVAL_MS):
        socket.send(HELLO)
    acknowledged = int(acks.recv())
    start_ns = time.monotonic_ns()
    size = len(period)
    for sent in range(quotes):
        while sent - acknowledged >= LEAD_FRAMES:
            acknowledged = int(acks.recv())
        socket.send(period[sent % size])
    while acknowledged < quotes:
        acknowledged = int(acks.recv())
    end_ns = time.monotonic_ns()
    context.destroy(linger=0)
    return Moved(quotes, start_ns, end_ns)


def relay(folder: Path, quotes: int) -> Moved:
    """In the place of the aggregator: what comes in goes out."""
    context: Context = zmq.Context()
    at = endpoints.local(folder)
    incoming = sockets.collector(context, at.quotes)
    outgoing = sockets.snapshot_publisher(context, at.ticks)
    start_ns = time.monotonic_ns()
    moved = 0
    while moved < quotes:
        frame = incoming.recv()
        outgoing.send(frame)
        moved += frame != HELLO
    end_ns = time.monotonic_ns()
    context.destroy(linger=sockets.LINGER_MS)
    return Moved(moved, start_ns, end_ns)


def sink(folder: Path, quotes: int) -> Moved:
    """In the place of the subscriber: takes every frame, and now and then tells the source how far it is."""
    context: Context = zmq.Context()
    socket = sockets.subscriber(context, endpoints.local(folder).ticks, b"")
    acks = context.socket(zmq.PUSH)
    acks.connect(ack_address(folder, "peer"))
    frame = socket.recv()
    acks.send(b"0")
    socket.setsockopt(zmq.RCVTIMEO, SILENCE_LIMIT_MS)
    while frame == HELLO:
        frame = socket.recv()
    start_ns = time.monotonic_ns()
    moved = 1
    while moved < quotes:
        socket.recv()
        moved += 1
        if moved % ACK_FRAMES == 0 or moved == quotes:
            acks.send(b"%d" % moved)
    end_ns = time.monotonic_ns()
    context.destroy(linger=sockets.LINGER_MS)
    return Moved(moved, start_ns, end_ns)
