import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.money import parse_e8 as e8
from actors.domain.order import Side
from actors.domain.routing.hedge import Desk, HedgeTerms, SavedDesk, hedge_needed, restored, saved, terms_faults
from tests.examples import tick

BUY, SELL = Side.BUY, Side.SELL
TERMS = HedgeTerms("EURUSD", e8("500000"), e8("1000"), e8("100000"), ("LMAX", "OANDA"))


def e16(text: str) -> int:
    return e8(text) * 10**8


@pytest.mark.parametrize(
    ("net", "hedged", "needed"),
    [
        ("740500", "0", "240000"),  # 240,500 over the limit, in whole thousands
        ("140500", "240000", "0"),  # -99,500 is open
        ("-459500", "240000", "-199000"),  # -699,500 is open, 199,500 over
        ("-459500", "41000", "0"),  # -500,500 is open, 500 over: less than the minimum
        ("500000", "0", "0"),  # at the limit
        ("599999", "0", "0"),  # 99,999 over: less than the minimum
        ("600000", "0", "100000"),
        ("-600000", "0", "-100000"),
        ("0", "600000", "-100000"),  # clients have gone, the hedge is what is open now
    ],
)
def test_how_much_is_hedged(net: str, hedged: str, needed: str) -> None:
    assert hedge_needed(e8(net), e8(hedged), TERMS.limit_e8, TERMS.step_e8, TERMS.minimum_e8) == e8(needed)


def test_with_no_limit_and_small_trades_a_hedge_never_overshoots() -> None:
    """1,500 open in steps of 1,000 with limit 0: buy 1,000, and 500 stays; rounded up it would be sold again."""
    assert hedge_needed(1_500, 0, 0, 1_000, 1_000) == 1_000
    assert hedge_needed(1_500, 1_000, 0, 1_000, 1_000) == 0


def test_whole_steps_that_are_less_than_the_minimum_are_not_sent() -> None:
    """150 over the limit of 0, in steps of 100: 100, which is less than the minimum of 120."""
    assert hedge_needed(150, 0, 0, 100, 120) == 0
    assert hedge_needed(200, 0, 0, 100, 120) == 200


amounts = st.integers(-(10**17), 10**17)


@given(amounts, amounts, st.integers(0, 10**15), st.integers(1, 10**12), st.integers(1, 1000))
def test_a_hedge_brings_within_the_limit_and_is_not_followed_by_another(
    net: int, hedged: int, limit: int, step: int, times: int
) -> None:
    minimum = step * times
    needed = hedge_needed(net, hedged, limit, step, minimum)
    still_open = net - hedged - needed
    assert needed % step == 0
    assert needed == 0 or abs(needed) >= minimum
    assert abs(still_open) < limit + minimum
    assert needed * (net - hedged) >= 0
    assert hedge_needed(net, hedged + needed, limit, step, minimum) == 0
    if needed:
        # It takes a turn of twice the limit before anything is dealt the other way.
        way = 1 if needed > 0 else -1
        assert hedge_needed(net - way * 2 * limit, hedged + needed, limit, step, minimum) * way >= 0


def test_terms_are_checked() -> None:
    assert terms_faults(TERMS, ["LMAX", "OANDA"]) == []
    assert terms_faults(HedgeTerms("EURUSD", -1, 0, 5, ()), []) == [
        "the limit is below zero or out of all bounds",
        "the step is not above zero, or out of all bounds",
        "there is no venue to hedge at",
    ]
    assert terms_faults(HedgeTerms("EURUSD", 0, 10, 15, ("A", "A")), ["B"]) == [
        "the minimum is not a whole multiple of the step above zero",
        "the venue 'A' does not exist",
        "the venue 'A' does not exist",
        "a venue is named twice",
    ]


def test_b_book_profit_is_the_clients_loss() -> None:
    """A client buys 100,000 at 1.10020. At 1.09500/1.09520: 109,500 - 110,020 = -520 for the client, +520 here."""
    desk = Desk("EURUSD")
    desk.b_book_clients.deal(BUY, e8("100000"), e8("1.10020"), False)
    assert desk.b_book_profit_e16(tick("EURUSD", "1.09500", "1.09520")) == e16("520")
    # It is closed at the bid, and stays what it was wherever the market goes.
    desk.b_book_clients.deal(SELL, e8("100000"), e8("1.09500"), True)
    assert desk.b_book_profit_e16(tick("EURUSD", "2.00000", "2.00020")) == e16("520")
    assert desk.exposure_e8 == 0


def test_clients_on_both_sides_are_each_valued_at_what_they_close_at() -> None:
    """Long 100,000 from 1.10020 and short 40,000 from 1.10000, at 1.10100/1.10120.

    The long: 0.00080 x 100,000 = 80. The short: (1.10000 - 1.10120) x 40,000 = -48. The broker: -80 + 48 = -32.
    Exposure 100,000 - 40,000 = 60,000: the clients are long, the broker is short of it.
    """
    desk = Desk("EURUSD")
    desk.b_book_clients.deal(BUY, e8("100000"), e8("1.10020"), False)
    desk.b_book_clients.deal(SELL, e8("40000"), e8("1.10000"), False)
    assert desk.b_book_profit_e16(tick("EURUSD", "1.10100", "1.10120")) == e16("-32")
    assert (desk.exposure_e8, desk.coverage_e8, desk.open_e8) == (e8("60000"), 0, e8("60000"))


@pytest.mark.parametrize(("side", "client", "venue"), [(BUY, "1.10030", "1.10018"), (SELL, "1.09990", "1.10002")])
def test_a_book_profit_is_markup_and_what_the_venue_did_better(side: Side, client: str, venue: str) -> None:
    """0.00012 x 100,000 = 12 USD, of which markup 0.00010 x 100,000 = 10, at any tick."""
    desk = Desk("EURUSD")
    desk.deal_a_book(side, e8("100000"), e8(client), e8(venue), e8("0.00010"), "LMAX", False)
    for now in (tick("EURUSD", "1.10000", "1.10020"), tick("EURUSD", "0.50000", "0.60000")):
        assert desk.a_book_profit_e16(now) == e16("12")
        assert desk.markup_e16 == e16("10")
    held = e8("100000") if side is BUY else -e8("100000")
    assert (desk.at_venues_e8, desk.exposure_e8, desk.coverage_e8) == ({"LMAX": held}, 0, 0)


def test_a_hedge_from_need_to_profit() -> None:
    """Clients buy 740,000 at 1.10020: 240,000 is needed. LMAX sells 200,000 of it at 1.10025, and refuses the rest.

    At 1.10125/1.10145 the 200,000 are worth (1.10125 - 1.10025) x 200,000 = 200; at 1.09925 they have lost 200.
    """
    desk = Desk("EURUSD")
    desk.b_book_clients.deal(BUY, e8("740000"), e8("1.10020"), False)
    needed_e8 = desk.hedge_needed(TERMS)
    assert needed_e8 == e8("240000")
    desk.send_hedge(needed_e8)
    assert desk.hedge_needed(TERMS) == 0
    desk.deal_hedge(BUY, e8("200000"), e8("1.10025"), "LMAX")
    assert (desk.hedging_e8, desk.coverage_e8, desk.open_e8) == (e8("40000"), e8("200000"), e8("540000"))
    desk.return_hedge(e8("40000"))
    assert (desk.hedging_e8, desk.hedge_needed(TERMS)) == (0, 0)
    assert desk.at_venues_e8 == {"LMAX": e8("200000")}
    assert desk.hedge_profit_e16(tick("EURUSD", "1.10125", "1.10145")) == e16("200")
    assert desk.hedge_profit_e16(tick("EURUSD", "1.09925", "1.09945")) == e16("-200")


def test_a_hedge_that_is_a_sale() -> None:
    desk = Desk("EURUSD")
    desk.b_book_clients.deal(SELL, e8("740000"), e8("1.10000"), False)
    assert desk.hedge_needed(TERMS) == -e8("240000")
    desk.send_hedge(-e8("240000"))
    desk.deal_hedge(SELL, e8("240000"), e8("1.09995"), "LMAX")
    assert (desk.hedging_e8, desk.coverage_e8, desk.open_e8) == (0, -e8("240000"), -e8("500000"))
    # Bought back dearer: 0.00005 x 240,000 = 12 lost, whatever the tick.
    desk.deal_unsent(BUY, e8("240000"), e8("1.10000"), "OANDA")
    assert desk.hedge_profit_e16(tick("EURUSD", "3.00000", "3.00020")) == e16("-12")
    assert desk.at_venues_e8 == {"LMAX": -e8("240000"), "OANDA": e8("240000")}


def test_what_was_opened_in_one_book_and_closed_in_the_other_sums_up() -> None:
    """Bought on the A-book at 1.10030 (LP 1.10018), closed on the B-book at 1.10100 by a rule that changed.

    The LP's 1 long is then the broker's own: at 1.10200/1.10220 it has paid 0.00012 x 100,000 = 12 of markup in,
    and the broker bought from the client at 1.10100 what is worth 1.10200 now: 100. Together 112.
    """
    desk = Desk("EURUSD")
    now = tick("EURUSD", "1.10200", "1.10220")
    desk.deal_a_book(BUY, e8("100000"), e8("1.10030"), e8("1.10018"), e8("0.00012"), "LMAX", False)
    desk.b_book_clients.deal(SELL, e8("100000"), e8("1.10100"), True)
    assert desk.exposure_e8 == -e8("100000")
    assert desk.open_e8 == -e8("100000")
    assert desk.a_book_profit_e16(now) == e16("12")
    assert desk.b_book_profit_e16(now) == e16("100")


deals = st.lists(
    st.tuples(
        st.sampled_from((BUY, SELL)), st.integers(1, 10**17), st.integers(1, 10**17), st.booleans(), st.integers(0, 3)
    ),
    max_size=40,
)


@given(deals, st.integers(1, 10**17), st.integers(0, 10**15))
def test_books_agree_with_fills_told_one_by_one_and_survive_a_snapshot(
    many: list[tuple[Side, int, int, bool, int]], bid: int, spread: int
) -> None:
    """The oracle knows no longs and shorts: what each client fill is worth at its own closing price, one by one."""
    desk = Desk("EURUSD")
    now = msgspec.structs.replace(tick("EURUSD", "1", "1"), bid_e8=bid, ask_e8=bid + spread)
    against_clients = passed_on = markup = hedged = hedge_cash = 0
    for side, quantity, price, closes, book in many:
        sign = 1 if side is BUY else -1
        worth = now.bid_e8 if (side is BUY) != closes else now.ask_e8
        if book == 0:
            desk.b_book_clients.deal(side, quantity, price, closes)
            against_clients += sign * (price - worth) * quantity
        elif book == 1:
            desk.deal_a_book(side, quantity, price, worth, 7, "LMAX", closes)
            passed_on += sign * (price - worth) * quantity
            markup += 7 * quantity
        else:
            desk.send_hedge(sign * quantity)
            desk.deal_hedge(side, quantity, price, "OANDA")
            hedged += sign * quantity
            hedge_cash -= sign * quantity * price
    for it in (desk, restored(msgspec.msgpack.decode(msgspec.msgpack.encode(saved(desk)), type=SavedDesk))):
        assert it.b_book_profit_e16(now) == against_clients
        assert it.a_book_profit_e16(now) == passed_on
        assert it.markup_e16 == markup
        assert it.hedge_profit_e16(now) == hedge_cash + hedged * (now.bid_e8 if hedged > 0 else now.ask_e8)
        assert (it.coverage_e8, it.hedging_e8) == (hedged, 0)
        assert it.at_venues_e8 == desk.at_venues_e8
        assert saved(it) == saved(desk)
