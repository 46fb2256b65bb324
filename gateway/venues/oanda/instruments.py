"""What OANDA lists for an account (`GET /accounts/{accountID}/instruments`, the definition Instrument)."""

import msgspec

from actors.domain.money import NotExact
from gateway.venues.amount import INSTRUMENT_LIMIT_CHARS, amount_e8
from gateway.venues.interface import MALFORMED, VenueInstrument
from gateway.venues.oanda.rest import Answer, Request

INSTRUMENTS_LIMIT = 10_000
_DIGITS_LIMIT = 8


class _Instrument(msgspec.Struct, rename="camel"):
    name: str
    pip_location: int
    display_precision: int
    trade_units_precision: int
    minimum_trade_size: str
    maximum_order_units: str
    margin_rate: str


class _Listed(msgspec.Struct):
    instruments: list[msgspec.Raw]


def instruments_request() -> Request:
    return Request("GET", "/accounts/{account}/instruments")


def parse_instruments(answer: Answer) -> dict[str, VenueInstrument]:
    """By name. One that is not as the document has it, or cannot be held, is left out: it must not be traded.

    Raises `Unanswered` where the whole is no list of instruments.
    """
    listed: dict[str, VenueInstrument] = {}
    for raw in answer.read(_Listed).instruments[:INSTRUMENTS_LIMIT]:
        try:
            instrument = _held(msgspec.json.decode(raw, type=_Instrument))
        except (*MALFORMED, NotExact):
            continue
        listed[instrument.name] = instrument
    return listed


def _held(said: _Instrument) -> VenueInstrument:
    sound = (
        0 < len(said.name) <= INSTRUMENT_LIMIT_CHARS
        and 0 <= said.display_precision <= _DIGITS_LIMIT
        and 0 <= said.trade_units_precision <= _DIGITS_LIMIT
        and -_DIGITS_LIMIT <= said.pip_location <= _DIGITS_LIMIT
    )
    if not sound:
        raise NotExact(f"{said.name[:INSTRUMENT_LIMIT_CHARS]!r} cannot be held")
    return VenueInstrument(
        said.name,
        price_digits=said.display_precision,
        price_step_e8=10 ** (_DIGITS_LIMIT - said.display_precision),
        pip_e8=10 ** (_DIGITS_LIMIT + said.pip_location),
        quantity_min_e8=amount_e8(said.minimum_trade_size),
        quantity_max_e8=amount_e8(said.maximum_order_units),
        quantity_step_e8=10 ** (_DIGITS_LIMIT - said.trade_units_precision),
        margin_rate_e8=amount_e8(said.margin_rate),
    )
