"""A ClientPrice of the simulated OANDA."""

from typing import Any

LIQUIDITY_UNITS = {"BTC": 10}
DEFAULT_LIQUIDITY_UNITS = 1_000_000


def liquidity_units(name: str) -> int:
    """So much may be dealt at once at the price that is shown."""
    return LIQUIDITY_UNITS.get(name[:3], DEFAULT_LIQUIDITY_UNITS)


def client_price(name: str, bid: str, ask: str, now: str) -> dict[str, Any]:
    """One bucket a side."""
    liquidity = liquidity_units(name)
    return {
        "type": "PRICE",
        "time": now,
        "bids": [{"price": bid, "liquidity": liquidity}],
        "asks": [{"price": ask, "liquidity": liquidity}],
        "closeoutBid": bid,
        "closeoutAsk": ask,
        "status": "tradeable",
        "tradeable": True,
        "instrument": name,
    }
