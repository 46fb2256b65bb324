"""Binance's streams against the simulated venue, on real sockets: what an operator sees of each of the LP's faults."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.venues.binance import link as link_module
from gateway.venues.binance import session as session_module
from gateway.venues.binance import subscriptions
from gateway.venues.binance.rest import BinanceRest
from gateway.venues.binance.session import CONNECTIONS_LIMIT, CONNECTIONS_WINDOW_S, Connections, Terms
from gateway.venues.binance.stream import BinanceStream
from gateway.venues.events import VenueDepth, VenueEvent, VenueGarbage, VenueQuote
from gateway.venues.interface import ConnectionLost, Patience
from tools.venues.binance import BinanceVenue
from tools.venues.market import Market

PATIENCE = Patience(60_000, 60_000, backoff_first_ms=10, backoff_cap_ms=20)
WAIT_LIMIT_S = 90
BTC, EUR = "btcusdt@bookTicker", "eurusdt@bookTicker"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests follow one another quickly, which only the venues of these tests allow."""
    monkeypatch.setattr(link_module, "REQUESTS_PER_SECOND", 200)


class Seen:
    """A venue, an open stream to it, and what came."""

    def __init__(self, venue: BinanceVenue, stream: BinanceStream):
        self.venue = venue
        self.stream = stream
        self.events: list[VenueEvent] = []
        self.lost: ConnectionLost | None = None

    async def read(self) -> None:
        try:
            async with self.stream.open() as chunks:
                async for events in chunks:
                    assert events
                    self.events += events
        except ConnectionLost as error:
            self.lost = error

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_LIMIT_S):
            while not condition():
                await asyncio.sleep(0.005)

    async def more_quotes(self, count: int = 20) -> None:
        before = len(self.quotes())
        await self.until(lambda: len(self.quotes()) >= before + count)

    def quotes(self, instrument: str = "") -> list[VenueQuote]:
        return [one for one in self.events if isinstance(one, VenueQuote) and one.instrument.startswith(instrument)]

    def depths(self) -> list[VenueDepth]:
        return [one for one in self.events if isinstance(one, VenueDepth)]

    def dropped(self) -> list[str]:
        return [one.reason for one in self.events if isinstance(one, VenueGarbage)]

    def subscriptions(self) -> list[list[str]]:
        return [sorted(subscriber.instruments) for subscriber in self.venue.clients]


@contextlib.asynccontextmanager
async def reading(
    instruments: tuple[str, ...] = ("BTCUSDT",), depth: bool = False, renew_after_s: float = 3600, **options: Any
) -> AsyncIterator[Seen]:
    venue = BinanceVenue(Market(speed=20), **{"depth_interval_ms": 20, "messages_limit_per_s": 1000, **options})
    host = f"127.0.0.1:{venue.listen('127.0.0.1', 0)}"
    rest = BinanceRest(f"http://{host}", PATIENCE) if depth else None
    terms = Terms(f"ws://{host}", PATIENCE, rest, renew_after_s)
    seen = Seen(venue, BinanceStream(terms, instruments))
    task = asyncio.create_task(seen.read())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await venue.close()


def test_quotes_come_of_what_was_asked_for_and_the_lp_confirms_it() -> None:
    async def main() -> None:
        async with reading(("BTCUSDT", "EURUSDT")) as seen:
            await seen.until(lambda: bool(seen.quotes("BTC") and seen.quotes("EUR")))
            assert seen.subscriptions() == [[BTC, EUR]]
        assert seen.dropped() == []

    asyncio.run(main())


def test_instruments_are_changed_on_the_living_connection() -> None:
    async def main() -> None:
        async with reading() as seen:
            await seen.more_quotes()
            (client,) = seen.venue.clients
            assert await seen.stream.change(["EURUSDT"])
            assert seen.subscriptions() == [[EUR]]
            await seen.until(lambda: bool(seen.quotes("EUR")))
            assert list(seen.venue.clients) == [client]
            assert await seen.stream.change([f"X{number}" for number in range(500)])
            assert len(client.instruments) == 500
            with pytest.raises(ValueError, match="takes 1 to 1024 streams on a connection, not 1025"):
                await seen.stream.change([f"X{number}" for number in range(1025)])
        assert seen.lost is None

    asyncio.run(main())


def test_a_stream_that_is_not_open_is_changed_from_the_next_connection_on() -> None:
    async def main() -> None:
        stream = BinanceStream(Terms("ws://127.0.0.1:9", PATIENCE), ["BTCUSDT"])
        assert not await stream.change(["EURUSDT"])
        with pytest.raises(ConnectionLost, match="Error"):
            async with stream.open():
                pass

    asyncio.run(main())


def test_a_subscription_that_the_lp_forgets_is_made_again() -> None:
    async def main() -> None:
        async with reading(("BTCUSDT", "EURUSDT")) as seen:
            seen.venue.faults.forgotten_subscriptions = 2
            await seen.until(lambda: bool(seen.quotes("BTC") and seen.quotes("EUR")))
            assert seen.subscriptions() == [[BTC, EUR]]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("faults", "detail", "refused"),
    [
        ({"forgotten_subscriptions": 100}, "Binance lists other subscriptions: 1 missing, 0 too many", False),
        ({"refused_requests": 1}, "Binance refuses SUBSCRIBE: Invalid request: unknown method", True),
        ({"mute": True}, "no answer to SUBSCRIBE within 200 ms", False),
    ],
)
def test_subscriptions_that_cannot_be_had_are_a_loss_that_says_why(
    faults: dict[str, Any], detail: str, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "REPLY_LIMIT_MS", 200 if "mute" in faults else 10_000)

    async def main() -> None:
        async with reading() as seen:
            for name, value in faults.items():
                setattr(seen.venue.faults, name, value)
            await seen.until(lambda: seen.lost is not None)
            assert (str(seen.lost), seen.lost and seen.lost.refused) == (detail, refused)

    asyncio.run(main())


def test_the_lps_limit_of_messages_holds_while_instruments_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "REQUESTS_PER_SECOND", subscriptions.REQUESTS_PER_SECOND)

    async def main() -> None:
        async with reading(messages_limit_per_s=5, ping_interval_s=0.5) as seen:
            await seen.more_quotes(1)
            assert await seen.stream.change(["EURUSDT"])
        assert seen.lost is None

    asyncio.run(main())


def test_a_client_of_the_simulated_venue_that_says_too_much_is_cut_off() -> None:
    async def main() -> None:
        async with reading(messages_limit_per_s=2) as seen:
            await seen.until(lambda: bool(seen.quotes()))
            with pytest.raises(ConnectionLost, match="Too many requests"):
                await seen.stream.change([f"X{number}" for number in range(500)])

    asyncio.run(main())


async def busy_market(venue: BinanceVenue, shown: list[int]) -> None:
    """A tick each millisecond or so, each with its own bid; the connections are ever later, the older the later."""
    for number in range(1, 1_000_000):
        bid = f"{number}.00000000"
        shown.append(number * 10**8)
        for client, lag_s in zip(reversed(venue.clients.values()), (0.0, 0.03), strict=False):
            client.lag_s = lag_s
        venue.show("BTCUSDT", bid, "2000000.00000000")
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("announced", [False, True])
def test_no_tick_is_lost_and_none_doubled_when_connections_take_over(announced: bool) -> None:
    async def main() -> None:
        async with reading(("BTCUSDT",), renew_after_s=3600 if announced else 0.1) as seen:
            seen.venue.play.begin = lambda: None  # type: ignore[method-assign]
            shown: list[int] = []
            market = asyncio.create_task(busy_market(seen.venue, shown))
            clients: set[object] = set()
            while len(clients) < 6:
                await seen.more_quotes()
                clients |= set(seen.venue.clients)
                if announced and len(seen.venue.clients) == 1:
                    seen.venue.announce_shutdown()
            await seen.more_quotes(50)
            market.cancel()
        told = [quote.bid_e8 for quote in seen.quotes()]
        first = shown.index(told[0])
        assert told == shown[first : first + len(told)]
        assert (seen.dropped(), seen.lost) == ([], None)

    asyncio.run(main())


def test_the_lps_end_of_a_connection_comes_too_late() -> None:
    async def main() -> None:
        async with reading(renew_after_s=0.5, lifetime_s=4.0) as seen:
            clients: set[object] = set()
            while len(clients) < 10:
                await seen.more_quotes()
                clients |= set(seen.venue.clients)
        assert seen.lost is None

    asyncio.run(main())


def test_a_renewal_that_fails_is_told_and_tried_again_while_the_old_connection_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_module, "RENEWAL_RETRY_S", 0.05)

    async def main() -> None:
        async with reading(renew_after_s=0.2) as seen:
            await seen.more_quotes()
            (old,) = seen.venue.clients
            seen.venue.faults.refused_requests = 10_000
            await seen.until(lambda: len(seen.dropped()) == 2)
            await seen.more_quotes()
            assert (seen.lost, old in seen.venue.clients) == (None, True)
            seen.venue.faults.refused_requests = 0
            await seen.until(lambda: old not in seen.venue.clients)
            await seen.more_quotes()
        assert set(seen.dropped()) == {"renewal_failed"}
        assert seen.lost is None

    asyncio.run(main())


def test_frames_that_are_doubled_late_or_garbage_are_told_and_dropped() -> None:
    async def main() -> None:
        async with reading() as seen:
            await seen.more_quotes()
            for fault, reason in (
                ("doubled_frames", "duplicate"),
                ("late_frames", "out_of_order"),
                ("garbage_frames", "bad_json"),
            ):
                setattr(seen.venue.faults, fault, 1)
                await seen.until(lambda reason=reason: seen.dropped()[-1:] == [reason])  # type: ignore[misc]
            await seen.more_quotes()
            assert seen.dropped() == ["duplicate", "out_of_order", "bad_json"]

    asyncio.run(main())


def test_a_silent_stream_stays_connected_and_is_for_others_to_see() -> None:
    async def main() -> None:
        async with reading() as seen:
            await seen.more_quotes()
            seen.venue.faults.silent = True
            assert await seen.stream.change(["EURUSDT"])
            before = len(seen.events)
            assert await seen.stream.change(["BTCUSDT"])
            assert len(seen.events) == before
            seen.venue.faults.silent = False
            await seen.more_quotes()
        assert seen.lost is None

    asyncio.run(main())


def is_sound(depth: VenueDepth) -> bool:
    bids, asks = [price for price, _ in depth.bids], [price for price, _ in depth.asks]
    return bids == sorted(bids, reverse=True) and asks == sorted(asks) and (not bids or bids[0] < asks[0])


def test_an_order_book_is_followed() -> None:
    async def main() -> None:
        async with reading(depth=True) as seen:
            await seen.until(lambda: len(seen.depths()) > 30)
            book, last = seen.venue.books["BTCUSDT"], seen.depths()[-1]
            assert len(last.bids) == len(last.asks) == 20
            assert all(is_sound(depth) for depth in seen.depths())
            await seen.venue.play.close()
            real = book.snapshot(20)
            wanted = [
                tuple((int(price.replace(".", "")), int(size.replace(".", ""))) for price, size in real[side])
                for side in ("bids", "asks")
            ]
            await seen.until(lambda: [seen.depths()[-1].bids, seen.depths()[-1].asks] == wanted)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("fault", "reason"), [("lost_depth_frames", "depth_gap"), ("crossed_snapshots", "crossed_book")]
)
def test_an_order_book_that_breaks_is_taken_back_told_and_fetched_anew(fault: str, reason: str) -> None:
    async def main() -> None:
        async with reading(depth=True) as seen:
            if fault == "lost_depth_frames":
                await seen.until(lambda: len(seen.depths()) > 3)
            setattr(seen.venue.faults, fault, 1)
            await seen.until(lambda: reason in seen.dropped())
            at = len(seen.depths())
            await seen.until(lambda: len(seen.depths()) > at + 5)
            if fault == "lost_depth_frames":
                assert any(depth.bids == () == depth.asks for depth in seen.depths())
            assert seen.dropped() == [reason]
            assert all(is_sound(depth) for depth in seen.depths())

    asyncio.run(main())


def test_a_snapshot_that_is_refused_is_told_and_fetched_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "SNAPSHOT_RETRY_S", 0.05)

    async def main() -> None:
        async with reading(depth=True) as seen:
            seen.venue.faults.refused_snapshots = 1
            await seen.until(lambda: len(seen.depths()) > 3)
            (dropped,) = [one for one in seen.events if isinstance(one, VenueGarbage)]
            assert dropped == VenueGarbage("snapshot_failed", "BTCUSDT: HTTP 429: too many requests or connections")

    asyncio.run(main())


def test_order_books_survive_a_take_over_without_a_gap() -> None:
    async def main() -> None:
        async with reading(depth=True, renew_after_s=0.5) as seen:
            clients: set[object] = set()
            while len(clients) < 3:
                await seen.more_quotes()
                clients |= set(seen.venue.clients)
            at = len(seen.depths())
            await seen.until(lambda: len(seen.depths()) > at + 10)
        assert seen.dropped() == []
        assert all(depth.bids and depth.asks for depth in seen.depths())

    asyncio.run(main())


def test_what_a_tap_raises_ends_the_stream() -> None:
    async def main() -> None:
        venue = BinanceVenue(Market(speed=20), messages_limit_per_s=1000)
        seen: list[bytes] = []

        def tap(message: bytes) -> None:
            seen.append(message)
            if len(seen) > 20:
                raise OSError("no room")

        stream = BinanceStream(Terms(f"ws://127.0.0.1:{venue.listen('127.0.0.1', 0)}", PATIENCE), ["BTCUSDT"], tap)
        try:
            async with asyncio.timeout(WAIT_LIMIT_S), stream.open() as chunks:
                async for _ in chunks:
                    pass
        finally:
            await venue.close()

    with pytest.raises(OSError, match="no room"):
        asyncio.run(main())


def test_connections_are_counted_before_the_lp_counts_them() -> None:
    connections = Connections()
    for number in range(CONNECTIONS_LIMIT):
        connections.take(number / 10)
    with pytest.raises(ConnectionLost, match="too many connections in 300 s: wait 271 s") as lost:
        connections.take(CONNECTIONS_LIMIT / 10)
    assert lost.value.refused
    connections.take(CONNECTIONS_WINDOW_S)


def test_connections_of_all_streams_count_together() -> None:
    terms = Terms("ws://127.0.0.1:9", PATIENCE)
    assert replace(terms, renew_after_s=1.0).connections is terms.connections


def test_who_does_not_take_what_came_stops_the_reading_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with reading() as seen:
            seen.venue.play.begin = lambda: None  # type: ignore[method-assign]
            shown: list[int] = []
            market = asyncio.create_task(busy_market(seen.venue, shown))
            async with seen.stream.open() as chunks:
                monkeypatch.setattr(session_module, "EVENTS_LIMIT", 10)
                await asyncio.sleep(0.05)
                await anext(chunks)
                taken: list[int] = []
                async for events in chunks:
                    assert len(events) <= 10 + 1
                    taken += [event.bid_e8 for event in events if isinstance(event, VenueQuote)]
                    if len(taken) > 100:
                        break
                    await asyncio.sleep(0.05)
            market.cancel()
        first = shown.index(taken[0])
        assert taken == shown[first : first + len(taken)]

    asyncio.run(main())


def test_a_successor_that_must_be_held_back_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "HELD_LIMIT_MESSAGES", 3)
    monkeypatch.setattr(session_module, "RENEWAL_RETRY_S", 0.05)

    async def main() -> None:
        async with reading(renew_after_s=0.1) as seen:
            seen.venue.play.begin = lambda: None  # type: ignore[method-assign]
            market = asyncio.create_task(busy_market(seen.venue, []))
            await seen.until(lambda: len(seen.dropped()) > 1)
            market.cancel()
            failed = next(one for one in seen.events if isinstance(one, VenueGarbage))
            assert failed == VenueGarbage("renewal_failed", "3 messages are held back: the old connection is too slow")
            assert seen.lost is None

    asyncio.run(main())


def test_more_than_can_be_kept_before_the_subscriptions_are_verified_is_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "EVENTS_LIMIT", 3)
    monkeypatch.setattr(link_module, "REQUESTS_PER_SECOND", 1)
    monkeypatch.setattr(link_module, "REQUESTS_BURST", 1)

    async def main() -> None:
        async with reading() as seen:
            market = asyncio.create_task(busy_market(seen.venue, []))
            await seen.until(lambda: seen.lost is not None)
            market.cancel()
            assert str(seen.lost) == "more than 3 events before the subscriptions were verified"

    asyncio.run(main())
