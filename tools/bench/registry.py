"""The measurements by name. Another one is a file like quotes.py and a line here."""

from importlib.util import find_spec

from tools.bench import (
    binance_parse,
    fix_codec,
    fix_order,
    fix_round_trip,
    http,
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
    fix_order.NAME: fix_order.MEASUREMENT,
    order_latency.NAME: order_latency.MEASUREMENT,
    tick_cost.NAME: tick_cost.MEASUREMENT,
    stop_out_latency.NAME: stop_out_latency.MEASUREMENT,
    http.ORDER: http.ORDERS,
    http.POSITIONS: http.QUESTIONS,
    http.SCALE: http.CREWS,
    ws_fanout.NAME: ws_fanout.MEASUREMENT,
    ws_idle.NAME: ws_idle.MEASUREMENT,
    fix_codec.NAME: fix_codec.MEASUREMENT,
}
if find_spec("quickfix"):  # `make interop` installs it.
    MEASUREMENTS |= {
        fix_round_trip.NAME: fix_round_trip.MEASUREMENT,
        fix_round_trip.FEW_NAME: fix_round_trip.FEW_MEASUREMENT,
        fix_round_trip.SINGLE_NAME: fix_round_trip.SINGLE_MEASUREMENT,
    }
