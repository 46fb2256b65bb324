"""The instruments that the simulated OANDA lists, with round limits of the kind that OANDA has."""

from typing import Any

INSTRUMENTS = (
    *("EUR_USD", "GBP_USD", "USD_JPY", "USD_CHF", "AUD_USD", "USD_CAD", "NZD_USD", "EUR_GBP", "EUR_JPY", "EUR_CHF"),
    *("AUD_CAD", "AUD_CHF", "AUD_JPY", "AUD_NZD", "CAD_CHF", "EUR_CAD", "GBP_CHF", "BTC_USD"),
)


def instrument(name: str) -> dict[str, Any]:
    """An Instrument."""
    coin, yen = name.startswith("BTC"), name.endswith("_JPY")
    pip = 0 if coin else -2 if yen else -4
    return {
        "name": name,
        "type": "CFD" if coin else "CURRENCY",
        "displayName": name.replace("_", "/"),
        "pipLocation": pip,
        "displayPrecision": 2 if coin else 1 - pip,
        "tradeUnitsPrecision": 2 if coin else 0,
        "minimumTradeSize": "0.01" if coin else "1",
        "maximumTrailingStopDistance": "10000.00" if coin else "100.000" if yen else "1.00000",
        "minimumTrailingStopDistance": "10.00" if coin else "0.050" if yen else "0.00050",
        "maximumPositionSize": "0",
        "maximumOrderUnits": "100" if coin else "100000000",
        "marginRate": "0.5" if coin else "0.0333",
    }
