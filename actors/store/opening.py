"""The start of an engine on its journal, or one line that says why not."""

import gc
import sqlite3
from pathlib import Path

import structlog

from actors.store import snapshots
from actors.store.journal import Full, InUse, Journal
from actors.store.record import Damaged
from actors.store.recovery import Recovered


def opened(path: Path) -> tuple[Journal, Recovered]:
    """The journal and its state, or SystemExit after a line that names the file and says what to do."""
    log = structlog.get_logger()
    try:
        journal = Journal(path)
        recovered = journal.recover()
    except InUse as fault:
        log.error("not started", reason=str(fault))
    except Full as fault:
        log.error("not started", reason=f"{path}: {fault}", do="make room on the disk")
    except (Damaged, sqlite3.Error) as fault:
        advice = f"python -m tools.verify {path} says what is sound; restore {path.parent} from a backup"
        log.error("not started", reason=str(fault), do=advice)
    else:
        for reason in recovered.faults:
            log.error("a snapshot was passed over", reason=reason)
        log.info(
            "recovered",
            event_seq=recovered.state.event_seq,
            accounts=len(recovered.state.accounts),
            batch_seq=recovered.batch_seq,
            snapshot_batch_seq=recovered.snapshot_batch_seq,
            state_hash=snapshots.state_hash(recovered.state),
        )
        # What was recovered lives as long as the process: no later collection need walk through it.
        gc.freeze()
        return journal, recovered
    raise SystemExit(1)
