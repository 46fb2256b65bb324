"""A simulated Binance: combined streams over WebSocket and the public REST addresses, as the real hosts answer.

Limits hold as documented: 5 messages a second from a client (pings and pongs count), 1,024 streams a connection, an
end after 24 hours. Faults come on demand (`Faults`).
"""

from tools.venues.binance.faults import Faults
from tools.venues.binance.server import LAG_MS, SYMBOLS, BinanceVenue

__all__ = ["LAG_MS", "SYMBOLS", "BinanceVenue", "Faults"]
