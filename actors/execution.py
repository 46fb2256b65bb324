"""An execution process: one venue's orders and executions. dispatch/dispatcher.py decides; here are its sockets."""

import asyncio
import contextlib
import json
import random
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol

import pykka
import structlog
import zmq

from actors import process
from actors.bus import codec, sockets, topics
from actors.bus.endpoints import Endpoints
from actors.bus.streams import LpsAnnounced
from actors.dispatch.dispatcher import Dispatcher
from actors.dispatch.venue_calls import (
    AskHoldings,
    Beat,
    BusHeard,
    Cancel,
    HoldingsHeard,
    Inquire,
    Inquired,
    Linked,
    NotPlaced,
    Place,
    Placed,
    RecordHeard,
    Registered,
    Told,
    VenueCall,
    Work,
)
from actors.domain.prices.lp_registry import Lp, Registry, entry
from actors.store.dispatch import Dispatch
from actors.store.lp_config import LpConfig
from config import catalogue
from config import settings as config
from config.settings import Settings
from gateway.connection import backoff_ms
from gateway.venues.execution import ExecutionVenue, NoAnswer, NotSent
from gateway.venues.interface import Patience
from gateway.venues.oanda.execution import OandaExecution
from gateway.venues.oanda.rest import Account

BEAT_S = 0.05
BATCH_MESSAGES = 1_000
DRAIN_S = 5.0
"""How long a process that is asked to stop waits for answers of the venue; after it they are asked for at its start."""

_decode_announced = codec.decoder(LpsAnnounced)


class Opened(ExecutionVenue, Protocol):
    async def close(self) -> None: ...


class Runner:
    """Turns one event loop: the bus to the actor, the actor's calls to the venue, their answers to the actor."""

    def __init__(
        self,
        actor: pykka.ActorRef[Any],
        connect: Callable[[], Opened],
        cursor: str,
        lp: Lp,
        announcements: zmq.Socket[bytes],
        events: zmq.Socket[bytes],
        engine: zmq.Socket[bytes],
        patience: Patience,
    ) -> None:
        """`connect`: the venue as it can be reached now; raises NoAnswer. `cursor`: its record was heard so far.

        `lp`: its entry in the registry, as the actor has it; `announcements` has what becomes of that.
        """
        self._actor = actor
        self._connect = connect
        self._cursor = cursor
        self._lp = lp
        self._announcements = announcements
        self._events = events
        self._engine = engine
        self._patience = patience
        self._venue: Opened | None = None
        self._calls: set[asyncio.Task[None]] = set()
        self._failed: BaseException | None = None
        self._log = structlog.get_logger()

    def run(self, stopping: Callable[[], bool]) -> None:
        """Raises what the actor raised, and the process ends with it."""
        asyncio.run(self._run(stopping))

    async def _run(self, stopping: Callable[[], bool]) -> None:
        link = asyncio.create_task(self._keep_linked())
        loop = asyncio.get_running_loop()
        arrived = asyncio.Event()
        for socket in (self._events, self._engine):
            loop.add_reader(socket.fileno(), arrived.set)
        try:
            while not stopping() and not link.done() and self._failed is None:
                self._turn()
                arrived.clear()
                if not self._has_messages():
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(arrived.wait(), BEAT_S)
                else:
                    await asyncio.sleep(0)
            if self._calls and self._failed is None:
                await asyncio.wait(self._calls, timeout=DRAIN_S)
                self._turn()
        finally:
            for socket in (self._events, self._engine):
                loop.remove_reader(socket.fileno())
            for task in (link, *self._calls):
                task.cancel()
            await asyncio.gather(link, *self._calls, return_exceptions=True)
        if self._failed is not None:
            raise self._failed
        if not stopping():
            link.result()

    def _turn(self) -> None:
        events, replies = (sockets.drained(socket, BATCH_MESSAGES) for socket in (self._events, self._engine))
        now_ns = process.clock_ns()
        self._tell(BusHeard(now_ns, events, replies) if events or replies else Beat(now_ns))
        for frame in sockets.drained(self._announcements, BATCH_MESSAGES):
            with contextlib.suppress(codec.BadFrame):
                self._follow_registry(_decode_announced(codec.topic_and_body(frame)[1]).registry, now_ns)

    def _follow_registry(self, registry: Registry, now_ns: int) -> None:
        lp = entry(registry, self._lp)
        if (lp.symbols, lp.enabled) != (self._lp.symbols, self._lp.enabled):
            self._log.info("the LP registry has changed", symbols=len(lp.symbols), takes_orders=lp.enabled)
            self._tell(Registered(now_ns, lp.symbols, lp.enabled))
        self._lp = lp

    def _has_messages(self) -> bool:
        """ZeroMQ's descriptor tells of changes only: what came before the last look does not wake anybody."""
        return any(socket.poll(0) for socket in (self._events, self._engine))

    def _tell(self, told: Told) -> None:
        work: Work = self._actor.ask(told, block=True)
        for frame in work.frames:
            try:
                self._engine.send(frame, zmq.NOBLOCK)
            except zmq.Again:
                break  # Each is told again until it is answered.
        for call in work.calls:
            task = asyncio.create_task(self._carry_out(call))
            self._calls.add(task)
            task.add_done_callback(self._call_done)

    def _call_done(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed = error

    async def _carry_out(self, call: VenueCall) -> None:
        run: dict[type, Callable[[Any], Coroutine[Any, Any, Told]]] = {
            Place: self._place,
            Inquire: self._inquire,
            Cancel: self._cancel,
            AskHoldings: self._ask_holdings,
        }
        self._tell(await run[type(call)](call))

    async def _place(self, call: Place) -> Told:
        child_id = call.child_id
        if self._venue is None:
            return NotPlaced(process.clock_ns(), child_id, "there is no connection", False)
        try:
            said = await self._venue.place(call.order)
        except NotSent as error:
            return NotPlaced(process.clock_ns(), child_id, str(error), error.for_good)
        except NoAnswer as error:
            self._log.warning("no answer to an order", child=child_id, detail=str(error))
            return Placed(process.clock_ns(), child_id, None)
        return Placed(process.clock_ns(), child_id, said)

    async def _inquire(self, call: Inquire) -> Told:
        try:
            if self._venue is None:
                raise NoAnswer("there is no connection")
            said = await self._venue.inquire(call.client_id, call.cursor)
        except NoAnswer as error:
            self._log.warning("no answer to an inquiry", child=call.child_id, detail=str(error))
            return Inquired(process.clock_ns(), call.child_id, None, answered=False)
        return Inquired(process.clock_ns(), call.child_id, said)

    async def _cancel(self, call: Cancel) -> Told:
        with contextlib.suppress(NoAnswer):  # If it still works, the next inquiry says so.
            if self._venue is not None:
                await self._venue.cancel(call.order.client_id)
        return Beat(process.clock_ns())

    async def _ask_holdings(self, _: AskHoldings) -> Told:
        try:
            if self._venue is None:
                raise NoAnswer("there is no connection")
            return HoldingsHeard(process.clock_ns(), await self._venue.holdings())
        except NoAnswer:
            return HoldingsHeard(process.clock_ns(), None)

    async def _keep_linked(self) -> None:
        """Follows the venue's record, again and again, with the feeds' backoff."""
        failures, chance = 0, random.SystemRandom()
        while True:
            try:
                venue = self._connect()
                try:
                    await self._follow(venue)
                finally:
                    failures = 0 if self._venue else failures
                    self._venue = None
                    await venue.close()
                detail = "the venue ended the stream"
            except NoAnswer as error:
                detail = str(error)
            failures += 1
            wait_ms = backoff_ms(failures, False, self._patience, chance)
            self._log.info("execution venue away", detail=detail, next_try_ms=wait_ms)
            self._tell(Linked(process.clock_ns(), False, detail))
            await asyncio.sleep(wait_ms / 1000)

    async def _follow(self, venue: Opened) -> None:
        """The stream only says that there is something new; what it is, the record says, from where we were."""
        async with venue.follow() as reached:
            await self._catch_up(venue)
            self._venue = venue
            self._log.info("execution venue connected", record=self._cursor)
            self._tell(Linked(process.clock_ns(), True, "", venue.arrival_limit_ns))
            async for place in reached:
                if place != self._cursor:
                    await self._catch_up(venue)

    async def _catch_up(self, venue: Opened) -> None:
        while True:
            heard = await venue.heard_since(self._cursor)
            if heard.cursor == self._cursor:
                return
            self._tell(RecordHeard(process.clock_ns(), heard))
            self._cursor = heard.cursor


def oanda(settings: Settings, patience: Patience) -> Callable[[], Opened]:
    """The account that the settings name, or the simulated one, which is somewhere else after each of its starts."""
    if settings.oanda_url is None:

        def simulated() -> Opened:
            try:
                address = json.loads(settings.venues_file.read_text(encoding="utf-8"))["oanda"]
                account = Account(address["url"], address["url"], address["account"], address["token"])
            except (OSError, ValueError, LookupError, TypeError):
                raise NoAnswer("the simulated LPs are not up yet") from None
            return OandaExecution(account, patience)

        return simulated
    if settings.oanda_account is None or settings.oanda_token is None:
        config.stop("HEDGEROW_OANDA_URL needs HEDGEROW_OANDA_ACCOUNT and HEDGEROW_OANDA_TOKEN beside it.")
    # OANDA's hosts are stream-… for both streams and api-… for the rest.
    api_url = settings.oanda_url.replace("//stream-", "//api-", 1)
    try:
        account = Account(api_url, settings.oanda_url, settings.oanda_account, settings.oanda_token.get_secret_value())
    except ValueError as error:
        config.stop(f"HEDGEROW_OANDA_TOKEN, HEDGEROW_OANDA_ACCOUNT: {error}.")
    return lambda: OandaExecution(account, patience)


VENUES: dict[str, Callable[[Settings, Patience], Callable[[], Opened]]] = {"OANDA": oanda}


def build(name: str, settings: Settings, endpoints: Endpoints, context: process.Context) -> Runner:
    registry = LpConfig(settings.lp_config).load()
    lp = catalogue.lps()[name] if registry is None else entry(registry, catalogue.lps()[name])
    patience = Patience(silence_timeout_ms=lp.silence_timeout_ms)
    connect = VENUES[name](settings, patience)
    now_ns = process.clock_ns()
    store = Dispatch(settings.run_dir / "execution" / f"{name.lower()}.sqlite", now_ns)
    return Runner(
        Dispatcher.start(name, lp.symbols, store, now_ns, lp.enabled),
        connect,
        store.cursor,
        lp,
        sockets.subscriber(context, endpoints.ticks, topics.LPS),
        sockets.subscriber(context, endpoints.events, topics.EVENTS),
        sockets.dealer(context, endpoints.engine),
        patience,
    )


if __name__ == "__main__":
    name = sys.argv[1].upper() if len(sys.argv) == 2 else ""
    if name not in VENUES:
        sys.exit(f"usage: python -m actors.execution [{' | '.join(VENUES).lower()}]")
    process.run(f"execution-{name.lower()}", partial(build, name))
