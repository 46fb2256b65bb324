"""Orders, fills and positions to rows of their tables, and back; what does not apply is NULL there and 0 or "" here."""

from decimal import Decimal

from actors.domain.events.orders import OrderAccepted, OrderEnded, OrderFilled, OrderModified, OrderRejected
from actors.domain.order import (
    Conversion,
    Fill,
    Order,
    OrderReason,
    OrderStatus,
    OrderTerms,
    OrderType,
    Position,
    Side,
    TimeInForce,
)
from actors.store.rows import Row, Stored, e8, minor, moment, numeric_e8, numeric_e16, numeric_minor

OrderEvent = OrderAccepted | OrderModified | OrderFilled | OrderEnded | OrderRejected


def order_row(event: OrderEvent) -> Row:
    order = event.order
    code, detail = (event.code, event.detail) if isinstance(event, OrderEnded | OrderRejected) else (None, None)
    return {
        "order_id": order.order_id,
        "account_id": order.account_id,
        "client_order_id": order.client_order_id or None,
        **_terms_row(order.terms),
        "request": order.request or None,
        "reason": order.reason.value,
        "status": order.status.value,
        "asked": _or_null(order.asked_e8),
        "filled": numeric_e8(order.filled_e8),
        "average_price": _or_null(order.average_price_e8),
        "position_id": order.position_id or None,
        "trail_seq": order.trail_seq or None,
        "code": code,
        "detail": detail,
        "created": moment(order.created_ns),
        "created_ns": order.created_ns,
    }


def order_of(row: Stored | Row) -> Order:
    return Order(
        row["order_id"],
        row["account_id"],
        row["client_order_id"] or "",
        _terms_of(row),
        row["request"] or "",
        OrderReason(row["reason"]),
        OrderStatus(row["status"]),
        e8(row["filled"]),
        _or_zero(row["average_price"]),
        row["position_id"] or 0,
        row["created_ns"],
        row["trail_seq"] or 0,
        _or_zero(row["asked"]),
    )


def _terms_row(terms: OrderTerms) -> Row:
    return {
        "symbol": terms.symbol,
        "side": terms.side.value,
        "type": terms.type.value,
        "quantity": numeric_e8(terms.quantity_e8),
        "time_in_force": terms.time_in_force.value,
        "limit_price": _or_null(terms.limit_e8),
        "stop_price": _or_null(terms.stop_e8),
        "trail": _or_null(terms.trail_e8),
        "price_bound": _or_null(terms.bound_e8),
        "stop_loss": _or_null(terms.stop_loss_e8),
        "take_profit": _or_null(terms.take_profit_e8),
        "trailing_stop": _or_null(terms.trailing_stop_e8),
        "expires": moment(terms.expires_ns) if terms.expires_ns else None,
        "expires_ns": terms.expires_ns or None,
        "reduce_only": terms.reduce_only,
        "oco": terms.oco or None,
    }


def _terms_of(row: Stored | Row) -> OrderTerms:
    return OrderTerms(
        row["symbol"],
        Side(row["side"]),
        OrderType(row["type"]),
        e8(row["quantity"]),
        TimeInForce(row["time_in_force"]),
        _or_zero(row["limit_price"]),
        _or_zero(row["stop_price"]),
        _or_zero(row["trail"]),
        _or_zero(row["price_bound"]),
        _or_zero(row["stop_loss"]),
        _or_zero(row["take_profit"]),
        _or_zero(row["trailing_stop"]),
        row["expires_ns"] or 0,
        row["reduce_only"],
        row["oco"] or "",
    )


def fill_row(fill: Fill, currency: str) -> Row:
    conversion = fill.conversion
    return {
        "fill_id": fill.fill_id,
        "order_id": fill.order_id,
        "account_id": fill.account_id,
        "position_id": fill.position_id,
        "symbol": fill.symbol,
        "side": fill.side.value,
        "price": numeric_e8(fill.price_e8),
        "quantity": numeric_e8(fill.quantity_e8),
        "profit": numeric_minor(fill.profit_minor, currency),
        "currency": currency,
        "conversion_symbol": conversion.symbol or None,
        "conversion_tick_seq": conversion.tick_seq,
        "conversion_multiplier": numeric_e8(conversion.multiplier_e8),
        "conversion_divisor": numeric_e8(conversion.divisor_e8),
        "tick_seq": fill.tick_seq,
        "commission": numeric_minor(fill.commission_minor, currency),
        "time": moment(fill.time_ns),
        "time_ns": fill.time_ns,
    }


def fill_of(row: Stored | Row) -> Fill:
    return Fill(
        row["fill_id"],
        row["order_id"],
        row["account_id"],
        row["position_id"],
        row["symbol"],
        Side(row["side"]),
        e8(row["price"]),
        e8(row["quantity"]),
        minor(row["profit"], row["currency"]),
        Conversion(
            row["conversion_symbol"] or "",
            row["conversion_tick_seq"],
            e8(row["conversion_multiplier"]),
            e8(row["conversion_divisor"]),
        ),
        row["tick_seq"],
        row["time_ns"],
        minor(row["commission"], row["currency"]),
    )


def position_row(position: Position, currency: str) -> Row:
    return {
        "position_id": position.position_id,
        "account_id": position.account_id,
        "symbol": position.symbol,
        "side": position.side.value,
        "quantity": numeric_e8(position.quantity_e8),
        "open_price": numeric_e8(position.open_price_e8),
        "open_rest": numeric_e16(position.open_rest_e16),
        "margin": numeric_minor(position.margin_minor, currency),
        "currency": currency,
        "stop_loss": _or_null(position.stop_loss_e8),
        "take_profit": _or_null(position.take_profit_e8),
        "trailing_stop": _or_null(position.trailing_stop_e8),
        "opened": moment(position.opened_ns),
        "opened_ns": position.opened_ns,
    }


def _or_null(value_e8: int) -> Decimal | None:
    return numeric_e8(value_e8) if value_e8 else None


def _or_zero(value: Decimal | None) -> int:
    return 0 if value is None else e8(value)
