"""The web process, `python -m web.app`: REST, WebSocket and the page on one event loop, the rest over the bus."""

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import structlog
import zmq

from actors.bus import endpoints, sockets, topics
from actors.bus.answers import Instruments
from actors.bus.asking import Away, Declined, Inlet, NoAnswer
from actors.bus.endpoints import Endpoints
from actors.bus.following import EventStream
from actors.bus.prices import TOPICS, Prices
from actors.bus.requests import GetInstruments
from actors.bus.streams import StreamDepth
from actors.domain.quote import Tick
from actors.process import claim, clock_ns
from config import settings as config
from web.auth.allowance import ADDRESS, USER, Allowance
from web.auth.callers import Callers
from web.auth.keyring import Keyring
from web.auth.tokens import PasswordChecks, Tokens
from web.handling import peers
from web.handling.backend import Backend
from web.handling.connected import Sockets
from web.handling.edge import Edge
from web.handling.peers import Context
from web.handling.survey import Survey
from web.live.accounts import Accounts
from web.live.fanout import TURNS_PER_SECOND
from web.live.news import News
from web.live.recent import RECENT_EVENTS_LIMIT
from web.payloads.render import Renderer
from web.routes import PAGES, application
from web.serving import crew
from web.serving.metrics import Gauged, Metrics
from web.serving.safety import DEVELOPMENT, Safety, safety_of, secret_key, signing_keys
from web.serving.server import Limits, Server, connections_for

DRAIN_LIMIT_S = 6
"""How long requests that have begun may take to end once the process is asked to stop: longer than an order may."""
INSTRUMENTS_TIMEOUT_MS = 2_000
RETRY_S = 0.25
TICKS_PAUSE_S = 0.01
"""How long ticks are let gather: to be woken for each costs more than the ticks do."""
REVALUE_EVERY_TURNS = 3
"""Live profit is told of three times a second."""

LIMITS = Limits()
RATES_PER_S = {USER: 100, ADDRESS: 500}
"""How many requests a second a user, and all from an address, may go on sending."""


class Web:
    """The parts of the process, wired. `run` does its work until it is told to stop, or a part fails."""

    def __init__(
        self,
        context: Context,
        where: Endpoints,
        tokens: Tokens,
        clock: Callable[[], int],
        totp_key: bytes,
        safety: Safety = DEVELOPMENT,
        pages: Path = PAGES,
        limits: Limits = LIMITS,
        rates_per_s: Mapping[str, int] = RATES_PER_S,
    ) -> None:
        self.prices = Prices(clock, self._on_ticks, self._on_depth)
        render = Renderer(self.prices.instruments)
        engine, history, aggregator, fix_desks = peers.connect(context, where)
        self.sockets = Sockets(limits.address_connections)
        accounts = Accounts(engine, self.prices, render, self._on_terms, self.sockets.send_away)
        self.news = News(self.prices, accounts, render, (engine, history, aggregator), clock)
        self.backend = Backend(
            engine,
            history,
            aggregator,
            self.prices,
            accounts,
            self.news,
            render,
            Callers(tokens, history, clock, safety.keys_folder),
            PasswordChecks(safety.bcrypt_cost),
            Survey((engine, history, aggregator), self.prices, clock),
            set(),
            {whose: Allowance(whose, rate_per_s) for whose, rate_per_s in rates_per_s.items()},
            clock,
            totp_key,
            Edge(safety.origins),
            fix_desks,
        )
        self.events = EventStream(engine, accounts.deliver, accounts.lost, before=RECENT_EVENTS_LIMIT)
        routed = application(self.backend, self.sockets, self._metrics(), pages, safety.proxies)
        self.server = Server.of(routed, self.sockets, limits, safety.proxies, safety.tls)
        self._tick_socket = sockets.subscriber(context, where.ticks)
        self._tick_inlet = Inlet(self._tick_socket, self.prices.receive, TICKS_PAUSE_S)
        self.news.books.connect(self._follow_topic, self._leave_topic)
        self._event_inlet = Inlet(sockets.subscriber(context, where.events, topics.EVENTS), self.events.receive)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set, then drains; raises what a part raises. The server must be listening."""
        backend = self.backend
        try:
            async with asyncio.TaskGroup() as parts:
                tasks = [
                    parts.create_task(part)
                    for part in (
                        backend.engine.inlet.run(),
                        backend.history.inlet.run(),
                        backend.aggregator.inlet.run(),
                        *(desk.inlet.run() for desk in backend.fix_desks),
                        self._tick_inlet.run(),
                        self._event_inlet.run(),
                        self.events.fill_holes(),
                        self._learn_instruments(),
                        self._keep_time(),
                        self._repair_prices(),
                        self.news.staff.run(),
                        self._follow_revocations(),
                    )
                ]
                await stop.wait()
                await self._drain()
                for task in tasks:
                    task.cancel()
        finally:
            backend.passwords.close()

    def _metrics(self) -> Metrics:
        allowances = self.backend.allowances.values()
        return Metrics(
            Gauged(
                connections=lambda: len(self.server._connections),
                refused=lambda: self.server.refused,
                sockets=lambda: len(self.sockets),
                closed_slow=lambda: self.sockets.closed_slow,
                open_requests=lambda: len(self.backend.requests),
                rate_limited=lambda: sum(allowance.refused for allowance in allowances),
                unknown_ticks=lambda: self.prices.unknown_symbols,
            ),
            lambda: self.prices.feeds,
        )

    def _on_ticks(self, ticks: list[Tick]) -> None:
        self.news.observe(ticks)

    def _on_depth(self, depth: StreamDepth) -> None:
        self.news.books.observe(depth)

    def _on_terms(self) -> None:
        self.news.refresh()

    def _follow_topic(self, topic: bytes) -> None:
        self._tick_socket.subscribe(topic)
        self._tick_inlet.look_again()

    def _leave_topic(self, topic: bytes) -> None:
        self._tick_socket.unsubscribe(topic)
        self._tick_inlet.look_again()

    async def _learn_instruments(self) -> None:
        """Asks until the engine answers, then follows the prices; later changes come as events."""
        while True:
            try:
                answer = await self.backend.engine.ask(GetInstruments(), Instruments, INSTRUMENTS_TIMEOUT_MS)
            except (Away, NoAnswer, Declined):
                answer = Instruments([])
            if answer.instruments:
                break
            await asyncio.sleep(RETRY_S)
        self.prices.define(*answer.instruments)
        for topic in TOPICS:
            self._follow_topic(topic)

    async def _keep_time(self) -> None:
        """The one timer of the process: conflated prices, live profit, and the sockets' limits in time."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        turns = 0
        while True:
            # A turn that comes late is not made up for: the one after it is a full turn away.
            due = max(due + 1 / TURNS_PER_SECOND, loop.time())
            await asyncio.sleep(due - loop.time())
            turns += 1
            self.news.turn()
            if turns % REVALUE_EVERY_TURNS == 0:
                self.backend.accounts.revalue(self.backend.clock_ns())
            if turns % TURNS_PER_SECOND == 0:
                self._look_after(self.backend.clock_ns())

    def _look_after(self, now_ns: int) -> None:
        """Once a second."""
        if not self.prices.is_alive(now_ns):
            self.prices.hush(now_ns)
            self.news.books.hush(now_ns)
        self.sockets.sweep(self.backend.now_s(), asyncio.get_running_loop().time())

    async def _repair_prices(self) -> None:
        while True:
            await asyncio.sleep(1)
            if self.prices.behind:
                await self.prices.repair(self.backend.aggregator)

    async def _follow_revocations(self) -> None:
        while True:
            await self.backend.callers.follow()
            await asyncio.sleep(1)

    async def _drain(self) -> None:
        """Takes no more connections, says goodbye on the open sockets, and lets requests that have begun end."""
        self.server.stop()
        self.sockets.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_LIMIT_S):
                while self.backend.requests:
                    await asyncio.sleep(0.02)
        await self.server.close_all_connections()


async def serve(settings: config.Settings) -> None:
    """The life of the process, until SIGTERM or SIGINT."""
    log = structlog.get_logger("web")
    safety = safety_of(settings)
    tokens = Tokens(Keyring(signing_keys(settings)), settings.token_ttl_s, settings.refresh_ttl_s)
    totp_key = secret_key(settings, "totp")
    context: Context = zmq.Context()
    try:
        limits = Limits(connections_for(LIMITS.connections), settings.address_connections, settings.request_timeout_s)
        web = Web(
            context,
            endpoints.local(settings.run_dir),
            tokens,
            clock_ns,
            totp_key,
            safety,
            limits=limits,
            rates_per_s={USER: settings.user_requests_per_second, ADDRESS: settings.address_requests_per_second},
        )
        try:
            web.server.listen(settings.http_port, settings.http_host, reuse_port=settings.web_processes > 1)
        except OSError as error:
            address = f"{settings.http_host}:{settings.http_port}"
            config.stop(f"HEDGEROW_HTTP_PORT: cannot listen on {address}: {error.strerror}")
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        scheme = "https" if safety.tls else "http"
        log.info("ready", process="web", url=f"{scheme}://{settings.http_host}:{settings.http_port}")
        await web.run(stop)
        log.info("stopped", process="web")
    finally:
        context.destroy()


def main() -> None:
    """Exits with 0 when it was asked to stop, with 1 when a part of it fails, with 2 when it cannot be as set."""
    settings = config.load()
    config.configure_logging(settings.log_level)
    claim(settings, "web")
    signing_keys(settings)  # made once, before there are several who want them
    secret_key(settings, "totp")
    if settings.web_processes > 1:
        sys.exit(crew.run(settings.web_processes, partial(_work, settings)))
    _work(settings)


def _work(settings: config.Settings) -> None:
    log = structlog.get_logger("web")
    try:
        asyncio.run(serve(settings))
    except Exception:
        log.exception("failed", process="web")
        sys.exit(1)


if __name__ == "__main__":
    main()
