"""Several web processes on one port: the system gives each new connection to one of them (SO_REUSEPORT)."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable

PR_SET_PDEATHSIG = 1
"""prctl(2), of Linux."""
HEARD = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGCHLD})


def run(count: int, work: Callable[[], None]) -> int:
    """Runs `work` in so many processes until SIGTERM or SIGINT, or until one of them ends; then all end.

    Gives the exit code: 0 when it was asked to stop and all stopped well. To be called before there is a thread.
    """
    # Blocked and waited for: nothing that is asked while the children are started, or before a wait, is lost.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # What is ignored need not be told to who waits (POSIX).
    children = {_start(work, mask) for _ in range(count)}
    asked = False
    worst = 0
    while children:
        if signal.sigwait(HEARD) != signal.SIGCHLD:
            asked = True
            _terminate(children)
        while children and (ended := os.waitpid(-1, os.WNOHANG))[0]:
            children.discard(ended[0])
            code = os.waitstatus_to_exitcode(ended[1])
            if not (asked and code == -signal.SIGTERM):  # One that had hardly begun ends so.
                worst = max(worst, abs(code))
            if not asked:
                worst = max(worst, 1)
                _terminate(children)
    return worst


def _start(work: Callable[[], None], mask: Iterable[int]) -> int:
    """`mask`: the signals that the child blocks when it begins."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        if sys.platform == "linux":
            # Where the parent is killed nobody else tells its children.
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
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
