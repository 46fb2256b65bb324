"""Margin calls, stop-outs and breaks as they happen: to an account's owner, and to the broker's staff of all."""

from web.live.frame import text_frame
from web.live.recent import DESK, Past
from web.live.telling import alert
from web.live.watcher import Watcher, tell


class Alerts:
    """Who follows which account's alerts; DESK stands for all of them. None is ever dropped."""

    def __init__(self) -> None:
        self._watchers: dict[int, dict[Watcher, None]] = {}

    def join(self, owner: int, watcher: Watcher) -> None:
        self._watchers.setdefault(owner, {})[watcher] = None

    def leave(self, owner: int, watcher: Watcher) -> None:
        watchers = self._watchers.get(owner, {})
        watchers.pop(watcher, None)
        if not watchers:
            self._watchers.pop(owner, None)

    def deliver(self, owner: int, past: Past) -> None:
        """An alert of the account, or the desk's alone."""
        frame = text_frame(alert(past))
        for each in dict.fromkeys((owner, DESK)):
            tell(self._watchers.get(each, ()), frame)

    def lost(self) -> None:
        """Events were missed: whoever follows must begin anew."""
        everybody, self._watchers = self._watchers, {}
        for watchers in everybody.values():
            for watcher in list(watchers):
                watcher.give_up()
