"""The engine under whatever comes, in the order that hypothesis thinks of: watched.py says what must hold."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from actors.domain.commands import Mode, Which
from actors.domain.halt import HaltScope
from actors.domain.order import OrderType, Side, TimeInForce
from tests.properties.trading import Trading

SYMBOLS = st.sampled_from(["EURUSD", "EURUSD", "EURUSD", "USDJPY", "EURGBP", "BTCUSD", "EURJPY", "GBPUSD"])
ACCOUNTS = st.integers(1, 4)
SIDES = st.sampled_from(Side)
SHIFTS = st.integers(-30, 30)
SPREADS = st.integers(0, 30)
PICKS = st.integers(0, 50)
DISTANCES = st.integers(1, 25)
MAYBE = st.one_of(st.just(0), DISTANCES)
PROTECTIONS = st.tuples(MAYBE, MAYBE, MAYBE)
PRICES = st.tuples(SHIFTS, SHIFTS, DISTANCES)
MARKS = st.sampled_from(["", "", "pair", "other"])
FORCES = st.sampled_from([TimeInForce.GTC] * 3 + list(TimeInForce))
SELDOM = st.sampled_from([False, False, True])
CURRENCIES = st.sampled_from(["USD", "EUR", "CHF"])


class Engine(RuleBasedStateMachine, Trading):
    sent = Bundle("sent")

    begin = initialize()(Trading.start)
    open_account = rule(account_id=st.integers(1, 6), currency=CURRENCIES, mode=st.sampled_from(Mode))(
        Trading.open_account
    )
    deposit = rule(
        account_id=st.integers(1, 6), amount_minor=st.integers(-1, 1_000_000), key=st.sampled_from("abcdefghij")
    )(Trading.deposit)
    withdraw = rule(account_id=ACCOUNTS, left_minor=st.integers(-1, 10_000))(Trading.withdraw)
    grant_credit = rule(account_id=ACCOUNTS, amount_minor=st.integers(-20_000, 50_000))(Trading.grant_credit)
    adjust = rule(account_id=ACCOUNTS, amount_minor=st.integers(-20_000, 20_000))(Trading.adjust)
    define_group = rule(which=st.integers(0, 9))(Trading.define_group)
    assign_group = rule(account_id=ACCOUNTS, which=PICKS)(Trading.assign_group)
    set_limits = rule(account_id=ACCOUNTS, which=st.integers(0, 5))(Trading.set_limits)
    halt = rule(scope=st.sampled_from(HaltScope), symbol=SYMBOLS)(Trading.halt)
    resume = rule(which=PICKS)(Trading.resume)
    resume_too = rule(which=PICKS)(Trading.resume)
    change_instrument = rule(symbol=SYMBOLS, which=PICKS)(Trading.change_instrument)
    request_money = rule(account_id=ACCOUNTS, amount_minor=st.integers(-50_000, 50_000))(Trading.request_money)
    decide_request = rule(which=PICKS, approves=st.booleans())(Trading.decide_request)
    define_holidays = rule(
        currency=st.sampled_from(["USD", "EUR", "JPY"]), ahead=st.lists(st.integers(0, 14), max_size=6)
    )(Trading.define_holidays)
    move = rule(symbol=SYMBOLS, shift=SHIFTS, spread=SPREADS, skip=st.integers(1, 3))(Trading.move)
    step = rule(symbol=SYMBOLS, shift=st.integers(-4, 4), spread=SPREADS)(Trading.step)
    lose_all_lps = rule(symbol=SYMBOLS, shift=SHIFTS)(Trading.lose_all_lps)
    come_late = rule(symbol=SYMBOLS, shift=SHIFTS, back=st.integers(0, 3))(Trading.come_late)
    reach = rule(which=PICKS, spread=st.integers(0, 3), beyond=st.integers(-3, 3))(Trading.reach)
    miss_a_tick = rule(behind=st.lists(SYMBOLS, max_size=1))(Trading.miss_a_tick)
    time_passes = rule(seconds=st.sampled_from([1, 2, 3, 4, 20_000]), silent=SELDOM)(Trading.time_passes)
    at_the_market = rule(
        target=sent,
        account_id=ACCOUNTS,
        symbol=SYMBOLS,
        side=SIDES,
        size=st.integers(1, 10),
        protections=PROTECTIONS,
        reduce_only=SELDOM,
    )(Trading.submit)
    to_wait = rule(
        target=sent,
        account_id=ACCOUNTS,
        symbol=SYMBOLS,
        side=SIDES,
        kind=st.sampled_from([kind for kind in OrderType if kind is not OrderType.MARKET]),
        prices=PRICES,
        protections=PROTECTIONS,
        force=FORCES,
        reduce_only=SELDOM,
        oco=MARKS,
    )(Trading.submit_waiting)
    anything = rule(target=sent, symbol=SYMBOLS, side=SIDES, size=st.integers(0, 1_000), price=st.integers(-25, 25))(
        Trading.submit_anything
    )
    modify_order = rule(
        which=PICKS, change=st.sampled_from(["price", "quantity", "force", "oco", "back"]), prices=PRICES
    )(Trading.modify_order)
    cancel_order = rule(which=PICKS)(Trading.cancel_order)
    modify_position = rule(which=PICKS, protections=PROTECTIONS, trail_only=st.booleans())(Trading.modify_position)
    close_one = rule(target=sent, which=PICKS, quarters=st.integers(0, 4))(Trading.close)
    close_two = rule(target=sent, which=PICKS, other=PICKS)(Trading.close_by)
    close_all = rule(
        target=sent, account_id=ACCOUNTS, which=st.sampled_from(Which), symbol=st.one_of(st.just(""), SYMBOLS)
    )(Trading.close_many)
    turn_round = rule(target=sent, which=PICKS)(Trading.reverse)
    repeat = rule(command=sent)(Trading.repeat)
    reuse_an_id = rule(command=sent)(Trading.reuse_an_id)
    restart_from_a_snapshot = rule()(Trading.restart_from_a_snapshot)
    restart_from_the_journal = rule()(Trading.restart_from_the_journal)

    def teardown(self) -> None:
        if hasattr(self, "told"):
            self.check_replay()


Engine.TestCase.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
TestEngine = Engine.TestCase
