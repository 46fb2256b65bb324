"""When the engine's journal is tended: snapshots made, closed files compressed, by a process beside the engine."""

from pathlib import Path

import structlog

from actors.errand import Errand, Failed

SNAPSHOT_EVERY_RECORDS = 500_000
"""Inputs and events after the last snapshot: a recovery takes in about so many, in about a second."""


class Keeping:
    """Runs actors/store/keeper.py, one at a time."""

    def __init__(self, journal: Path, records: int) -> None:
        """`records`: inputs and events that the journal has after its last snapshot."""
        self._journal = journal.absolute()
        self._records = records
        self._errand: Errand | None = None

    @property
    def is_at_work(self) -> bool:
        return self._errand is not None

    def count(self, records: int) -> None:
        """So many more are in the journal."""
        self._records += records

    def tend(self, *, may_start: bool) -> None:
        """Starts the process where it is time, and takes note of its end."""
        if self._errand is None:
            if self._records >= SNAPSHOT_EVERY_RECORDS and may_start:
                self._records = 0
                try:
                    self._errand = Errand("actors.store.keeper", str(self._journal))
                except OSError as fault:
                    structlog.get_logger().error("no snapshot was made", reason=str(fault))
            return
        try:
            if self._errand.result() is None:
                return
        except Failed as fault:
            structlog.get_logger().error("no snapshot was made", reason=str(fault))
        self._errand = None

    def stop(self) -> None:
        if self._errand is not None:
            self._errand.stop()
            self._errand = None
