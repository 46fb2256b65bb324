"""What the engine is asked about its state: each question, and who answers it. The answers change nothing."""

from collections.abc import Callable
from typing import Any

from actors.answering import desk_reports, reports
from actors.bus.answers import Answer
from actors.bus.requests import (
    GetAccount,
    GetAccounts,
    GetBreaks,
    GetChanges,
    GetExposure,
    GetInstruments,
    GetLotSize,
    GetMoneyRequests,
    GetPreview,
    GetTerms,
    PreviewRoute,
)
from actors.domain.state import State

QUESTIONS: dict[type, Callable[[State, Any, int], Answer]] = {
    GetInstruments: lambda state, query, now_ns: reports.instruments(state, query.known_version),
    GetAccount: lambda state, query, now_ns: reports.account_report(state, query.account_id, now_ns),
    GetPreview: reports.preview_report,
    GetLotSize: reports.lot_size_report,
    GetExposure: lambda state, query, now_ns: reports.exposure_report(state),
    GetTerms: lambda state, query, now_ns: desk_reports.terms(state),
    GetChanges: lambda state, query, now_ns: desk_reports.changes(state, query),
    GetAccounts: lambda state, query, now_ns: desk_reports.accounts(state, query),
    GetMoneyRequests: lambda state, query, now_ns: desk_reports.money_requests(state, query),
    GetBreaks: lambda state, query, now_ns: desk_reports.breaks(state),
    PreviewRoute: desk_reports.preview,
}
"""By the class of the question. All raise Refused where there is no answer; the time is the engine's."""
