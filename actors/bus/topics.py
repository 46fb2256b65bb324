"""Topics of the public streams. Each ends in a zero byte, so that no symbol's is the beginning of another's."""

TICK_PREFIX = b"tick:"
DEPTH_PREFIX = b"depth:"
ALIVE = b"alive\0"
"""StreamAlive, from the aggregator."""
STATUS = b"status\0"
"""StreamStatus, from the aggregator."""
LPS = b"lps\0"
"""LpsAnnounced, from the aggregator: once a second, with each change, and at once to who subscribes."""
EVENTS = b"events\0"
"""EventBatch, from the engine."""


def tick(symbol: str) -> bytes:
    """list[Tick] of one symbol, from the aggregator; who subscribes gets the last tick at once."""
    return b"tick:%b\0" % symbol.encode()


def depth(symbol: str) -> bytes:
    """StreamDepth of one symbol, from the aggregator, while somebody subscribes; the book as it is comes at once."""
    return b"depth:%b\0" % symbol.encode()
