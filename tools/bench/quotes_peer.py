"""The peer of `quotes`: bare pyzmq processes that move recorded frames over the same hops, in the same batches."""

import time
from pathlib import Path
from typing import NamedTuple

import msgspec
import zmq

from actors.bus import endpoints, sockets
from actors.process import Context
from tools.bench.quotes_chain import OPENING_INTERVAL_MS, SILENCE_LIMIT_MS, Recording, ack_address

LEAD_FRAMES = 300
"""How far the source may be ahead of the sink: enough to keep all three busy. A frame in makes at most 28 out (one for
each symbol), so that no queue gets beyond its high-water mark."""
HELLO = b""
"""Goes through all hops before anything counts."""


class Moved(NamedTuple):
    """What one of the processes has moved, from when to when."""

    frames: int
    size_bytes: int
    start_ns: int
    end_ns: int


def source(folder: Path, recording_file: Path, passes: int) -> Moved:
    """In the place of the feed: sends the frames of the quotes, `passes` times over."""
    frames = [frame for heard, _ in _turns(recording_file) for frame in heard] * passes
    context: Context = zmq.Context()
    quotes = sockets.reporter(context, endpoints.local(folder).quotes)
    acks = context.socket(zmq.PULL)
    acks.setsockopt(zmq.RCVTIMEO, SILENCE_LIMIT_MS)
    acks.bind(ack_address(folder))
    while not acks.poll(OPENING_INTERVAL_MS):
        quotes.send(HELLO)
    acknowledged = int(acks.recv())
    start_ns = time.monotonic_ns()
    for sent, frame in enumerate(frames):
        while sent - acknowledged >= LEAD_FRAMES:
            acknowledged = int(acks.recv())
        quotes.send(frame)
    while acknowledged < len(frames):
        acknowledged = int(acks.recv())
    end_ns = time.monotonic_ns()
    context.destroy(linger=0)
    return Moved(len(frames), sum(map(len, frames)), start_ns, end_ns)


def relay(folder: Path, recording_file: Path, passes: int) -> Moved:
    """In the place of the aggregator: when a turn's frames have come in, sends those that went out."""
    turns = _turns(recording_file) * passes
    context: Context = zmq.Context()
    at = endpoints.local(folder)
    quotes = sockets.collector(context, at.quotes)
    ticks = sockets.snapshot_publisher(context, at.ticks)
    frame = quotes.recv()
    while not frame:
        ticks.send(HELLO)
        frame = quotes.recv()
    start_ns = time.monotonic_ns()
    frames = size = 0
    for heard, told in turns:
        for _ in heard:
            frame = frame or quotes.recv()
            frames += 1
            size += len(frame)
            frame = HELLO
        for frame_out in told:
            ticks.send(frame_out)
    end_ns = time.monotonic_ns()
    context.destroy(linger=sockets.LINGER_MS)
    return Moved(frames, size, start_ns, end_ns)


def sink(folder: Path, recording_file: Path, passes: int) -> Moved:
    """In the place of the subscriber: takes every frame, and after each turn tells the source how far it is."""
    turns = _turns(recording_file) * passes
    context: Context = zmq.Context()
    ticks = sockets.subscriber(context, endpoints.local(folder).ticks, b"")
    ticks.setsockopt(zmq.RCVTIMEO, SILENCE_LIMIT_MS)
    acks = context.socket(zmq.PUSH)
    acks.connect(ack_address(folder))
    frame = ticks.recv()
    acks.send(b"0")
    while not frame:
        frame = ticks.recv()
    start_ns = time.monotonic_ns()
    frames = size = acknowledged = 0
    for heard, told in turns:
        for _ in told:
            frame = frame or ticks.recv()
            frames += 1
            size += len(frame)
            frame = HELLO
        acknowledged += len(heard)
        if told:
            acks.send(b"%d" % acknowledged)
    end_ns = time.monotonic_ns()
    context.destroy(linger=sockets.LINGER_MS)
    return Moved(frames, size, start_ns, end_ns)


def _turns(recording_file: Path) -> list[tuple[list[bytes], list[bytes]]]:
    """The recorded turns up to the last in which something went out: what comes later nobody acknowledges."""
    turns = msgspec.msgpack.decode(recording_file.read_bytes(), type=Recording).turns
    while turns and not turns[-1][1]:
        turns.pop()
    return turns
