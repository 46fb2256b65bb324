"""What an LP's FIX session subscribes to, as the registry's names come and go."""

from collections.abc import Iterator

import pytest

from actors.bus import codec
from actors.bus.streams import FeedMessage
from actors.domain.prices.lp_registry import Lp
from actors.lp.line import Line as LpLine
from actors.lp.quotes import STREAM, Quotes
from actors.quoting.lp_feed import Connected, Feed, Heard
from config import catalogue
from config.lp_sessions import LpSession
from gateway.fix.codec import split
from gateway.fix.events import LoggedOn, Received
from gateway.fix.store import SentMessage
from gateway.fix.times import SECOND_NS
from gateway.venues.events import VenueQuote
from tests.gateway.fix.lp.messages import message
from tests.gateway.fix.peers import INITIATOR, START_NS, logon, wire
from tests.gateway.fix.peers import Desk as Line

SUBSCRIBE, UNSUBSCRIBE = "1", "2"
decode = codec.decoder(FeedMessage)


class Followed:
    """The quotes of a session that is logged on, and what they have sent."""

    def __init__(self) -> None:
        self.line = Line(INITIATOR)
        self.feed = Feed.start("LP", catalogue.instruments(), START_NS)
        self.told: list[bytes] = []
        """What the aggregator was told."""
        self.quotes = Quotes(self.feed, LpSession("s", "LP", "quotes", "US", "THEM"), self.told.extend)
        self.line.open()
        self.line.hear(logon())
        self.log_on()

    def log_on(self) -> None:
        self.quotes.on_event(self.line.session, LoggedOn(reset=False), START_NS)

    def follow(self, **symbols: str) -> None:
        self.quotes.follow(Lp("LP", "fix", symbols), self.line.session, START_NS)

    def refuse(self, request_id: str) -> None:
        received = Received(message(b"Y", f"262={request_id} 281=0"), 9, may_repeat=False)
        self.quotes.on_event(self.line.session, received, START_NS)

    def requests(self) -> list[str]:
        """MDReqIDs, the oldest first."""
        return [body[262] for body in self._sent()]

    def asked(self) -> list[tuple[str, str]]:
        """SubscriptionRequestType and Symbol."""
        return [(body[263], body[55]) for body in self._sent()]

    def _sent(self) -> list[dict[int, str]]:
        with self.line.store.transaction():
            self.line.session.save()
        kept = [it for it in self.line.store.sent("us", 1, 100, 100) if it.msg_type == b"V"]
        return [{tag: value.decode() for tag, value in split(it.body) or ()} for it in kept]


@pytest.fixture
def followed() -> Iterator[Followed]:
    followed = Followed()
    yield followed
    followed.feed.stop()


def test_names_that_come_and_go_are_subscribed_and_taken_back(followed: Followed) -> None:
    followed.follow(EURUSD="EUR/USD")
    followed.follow(EURUSD="EUR/USD", GBPUSD="GBP/USD")
    followed.follow(GBPUSD="GBP/USD")
    assert followed.asked() == [(SUBSCRIBE, "EUR/USD"), (SUBSCRIBE, "GBP/USD"), (UNSUBSCRIBE, "EUR/USD")]


def test_prices_do_not_stand_while_the_heartbeat_is_overdue(followed: Followed) -> None:
    """One that was agreed, and a fifth of it more; a second later they are taken back, until something comes."""
    followed.follow(EURUSD="EUR/USD")
    price = VenueQuote("EUR/USD", 110_000_000, 110_010_000, 1, 1, 0)
    followed.feed.ask(Connected(START_NS, STREAM, True, "logged on"), block=True)
    followed.feed.ask(Heard(START_NS, STREAM, [price]), block=True)
    session = followed.line.session
    followed.quotes.beat(session, START_NS)
    late_ns = session.heard_ns + session.heartbeat_ns * 12 // 10 + SECOND_NS
    for now_ns, names in ((late_ns, ["FeedStatus"]), (late_ns + 1, ["QuoteBatch", "FeedStatus"])):
        followed.told.clear()
        followed.quotes.beat(session, now_ns)
        assert [type(decode(frame)).__name__ for frame in followed.told] == names
    followed.line.now_ns = late_ns + 2
    followed.line.hear(wire(b"0", 2, now_ns=late_ns + 2))
    followed.told.clear()
    followed.quotes.beat(session, late_ns + 3)
    assert [type(decode(frame)).__name__ for frame in followed.told] == ["StandingQuotes", "FeedStatus"]


def test_what_the_lp_refuses_is_asked_for_again_after_a_logon_or_when_it_is_mapped_anew(followed: Followed) -> None:
    followed.follow(EURUSD="EUR/USD")
    followed.refuse(followed.requests()[-1])
    followed.follow(EURUSD="EUR/USD", GBPUSD="GBP/USD")
    assert followed.asked() == [(SUBSCRIBE, "EUR/USD"), (SUBSCRIBE, "GBP/USD")]
    followed.follow(GBPUSD="GBP/USD")
    followed.follow(EURUSD="EUR/USD")
    assert followed.asked()[2:] == [(UNSUBSCRIBE, "GBP/USD"), (SUBSCRIBE, "EUR/USD")]
    followed.refuse(followed.requests()[-1])
    followed.log_on()
    assert followed.asked()[4:] == [(SUBSCRIBE, "EUR/USD")]


def test_a_subscription_that_the_lp_asks_for_again_is_sent_again_on_its_connection_however_late() -> None:
    session = LpLine("line")
    session.logged_on_ns = START_NS
    late_ns = START_NS + 3_600 * SECOND_NS
    assert session.may_replay(SentMessage(2, b"V", START_NS, b"", b""), late_ns)
    assert not session.may_replay(SentMessage(2, b"V", START_NS - 1, b"", b""), late_ns)
    assert not session.may_replay(SentMessage(2, b"x", START_NS, b"", b""), late_ns)
