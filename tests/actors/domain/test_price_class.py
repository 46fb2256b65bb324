"""What groups with other prices wait for. Heaps are compared with a search of all that waits, at each group's tick."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.broker import apply
from actors.domain.commands import Adjust, DefineGroup, Deposit, ObserveTicks, OpenAccount, SubmitOrder
from actors.domain.events.orders import OrderAccepted, OrderFilled
from actors.domain.group import NO_MARKUP, STANDARD, Group, Markup
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderType, Side
from actors.domain.price_class import PriceClasses
from actors.domain.quote import Tick
from actors.domain.risk.stop_out import MarginLevels, status
from actors.domain.snapshot import restore, snapshot
from actors.domain.trigger import Followed, Reached, Waiting
from tests.actors.domain.deals import NOW_NS
from tests.examples import ACCOUNT, encoded, terms, tick, trading_state

CALL_ONLY = MarginLevels(100_000_000, 0, False)
prices = st.integers(1, 1_000)
markups = st.builds(
    lambda bid, ask, least, more, has_most, skew: Markup(bid, max(ask, -bid), least, (least + more) * has_most, skew),
    st.integers(-50, 50),
    st.integers(-50, 50),
    st.integers(0, 60),
    st.integers(0, 60),
    st.booleans(),
    st.integers(-50, 50),
)


def market(bid_e8: int, ask_e8: int, seq: int = 1) -> Tick:
    return Tick("EURUSD", seq, 0, bid_e8, ask_e8, "A", "A", True)


@given(markups, prices, prices, st.integers(0, 40), st.integers(0, 40))
def test_no_side_of_a_groups_price_falls_when_a_side_of_the_market_rises(
    markup: Markup, bid_e8: int, spread_e8: int, bid_up: int, ask_up: int
) -> None:
    assert markup.is_sound
    ask_e8 = bid_e8 + spread_e8
    low = markup.tick(market(bid_e8, ask_e8))
    high = markup.tick(market(min(bid_e8 + bid_up, ask_e8 + ask_up), ask_e8 + ask_up))
    assert 0 < low.bid_e8 <= low.ask_e8
    assert low.bid_e8 <= high.bid_e8
    assert low.ask_e8 <= high.ask_e8


@given(markups, st.integers(500, 1_000), st.integers(0, 300))
def test_a_spread_is_within_its_limits(markup: Markup, bid_e8: int, spread_e8: int) -> None:
    seen = markup.tick(market(bid_e8, bid_e8 + spread_e8))
    found_e8 = seen.ask_e8 - seen.bid_e8
    wanted_e8 = max(spread_e8 + markup.bid_e8 + markup.ask_e8, markup.spread_min_e8)
    assert found_e8 == (min(wanted_e8, markup.spread_max_e8) if markup.spread_max_e8 else wanted_e8)


@pytest.mark.parametrize(
    ("markup", "seen"),
    [
        # 1.10000/1.10020: a spread of 2 pips.
        (Markup(), ("1.10000", "1.10020")),
        # 4 pips: 2 are missing, one on each side.
        (Markup(0, 0, e8("0.0004")), ("1.09990", "1.10030")),
        # A smallest step more is put on the ask.
        (Markup(0, 0, e8("0.0004") + 1), ("1.09990", "1.10030001")),
        # A markup of 1 pip and 2 pips makes 5, and 3 are the most: a pip less on each side.
        (Markup(e8("0.0001"), e8("0.0002"), 0, e8("0.0003")), ("1.10000", "1.10030")),
        # The skew comes last.
        (Markup(0, 0, e8("0.0004"), 0, e8("-0.0005")), ("1.09940", "1.09980")),
    ],
)
def test_a_group_sees(markup: Markup, seen: tuple[str, str]) -> None:
    found = markup.tick(market(e8("1.10000"), e8("1.10020")))
    assert (found.bid_e8, found.ask_e8) == (e8(seen[0]), e8(seen[1]))


TRAILS = ("below_bid", "above_ask")
KINDS = ("bid_falls", "bid_rises", "ask_falls", "ask_rises", *TRAILS)


class Slow:
    """All that waits, in a list, with the terms of whom it waits for."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, int, Markup, Followed]] = []

    def reached(self, tick: Tick) -> list[Reached]:
        found, left = [], []
        for kind, price_e8, markup, followed in self.waiting:
            seen = markup.tick(tick)
            one = followed
            if kind in TRAILS:
                at_e8 = seen.bid_e8 if kind == "below_bid" else -seen.ask_e8
                one = followed._replace(peak_e8=max(followed.peak_e8, at_e8))
                is_reached = at_e8 <= one.peak_e8 - one.distance_e8
            else:
                side_e8 = seen.bid_e8 if kind.startswith("bid") else seen.ask_e8
                is_reached = side_e8 <= price_e8 if kind.endswith("falls") else side_e8 >= price_e8
            if is_reached:
                found.append(one.waiting)
            else:
                left.append((kind, price_e8, markup, one))
        self.waiting = left
        return sorted(found)


@pytest.mark.parametrize("seed", range(25))
def test_heaps_reach_what_a_search_of_all_that_waits_would(seed: int) -> None:
    """Spreads of the market that widen and narrow by themselves, so that a bid of a group moves with the ask alone."""
    chance = Random(seed)
    terms_of = [NO_MARKUP, Markup(7, 3), Markup(0, 0, 40), Markup(2, 2, 10, 30, 5), Markup(0, 0, 25, 25), Markup(-9, 9)]
    groups = {f"group-{n}": Group(f"group-{n}", markup) for n, markup in enumerate([*terms_of, Markup(0, 0, 40)])}
    classes, slow = PriceClasses("EURUSD", groups), Slow()
    assert len(classes.by_markup) == len(terms_of)
    mid, count = 10_000, 0
    for number in range(600):
        mid += chance.choice([-1, 1]) * chance.choice([0, 1, 3, chance.randint(0, 60)])
        bid_e8 = mid - chance.randint(0, 30)
        now = market(bid_e8, bid_e8 + chance.randint(0, 60), number)
        found = classes.reached(now, lambda number: f"group-{number}")
        assert found == slow.reached(now)
        count += len(found)
        for part in range(chance.choice([0, 1, 3])):
            account_id = chance.randrange(len(groups))
            group = groups[f"group-{account_id}"]
            kind, seen = chance.choice(KINDS), group.tick(now)
            price_e8, distance_e8 = mid + chance.randint(-150, 150), chance.randint(1, 80)
            waiting = Reached(chance.choice(list(Waiting)), number * 10 + part, account_id, price_e8)
            peak_e8 = seen.bid_e8 if kind == "below_bid" else -seen.ask_e8
            triggers = classes.triggers(group)
            if kind in TRAILS:
                getattr(triggers, kind).add(peak_e8, distance_e8, waiting)
            else:
                getattr(triggers, f"when_{kind}")(price_e8, waiting)
            slow.waiting.append((kind, price_e8, group.markup_of("EURUSD"), Followed(distance_e8, peak_e8, waiting)))
    assert count > 100


@pytest.mark.parametrize("seed", range(8))
def test_bands_miss_no_change_of_a_margin_status(seed: int) -> None:
    """Each account is near its margin call, at prices that are far from the market's in a way of their own."""
    chance = Random(seed)
    state, mid, seq = trading_state(), 110_000, 1
    terms_of = [Markup(0, 0, e8("0.02")), Markup(0, 0, 0, 0, e8("-0.03")), Markup(0, 0, e8("0.001"), e8("0.005"))]
    for number, markup in enumerate(terms_of, 2):
        apply(state, DefineGroup(Group(f"group-{number}", markup, levels=CALL_ONLY)), NOW_NS)
        apply(state, OpenAccount(number, "USD", group=f"group-{number}"), NOW_NS)
        apply(state, Deposit(number, 5_500_00, f"opening-{number}", "test"), NOW_NS)
        side = chance.choice([Side.BUY, Side.SELL])
        (filled,) = apply(state, SubmitOrder(number, "a", terms("EURUSD", side, "90000")), NOW_NS)
        assert isinstance(filled, OrderFilled)
        account = state.accounts[number]
        spare_minor = state.summary(account, NOW_NS).equity_minor - account.maintenance_minor
        apply(state, Adjust(number, 50_00 - spare_minor, f"near-{number}", "test"), NOW_NS)
    changes = 0
    for _ in range(400):
        seq, mid = seq + 1, mid + chance.choice([-1, 1]) * chance.randint(0, 40)
        bid_e8 = (mid - chance.randint(0, 300)) * 1_000
        now = market(bid_e8, bid_e8 + chance.randint(0, 900) * 1_000, seq)
        changes += len(apply(state, ObserveTicks((now,)), NOW_NS))
        for account in list(state.accounts.values())[1:]:
            equity_minor = state.summary(account, NOW_NS).equity_minor
            assert account.status is status(equity_minor, account.maintenance_minor, CALL_ONLY)
    assert changes > 10


@pytest.mark.parametrize(("side", "left", "gone"), [(Side.BUY, "1.09001", "1.09000"), (Side.SELL, "1.11019", "1.1102")])
def test_a_trail_moves_with_its_clients_price(side: Side, left: str, gone: str) -> None:
    """100 pips behind a bid of 1.10000 (over an ask of 1.10020): a group that sees all 30 pips lower is as far away.

    So it is after a snapshot, and again after the prices have come back.
    """
    state = trading_state()
    apply(state, SubmitOrder(ACCOUNT, "a", terms("EURUSD", side, "1000", trailing_stop="0.01")), NOW_NS)
    apply(state, DefineGroup(Group(STANDARD, Markup(0, 0, 0, 0, e8("-0.003")))), NOW_NS)
    state, known = restore(snapshot(state)), encoded(state)
    assert encoded(state) == known
    copy = restore(snapshot(state))
    apply(copy, DefineGroup(Group(STANDARD)), NOW_NS)
    for one in (state, copy):
        for seq, price in enumerate((left, gone), 2):
            bid, ask = (price, "1.12") if side is Side.BUY else ("1.08", price)
            events = apply(one, ObserveTicks((tick("EURUSD", bid, ask, seq),)), NOW_NS)
            assert len(events) == (price == gone)


def test_a_class_goes_with_its_last_group() -> None:
    wide, alike = Group("wide", Markup(5, 5)), Group("alike", Markup(5, 5))
    classes = PriceClasses("EURUSD", {"wide": wide, "alike": alike})
    assert classes.of(wide) is classes.of(alike)
    classes.remove(wide)
    assert list(classes.by_markup) == [Markup(5, 5)]
    classes.remove(alike)
    assert not classes.by_markup


def test_a_groups_bid_moves_with_the_markets_ask() -> None:
    """At least 10 pips: with 1.10000/1.10020 the bid is 1.09960. The market's ask alone brings it to a stop loss."""
    state = trading_state()
    apply(state, DefineGroup(Group("wide", Markup(0, 0, e8("0.001")))), NOW_NS)
    apply(state, OpenAccount(2, "USD", group="wide"), NOW_NS)
    command = SubmitOrder(2, "stop", terms("EURUSD", Side.SELL, "1000", OrderType.STOP, stop="1.09950"))
    (accepted,) = apply(state, command, NOW_NS)
    assert isinstance(accepted, OrderAccepted)
    before = apply(state, ObserveTicks((tick("EURUSD", "1.10000", "1.10001", 2),)), NOW_NS)
    assert before == []
    (ended,) = apply(state, ObserveTicks((tick("EURUSD", "1.10000", "1.10000", 3),)), NOW_NS)
    # No money: that it was reached is what matters.
    assert ended.order.order_id == accepted.order.order_id  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "markup",
    [
        Markup(0, 0, -1),
        Markup(0, 0, 0, -1),
        Markup(0, 0, 5, 4),
        Markup(0, 0, 0, 0, 10**12 + 1),
        Markup(-2, 1),
    ],
)
def test_terms_that_contradict_each_other(markup: Markup) -> None:
    assert not markup.is_sound
