"""Prices to many clients: conflation, and who gets what."""

import json
import struct
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from actors.bus.prices import Prices
from actors.domain.quote import Tick
from tests.web.broker import INSTRUMENTS
from web.live.fanout import EVERY_CHANGE, Fanout, turns_for
from web.live.frame import text_frame
from web.payloads.render import Renderer


class Ear:
    """A client: keeps what it is sent, taken apart again."""

    def __init__(self) -> None:
        self.writes = 0
        self.heard: list[tuple[str, int]] = []

    def send(self, frames: bytes) -> None:
        self.writes += 1
        self.heard += [(quote["symbol"], quote["seq"]) for message in unframed(frames) for quote in message["quotes"]]

    def news(self) -> list[tuple[str, int]]:
        heard, self.heard = self.heard, []
        return heard


def unframed(frames: bytes) -> list[dict[str, Any]]:
    messages = []
    while frames:
        assert frames[0] == 0x81
        size, start = frames[1], 2
        if size == 126:
            (size,), start = struct.unpack("!H", frames[2:4]), 4
        elif size == 127:
            (size,), start = struct.unpack("!Q", frames[2:10]), 10
        messages.append(json.loads(frames[start : start + size]))
        frames = frames[start + size :]
    return messages


class Market:
    def __init__(self) -> None:
        self.prices = Prices(lambda: 0, self._on_ticks)
        self.prices.define(*INSTRUMENTS.values())
        render = Renderer(self.prices.instruments)
        self.rendered: list[tuple[int, str]] = []
        self.fanout: Fanout[str, Tick, str] = Fanout("quotes", self.prices.ticks, self._render)
        self._quote = render.quote

    def _render(self, tick: Tick, view: str) -> bytes:
        self.rendered.append((tick.seq, view))
        return msgspec.json.encode(self._quote(tick))

    def _on_ticks(self, ticks: list[Tick]) -> None:
        self.fanout.observe([(tick.symbol, tick) for tick in ticks])

    def tick(self, *ticks: tuple[str, int]) -> None:
        batch = [Tick(symbol, seq, seq, 100_000_000 + seq, 100_010_000 + seq, "a", "b", True) for symbol, seq in ticks]
        self.prices.ticks |= {tick.symbol: tick for tick in batch}
        self._on_ticks(batch)


def test_frames_of_every_size_come_apart_again() -> None:
    texts: list[Any] = ["x" * size for size in (0, 100, 123, 124, 65_000, 65_533, 65_534, 70_000)]
    assert unframed(b"".join(text_frame(text) for text in texts)) == texts


def test_a_snapshot_first_then_only_the_last_tick_of_each_turn() -> None:
    market, ear = Market(), Ear()
    market.tick(("EURUSD", 1))
    market.fanout.subscribe(ear, ["EURUSD", "USDJPY"], "", 1)
    assert ear.news() == [("EURUSD", 1)]
    market.fanout.turn()
    assert ear.news() == []
    for seq in range(2, 50):
        market.tick(("EURUSD", seq))
    market.tick(("USDJPY", 7))
    assert ear.news() == []
    market.fanout.turn()
    assert ear.news() == [("EURUSD", 49), ("USDJPY", 7)]
    market.fanout.turn()
    assert ear.news() == []


def test_slower_rates_wait_for_their_turn_and_get_the_last_value() -> None:
    assert [turns_for(rate) for rate in (1, 2, 3, 4, 5, 6, 9, 10)] == [10, 5, 4, 3, 2, 2, 2, 1]
    market, ear = Market(), Ear()
    market.fanout.subscribe(ear, ["EURUSD"], "", turns_for(2))
    heard = []
    for turn in range(1, 21):
        market.tick(("EURUSD", turn))
        market.fanout.turn()
        heard += [(turn, seq) for _, seq in ear.news()]
    assert heard == [(5, 5), (10, 10), (15, 15), (20, 20)]


def test_who_wants_every_tick_gets_every_tick_at_once() -> None:
    market, ear = Market(), Ear()
    market.fanout.subscribe(ear, ["EURUSD"], "", EVERY_CHANGE)
    market.tick(("EURUSD", 1), ("USDJPY", 1), ("EURUSD", 2))
    market.tick(("EURUSD", 3))
    assert ear.news() == [("EURUSD", 1), ("EURUSD", 2), ("EURUSD", 3)]
    market.fanout.turn()
    assert ear.news() == []


def test_clients_that_follow_the_same_share_one_frame_and_one_write() -> None:
    market = Market()
    ears = [Ear() for _ in range(3)]
    for ear in ears:
        market.fanout.subscribe(ear, ["USDJPY", "EURUSD"], "", 1)
    market.fanout.turn()
    market.tick(("EURUSD", 1), ("USDJPY", 2))
    market.fanout.turn()
    assert [(ear.writes, ear.news()) for ear in ears] == [(1, [("EURUSD", 1), ("USDJPY", 2)])] * 3
    assert market.rendered == [(1, ""), (2, "")]


def test_a_late_joiner_gets_what_came_after_its_snapshot_and_nothing_twice() -> None:
    market, early, late = Market(), Ear(), Ear()
    market.fanout.subscribe(early, ["EURUSD", "USDJPY"], "", 1)
    market.tick(("EURUSD", 1))
    market.fanout.subscribe(late, ["EURUSD", "USDJPY"], "", 1)
    market.tick(("USDJPY", 1))
    assert late.news() == [("EURUSD", 1)]
    market.fanout.turn()
    assert (early.news(), late.news()) == ([("EURUSD", 1), ("USDJPY", 1)], [("USDJPY", 1)])


def test_a_change_of_subscription_loses_nothing() -> None:
    market, ear = Market(), Ear()
    market.fanout.subscribe(ear, ["EURUSD"], "", 1)
    market.tick(("EURUSD", 1))
    market.fanout.subscribe(ear, ["USDJPY"], "", EVERY_CHANGE)
    assert ear.news() == [("EURUSD", 1)]
    market.tick(("EURUSD", 2), ("USDJPY", 2))
    assert ear.news() == [("USDJPY", 2)]
    market.fanout.unsubscribe(ear, ["USDJPY"])
    market.tick(("EURUSD", 3), ("USDJPY", 3))
    market.fanout.turn()
    assert ear.news() == [("EURUSD", 2), ("EURUSD", 3)]


def test_views_are_apart_and_a_refresh_tells_all_of_them_anew() -> None:
    market, plain, marked = Market(), Ear(), Ear()
    market.tick(("EURUSD", 1))
    market.fanout.subscribe(plain, ["EURUSD"], "", 1)
    market.fanout.subscribe(marked, ["EURUSD"], "gold", 1)
    market.fanout.turn()
    assert (plain.news(), marked.news(), market.rendered) == ([("EURUSD", 1)], [("EURUSD", 1)], [(1, ""), (1, "gold")])
    market.fanout.refresh()
    market.fanout.turn()
    assert (plain.news(), marked.news(), market.rendered[2:]) == (
        [("EURUSD", 1)],
        [("EURUSD", 1)],
        [(1, ""), (1, "gold")],
    )


def test_who_leaves_hears_nothing_and_leaves_nothing_behind() -> None:
    market, ear = Market(), Ear()
    market.fanout.subscribe(ear, ["EURUSD"], "", 1)
    market.fanout.subscribe(ear, ["USDJPY"], "", 5)
    market.tick(("EURUSD", 1))
    market.fanout.leave(ear)
    market.fanout.leave(ear)
    market.fanout.turn()
    assert (ear.news(), market.fanout.clients, market.fanout._paced) == ([], 0, {})


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("tick"), st.sampled_from(["EURUSD", "USDJPY"])),
            st.tuples(st.just("turn"), st.just("")),
            st.tuples(st.sampled_from(["1", "5", "0"]), st.sampled_from(["EURUSD", "USDJPY"])),
            st.tuples(st.just("drop"), st.sampled_from(["EURUSD", "USDJPY"])),
        ),
        max_size=60,
    )
)
def test_whatever_happens_numbers_rise_and_the_last_value_arrives(steps: list[tuple[str, str]]) -> None:
    market, ear, other = Market(), Ear(), Ear()
    market.fanout.subscribe(other, ["EURUSD", "USDJPY"], "", 1)
    wanted: set[str] = set()
    seqs = {"EURUSD": 0, "USDJPY": 0}
    for step, symbol in steps:
        if step == "tick":
            seqs[symbol] += 1
            market.tick((symbol, seqs[symbol]))
        elif step == "turn":
            market.fanout.turn()
        elif step == "drop":
            market.fanout.unsubscribe(ear, [symbol])
            wanted.discard(symbol)
            ear.heard = [heard for heard in ear.heard if heard[0] != symbol]
        else:
            market.fanout.subscribe(ear, [symbol], "", int(step))
            wanted.add(symbol)
    for _ in range(10):
        market.fanout.turn()
    for symbol, last in seqs.items():
        for listener, follows in ((ear, symbol in wanted), (other, True)):
            heard = [seq for name, seq in listener.heard if name == symbol]
            assert heard == sorted(heard)
            if follows and last:
                assert heard[-1] == last
            if not follows:
                assert heard == []
