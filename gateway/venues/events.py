"""What an LP's stream says, in the same words for every LP."""

from typing import Literal

import msgspec

DETAIL_LIMIT_CHARS = 80

Reason = Literal[
    "bad_fields",
    "bad_instrument",
    "bad_json",
    "bad_price",
    "bad_size",
    "bad_time",
    "crossed_book",
    "depth_gap",
    "duplicate",
    "out_of_order",
    "refused",
    "renewal_failed",
    "snapshot_failed",
    "too_long",
    "unknown_message",
]
"""Why a piece of a stream was dropped. `refused` is the LP's own error reply; the rest are faults in what it sent.

`depth_gap` and `crossed_book` drop a whole order book, which is fetched anew. `duplicate` and `out_of_order` are by the
LP's own numbers. Two drop nothing: `renewal_failed` (a connection that must end soon could not be replaced yet) and
`snapshot_failed` (an order book could not be fetched).
"""


class VenueQuote(msgspec.Struct, frozen=True, gc=False):
    """One LP's top of book for one instrument, in the LP's spelling.

    Prices and sizes are on the 10^-8 scale and never negative. A side that is missing, zero, negative or not open to
    trading has the price 0: a quote with such a side must not be traded on. `time_ns` is the LP's time (UTC), or 0
    where the LP sends none.
    """

    instrument: str
    bid_e8: int
    ask_e8: int
    bid_size_e8: int
    ask_size_e8: int
    time_ns: int


DEPTH_LEVELS_LIMIT = 20

VenueLevels = tuple[tuple[int, int], ...]
"""Price levels, best first, each the price and the size there, both above 0 and on the 10^-8 scale."""


class VenueDepth(msgspec.Struct, frozen=True, gc=False):
    """One LP's order book for one instrument, whole: at most DEPTH_LEVELS_LIMIT levels a side, never crossed.

    Both sides empty: the LP's book is not known for now, and what was known of it counts no more. `time_ns` is the LP's
    time (UTC), or 0 where the LP sends none.
    """

    instrument: str
    bids: VenueLevels
    asks: VenueLevels
    time_ns: int


class VenueHeartbeat(msgspec.Struct, frozen=True, gc=False):
    """The LP says that the stream lives. `time_ns` is its time (UTC), or 0 where it gives none.

    `interval_ms`: it says so again within this; 0: it does not promise to. What is overdue is perhaps cut off.
    """

    time_ns: int
    interval_ms: int = 0


class VenueGarbage(msgspec.Struct, frozen=True, gc=False):
    """A piece of the stream that was dropped; `detail` is at most DETAIL_LIMIT_CHARS of printable text."""

    reason: Reason
    detail: str


VenueEvent = VenueQuote | VenueDepth | VenueHeartbeat | VenueGarbage


def garbage(reason: Reason, detail: str | bytes) -> VenueGarbage:
    """A `VenueGarbage` whose detail is cut to the limit and made printable."""
    text = detail[:DETAIL_LIMIT_CHARS]
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return VenueGarbage(reason, "".join(c if c.isprintable() else "?" for c in text))
