"""The terms of an order, from JSON to the domain: which fields each type takes, and what a change leaves as it was."""

from typing import Any

import msgspec

from actors.domain.money import LIMIT_E8, NotExact, parse_e8, parse_minor
from actors.domain.order import OrderTerms, OrderType, Position, TimeInForce
from web.payloads import problem
from web.payloads.schema import ChangeOrder, ChangePosition, PlaceOrder
from web.payloads.times import parse_ns

NEEDS: dict[OrderType, tuple[str, ...]] = {
    OrderType.MARKET: (),
    OrderType.LIMIT: ("limit_price",),
    OrderType.STOP: ("stop_price",),
    OrderType.STOP_LIMIT: ("stop_price", "limit_price"),
    OrderType.MARKET_IF_TOUCHED: ("stop_price",),
    OrderType.TRAILING_STOP: ("trail",),
}
"""The prices that an order of each type must name."""
BOUND = (OrderType.MARKET, OrderType.STOP, OrderType.MARKET_IF_TOUCHED, OrderType.TRAILING_STOP)
"""The types that are dealt at the market, and so take a price_bound."""

INTEGER_LIMIT = 2**63
"""Numbers at or beyond it do not fit the bus."""

_PRICES = {
    "limit_price": "limit_e8",
    "stop_price": "stop_e8",
    "trail": "trail_e8",
    "price_bound": "bound_e8",
    "stop_loss": "stop_loss_e8",
    "take_profit": "take_profit_e8",
    "trailing_stop": "trailing_stop_e8",
}
_OF_THE_TYPE = ("limit_price", "stop_price", "trail", "price_bound")
PROTECTIONS = ("stop_loss", "take_profit", "trailing_stop")


def new_terms(wanted: PlaceOrder) -> OrderTerms:
    """Raises Problem, which names the field, where the terms contradict each other."""
    terms = OrderTerms(wanted.symbol, wanted.side, wanted.type, positive_e8(wanted.quantity, "quantity"))
    return _checked(msgspec.structs.replace(terms, **_said(wanted)))


def changed_terms(terms: OrderTerms, wanted: ChangeOrder) -> OrderTerms:
    """The terms with what the change names; the rest stays. Raises as `new_terms`."""
    said = _said(wanted)
    if wanted.quantity is not msgspec.UNSET:
        said["quantity_e8"] = positive_e8(wanted.quantity, "quantity")
    time_in_force = said.get("time_in_force", terms.time_in_force)
    if terms.time_in_force is not TimeInForce.GTD or time_in_force is not TimeInForce.GTD:
        # The end of a day order is the engine's, and not the client's.
        said.setdefault("expires_ns", 0)
    return _checked(msgspec.structs.replace(terms, **said))


def protections(position: Position) -> tuple[int, int, int]:
    """Stop loss, take profit and trailing stop; 0: none."""
    return position.stop_loss_e8, position.take_profit_e8, position.trailing_stop_e8


def changed_protections(position: Position, wanted: ChangePosition) -> tuple[int, int, int]:
    """The same, with what the change names."""
    said = _prices(wanted, PROTECTIONS)
    before = zip(PROTECTIONS, protections(position), strict=True)
    stop_loss, take_profit, trailing_stop = (said.get(_PRICES[field], value_e8) for field, value_e8 in before)
    return stop_loss, take_profit, trailing_stop


def positive_e8(text: str, field: str) -> int:
    """Decimal text above zero and below the limit of all prices and quantities, or the problem that names the field."""
    try:
        value_e8 = parse_e8(text)
    except NotExact as error:
        raise problem.invalid(field, f"{field}: {error}.") from None
    if value_e8 <= 0:
        raise problem.invalid(field, f"{field} must be above zero.")
    if value_e8 >= LIMIT_E8:
        raise problem.invalid(field, f"{field} is too large.")
    return value_e8


def amount_minor(text: str, currency: str, field: str) -> int:
    """Decimal text in minor units, or the problem that names the field."""
    try:
        value_minor = parse_minor(text, currency)
    except NotExact as error:
        raise problem.invalid(field, f"{field}: {error}.") from None
    if abs(value_minor) >= INTEGER_LIMIT:
        raise problem.invalid(field, f"{field} is too large.")
    return value_minor


def _said(wanted: PlaceOrder | ChangeOrder) -> dict[str, Any]:
    """What is said of prices, time and marks, under the domain's names; null says none."""
    said: dict[str, Any] = _prices(wanted, tuple(_PRICES))
    if wanted.time_in_force is not msgspec.UNSET:
        said["time_in_force"] = wanted.time_in_force
    if wanted.expires is not msgspec.UNSET:
        said["expires_ns"] = 0 if wanted.expires is None else _moment(wanted.expires)
    if wanted.reduce_only is not msgspec.UNSET:
        said["reduce_only"] = wanted.reduce_only
    if wanted.oco is not msgspec.UNSET:
        said["oco"] = wanted.oco or ""
    return said


def _prices(wanted: PlaceOrder | ChangeOrder | ChangePosition, fields: tuple[str, ...]) -> dict[str, int]:
    said = {field: getattr(wanted, field) for field in fields}
    return {
        _PRICES[field]: 0 if text is None else positive_e8(text, field)
        for field, text in said.items()
        if text is not msgspec.UNSET
    }


def _moment(text: str) -> int:
    try:
        return parse_ns(text)
    except ValueError as error:
        raise problem.invalid("expires", f"{error}.") from None


def _checked(terms: OrderTerms) -> OrderTerms:
    kind = terms.type.value
    needed = NEEDS[terms.type]
    for field in _OF_THE_TYPE:
        is_said = bool(getattr(terms, _PRICES[field]))
        if field in needed and not is_said:
            raise problem.invalid(field, f"A {kind} order needs {field}.")
        if is_said and field not in needed and not (field == "price_bound" and terms.type in BOUND):
            raise problem.invalid(field, f"A {kind} order takes no {field}.")
    if terms.time_in_force is TimeInForce.GTD and not terms.expires_ns:
        raise problem.invalid("expires", "A gtd order needs expires.")
    if terms.time_in_force is not TimeInForce.GTD and terms.expires_ns:
        raise problem.invalid("expires", "Only a gtd order takes expires.")
    return terms
