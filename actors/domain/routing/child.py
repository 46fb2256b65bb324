"""Child orders: the part of an order that is sent to one venue (A-book), or a hedge; what venues say of them.

After FIX, appendix D (order state change matrices), in the numbering of FIX 5.0.
"""

from collections.abc import Mapping
from enum import Enum

import msgspec

from actors.domain import wide
from actors.domain.money import Rounding, div
from actors.domain.order import OrderTerms, Side

UNSAID = -1
"""A figure that the venue's protocol does not carry."""


class ChildState(Enum):
    SENT = "sent"
    """On its way, not answered."""
    WORKING = "working"
    PARTLY_FILLED = "partly_filled"
    UNKNOWN = "unknown"
    """Not answered within the limit. It may be filled, work, or never have arrived: never assumed dead."""
    ENDING = "ending"
    """The venue says that it is over, and that more was filled than it has reported: those fills are waited for."""
    FILLED = "filled"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class ReportKind(Enum):
    """What a venue says of an order. A gateway passes on the order's status, whichever message carries it.

    So a cancel that is refused (FIX 35=9), and the refusal of a repeated ClOrdID whose first order lives (appendix D,
    F.1.b: ExecType Rejected with OrdStatus New), are passed on as the OrdStatus that they carry, not as REJECTED.
    """

    ACCEPTED = "accepted"
    """It works there (OrdStatus New, Partially filled, Pending)."""
    FILL = "fill"
    """One execution, with its exec_id, quantity and price."""
    COMPLETE = "complete"
    """A status that says it is filled whole, without its executions (ExecType I, OrdStatus Filled)."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    NOT_KNOWN = "not_known"
    """The answer to our inquiry: no such order has arrived (FIX 35=j, HTTP 404)."""
    BUSTED = "busted"
    """An execution is taken back or corrected (ExecType H or G)."""
    REPLACED = "replaced"
    """It works as the change that `exec_id` names has it (ExecType 5)."""
    KEPT = "kept"
    """The change or the cancel that `exec_id` names is refused (35=9), or never arrived: the order is as it was. Of one
    that may never have arrived itself that does not say that it works."""


class BreakReason(Enum):
    UNKNOWN_ORDER = "unknown_order"
    MALFORMED = "malformed"
    OVERFILL = "overfill"
    """A fill larger than what is left."""
    FILL_AFTER_END = "fill_after_end"
    """A fill of a quantity that has been given back, and may be filled elsewhere by now."""
    BEYOND_BOUND = "beyond_bound"
    """A fill at a price worse than the order allows."""
    EXEC_ID_REUSED = "exec_id_reused"
    CONTRADICTION = "contradiction"
    """The report and the ones before it cannot all be true."""
    TOO_MANY_FILLS = "too_many_fills"
    BUSTED = "busted"
    STILL_UNKNOWN = "still_unknown"
    """Asked again and again, the venue has not said what became of the order."""
    HOLDING = "holding"
    """The venue's account does not hold what the engine counts there; of no child order."""


class ChildOrder(msgspec.Struct, frozen=True, array_like=True, gc=False):
    child_id: str
    parent_id: int
    attempt: int
    venue: str
    symbol: str
    side: Side
    quantity_e8: int
    bound_e8: int
    """The worst price that will do; 0 is none."""
    filled_e8: int
    cost_high: int
    """Sum of price times quantity of the fills, in the two parts of `wide`."""
    cost_low: int
    given_back_e8: int
    """Not filled and not to be filled here: re-routed, or given back to the order."""
    state: ChildState
    sent_ns: int
    finish_ns: int
    """When it should be over (immediate-or-cancel, a market order); 0 where it rests."""
    asked_ns: int
    """When we last sent it or asked for it."""
    inquiries: int

    @property
    def left_e8(self) -> int:
        return self.quantity_e8 - self.filled_e8 - self.given_back_e8

    @property
    def is_over(self) -> bool:
        return not self.left_e8

    @property
    def is_working(self) -> bool:
        return self.state is ChildState.WORKING or self.state is ChildState.PARTLY_FILLED

    @property
    def cost_e16(self) -> int:
        return wide.join(self.cost_high, self.cost_low)

    def average_price_e8(self, rounding: Rounding) -> int:
        """0 where nothing is filled."""
        return div(self.cost_e16, self.filled_e8, rounding) if self.filled_e8 else 0


def child_id(parent_id: int, attempt: int) -> str:
    """The same for the same attempt in every run, so that an order sent again after a crash is the same order."""
    return f"{parent_id}-{attempt}"


def send(
    parent_id: int,
    attempt: int,
    venue: str,
    symbol: str,
    side: Side,
    quantity_e8: int,
    bound_e8: int,
    finish_ns: int,
    now_ns: int,
) -> ChildOrder:
    """A child order on its way. `bound_e8` and `finish_ns` are 0 where there is none."""
    return ChildOrder(
        child_id(parent_id, attempt),
        parent_id,
        attempt,
        venue,
        symbol,
        side,
        quantity_e8,
        bound_e8,
        0,
        0,
        0,
        0,
        ChildState.SENT,
        now_ns,
        finish_ns,
        now_ns,
        0,
    )


class VenueChange(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the venue is asked to make of a child order that rests there, and has not answered: one at a time."""

    child_id: str
    venue: str
    asked_ns: int
    """Names it: no other of the child has the same. A child whose change is taken was sent then (`sent_ns`)."""
    bound_e8: int
    """The new price at the venue."""
    terms: OrderTerms | None
    """The client's, once it is taken; None: the order is to be cancelled."""
    code: str = ""
    """Why it is to be cancelled, and so why the order ends."""
    detail: str = ""


class VenueReport(msgspec.Struct, frozen=True, array_like=True, gc=False):
    venue: str
    child_id: str
    exec_id: str
    """Of a fill: its identity at the venue. Of REPLACED and KEPT the change's `asked_ns`. Of anything else it is only
    shown: venues use one again ("0")."""
    kind: ReportKind
    quantity_e8: int
    """Of this fill; 0 in other kinds, and so for `price_e8`."""
    price_e8: int
    cumulative_e8: int
    """All that is filled by the venue's account (CumQty), or UNSAID."""
    leaves_e8: int
    """What still works there (LeavesQty), or UNSAID."""
    text: str
    venue_time_ns: int


class Effect(msgspec.Struct, frozen=True, array_like=True, tag=True, tag_field="kind", gc=False):
    """The base of what a report or a time-out leads to."""


class VenueFill(Effect, frozen=True):
    """A quantity of the order is dealt."""

    child_id: str
    exec_id: str
    quantity_e8: int
    price_e8: int


class Rest(Effect, frozen=True):
    """What will not be filled here: for the next venue, or back to the order."""

    child_id: str
    quantity_e8: int


class Inquiry(Effect, frozen=True):
    """Ask the venue what became of the order (FIX 35=H, a REST lookup by client id)."""

    child_id: str


class Break(Effect, frozen=True):
    """A report that was not followed, whole, and why; no report where none came. A person settles it."""

    child_id: str
    reason: BreakReason
    detail: str
    report: VenueReport | None


Effects = tuple[VenueFill | Rest | Inquiry | Break, ...]
KnownFills = Mapping[str, tuple[int, int]]
"""Of one child order: exec_id to (quantity, price) of the fills taken or broken. Lives as long as the child does."""


class Move(Enum):
    """What a report does in a state."""

    WORK = "work"
    FILL = "fill"
    END = "end"
    COMPARE = "compare"
    """It says nothing new, unless its figures contradict ours."""
    LATE = "late"
    """It was true before what we know already."""
    BREAK = "break"


_S, _K, _M = ChildState, ReportKind, Move

_COLUMNS = (
    _K.ACCEPTED, _K.FILL, _K.COMPLETE, _K.CANCELLED, _K.EXPIRED, _K.REJECTED, _K.NOT_KNOWN, _K.BUSTED,
    _K.REPLACED, _K.KEPT,
)  # fmt: skip
_ROWS = {
    # Nobody has asked, so NOT_KNOWN is no answer; a fill or an end may overtake the acceptance.
    _S.SENT:          (_M.WORK, _M.FILL, _M.END,     _M.END,     _M.END,     _M.END,     _M.BREAK, _M.BREAK,
                      _M.WORK, _M.LATE),
    # REJECTED: some venues refuse what they cannot fill after having accepted it.
    _S.WORKING:       (_M.LATE, _M.FILL, _M.END,     _M.END,     _M.END,     _M.END,     _M.BREAK, _M.BREAK,
                      _M.WORK, _M.WORK),
    # ACCEPTED comes out of order here. REJECTED is of the rest: the fills before it stand.
    _S.PARTLY_FILLED: (_M.LATE, _M.FILL, _M.END,     _M.END,     _M.END,     _M.END,     _M.BREAK, _M.BREAK,
                      _M.WORK, _M.WORK),
    # Every answer is possible, a fill too. NOT_KNOWN is an answer here: the order never arrived.
    _S.UNKNOWN:       (_M.WORK, _M.FILL, _M.END,     _M.END,     _M.END,     _M.END,     _M.END,   _M.BREAK,
                      _M.WORK, _M.LATE),
    # A fill after the cancel that counted it: a real race, and what this state waits for.
    _S.ENDING:        (_M.LATE, _M.FILL, _M.COMPARE, _M.COMPARE, _M.COMPARE, _M.COMPARE, _M.BREAK, _M.BREAK,
                      _M.LATE, _M.LATE),
    # CANCELLED or EXPIRED: our cancel was too late, or the answer to an inquiry. A new fill would be too much.
    _S.FILLED:        (_M.LATE, _M.FILL, _M.COMPARE, _M.COMPARE, _M.COMPARE, _M.BREAK,   _M.BREAK, _M.BREAK,
                      _M.LATE, _M.LATE),
    # A fill after the end fills what was given back: it becomes a break (execution.py). Answers to inquiries come late.
    _S.REJECTED:      (_M.LATE, _M.FILL, _M.COMPARE, _M.COMPARE, _M.COMPARE, _M.COMPARE, _M.LATE,  _M.BREAK,
                      _M.LATE, _M.LATE),
    _S.CANCELLED:     (_M.LATE, _M.FILL, _M.COMPARE, _M.COMPARE, _M.COMPARE, _M.COMPARE, _M.LATE,  _M.BREAK,
                      _M.LATE, _M.LATE),
    _S.EXPIRED:       (_M.LATE, _M.FILL, _M.COMPARE, _M.COMPARE, _M.COMPARE, _M.COMPARE, _M.LATE,  _M.BREAK,
                      _M.LATE, _M.LATE),
}  # fmt: skip
TABLE: dict[tuple[ChildState, ReportKind], Move] = {
    (state, kind): move for state, row in _ROWS.items() for kind, move in zip(_COLUMNS, row, strict=True)
}
"""The whole life of a child order. A pair that is not in it is a fault in our own code (KeyError)."""
