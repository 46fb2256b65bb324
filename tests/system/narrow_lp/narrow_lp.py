"""An LP that speaks OANDA's protocol and carries one instrument on a connection."""

from collections.abc import Callable, Mapping

from gateway.venues.interface import Patience
from gateway.venues.oanda import venue
from gateway.venues.oanda.venue import OandaVenue


def adapter(settings: Mapping[str, object], secret: Callable[[str], str], patience: Patience) -> OandaVenue:
    made = venue.adapter(settings, secret, patience)
    made.instruments_per_stream = 1
    return made
