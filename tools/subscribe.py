"""Prints the public quote stream: `python -m tools.subscribe [SYMBOL…]` (all symbols without one).

The example for ZeroMQ subscribers: one SUB socket, one topic per symbol, one frame per message (PROTOCOL.md).
"""

import sys
from datetime import UTC, datetime

import zmq

from actors.bus import codec, endpoints, topics
from actors.domain.money import format_e8
from actors.domain.quote import Tick
from config import settings as config

decode_ticks = codec.decoder(list[Tick])


def main(symbols: list[str]) -> None:
    address = endpoints.local(config.load().run_dir).ticks
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
    for topic in [topics.tick(symbol.upper()) for symbol in symbols] or [topics.TICK_PREFIX]:
        socket.subscribe(topic)
    socket.connect(address)
    while True:
        _, body = codec.topic_and_body(socket.recv())
        for tick in decode_ticks(body):
            print(line(tick), flush=True)


def line(tick: Tick) -> str:
    """One tick as text: time, symbol, bid and ask with their LPs, sequence number, and whether it is live."""
    time = datetime.fromtimestamp(tick.time_ns // 1_000_000_000, UTC).strftime("%H:%M:%S")
    millisecond = tick.time_ns // 1_000_000 % 1_000
    return (
        f"{time}.{millisecond:03} {tick.symbol:<8} {format_e8(tick.bid_e8, 5):>12} {tick.lp_bid:<8}"
        f" {format_e8(tick.ask_e8, 5):>12} {tick.lp_ask:<8} {tick.seq}{'' if tick.live else ' not live'}"
    )


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(0)
