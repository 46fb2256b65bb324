"""An LP as the staff see it: its entry in the registry, and how its feed is."""

from typing import Any

import msgspec

from actors.bus.streams import FeedStatus
from actors.domain.latency import BOUNDS_US
from actors.domain.lp_registry import Lp
from web import schema
from web.times import format_ns

MS_NS = 1_000_000


def lp(entry: Lp, feed: FeedStatus | None, now_ns: int) -> dict[str, Any]:
    """`feed`: None where its feed has not been heard of."""
    whole: dict[str, Any] = msgspec.to_builtins(entry)
    return {**whole, "status": None if feed is None else status(feed, now_ns)}


def status(feed: FeedStatus, now_ns: int) -> schema.LpStatus:
    newest_ns = max(feed.quoted_ns.values(), default=0)
    return schema.LpStatus(
        connected=feed.connected,
        detail=feed.detail,
        told=format_ns(feed.time_ns),
        uptime_s=max(now_ns - feed.started_ns, 0) // 1_000_000_000 if feed.started_ns else None,
        last_quote_age_ms=max(now_ns - newest_ns, 0) // MS_NS if newest_ns else None,
        quotes=feed.quotes,
        dropped=feed.dropped,
        symbols={
            symbol: max(now_ns - quoted_ns, 0) // MS_NS if quoted_ns else None
            for symbol, quoted_ns in feed.quoted_ns.items()
        },
        missing=feed.missing,
        streams=[
            schema.LpStream(
                connected=stream.connected,
                detail=stream.detail,
                symbols=stream.symbols,
                silent_ms=max(now_ns - stream.heard_ns, 0) // MS_NS if stream.heard_ns else None,
                connections=stream.connections,
            )
            for stream in feed.streams
        ],
        clock_offset_ms=None if feed.clock_offset_ns is None else round(feed.clock_offset_ns / MS_NS, 3),
        latency=[
            schema.LatencyBucket(up_to_us=bound, quotes=count)
            for bound, count in zip((*BOUNDS_US, None), feed.latency, strict=False)
        ],
    )
