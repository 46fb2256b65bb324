"""Ids of FIX sessions: an operator names a session by its id alone, so clients' and LPs' are all different."""

from config import client_sessions, lp_sessions
from config.settings import Settings


def shared(settings: Settings) -> str:
    """A sentence on an id that a session with a client and one with an LP have; empty: there is none.

    Of a file that cannot be read nothing is said: the process that needs it does.
    """
    try:
        clients = [session.id for session in client_sessions.read(settings.fix_sessions)[1]]
        lps = [session.id for session in lp_sessions.read(settings.lp_sessions)]
    except (lp_sessions.Unreadable, client_sessions.Unreadable):
        return ""
    both = next((name for name in lps if name in clients), "")
    return both and f"FIX sessions: [{both}] is one with a client and one with an LP; each session needs its own id."
