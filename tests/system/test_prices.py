"""Feeds and aggregator as real processes, of which one is killed."""

import time
from contextlib import ExitStack
from pathlib import Path

import zmq

from actors.bus import codec, endpoints, topics
from actors.domain.money import parse_e8 as e8
from actors.domain.quote import Tick
from tests.system.running import PATIENCE_S, Broker

decode = codec.decoder(list[Tick])


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
