"""The orders of one LP's FIX session, between the LP and the dispatcher (actors/dispatch/dispatcher.py).

What the LP said, what the dispatcher keeps of it and the session's numbers are one transaction, and so are an order's
mark and its 35=D. An order is sent once: after a reconnect the LP is asked for it (35=H), and a resend fills over it.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import pykka
import structlog

from actors.dispatch.venue_calls import (
    Ask,
    Asked,
    AskHoldings,
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
from actors.domain.order import BUY
from actors.domain.prices.lp_registry import Lp
from actors.lp.positions import Counting
from actors.lp.trades import Trades
from actors.store.changes import Stage
from actors.store.dispatch import Dispatch
from config.lp_sessions import LpSession
from gateway.fix import codec
from gateway.fix.codec import Message
from gateway.fix.events import Event, LoggedOn, LoggedOut, Received, Refused
from gateway.fix.lp import account, orders, reports, trades
from gateway.fix.lp.reports import BusinessReject, Report
from gateway.fix.session import Session
from gateway.fix.store import SentMessage, Store
from gateway.venues.execution import Heard, Holdings, Said, VenueOrder

REPLAY_LIMIT_NS = 5_000_000_000
"""A message that was sent on the living connection, and that the LP asks for again, is sent again within this."""
ARRIVAL_LIMIT_NS = 10_000_000_000
"""FIX numbers what we send: an LP that has answered a later message has taken the order, or had it filled over by a
resend. That the same holds inside the LP, between its status and its orders, takes a moment; no replay is so late."""
SECOND_NS = 1_000_000_000
ANSWER_LIMIT_NS = 10_000_000_000
"""An inquiry, or a question for positions, that has no answer within this never gets one."""
FIRST_PLACE = "0"
"""The record's place before anything was heard."""


class Orders:
    """Told of the session's events. What it sends goes with the transaction that the caller has begun."""

    def __init__(
        self,
        dispatcher: pykka.ActorRef[Any],
        dispatch: Dispatch,
        sent: Store,
        session: LpSession,
        names: dict[str, str],
        tell_engine: Callable[[list[bytes]], None],
    ) -> None:
        """`sent`: the session's own store. `names`: from our symbol to the LP's.

        `tell_engine` gets frames inside the transaction, and sends them after it.
        """
        self._dispatcher = dispatcher
        self._dispatch = dispatch
        self._sent = sent
        self._terms = session
        self._names = names
        self._tell_engine = tell_engine
        self._logged_on_ns: int | None = None
        self._inquiries: dict[str, tuple[str, int]] = {}
        """By child: the name that the LP was asked for, and when."""
        self._counting: Counting | None = None
        self._questions = 0
        self._trades = Trades(dispatch, session.account)
        self._log = structlog.get_logger(session=session.id)

    def follow(self, session: Session, lp: Lp | None, now_ns: int) -> None:
        """The registry's entry, where there is one that is enabled. Else the names stay, for what was sent before."""
        if lp is not None:
            self._names = lp.symbols
        self.tell(session, Registered(now_ns, self._names, takes_orders=lp is not None))

    def may_replay(self, sent: SentMessage, now_ns: int) -> bool:
        """What the LP asks for while it closes a gap of this connection; of an earlier one everything is stale."""
        since_ns = self._logged_on_ns
        return since_ns is not None and since_ns <= sent.sent_ns and now_ns - sent.sent_ns <= REPLAY_LIMIT_NS

    def tell(self, session: Session, told: Told) -> None:
        """Asks the dispatcher, and does what it wants done."""
        waiting: deque[Told] = deque([told])
        while waiting:
            work: Work = self._dispatcher.ask(waiting.popleft(), block=True)
            self._tell_engine(work.frames)
            for call in work.calls:
                if (answer := self._carry_out(session, call, told.now_ns)) is not None:
                    waiting.append(answer)

    def expire(self, session: Session, now_ns: int) -> None:
        """Gives up what has waited too long for an answer, and asks again what is asked now and then."""
        for child_id, (_, asked_ns) in list(self._inquiries.items()):
            if now_ns - asked_ns > ANSWER_LIMIT_NS:
                del self._inquiries[child_id]
                self.tell(session, Inquired(now_ns, child_id, None, answered=False))
        if self._counting is not None and now_ns - self._counting.asked_ns > ANSWER_LIMIT_NS:
            self._count_over(session, None, now_ns)
        if self._terms.trade_reports and session.is_logged_on and self._trades.is_due(now_ns):
            self._ask_trades(session, now_ns)

    def on_event(self, session: Session, event: Event, now_ns: int) -> None:
        if isinstance(event, LoggedOn):
            self._logged_on(session, now_ns)
        elif isinstance(event, LoggedOut):
            self.down(session, event.text, now_ns)
        elif isinstance(event, Received):
            self._hear(session, event, now_ns)
        elif isinstance(event, Refused):
            self._refused(session, BusinessReject(b"", "", event.ref_seq, False, f"refused: {event.text}"), now_ns)

    def down(self, session: Session, detail: str, now_ns: int) -> None:
        self._logged_on_ns = None
        self.tell(session, Linked(now_ns, False, detail))
        inquiries, self._inquiries = self._inquiries, {}
        for child_id in inquiries:
            self.tell(session, Inquired(now_ns, child_id, None, answered=False))
        self._count_over(session, None, now_ns)

    def _logged_on(self, session: Session, now_ns: int) -> None:
        self._logged_on_ns = now_ns
        if not self._dispatch.cursor:
            self.tell(session, RecordHeard(now_ns, Heard(FIRST_PLACE, [])))
        self.tell(session, Linked(now_ns, True, "", ARRIVAL_LIMIT_NS))
        if self._terms.mass_status and any(it.stage is Stage.ATTEMPTED for it in self._dispatch.alive()):
            session.send(b"AF", orders.mass_status(self._question(now_ns)), now_ns)
        if self._terms.trade_reports:
            self._ask_trades(session, now_ns)

    def _ask_trades(self, session: Session, now_ns: int) -> None:
        session.send(b"AD", self._trades.begin(self._question(now_ns), now_ns), now_ns)

    # What the dispatcher wants.

    def _carry_out(self, session: Session, call: VenueCall, now_ns: int) -> Told | None:
        """The answer, where there is one at once."""
        if isinstance(call, Place):
            return self._place(session, call, now_ns)
        if isinstance(call, Inquire):
            return self._inquire(session, call, now_ns)
        if isinstance(call, Cancel):
            self._cancel(session, call, now_ns)
            return None
        if isinstance(call, Ask):
            return self._ask(session, call, now_ns)
        assert isinstance(call, AskHoldings)
        if not session.is_logged_on or not self._terms.positions:
            return HoldingsHeard(now_ns, None)
        self._counting = Counting(self._question(now_ns), self._dispatch.cursor, now_ns)
        body = account.positions_request(self._counting.request_id, self._terms.account, now_ns)
        session.send(b"AN", body, now_ns)
        return None

    def _place(self, session: Session, call: Place, now_ns: int) -> Told:
        """The LP's answer comes as what it says of the order, and may take its time."""
        if not session.is_logged_on:
            return NotPlaced(now_ns, call.child_id, "there is no connection", False)
        body = orders.new_order(call.order, now_ns, self._terms.account, self._currency(call.order))
        session.send(b"D", body + self._terms.beside_order, now_ns)
        return Placed(now_ns, call.child_id, [])

    def _inquire(self, session: Session, call: Inquire, now_ns: int) -> Told | None:
        known = self._dispatch.by_client_id(call.client_id)
        if not session.is_logged_on or known is None:
            return Inquired(now_ns, call.child_id, None, answered=False)
        child = known.sent.child
        instrument = known.instrument or self._names.get(child.symbol, child.symbol)
        if self._terms.trade_reports:
            session.send(b"AD", trades.order_trades_request(call.client_id, call.client_id), now_ns)
        body = orders.status(call.client_id, instrument, child.side is BUY, self._terms.account)
        session.send(b"H", body + self._terms.beside_symbol, now_ns)
        self._inquiries[call.child_id] = call.client_id, now_ns
        return None

    def _ask(self, session: Session, call: Ask, now_ns: int) -> Asked:
        """A change (35=G) or a cancel (35=F) of an order that rests."""
        if not session.is_logged_on:
            return Asked(now_ns, call.child_id, sent=False)
        order, changed, ours = call.order, call.changed, self._terms.account
        if changed is None:
            body = orders.cancel(order, call.client_id, now_ns, ours)
            session.send(b"F", body + self._terms.beside_order, now_ns)
        else:
            body = orders.replace(changed, order.client_id, now_ns, ours, self._currency(order))
            session.send(b"G", body + self._terms.beside_order, now_ns)
        return Asked(now_ns, call.child_id, sent=True)

    def _cancel(self, session: Session, call: Cancel, now_ns: int) -> None:
        """Of an order that should be over and rests at the LP."""
        if session.is_logged_on:
            name = f"x{now_ns // SECOND_NS}-{call.child_id}"
            body = orders.cancel(call.order, name, now_ns, self._terms.account)
            session.send(b"F", body + self._terms.beside_order, now_ns)
            self._log.warning("an order that should be over is cancelled", child=call.child_id)

    def _currency(self, order: VenueOrder) -> str:
        symbol = next((ours for ours, theirs in self._names.items() if theirs == order.instrument), order.instrument)
        return symbol[:3] if self._terms.send_currency else ""

    def _question(self, now_ns: int) -> str:
        self._questions += 1
        return f"{now_ns}-{self._questions}"

    # What the LP says.

    def _hear(self, session: Session, received: Received, now_ns: int) -> None:
        message, kind = received.message, received.message.msg_type
        if kind == b"8":
            self._hear_report(session, reports.execution_report(message), received.seq, now_ns)
        elif kind == b"9":
            self._hear_report(session, reports.cancel_reject(message), received.seq, now_ns)
        elif kind == b"AQ":
            if refused := self._trades.count(message):
                self._log.warning("the LP does not say what was dealt", detail=refused)
        elif kind == b"AE":
            said = self._trades.hear(message)
            if said is not None and (self._terms.trade_reports or said.kind == "busted"):
                self._take(session, said, received.seq, now_ns)
        elif kind == b"j":
            self._refused(session, reports.business_reject(message), now_ns)
        elif kind in (b"AO", b"AP"):
            self._count(session, message, now_ns)

    def _hear_report(self, session: Session, report: Report, seq: int, now_ns: int) -> None:
        known = self._dispatch.by_client_id(report.client_id) if report.is_answer else None
        child_id = known.sent.child.child_id if known is not None else ""
        asked = self._inquiries.pop(child_id, None)
        if asked is not None:
            said = None if report.said is None else [report.said]
            self.tell(session, Inquired(now_ns, child_id, said, client_id=asked[0]))
        elif report.said is not None:
            self._take(session, report.said, seq, now_ns)

    def _take(self, session: Session, said: Said, seq: int, now_ns: int) -> None:
        self.tell(session, RecordHeard(now_ns, Heard(f"{seq}-{now_ns}", [said])))

    def _refused(self, session: Session, refused: BusinessReject, now_ns: int) -> None:
        """A message of ours that the LP did not take: by its id, else by its number."""
        kind, client_id = self._sent_as(session, refused)
        self._log.warning("the LP refuses a message", msg_type=kind.decode("latin-1"), detail=refused.detail)
        if kind == b"D" and client_id:
            self._take(session, reports.rejected(client_id, refused.detail), refused.ref_seq, now_ns)
        elif kind in (b"F", b"G") and client_id:
            self._take(session, reports.kept(client_id, refused.detail), refused.ref_seq, now_ns)
        elif kind == b"H":
            asked = {name: child_id for child_id, (name, _) in self._inquiries.items()}
            if (child_id := asked.get(client_id)) is not None:
                del self._inquiries[child_id]
                is_answer = refused.is_unknown_id
                self.tell(session, Inquired(now_ns, child_id, None, answered=is_answer, client_id=client_id))
        elif kind == b"AN":
            self._count_over(session, None, now_ns)

    def _sent_as(self, session: Session, refused: BusinessReject) -> tuple[bytes, str]:
        """MsgType and ClOrdID of the message, as we have kept it."""
        if refused.ref_id and refused.ref_type:
            return refused.ref_type, refused.ref_id
        for kept in self._sent.sent(session.settings.session_id, refused.ref_seq, refused.ref_seq, 1):
            if refused.ref_type in (b"", kept.msg_type):
                fields = dict(codec.split(kept.body) or ())
                return kept.msg_type, fields.get(11, b"").decode("ascii", "replace")
        return refused.ref_type, refused.ref_id

    def _count(self, session: Session, message: Message, now_ns: int) -> None:
        if self._counting is not None and self._counting.hear(message):
            self._count_over(session, self._counting.holdings, now_ns)

    def _count_over(self, session: Session, holdings: Holdings | None, now_ns: int) -> None:
        if self._counting is not None:
            if self._counting.detail:
                self._log.warning("the LP does not say what the account holds", detail=self._counting.detail)
            self._counting = None
            self.tell(session, HoldingsHeard(now_ns, holdings))
