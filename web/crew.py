"""Several web processes on one port: the system gives each new connection to one of them (SO_REUSEPORT)."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
"""prctl(2), of Linux."""


def run(count: int, work: Callable[[], None]) -> int:
    """Runs `work` in so many processes until SIGTERM or SIGINT, or until one of them ends; then all end.

    Gives the exit code: 0 when it was asked to stop and all stopped well. To be called before there is a thread.
    """
    children = {_start(work) for _ in range(count)}
    asked = False

    def stop(*_: object) -> None:
        nonlocal asked
        asked = True
        _terminate(children)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    worst = 0
    while children:
        ended, status = os.wait()
        children.discard(ended)
        worst = max(worst, abs(os.waitstatus_to_exitcode(status)))
        if not asked:
            worst = max(worst, 1)
            _terminate(children)
    return worst


def _start(work: Callable[[], None]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        if sys.platform == "linux":
            # Where the parent is killed nobody else tells its children.
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == parent:
            work()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _terminate(children: set[int]) -> None:
    for child in list(children):
        os.kill(child, signal.SIGTERM)
