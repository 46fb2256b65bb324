"""Snapshots and updates as LPs send them, to quotes and order books."""

from actors.domain.money import parse_e8
from gateway.fix.lp import market_data
from gateway.fix.lp.market_data import ENTRIES_LIMIT, MarketData, Wanted
from gateway.venues.events import VenueDepth, VenueEvent, VenueGarbage, VenueQuote
from tests.gateway.fix.lp.messages import SENT_NS, message

EURUSD = "EUR/USD"
BOTH = "262=q 55=EUR/USD 268=2 269=0 270=1.1000 271=1000000 269=1 270=1.1002 271=2000000"


def quote(bid: str, ask: str, bid_size: str = "1000000", ask_size: str = "2000000") -> VenueQuote:
    bid_e8, ask_e8 = parse_e8(bid), parse_e8(ask)
    sizes_e8 = parse_e8(bid_size) if bid_e8 else 0, parse_e8(ask_size) if ask_e8 else 0
    return VenueQuote(EURUSD, bid_e8, ask_e8, sizes_e8[0], sizes_e8[1], SENT_NS)


def depth(bids: str, asks: str) -> VenueDepth:
    """ "1.1x500 1.0x700" """
    sides = [
        tuple((parse_e8(price), parse_e8(size)) for price, size in (level.split("x") for level in side.split()))
        for side in (bids, asks)
    ]
    return VenueDepth(EURUSD, sides[0], sides[1], SENT_NS)


def asked(levels: int = 1, keeps: bool = False) -> MarketData:
    data = MarketData(levels, keeps)
    data.asked("q", EURUSD)
    return data


def after(*bodies: str, levels: int = 1, keeps: bool = False) -> list[VenueEvent]:
    """What the last message says; those that begin with 279 or have one are updates."""
    data = asked(levels, keeps)
    told: list[VenueEvent] = []
    for body in bodies:
        told = data.receive(message(b"X" if "279=" in body else b"W", body))
    return told


def test_a_request_is_of_both_sides() -> None:
    assert market_data.subscribe("q", [EURUSD], Wanted(1)) == [
        *((262, b"q"), (263, b"1"), (264, b"1"), (265, b"1"), (267, b"2"), (269, b"0"), (269, b"1")),
        *((146, b"1"), (55, b"EUR/USD")),
    ]
    assert market_data.unsubscribe("q", [EURUSD], Wanted(0, full_refresh=True))[1:4] == [
        *((263, b"2"), (264, b"0"), (265, b"0")),
    ]


def test_what_an_lp_wants_beside_each_symbol_is_in_the_group() -> None:
    wanted = Wanted(1, beside_symbol=[(460, b"4"), (167, b"FOR")])
    assert market_data.subscribe("q", [EURUSD, "GBP/USD"], wanted)[-7:] == [
        *((146, b"2"), (55, b"EUR/USD"), (460, b"4"), (167, b"FOR"), (55, b"GBP/USD"), (460, b"4"), (167, b"FOR")),
    ]


def test_a_snapshot_is_a_quote() -> None:
    assert after(BOTH) == [quote("1.1", "1.1002")]


def test_an_update_of_one_side_keeps_the_other() -> None:
    assert after(BOTH, "262=q 268=1 279=1 269=0 278=EUR/USD-0 55=EUR/USD 270=1.1001 271=1000000") == [
        quote("1.1001", "1.1002")
    ]
    assert after(BOTH, "262=q 268=1 279=0 269=1 270=1.1003 271=2000000") == [quote("1.1", "1.1003")]


def test_a_change_of_size_alone_keeps_the_price() -> None:
    assert after(BOTH, "262=q 268=1 279=1 269=1 271=5") == [quote("1.1", "1.1002", ask_size="5")]


def test_a_side_is_deleted_without_an_id_or_with_the_one_that_stands_there() -> None:
    gone = [quote("0", "1.1002")]
    assert after(BOTH, "262=q 268=1 279=2 269=0") == gone
    first = "262=q 268=1 279=0 269=0 278=a 270=1.1000 271=1000000"
    assert after(BOTH, first, "262=q 268=1 279=2 278=a") == gone
    replaced = "262=q 268=2 279=0 269=0 278=b 270=1.1001 271=1000000 279=2 269=0 278=a"
    assert after(BOTH, first, replaced) == [quote("1.1001", "1.1002")]


def test_a_snapshot_without_a_side_empties_it_unless_this_lp_means_otherwise() -> None:
    one = "262=q 55=EUR/USD 268=1 269=0 270=1.1001 271=1000000"
    assert after(BOTH, one) == [quote("1.1001", "0")]
    assert after(BOTH, one, keeps=True) == [quote("1.1001", "1.1002")]
    assert after(BOTH, "262=q 55=EUR/USD 268=0") == [quote("0", "0")]


def test_levels_are_told_apart_by_id_by_place_or_by_price() -> None:
    for names in (("278=a", "278=b"), ("290=1", "290=2"), ("", "")):
        first = f"262=q 268=2 279=0 269=0 {names[0]} 270=1.1 271=500 279=0 269=0 {names[1]} 270=1.0 271=700"
        assert after(first, levels=0) == [
            VenueQuote(EURUSD, parse_e8("1.1"), 0, parse_e8("500"), 0, SENT_NS),
            depth("1.1x500 1.0x700", ""),
        ]
        deleted = f"262=q 268=1 279=2 269=0 {names[0]} 270=1.1"
        assert after(first, deleted, levels=0)[1] == depth("1.0x700", "")


def test_entries_of_one_price_are_one_level_and_a_new_reference_replaces() -> None:
    first = "262=q 268=2 279=0 269=1 278=a 270=1.1 271=500 279=0 269=1 278=b 270=1.1 271=700"
    assert after(first, levels=0)[1] == depth("", "1.1x1200")
    moved = "262=q 268=1 279=1 269=1 278=c 280=a 270=1.2 271=500"
    assert after(first, moved, levels=0)[1] == depth("", "1.1x700 1.2x500")


def test_a_crossed_book_is_none() -> None:
    crossed = "262=q 55=EUR/USD 268=2 269=0 270=1.2 271=1 269=1 270=1.1 271=1"
    assert after(crossed, levels=5)[1:] == [depth("", ""), VenueGarbage("crossed_book", EURUSD)]


def test_what_is_no_number_empties_its_side_and_says_so() -> None:
    for value, reason in (("270=x", "bad_price"), ("270=1.1000000001", "bad_price"), ("270=1.1 271=", "bad_size")):
        told = after(BOTH, f"262=q 268=1 279=1 269=0 {value}")
        assert told == [VenueGarbage(reason, EURUSD), quote("0", "1.1002")]  # type: ignore[arg-type]
    assert after(BOTH, "262=q 268=1 279=1 269=0 270=-1") == [quote("0", "1.1002")]
    assert after(BOTH, "262=q 268=1 279=9 269=0 270=1")[0] == VenueGarbage("bad_fields", "MDUpdateAction b'9'")


def test_what_nobody_asked_for_changes_nothing() -> None:
    assert after(BOTH, "262=other 268=1 279=2 269=0") == []
    strange = VenueGarbage("bad_instrument", "GBP/USD")
    assert after(BOTH.replace(EURUSD, "GBP/USD")) == [strange]
    assert after(BOTH, "262=q 268=1 279=2 269=0 55=GBP/USD") == [strange]
    assert after(BOTH, "262=q 268=1 279=0 269=2 270=1.5 271=1") == [quote("1.1", "1.1002")]


def test_a_request_that_was_taken_back_is_forgotten() -> None:
    data = asked()
    assert data.requests() == {EURUSD: "q"}
    assert (data.forget("q"), data.forget("q")) == (EURUSD, "")
    assert data.receive(message(b"W", BOTH)) == []


def test_a_side_has_a_limit() -> None:
    data = asked(levels=0)
    for number in range(ENTRIES_LIMIT + 1):
        told = data.receive(message(b"X", f"262=q 268=1 279=0 269=0 278={number} 270=1.1 271=1"))
    assert told[0] == VenueGarbage("too_long", f"{EURUSD}: more than {ENTRIES_LIMIT} entries on a side")
    assert told[2] == depth("", "")
