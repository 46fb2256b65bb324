"""The quotes of one LP's FIX session: subscriptions out, prices to the same feed actor that other LPs have."""

from collections.abc import Callable, Mapping
from typing import Any

import pykka

from actors.domain.calendar import Sessions
from actors.domain.prices.lp_registry import Lp
from actors.quoting.lp_feed import Asked, Beat, Connected, Followed, Heard, Misfit, Opening, Planned, Told
from config.lp_sessions import LpSession
from gateway.fix.codec import Message
from gateway.fix.events import Event, LoggedOn, LoggedOut, Received
from gateway.fix.lp import market_data
from gateway.fix.lp.market_data import MarketData, Wanted
from gateway.fix.lp.reports import business_reject
from gateway.fix.lp.values import text
from gateway.fix.session import Session
from gateway.venues.events import VenueHeartbeat

LATE_PERCENT = 120
"""Of a heartbeat's interval: what FIX 4.4 allows for its way (volume 2, "Test Request")."""
STREAM = 1
"""A FIX LP has all its prices on one stream."""


class Quotes:
    """Told of the session's events; what it sends goes with the transaction that the caller has begun."""

    def __init__(self, feed: pykka.ActorRef[Any], session: LpSession, publish: Callable[[list[bytes]], None]) -> None:
        """`publish`: frames for the aggregator, which may be lost."""
        self._feed = feed
        self._asks_for = Wanted(session.depth, session.full_refresh, session.beside_symbol)
        self._keeps_sides = session.snapshots_keep_sides
        self._publish = publish
        self._lp: Lp | None = None
        self._data = self._new_data()
        self._requests = 0
        self._heard_ns = 0
        self._refused: dict[str, str] = {}
        """By instrument, why the LP does not quote it: it is asked again after a Logon, or when it is mapped anew."""

    def follow(self, lp: Lp | None, session: Session, now_ns: int) -> None:
        """The LP's entry in the registry; None: it has none, or is disabled."""
        before, self._lp = self._lp, lp
        if lp is not None:
            self._tell(Followed(now_ns, lp))
        if lp != before:
            wanted = self._wanted()
            self._refused = {name: why for name, why in self._refused.items() if name in wanted}
            self._plan(now_ns)
            if session.is_logged_on:
                self._subscribe(session, now_ns)

    def keep_hours(self, sessions: Mapping[str, Sessions]) -> None:
        """When each symbol is traded."""
        self._tell(Opening(sessions))

    def misfits(self, found: dict[str, str]) -> None:
        """Symbols that do not fit what the LP lists."""
        self._tell(Misfit(found))

    def ask(self, now_ns: int) -> None:
        """An aggregator has just started."""
        self._tell(Asked(now_ns))

    def beat(self, session: Session, now_ns: int) -> None:
        if session.is_logged_on and session.heard_ns > self._heard_ns:
            self._heard_ns = session.heard_ns
            interval_ms = session.heartbeat_ns * LATE_PERCENT // 100 // 1_000_000
            self._tell(Heard(session.heard_ns, STREAM, [VenueHeartbeat(0, interval_ms)]))
        self._tell(Beat(now_ns))

    def on_event(self, session: Session, event: Event, now_ns: int) -> None:
        if isinstance(event, LoggedOn):
            self._data = self._new_data()
            self._refused.clear()
            self._plan(now_ns)
            self._tell(Connected(now_ns, STREAM, True, "logged on"))
            self._subscribe(session, now_ns)
        elif isinstance(event, LoggedOut):
            self.down(event.text, now_ns)
        elif isinstance(event, Received):
            self._hear(event.message, now_ns)

    def down(self, detail: str, now_ns: int) -> None:
        self._data = self._new_data()
        self._tell(Connected(now_ns, STREAM, False, detail))

    def _hear(self, message: Message, now_ns: int) -> None:
        kind = message.msg_type
        if kind in (b"W", b"X"):
            is_old = message.get(43) == b"Y"
            if not is_old and (events := self._data.receive(message)):
                self._tell(Heard(now_ns, STREAM, events))
        elif kind == b"Y":
            self._refuse(text(message, 262), f"MDReqRejReason {text(message, 281)}: {text(message, 58)}", now_ns)
        elif kind == b"j":
            refused = business_reject(message)
            if refused.ref_type == b"V":
                self._refuse(refused.ref_id, refused.detail, now_ns)

    def _refuse(self, request_id: str, detail: str, now_ns: int) -> None:
        instrument = self._data.forget(request_id)
        if instrument:
            self._refused[instrument] = detail
            self._plan(now_ns)

    def _subscribe(self, session: Session, now_ns: int) -> None:
        """Asks for what is wanted and not asked for yet, and takes the rest back."""
        asked, wanted = self._data.requests(), self._wanted()
        for instrument, request_id in asked.items():
            if instrument not in wanted:
                self._data.forget(request_id)
                session.send(b"V", market_data.unsubscribe(request_id, [instrument], self._asks_for), now_ns)
        for instrument in wanted:
            if instrument not in asked and instrument not in self._refused:
                self._requests += 1
                request_id = f"{now_ns}-{self._requests}"
                self._data.asked(request_id, instrument)
                session.send(b"V", market_data.subscribe(request_id, [instrument], self._asks_for), now_ns)

    def _plan(self, now_ns: int) -> None:
        names = tuple(name for name in self._wanted() if name not in self._refused)
        missing = {name: why for name, why in self._refused.items() if name in self._wanted()}
        self._tell(Planned(now_ns, {STREAM: names}, missing))

    def _wanted(self) -> list[str]:
        return list(self._lp.symbols.values()) if self._lp is not None else []

    def _tell(self, told: Told) -> None:
        """Of an LP that is not in the registry the aggregator hears nothing."""
        frames = self._feed.ask(told, block=True)
        if self._lp is not None:
            self._publish(frames)

    def _new_data(self) -> MarketData:
        return MarketData(self._asks_for.depth, self._keeps_sides)
