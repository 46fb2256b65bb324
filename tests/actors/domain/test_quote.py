import msgspec
import pytest

from actors.domain.quote import Drop, Quote, QuoteLimits, is_sound, verdict
from tests.examples import INSTRUMENTS, START_NS, quote, tick

LIMITS = QuoteLimits(age_ms=5_000, ahead_ms=5_000, spread_e8=10_000_000)
MS = 1_000_000


@pytest.mark.parametrize(
    ("given", "drop"),
    [
        (quote("EURUSD", "1.10000", "1.10020"), None),
        (quote("EURUSD", "1.10000", "1.10000"), None),
        (quote("EURUSD", "0", "1.10020"), Drop.ZERO),
        (quote("EURUSD", "1.10000", "0"), Drop.ZERO),
        (quote("EURUSD", "-1.1", "1.10020"), Drop.ZERO),
        (quote("EURUSD", "1.10021", "1.10020"), Drop.CROSSED),
        (quote("XAUUSD", "1.10000", "1.10020"), Drop.UNKNOWN_SYMBOL),
        (quote("", "1.10000", "1.10020"), Drop.UNKNOWN_SYMBOL),
        (quote("EURUSD", "0.49999", "0.50001"), Drop.BOUNDS),
        (quote("EURUSD", "2.99999", "3.00001"), Drop.BOUNDS),
        (quote("EURUSD", "0.5", "0.5"), None),
        (quote("EURUSD", "3", "3"), None),
        (quote("EURUSD", "1.00000", "1.10000"), None),
        (quote("EURUSD", "1.00000", "1.10001"), Drop.SPREAD),
        (quote("EURUSD", "1.1", "1.1", venue_time_ns=START_NS - 5_000 * MS), None),
        (quote("EURUSD", "1.1", "1.1", venue_time_ns=START_NS - 5_000 * MS - 1), Drop.OLD),
        (quote("EURUSD", "1.1", "1.1", venue_time_ns=START_NS + 5_000 * MS), None),
        (quote("EURUSD", "1.1", "1.1", venue_time_ns=START_NS + 5_000 * MS + 1), Drop.FUTURE),
        (quote("EURUSD", "1.1", "1.1", venue_time_ns=0), None),
    ],
)
def test_verdict(given: Quote, drop: Drop | None) -> None:
    assert verdict(given, INSTRUMENTS, LIMITS) is drop


def test_the_first_reason_counts() -> None:
    """Crossed, wide, unknown and old at once: what an LP's zero says comes before what we know of the symbol."""
    cases = [
        ("XAUUSD", "0", "1"),
        ("XAUUSD", "2", "1"),
        ("XAUUSD", "1", "2"),
        ("EURUSD", "1", "2"),
        ("EURUSD", "1", "1"),
    ]
    late = [quote(*case, venue_time_ns=START_NS - 60_000 * MS) for case in cases]
    reasons = [verdict(given, INSTRUMENTS, LIMITS) for given in late]
    assert reasons == [Drop.ZERO, Drop.CROSSED, Drop.UNKNOWN_SYMBOL, Drop.SPREAD, Drop.OLD]


@pytest.mark.parametrize(
    ("bid", "ask", "sound"),
    [
        ("1.1", "1.1", True),
        ("0", "1.1", False),
        ("1.1", "0", False),
        ("-1", "1", False),
        ("1.2", "1.1", False),
        ("1", "10000000000", False),
    ],
)
def test_is_sound(bid: str, ask: str, sound: bool) -> None:
    assert (is_sound(quote("EURUSD", bid, ask)), is_sound(tick("EURUSD", bid, ask))) == (sound, sound)


def test_quotes_and_ticks_are_arrays_on_the_wire() -> None:
    given = tick("EURUSD", "1.1", "1.2", 7)
    wire = ["EURUSD", 7, START_NS, 110_000_000, 120_000_000, "OANDA", "OANDA", True]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(given)) == wire
