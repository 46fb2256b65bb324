"""GET /health and GET /health/ready."""

from web import schema
from web.handler import Handler


class HealthHandler(Handler):
    """Whether this process lives."""

    def get(self) -> None:
        self.parameters(schema.NoParameters)
        self.answer({"status": "ok"})


class ReadyHandler(Handler):
    """Whether orders can be dealt: 200, or 503 and what is missing."""

    async def get(self) -> None:
        self.parameters(schema.NoParameters)
        components = await self.backend.survey.take()
        ready = all(component.ready for component in components.values())
        feeds = [
            schema.FeedBody(
                venue=feed.venue,
                connected=feed.connected,
                detail=feed.detail,
                quotes=feed.quotes,
                dropped=feed.dropped,
            )
            for feed in self.backend.prices.feeds
        ]
        status = "ready" if ready else "starting"
        self.answer({"status": status, "components": components, "feeds": feeds}, 200 if ready else 503)
