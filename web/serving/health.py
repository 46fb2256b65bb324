"""GET /health and GET /health/ready."""

from web.handling.contract import contract
from web.handling.handler import Handler
from web.payloads import answers, bodies, schema


class HealthHandler(Handler):
    """Whether this process lives."""

    @contract("Whether this process lives.", {200: answers.Health})
    def get(self) -> None:
        self.parameters(schema.NoParameters)
        self.answer(answers.Health(status="ok"))


class ReadyHandler(Handler):
    """Whether orders can be dealt: 200, or 503 and what is missing."""

    @contract(
        "Whether orders can be dealt: 200, or 503 and what is missing.",
        {200: answers.Readiness, 503: answers.Readiness},
    )
    async def get(self) -> None:
        self.parameters(schema.NoParameters)
        components = await self.backend.survey.take()
        ready = all(component.ready for component in components.values())
        feeds = [
            bodies.FeedBody(
                venue=feed.venue,
                connected=feed.connected,
                detail=feed.detail,
                quotes=feed.quotes,
                dropped=feed.dropped,
            )
            for feed in self.backend.prices.feeds
        ]
        status = "ready" if ready else "starting"
        body = answers.Readiness(status=status, components=components, feeds=feeds)
        self.answer(body, 200 if ready else 503)
