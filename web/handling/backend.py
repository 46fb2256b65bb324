"""Everything that a request can reach, in one place."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from actors.bus.asking import Asker
from actors.bus.prices import Prices
from web.auth.allowance import Allowance
from web.auth.callers import Callers
from web.auth.tokens import PasswordChecks
from web.handling.edge import Edge
from web.handling.survey import Survey
from web.live.accounts import Accounts
from web.live.news import News
from web.payloads.render import Renderer


class Backend(NamedTuple):
    engine: Asker
    history: Asker
    aggregator: Asker
    prices: Prices
    accounts: Accounts
    news: News
    render: Renderer
    callers: Callers
    passwords: PasswordChecks
    survey: Survey
    requests: set[object]
    """Those that somebody waits for."""
    allowances: Mapping[str, Allowance]
    """How often a user and an address may ask."""
    clock_ns: Callable[[], int]
    totp_key: bytes
    """Second factors' secrets are derived from it (auth/totp.py)."""
    edge: Edge
    fix_desks: tuple[Asker, ...]
    """fix-clients and fix-lp."""

    def now_s(self) -> int:
        return self.clock_ns() // 1_000_000_000
