"""What a client may ask of open positions: other protections, closing in all its ways, reversing."""

import msgspec

from actors.domain.account import Account
from actors.domain.checks import (
    account_of,
    check_client_order_id,
    check_limits,
    check_price,
    check_protection,
    check_quantity,
    check_size,
    dealable_tick,
    quantity_step_refusal,
)
from actors.domain.commands import (
    ClosePosition,
    ClosePositionBy,
    ClosePositions,
    Mode,
    ModifyPosition,
    ReversePosition,
    SubmitOrder,
    Which,
)
from actors.domain.dealing import abook
from actors.domain.dealing.covered import close_here, closing_e8, covered_e8
from actors.domain.dealing.executed import closing_order
from actors.domain.dealing.fills import Deal
from actors.domain.dealing.free_margin import check_free_margin
from actors.domain.dealing.headroom import check_headroom
from actors.domain.dealing.orders import deal_order, same_request
from actors.domain.events.event import Event
from actors.domain.events.orders import PositionModified
from actors.domain.money import format_e8
from actors.domain.order import Order, OrderReason, OrderStatus, OrderTerms, OrderType, Outcome, Position
from actors.domain.refusal import Code, Refused
from actors.domain.risk import margin
from actors.domain.state import State
from actors.domain.trigger import Reached, Waiting

CLOSE = OrderReason.CLOSE

Closing = ClosePosition | ClosePositionBy | ClosePositions | ReversePosition


def modify_position(state: State, command: ModifyPosition, now_ns: int) -> list[Event]:
    account = account_of(state, command.account_id)
    position = _position(account, command.position_id, "position_id")
    if command.seen not in (None, (position.stop_loss_e8, position.take_profit_e8, position.trailing_stop_e8)):
        raise Refused(Code.VERSION_MISMATCH, f"position {position.position_id} was changed in the meantime")
    instrument = state.instruments[position.symbol]
    protections = {
        "stop_loss": command.stop_loss_e8,
        "take_profit": command.take_profit_e8,
        "trailing_stop": command.trailing_stop_e8,
    }
    for field, price_e8 in protections.items():
        check_price(instrument, price_e8, field)
    tick = dealable_tick(state, account, position.symbol, now_ns)
    check_protection(
        OrderTerms(
            position.symbol,
            position.side,
            OrderType.MARKET,
            position.quantity_e8,
            stop_loss_e8=command.stop_loss_e8 if command.stop_loss_e8 != position.stop_loss_e8 else 0,
            take_profit_e8=command.take_profit_e8 if command.take_profit_e8 != position.take_profit_e8 else 0,
        ),
        tick,
    )
    trail_e8 = command.trailing_stop_e8
    follows_on = trail_e8 == position.trailing_stop_e8
    changed = msgspec.structs.replace(
        position,
        stop_loss_e8=command.stop_loss_e8,
        take_profit_e8=command.take_profit_e8,
        trailing_stop_e8=trail_e8,
        trail_seq=position.trail_seq if follows_on else state.event_seq + 1 if trail_e8 else 0,
    )
    return [PositionModified(changed)] if changed != position else []


def close_position(state: State, command: ClosePosition, now_ns: int) -> list[Event]:
    account, request = _asked(state, command)
    if account is None:
        return []
    position = _position(account, command.position_id, "position_id")
    _check_meant(position, command)
    open_e8 = _open_e8(account, position)
    quantity_e8 = command.quantity_e8 or open_e8
    if not 0 < quantity_e8 <= open_e8:
        raise Refused(
            Code.QUANTITY_OUT_OF_RANGE,
            f"the position holds {format_e8(open_e8)}, not {format_e8(quantity_e8)}",
            "quantity",
        )
    instrument = state.instruments[position.symbol]
    if quantity_e8 % instrument.quantity_step_e8 and quantity_e8 != open_e8:
        raise quantity_step_refusal(instrument)
    tick = dealable_tick(state, account, position.symbol, now_ns)
    deal = Deal(state, account, tick, now_ns)
    order = closing_order(
        state.last_order_id + 1, position, quantity_e8, command.client_order_id, request, CLOSE, now_ns
    )
    abook.close(state, account, deal, order, position, margin.closing_price_e8(position.side, tick), now_ns)
    return deal.events


def close_position_by(state: State, command: ClosePositionBy, now_ns: int) -> list[Event]:
    """The first closes at the price that the second was opened at, the second at its own: no spread is paid.

    Nothing is sent to a venue, for the client is as long or short as before, and so is the broker. What both legs have
    at the same venue is closed there by itself; what only one has, the broker keeps as its own (covered.close_here).
    """
    account, request = _asked(state, command)
    if account is None:
        return []
    one = _position(account, command.position_id, "position_id")
    other = _position(account, command.other_position_id, "other_position_id")
    if one.symbol != other.symbol or one.side is other.side:
        raise Refused(Code.NOT_OPPOSITE, "the two are not opposite positions of one symbol", "other_position_id")
    tick = account.ticks[one.symbol]
    quantity_e8 = min(_open_e8(account, one), _open_e8(account, other))
    deal = Deal(state, account, tick, now_ns)
    price_e8 = other.open_price_e8
    covered = [covered_e8(account, position, quantity_e8) for position in (one, other)]
    matched_e8 = min(covered) if one.venue == other.venue else 0
    for number, (position, for_venues_e8) in enumerate(zip((one, other), covered, strict=True), 1):
        order = closing_order(
            state.last_order_id + number, position, quantity_e8, command.client_order_id, request, CLOSE, now_ns
        )
        close_here(deal, order, position, price_e8, for_venues_e8, matched_e8)
    return deal.events


def close_positions(state: State, command: ClosePositions, now_ns: int) -> list[Event]:
    account, request = _asked(state, command)
    if account is None:
        return []
    if command.symbol and command.symbol not in state.instruments:
        raise Refused(Code.UNKNOWN_SYMBOL, f"there is no symbol {command.symbol[:20]!r}", "symbol")
    events: list[Event] = []
    deal: Deal | None = None
    number = state.last_order_id
    for position in account.positions.values():
        if command.symbol not in ("", position.symbol):
            continue
        try:
            tick = dealable_tick(state, account, position.symbol, now_ns)
        except Refused:
            continue
        price_e8 = margin.closing_price_e8(position.side, tick)
        profit_e16 = margin.profit_e16(position, price_e8)
        if (command.which is Which.WINNERS and profit_e16 <= 0) or (command.which is Which.LOSERS and profit_e16 >= 0):
            continue
        quantity_e8 = position.quantity_e8 - closing_e8(account, position)
        if quantity_e8 <= 0:
            continue
        number += 1
        order = closing_order(number, position, quantity_e8, command.client_order_id, request, CLOSE, now_ns)
        deal = Deal(state, account, tick, now_ns, following=deal)
        abook.close(state, account, deal, order, position, price_e8, now_ns)
        events += deal.events
    if not events:
        raise Refused(Code.NOTHING_TO_CLOSE, "no position of that kind can be closed now", "which")
    return events


def reverse_position(state: State, command: ReversePosition, now_ns: int) -> list[Event]:
    account, request = _asked(state, command)
    if account is None:
        return []
    position = _position(account, command.position_id, "position_id")
    tick = dealable_tick(state, account, position.symbol, now_ns)
    price_e8 = margin.closing_price_e8(position.side, tick)
    quantity_e8 = _open_e8(account, position)
    instrument = state.instruments[position.symbol]
    check_limits(account, instrument)
    number = state.last_order_id + 1
    name = command.client_order_id
    terms = OrderTerms(position.symbol, position.side.opposite, OrderType.MARKET, quantity_e8)
    if account.mode is Mode.NETTING and not state.books.is_plain:
        # Two orders at venues could be filled in either order: one does both.
        doubled = msgspec.structs.replace(terms, quantity_e8=2 * quantity_e8)
        check_quantity(instrument, doubled.quantity_e8)
        both = Order(number, account.account_id, name, doubled, request, CLOSE, OrderStatus.WORKING, 0, 0, 0, now_ns)
        return deal_order(state, account, instrument, both, tick, now_ns)
    check_size(account, instrument, terms)
    deal = Deal(state, account, tick, now_ns)
    closing = closing_order(number, position, quantity_e8, name, request, CLOSE, now_ns)
    opening = Order(number + 1, account.account_id, name, terms, request, CLOSE, OrderStatus.WORKING, 0, 0, 0, now_ns)
    opening, for_venues_e8, venues = abook.routed(state, account, opening, price_e8, now_ns)
    deal.close(closing, position, quantity_e8, price_e8)
    deal.open(opening, quantity_e8, price_e8)
    check_headroom(state, account, deal, now_ns)
    if state.books.is_plain:
        check_free_margin(state, account, deal)
        return deal.events
    closed = Deal(state, account, tick, now_ns)
    abook.close(state, account, closed, closing, position, price_e8, now_ns)
    # What venues are to close is open until they have, and they may refuse: there must be margin for both.
    meanwhile = Deal(state, account, tick, now_ns, closed)
    meanwhile.open(opening, quantity_e8, price_e8)
    meanwhile.moved_minor += closed.moved_minor
    opened = abook.route(state, account, meanwhile, opening, price_e8, for_venues_e8, venues, now_ns, closed)
    return closed.events + opened.events


def protect(state: State, account: Account, reached: Reached, now_ns: int) -> list[Event]:
    """A position's stop or profit is reached, if it is still its: the position is closed at the tick."""
    position = account.positions.get(reached.item_id)
    if position is None:
        return []
    what, reason = reached.what, REASONS[reached.what]
    if what is Waiting.STOP_LOSS:
        holds = position.stop_loss_e8 == reached.mark
    elif what is Waiting.TAKE_PROFIT:
        holds = position.take_profit_e8 == reached.mark
    else:
        holds = bool(position.trailing_stop_e8) and position.trail_seq == reached.mark
    if not holds:
        return []
    quantity_e8 = position.quantity_e8 - closing_e8(account, position)
    if quantity_e8 <= 0:
        return []
    tick = account.ticks[position.symbol]
    deal = Deal(state, account, tick, now_ns)
    order = closing_order(state.last_order_id + 1, position, quantity_e8, "", "", reason, now_ns)
    abook.close(state, account, deal, order, position, margin.closing_price_e8(position.side, tick), now_ns)
    return deal.events


REASONS = {
    Waiting.STOP_LOSS: OrderReason.STOP_LOSS,
    Waiting.TAKE_PROFIT: OrderReason.TAKE_PROFIT,
    Waiting.TRAILING_STOP: OrderReason.TRAILING_STOP,
}


def _check_meant(position: Position, command: ClosePosition) -> None:
    if command.symbol not in ("", position.symbol):
        raise Refused(
            Code.UNKNOWN_POSITION, f"position {position.position_id} is one in {position.symbol}", "position_id"
        )
    if command.side is position.side:
        raise Refused(Code.NOT_OPPOSITE, f"position {position.position_id} is closed by the other side", "side")


def request_of(command: Closing) -> str:
    """The request in words, as orders and outcomes carry it."""
    if isinstance(command, ClosePosition):
        part = format_e8(command.quantity_e8) if command.quantity_e8 else "all"
        return f"close {part} of {command.position_id}"
    if isinstance(command, ClosePositionBy):
        return f"close {command.position_id} by {command.other_position_id}"
    if isinstance(command, ReversePosition):
        return f"reverse {command.position_id}"
    return f"close {command.which.value} {command.symbol or 'everywhere'}"


def known_outcome(state: State, command: SubmitOrder | Closing) -> Outcome | None:
    """What became of this request when it came before; raises Refused where its id belongs to another one."""
    account = state.accounts.get(command.account_id)
    outcome = account.outcomes.get(command.client_order_id) if account is not None else None
    if outcome is not None:
        asked = command.terms if isinstance(command, SubmitOrder) else request_of(command)
        same_request(outcome.asked, asked, command.client_order_id)
    return outcome


def _asked(state: State, command: Closing) -> tuple[Account | None, str]:
    """The account and the request; no account where the request was carried out before."""
    account = account_of(state, command.account_id)
    check_client_order_id(command.client_order_id)
    request = request_of(command)
    known = account.outcomes.get(command.client_order_id)
    if known is not None:
        same_request(known.asked, request, command.client_order_id)
        return None, request
    return account, request


def _open_e8(account: Account, position: Position) -> int:
    """What no venue is closing yet; raises Refused where that is nothing."""
    open_e8 = position.quantity_e8 - closing_e8(account, position)
    if open_e8 <= 0:
        raise Refused(Code.AT_VENUE, f"a venue is closing position {position.position_id}", "position_id")
    return open_e8


def _position(account: Account, position_id: int, field: str) -> Position:
    position = account.positions.get(position_id)
    if position is None:
        raise Refused(Code.UNKNOWN_POSITION, f"there is no open position {position_id}", field)
    return position
