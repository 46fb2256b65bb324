"""What all messages on the bus are, which are no domain command or event. The wire itself is in PROTOCOL.md."""

import msgspec


class Message(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The base of all of them: an array on the wire."""


class Body(Message, frozen=True, tag=True, tag_field="kind"):
    """The base of those that stand where one of several may: the class's name comes first."""
