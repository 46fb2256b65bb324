"""The base of everything that the engine is told."""

import msgspec


class Told(msgspec.Struct, frozen=True, array_like=True, tag=True, tag_field="kind", gc=False):
    """The base of everything that the engine is told: an array on the wire, the name of its class first."""
