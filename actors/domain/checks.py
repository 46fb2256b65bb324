"""The checks that stand before a deal. Each returns, or raises Refused with the numbers that decided it."""

from actors.domain import margin
from actors.domain.instrument import Instrument
from actors.domain.money import LIMIT_E8, format_e8, format_minor
from actors.domain.order import Order, Position, Side
from actors.domain.quote import Tick
from actors.domain.refusal import Code, Refused
from actors.domain.state import Account, State

STREAM_SILENCE_LIMIT_NS = 3_000_000_000
"""A price stream that has said nothing for so long is taken for dead, and nobody is dealt with on its prices."""
CLIENT_ORDER_ID_LIMIT_CHARACTERS = 64
POSITIONS_LIMIT = 2_000
"""Open positions of one account: a report of them all fits a frame of the bus, a snapshot what /ws holds back."""


def account_of(state: State, account_id: int) -> Account:
    account = state.accounts.get(account_id)
    if account is None:
        raise Refused(Code.UNKNOWN_ACCOUNT, f"there is no account {account_id}", "account_id")
    return account


def dealable_tick(state: State, symbol: str, now_ns: int) -> Tick:
    """The price to deal at, or Refused: there must be one, it must be live, and the stream must be alive."""
    tick = state.ticks.get(symbol)
    if tick is None or not tick.live:
        raise Refused(Code.NO_PRICE, f"no liquidity provider has a fresh price of {symbol}", "symbol")
    silence_ns = now_ns - state.stream_alive_ns
    if silence_ns > STREAM_SILENCE_LIMIT_NS:
        raise Refused(
            Code.STALE_PRICE,
            f"the price stream has been silent for {silence_ns // 1_000_000} ms, "
            f"more than {STREAM_SILENCE_LIMIT_NS // 1_000_000} ms",
            "symbol",
        )
    return tick


def is_name(text: str, limit_characters: int) -> bool:
    """Whether it may be kept: in a log, a URL and a database (PostgreSQL takes no zero byte)."""
    return 0 < len(text) <= limit_characters and text.isprintable()


def check_client_order_id(client_order_id: str) -> None:
    if not is_name(client_order_id, CLIENT_ORDER_ID_LIMIT_CHARACTERS):
        raise Refused(
            Code.BAD_CLIENT_ORDER_ID,
            f"client_order_id has 1 to {CLIENT_ORDER_ID_LIMIT_CHARACTERS} printable characters",
            "client_order_id",
        )


def check_quantity(instrument: Instrument, quantity_e8: int) -> None:
    if not instrument.quantity_min_e8 <= quantity_e8 <= instrument.quantity_max_e8:
        raise Refused(
            Code.QUANTITY_OUT_OF_RANGE,
            f"quantity of {instrument.symbol} is from {format_e8(instrument.quantity_min_e8)} "
            f"to {format_e8(instrument.quantity_max_e8)}, not {format_e8(quantity_e8)}",
            "quantity",
        )
    if quantity_e8 % instrument.quantity_step_e8:
        raise quantity_step_refusal(instrument)


def quantity_step_refusal(instrument: Instrument) -> Refused:
    step = format_e8(instrument.quantity_step_e8)
    return Refused(Code.QUANTITY_STEP, f"quantity of {instrument.symbol} goes in steps of {step}", "quantity")


def check_price(instrument: Instrument, price_e8: int, field: str) -> None:
    """A price that a client names; 0 is none."""
    if price_e8 and (not 0 < price_e8 < LIMIT_E8 or price_e8 % instrument.price_step_e8):
        raise Refused(
            Code.PRICE_STEP, f"{field} of {instrument.symbol} has at most {instrument.price_digits} decimals", field
        )


def check_room(account: Account) -> None:
    if len(account.positions) >= POSITIONS_LIMIT:
        raise Refused(Code.TOO_MANY_POSITIONS, f"the account has {POSITIONS_LIMIT} open positions: close one first")


def check_protection(order: Order, tick: Tick) -> None:
    """A stop loss lies on the losing side of where the position would close now, a take profit on the winning side."""
    price_e8 = margin.closing_price_e8(order.side, tick)
    sign = 1 if order.side is Side.BUY else -1
    for limit_e8, direction, field in ((order.stop_loss_e8, -1, "stop_loss"), (order.take_profit_e8, 1, "take_profit")):
        if limit_e8 and (limit_e8 - price_e8) * sign * direction <= 0:
            raise Refused(
                Code.WRONG_SIDE_OF_MARKET,
                f"{field} {format_e8(limit_e8)} of a {order.side.value} must be "
                f"{'above' if sign * direction > 0 else 'below'} {format_e8(price_e8)}",
                field,
            )


def check_free_margin(state: State, account: Account, position: Position, tick: Tick, instrument: Instrument) -> None:
    """After the fill, with the spread already lost, free margin must not be below zero."""
    spread_e16 = (tick.bid_e8 - tick.ask_e8) * position.quantity_e8
    profit_minor = margin.open_profit_minor(
        account.exposures, state.instruments, state.crosses, state.ticks, account.currency, (instrument, spread_e16)
    )
    free_minor = state.balance_minor(account) + profit_minor - account.margin_minor
    if free_minor < position.margin_minor:
        raise Refused(
            Code.INSUFFICIENT_MARGIN,
            f"free margin {format_minor(free_minor, account.currency)} < "
            f"{format_minor(position.margin_minor, account.currency)} {account.currency} that the order needs",
            "quantity",
        )
