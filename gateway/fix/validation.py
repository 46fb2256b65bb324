"""Whether a message is what the dictionary says: FIX 4.4 volume 2, "Rejecting messages", and SessionRejectReason (373).

A message has at most one problem: the first of order of header, body and trailer, then type, then missing fields, then
field by field.
"""

from collections.abc import Set
from enum import Enum

from gateway.fix.codec import Field, Message
from gateway.fix.dictionary import Dictionary, Members
from gateway.fix.reasons import Problem, RejectReason

SESSION_TYPES = frozenset((b"0", b"1", b"2", b"3", b"4", b"5", b"A"))


class Level(Enum):
    """How much of a counterparty's application messages is checked; session messages are checked in full."""

    STRICT = "strict"
    LENIENT = "lenient"
    """Known fields have a value in their format. What else is missing, unknown or out of order is taken."""
    OFF = "off"


def check(message: Message, dictionary: Dictionary, level: Level) -> Problem | None:
    """The first problem of a message, None if it has none."""
    if level is Level.STRICT or message.msg_type in SESSION_TYPES:
        return _check_fully(message, dictionary)
    return _check_values(message, dictionary) if level is Level.LENIENT else None


def _check_values(message: Message, dictionary: Dictionary) -> Problem | None:
    for tag, value in message.fields:
        if not value:
            return Problem(RejectReason.TAG_SPECIFIED_WITHOUT_A_VALUE, tag)
        rule = dictionary.fields.get(tag)
        if rule is not None and rule.fits is not None and not rule.fits(value):
            return Problem(RejectReason.INCORRECT_DATA_FORMAT, tag)
    return None


def _check_fully(message: Message, dictionary: Dictionary) -> Problem | None:
    fields = message.fields
    tags = [tag for tag, _ in fields]
    begin, end = _body(tags, dictionary)
    body_tags = tags[begin:end]
    if not dictionary.outside_tags.isdisjoint(body_tags):
        misplaced = next(tag for tag in body_tags if tag in dictionary.outside_tags)
        return Problem(RejectReason.TAG_OUT_OF_REQUIRED_ORDER, misplaced)
    body = dictionary.messages.get(message.msg_type)
    if body is None and message.msg_type not in dictionary.message_types:
        return Problem(RejectReason.INVALID_MSGTYPE)
    walks = [_Walk(dictionary, fields[:begin], dictionary.header), _Walk(dictionary, fields[end:], dictionary.trailer)]
    if body is not None:
        walks.append(_Walk(dictionary, fields[begin:end], body))
    for walk in walks:
        if problem := _missing(walk.members, set(tags)):
            return problem
    for walk in walks:
        if problem := walk.problem():
            return problem
    return None


def _body(tags: list[int], dictionary: Dictionary) -> tuple[int, int]:
    begin, end = 0, len(tags)
    while begin < end and tags[begin] in dictionary.header_tags:
        begin += 1
    while end > begin and tags[end - 1] in dictionary.trailer_tags:
        end -= 1
    return begin, end


class _Walk:
    """Through the fields of one part of a message."""

    def __init__(self, dictionary: Dictionary, fields: list[Field], members: Members):
        self.members = members
        self._rules = dictionary.fields
        self._fields = fields
        self._at = 0

    def problem(self) -> Problem | None:
        """The first problem of the part, field by field."""
        groups, rules, fields = self.members.groups, self._rules, self._fields
        seen: set[int] = set()
        while self._at < len(fields):
            tag, value = fields[self._at]
            rule = rules.get(tag)
            is_known = rule is not None and value and tag in groups and (rule.values is None or value in rule.values)
            if not is_known or (rule is not None and rule.fits is not None and not rule.fits(value)):
                problem = self._field_problem(tag, value, groups)
                if problem is not None:
                    return problem
            if tag in seen:
                return Problem(RejectReason.TAG_APPEARS_MORE_THAN_ONCE, tag)
            seen.add(tag)
            self._at += 1
            group = groups[tag]
            if group is not None and (problem := self._group_problem(tag, int(value), group, groups)):
                return problem
        return _missing(self.members, seen)

    def _field_problem(self, tag: int, value: bytes, groups: dict[int, Members | None]) -> Problem | None:
        rule = self._rules.get(tag)
        if rule is None:
            return Problem(RejectReason.INVALID_TAG_NUMBER, tag)
        if not value:
            return Problem(RejectReason.TAG_SPECIFIED_WITHOUT_A_VALUE, tag)
        if tag not in groups:
            return Problem(RejectReason.TAG_NOT_DEFINED_FOR_THIS_MESSAGE_TYPE, tag)
        if rule.fits is not None and not rule.fits(value):
            return Problem(RejectReason.INCORRECT_DATA_FORMAT, tag)
        if not rule.allows(value):
            return Problem(RejectReason.VALUE_IS_INCORRECT, tag)
        return None

    def _group_problem(
        self, count_tag: int, count: int, group: Members, outer: dict[int, Members | None]
    ) -> Problem | None:
        """Takes the entries in. A field that is not next in an entry belongs to what is around it, if it can."""
        delimiter = next(iter(group.groups))
        entries, seen = 0, dict[int, None]()
        may_begin = count or delimiter not in outer
        while may_begin and self._at < len(self._fields) and self._fields[self._at][0] in group.groups:
            tag, value = self._fields[self._at]
            if tag == delimiter:
                if entries and (problem := _missing(group, seen.keys())):
                    return problem
                entries, seen = entries + 1, {}
            elif not entries or group.order[tag] <= group.order[next(reversed(seen))]:
                if entries == count and tag in outer:
                    break
                repeated = tag in seen
                return Problem(
                    RejectReason.TAG_APPEARS_MORE_THAN_ONCE if repeated else RejectReason.GROUP_FIELDS_OUT_OF_ORDER, tag
                )
            if problem := self._field_problem(tag, value, group.groups):
                return problem
            seen[tag] = None
            self._at += 1
            nested = group.groups[tag]
            if nested is not None and (problem := self._group_problem(tag, int(value), nested, group.groups)):
                return problem
        if entries != count:
            return Problem(RejectReason.INCORRECT_NUMINGROUP_COUNT, count_tag)
        return _missing(group, seen.keys()) if entries else None


def _missing(members: Members, seen: Set[int]) -> Problem | None:
    """Of several that are missing the lowest."""
    missing = members.required - seen
    return Problem(RejectReason.REQUIRED_TAG_MISSING, min(missing)) if missing else None
