"""Keeps a journal in order, as a process of its own beside the engine, which therefore never waits for it.

`python -m actors.store.keeper JOURNAL` makes a snapshot of the state after the last commit, from what is on the disk,
and compresses the closed files that no recovery will begin in. Killed at any moment, it leaves nothing half done.
"""

import fcntl
import os
import sqlite3
import sys
from itertools import pairwise
from pathlib import Path

from actors.store import recovery, segments, snapshots
from actors.store.reader import Reader
from actors.store.record import Damaged

NICENESS = 10


def keep(journal: Path) -> None:
    """Nothing where another keeper is at work on this journal. Raises Damaged, OSError, sqlite3.Error."""
    lock = os.open(journal.with_suffix(".keeper"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _keep(journal)
    except BlockingIOError:
        pass
    finally:
        os.close(lock)


def _keep(journal: Path) -> None:
    snapshots.forget_parts(journal)
    reader = Reader(journal)
    recovered = recovery.recover(journal, reader)
    reader.close()
    snapshots.save(journal, recovered.batch_seq, recovered.now_ns, recovered.state)
    oldest = snapshots.listed(journal)[-1].batch_seq
    files = segments.listed(journal)
    for segment, following in pairwise(files):
        if segment.path.suffix != segments.ARCHIVE and following.first_batch_seq <= oldest + 1:
            segments.archive(segment.path)


def main() -> int:
    os.umask(0o077)
    os.nice(NICENESS)
    try:
        keep(Path(sys.argv[1]))
    except (Damaged, OSError, sqlite3.Error) as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
