from actors.domain.prices.evidence import CHUNK_QUOTES, CHUNKS, DROPS_TOLD, DROPS_TOLD_NS, Evidence, Noted, Source
from actors.domain.quote import Drop
from tests.examples import START_NS, quote, tick

FIRST, SECOND = quote("EURUSD", "1.1", "1.2"), quote("EURUSD", "1.11", "1.2")
TICK = tick("EURUSD", "1.1", "1.2", 1)


def test_a_tick_has_the_quotes_that_stood_and_those_that_were_dropped() -> None:
    kept, later = Evidence(), tick("EURUSD", "1.11", "1.2", 2)
    kept.note(Noted("A", FIRST, None, START_NS, False))
    kept.note(Noted("B", FIRST, Drop.ZERO, START_NS, False))
    kept.tick(TICK)
    kept.note(Noted("B", SECOND, None, START_NS + 1, False))
    kept.note(Noted("A", SECOND, Drop.CROSSED, START_NS + 2, True))
    kept.tick(later)
    zero = Source("B", FIRST, "zero", START_NS)
    assert kept.behind(1) == (TICK, [Source("A", FIRST, "", START_NS), zero])
    crossed = Source("A", SECOND, "crossed", START_NS + 2)
    assert kept.behind(2) == (later, [Source("B", SECOND, "", START_NS + 1), zero, crossed])
    assert kept.behind(3) is kept.behind(0) is None


def test_it_is_bounded_and_knows_what_stands_since_long_ago() -> None:
    kept = Evidence()
    kept.note(Noted("QUIET", FIRST, None, START_NS, False))
    last = CHUNK_QUOTES * CHUNKS * 2
    for seq in range(1, last + 1):
        kept.note(Noted("A", SECOND, Drop.SPIKE if seq % 2 else None, START_NS, False))
        kept.tick(tick("EURUSD", "1.1", "1.2", seq))
    stand = [Source("QUIET", FIRST, "", START_NS), Source("A", SECOND, "", START_NS)]
    drops = [Source("A", SECOND, "spike", START_NS)] * DROPS_TOLD
    for seq in (last, last - CHUNK_QUOTES * 3):
        assert kept.behind(seq) == (tick("EURUSD", "1.1", "1.2", seq), [*stand, *drops])
    oldest = next(seq for seq in range(1, last) if kept.behind(seq) is not None)
    assert 0 <= last - CHUNK_QUOTES * CHUNKS - oldest < 2 * CHUNK_QUOTES


def test_ticks_without_quotes_are_bounded_too() -> None:
    """A skew of time alone, LPs that are lost: ticks may follow each other without a quote between them."""
    kept = Evidence()
    for seq in range(1, CHUNK_QUOTES * (CHUNKS + 3)):
        kept.tick(tick("EURUSD", "1.1", "1.2", seq))
    assert kept.behind(CHUNK_QUOTES) is None
    assert kept.behind(CHUNK_QUOTES * 4) == (tick("EURUSD", "1.1", "1.2", CHUNK_QUOTES * 4), [])


def test_drops_of_long_ago_are_not_told() -> None:
    kept = Evidence()
    kept.note(Noted("A", FIRST, Drop.SPIKE, START_NS - DROPS_TOLD_NS - 1, True))
    kept.tick(TICK)
    assert kept.behind(1) == (TICK, [])
