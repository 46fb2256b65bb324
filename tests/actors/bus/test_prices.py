"""The price stream, as it is taken in."""

import msgspec

from actors.bus import codec, topics
from actors.bus.prices import Prices
from actors.bus.streams import FeedStatus, StreamAlive, StreamStatus
from actors.domain.instrument import InstrumentState
from actors.domain.quote import Tick
from tests.web.broker import INSTRUMENTS


class Taken:
    def __init__(self) -> None:
        self.now_ns = 10_000_000_000
        self.batches: list[list[tuple[str, int, bool]]] = []
        self.prices = Prices(lambda: self.now_ns, self._on_ticks)
        self.prices.define(*INSTRUMENTS.values())

    def _on_ticks(self, ticks: list[Tick]) -> None:
        self.batches.append([(tick.symbol, tick.seq, tick.live) for tick in ticks])

    def receive(self, *frames: bytes) -> None:
        self.prices.receive([[frame] for frame in frames])


def ticks(symbol: str, *seqs: int, live: bool = True) -> bytes:
    return codec.encode([Tick(symbol, seq, 0, 1, 2, "a", "b", live) for seq in seqs], topics.tick(symbol))


def alive(**last_seq: int) -> bytes:
    return codec.encode(StreamAlive(0, last_seq), topics.ALIVE)


def test_ticks_that_are_late_or_doubled_or_of_no_symbol_of_ours_are_no_news() -> None:
    taken = Taken()
    taken.receive(ticks("EURUSD", 5, 6), ticks("USDJPY", 1), ticks("EURUSD", 6, 4), ticks("EURXXX", 1))
    assert taken.batches == [[("EURUSD", 5, True), ("EURUSD", 6, True), ("USDJPY", 1, True)]]
    assert taken.prices.unknown_symbols == 1
    taken.receive(ticks("EURUSD", 6))
    taken.receive(ticks("EURUSD", 6, live=False))
    assert taken.batches[1:] == [[("EURUSD", 6, False)]]
    assert sorted(taken.prices.ticks) == ["EURUSD", "USDJPY"]


def test_the_stream_is_alive_for_three_seconds_after_its_heartbeat() -> None:
    taken = Taken()
    assert not taken.prices.is_alive(taken.now_ns)
    taken.receive(alive())
    assert taken.prices.is_alive(taken.now_ns + 3_000_000_000)
    assert not taken.prices.is_alive(taken.now_ns + 3_000_000_001)


def test_a_heartbeat_tells_what_is_behind() -> None:
    taken = Taken()
    taken.receive(ticks("EURUSD", 5), alive(EURUSD=5, EURXXX=9))
    assert taken.prices.behind == {}
    taken.receive(alive(EURUSD=8, USDJPY=3, EURXXX=9))
    assert taken.prices.behind == {"EURUSD": 5, "USDJPY": 2}


def test_a_silent_stream_takes_the_prices_for_dead_and_its_return_asks_what_they_are() -> None:
    taken = Taken()
    taken.receive(ticks("EURUSD", 5), ticks("USDJPY", 7, live=False), alive(EURUSD=5, USDJPY=7))
    taken.prices.hush(taken.now_ns + 3_000_000_000)
    assert len(taken.batches) == 1
    taken.prices.hush(taken.now_ns + 3_000_000_001)
    taken.prices.hush(taken.now_ns + 3_000_000_002)
    assert taken.batches[1:] == [[("EURUSD", 5, False)]]
    taken.receive(alive(EURUSD=5, USDJPY=7))
    assert taken.prices.behind == {"EURUSD": 4}
    taken.receive(ticks("EURUSD", 5))
    assert taken.batches[2:] == [[("EURUSD", 5, True)]]


def test_what_comes_back_takes_no_conversion_from_what_has_stayed() -> None:
    """As the engine has it."""
    first, prices = INSTRUMENTS["EURUSD"], Taken().prices
    prices.define(msgspec.structs.replace(first, symbol="EURUSD.m"))
    for state in (InstrumentState.RETIRED, InstrumentState.OPEN):
        prices.define(msgspec.structs.replace(first, state=state))
        assert prices.crosses["EUR", "USD"] == ("EURUSD.m", False)


def test_garbage_is_counted() -> None:
    taken = Taken()
    status = [FeedStatus("oanda", True, "", 0, 1, {})]
    taken.receive(
        b"",
        b"no topic",
        b"tick:EURUSD\0",
        b"tick:EURUSD\0\x01\x01",
        b"alive\0\x01\x01",
        b"status\0\x01\x01",
        codec.encode(StreamStatus(0, status), topics.STATUS),
    )
    assert (taken.prices.bad_frames, taken.batches, taken.prices.feeds) == (6, [], status)
