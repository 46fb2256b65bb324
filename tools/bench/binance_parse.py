"""`binance_parse`: Binance's bookTicker frames to integer quotes, beside another library's parser."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from actors.domain.money import parse_e8
from gateway.venues.binance.prices import BinancePrices
from gateway.venues.events import VenueQuote
from tools.bench import binance_frames
from tools.bench.binance_peer import Cryptofeed, NotInstalled
from tools.bench.result import Measurement, Result, Run, Say, Spoiled, in_turns

NAME = "binance_parse"
FRAMES = 200_000
ROUNDS = 5


class _BookTicker(msgspec.Struct, gc=False):
    u: int
    s: str
    b: str
    B: str
    a: str
    A: str


class _Frame(msgspec.Struct, gc=False):
    data: _BookTicker


def ours(frames: list[bytes]) -> Run:
    receive = BinancePrices().receive_message
    start = time.perf_counter()
    for frame in frames:
        receive(frame)
    return Run(len(frames), time.perf_counter() - start, {})


def bare(frames: list[bytes]) -> Run:
    """Decode into a struct, take the point out of each number, make a quote: no check of anything."""
    decode = msgspec.json.Decoder(_Frame).decode
    start = time.perf_counter()
    for frame in frames:
        book = decode(frame).data
        VenueQuote(book.s, _bare_e8(book.b), _bare_e8(book.a), _bare_e8(book.B), _bare_e8(book.A), 0)
    return Run(len(frames), time.perf_counter() - start, {})


def _bare_e8(text: str) -> int:
    return int(text.replace(".", ""))


def check(frames: list[bytes]) -> None:
    """Raises Spoiled unless each frame gives its own quote, exactly."""
    parser = BinancePrices()
    for frame in frames:
        book = msgspec.json.decode(frame)["data"]
        bid, ask, bid_size, ask_size = (parse_e8(book[name]) for name in "baBA")
        if parser.receive_message(frame) != [VenueQuote(book["s"], bid, ask, bid_size, ask_size, 0)]:
            raise Spoiled(f"not the quote of the frame: {frame.decode()}")


def measure(folder: Path, say: Say, *, frames: int = FRAMES, rounds: int = ROUNDS) -> Result:
    """Nothing is written to `folder`."""
    recordings = binance_frames.recordings()
    some = binance_frames.recorded(recordings) if recordings else binance_frames.made()
    same, new = binance_frames.repeated(some, frames), binance_frames.renewed(some, frames)
    check(same)
    check(new)
    peer, run_peer = _peer(same)
    kept: dict[str, list[float]] = {"bare_per_s": [], "new_numbers_per_s": [], "bare_new_numbers_per_s": []}

    def run_ours() -> Run:
        kept["bare_per_s"].append(bare(same).per_second)
        kept["bare_new_numbers_per_s"].append(bare(new).per_second)
        kept["new_numbers_per_s"].append(ours(new).per_second)
        return ours(same)

    runs = in_turns(NAME, rounds, run_ours, run_peer, say)
    figures = {name: round(max(speeds)) for name, speeds in kept.items()}
    shape = {"frames": frames, "different_frames": len(some), "recorded": bool(recordings)}
    return runs.result(NAME, "frames/s", peer, {**shape, **figures})


def _peer(frames: list[bytes]) -> tuple[str, Callable[[], Run]]:
    try:
        cryptofeed = Cryptofeed(frames)
    except NotInstalled:
        return "a bare msgspec decode (cryptofeed is not installed)", lambda: bare(frames)
    return f"cryptofeed {cryptofeed.version}", lambda: asyncio.run(cryptofeed.run())


MEASUREMENT = Measurement(
    f"{FRAMES:,} recorded frames of Binance's bookTicker streams (made ones without a recording), repeated with higher "
    "update ids, through the adapter's parser: bytes to quotes in integers, with every check that the adapter makes. "
    "The peer parses the same frames with cryptofeed from PyPI, up to the call of a callback, where that is installed "
    "(the extra `bench`; its version 3 needs Python 3.13). `bare_per_s` is a msgspec decode and the making of the "
    "quote without a check. A repeated frame finds its numbers remembered, a market's only in part, so "
    "`new_numbers_per_s` is with numbers that have not been seen before, all four in each frame. Checked: each frame "
    "gives its quote, exactly.",
    measure,
)
