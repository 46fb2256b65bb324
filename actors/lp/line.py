"""One FIX session with an LP: what it says goes to the LP's quotes, orders and survey."""

import structlog

from actors.bus.fix_sessions import LpSurvey
from actors.lp.orders import REPLAY_LIMIT_NS, Orders
from actors.lp.quotes import Quotes
from actors.lp.survey import Survey
from gateway.fix.events import Event, LoggedOn, LoggedOut, Refused, Warned
from gateway.fix.initiator import Initiator
from gateway.fix.session import Session
from gateway.fix.store import SentMessage


class Line:
    """`failure` is what its process cannot live with."""

    def __init__(self, session_id: str) -> None:
        self.id = session_id
        self.initiator: Initiator
        self.logged_on_ns = 0
        """The last time since the process started."""
        self.quotes: Quotes | None = None
        self.orders: Orders | None = None
        self.survey: Survey | None = None
        self.failure: Exception | None = None
        self._log = structlog.get_logger(session=session_id)

    def may_replay(self, sent: SentMessage, now_ns: int) -> bool:
        """Subscriptions of this connection always: what is filled over is never quoted. Else what is fresh."""
        if sent.msg_type == b"V":
            return 0 < self.logged_on_ns <= sent.sent_ns
        if self.orders is not None:
            return self.orders.may_replay(sent, now_ns)
        return now_ns - sent.sent_ns <= REPLAY_LIMIT_NS

    def as_surveyed(self) -> LpSurvey | None:
        return None if self.survey is None else self.survey.as_seen()

    def on_events(self, session: Session, events: list[Event], now_ns: int) -> None:
        for event in events:
            if isinstance(event, LoggedOn):
                self.logged_on_ns = now_ns
            self._write_down(event)
            if self.quotes is not None:
                self.quotes.on_event(session, event, now_ns)
            if self.orders is not None:
                self.orders.on_event(session, event, now_ns)
            if self.survey is not None:
                self.survey.on_event(session, event, now_ns)

    def on_end(self, session: Session, error: Exception | None) -> None:
        """An end of the transport is told as an event too; what else went wrong is a fault here or of the disk."""
        if error is None:
            return
        self._log.info("FIX connection ended", detail=f"{type(error).__name__}: {error}")
        if not isinstance(error, OSError):
            self.failure = error

    def _write_down(self, event: Event) -> None:
        if isinstance(event, LoggedOn):
            self._log.info("FIX logged on", reset=event.reset)
        elif isinstance(event, LoggedOut):
            self._log.info("FIX logged out", detail=event.text, refused=event.refused)
        elif isinstance(event, Warned):
            self._log.warning("FIX warning", detail=event.text)
        elif isinstance(event, Refused):
            self._log.warning("the LP rejects a message", seq=event.ref_seq, detail=event.text)
