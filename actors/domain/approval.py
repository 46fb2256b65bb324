"""Money that staff ask to have moved: at once up to a limit, above it when another person has agreed (four eyes)."""

from enum import Enum

import msgspec

from actors.domain.commands import Movement

REQUESTS_LIMIT = 10_000
"""Decided requests that are kept, the oldest go first; those that are pending stay."""
PENDING_LIMIT = 1_000


class RequestStatus(Enum):
    PENDING = "pending"
    MOVED = "moved"
    REJECTED = "rejected"


class MoneyRequest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What was asked for, by whom and why, and what became of it."""

    request_id: int
    movement: Movement
    reason: str
    asked_ns: int
    status: RequestStatus
    decided_by: str = ""
    """Empty while it is pending, and where the amount needed nobody else."""
    decision_reason: str = ""
    decided_ns: int = 0


class Requests:
    """By their idempotency keys, oldest first."""

    def __init__(self) -> None:
        self.by_key: dict[str, MoneyRequest] = {}
        self._keys: dict[int, str] = {}

    def take(self, request: MoneyRequest) -> None:
        """A request as it is now."""
        key = request.movement.key
        self.by_key[key] = request
        self._keys[request.request_id] = key
        if len(self.by_key) > REQUESTS_LIMIT + PENDING_LIMIT:
            self._forget()

    def find(self, request_id: int) -> MoneyRequest | None:
        key = self._keys.get(request_id)
        return None if key is None else self.by_key[key]

    @property
    def pending(self) -> list[MoneyRequest]:
        return [it for it in self.by_key.values() if it.status is RequestStatus.PENDING]

    def forgets_after(self, time_ns: int) -> bool:
        """Whether of those that were asked for after this time one may be forgotten."""
        if len(self.by_key) < REQUESTS_LIMIT + PENDING_LIMIT:
            return False
        return all(it.asked_ns > time_ns for it in self.by_key.values() if it.status is not RequestStatus.PENDING)

    def _forget(self) -> None:
        for key, request in self.by_key.items():
            if request.status is not RequestStatus.PENDING:
                del self.by_key[key], self._keys[request.request_id]
                return
