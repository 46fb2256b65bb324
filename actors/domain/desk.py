"""What staff say of dealing: rules, and hedges."""

from actors.domain.books import routed
from actors.domain.checks import instrument_of
from actors.domain.commands import DefineHedge, DefineRules
from actors.domain.events import Event, HedgeDefined, RulesDefined
from actors.domain.hedge import terms_faults
from actors.domain.refusal import Code, Refused
from actors.domain.rulebook import RuleBook, faults
from actors.domain.state import State

VENUES_LIMIT = 100
VENUE_LIMIT_CHARACTERS = 40


def define_rules(state: State, command: DefineRules, now_ns: int) -> list[Event]:
    venues = command.venues
    named = all(0 < len(venue) <= VENUE_LIMIT_CHARACTERS and venue.isprintable() for venue in venues)
    if not named or len(venues) > VENUES_LIMIT or len(dict.fromkeys(venues)) != len(venues):
        raise Refused(Code.BAD_TERMS, f"venues are at most {VENUES_LIMIT} different names", "venues")
    found = faults(command.rules, {name: routed(it) for name, it in state.instruments.items()}, venues)
    if found:
        raise Refused(Code.BAD_TERMS, found[0], "rules")
    for terms in state.books.hedges.values():
        if any(venue not in venues for venue in terms.venues):
            raise Refused(Code.BAD_TERMS, f"{terms.symbol} is hedged at a venue that is not named", "venues")
    now = state.books.rules
    if (command.rules, venues) == (now.rules, state.books.venues):
        return []
    return [RulesDefined(RuleBook(now.version + 1, command.rules), venues)]


def define_hedge(state: State, command: DefineHedge, now_ns: int) -> list[Event]:
    terms = command.terms
    instrument_of(state, terms.symbol)
    found = terms_faults(terms, state.books.venues)
    if found:
        raise Refused(Code.BAD_TERMS, found[0], "terms")
    return [] if state.books.hedges.get(terms.symbol) == terms else [HedgeDefined(terms)]
