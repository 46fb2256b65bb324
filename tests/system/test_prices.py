"""Feeds and aggregator as real processes, on simulated LPs."""

import time
from contextlib import ExitStack
from pathlib import Path

import msgspec
import zmq

from actors.bus import codec, endpoints, sockets, topics
from actors.bus.requests import AggregatorRequest
from actors.bus.streams import StreamDepth
from actors.domain.money import parse_e8 as e8
from actors.domain.prices.lp_registry import ChangeLp
from actors.domain.quote import Tick
from config import catalogue
from tests.system.running import PATIENCE_S, Broker, eventually

decode = codec.decoder(list[Tick])
decode_depth = codec.decoder(StreamDepth)


LEVELS = 10


def live_tick(folder: Path, symbol: str, after_seq: int = 0) -> Tick:
    """The first one with a higher number that may be dealt on."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    ticks = context.socket(zmq.SUB)
    ticks.connect(endpoints.local(folder).ticks)
    ticks.subscribe(topics.tick(symbol))
    deadline = time.monotonic() + PATIENCE_S
    try:
        while time.monotonic() < deadline:
            if ticks.poll(200):
                _, body = codec.topic_and_body(ticks.recv())
                told: list[Tick] = decode(body)
                for tick in told:
                    if tick.live and tick.seq > after_seq:
                        return tick
        raise AssertionError(f"no live tick of {symbol} within {PATIENCE_S:g} s")
    finally:
        context.destroy(linger=0)


def test_a_quiet_symbol_has_its_price_again_after_the_aggregator_was_killed(private_folder: Path) -> None:
    """GBPUSD is quoted once and never again; EURUSD shows that the feed lives."""
    folder = private_folder / "prices"
    folder.mkdir()
    rows = ["time,symbol,bid,ask", "2020-01-01T22:00:00Z,GBPUSD,1.30000,1.30020"]
    rows += [
        f"2020-01-01T22:{number // 60:02}:{number % 60:02}.5Z,EURUSD,1.1{number:04},1.2"
        for number in range(round(PATIENCE_S) * 10)
    ]
    (folder / "ticks.csv").write_text("\n".join(rows) + "\n")
    broker = Broker(folder / "var", HEDGEROW_TICKS=str(folder / "ticks.csv"))
    with ExitStack() as running:
        running.push(broker)
        for name in ("venues", "aggregator", "feeds"):
            broker.start(name)
        first = live_tick(broker.run_dir, "GBPUSD")
        live_tick(broker.run_dir, "EURUSD")
        broker.kill("aggregator")
        broker.start("aggregator")
        again = live_tick(broker.run_dir, "GBPUSD", first.seq)
    assert (again.bid_e8, again.ask_e8) == (first.bid_e8, first.ask_e8) == (e8("1.3"), e8("1.3002"))


def test_the_order_book_of_an_lp_that_sends_it_is_in_the_depth(private_folder: Path) -> None:
    """From the moment when its `depth` is switched on, while everything runs."""
    folder = private_folder / "depth"
    broker = Broker(folder / "var")
    with ExitStack() as running:
        running.push(broker)
        for name in ("venues", "aggregator", "feeds"):
            broker.start(name)
        live_tick(broker.run_dir, "BTCUSD")
        context = running.enter_context(zmq.Context())
        at = endpoints.local(broker.run_dir)
        depths = sockets.subscriber(context, at.ticks, topics.depth("BTCUSD"))
        asking = sockets.dealer(context, at.aggregator)
        lp = catalogue.lps()["BINANCE"]
        change = ChangeLp(by="test", lp=msgspec.structs.replace(lp, settings={**lp.settings, "depth": True}))
        asking.send(codec.encode(AggregatorRequest(1, change)))

        def levels() -> list[int]:
            assert depths.poll(round(PATIENCE_S * 1_000))
            told: StreamDepth = decode_depth(codec.topic_and_body(depths.recv())[1])
            bids = [level.price_e8 for level in told.depth.bids if level.lp == "BINANCE"]
            return bids if len(bids) >= LEVELS else []

        found = eventually(levels)
        assert found == sorted(set(found), reverse=True)
