"""What one LP says of itself over a FIX session, for the operator's eyes: what it lists, and our collateral there."""

from collections.abc import Callable, Mapping

import structlog

from actors.bus.fix_sessions import Collateral, LpSurvey
from actors.domain.instrument import Instrument
from actors.domain.money import format_e8
from config.lp_sessions import LpSession
from gateway.fix.codec import Message
from gateway.fix.events import Event, LoggedOn, LoggedOut, Received, Refused
from gateway.fix.lp import account, listing
from gateway.fix.lp.reports import business_reject
from gateway.fix.session import Session
from gateway.venues.interface import VenueInstrument

SECOND_NS = 1_000_000_000
ONE_E8 = 100_000_000
LISTED_LIMIT = 20_000
"""An LP's list that is longer is given up, and said to be refused."""
MISFITS_LIMIT = 200
"""Symbols of which it is said what does not fit."""
NEVER_NS = 1 << 62


class Survey:
    """Told of the session's events; what it sends goes with the transaction that the caller has begun."""

    def __init__(
        self, session: LpSession, instruments: Mapping[str, Instrument], tell: Callable[[dict[str, str]], None]
    ) -> None:
        """`tell`: which symbols do not fit, whenever that changes."""
        self._terms = session
        self._instruments = instruments
        self._tell = tell
        self._symbols: dict[str, str] = {}
        self._is_up = False
        self._listed: dict[str, VenueInstrument] = {}
        self._is_listed = False
        """Whether the list is whole."""
        self._entries = 0
        self._is_outdated = False
        """Whether the list is to be asked for again: it has none of what was mapped since."""
        self._misfits: dict[str, str] = {}
        self._collateral: Collateral | None = None
        self._collateral_due_ns = NEVER_NS
        self._asked: dict[bytes, tuple[str, int]] = {}
        """By MsgType the last request: its id and MsgSeqNum."""
        self._refused: dict[bytes, str] = {}
        self._log = structlog.get_logger(session=session.id)

    def as_seen(self) -> LpSurvey:
        listed = len(self._listed) if self._is_listed else None
        return LpSurvey(listed, dict(self._misfits), self._collateral, "; ".join(self._refused.values()))

    def follow(self, symbols: dict[str, str]) -> None:
        """The LP's names of our symbols, as the registry has them."""
        if symbols != self._symbols:
            mapped = symbols.items() - self._symbols.items()
            is_new = any(theirs not in self._listed for _, theirs in mapped)
            self._is_outdated |= self._is_up and self._is_listed and is_new
            self._symbols = symbols
            self._compare()

    def relist(self, instruments: Mapping[str, Instrument]) -> None:
        """Our instruments, as the engine has them."""
        self._instruments = instruments
        self._compare()

    def is_due(self, now_ns: int) -> bool:
        """Whether `ask` has something to ask."""
        return self._is_outdated or now_ns >= self._collateral_due_ns

    def ask(self, session: Session, now_ns: int) -> None:
        """What is due; an answer that did not come is not waited for."""
        if self._is_outdated:
            self._ask_list(session, now_ns)
        if now_ns >= self._collateral_due_ns:
            self._ask_collateral(session, now_ns)

    def _ask_list(self, session: Session, now_ns: int) -> None:
        self._listed, self._is_listed, self._is_outdated, self._entries = {}, False, False, 0
        request_id = f"{now_ns}"
        self._asked[b"x"] = request_id, session.send(b"x", listing.securities_request(request_id), now_ns)

    def _ask_collateral(self, session: Session, now_ns: int) -> None:
        self._collateral_due_ns = now_ns + self._terms.collateral_s * SECOND_NS
        request_id = f"{now_ns}"
        body = account.collateral_inquiry(request_id, self._terms.account)
        self._asked[b"BB"] = request_id, session.send(b"BB", body, now_ns)

    def on_event(self, session: Session, event: Event, now_ns: int) -> None:
        if isinstance(event, LoggedOn):
            self._begin(session, now_ns)
        elif isinstance(event, LoggedOut):
            self._is_up, self._is_outdated, self._collateral_due_ns = False, False, NEVER_NS
        elif isinstance(event, Received):
            self._hear(event.message, now_ns)
        elif isinstance(event, Refused):
            self._give_up(event.ref_seq, event.text)

    def _begin(self, session: Session, now_ns: int) -> None:
        """With each Logon anew: the list may be another, and what was refused may be allowed."""
        self._is_up = True
        self._asked.clear()
        self._refused.clear()
        if self._terms.security_list:
            self._ask_list(session, now_ns)
        if self._terms.collateral_s:
            self._ask_collateral(session, now_ns)

    def _hear(self, message: Message, now_ns: int) -> None:
        kind = message.msg_type
        if kind == b"y":
            self._hear_list(message)
        elif kind == b"BA":
            said = account.collateral(message)
            if said.request_id in ("", self._asked.get(b"BB", ("", 0))[0]):
                figures = said.currency, said.total_net_e8, said.cash_e8, said.excess_e8
                self._collateral = Collateral(*figures, now_ns)
        elif kind == b"BG":
            request_id, refused = account.collateral_refusal(message)
            if refused and request_id == self._asked.get(b"BB", ("", 0))[0]:
                self._give_up(self._asked[b"BB"][1], refused)
        elif kind == b"j":
            reject = business_reject(message)
            self._give_up(reject.ref_seq, reject.detail)

    def _hear_list(self, message: Message) -> None:
        page = listing.securities(message, self._terms.security_digits_tag)
        request_id, seq = self._asked.get(b"x", ("", 0))
        if page.request_id != request_id or self._is_listed:
            return
        self._entries += len(page.instruments)
        refused = page.refused or f"longer than {LISTED_LIMIT}" * (self._entries > LISTED_LIMIT)
        if refused:
            self._give_up(seq, refused)
            return
        self._listed |= {instrument.name: instrument for instrument in page.instruments}
        if page.is_last is None:
            self._is_listed = page.total is None or self._entries >= page.total
        else:
            self._is_listed = page.is_last
        self._compare()

    def _give_up(self, seq: int, detail: str) -> None:
        """A request of ours that the LP does not take."""
        for msg_type, (_, asked_seq) in list(self._asked.items()):
            if asked_seq == seq:
                del self._asked[msg_type]
                self._refused[msg_type] = f"{'the list' if msg_type == b'x' else 'collateral'}: {detail}"
                self._log.warning("the LP does not say", msg_type=msg_type.decode("ascii"), detail=detail)
                if msg_type == b"BB":
                    self._collateral_due_ns = NEVER_NS

    def _compare(self) -> None:
        if not self._is_listed:
            return
        found: dict[str, str] = {}
        for ours, theirs in self._symbols.items():
            if (words := misfit(self._instruments.get(ours), self._listed.get(theirs))) and len(found) < MISFITS_LIMIT:
                found[ours] = words
        if found != self._misfits:
            self._misfits = found
            self._log.warning("symbols that do not fit what the LP lists", misfits=found)
            self._tell(found)


def misfit(ours: Instrument | None, theirs: VenueInstrument | None) -> str:
    """What of an instrument's terms the LP would not take, as far as it says; empty: nothing."""
    if theirs is None:
        return "unlisted"
    if ours is None:
        return ""
    found = []
    if theirs.price_digits is not None and theirs.price_digits < ours.price_digits:
        found.append(f"prices have {theirs.price_digits} digits there, and {ours.price_digits} here")
    if theirs.contract_e8 not in (None, 0, ONE_E8):
        return "; ".join(
            [*found, f"a contract is {format_e8(theirs.contract_e8)} there, and quantities are units here"]
        )
    least_e8, most_e8, step_e8 = theirs.quantity_min_e8, theirs.quantity_max_e8, theirs.quantity_step_e8
    if least_e8 is not None and least_e8 > ours.quantity_min_e8:
        found.append(f"the least quantity is {format_e8(least_e8)} there, and {format_e8(ours.quantity_min_e8)} here")
    if most_e8 and most_e8 < ours.quantity_max_e8:
        found.append(f"the most is {format_e8(most_e8)} there, and {format_e8(ours.quantity_max_e8)} here")
    if step_e8 and step_e8 > 0 and ours.quantity_step_e8 % step_e8:
        found.append(f"the step is {format_e8(step_e8)} there, and {format_e8(ours.quantity_step_e8)} here")
    return "; ".join(found)
