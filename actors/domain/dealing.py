"""Orders dealt on the broker's own book (B-book): decided on from the state as it is, without changing it."""

import msgspec

from actors.domain import ledger, margin
from actors.domain.checks import (
    account_of,
    check_client_order_id,
    check_free_margin,
    check_price,
    check_protection,
    check_quantity,
    check_room,
    dealable_tick,
    quantity_step_refusal,
)
from actors.domain.commands import ClosePosition, SubmitOrder
from actors.domain.events import Event, OrderFilled, OrderRejected
from actors.domain.instrument import Instrument
from actors.domain.ledger import PostingKind
from actors.domain.money import Rounding, format_e8, mul_div
from actors.domain.order import (
    Conversion,
    Fill,
    Order,
    OrderReason,
    OrderStatus,
    OrderType,
    Outcome,
    Position,
)
from actors.domain.quote import Tick
from actors.domain.refusal import Code, Refused
from actors.domain.state import Account, State


def known_outcome(state: State, command: SubmitOrder | ClosePosition) -> Outcome | None:
    """What became of this order when it was sent before; raises Refused where its id was used for another one."""
    account = state.accounts.get(command.account_id)
    outcome = account.outcomes.get(command.client_order_id) if account else None
    if outcome is None:
        return None
    order = outcome.order
    if isinstance(command, SubmitOrder):
        same = order.reason is OrderReason.CLIENT and command == SubmitOrder(
            order.account_id,
            order.client_order_id,
            order.symbol,
            order.side,
            order.type,
            order.quantity_e8,
            order.stop_loss_e8,
            order.take_profit_e8,
        )
    elif command.quantity_e8:
        same = order.reason is OrderReason.REDUCE and (order.position_id, order.quantity_e8) == (
            command.position_id,
            command.quantity_e8,
        )
    else:
        same = order.reason is OrderReason.CLOSE and order.position_id == command.position_id
    if not same:
        raise Refused(
            Code.DUPLICATE_CLIENT_ORDER_ID,
            f"client_order_id {command.client_order_id!r} belongs to another order of this account",
            "client_order_id",
        )
    return outcome


def submit_order(state: State, command: SubmitOrder, now_ns: int) -> list[Event]:
    account = account_of(state, command.account_id)
    check_client_order_id(command.client_order_id)
    if known_outcome(state, command) is not None:
        return []
    instrument = state.instruments.get(command.symbol)
    if instrument is None:
        raise Refused(Code.UNKNOWN_SYMBOL, f"there is no symbol {command.symbol[:20]!r}", "symbol")
    check_quantity(instrument, command.quantity_e8)
    for price_e8, field in ((command.stop_loss_e8, "stop_loss"), (command.take_profit_e8, "take_profit")):
        check_price(instrument, price_e8, field)
    order = Order(
        state.last_order_id + 1,
        account.account_id,
        command.client_order_id,
        command.symbol,
        command.side,
        command.type,
        OrderReason.CLIENT,
        command.quantity_e8,
        command.stop_loss_e8,
        command.take_profit_e8,
        OrderStatus.REJECTED,
        0,
        0,
        0,
        now_ns,
    )
    try:
        return [_open(state, account, instrument, order, now_ns)]
    except Refused as refusal:
        return [OrderRejected(order, refusal.code.value, refusal.detail)]


def _open(state: State, account: Account, instrument: Instrument, order: Order, now_ns: int) -> OrderFilled:
    """Deals a market order on the broker's own book, whole, at the tick; raises Refused where the rules forbid it."""
    check_room(account)
    tick = dealable_tick(state, order.symbol, now_ns)
    price_e8 = margin.opening_price_e8(order.side, tick)
    check_protection(order, tick)
    by = margin.conversion(state.crosses, state.ticks, instrument.quote, account.currency, gain=False)
    margin_minor = margin.required_minor(instrument, order.quantity_e8, price_e8, by, account.currency)
    position = Position(
        state.last_position_id + 1,
        account.account_id,
        order.symbol,
        order.side,
        order.quantity_e8,
        price_e8,
        margin_minor,
        order.stop_loss_e8,
        order.take_profit_e8,
        now_ns,
    )
    check_free_margin(state, account, position, tick, instrument)
    filled = _filled(order, price_e8, position.position_id)
    return OrderFilled(filled, _fill(state, filled, 0, by, tick, now_ns), position, None)


def close_position(state: State, command: ClosePosition, now_ns: int) -> list[Event]:
    account = account_of(state, command.account_id)
    check_client_order_id(command.client_order_id)
    if known_outcome(state, command) is not None:
        return []
    position = account.positions.get(command.position_id)
    if position is None:
        raise Refused(Code.UNKNOWN_POSITION, f"there is no open position {command.position_id}", "position_id")
    instrument = state.instruments[position.symbol]
    quantity_e8 = command.quantity_e8 or position.quantity_e8
    if not 0 < quantity_e8 <= position.quantity_e8:
        raise Refused(
            Code.QUANTITY_OUT_OF_RANGE,
            f"the position holds {format_e8(position.quantity_e8)}, not {format_e8(quantity_e8)}",
            "quantity",
        )
    if quantity_e8 % instrument.quantity_step_e8 and quantity_e8 != position.quantity_e8:
        raise quantity_step_refusal(instrument)
    reason = OrderReason.REDUCE if command.quantity_e8 else OrderReason.CLOSE
    tick = dealable_tick(state, position.symbol, now_ns)
    return [close(state, position, quantity_e8, command.client_order_id, reason, tick, now_ns)]


def close(
    state: State,
    position: Position,
    quantity_e8: int,
    client_order_id: str,
    reason: OrderReason,
    tick: Tick,
    now_ns: int,
) -> OrderFilled:
    """Closes a quantity of a position at the tick; the profit is booked between the client and the broker's book."""
    account = state.accounts[position.account_id]
    price_e8 = margin.closing_price_e8(position.side, tick)
    amount_e16 = margin.profit_e16(position.side, position.open_price_e8, price_e8, quantity_e8)
    quote = state.instruments[position.symbol].quote
    by = margin.conversion(state.crosses, state.ticks, quote, account.currency, gain=amount_e16 > 0)
    profit_minor = margin.to_minor(amount_e16, by, account.currency, Rounding.HALF_EVEN)
    order = Order(
        state.last_order_id + 1,
        account.account_id,
        client_order_id,
        position.symbol,
        position.side.opposite,
        OrderType.MARKET,
        reason,
        quantity_e8,
        0,
        0,
        OrderStatus.FILLED,
        quantity_e8,
        price_e8,
        position.position_id,
        now_ns,
    )
    fill = _fill(state, order, profit_minor, by, tick, now_ns)
    left_e8 = position.quantity_e8 - quantity_e8
    rest = msgspec.structs.replace(
        position,
        quantity_e8=left_e8,
        margin_minor=mul_div(position.margin_minor, left_e8, position.quantity_e8, Rounding.CEILING),
    )
    posting = ledger.transfer(
        state.last_posting_id + 1,
        PostingKind.TRADE,
        f"fill:{fill.fill_id}",
        now_ns,
        ledger.TRADING,
        account.ledger_account,
        account.currency,
        profit_minor,
    )
    return OrderFilled(order, fill, rest, posting if profit_minor else None)


def _filled(order: Order, price_e8: int, position_id: int) -> Order:
    """The order, executed whole at one price. Built by hand: this is the hot path, and `replace` is slow."""
    return Order(
        order.order_id,
        order.account_id,
        order.client_order_id,
        order.symbol,
        order.side,
        order.type,
        order.reason,
        order.quantity_e8,
        order.stop_loss_e8,
        order.take_profit_e8,
        OrderStatus.FILLED,
        order.quantity_e8,
        price_e8,
        position_id,
        order.created_ns,
    )


def _fill(state: State, order: Order, profit_minor: int, by: Conversion, tick: Tick, now_ns: int) -> Fill:
    return Fill(
        state.last_fill_id + 1,
        order.order_id,
        order.account_id,
        order.position_id,
        order.symbol,
        order.side,
        order.average_price_e8,
        order.filled_e8,
        profit_minor,
        by,
        tick.seq,
        now_ns,
    )
