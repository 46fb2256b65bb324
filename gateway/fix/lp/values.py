"""Values of fields from and to ours. An LP's numbers are decimal text on any scale; ours are integers on 10^-8."""

from collections.abc import Collection

from actors.domain.money import NotExact, parse_e8
from gateway.fix.codec import Message
from gateway.fix.times import parse_utc_timestamp

TEXT_LIMIT_BYTES = 120


def e8(value: bytes | None) -> int | None:
    """None where there is none, or none that fits the scale exactly."""
    if value is None:
        return None
    try:
        text = value.decode("ascii")
        return parse_e8(f"0{text}" if text.startswith(".") else text)
    except (NotExact, UnicodeDecodeError):
        return None


def text(message: Message, tag: int) -> str:
    """Empty where it is missing."""
    return (message.get(tag) or b"").decode("ascii", "backslashreplace")[:TEXT_LIMIT_BYTES]


def sending_time_ns(message: Message) -> int:
    """0 where it cannot be read."""
    return parse_utc_timestamp(message.get(52) or b"") or 0


def transact_time_ns(message: Message) -> int:
    """TransactTime, or where there is none SendingTime; 0 where there is neither."""
    return parse_utc_timestamp(message.get(60) or b"") or sending_time_ns(message)


def entries(message: Message, count_tag: int, ending: Collection[int] = ()) -> list[dict[int, bytes]]:
    """The entries of a repeating group, whatever fields an LP puts there; of a field that is twice in one the first.

    The field after the count begins each entry. `ending`: fields that come after the group.
    """
    found: list[dict[int, bytes]] = []
    fields = iter(message.fields)
    for tag, _ in fields:
        if tag == count_tag:
            break
    delimiter = 0
    for tag, value in fields:
        if tag in ending:
            break
        delimiter = delimiter or tag
        if tag == delimiter:
            found.append({})
        found[-1].setdefault(tag, value)
    return found
