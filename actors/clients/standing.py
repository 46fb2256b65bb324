"""On which terms the clients' accounts deal: their groups and currencies, as the engine last said."""

from collections.abc import Iterable

from actors.bus.answers import AccountReport
from actors.domain.events.accounts import AccountOpened
from actors.domain.events.event import Event
from actors.domain.events.terms import GroupAssigned, GroupDefined
from actors.domain.group import Group


class Standing:
    def __init__(self) -> None:
        self.groups: dict[int, Group] = {}
        self.currencies: dict[int, str] = {}
        self._defined: dict[str, Group] = {}

    def define(self, groups: Iterable[Group]) -> None:
        """All that there are."""
        self._defined |= {group.name: group for group in groups}

    def learn(self, account_id: int, report: AccountReport) -> None:
        self.groups[account_id] = report.group
        self.currencies[account_id] = report.summary.currency

    def take(self, event: Event) -> None:
        if isinstance(event, GroupDefined):
            group = self._defined[event.group.name] = event.group
            self.groups |= {account: group for account, known in self.groups.items() if known.name == group.name}
        elif isinstance(event, GroupAssigned):
            self.groups[event.account_id] = self._defined.get(event.group.name, event.group)
        elif isinstance(event, AccountOpened):
            self.currencies[event.account_id] = event.currency
            if event.group in self._defined:
                self.groups[event.account_id] = self._defined[event.group]
