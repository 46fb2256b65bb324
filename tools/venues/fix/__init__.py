"""A simulated FIX 4.4 LP: prices by subscription, orders filled at them, faults on demand.

It is built on simplefix and shares no line with our own FIX sessions, so that the two ends never share a mistake.
"""

from tools.venues.fix.faults import Faults
from tools.venues.fix.server import FixVenue

__all__ = ["Faults", "FixVenue"]
