"""What execution venues and the dealing desk say: reports, silence, settled breaks; and hedges."""

from actors.domain.changes import check_reason
from actors.domain.commands import ReportExecution, ReportHolding, SettleBreak
from actors.domain.dealing.abook import FINISH_LIMIT_NS, carry
from actors.domain.events.event import Event
from actors.domain.events.venues import BreakFound, ChildChanged, ChildSent
from actors.domain.instrument import Instrument
from actors.domain.money import format_e8
from actors.domain.order import BUY, SELL, TimeInForce
from actors.domain.quote import Tick
from actors.domain.refusal import Code, Refused
from actors.domain.routing.books import SentChild
from actors.domain.routing.child import Break, BreakReason, VenueFill, VenueReport, send
from actors.domain.routing.execution import (
    EXEC_ID_LIMIT_CHARACTERS,
    CannotSettle,
    overdue,
    settle,
    stray,
    take,
    time_out,
)
from actors.domain.state import State

TEXT_LIMIT_CHARACTERS = 200
ACTOR_LIMIT_CHARACTERS = 64
HEDGE_PAUSE_NS = 1_000_000_000
"""Between two hedges of a symbol, so that a venue that refuses them is not asked with every tick."""
SETTLED = "settled:"
"""Before the exec_id of a fill that a person has settled: each is settled once."""


def report_execution(state: State, command: ReportExecution, now_ns: int) -> list[Event]:
    report = command.report
    if max(len(report.venue), len(report.child_id), len(report.exec_id), len(report.text)) > TEXT_LIMIT_CHARACTERS:
        raise Refused(Code.BAD_TERMS, f"a text has more than {TEXT_LIMIT_CHARACTERS} characters", "report")
    try:
        sent = state.books.find(report.child_id)
    except KeyError:
        return [BreakFound(stray(report))]
    child, effects = take(sent.child, report, state.books.known[report.child_id])
    instrument = state.instruments[child.symbol]
    if any(isinstance(effect, VenueFill) and not _is_sane(instrument, effect.price_e8) for effect in effects):
        return [BreakFound(_insane(instrument, report))]
    return carry(state, sent, child, effects, now_ns)


def report_holding(state: State, command: ReportHolding, now_ns: int) -> list[Event]:
    """A difference is a break; while an order for the symbol is at the venue, it is none yet."""
    venue, symbol = command.venue, command.symbol
    if max(len(venue), len(symbol)) > TEXT_LIMIT_CHARACTERS:
        raise Refused(Code.BAD_TERMS, f"a text has more than {TEXT_LIMIT_CHARACTERS} characters", "symbol")
    if any(sent.child.venue == venue and sent.child.symbol == symbol for sent in state.books.open.values()):
        return []
    desk = state.books.desks.get(symbol)
    counted_e8 = desk.at_venues_e8.get(venue, 0) if desk else 0
    if command.quantity_e8 == counted_e8:
        return []
    detail = f"{venue} holds {format_e8(command.quantity_e8)} {symbol}, and {format_e8(counted_e8)} were dealt there"
    return [BreakFound(Break(f"{venue}:{symbol}", BreakReason.HOLDING, detail, None))]


def settle_break(state: State, command: SettleBreak, now_ns: int) -> list[Event]:
    """Once per exec_id."""
    if not 0 < len(command.actor) <= ACTOR_LIMIT_CHARACTERS or not command.actor.isprintable():
        raise Refused(Code.BAD_TERMS, f"actor has 1 to {ACTOR_LIMIT_CHARACTERS} printable characters", "actor")
    if command.reason:
        check_reason(command.reason)
    try:
        sent = state.books.find(command.child_id)
    except KeyError:
        raise Refused(Code.UNKNOWN_ORDER, f"no order {command.child_id[:40]!r} was sent", "child_id") from None
    child, exec_id = sent.child, SETTLED + command.exec_id
    if exec_id in state.books.known[child.child_id]:
        return []
    if command.filled_e8:
        _check_fill(state.instruments[child.symbol], command, exec_id)
    if not child.left_e8 and command.filled_e8:
        fill = VenueFill(child.child_id, exec_id, command.filled_e8, command.price_e8)
        return [ChildChanged(child, fill, command.filled_e8, command.actor)]
    try:
        settled, effects = settle(child, exec_id, command.filled_e8, command.price_e8)
    except CannotSettle as cannot:
        raise Refused(Code.BAD_TERMS, str(cannot), "filled") from cannot
    return carry(state, sent, settled, effects, now_ns, command.actor)


def silent_venues(state: State, now_ns: int) -> list[list[Event]]:
    """A step for each child order that is overdue. Its order is not touched: each can be taken in by itself."""
    steps = []
    for sent in state.books.open.values():
        if overdue(sent.child, now_ns):
            child, effects = time_out(sent.child, now_ns)
            steps.append(carry(state, sent, child, effects, now_ns))
    return steps


def hedge(state: State, tick: Tick, now_ns: int) -> list[Event]:
    """Sends what is open to the market beyond the symbol's limit, if it can be dealt now."""
    books, symbol = state.books, tick.symbol
    terms, instrument = books.hedges.get(symbol), state.instruments[symbol]
    if terms is None or not tick.live or state.is_halted(instrument):
        return []
    if symbol not in books.desks or now_ns - books.hedged_ns.get(symbol, 0) < HEDGE_PAUSE_NS:
        return []
    needed_e8 = books.desks[symbol].hedge_needed(terms)
    if not needed_e8 or not state.is_open(instrument, now_ns):
        return []
    side = BUY if needed_e8 > 0 else SELL
    number, finish_ns = state.last_order_id + 1, now_ns + FINISH_LIMIT_NS
    child = send(number, 1, terms.venues[0], symbol, side, abs(needed_e8), 0, finish_ns, now_ns)
    return [ChildSent(SentChild(child, 0, terms.venues[1:], TimeInForce.IOC))]


def _is_sane(instrument: Instrument, price_e8: int) -> bool:
    return instrument.price_min_e8 <= price_e8 <= instrument.price_max_e8


def _insane(instrument: Instrument, report: VenueReport) -> Break:
    bounds = f"{format_e8(instrument.price_min_e8)} to {format_e8(instrument.price_max_e8)}"
    detail = f"a price of {format_e8(report.price_e8)}, and {instrument.symbol} is dealt at {bounds}"
    return Break(report.child_id, BreakReason.BEYOND_BOUND, detail, report)


def _check_fill(instrument: Instrument, command: SettleBreak, exec_id: str) -> None:
    if not 0 < command.filled_e8 <= instrument.quantity_max_e8 or not _is_sane(instrument, command.price_e8):
        raise Refused(Code.BAD_TERMS, f"not a fill of {instrument.symbol} that could be", "filled")
    if not command.exec_id or len(exec_id) > EXEC_ID_LIMIT_CHARACTERS:
        raise Refused(Code.BAD_TERMS, "a fill needs an exec_id, of not too many characters", "exec_id")
