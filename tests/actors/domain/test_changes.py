"""Who changes terms: versions, reasons, and what configuration may still say."""

import msgspec

from actors.domain import changes
from actors.domain.broker import apply
from actors.domain.changes import Change
from actors.domain.commands import DefineGroup, DefineHolidays, DefineInstrument, DefineRules, SetLimits
from actors.domain.events.terms import GroupDefined, InstrumentDefined, TermsChanged
from actors.domain.group import Group
from actors.domain.instrument import InstrumentState
from actors.domain.refusal import Code
from actors.domain.risk.limits import Limits
from actors.domain.routing.rulebook import Book, Rule
from actors.domain.snapshot import restore, snapshot
from actors.domain.state import State
from config import catalogue
from tests.actors.domain.deals import NOW_NS, refusal
from tests.examples import ACCOUNT, EURUSD, encoded, trading_state

CLOSE_ONLY = msgspec.structs.replace(EURUSD, state=InstrumentState.CLOSE_ONLY)
ALL_TO_US = (Rule(rule_id=1, name="all", book=Book.B_BOOK),)


def test_a_change_is_explained_and_its_version_is_the_number_of_its_event() -> None:
    state = trading_state()
    first = state.versions.current["instrument EURUSD"]
    told = DefineInstrument(CLOSE_ONLY, "olga", "election", first)
    number = state.event_seq + 1
    explained = TermsChanged("instrument EURUSD", "olga", "election", NOW_NS)
    assert apply(state, told, NOW_NS) == [InstrumentDefined(CLOSE_ONLY), explained]
    assert state.versions.current["instrument EURUSD"] == number
    assert state.versions.changes == [Change(number, "instrument EURUSD", first, "olga", "election", NOW_NS)]
    assert apply(state, told, NOW_NS) == []
    stale = refusal(state, DefineInstrument(EURUSD, "anna", "back", first))
    assert stale == (Code.VERSION_MISMATCH, f"instrument EURUSD is at version {number}, not {first}", "")
    apply(state, DefineInstrument(EURUSD, "anna", "back", number), NOW_NS)
    copy = restore(snapshot(state))
    assert (encoded(copy), copy.versions.by_staff) == (encoded(state), {"instrument EURUSD": None})


def test_each_kind_of_terms_has_a_subject() -> None:
    state = trading_state()
    for told in (
        DefineGroup(Group("pros"), "olga", "new"),
        SetLimits(ACCOUNT, Limits(positions=7), "olga", "asked for"),
        DefineHolidays("USD", (20_000,), "olga", "new year"),
        DefineRules(ALL_TO_US, ("LMAX",), "olga", "no risk"),
    ):
        apply(state, told, NOW_NS)
    subjects = ["group pros", f"limits {ACCOUNT}", "holidays USD", "rules"]
    assert [change.subject for change in state.versions.changes] == subjects


def test_configuration_says_nothing_of_what_a_person_has_changed() -> None:
    state = State()
    for told in catalogue.definitions(state):
        apply(state, told, NOW_NS)
    before = encoded(state)
    for told in catalogue.definitions(state):
        apply(state, told, NOW_NS)
    assert encoded(state) == before
    halved = msgspec.structs.replace(state.instruments["EURUSD"], quantity_max_e8=10**13)
    apply(state, DefineInstrument(halved, "olga", "thin market"), NOW_NS)
    apply(state, DefineHolidays("USD", (), "olga", "none"), NOW_NS)
    for told in catalogue.definitions(state):
        apply(state, told, NOW_NS)
    assert state.instruments["EURUSD"] == halved
    assert state.holidays["USD"] == ()


def test_only_so_many_changes_are_listed(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(changes, "CHANGES_LIMIT", 2)
    state = trading_state()
    for number in range(3):
        events = apply(state, DefineGroup(Group("pros", leverage=number), "olga", f"change {number}"), NOW_NS)
        assert isinstance(events[0], GroupDefined)
    assert [change.reason for change in state.versions.changes] == ["change 1", "change 2"]
