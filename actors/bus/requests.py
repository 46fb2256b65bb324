"""Questions, and who answers them; every answer comes back as a Reply with the request's id."""

from actors.bus.message import Body, Message
from actors.bus.people import PeopleRequest
from actors.domain.commands import EngineCommand
from actors.domain.order import Side
from actors.domain.prices.lp_registry import LpChange
from actors.domain.routing.rulebook import Rule


class Ping(Body, frozen=True):
    """Everybody answers Pong."""


class GetInstruments(Body, frozen=True):
    """The engine answers Instruments, if they have another version than this (0: none is known)."""

    known_version: int = 0


class GetAccount(Body, frozen=True):
    """The engine answers AccountReport."""

    account_id: int


class GetExposure(Body, frozen=True):
    """The engine answers ExposureReport."""


class GetTerms(Body, frozen=True):
    """The engine answers Terms."""


class GetChanges(Body, frozen=True):
    """The engine answers Changes, newest first: those of `subject` (empty: all), below `before_version` (0: all)."""

    limit: int
    before_version: int = 0
    subject: str = ""


class GetAccounts(Body, frozen=True):
    """The engine answers AccountRows of accounts with numbers above `after_id`, of one group or (empty) of all."""

    limit: int
    after_id: int = 0
    group: str = ""


class GetMoneyRequests(Body, frozen=True):
    """The engine answers MoneyRequests, newest first, with numbers below `before_id` (0: all)."""

    limit: int
    before_id: int = 0
    only_pending: bool = False


class GetBreaks(Body, frozen=True):
    """The engine answers Breaks."""


class PreviewRoute(Body, frozen=True):
    """The engine answers RoutePreview: where an order would go, by the rules in force, or by those that are given."""

    account_id: int
    symbol: str
    side: Side
    quantity_e8: int
    rules: tuple[Rule, ...] = ()
    time_ns: int = 0
    """0: now."""


class GetPreview(Body, frozen=True):
    """The engine answers PreviewReport, of an order at the market that nobody sends, or a Refusal as of the order."""

    account_id: int
    symbol: str
    side: Side
    quantity_e8: int


class GetLotSize(Body, frozen=True):
    """The engine answers LotSizeReport, or a Refusal."""

    account_id: int
    symbol: str
    side: Side
    stop_e8: int
    risk_minor: int


class GetEvents(Body, frozen=True):
    """The engine answers Events, from number `first_seq` on."""

    first_seq: int


class GetExplanation(Body, frozen=True):
    """The engine answers Explanation, or Refusal UNKNOWN_FILL. Worked out beside the engine: it takes a while."""

    fill_id: int


class GetTicks(Body, frozen=True):
    """The aggregator answers Ticks: what it still has of a symbol after number `after_seq`."""

    symbol: str
    after_seq: int


class GetLps(Body, frozen=True):
    """The aggregator answers Lps, as it does to each LpChange that was done; the others get a Refusal."""


class GetDepth(Body, frozen=True):
    """The aggregator answers DepthReport, or Refusal UNKNOWN_SYMBOL: the book now, and what a quantity costs in it."""

    symbol: str
    quantity_e8: int


class GetSources(Body, frozen=True):
    """The aggregator answers Sources, or Refusal UNKNOWN_TICK where it has forgotten what stood behind that tick."""

    symbol: str
    seq: int


class _PageOfAccount(Body, frozen=True):
    account_id: int
    limit: int
    before_id: int
    at_least_seq: int


class GetOrders(_PageOfAccount, frozen=True):
    """Persistence answers Orders, newest first, with ids below `before_id` (0: from the newest).

    `at_least_seq`: the answer waits, for a short while, until the events up to there are stored.
    """


class GetFills(_PageOfAccount, frozen=True):
    """Persistence answers Fills; as GetOrders."""


class GetEntries(Body, frozen=True):
    """Persistence answers Entries of one ledger account; as GetOrders."""

    account: str
    limit: int
    before_id: int
    at_least_seq: int


class GetTransactions(Body, frozen=True):
    """Persistence answers Transactions of one ledger account and currency, oldest first; it waits as for GetOrders.

    Entries with ids above `after_id`, of `start_ns` or later and before `end_ns`.
    """

    account: str
    currency: str
    limit: int
    after_id: int
    start_ns: int
    end_ns: int
    at_least_seq: int


class GetTickHistory(Body, frozen=True):
    """Persistence answers Ticks: the newest `limit` with numbers below `before_seq` (0: no bound), oldest first."""

    symbol: str
    limit: int
    before_seq: int


class GetBars(Body, frozen=True):
    """Persistence answers Bars of `minutes` minutes: the newest `limit` that start before `before_ns` (0: no bound).

    Oldest first. Minutes are those of a timeframe: 1, 5, 15, 30, 60, 240 or 1440.
    """

    symbol: str
    minutes: int
    limit: int
    before_ns: int


EngineQuery = (
    Ping
    | GetInstruments
    | GetAccount
    | GetPreview
    | GetLotSize
    | GetExposure
    | GetEvents
    | GetExplanation
    | GetTerms
    | GetChanges
    | GetAccounts
    | GetMoneyRequests
    | GetBreaks
    | PreviewRoute
)
HistoryQuery = Ping | GetOrders | GetFills | GetEntries | GetTransactions | GetTickHistory | GetBars
AggregatorQuery = Ping | GetTicks | GetDepth | GetSources | GetLps


class EngineRequest(Message, frozen=True):
    request_id: int
    body: EngineCommand | EngineQuery
    sent_ns: int = 0
    deadline_ms: int = 0
    """A command that has waited for longer since `sent_ns` is refused with EXPIRED_REQUEST, and nothing is done; 0: it
    may wait. What was done before is answered as ever. Both clocks are the machine's, or kept together by NTP."""


class HistoryRequest(Message, frozen=True):
    request_id: int
    body: HistoryQuery | PeopleRequest


class AggregatorRequest(Message, frozen=True):
    request_id: int
    body: AggregatorQuery | LpChange
