"""What staff say of dealing: rules, hedges, halts, and breaks that are dealt with."""

from actors.domain.changes import check_reason
from actors.domain.checks import check_quantity, instrument_of, is_name
from actors.domain.commands import (
    DefineHedge,
    DefineRules,
    DismissBreak,
    HaltTrading,
    RemoveHedge,
    ResumeTrading,
    SendHedge,
)
from actors.domain.dealing.abook import FINISH_LIMIT_NS
from actors.domain.events.event import Event
from actors.domain.events.terms import TradingHalted, TradingResumed
from actors.domain.events.venues import (
    BreakDismissed,
    ChildSent,
    HedgeDefined,
    HedgeOrdered,
    HedgeRemoved,
    RulesDefined,
)
from actors.domain.halt import Halt, HaltScope
from actors.domain.order import TimeInForce
from actors.domain.refusal import Code, Refused
from actors.domain.routing.books import SentChild, routed
from actors.domain.routing.child import send
from actors.domain.routing.hedge import asked_hedge, terms_faults
from actors.domain.routing.rulebook import RuleBook, faults
from actors.domain.staff.cash import TEXT_LIMIT_CHARACTERS, check_actor
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


def remove_hedge(state: State, command: RemoveHedge, now_ns: int) -> list[Event]:
    return [HedgeRemoved(command.symbol)] if command.symbol in state.books.hedges else []


def send_hedge(state: State, command: SendHedge, now_ns: int) -> list[Event]:
    """A person's hedge: whatever the limits say, but while the symbol can be dealt."""
    if not is_name(command.key, TEXT_LIMIT_CHARACTERS):
        raise Refused(Code.BAD_KEY, f"a key has 1 to {TEXT_LIMIT_CHARACTERS} printable characters", "key")
    check_actor(command.actor)
    check_reason(command.reason)
    asked = asked_hedge(command.symbol[:40], command.side, command.quantity_e8)
    known = state.books.hedge_keys.get(command.key)
    if known is not None:
        if known != asked:
            raise Refused(Code.IDEMPOTENCY_KEY_REUSED, f"the key belongs to another hedge: {known}", "key")
        return []
    instrument = instrument_of(state, command.symbol)
    check_quantity(instrument, command.quantity_e8)
    venues = command.venues
    if not venues or len(dict.fromkeys(venues)) != len(venues) or any(it not in state.books.venues for it in venues):
        raise Refused(Code.BAD_TERMS, "a hedge names the venues that it is tried at, each of them once", "venues")
    if state.is_halted(instrument):
        raise Refused(Code.HALTED, f"trading in {command.symbol} is halted", "symbol")
    if not state.is_open(instrument, now_ns):
        raise Refused(Code.MARKET_CLOSED, f"the market in {command.symbol} is closed", "symbol")
    tick = state.ticks.get(command.symbol)
    if tick is None or not tick.live:
        raise Refused(Code.NO_PRICE, f"no liquidity provider has a fresh price of {command.symbol}", "symbol")
    number, finish_ns = state.last_order_id + 1, now_ns + FINISH_LIMIT_NS
    child = send(number, 1, venues[0], command.symbol, command.side, command.quantity_e8, 0, finish_ns, now_ns)
    ordered = HedgeOrdered(
        command.key, command.symbol, command.side, command.quantity_e8, venues, command.actor, command.reason
    )
    return [ordered, ChildSent(SentChild(child, 0, venues[1:], TimeInForce.IOC))]


def halt_trading(state: State, command: HaltTrading, now_ns: int) -> list[Event]:
    halt = _halt(state, command, now_ns)
    return [] if halt.what in state.halts else [TradingHalted(halt)]


def resume_trading(state: State, command: ResumeTrading, now_ns: int) -> list[Event]:
    wanted = _halt(state, command, now_ns)
    return [TradingResumed(halt) for halt in state.halts if halt.what == wanted.what]


def halt_subject(command: HaltTrading | ResumeTrading) -> str:
    """As versions know it."""
    return f"halt {command.scope.value} {command.name}".rstrip()


def dismiss_break(state: State, command: DismissBreak, now_ns: int) -> list[Event]:
    """One that has an order with something left of it is settled instead."""
    check_actor(command.actor)
    check_reason(command.reason)
    if not any(found.found.child_id == command.child_id for found in state.books.breaks.values()):
        raise Refused(Code.UNKNOWN_BREAK, f"no break of {command.child_id[:40]!r} waits", "child_id")
    if command.child_id in state.books.open:
        raise Refused(Code.BAD_TERMS, "the order is not over: say what became of it", "child_id")
    return [BreakDismissed(command.child_id, command.actor, command.reason, now_ns)]


def _halt(state: State, command: HaltTrading | ResumeTrading, now_ns: int) -> Halt:
    """Raises Refused where there is no such group or symbol."""
    scope, name = command.scope, command.name
    if scope is HaltScope.SYMBOL:
        instrument_of(state, name)
    elif scope is HaltScope.GROUP and name not in state.groups:
        raise Refused(Code.UNKNOWN_GROUP, f"there is no group {name[:40]!r}", "name")
    elif scope is HaltScope.ALL and name:
        raise Refused(Code.BAD_TERMS, "where all is halted there is no name", "name")
    return Halt(scope, name, command.actor, command.reason, now_ns)
