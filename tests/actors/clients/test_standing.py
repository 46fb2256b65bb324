"""On which terms FIX clients' accounts deal, by the engine's events."""

from actors.clients.standing import Standing
from actors.domain.events.accounts import AccountOpened
from actors.domain.events.terms import GroupAssigned, GroupDefined
from actors.domain.group import Group

STANDARD, PROS = Group("standard"), Group("pros", leverage=30)


def test_an_account_deals_on_the_terms_of_the_group_that_it_was_given_last() -> None:
    standing = Standing()
    for event in (GroupDefined(STANDARD), AccountOpened(1, "USD"), GroupAssigned(1, PROS, {})):
        standing.take(event)
    assert (standing.groups, standing.currencies) == ({1: PROS}, {1: "USD"})
    wider = Group("pros", leverage=20)
    standing.take(GroupDefined(wider))
    assert standing.groups == {1: wider}
