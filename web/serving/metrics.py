"""GET /metrics: the figures of this process, and of the others as they tell them over the bus, for Prometheus."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from tornado.web import RequestHandler

from actors.bus.streams import FeedStatus
from web.handling.contract import contract
from web.handling.handler import Handler
from web.payloads import schema
from web.payloads.bodies import Component

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Gauged(NamedTuple):
    """What is looked at when somebody asks."""

    connections: Callable[[], int]
    refused: Callable[[], int]
    sockets: Callable[[], int]
    closed_slow: Callable[[], int]
    open_requests: Callable[[], int]
    rate_limited: Callable[[], int]
    unknown_ticks: Callable[[], int]


class Metrics:
    """A registry of its own: nothing is in it that is not named here."""

    def __init__(self, gauged: Gauged, feeds: Callable[[], Iterable[FeedStatus]]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "hedgerow_http_requests", "Requests answered", ("method", "handler", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "hedgerow_http_request_seconds",
            "Time to the answer",
            ("handler",),
            buckets=SECONDS,
            registry=self._registry,
        )
        for name, about, read in (
            ("connections", "HTTP connections open", gauged.connections),
            ("connections_refused", "Connections closed because there were too many", gauged.refused),
            ("sockets", "WebSockets open", gauged.sockets),
            ("sockets_closed_slow", "WebSockets closed because they read too slowly", gauged.closed_slow),
            ("requests_open", "Requests that somebody waits for", gauged.open_requests),
            ("rate_limited", "Requests answered with 429", gauged.rate_limited),
            ("ticks_unknown", "Ticks of symbols that are not known here", gauged.unknown_ticks),
        ):
            Gauge(f"hedgerow_web_{name}", about, registry=self._registry).set_function(read)
        self._of: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        """By method, handler and status, where they are counted."""
        self._components: Mapping[str, Component] = {}
        self._counters: Mapping[str, Mapping[str, int]] = {}
        self._feeds = feeds
        self._registry.register(self)

    def note(self, handler: RequestHandler) -> None:
        """A request that has been answered."""
        method = handler.request.method
        known = method if method in handler.SUPPORTED_METHODS else "other"
        what = (known, type(handler).__name__, handler.get_status())
        if what not in self._of:
            self._of[what] = self._requests.labels(known, what[1], str(what[2])), self._seconds.labels(what[1])
        requests, seconds = self._of[what]
        requests.inc()
        seconds.observe(handler.request.request_time())

    def text(self, components: Mapping[str, Component], counters: Mapping[str, Mapping[str, int]]) -> bytes:
        """In Prometheus' text format 0.0.4; how the other processes are, and what they count."""
        self._components, self._counters = components, counters
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """What the other processes tell (prometheus_client's interface of a collector)."""
        ready = GaugeMetricFamily("hedgerow_ready", "Whether a process can do its work", labels=["process"])
        counted = CounterMetricFamily("hedgerow_process", "What a process counts", labels=["process", "what"])
        for name, component in self._components.items():
            ready.add_metric([name], component.ready)
            for what, number in self._counters.get(name, {}).items():
                counted.add_metric([name, what], number)
        yield ready
        yield counted
        connected = GaugeMetricFamily("hedgerow_feed_connected", "Whether an LP's feed is connected", labels=["lp"])
        quotes = CounterMetricFamily("hedgerow_feed_quotes", "Quotes taken from an LP", labels=["lp"])
        dropped = CounterMetricFamily("hedgerow_feed_dropped", "Quotes dropped, by reason", labels=["lp", "why"])
        for feed in self._feeds():
            connected.add_metric([feed.venue], feed.connected)
            quotes.add_metric([feed.venue], feed.quotes)
            for why, number in feed.dropped.items():
                dropped.add_metric([feed.venue, why], number)
        yield from (connected, quotes, dropped)


class MetricsHandler(Handler):
    """GET /metrics."""

    @contract("Figures for Prometheus.", {200: str}, media=("text/plain",))
    async def get(self) -> None:
        self.parameters(schema.NoParameters)
        components = await self.backend.survey.take()
        self.set_header("Content-Type", MEDIA_TYPE)
        self.set_header("Cache-Control", "no-store")
        self.finish(self.settings["metrics"].text(components, self.backend.survey.counters))
