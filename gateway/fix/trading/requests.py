"""A client's messages as plain values. Source: FIX 4.4 volumes 3 and 4.

The session has held them against the dictionary already: required fields are there, and values in their formats.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from actors.domain.money import NotExact, parse_e8
from gateway.fix.codec import Message
from gateway.fix.times import parse_utc_timestamp
from gateway.fix.trading import vocabulary
from gateway.fix.trading.vocabulary import ORDER_TYPES, SIDES, TIMES_IN_FORCE

MARKET, PEGGED, GOOD_TILL_DATE = b"1", b"P", b"6"
POSITION_ID_DIGITS = 18
MARKET_DEPTH_DIGITS = 9
SYMBOLS_LIMIT = 200
"""In one MarketDataRequest."""


_NOT_OF_A_CLOSE = (
    *(44, 99, 110, 126, 211, 432),
    *(vocabulary.STOP_LOSS, vocabulary.TAKE_PROFIT, vocabulary.TRAILING_STOP, vocabulary.OCO, vocabulary.PRICE_BOUND),
)
"""What an order may say and the closing of a position may not: it would not be done."""


_NOT_DONE = (152, 168, 388, 389, 516)
"""CashOrderQty, EffectiveTime, discretion and OrderPercent: an order would be dealt that is not the one asked for."""
_TAKEN = {63: (b"0", b"3"), 423: (b"2",)}
"""SettlType: as usual, T+2, which is what a spot order is; PriceType: of a unit."""
_INSTRUCTIONS = frozenset((b"1", b"2", b"5"))
"""ExecInst (18) that leave it to the broker how he works an order."""


class Unfit(Exception):
    """What is asked for cannot be: the broker's code and a sentence. `tag` is the field at fault, 0 if none is."""

    def __init__(self, code: str, detail: str, tag: int = 0):
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.tag = tag


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked for, in the broker's words; 0 or an empty text where nothing is said."""

    symbol: str
    side: str
    kind: str
    quantity_e8: int
    time_in_force: str
    limit_e8: int
    stop_e8: int
    trail_e8: int
    bound_e8: int
    stop_loss_e8: int
    take_profit_e8: int
    trailing_stop_e8: int
    expires_ns: int
    reduce_only: bool
    oco: str


@dataclass(frozen=True, slots=True)
class Close:
    """One position is to be closed at the market. `quantity_e8` 0: all of it."""

    position_id: int
    symbol: str
    side: str
    """Of the order, so the opposite of the position's."""
    quantity_e8: int


@dataclass(frozen=True, slots=True)
class Named:
    """By which names a message speaks of an order: ClOrdID, OrigClOrdID, OrderID, Account; empty where it has none."""

    name: str
    original: str
    order_id: str
    account: str


@dataclass(frozen=True, slots=True)
class MarketDataRequest:
    request_id: bytes
    kind: bytes
    """SubscriptionRequestType: 0 a snapshot, 1 and updates, 2 no more of them."""
    is_incremental: bool
    sides: frozenset[bytes]
    """MDEntryType: 0 bid, 1 offer."""
    symbols: tuple[str, ...]
    depth: int
    """MarketDepth: so many levels of each side; 0: all."""


def text(message: Message, tag: int) -> str:
    """A field's text; empty where it is missing. Bytes that are no ASCII are kept as escapes."""
    return (message.get(tag) or b"").decode("ascii", "backslashreplace")


def named(message: Message) -> Named:
    """Raises Unfit where a ClOrdID is no ASCII text."""
    if not (message.get(11) or b"").isascii():
        raise Unfit("BAD_CLIENT_ORDER_ID", "ClOrdID (11) is ASCII text", 11)
    return Named(text(message, 11), text(message, 41), text(message, 37), text(message, 1))


def close(message: Message) -> Close | None:
    """Of a NewOrderSingle that names a position; None where it names none. Raises Unfit."""
    named = {value for tag in vocabulary.POSITION_IDS if (value := message.get(tag)) is not None}
    if not named:
        return None
    wanted = named.pop()
    if named or not wanted.isdigit() or len(wanted) > POSITION_ID_DIGITS or not int(wanted):
        raise Unfit("UNKNOWN_POSITION", "PositionID (2618, 7007) is the number of one position", vocabulary.POSITION_ID)
    if message.get(77) != vocabulary.CLOSES:
        raise Unfit("BAD_TERMS", "an order with PositionID (2618, 7007) has PositionEffect (77) C, close", 77)
    if message.get(40) != MARKET or message.get(59) == GOOD_TILL_DATE:
        raise Unfit("BAD_TERMS", "a position is closed at once, at the market (40=1)", 40)
    for tag in _NOT_OF_A_CLOSE:
        if message.get(tag) is not None:
            raise Unfit("BAD_TERMS", f"the closing of a position has no field {tag}", tag)
    _check_done(message)
    quantity_e8 = decimal(message, 38)
    if message.get(38) is not None and not quantity_e8:
        raise Unfit("BAD_TERMS", "OrderQty (38) is above zero; without it the position is closed whole", 38)
    return Close(int(wanted), _symbol(message), _word(message, 54, SIDES), quantity_e8)


def terms(message: Message) -> Terms:
    """Of a NewOrderSingle or an OrderCancelReplaceRequest. Raises Unfit."""
    symbol = _symbol(message)
    _check_done(message)
    effect = message.get(77)
    if effect not in (None, vocabulary.OPENS, vocabulary.CLOSES):
        raise Unfit("BAD_TERMS", "PositionEffect (77) is C, close, or O, open", 77)
    quantity_e8 = decimal(message, 38)
    if not quantity_e8:
        raise Unfit("BAD_TERMS", "an order needs OrderQty (38) above zero", 38)
    kind = _word(message, 40, ORDER_TYPES)
    time_in_force = _word(message, 59, TIMES_IN_FORCE, vocabulary.DAY)
    _check_minimum(message, quantity_e8, time_in_force)
    trail_e8 = 0
    if kind == "trailing_stop":
        trail_e8 = _trail(message)
    elif message.get(211) is not None:
        raise Unfit("BAD_TERMS", "only a pegged order (40=P) has PegOffsetValue (211)", 211)
    expires = message.get(126)
    if expires is None and message.get(432) is not None:
        raise Unfit("BAD_TERMS", "ExpireTime (126) says when an order ends, and not ExpireDate (432)", 432)
    return Terms(
        symbol=symbol,
        side=_word(message, 54, SIDES),
        kind=kind,
        quantity_e8=quantity_e8,
        time_in_force=time_in_force,
        limit_e8=decimal(message, 44),
        stop_e8=decimal(message, 99),
        trail_e8=trail_e8,
        bound_e8=decimal(message, vocabulary.PRICE_BOUND),
        stop_loss_e8=decimal(message, vocabulary.STOP_LOSS),
        take_profit_e8=decimal(message, vocabulary.TAKE_PROFIT),
        trailing_stop_e8=decimal(message, vocabulary.TRAILING_STOP),
        expires_ns=(parse_utc_timestamp(expires) or 0) if expires is not None else 0,
        reduce_only=message.get(vocabulary.REDUCE_ONLY) == b"Y" or effect == vocabulary.CLOSES,
        oco=text(message, vocabulary.OCO),
    )


def market_data(message: Message) -> MarketDataRequest:
    """Raises Unfit."""
    symbols = dict.fromkeys(entry[55].decode("ascii", "replace") for entry in message.group(146, (55,)) if 55 in entry)
    if len(symbols) > SYMBOLS_LIMIT:
        raise Unfit("BAD_REQUEST", f"at most {SYMBOLS_LIMIT} symbols in a request", 146)
    sides = frozenset(entry[269] for entry in message.group(267, (269,)) if 269 in entry)
    kind = message.get(263) or b""
    if kind != b"2" and not sides <= {b"0", b"1"}:
        raise Unfit("BAD_TERMS", "there are bids (0) and offers (1)", 269)
    levels = message.get(264) or b"1"
    if not levels.isdigit() or len(levels) > MARKET_DEPTH_DIGITS:
        raise Unfit("BAD_TERMS", "MarketDepth (264) is a number of levels, 0 for all", 264)
    return MarketDataRequest(
        message.get(262) or b"", kind, message.get(265) == b"1", sides, tuple(symbols), int(levels)
    )


def decimal(message: Message, tag: int) -> int:
    """A price or quantity on the 10^-8 scale, 0 where it is missing. Raises Unfit where it is below zero or inexact."""
    value = message.get(tag)
    if value is None:
        return 0
    written = value.decode("ascii", "replace").rstrip(".")
    try:
        number_e8 = parse_e8(f"0{written}" if written.startswith(".") else written)
    except NotExact as error:
        raise Unfit("BAD_TERMS", f"field {tag}: {error}", tag) from None
    if number_e8 < 0:
        raise Unfit("BAD_TERMS", f"field {tag} is below zero", tag)
    return number_e8


def _symbol(message: Message) -> str:
    if message.get(55) is None:
        raise Unfit("UNKNOWN_SYMBOL", "an order needs Symbol (55)", 55)
    return text(message, 55)


def _word(message: Message, tag: int, words: Mapping[bytes, str], default: bytes = b"") -> str:
    value = message.get(tag) or default
    word = words.get(value)
    if word is None:
        raise Unfit("BAD_TERMS", f"field {tag} may not be {value.decode('ascii', 'replace')!r} here", tag)
    return word


def _check_done(message: Message) -> None:
    """Raises Unfit for what would silently not be done."""
    for tag in _NOT_DONE:
        if message.get(tag) is not None:
            raise Unfit("BAD_TERMS", f"what field {tag} asks for is not done here", tag)
    for tag, values in _TAKEN.items():
        if message.get(tag) not in (None, *values):
            raise Unfit("BAD_TERMS", f"field {tag} is {' or '.join(map(bytes.decode, values))} here", tag)
    instructions = frozenset((message.get(18) or b"1").split(b" "))
    is_trailing = message.get(40) == PEGGED and instructions == {vocabulary.TRAILING_STOP_PEG}
    if not is_trailing and not instructions <= _INSTRUCTIONS:
        raise Unfit("BAD_TERMS", "ExecInst (18) is 1, 2 or 5, or of a trailing stop (40=P) a", 18)


def _check_minimum(message: Message, quantity_e8: int, time_in_force: str) -> None:
    """An order is filled whole, at once or not: the one minimum that can be promised is all of it, in a FOK."""
    minimum_e8 = decimal(message, 110)
    if minimum_e8 and (minimum_e8 != quantity_e8 or time_in_force != "fok"):
        raise Unfit("BAD_TERMS", "MinQty (110) is OrderQty (38), with TimeInForce (59) FOK, or nothing", 110)


def _trail(message: Message) -> int:
    if message.get(18) != vocabulary.TRAILING_STOP_PEG:
        raise Unfit("BAD_TERMS", "a pegged order (40=P) is a trailing stop: ExecInst (18) is a", 18)
    if (message.get(836) or b"0") != b"0":
        raise Unfit("BAD_TERMS", "PegOffsetType (836) is 0, a price", 836)
    return decimal(message, 211)
