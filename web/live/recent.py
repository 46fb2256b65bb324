"""The last events of the accounts, so that a client who comes back is told what it has missed."""

from collections import deque
from typing import NamedTuple

from actors.domain.events.event import Event

RECENT_EVENTS_LIMIT = 10_000
"""How many are kept, of all accounts together; who has missed more begins with a snapshot alone."""
DESK = 0
"""Whose the dealing desk's events are; accounts have other numbers."""


class Past(NamedTuple):
    seq: int
    time_ns: int
    event: Event


class RecentEvents:
    """By account, oldest first. `last_seq` is the last event of all, also of those that are not kept."""

    def __init__(self, limit: int = RECENT_EVENTS_LIMIT) -> None:
        self.last_seq = 0
        self._limit = limit
        self._complete_from = 0
        """The first event since when none is missing; 0 before the first."""
        self._order: deque[int] = deque()
        """Whose each of the kept events is."""
        self._of: dict[int, deque[Past]] = {}

    def pass_by(self, seq: int) -> None:
        """Event `seq` follows the one before it."""
        self.last_seq = seq
        self._complete_from = self._complete_from or seq

    def keep(self, owner: int, past: Past) -> None:
        self._order.append(owner)
        self._of.setdefault(owner, deque()).append(past)
        if len(self._order) > self._limit:
            oldest = self._order.popleft()
            events = self._of[oldest]
            self._complete_from = events.popleft().seq + 1
            if not events:
                del self._of[oldest]

    def has_all_after(self, since: int) -> bool:
        return 0 < self._complete_from <= since + 1

    def after(self, owner: int, since: int) -> list[Past]:
        return [past for past in self._of.get(owner, ()) if past.seq > since]

    def forget(self) -> None:
        """There is a hole: nothing before it is of use."""
        self._order.clear()
        self._of.clear()
        self._complete_from = 0
