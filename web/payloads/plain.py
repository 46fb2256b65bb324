"""Domain structs as JSON and back, by the names of their fields: `_e8` is decimal text, `_ns` RFC 3339, an id text.

`margin_rate_e8` is `margin_rate` outside. An amount in minor units (`_minor`) loses its ending too, and is decimal
text, where its currency is beside it or known; else it stays what it is.
"""

import types
from enum import Enum
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from actors.domain.money import LIMIT_E8, NotExact, format_e8, format_minor, parse_e8, parse_minor
from web.payloads import problem
from web.payloads.terms import INTEGER_LIMIT
from web.payloads.times import format_ns, parse_ns

S = TypeVar("S", bound=msgspec.Struct)

_NUMBERS = ("accounts",)
"""Lists of ids."""


def plain(value: Any, currency: str = "", name: str = "") -> Any:
    """`currency`: of amounts that do not say theirs. `name`: of the field that the value is of."""
    if isinstance(value, msgspec.Struct):
        currency = getattr(value, "currency", "") or currency
        tag = value.__struct_config__.tag
        body = {} if tag is None else {"kind": tag}
        is_money = has_currency(value) or bool(currency)
        for field in value.__struct_fields__:
            said = plain(getattr(value, field), currency, field)
            # An amount of no currency is 0 of any.
            is_nothing = is_money and not currency and field.endswith("_minor")
            body[outside(field, is_money)] = str(said) if is_nothing else said
        return body
    if isinstance(value, dict):
        return {str(key): plain(part, currency, name) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [plain(part, currency, name) for part in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return _number(value, currency, name)


def struct_of(kind: type[S], given: Any, where: str = "terms") -> S:
    """The struct that JSON says; raises a problem that names the field at fault."""
    if not isinstance(given, dict):
        raise problem.invalid(where, "Expected an object.")
    currency = given.get("currency", "")
    known = {outside(field.name, has_currency(kind)): field for field in msgspec.structs.fields(kind)}
    for name in given:
        if name not in known:
            raise problem.invalid(f"{where}.{name}", "There is no such field.")
    made = {}
    for name, field in known.items():
        path = f"{where}.{name}"
        if name in given:
            made[field.name] = _value(field.type, given[name], currency, field.name, path)
        elif field.required:
            raise problem.invalid(path, "The field is missing.")
    try:
        return kind(**made)
    except ValueError as error:
        raise problem.invalid(where, f"{error}.") from None


def merged(whole: Any, patch: Any) -> Any:
    """`whole` with a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    made = dict(whole) if isinstance(whole, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merged(made.get(name), value)
    return made


def is_number(field: str) -> bool:
    """Whether the field is an id, or a list of ids."""
    return field.endswith("_id") or field in _NUMBERS


def has_currency(struct: msgspec.Struct | type[msgspec.Struct]) -> bool:
    return "currency" in struct.__struct_fields__


def outside(field: str, is_money: bool) -> str:
    endings = ("_e8", "_ns", "_minor") if is_money else ("_e8", "_ns")
    return next((field.removesuffix(ending) for ending in endings if field.endswith(ending)), field)


def _number(value: int, currency: str, name: str) -> Any:
    if name.endswith("_e8"):
        return format_e8(value)
    if name.endswith("_ns"):
        return format_ns(value) if value else None
    if name.endswith("_minor") and currency:
        return format_minor(value, currency)
    return str(value) if is_number(name) else value


def _value(kind: Any, given: Any, currency: str, name: str, path: str) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if given is None:
            return None
        return _value(next(one for one in inner if one is not type(None)), given, currency, name, path)
    if origin is tuple:
        if not isinstance(given, list):
            raise problem.invalid(path, "Expected an array.")
        return tuple(_value(inner[0], one, currency, name, f"{path}[{at}]") for at, one in enumerate(given))
    if origin is dict:
        if not isinstance(given, dict):
            raise problem.invalid(path, "Expected an object.")
        return {key: _value(inner[1], one, currency, name, f"{path}.{key}") for key, one in given.items()}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return struct_of(kind, given, path)
    try:
        if kind is int and isinstance(given, str):
            return _integer(given, currency, name)
        if kind is int and name.endswith(("_e8", "_ns")):
            raise ValueError("a decimal number is text")
        value = msgspec.convert(given, kind)
        if kind is int and abs(value) >= INTEGER_LIMIT:
            raise ValueError("the number is too large")
        return value
    except (ValueError, NotExact) as error:
        raise problem.invalid(path, f"{error}.".replace("`", "'")) from None


def _integer(text: str, currency: str, name: str) -> int:
    """Raises ValueError or NotExact."""
    if name.endswith("_e8"):
        value = parse_e8(text)
        if abs(value) >= LIMIT_E8:
            raise ValueError("the number is too large")
        return value
    if name.endswith("_ns"):
        return parse_ns(text)
    if name.endswith("_minor") and currency:
        value = parse_minor(text, currency)
        if abs(value) >= INTEGER_LIMIT:
            raise ValueError("the number is too large")
        return value
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise ValueError("expected a number")
    return int(text)
