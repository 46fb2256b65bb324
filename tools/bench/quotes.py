"""`quotes`: from a feed over the aggregator to a subscriber, three processes over ipc."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tools.bench import market, quotes_chain, quotes_peer
from tools.bench.child import Child
from tools.bench.quotes_chain import Heard, Sent
from tools.bench.quotes_peer import Moved
from tools.bench.result import Measurement, Result, Run, Say, Spoiled, in_turns

NAME = "quotes"
QUOTES = 400_000
ROUNDS = 3
PEER_PASSES = 20
"""The peer moves the recording so many times over: once is too quick to time."""
TIMEOUT_S = 60


def measure(
    folder: Path,
    say: Say,
    *,
    quotes: int = QUOTES,
    rounds: int = ROUNDS,
    aggregator: Callable[[Path, Path], Any] = quotes_chain.aggregator,
) -> Result:
    """`aggregator` runs the process in the middle."""
    recording_file = folder / "recording"
    runs = in_turns(
        NAME,
        rounds,
        lambda: _ours(folder, recording_file, quotes, aggregator),
        lambda: _peer(folder, recording_file, quotes),
        say,
    )
    return runs.result(NAME, "quotes/s", "bare pyzmq: the same frames over the same hops", {"quotes": quotes})


def check(heard: Heard, quotes: int) -> None:
    """Raises Spoiled unless each quote came out as a tick, in sequence, up to the last price of every symbol."""
    if heard.ticks != quotes or heard.gaps:
        raise Spoiled(f"of {quotes} quotes {heard.ticks} came out as ticks, with {heard.gaps} breaks in the sequence")
    for place, instrument in enumerate(market.instruments().values()):
        bid_e8, _ = market.prices_e8(instrument, quotes_chain.last_turn(place, quotes))
        if heard.bids_e8[instrument.symbol] != bid_e8:
            raise Spoiled(f"the last tick of {instrument.symbol} is not its last quote")


def _ours(folder: Path, recording_file: Path, quotes: int, aggregator: Callable[[Path, Path], Any]) -> Run:
    with tempfile.TemporaryDirectory(dir=folder) as sockets_below, ExitStack() as running:
        at = Path(sockets_below)
        middle = running.enter_context(Child(aggregator, at, recording_file))
        subscriber = running.enter_context(Child(quotes_chain.subscriber, at, quotes))
        feed = running.enter_context(Child(quotes_chain.feed, at, quotes))
        heard = subscriber.report(Heard, TIMEOUT_S)
        check(heard, quotes)
        sent = feed.report(Sent, TIMEOUT_S)
        middle.ask_to_stop()
        middle.report(object, TIMEOUT_S)
    extra = {"symbols": len(market.instruments()), "quotes_per_chunk": quotes_chain.CHUNK_QUOTES}
    return Run(quotes, (heard.end_ns - sent.start_ns) / 1e9, extra)


def _peer(folder: Path, recording_file: Path, quotes: int) -> Run:
    with tempfile.TemporaryDirectory(dir=folder) as sockets_below, ExitStack() as running:
        at = Path(sockets_below)
        relay, sink, source = (
            running.enter_context(Child(work, at, recording_file, PEER_PASSES))
            for work in (quotes_peer.relay, quotes_peer.sink, quotes_peer.source)
        )
        received = sink.report(Moved, TIMEOUT_S)
        sent = source.report(Moved, TIMEOUT_S)
        relayed = relay.report(Moved, TIMEOUT_S)
    if relayed.size_bytes != sent.size_bytes:
        raise Spoiled(f"the peer lost {sent.size_bytes - relayed.size_bytes} of {sent.size_bytes} bytes")
    extra = {"peer_frames_in": sent.frames // PEER_PASSES, "peer_frames_out": received.frames // PEER_PASSES}
    return Run(quotes * PEER_PASSES, (received.end_ns - sent.start_ns) / 1e9, extra)


MEASUREMENT = Measurement(
    "Quotes of a feed through the aggregator to a subscriber: three processes over ipc, the real feed and aggregator. "
    f"A made-up LP sends {QUOTES:,} quotes of {len(market.instruments())} symbols in chunks of "
    f"{quotes_chain.CHUNK_QUOTES}, each at another price, so that each makes a tick; the subscriber decodes them all. "
    f"The LP is at most {quotes_chain.LEAD_QUOTES:,} quotes ahead of what the subscriber says it has. Checked: nothing "
    "lost, no break in a sequence, the last price of each symbol. The peer moves the frames of that run "
    "in the same batches, through three bare pyzmq processes (PUB, SUB and XPUB, SUB) that look into none of them.",
    measure,
)
