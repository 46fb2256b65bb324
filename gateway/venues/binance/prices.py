"""The parser of Binance's combined streams: messages in, prices out, without a socket.

Source: Binance's "WebSocket Streams" for spot: a combined stream's frames are `{"stream": name, "data": payload}`, the
payload of `<symbol>@bookTicker` is `{"u": update id, "s": symbol, "b": bid, "B": its size, "a": ask, "A": its size}`
and has no time; that of `<symbol>@depth` is `DepthUpdate`. Update ids rise by symbol, and are the same in both streams.
A request is answered by `{"result": …, "id": …}` or an error with `code` and `msg`.
"""

import msgspec

from actors.domain.money import NotExact
from gateway.venues.amount import INSTRUMENT_LIMIT_CHARS, amount_e8
from gateway.venues.binance.depth import BookBroken, DepthBook, DepthSnapshot, DepthUpdate
from gateway.venues.events import VenueDepth, VenueEvent, VenueQuote, garbage
from gateway.venues.interface import MALFORMED

MESSAGE_LIMIT_BYTES = 262_144
INSTRUMENTS_LIMIT = 4096
"""So many are followed at most; a quote of a further one is dropped."""
BOOK_TICKER = "@bookTicker"
DEPTH = "@depth@100ms"
SNAPSHOT = "@snapshot"
"""Not a stream of Binance's: `snapshot_message` gives a REST snapshot this name."""


class _BookTicker(msgspec.Struct, gc=False):
    u: int
    s: str
    b: str
    B: str
    a: str
    A: str


class _BookTickerFrame(msgspec.Struct, gc=False):
    stream: str
    data: _BookTicker


class _DepthFrame(msgspec.Struct, gc=False):
    stream: str
    data: DepthUpdate


class BinancePrices:
    """A message in, events out: `VenueQuote`s by bookTicker; by depth updates and snapshots also `VenueDepth`s.

    Nothing is ever raised: a message that is not understood comes out as `VenueGarbage`, one of another kind (kline,
    trades) as `unknown_message`, an error reply as `refused`. A reply that accepts a request says nothing. A quote
    whose update id is not above the last one of its symbol is a `duplicate` or `out_of_order`.
    """

    def __init__(self) -> None:
        self.snapshots_wanted: dict[str, None] = {}
        """The symbols whose order book waits for a `snapshot_message`, in the order in which they began to."""
        self._decode = msgspec.json.Decoder(_BookTickerFrame).decode
        self._decode_depth = msgspec.json.Decoder(_DepthFrame).decode
        self._last: dict[str, int] = {}
        self._taken_over: dict[str, int] = {}
        self._shown_by_depth: dict[str, int] = {}
        self._books: dict[str, DepthBook] = {}

    def take_over(self) -> None:
        """From now on another connection's messages come, which repeat some of what has come: that says nothing."""
        self._taken_over = dict(self._last)

    def receive_message(self, message: str | bytes) -> list[VenueEvent]:
        if len(message) > MESSAGE_LIMIT_BYTES:
            return [garbage("too_long", message)]
        try:
            frame = self._decode(message)
        except MALFORMED:
            return self._other(message)
        book = frame.data
        symbol, update_id = book.s, book.u
        if not frame.stream.endswith(BOOK_TICKER):
            return [garbage("unknown_message", message)]
        last = self._last.get(symbol)
        if last is None:
            if not self._is_instrument(symbol):
                return [garbage("bad_instrument", symbol)]
        elif update_id <= last:
            return self._repeated(symbol, update_id, last)
        try:
            quote = VenueQuote(symbol, amount_e8(book.b), amount_e8(book.a), amount_e8(book.B), amount_e8(book.A), 0)
        except NotExact as error:
            return [garbage("bad_price" if _is_inexact(book.b) or _is_inexact(book.a) else "bad_size", str(error))]
        self._last[symbol] = update_id
        if self._shown_by_depth and update_id <= self._shown_by_depth.get(symbol, -1):
            return []
        return [quote]

    def _is_instrument(self, symbol: str) -> bool:
        known = symbol in self._books or len(self._books) + len(self._last) < 2 * INSTRUMENTS_LIMIT
        return known and 0 < len(symbol) <= INSTRUMENT_LIMIT_CHARS

    def _repeated(self, symbol: str, update_id: int, last: int) -> list[VenueEvent]:
        if update_id <= self._taken_over.get(symbol, -1):
            return []
        return [garbage("duplicate" if update_id == last else "out_of_order", f"{symbol}: {update_id} after {last}")]

    def _other(self, message: str | bytes) -> list[VenueEvent]:
        """What a message is that is no bookTicker frame."""
        try:
            frame = self._decode_depth(message)
            if frame.stream.endswith(DEPTH):
                return self._depth(frame.data.s, frame.data)
        except MALFORMED:
            pass
        try:
            other = msgspec.json.decode(message)
            name = other.get("stream") if isinstance(other, dict) else None
            if isinstance(name, str) and name.endswith(SNAPSHOT):
                data = msgspec.convert(other.get("data"), DepthSnapshot)
                return self._depth(name.removesuffix(SNAPSHOT).upper(), data)
        except msgspec.ValidationError:
            return [garbage("bad_fields", message)]
        except MALFORMED:
            return [garbage("bad_json", message)]
        if not isinstance(other, dict):
            return [garbage("unknown_message", message)]
        if "result" in other and "id" in other:
            return []
        if "error" in other or ("code" in other and "msg" in other):
            return [garbage("refused", message)]
        known = isinstance(name, str) and name.endswith((BOOK_TICKER, DEPTH))
        return [garbage("bad_fields" if known else "unknown_message", message)]

    def _depth(self, symbol: str, news: DepthUpdate | DepthSnapshot) -> list[VenueEvent]:
        book = self._books.get(symbol)
        if book is None:
            if not self._is_instrument(symbol):
                return [garbage("bad_instrument", symbol)]
            book = self._books[symbol] = DepthBook()
        had_book = book.update_id is not None
        dropped: list[VenueEvent] = []
        try:
            shown = book.update(news) if isinstance(news, DepthUpdate) else book.snapshot(news)
        except BookBroken as broken:
            dropped = [garbage(broken.reason, str(broken))]
            shown = False
        if book.update_id is None:
            self.snapshots_wanted[symbol] = None
            return [*dropped, VenueDepth(symbol, (), (), book.time_ns)] if had_book else dropped
        return self._shown(symbol, book, book.update_id) if shown else []

    def _shown(self, symbol: str, book: DepthBook, update_id: int) -> list[VenueEvent]:
        """The whole book, and its top where no bookTicker has said as much yet."""
        bids, asks = book.top()
        depth = VenueDepth(symbol, bids, asks, book.time_ns)
        if update_id <= max(self._last.get(symbol, -1), self._shown_by_depth.get(symbol, -1)):
            return [depth]
        self._shown_by_depth[symbol] = update_id
        bid_e8, bid_size_e8 = bids[0] if bids else (0, 0)
        ask_e8, ask_size_e8 = asks[0] if asks else (0, 0)
        return [depth, VenueQuote(symbol, bid_e8, ask_e8, bid_size_e8, ask_size_e8, book.time_ns)]


def snapshot_message(symbol: str, body: bytes) -> bytes:
    """The answer of `GET /api/v3/depth?symbol=…`, which does not name the symbol, in the form of a stream's frame."""
    return b'{"stream":"%s","data":%s}' % ((symbol.lower() + SNAPSHOT).encode(), body)


def _is_inexact(text: str) -> bool:
    try:
        amount_e8(text)
    except NotExact:
        return True
    return False
