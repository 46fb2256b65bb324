"""The days on which nothing is settled in a currency, apart from weekends, as the package `holidays` has them.

Where a settlement system publishes days of its own (FED, ECB's TARGET), those; else the bank holidays of the financial
centre. What is decreed for one year alone comes with a new version of the package, or by PUT /admin/holidays.
"""

from collections.abc import Mapping
from datetime import date

from holidays import country_holidays, financial_holidays

YEARS = range(2026, 2036)

Calendar = Mapping[date, str]


def calendars() -> dict[str, Calendar]:
    """By currency."""
    return {
        "USD": financial_holidays("FED", years=YEARS),
        "EUR": financial_holidays("ECB", years=YEARS),
        "GBP": country_holidays("GB", subdiv="ENG", years=YEARS),
        "JPY": country_holidays("JP", categories=("public", "bank"), years=YEARS),
        "CHF": country_holidays("CH", subdiv="ZH", years=YEARS),
        "CAD": country_holidays("CA", subdiv="ON", categories=("public", "government"), years=YEARS),
        "AUD": country_holidays("AU", subdiv="NSW", years=YEARS),
        "NZD": country_holidays("NZ", years=YEARS),
    }
