"""A peer that stops reading costs a bounded queue, and the others nothing."""

from pathlib import Path

import psutil
import zmq

from actors.bus import sockets

PATIENCE_MS = 60_000
FRAME = bytes(2_000)
SENT = 15 * sockets.QUEUE_MESSAGES
QUEUES_LIMIT_BYTES = 4 * sockets.QUEUE_MESSAGES * len(FRAME)
"""The sender's queue and the receiver's, which are both in this process, and as much again for the allocator."""


def test_a_subscriber_that_stops_reading_costs_the_others_nothing(tmp_path: Path) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    endpoint = f"ipc://{tmp_path}/ticks"
    ticks = sockets.publisher(context, endpoint)
    reading, stalled = (sockets.subscriber(context, endpoint, b"") for _ in range(2))
    while not (reading.poll(1) and stalled.poll(1)):
        ticks.send(b"")
    ticks.send(b"begin")
    while reading.recv() != b"begin":
        pass
    before_bytes = psutil.Process().memory_info().rss
    read = 0
    for number in range(SENT):
        ticks.send(b"%08d%b" % (number, FRAME))
        while reading.poll(0 if number - read < sockets.QUEUE_MESSAGES // 4 else PATIENCE_MS):
            assert reading.recv()[:8] == b"%08d" % read
            read += 1
    while read < SENT and reading.poll(PATIENCE_MS):
        assert reading.recv()[:8] == b"%08d" % read
        read += 1
    grown_bytes = psutil.Process().memory_info().rss - before_bytes
    context.destroy(linger=0)
    assert read == SENT
    assert grown_bytes < QUEUES_LIMIT_BYTES


def test_an_aggregator_that_stops_reading_costs_its_feeds_a_bounded_queue(tmp_path: Path) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    endpoint = f"ipc://{tmp_path}/quotes"
    collector, feed = sockets.collector(context, endpoint), sockets.reporter(context, endpoint)
    while not collector.poll(1):
        feed.send(b"")
    before_bytes = psutil.Process().memory_info().rss
    for _ in range(SENT):
        feed.send(bytes(FRAME), zmq.NOBLOCK)
    grown_bytes = psutil.Process().memory_info().rss - before_bytes
    context.destroy(linger=0)
    assert grown_bytes < QUEUES_LIMIT_BYTES
