import msgspec
import pytest

from actors.domain.quote import QuoteLimits, is_sound
from tests.examples import START_NS, quote, tick


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


@pytest.mark.parametrize("wrong", [{"age_ms": 0}, {"faults": 0}, {"spike_e8": -1}, {"price_digits": 9}])
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        QuoteLimits(**wrong)
