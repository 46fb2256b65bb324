"""What an LP lists and the collateral that it counts, as an operator sees it."""

import msgspec
import pytest

from actors.bus.fix_sessions import Collateral, LpSurvey
from actors.domain.money import parse_e8
from actors.lp.survey import Survey, misfit
from config import catalogue
from config.lp_sessions import LpSession
from gateway.fix.events import LoggedOn, LoggedOut, Received, Refused
from gateway.fix.session import Session
from gateway.fix.store import SqliteStore
from gateway.venues.interface import VenueInstrument
from tests.gateway.fix.lp.messages import message
from tests.gateway.fix.peers import INITIATOR

SYMBOLS = {"EURUSD": "EUR/USD", "USDJPY": "USD/JPY"}
SECOND_NS = 1_000_000_000
NOW_NS = 1_768_824_000 * SECOND_NS


class Asked:
    """A survey, and what it has sent."""

    def __init__(self) -> None:
        terms = LpSession(
            "s", "LP", "both", "US", "THEM", account="A1", security_list=True, security_digits_tag=1008, collateral_s=10
        )
        self.told: list[dict[str, str]] = []
        self.store = SqliteStore(":memory:")
        self.session = Session(INITIATOR, self.store)
        self.survey = Survey(terms, catalogue.instruments(), self.told.append)
        self.survey.follow(SYMBOLS)
        self.now_ns = NOW_NS

    def logged_on(self) -> "Asked":
        self.survey.on_event(self.session, LoggedOn(reset=False), self.now_ns)
        return self

    def hear(self, msg_type: bytes, body: str) -> LpSurvey:
        self.survey.on_event(self.session, Received(message(msg_type, body), 9, may_repeat=False), self.now_ns)
        return self.survey.as_seen()

    def sent(self) -> list[bytes]:
        with self.store.transaction():
            self.session.save()
        return [sent.msg_type for sent in self.store.sent("us", 1, 100, 100)]


def listed(*instruments: str, page: str = "") -> str:
    return f"320={NOW_NS} 560=0 {page} 146={len(instruments)} " + " ".join(instruments)


def test_the_list_is_held_against_the_map_when_it_is_whole() -> None:
    asked = Asked().logged_on()
    assert asked.sent() == [b"x", b"BB"]
    first = asked.hear(b"y", listed("55=EUR/USD 562=1000", page="393=2 893=N"))
    assert (first.listed, first.misfits) == (None, {})
    whole = asked.hear(b"y", listed("55=GBP/USD", page="893=Y"))
    words = {"EURUSD": "the least quantity is 1000 there, and 1 here", "USDJPY": "unlisted"}
    assert (whole.listed, whole.misfits, asked.told) == (2, words, [words])


@pytest.mark.parametrize(
    ("pages", "count"),
    [
        (["393=2 146=1 55=A", "393=2 146=1 55=B"], 2),
        (["393=2 146=2 55=A 55=A"], 1),
        (["893=N 146=1 55=A", "893=N 146=1 55=B"], None),
        (["393=9 893=Y 146=1 55=A"], 1),
    ],
)
def test_a_list_of_several_pages_is_whole_when_the_lp_says_so(pages: list[str], count: int | None) -> None:
    asked = Asked().logged_on()
    for page in pages:
        asked.hear(b"y", f"320={NOW_NS} 560=0 {page}")
    assert asked.survey.as_seen().listed == count


def test_a_list_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.lp.survey.LISTED_LIMIT", 2)
    asked = Asked().logged_on()
    asked.hear(b"y", f"320={NOW_NS} 560=0 893=N 146=3 55=A 55=B 55=C")
    assert asked.survey.as_seen().refused == "the list: longer than 2"
    assert asked.hear(b"y", f"320={NOW_NS} 560=0 893=Y 146=1 55=A").listed is None


def test_the_map_changes_and_the_list_with_the_next_logon() -> None:
    asked = Asked().logged_on()
    asked.hear(b"y", listed("55=EUR/USD"))
    asked.survey.follow({"EURUSD": "EUR/USD"})
    assert asked.survey.as_seen().misfits == {}
    assert not asked.survey.is_due(NOW_NS)
    asked.logged_on()
    assert asked.survey.as_seen().listed is None
    assert asked.hear(b"y", listed("55=GBP/USD")).misfits == {"EURUSD": "unlisted"}
    assert asked.told == [{"USDJPY": "unlisted"}, {}, {"EURUSD": "unlisted"}]


def test_what_is_mapped_and_not_on_the_list_has_it_asked_for_again() -> None:
    asked = Asked().logged_on()
    asked.hear(b"y", listed("55=EUR/USD", "55=USD/JPY"))
    asked.survey.follow(SYMBOLS | {"GBPUSD": "GBP/USD"})
    assert asked.survey.as_seen().misfits == {"GBPUSD": "unlisted"}
    assert asked.survey.is_due(NOW_NS)
    asked.survey.ask(asked.session, NOW_NS)
    assert asked.sent() == [b"x", b"BB", b"x"]
    assert not asked.survey.is_due(NOW_NS)
    asked.survey.follow(SYMBOLS | {"GBPUSD": "GBP/USD", "EURGBP": "EUR/GBP"})
    assert not asked.survey.is_due(NOW_NS)  # An answer is on its way.
    seen = asked.hear(b"y", listed("55=EUR/USD", "55=USD/JPY", "55=GBP/USD"))
    assert (seen.listed, seen.misfits) == (3, {"EURGBP": "unlisted"})
    asked.survey.on_event(asked.session, LoggedOut("gone"), NOW_NS)
    asked.survey.follow(SYMBOLS)
    asked.survey.follow(SYMBOLS | {"AUDUSD": "AUD/USD"})
    assert not asked.survey.is_due(NOW_NS)


def test_instruments_that_staff_change_are_held_against_the_list_anew() -> None:
    asked = Asked().logged_on()
    ours = catalogue.instruments()
    assert asked.hear(b"y", listed("55=EUR/USD 969=0.0001", "55=USD/JPY")).misfits == {
        "EURUSD": "prices have 4 digits there, and 5 here"
    }
    asked.survey.relist(ours | {"EURUSD": msgspec.structs.replace(ours["EURUSD"], price_digits=4)})
    assert asked.survey.as_seen().misfits == {}
    assert asked.told[-1] == {}


def test_what_nobody_has_asked_for_says_nothing() -> None:
    asked = Asked()
    assert asked.hear(b"y", listed("55=EUR/USD")).listed is None
    asked.logged_on()
    assert asked.hear(b"y", "320=other 560=0 146=1 55=EUR/USD").listed is None
    assert asked.hear(b"BA", "908=r 909=other 15=USD 900=1").collateral is None


def test_collateral_is_asked_for_regularly() -> None:
    asked = Asked().logged_on()
    seen = asked.hear(b"BA", f"908=r 909={NOW_NS} 910=3 15=USD 899=5.5 900=100")
    assert seen.collateral == Collateral("USD", parse_e8("100"), None, parse_e8("5.5"), NOW_NS)
    assert not asked.survey.is_due(NOW_NS + 10 * SECOND_NS - 1)
    assert asked.survey.is_due(NOW_NS + 10 * SECOND_NS)
    asked.survey.ask(asked.session, NOW_NS + 10 * SECOND_NS)
    assert asked.sent() == [b"x", b"BB", b"BB"]
    asked.survey.on_event(asked.session, LoggedOut("gone"), NOW_NS)
    assert not asked.survey.is_due(NOW_NS + 60 * SECOND_NS)


@pytest.mark.parametrize("refusal", ["j", "3", "y and BG"])
def test_an_lp_that_refuses_is_not_asked_again_before_the_next_logon(refusal: str) -> None:
    asked = Asked().logged_on()
    list_seq, collateral_seq = 1, 2
    if refusal == "j":
        asked.hear(b"j", f"45={list_seq} 372=x 380=3 58=no")
        asked.hear(b"j", f"45={collateral_seq} 372=BB 380=3 58=no")
    elif refusal == "3":
        asked.survey.on_event(asked.session, Refused(list_seq, "no"), NOW_NS)
        asked.survey.on_event(asked.session, Refused(collateral_seq, "no"), NOW_NS)
    else:
        asked.hear(b"y", f"320={NOW_NS} 560=1 58=no")
        asked.hear(b"BG", f"909={NOW_NS} 945=4 58=no")
    seen = asked.survey.as_seen()
    assert "the list: " in seen.refused
    assert "collateral: " in seen.refused
    assert not asked.survey.is_due(NOW_NS + 60 * SECOND_NS)
    asked.logged_on()
    assert asked.survey.as_seen().refused == ""
    assert asked.survey.is_due(NOW_NS + 60 * SECOND_NS)


EURUSD = catalogue.instruments()["EURUSD"]


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({}, ""),
        ({"price_digits": 5}, ""),
        ({"price_digits": 6}, ""),
        ({"price_digits": 4}, "prices have 4 digits there, and 5 here"),
        ({"quantity_min_e8": parse_e8("1")}, ""),
        ({"quantity_min_e8": parse_e8("1000")}, "the least quantity is 1000 there, and 1 here"),
        ({"quantity_max_e8": parse_e8("5000000")}, "the most is 5000000 there, and 10000000 here"),
        ({"quantity_step_e8": parse_e8("0.01")}, ""),
        ({"quantity_step_e8": parse_e8("1000")}, "the step is 1000 there, and 1 here"),
        ({"contract_e8": parse_e8("1"), "quantity_min_e8": parse_e8("1")}, ""),
        (
            {"contract_e8": parse_e8("10000"), "quantity_max_e8": parse_e8("100")},
            "a contract is 10000 there, and quantities are units here",
        ),
    ],
)
def test_what_does_not_fit(terms: dict[str, int], words: str) -> None:
    assert misfit(EURUSD, VenueInstrument("EUR/USD", **terms)) == words


def test_what_is_not_there() -> None:
    assert misfit(EURUSD, None) == "unlisted"
    assert misfit(None, VenueInstrument("EUR/USD", 1)) == ""
