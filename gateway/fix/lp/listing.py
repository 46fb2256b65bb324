"""What an LP lists: 35=x and y, FIX 4.4 volume 3."""

from typing import NamedTuple

from gateway.fix.codec import Field, Message
from gateway.fix.lp.values import e8, entries, text
from gateway.venues.interface import VenueInstrument

_ALL_SECURITIES = b"4"
_VALID, _NONE_FOUND = b"0", b"2"
_MIN_PRICE_INCREMENT, _MAX_TRADE_VOL, _TICK_INCREMENT = 969, 1140, 1208
"""Of FIX 5.0; LPs send them in FIX 4.4 too, which has no field for any. Of several tick rules the first is taken."""
_CONTRACT_MULTIPLIER = 231
_LAST_FRAGMENT = {b"Y": True, b"N": False}
_DIGITS_LIMIT = 16


class ListPage(NamedTuple):
    """A 35=y. `refused`: why nothing is listed; empty: it is."""

    request_id: str
    instruments: list[VenueInstrument]
    total: int | None
    """Of all pages; None: not said."""
    is_last: bool | None
    """None: not said."""
    refused: str


def securities_request(request_id: str) -> list[Field]:
    """35=x for everything that the LP trades."""
    return [(320, request_id.encode()), (559, _ALL_SECURITIES)]


def securities(message: Message, digits_tag: int = 0) -> ListPage:
    """Of a 35=y. `digits_tag`: the LP's own field for the digits of a price, 0 where it has none."""
    listed = [_instrument(entry, digits_tag) for entry in entries(message, 146)]
    total, result = message.get(393) or b"", message.get(560)
    refused = f"SecurityRequestResult {text(message, 560)}: {text(message, 58)}"
    return ListPage(
        text(message, 320),
        [instrument for instrument in listed if instrument.name],
        int(total) if total.isdigit() and len(total) < 7 else None,
        _LAST_FRAGMENT.get(message.get(893) or b""),
        "" if result in (None, _VALID, _NONE_FOUND) else refused,
    )


def _instrument(entry: dict[int, bytes], digits_tag: int) -> VenueInstrument:
    step_e8 = e8(entry.get(_MIN_PRICE_INCREMENT)) or e8(entry.get(_TICK_INCREMENT))
    digits = entry.get(digits_tag, b"") if digits_tag else b""
    is_number = digits.isdigit() and len(digits) <= 2 and int(digits) <= _DIGITS_LIMIT
    return VenueInstrument(
        entry.get(55, b"").decode("ascii", "backslashreplace"),
        int(digits) if is_number else _digits_of(step_e8),
        e8(entry.get(562)),
        e8(entry.get(_MAX_TRADE_VOL)),
        price_step_e8=step_e8,
        quantity_step_e8=e8(entry.get(561)),
        contract_e8=e8(entry.get(_CONTRACT_MULTIPLIER)),
    )


def _digits_of(step_e8: int | None) -> int | None:
    """Of the prices that are multiples of a step."""
    if not step_e8 or step_e8 < 0:
        return None
    text = f"{step_e8:09}"
    return len(text[-8:].rstrip("0"))
