"""An LP as the staff see it: its entry in the registry, how its feed is, and what the aggregator sees of it."""

from typing import Any

import msgspec

from actors.bus.streams import FeedStatus
from actors.domain.prices.lp_registry import Lp
from actors.domain.prices.lp_status import LATENCY_BUCKETS, LpStatus
from web.payloads import bodies
from web.payloads.times import format_ns

MS_NS = 1_000_000


def lp(entry: Lp, feed: FeedStatus | None, seen: LpStatus | None, now_ns: int) -> dict[str, Any]:
    """`feed` and `seen`: None where the LP has not been heard of."""
    return {
        **msgspec.to_builtins(entry),
        "feed": None if feed is None else feed_body(feed, now_ns),
        "status": None if seen is None else status(seen),
    }


def feed_body(feed: FeedStatus, now_ns: int) -> bodies.LpFeed:
    return bodies.LpFeed(
        connected=feed.connected,
        detail=feed.detail,
        told=format_ns(feed.time_ns),
        running_s=max(now_ns - feed.started_ns, 0) // 1_000_000_000 if feed.started_ns else None,
        quotes=feed.quotes,
        dropped=feed.dropped,
        quote_age_ms={symbol: _age_ms(quoted_ns, now_ns) for symbol, quoted_ns in feed.quoted_ns.items()},
        missing=feed.missing,
        misfits=feed.misfits,
        streams=[
            bodies.LpStream(
                connected=stream.connected,
                detail=stream.detail,
                symbols=stream.symbols,
                silent_ms=_age_ms(stream.heard_ns, now_ns),
                connections=stream.connections,
            )
            for stream in feed.streams
        ],
    )


def status(seen: LpStatus) -> bodies.LpStatus:
    return bodies.LpStatus(
        connected=seen.connected,
        last_quote_age_ms=None if seen.last_quote_age_ns < 0 else seen.last_quote_age_ns // MS_NS,
        quotes=seen.quotes,
        quotes_per_second=seen.quotes_per_second_e3 / 1e3,
        dropped=seen.dropped,
        best_share=seen.best_share_e6 / 1e6,
        connected_s=seen.connected_ns // 1_000_000_000,
        uptime=seen.uptime_e6 / 1e6,
        clock_ahead_ms=None if seen.clock_ahead_ns is None else round(seen.clock_ahead_ns / MS_NS, 3),
        to_received=_histogram(seen.to_received),
        to_published=_histogram(seen.to_published),
        quarantined=seen.quarantined,
    )


def _age_ms(then_ns: int, now_ns: int) -> int | None:
    return max(now_ns - then_ns, 0) // MS_NS if then_ns else None


def _histogram(counts: list[int]) -> list[bodies.LatencyBucket]:
    """The buckets of lp_status.LATENCY_BUCKETS: the last has no bound."""
    last = LATENCY_BUCKETS - 1
    return [
        bodies.LatencyBucket(below_us=2**place if place < last else None, quotes=count)
        for place, count in enumerate(counts)
    ]
