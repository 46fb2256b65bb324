"""Dealing rules, hedges, and orders at execution venues."""

from actors.domain.events.venues import (
    BreakDismissed,
    BreakFound,
    ChildChanged,
    ChildSent,
    HedgeDefined,
    HedgeOrdered,
    HedgeRemoved,
    InquiryDue,
    RulesDefined,
)
from actors.domain.evolution.table import Evolutions
from actors.domain.routing.hedge import asked_hedge
from actors.domain.state import State


def _rules(state: State, event: RulesDefined) -> None:
    state.versions.note("rules", state.event_seq + 1)
    state.books.define_rules(event.rules, event.venues)


def _hedge(state: State, event: HedgeDefined) -> None:
    state.versions.note(f"hedge {event.terms.symbol}", state.event_seq + 1)
    state.books.hedges[event.terms.symbol] = event.terms


def _hedge_removed(state: State, event: HedgeRemoved) -> None:
    state.versions.note(f"hedge {event.symbol}", state.event_seq + 1)
    del state.books.hedges[event.symbol]


def _sent(state: State, event: ChildSent) -> None:
    state.last_order_id = max(state.last_order_id, event.sent.child.parent_id)
    state.books.send(event.sent)


def _changed(state: State, event: ChildChanged) -> None:
    state.books.change(event.child, event.fill, event.unsent_e8)
    if event.actor:
        state.books.break_ended(event.child.child_id)


def _break(state: State, event: BreakFound) -> None:
    state.books.break_found(event.found, state.event_seq + 1)


def _dismissed(state: State, event: BreakDismissed) -> None:
    state.books.break_ended(event.child_id)


def _hedge_ordered(state: State, event: HedgeOrdered) -> None:
    state.books.order_hedge(event.key, asked_hedge(event.symbol, event.side, event.quantity_e8))


def _inquiry(state: State, event: InquiryDue) -> None:
    """For the venue's adapter; the child order has changed before."""


EVOLVE: Evolutions = {
    RulesDefined: _rules,
    HedgeDefined: _hedge,
    HedgeRemoved: _hedge_removed,
    ChildSent: _sent,
    ChildChanged: _changed,
    BreakFound: _break,
    BreakDismissed: _dismissed,
    HedgeOrdered: _hedge_ordered,
    InquiryDue: _inquiry,
}
