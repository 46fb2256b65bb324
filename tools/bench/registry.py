"""The measurements by name. Another one is a file like quotes.py and a line here."""

from tools.bench import (
    binance_parse,
    order_latency,
    orders,
    quote_latency,
    quotes,
    recovery,
    replay,
    stop_out_latency,
    tick_cost,
    ws_fanout,
    ws_idle,
)
from tools.bench.result import Measurement

MEASUREMENTS: dict[str, Measurement] = {
    binance_parse.NAME: binance_parse.MEASUREMENT,
    quotes.NAME: quotes.MEASUREMENT,
    quote_latency.NAME: quote_latency.MEASUREMENT,
    orders.NAME: orders.MEASUREMENT,
    replay.NAME: replay.MEASUREMENT,
    recovery.NAME: recovery.MEASUREMENT,
    order_latency.NAME: order_latency.MEASUREMENT,
    tick_cost.NAME: tick_cost.MEASUREMENT,
    stop_out_latency.NAME: stop_out_latency.MEASUREMENT,
    ws_fanout.NAME: ws_fanout.MEASUREMENT,
    ws_idle.NAME: ws_idle.MEASUREMENT,
}
