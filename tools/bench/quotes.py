"""`quotes`: from five feeds over the aggregator to a subscriber, each a process, over ipc."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tools.bench import market, quotes_chain, quotes_peer
from tools.bench.child import Child
from tools.bench.quotes_chain import VENUES, Heard, Sent, Stood
from tools.bench.quotes_peer import Moved
from tools.bench.result import Measurement, Result, Run, Say, Spoiled, in_turns

NAME = "quotes"
QUOTES = 500_000
ROUNDS = 3
TIMEOUT_S = 60


def measure(
    folder: Path,
    say: Say,
    *,
    quotes: int = QUOTES,
    rounds: int = ROUNDS,
    aggregator: Callable[[Path], Any] = quotes_chain.aggregator,
) -> Result:
    """`quotes`: of all LPs together. `aggregator` runs the process in the middle."""
    runs = in_turns(
        NAME, rounds, lambda: _ours(folder, quotes // len(VENUES), aggregator), lambda: _peer(folder, quotes), say
    )
    return runs.result(NAME, "quotes/s", "bare pyzmq: each quote a message over the same hops", {"quotes": quotes})


def check(heard: Heard, stood: Stood, quotes: int) -> None:
    """Raises Spoiled unless no quote was dropped, no tick lost, and the last price of each symbol is the right one."""
    if heard.gaps or stood.dropped:
        raise Spoiled(f"{stood.dropped} quotes were dropped, and there are {heard.gaps} breaks in a sequence of ticks")
    for number, symbol in enumerate(market.thirty()):
        turn = 1 + (quotes - 1 - number) // len(market.thirty())
        prices = [quotes_chain.prices_e8(place, symbol, turn) for place in range(len(VENUES))]
        if heard.tops_e8[symbol] != (max(bid for bid, _ in prices), min(ask for _, ask in prices)):
            raise Spoiled(f"the last tick of {symbol} is not the best of the last quotes")


def _ours(folder: Path, quotes: int, aggregator: Callable[[Path], Any]) -> Run:
    """`quotes`: of each LP."""
    with tempfile.TemporaryDirectory(dir=folder) as sockets_below, ExitStack() as running:
        at = Path(sockets_below)
        middle = running.enter_context(Child(aggregator, at))
        running.enter_context(Child(quotes_chain.stalled, at))
        subscriber = running.enter_context(Child(quotes_chain.subscriber, at, quotes))
        feeds = [running.enter_context(Child(quotes_chain.feed, at, place, quotes)) for place in range(len(VENUES))]
        heard = subscriber.report(Heard, TIMEOUT_S)
        middle.ask_to_stop()
        stood = middle.report(Stood, TIMEOUT_S)
        check(heard, stood, quotes)
        start_ns = min(feed.report(Sent, TIMEOUT_S).start_ns for feed in feeds)
    extra = {
        "lps": len(VENUES),
        "symbols": len(market.thirty()),
        "quotes_per_chunk": quotes_chain.CHUNK_QUOTES,
        "ticks": heard.ticks,
        "aggregator_peak_rss_mib": stood.peak_rss_bytes >> 20,
        "aggregator_cpu_ns_per_quote": stood.cpu_ns // (quotes * len(VENUES)),
    }
    return Run(quotes * len(VENUES), (heard.end_ns - start_ns) / 1e9, extra)


def _peer(folder: Path, quotes: int) -> Run:
    with tempfile.TemporaryDirectory(dir=folder) as sockets_below, ExitStack() as running:
        at = Path(sockets_below)
        relay, sink, source = (
            running.enter_context(Child(work, at, quotes))
            for work in (quotes_peer.relay, quotes_peer.sink, quotes_peer.source)
        )
        received = sink.report(Moved, TIMEOUT_S)
        sent = source.report(Moved, TIMEOUT_S)
        relay.report(Moved, TIMEOUT_S)
    return Run(quotes, (received.end_ns - sent.start_ns) / 1e9, {})


MEASUREMENT = Measurement(
    f"Quotes of {len(VENUES)} feeds in {len(market.thirty())} symbols through the aggregator to a subscriber: "
    f"{len(VENUES) + 2} processes over ipc, the real feeds and aggregator, all filters on. The made-up LPs send "
    f"{QUOTES:,} quotes in chunks of {quotes_chain.CHUNK_QUOTES}, each at another price; the subscriber decodes every "
    "tick. One more subscriber never reads: `aggregator_peak_rss_mib` is what the aggregator held at most. Each LP is "
    f"at most {quotes_chain.LEAD_QUOTES:,} quotes ahead of what the aggregator has taken. Checked: no quote dropped, "
    "no break in a sequence, the last price of each symbol is the best of the last quotes. The peer moves as many "
    "quotes, each in a message of its own, through three bare pyzmq processes (PUB, SUB and XPUB, SUB) that look into "
    "none of them.",
    measure,
)
