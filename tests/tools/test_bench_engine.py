"""The engine's benchmarks, small: what they report, and that a wrong result makes them fail. Speed is not asserted."""

from pathlib import Path

import pytest

from actors.bus.pump import Inbox
from tools.bench import book, order_latency, stop_out_latency, tick_cost
from tools.bench.orders_chain import Dealt
from tools.bench.result import Spoiled
from tools.bench.stop_out_latency import Watched


def silent(_: str) -> None:
    pass


def one_short_client(folder: Path, orders: int, orders_per_second: int) -> Dealt:
    """Believes that it had one more order filled than it sent."""
    dealt = order_latency.client(folder, orders - 1, orders_per_second)
    return dealt._replace(fills=orders, latencies_ns=[*dealt.latencies_ns, 1])


def test_order_latency_is_of_orders_at_the_rate_offered(tmp_path: Path) -> None:
    told = order_latency.measure(tmp_path, silent, orders=300, orders_per_second=1_000, rounds=1).as_json()
    assert (told["name"], told["unit"], told["orders"]) == ("order_latency", "µs p99", 300)
    assert told["value"] == told["p99_us"] >= told["p50_us"] > 0
    assert told["peer_value"] >= told["peer_p50_us"] > 0
    assert 0 < told["dealt_per_second"] <= 1_100
    assert list(tmp_path.iterdir()) == []


def test_an_order_that_is_missing_spoils_order_latency(tmp_path: Path) -> None:
    with pytest.raises(Spoiled, match="of 310 fills that were acknowledged the journal has 309"):
        order_latency.measure(tmp_path, silent, orders=300, orders_per_second=1_000, rounds=1, client=one_short_client)


def test_tick_cost_tells_of_each_size(tmp_path: Path) -> None:
    told = tick_cost.measure(tmp_path, silent, positions=(20, 60, 300), ticks=90, rounds=2).as_json()
    assert (told["name"], told["unit"], told["positions"], told["symbols"]) == ("tick_cost", "µs per tick", 300, 30)
    assert min(told["us_at_20"], told["us_at_60"], told["us_at_300"]) > 0
    assert told["value"] == min(told["values"])
    assert list(tmp_path.iterdir()) == []


def test_a_tick_that_triggers_something_spoils_tick_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tick_cost, "STEP_SHARE", 500)
    with pytest.raises(Spoiled, match="events came of ticks that reach nothing"):
        tick_cost.measure(tmp_path, silent, positions=(20, 60), ticks=4_000, rounds=1)


def test_a_status_that_a_tick_should_have_changed_spoils(tmp_path: Path) -> None:
    journal = book.journal_at(tmp_path)
    told = book.opened(journal, {1: (1_000_00, list(book.ordinary(1)))}, 1)
    book.check_statuses(told.state)
    symbol = next(iter(told.state.accounts[1].exposures))
    bid_e8 = book.bid_e8(symbol)
    held = told.state.accounts[1].exposures[symbol]
    told.state.ticks[symbol] = book.tick(symbol, 2, 2, bid_e8 // 1_000 if held.long_e8 else bid_e8 * 1_000)
    with pytest.raises(Spoiled, match="account 1 is not normal"):
        book.check_statuses(told.state)
    told.engine.on_receive(Inbox(2, {}))
    journal.close()


def test_stop_outs_are_those_that_had_to_be(tmp_path: Path) -> None:
    told = stop_out_latency.measure(tmp_path, silent, positions=1_000, ticks=600, rounds=1).as_json()
    assert (told["name"], told["unit"], told["accounts"]) == ("stop_out_latency", "µs p99", 100)
    assert told["stop_outs"] >= told["stopped_out_accounts"] == 6
    assert told["value"] == told["p99_us"] >= told["p50_us"] > 0
    assert list(tmp_path.iterdir()) == []


def test_a_stop_out_that_is_missing_late_or_too_many_spoils() -> None:
    wanted = {10: ("EURUSD", 3), 20: ("GBPUSD", 5)}
    stop_out_latency.check(Watched(dict(wanted), []), wanted)
    for first, counts in (
        ({10: ("EURUSD", 3)}, "1 stop-outs are missing, 0 too many, 0 "),
        ({**wanted, 30: ("AUDUSD", 4)}, "0 stop-outs are missing, 1 too many, 0 "),
        ({**wanted, 20: ("GBPUSD", 6)}, "0 stop-outs are missing, 0 too many, 1 "),
    ):
        with pytest.raises(Spoiled, match=counts):
            stop_out_latency.check(Watched(first, []), wanted)
