"""What the simulated OANDA says of a price: a ClientPrice, and what a currency is worth at home."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

HOME_CURRENCY = "USD"
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


def home_conversion(currency: str, latest: Mapping[str, tuple[str, str]]) -> dict[str, str] | None:
    """HomeConversions of a currency: what its gains and losses are worth at home; None without a price for it."""
    if currency == HOME_CURRENCY:
        bid = ask = Decimal(1)
    elif direct := latest.get(f"{currency}_{HOME_CURRENCY}"):
        bid, ask = Decimal(direct[0]), Decimal(direct[1])
    elif inverse := latest.get(f"{HOME_CURRENCY}_{currency}"):
        if not (Decimal(inverse[0]) and Decimal(inverse[1])):
            return None
        bid, ask = 1 / Decimal(inverse[1]), 1 / Decimal(inverse[0])
    else:
        return None
    factors = {"accountGain": bid, "accountLoss": ask, "positionValue": (bid + ask) / 2}
    return {"currency": currency, **{name: f"{factor:.8f}" for name, factor in factors.items()}}
