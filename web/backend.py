"""Everything that a request can reach, in one place."""

from collections.abc import Callable
from typing import NamedTuple

from web.accounts import Accounts
from web.auth import PasswordChecks, Tokens
from web.bus import Asker
from web.news import News
from web.prices import Prices
from web.render import Renderer
from web.survey import Survey


class Backend(NamedTuple):
    engine: Asker
    history: Asker
    aggregator: Asker
    prices: Prices
    accounts: Accounts
    news: News
    render: Renderer
    tokens: Tokens
    passwords: PasswordChecks
    survey: Survey
    requests: set[object]
    """Those that somebody waits for."""
    clock_ns: Callable[[], int]

    def now_s(self) -> int:
        return self.clock_ns() // 1_000_000_000
