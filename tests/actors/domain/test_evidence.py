from actors.domain.evidence import CHUNK_ENTRIES, CHUNKS, DROPS_TOLD, DROPS_TOLD_NS, Evidence, Noted, Source
from actors.domain.quote import Drop, Tick
from tests.examples import START_NS, quote, tick

FIRST, SECOND = quote("EURUSD", "1.1", "1.2"), quote("EURUSD", "1.11", "1.2")


def test_a_tick_has_the_quotes_that_stood_and_those_that_were_dropped() -> None:
    kept = Evidence()
    entries: list[Noted | Tick] = [
        Noted("A", FIRST, None, START_NS, False),
        Noted("B", FIRST, Drop.ZERO, START_NS, False),
        tick("EURUSD", "1.1", "1.2", 1),
        Noted("B", SECOND, None, START_NS + 1, False),
        Noted("A", SECOND, Drop.CROSSED, START_NS + 2, True),
        tick("EURUSD", "1.11", "1.2", 2),
    ]
    for entry in entries:
        kept.note(entry)
    zero = Source("B", FIRST, "zero", START_NS)
    assert kept.behind(1) == (entries[2], [Source("A", FIRST, "", START_NS), zero])
    crossed = Source("A", SECOND, "crossed", START_NS + 2)
    assert kept.behind(2) == (entries[5], [Source("B", SECOND, "", START_NS + 1), zero, crossed])
    assert kept.behind(3) is None


def test_it_is_bounded_and_knows_what_stands_since_long_ago() -> None:
    kept = Evidence()
    kept.note(Noted("QUIET", FIRST, None, START_NS, False))
    last = CHUNK_ENTRIES * CHUNKS * 2
    for seq in range(1, last + 1):
        kept.note(Noted("A", SECOND, Drop.SPIKE if seq % 2 else None, START_NS, False))
        kept.note(tick("EURUSD", "1.1", "1.2", seq))
    found = kept.behind(last)
    assert found is not None
    _, sources = found
    assert sources[:2] == [Source("QUIET", FIRST, "", START_NS), Source("A", SECOND, "", START_NS)]
    assert sources[2:] == [Source("A", SECOND, "spike", START_NS)] * DROPS_TOLD
    oldest = next(seq for seq in range(1, last) if kept.behind(seq) is not None)
    assert last - oldest < CHUNK_ENTRIES * CHUNKS / 2


def test_drops_of_long_ago_are_not_told() -> None:
    kept = Evidence()
    kept.note(Noted("A", FIRST, Drop.SPIKE, START_NS - DROPS_TOLD_NS - 1, True))
    kept.note(tick("EURUSD", "1.1", "1.2", 1))
    assert kept.behind(1) == (tick("EURUSD", "1.1", "1.2", 1), [])
