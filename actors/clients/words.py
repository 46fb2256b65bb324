"""From the broker's values to those that FIX messages are made of, and back."""

from datetime import UTC, datetime

import msgspec

from actors.bus.answers import AccountReport
from actors.domain.calendar import date_of, trading_day
from actors.domain.instrument import Instrument
from actors.domain.money import format_e8, format_minor
from actors.domain.order import BUY, Fill, Order, OrderReason, OrderStatus, OrderTerms, OrderType, Side, TimeInForce
from gateway.fix.trading.inquiries import Holding, Margin, Security
from gateway.fix.trading.reports import FillView, OrderView
from gateway.fix.trading.requests import Close, Terms

OVER = (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REJECTED)


def order_terms(asked: Terms) -> OrderTerms:
    return OrderTerms(
        asked.symbol,
        Side(asked.side),
        OrderType(asked.kind),
        asked.quantity_e8,
        TimeInForce(asked.time_in_force),
        asked.limit_e8,
        asked.stop_e8,
        asked.trail_e8,
        asked.bound_e8,
        asked.stop_loss_e8,
        asked.take_profit_e8,
        asked.trailing_stop_e8,
        asked.expires_ns,
        asked.reduce_only,
        asked.oco,
    )


def closing_terms(asked: Close) -> OrderTerms:
    """As the order that closes has them; its quantity is 0 where the whole position is meant."""
    return OrderTerms(asked.symbol, Side(asked.side), OrderType.MARKET, asked.quantity_e8, reduce_only=True)


def terms_view(terms: OrderTerms) -> Terms:
    return Terms(
        terms.symbol,
        terms.side.value,
        terms.type.value,
        terms.quantity_e8,
        terms.time_in_force.value,
        terms.limit_e8,
        terms.stop_e8,
        terms.trail_e8,
        terms.bound_e8,
        terms.stop_loss_e8,
        terms.take_profit_e8,
        terms.trailing_stop_e8,
        terms.expires_ns,
        terms.reduce_only,
        terms.oco,
    )


def order_view(order: Order, name: str) -> OrderView:
    """`name`: its ClOrdID by now."""
    return OrderView(
        order.order_id,
        order.account_id,
        name,
        terms_view(order.terms),
        order.status.value,
        order.filled_e8,
        order.average_price_e8,
        order.position_id,
    )


def asked_view(account_id: int, name: str, terms: OrderTerms, position_id: int) -> OrderView:
    """What was asked for, and is no order (yet)."""
    return OrderView(0, account_id, name, terms_view(terms), "rejected", 0, 0, position_id)


def before_its_fills(order: Order) -> Order:
    """As it was when it was new."""
    position_id = 0 if order.reason is OrderReason.CLIENT else order.position_id
    return msgspec.structs.replace(
        order, status=OrderStatus.WORKING, filled_e8=0, average_price_e8=0, position_id=position_id
    )


def fill_view(fill: Fill, currency: str) -> FillView:
    return FillView(
        fill.fill_id,
        fill.price_e8,
        fill.quantity_e8,
        fill.position_id,
        format_minor(fill.profit_minor, currency),
        format_minor(fill.commission_minor, currency),
        currency,
        fill.time_ns,
    )


def security(instrument: Instrument) -> Security:
    return Security(
        instrument.symbol,
        instrument.quote,
        instrument.description,
        instrument.quantity_min_e8,
        instrument.quantity_step_e8,
        (
            ("base", instrument.base),
            ("price_digits", str(instrument.price_digits)),
            ("price_step", format_e8(instrument.price_step_e8)),
            ("quantity_max", format_e8(instrument.quantity_max_e8)),
            ("lot", format_e8(instrument.lot_e8)),
            ("margin_rate", format_e8(instrument.margin_rate_e8)),
            ("asset_class", instrument.asset_class.value),
            ("state", instrument.state.value),
        ),
    )


def holdings(report: AccountReport) -> list[Holding]:
    currency = report.summary.currency
    return [
        Holding(
            told.position.position_id,
            told.position.symbol,
            told.position.side is BUY,
            told.position.quantity_e8,
            told.position.open_price_e8,
            told.price_e8,
            format_minor(told.profit_minor, currency),
            told.position.stop_loss_e8,
            told.position.take_profit_e8,
            told.position.trailing_stop_e8,
        )
        for told in report.positions
    ]


def margin(report: AccountReport) -> Margin:
    summary = report.summary
    amounts = (
        summary.balance_minor,
        summary.credit_minor,
        summary.equity_minor,
        summary.margin_minor,
        summary.maintenance_minor,
        summary.free_margin_minor,
    )
    return Margin(summary.currency, *(format_minor(amount, summary.currency) for amount in amounts))


def business_date(now_ns: int) -> bytes:
    """The trading day (LocalMktDate)."""
    day = date_of(trading_day(now_ns))
    return datetime(day.year, day.month, day.day, tzinfo=UTC).strftime("%Y%m%d").encode()
