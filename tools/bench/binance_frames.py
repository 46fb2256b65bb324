"""Frames of Binance's bookTicker streams: recorded ones, where there are any, or made ones; as many as are wanted."""

import os
import re
from itertools import islice
from pathlib import Path
from random import Random

import msgspec

from tools.venues.binance import SYMBOLS
from tools.venues.binance.book import LadderBook
from tools.venues.binance.server import BOOK_TICKER
from tools.venues.market import Market

MADE_FRAMES = 1_000
ROUND_IDS = 10**9
"""Update ids rise by so much from one repetition to the next: more than in the whole recording."""

_NUMBERS = re.compile(r'"([bBaA])":"(\d+)\.(\d{8})"')
_UPDATE_ID = re.compile(r'"u":(\d+)')


def recordings() -> list[Path]:
    """Files of `time: frame` lines, the first line the address; TEST_SHARED names the parent of their folder."""
    parent = Path(os.environ.get("TEST_SHARED", Path(__file__).parents[3] / "shared"))
    return sorted((parent / "data" / "binance").glob("*.txt"))


def recorded(paths: list[Path]) -> list[str]:
    lines = (line for path in paths for line in path.read_text(encoding="utf-8").splitlines()[1:])
    return [frame for line in lines if f'{BOOK_TICKER}"' in (frame := line.partition(": ")[2])]


def made() -> list[str]:
    """Those of the simulated venue, on the made-up market."""
    chance = Random(1)
    books = {symbol: LadderBook(name, chance) for symbol, name in SYMBOLS.items()}
    frames = []
    for tick in islice(Market().modelled(SYMBOLS.keys(), second=True), MADE_FRAMES):
        book = books[tick.symbol]
        frame = {"stream": book.symbol.lower() + BOOK_TICKER, "data": book.show(tick.bid, tick.ask)}
        frames.append(msgspec.json.encode(frame).decode())
    return frames


def repeated(frames: list[str], count: int) -> list[bytes]:
    """The same again and again with higher update ids; their numbers are those of the first time."""
    rounds = -(-count // len(frames))
    return [_later(frame, number).encode() for number in range(rounds) for frame in frames][:count]


def renewed(frames: list[str], count: int) -> list[bytes]:
    """As `repeated`, but all four numbers of each frame change with each repetition."""
    rounds = -(-count // len(frames))
    return [_changed(_later(frame, number), number).encode() for number in range(rounds) for frame in frames][:count]


def _later(frame: str, number: int) -> str:
    return _UPDATE_ID.sub(lambda found: f'"u":{int(found[1]) + number * ROUND_IDS}', frame)


def _changed(frame: str, number: int) -> str:
    def change(found: re.Match[str]) -> str:
        return f'"{found[1]}":"{int(found[2]) + number}.{(int(found[3]) + number * 7919) % 10**8:08}"'

    return _NUMBERS.sub(change, frame)
