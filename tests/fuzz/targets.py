"""The parsers of what strangers send. Each takes any bytes, cut anywhere, and raises nothing."""

import itertools
from collections.abc import Callable

from gateway.fix.codec import Framer
from gateway.fix.dictionary import fix44
from gateway.fix.validation import Level, check
from gateway.venues.binance.prices import BinancePrices
from gateway.venues.binance.subscriptions import notice
from gateway.venues.oanda.pricing import OandaPriceStream
from tests.gateway.fix.peers import Desk, logon

PIECES_LIMIT = 4


def _pieces(data: bytes) -> list[bytes]:
    """The first bytes say where the rest is cut."""
    cuts, rest = sorted(data[:PIECES_LIMIT]), data[PIECES_LIMIT:]
    bounds = [0, *(cut * len(rest) // 256 for cut in cuts), len(rest)]
    return [rest[begin:end] for begin, end in itertools.pairwise(bounds)]


def fix_framing(data: bytes) -> None:
    """However a stream is cut, the messages are the same; validation has one opinion of each."""
    framer = Framer()
    cut = [message for piece in _pieces(data) for message in framer.receive_data(piece)]
    whole = Framer().receive_data(data[PIECES_LIMIT:])
    assert [message.fields for message in cut] == [message.fields for message in whole]
    for message in whole:
        for level in Level:
            check(message, fix44(), level)


def fix_session(data: bytes) -> None:
    """Without a Logon, and after one."""
    for begin in (b"", logon()):
        desk = Desk()
        desk.open()
        desk.hear(begin)
        for piece in _pieces(data):
            desk.hear(piece)
            desk.wait(1)
        desk.close()
        desk.store.close()


def oanda_prices(data: bytes) -> None:
    stream = OandaPriceStream()
    for piece in _pieces(data):
        stream.receive_data(piece)


def binance_prices(data: bytes) -> None:
    prices = BinancePrices()
    for piece in _pieces(data):
        prices.receive_message(piece)
        notice(piece)


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (fix_framing, fix_session, oanda_prices, binance_prices)
}
