"""The index of bands: what a tick finds, what stays in memory, and that no change of status goes unseen."""

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain.money import HALF_EVEN
from actors.domain.money import parse_e8 as e8
from actors.domain.order import Side
from actors.domain.quote import Tick
from actors.domain.risk.band_index import STALE_LIMIT_ENTRIES, Bands, Change
from actors.domain.risk.bands import NO_BOUND, Band, Laid, bands_of
from actors.domain.risk.exposure import Exposure
from actors.domain.risk.margin import (
    closing_price_e8,
    conversion,
    crosses_of,
    open_profit_minor,
    opening_price_e8,
    to_minor,
)
from actors.domain.risk.stop_out import MarginLevels, MarginStatus, bounds, status
from tests.examples import INSTRUMENTS, TICKS, tick

BUY, SELL = Side.BUY, Side.SELL


def band(low: str = "", high: str = "", *, symbol: str = "EURUSD", bid_high: str = "", ask_low: str = "") -> Band:
    return Band(symbol, *(e8(price) if price else NO_BOUND for price in (low, bid_high, ask_low, high)))


def alone(one: Band, reserve_minor: int = 0) -> Laid:
    return Laid((one,), reserve_minor)


def test_a_band_is_left_beyond_its_bound_and_not_at_it() -> None:
    bands = Bands()
    bands.place(1, alone(band(low="1.09")))
    bands.place(2, alone(band(high="1.11")))
    bands.place(3, alone(band(bid_high="1.105")))
    bands.place(4, alone(band(ask_low="1.095")))
    assert bands.reached(tick("EURUSD", "1.09", "1.11")) == []
    assert bands.reached(tick("EURUSD", "1.105", "1.105")) == []
    assert bands.reached(tick("GBPUSD", "0.5", "2")) == []
    assert bands.reached(tick("EURUSD", "1.08999999", "1.09499999")) == [1, 4]
    assert bands.reached(tick("EURUSD", "1.10500001", "1.11000001")) == [2, 3]
    assert len(bands) == 0


def test_accounts_come_once_and_in_order() -> None:
    bands = Bands()
    for account_id in (3, 1, 2):
        bands.place(account_id, alone(band(low=f"1.0{account_id}", ask_low="1.2")))
    falling = tick("EURUSD", "1.00", "1.00001")
    assert (bands.reached(falling), bands.reached(falling)) == ([1, 2, 3], [])


def test_a_new_band_stands_in_place_of_the_old_one() -> None:
    bands = Bands()
    bands.place(1, alone(band(low="1.09")))
    bands.place(1, alone(band(low="1.05")))
    bands.place(2, alone(band(low="1.09")))
    bands.remove(2)
    bands.remove(2)
    bands.place(3, alone(band(low="1.09")))
    bands.place(3, Laid((), 0))
    assert bands.reached(tick("EURUSD", "1.06", "1.06")) == []
    assert bands.reached(tick("EURUSD", "1.04", "1.04")) == [1]


def test_memory_stays_in_proportion() -> None:
    """50 accounts with one bound each, placed a hundred times over: at most twice as many bounds, and a few."""
    bands = Bands()
    for turn in range(100):
        for account_id in range(50):
            bands.place(account_id, alone(band(low=f"1.0{turn:02}")))
            assert bands.bounds_held() <= 2 * 50 + STALE_LIMIT_ENTRIES
    for account_id in range(50):
        bands.remove(account_id)
    assert (len(bands), bands.bounds_held() <= STALE_LIMIT_ENTRIES) == (0, True)


def buying(quantity: str, price: str, symbol: str = "EURUSD") -> Change:
    return Change(symbol, symbol[3:], e8(quantity), e8(quantity) * e8(price), 0, 0)


def test_a_fill_is_taken_from_the_reserve() -> None:
    """1,000 EUR bought at 1.1002 with the lowest bid of the band at 1.09: at worst -10.20 USD. 3.33 more is required,
    0.50 is charged: 14.03 of the 20.00 in reserve, 5.97 are left: not enough for another one, but after a deposit of
    8.06 exactly enough."""
    bands = Bands()
    bands.place(1, alone(band(low="1.09"), 20_00))
    fill = buying("1000", "1.1002")

    def absorbs(balance_minor: int, floor_minor: int) -> bool:
        return bands.absorbs(1, fill, balance_minor, floor_minor, {}, "USD")

    assert absorbs(-50, 3_33)
    assert not absorbs(-50, 3_33)
    nothing = Change("EURUSD", "USD", 0, 0, 0, 0)
    assert bands.absorbs(1, nothing, 8_05, 0, {}, "USD")
    assert not absorbs(-50, 3_33)
    assert bands.absorbs(1, nothing, 1, 0, {}, "USD")
    assert absorbs(-50, 3_33)
    assert not bands.absorbs(1, nothing, -1, 0, {}, "USD")


def test_what_bands_do_not_cover_is_not_absorbed() -> None:
    bands = Bands()
    bands.place(1, alone(band(low="1.09"), 10**9))
    bands.place(2, alone(band(low="1.09"), NO_BOUND))
    bands.place(3, alone(band(low="0.8", symbol="EURGBP"), 10**9))
    selling = Change("EURUSD", "USD", 0, 0, e8("1"), e8("1.1") * e8("1"))
    crosses = crosses_of(INSTRUMENTS)
    asked = [
        (1, buying("1", "1.1")),
        (1, selling),
        (1, buying("1", "1.1", "GBPUSD")),
        (2, buying("1", "1.1")),
        (3, buying("1", "0.88", "EURGBP")),
        (4, buying("1", "1.1")),
    ]
    assert [bands.absorbs(account_id, change, 0, 0, crosses, "USD") for account_id, change in asked] == [
        True,
        False,
        False,
        False,
        False,
        False,
    ]


def test_the_same_question_with_other_crosses_is_answered_anew() -> None:
    """1 EUR bought for 0.88 GBP is worth 0.80 at worst: -0.08 GBP, at the highest ask of 1.25 USD -0.10 USD."""
    bands = Bands()
    bands.place(1, Laid((band(low="0.8", symbol="EURGBP"), band("1.2", "1.25", symbol="GBPUSD")), 20_00))
    fill, crosses = buying("1", "0.88", "EURGBP"), crosses_of(INSTRUMENTS)
    asked = [{}, crosses, crosses, {}]
    assert [bands.reserve_minor(1, fill, table, "USD") for table in asked] == [None, 19_90, 19_90, None]


LEVELS = MarginLevels(e8("1"), e8("0.5"), True)
CROSSES = crosses_of(INSTRUMENTS)
CURRENCIES = {1: "USD", 2: "EUR", 3: "USD", 4: "EUR"}
SYMBOLS = sorted(INSTRUMENTS)
MARGIN_E8 = e8("0.0333")


class Desk:
    """Accounts with positions and a margin of 3.33 %, dealt with as an engine would."""

    def __init__(self) -> None:
        self.market = {it.symbol: it for it in TICKS}
        self.bands = Bands()
        self.exposures: dict[int, dict[str, Exposure]] = {account_id: {} for account_id in CURRENCIES}
        self.lots: dict[int, list[tuple[str, Side, int, int, int]]] = {account_id: [] for account_id in CURRENCIES}
        self.balances = dict.fromkeys(CURRENCIES, 1_000_00)
        self.known: dict[int, MarginStatus] = {}
        self.absorbed = self.replaced = 0

    def margin(self, account_id: int) -> int:
        return sum(lot[4] for lot in self.lots[account_id])

    def exact(self, account_id: int) -> tuple[int, MarginStatus]:
        equity_minor = self.balances[account_id] + open_profit_minor(
            self.exposures[account_id], CROSSES, self.market, CURRENCIES[account_id]
        )
        return equity_minor, status(equity_minor, self.margin(account_id), LEVELS)

    def decide(self, account_id: int) -> None:
        equity_minor, now = self.exact(account_id)
        self.known[account_id] = now
        within = bounds(now, self.margin(account_id), LEVELS)
        exposures, currency = self.exposures[account_id], CURRENCIES[account_id]
        laid = bands_of(exposures, equity_minor, within, INSTRUMENTS, CROSSES, self.market, currency)
        self.bands.place(account_id, laid if exposures else Laid((), 0))

    def observe(self, symbol: str, move: int, spread: int) -> None:
        before = self.market[symbol]
        bid_e8 = max(before.bid_e8 * (100_000 + move) // 100_000, 1)
        ask_e8 = bid_e8 + bid_e8 * spread // 100_000
        self.market[symbol] = now = Tick(symbol, before.seq + 1, 0, bid_e8, ask_e8, "A", "A", True)
        for account_id in self.bands.reached(now):
            self.decide(account_id)

    def fill(self, account_id: int, symbol: str, side: Side, notional: int) -> None:
        """Opens, or with a notional of 0 closes the oldest lot."""
        exposures, lots, currency = self.exposures[account_id], self.lots[account_id], CURRENCIES[account_id]
        before = bounds(MarginStatus.NORMAL, self.margin(account_id), LEVELS).floor_minor or 0
        paid_minor = 0
        if notional:
            quantity_e8 = notional * 10**8 // (60_000 if symbol == "BTCUSD" else 1)
            price_e8 = opening_price_e8(side, self.market[symbol])
            lots.append((symbol, side, quantity_e8, price_e8, notional * 100 * MARGIN_E8 // 10**8))
        elif lots:
            symbol, side, quantity_e8, price_e8, _ = lots.pop(0)
            won_e8 = closing_price_e8(side, self.market[symbol]) - price_e8
            won_e16 = (won_e8 if side is Side.BUY else -won_e8) * quantity_e8
            by = conversion(CROSSES, self.market, INSTRUMENTS[symbol].quote, currency, gain=won_e16 > 0)
            paid_minor = to_minor(won_e16, by, currency, HALF_EVEN)
            quantity_e8 = -quantity_e8
        else:
            return
        self.balances[account_id] += paid_minor
        exposures.setdefault(symbol, Exposure(INSTRUMENTS[symbol].quote)).change(
            side, quantity_e8, quantity_e8 * price_e8
        )
        if exposures[symbol].is_flat:
            del exposures[symbol]
        legs = (quantity_e8, quantity_e8 * price_e8)
        change = Change(symbol, INSTRUMENTS[symbol].quote, *((*legs, 0, 0) if side is BUY else (0, 0, *legs)))
        after = bounds(MarginStatus.NORMAL, self.margin(account_id), LEVELS).floor_minor or 0
        if self.bands.absorbs(account_id, change, paid_minor, after - before, CROSSES, currency):
            self.absorbed += 1
        else:
            self.replaced += 1
            self.decide(account_id)

    def check(self) -> None:
        """Every account's status is what it was when somebody last looked."""
        for account_id, known in self.known.items():
            if self.exposures[account_id]:
                assert self.exact(account_id)[1] is known


FILLS = st.tuples(
    st.sampled_from(sorted(CURRENCIES)), st.sampled_from(SYMBOLS), st.sampled_from(Side), st.integers(0, 8_000)
)
CLOSES = st.tuples(st.sampled_from(sorted(CURRENCIES)), st.sampled_from(SYMBOLS), st.sampled_from(Side), st.just(0))
MOVES = st.tuples(st.sampled_from(SYMBOLS), st.integers(-300, 300) | st.integers(-20_000, 20_000), st.integers(0, 100))


@settings(max_examples=300)
@given(st.lists(FILLS, min_size=1, max_size=12), st.lists(FILLS | CLOSES | MOVES, max_size=60))
def test_no_change_of_status_goes_unseen(
    openings: list[tuple[int, str, Side, int]], steps: list[tuple[int, str, Side, int] | tuple[str, int, int]]
) -> None:
    desk = Desk()
    for step in [*openings, *steps]:
        if len(step) == 4:
            desk.fill(*step)
        else:
            desk.observe(*step)
        desk.check()


def test_most_fills_are_absorbed_and_most_ticks_find_nobody() -> None:
    """A well-funded account deals a hundred times in one symbol while the market moves by some pips: it is placed for
    the first fill, and hardly again."""
    desk = Desk()
    desk.balances[1] = 100_000_00
    for turn in range(100):
        desk.fill(1, "EURUSD", BUY, 1_000 if turn % 2 == 0 else 0)
        desk.observe("EURUSD", turn % 7 - 3, 10)
        desk.check()
    assert (desk.replaced, desk.absorbed) == (1, 99)
