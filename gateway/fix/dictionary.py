"""What FIX 4.4 says about fields and messages, from fix44.json, with a counterparty's own additions.

The form of that file, which tools/fix_dictionary.py writes: a field is "Name TYPE" and the values that it may have; a
message, component or group is a list of members in order: a tag, `!` if it is required, `(members)` if it counts a
repeating group; `@Name` stands for a component.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Self

from gateway.fix.times import days_since_1970, parse_utc_timestamp

_FRAMING_TAGS = frozenset((8, 9, 10))
_WORD = re.compile(r"(@?\w+)(!?)(\(?)|(\))")


def _pattern(text: bytes) -> Callable[[bytes], object]:
    return re.compile(text, re.DOTALL).fullmatch


_NUMBER = _pattern(rb"-?(?:\d+\.?\d*|\.\d+)")
_FORMATS: dict[str, Callable[[bytes], object]] = {
    "INT": _pattern(rb"-?\d{1,18}"),
    "LENGTH": _pattern(rb"\d{1,18}"),
    "NUMINGROUP": _pattern(rb"\d{1,18}"),
    "SEQNUM": _pattern(rb"\d{1,18}"),
    "CHAR": _pattern(rb"."),
    "BOOLEAN": _pattern(rb"[YN]"),
    "MONTHYEAR": _pattern(rb"\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]|w[1-5])?"),
    "UTCTIMEONLY": _pattern(rb"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{3,9})?"),
    "UTCTIMESTAMP": lambda value: parse_utc_timestamp(value) is not None,
    "UTCDATEONLY": lambda value: days_since_1970(value) is not None,
    "LOCALMKTDATE": lambda value: days_since_1970(value) is not None,
} | dict.fromkeys(("AMT", "FLOAT", "PERCENTAGE", "PRICE", "PRICEOFFSET", "QTY"), _NUMBER)
"""FIX 4.4 volume 1, "Data types". Another type takes any text: codes of currencies and exchanges are free."""


class FieldRule(NamedTuple):
    name: str
    fits: Callable[[bytes], object] | None
    values: frozenset[bytes] | None
    several: bool
    """Whether the value is a list of values with spaces between them."""

    @classmethod
    def parsed(cls, text: str) -> Self:
        name, kind, *values = text.split(" ")
        allowed = frozenset(value.encode() for value in values) if values else None
        return cls(name, _FORMATS.get(kind), allowed, kind == "MULTIPLEVALUESTRING")

    def allows(self, value: bytes) -> bool:
        if self.values is None or value in self.values:
            return True
        return self.several and self.values.issuperset(value.split(b" "))


@dataclass(frozen=True, slots=True)
class Members:
    """The fields of a message, header, trailer or group entry."""

    groups: dict[int, "Members | None"]
    """Each tag in order, with the entry's members where it counts a repeating group."""
    required: frozenset[int]
    """Without what frames a message, which is checked before."""
    order: dict[int, int]

    @classmethod
    def of(cls, members: list[tuple[int, bool, "Members | None"]]) -> Self:
        groups = {tag: group for tag, _, group in members}
        required = frozenset(tag for tag, needed, _ in members if needed) - _FRAMING_TAGS
        return cls(groups, required, {tag: place for place, tag in enumerate(groups)})

    def __add__(self, other: "Members") -> "Members":
        return Members.of(
            [(tag, tag in part.required, group) for part in (self, other) for tag, group in part.groups.items()]
        )

    def all_tags(self) -> Iterator[int]:
        for tag, group in self.groups.items():
            yield tag
            if group:
                yield from group.all_tags()


@dataclass(frozen=True, slots=True)
class Dictionary:
    begin_string: bytes
    fields: dict[int, FieldRule]
    header: Members
    trailer: Members
    messages: dict[bytes, Members]
    message_types: frozenset[bytes]
    """Every MsgType that FIX 4.4 has. Those that are not in `messages` are taken without looking at their bodies."""
    header_tags: frozenset[int]
    trailer_tags: frozenset[int]
    outside_tags: frozenset[int]
    """Those of header and trailer, which no body may have."""

    def with_custom(self, fields: Mapping[int, str], messages: Mapping[str, str]) -> "Dictionary":
        """With a counterparty's own fields, and what it adds to messages, or its own messages; in the file's form."""
        known = self.messages.copy()
        for kind, members in messages.items():
            added = _Parser({}).members(members)
            before = known.get(kind.encode())
            known[kind.encode()] = before + added if before else added
        rules = {tag: FieldRule.parsed(text) for tag, text in fields.items()}
        types = self.message_types | known.keys()
        rules[35] = self.fields[35]._replace(values=types)
        return replace(self, fields=self.fields | rules, messages=known, message_types=types)


class _Parser:
    def __init__(self, components: Mapping[str, str]):
        self._components = components

    def members(self, text: str) -> Members:
        return Members.of(list(self._members(_WORD.finditer(text), True)))

    def _members(self, words: Iterator[re.Match[str]], needed: bool) -> Iterator[tuple[int, bool, Members | None]]:
        """Up to the end or the closing bracket. In a component that may be missing nothing is required."""
        for word in words:
            name, mark, bracket, closing = word.groups()
            if closing:
                return
            required = needed and mark == "!"
            if name.startswith("@"):
                yield from self._members(_WORD.finditer(self._components[name[1:]]), required)
            else:
                yield int(name), required, Members.of(list(self._members(words, True))) if bracket else None


def read(text: str) -> Dictionary:
    """A dictionary in the file's form."""
    source: dict[str, Any] = json.loads(text)
    parser = _Parser(source["components"])
    fields = {int(tag): FieldRule.parsed(rule) for tag, rule in source["fields"].items()}
    header, trailer = parser.members(source["header"]), parser.members(source["trailer"])
    header_tags, trailer_tags = frozenset(header.all_tags()), frozenset(trailer.all_tags())
    return Dictionary(
        begin_string=source["begin_string"].encode(),
        fields=fields,
        header=header,
        trailer=trailer,
        messages={kind.encode(): parser.members(members) for kind, members in source["messages"].items()},
        message_types=fields[35].values or frozenset(),
        header_tags=header_tags,
        trailer_tags=trailer_tags,
        outside_tags=header_tags | trailer_tags,
    )


@cache
def fix44() -> Dictionary:
    return read(Path(__file__).with_name("fix44.json").read_text("ascii"))
