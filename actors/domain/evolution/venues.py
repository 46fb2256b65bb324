"""Dealing rules, hedges, and orders at execution venues."""

from actors.domain.events import BreakFound, ChildChanged, ChildSent, HedgeDefined, InquiryDue, RulesDefined
from actors.domain.evolution.table import Evolutions
from actors.domain.state import State


def _rules(state: State, event: RulesDefined) -> None:
    state.books.define_rules(event.rules, event.venues)


def _hedge(state: State, event: HedgeDefined) -> None:
    state.books.hedges[event.terms.symbol] = event.terms


def _sent(state: State, event: ChildSent) -> None:
    state.last_order_id = max(state.last_order_id, event.sent.child.parent_id)
    state.books.send(event.sent)


def _changed(state: State, event: ChildChanged) -> None:
    state.books.change(event.child, event.fill, event.unsent_e8)


def _break(state: State, event: BreakFound) -> None:
    state.books.break_found(event.found)


def _inquiry(state: State, event: InquiryDue) -> None:
    """For the venue's adapter; the child order has changed before."""


EVOLVE: Evolutions = {
    RulesDefined: _rules,
    HedgeDefined: _hedge,
    ChildSent: _sent,
    ChildChanged: _changed,
    BreakFound: _break,
    InquiryDue: _inquiry,
}
