"""Groups that see a symbol alike: what waits for a price waits for the price of its class."""

from collections.abc import Callable, Mapping

from actors.domain.group import Group, Markup
from actors.domain.quote import Tick
from actors.domain.trigger import Reached, Triggers


class PriceClass:
    """The groups with one markup in one symbol, and what waits for a price there.

    A group's bid may hang on the market's ask too (its spread has limits), so no price of a client has one of the
    market that stands for it. Each class compares with its own tick, and a tick costs what it triggers, and something
    for each class.
    """

    __slots__ = ("groups", "markup", "triggers")

    def __init__(self, markup: Markup) -> None:
        self.markup = markup
        self.groups: list[str] = []
        self.triggers = Triggers()


class PriceClasses:
    """Of one symbol."""

    def __init__(self, symbol: str, groups: Mapping[str, Group]) -> None:
        self._symbol = symbol
        self.by_markup: dict[Markup, PriceClass] = {}
        self._awaited: dict[Markup, PriceClass] = {}
        """Those that something was ever put into."""
        for group in groups.values():
            self.add(group)

    def of(self, group: Group) -> PriceClass:
        return self.by_markup[group.markup_of(self._symbol)]

    def triggers(self, group: Group) -> Triggers:
        """To put something in that waits for the group's price."""
        found = self.of(group)
        self._awaited[found.markup] = found
        return found.triggers

    def add(self, group: Group) -> None:
        markup = group.markup_of(self._symbol)
        found = self.by_markup.get(markup)
        if found is None:
            found = self.by_markup[markup] = PriceClass(markup)
        found.groups.append(group.name)

    def remove(self, group: Group) -> None:
        """What waits in a class without groups is lost with it: take it out before."""
        left = self.of(group)
        left.groups.remove(group.name)
        if not left.groups:
            del self.by_markup[left.markup]
            self._awaited.pop(left.markup, None)

    def reached(self, tick: Tick, group_of: Callable[[int], str]) -> list[Reached]:
        """Takes out what the market's tick reaches, in order of dealing, whatever the class.

        `group_of`: the group of an account. What an account has left behind in the class of another is passed over.
        """
        found: list[Reached] = []
        for one in self._awaited.values():
            reached = one.triggers.reached(one.markup.tick(tick))
            if reached:
                found += [it for it in reached if group_of(it.account_id) in one.groups]
        if len(self._awaited) > 1:
            found.sort()
        return found
