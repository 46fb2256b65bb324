"""What the fuzzer begins with: messages of each kind, made by hand."""

from gateway.fix.times import utc_timestamp
from tests.gateway.fix.peers import ORDER, START_NS, wire

_RESENT = (43, b"Y"), (122, utc_timestamp(START_NS))
_CUTS = b"\x20\x60\xa0\xe0"
_FIX = [
    wire(b"A", 1, (98, b"0"), (108, b"30")),
    wire(b"A", 2, (98, b"0"), (108, b"30"), (141, b"Y")),
    wire(b"0", 2),
    wire(b"1", 2, (112, b"x")),
    wire(b"2", 2, (7, b"1"), (16, b"0")),
    wire(b"3", 2, (45, b"1"), (58, b"why")),
    wire(b"4", 2, (36, b"9"), (123, b"Y"), header=_RESENT),
    wire(b"4", 2, (36, b"9")),
    wire(b"5", 2),
    wire(b"D", 2, *ORDER),
    wire(b"D", 4, *ORDER) + wire(b"D", 2, *ORDER, header=_RESENT) + wire(b"D", 3, *ORDER, header=_RESENT),
    wire(b"D", 2, *ORDER, (453, b"1"), (448, b"a"), (447, b"D"), (452, b"1"), (802, b"1"), (523, b"s"), (803, b"1")),
    wire(b"D", 2, *ORDER, (354, b"3"), (355, b"a\x01b")),
]
_OANDA = [
    b'{"type":"PRICE","time":"2026-01-19T12:00:00.123456789Z","instrument":"EUR_USD","tradeable":true,'
    b'"bids":[{"price":"1.07121","liquidity":1000000}],"asks":[{"price":"1.07135","liquidity":1000000}]}\n',
    b'{"type":"HEARTBEAT","time":"2026-01-19T12:00:00.123456789Z"}\n',
]
_BINANCE = [
    b'{"stream":"btcusdt@bookTicker","data":{"u":5,"s":"BTCUSDT","b":"90000.10","B":"1.5","a":"90000.20","A":"2"}}',
    b'{"result":null,"id":1}',
    b'{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":2,'
    b'"b":[["90000.10","1"]],"a":[["90000.20","0"]]}}',
]
CORPUS = {
    "fix_framing": [_CUTS + data for data in _FIX],
    "fix_session": [_CUTS + data for data in _FIX],
    "oanda_prices": [_CUTS + data for data in _OANDA],
    "binance_prices": [bytes(4) + data for data in _BINANCE],
}
