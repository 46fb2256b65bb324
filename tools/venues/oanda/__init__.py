"""A simulated OANDA: the part of v20's REST API that Hedgerow uses, as OANDA's OpenAPI document describes it.

Beyond the document: a price is sent for every tick, where OANDA sends at most four a second, so that what a recording
holds arrives downstream to the last row. Times are stamped when sent. Liquidity is a constant; recordings have none.
"""

from tools.venues.oanda.instruments import INSTRUMENTS
from tools.venues.oanda.server import OandaVenue

__all__ = ["INSTRUMENTS", "OandaVenue"]
