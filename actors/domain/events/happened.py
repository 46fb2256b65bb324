"""The base of all events."""

import msgspec


class Happened(msgspec.Struct, frozen=True, array_like=True, tag=True, tag_field="kind", gc=False):
    """The base of all events: an array on the wire, the name of its class first."""
