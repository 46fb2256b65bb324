"""The types of what plain.py makes of domain structs, and of the patches that it takes: OpenAPI is written of them.

They are made from the domain's own fields, so that no field has to be named twice.
"""

import types
from enum import Enum
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, UnsetType

from actors.domain import calendar
from actors.domain.routing import rulebook
from web.payloads.bodies import Body
from web.payloads.plain import has_currency, is_number, outside
from web.payloads.schema import Amount, Id, Moment, Request

_OTHERWISE = {calendar.Window: "SessionWindow", rulebook.Window: "RuleWindow"}
"""Names in the description, where two structs have the same."""
Number = Annotated[str, Meta(pattern=r"^[0-9]{1,19}$", description="an id; 0: none", examples=["17"])]


def answered(kind: type[msgspec.Struct]) -> Any:
    """Of what `plain` makes of the struct."""
    return _within(kind, False)


@cache
def _within(kind: type[msgspec.Struct], is_money: bool) -> Any:
    """`is_money`: amounts in it have a currency, which is said further out."""
    if is_money and has_currency(kind):
        return _within(kind, False)
    money = is_money or has_currency(kind)
    fields = [
        (outside(field.name, money), _answered(field.type, field.name, money)) for field in msgspec.structs.fields(kind)
    ]
    if not is_money:
        return _struct(_name(kind), fields, Body, kind, tag=kind.__struct_config__.tag)
    alone = _within(kind, False)
    if fields == [(field.name, field.type) for field in msgspec.structs.fields(alone)]:
        return alone
    return _struct(f"{_name(kind)}InMoney", fields, Body, kind, tag=kind.__struct_config__.tag)


@cache
def patched(kind: type[msgspec.Struct], *without: str) -> Any:
    """Of a merge patch (RFC 7396) of it, but for the fields `without`: each may be absent, and null takes it away."""
    fields: list[Any] = [
        (
            outside(field.name, has_currency(kind)),
            _patched(field.type, field.name, has_currency(kind)) | UnsetType,
            UNSET,
        )
        for field in msgspec.structs.fields(kind)
        if field.name not in without
    ]
    return _struct(f"{_name(kind)}Patch", fields, Request, kind)


def answer(name: str, **fields: Any) -> Any:
    """A whole answer, of types that `answered` has made."""
    return msgspec.defstruct(name, list(fields.items()), bases=(Body,), frozen=True, kw_only=True)


def extended(name: str, kind: type[msgspec.Struct], **fields: Any) -> Any:
    """`answered`, with further fields, or with other types of some."""
    return msgspec.defstruct(name, list(fields.items()), bases=(answered(kind),), frozen=True, kw_only=True)


def page(name: str, **fields: Any) -> Any:
    return answer(name, **fields, next=Id | None)


def many(kind: Any) -> Any:
    return list[kind]


def by_name(kind: Any) -> Any:
    return dict[str, kind]


def one_of(*kinds: Any) -> Any:
    return Union[kinds]  # noqa: UP007


def versioned(kind: type[msgspec.Struct]) -> Any:
    """Terms with their version; null: nobody has ever defined them."""
    return answer(f"Versioned{_name(kind)}", version=Id | None, terms=answered(kind))


def _name(kind: type[msgspec.Struct]) -> str:
    return _OTHERWISE.get(kind, kind.__name__)


def _struct(name: str, fields: list[Any], base: Any, kind: type[msgspec.Struct], tag: Any = None) -> Any:
    about = {"__doc__": kind.__doc__} if kind.__doc__ else {}
    tag_field = None if tag is None else "kind"
    return msgspec.defstruct(
        name, fields, bases=(base,), namespace=about, frozen=True, kw_only=True, tag=tag, tag_field=tag_field
    )


def _answered(kind: Any, name: str, is_money: bool) -> Any:
    return _mapped(kind, name, is_money, lambda struct: _within(struct, is_money))


def _patched(kind: Any, name: str, is_money: bool) -> Any:
    made = _mapped(kind, name, is_money, patched)
    if get_origin(kind) is tuple:
        # A list is replaced whole.
        made = _mapped(kind, name, is_money, answered)
    if get_origin(kind) is dict:
        made = by_name(made.__args__[1] | None)
    return made | None


def _mapped(kind: Any, name: str, is_money: bool, of_struct: Any) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return one_of(*(part if part is type(None) else _mapped(part, name, is_money, of_struct) for part in inner))
    if origin in (tuple, list):
        return many(_mapped(inner[0], name, is_money, of_struct))
    if origin is dict:
        return by_name(_mapped(inner[1], name, is_money, of_struct))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return of_struct(kind)
    if kind is int:
        return _integer(name, is_money)
    return kind if isinstance(kind, type) and issubclass(kind, Enum | str | bool) else Any


def _integer(name: str, is_money: bool) -> Any:
    if name.endswith("_e8") or (is_money and name.endswith("_minor")):
        return Amount
    if name.endswith("_ns"):
        return Moment | None
    return Number if is_number(name) else int
