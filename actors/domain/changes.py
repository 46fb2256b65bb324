"""Terms that staff change: who changed what and why, and the number by which each version is known.

A version is the number of the event that made the terms so: that event, and so the terms of then, are in the journal.
"""

import msgspec

from actors.domain.refusal import Code, Refused

CHANGES_LIMIT = 10_000
"""So many of the last changes are listed; older ones are in the journal and in the audit log."""
REASON_LIMIT_CHARACTERS = 500


class Change(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One change by a person."""

    version: int
    subject: str
    """Such as "instrument EURUSD"."""
    previous: int
    """The version of before; 0 where there was none."""
    actor: str
    reason: str
    time_ns: int


class Versions:
    """The version of each subject, and the last changes."""

    def __init__(self) -> None:
        self.current: dict[str, int] = {}
        self.by_staff: dict[str, None] = {}
        """Subjects whose version of now a person has made."""
        self.changes: list[Change] = []
        self._previous = 0

    def note(self, subject: str, version: int) -> None:
        """The subject's terms are those of this event from now on."""
        self._previous = self.current.get(subject, 0)
        self.current[subject] = version
        self.by_staff.pop(subject, None)

    def explain(self, version: int, subject: str, actor: str, reason: str, time_ns: int) -> None:
        """Who has made the version that was noted last."""
        self.by_staff[subject] = None
        self.changes.append(Change(version, subject, self._previous, actor, reason, time_ns))
        if len(self.changes) > CHANGES_LIMIT:
            del self.changes[0]

    def check(self, subject: str, wanted: int) -> None:
        """Raises Refused VERSION_MISMATCH; 0 is any version."""
        version = self.current.get(subject, 0)
        if wanted and wanted != version:
            raise Refused(Code.VERSION_MISMATCH, f"{subject} is at version {version}, not {wanted}")


def check_reason(reason: str) -> None:
    """Raises Refused BAD_REASON."""
    if not 0 < len(reason) <= REASON_LIMIT_CHARACTERS or not reason.isprintable():
        raise Refused(Code.BAD_REASON, f"a reason has 1 to {REASON_LIMIT_CHARACTERS} printable characters", "reason")
