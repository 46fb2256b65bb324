"""The measurements by name. Another one is a file like quotes.py and a line here."""

from tools.bench import orders, quotes, recovery, replay
from tools.bench.result import Measurement

MEASUREMENTS: dict[str, Measurement] = {
    quotes.NAME: quotes.MEASUREMENT,
    orders.NAME: orders.MEASUREMENT,
    replay.NAME: replay.MEASUREMENT,
    recovery.NAME: recovery.MEASUREMENT,
}
