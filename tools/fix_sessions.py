"""Shows and repairs the sequence numbers of FIX sessions, while no process serves them.

    python -m tools.fix_sessions STORE                                            every session, and every repair
    python -m tools.fix_sessions STORE SESSION --next-out 7 --next-in 9 --reason "as agreed with the LP's desk"
    python -m tools.fix_sessions STORE SESSION --reset --reason "a new day"       both at 1

A repair is kept in the store: when, by whom, why, and the numbers before and after.
"""

import argparse
import getpass
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from gateway.fix.repairs import Unrepairable, repair, repaired, sessions
from gateway.fix.store import SqliteStore, StoreHeld
from gateway.fix.times import utc_timestamp


def _show(store: SqliteStore) -> None:
    for session_id, numbers in sessions(store):
        print(f"{session_id}: next out {numbers.next_out}, next in {numbers.next_in}")
    for done in repaired(store):
        print(
            f"{utc_timestamp(done.at_ns).decode()} {done.operator} set {done.session_id}"
            f" out {done.old_out} -> {done.new_out}, in {done.old_in} -> {done.new_in}: {done.reason}"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, help="such as var/fix/clients.sqlite")
    parser.add_argument("session", nargs="?", help="the session to repair")
    parser.add_argument("--next-out", type=int, metavar="N", help="MsgSeqNum of the next message that we send")
    parser.add_argument("--next-in", type=int, metavar="N", help="MsgSeqNum that we expect next")
    parser.add_argument("--reset", action="store_true", help="both at 1")
    parser.add_argument("--reason", default="", help="kept with the repair")
    return parser


def main(argv: Sequence[str]) -> int:
    """0, or 1 where nothing could be done: one line says why."""
    options = _parser().parse_args(argv)
    try:
        if not options.store.is_file():
            raise Unrepairable(f"{options.store}: there is no such store")
        store = SqliteStore(options.store)
        try:
            if options.session is not None:
                next_out, next_in = (1, 1) if options.reset else (options.next_out, options.next_in)
                operator = getpass.getuser()
                repair(store, options.session, next_out, next_in, options.reason, time.time_ns(), operator)
            _show(store)
        finally:
            store.close()
    except (Unrepairable, StoreHeld) as fault:
        print(f"fix_sessions: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
