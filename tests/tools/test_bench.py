"""The benchmarks, small: what they report, and that what is lost or wrong makes them fail. Speed is not asserted."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from actors.bus import topics
from actors.bus.pump import Inbox, Outbox, Stop
from actors.domain.state import State
from tools.bench import __main__ as bench
from tools.bench import (
    binance_frames,
    binance_parse,
    market,
    orders,
    orders_chain,
    quote_latency,
    quotes,
    quotes_chain,
    recovery,
    replay,
    report,
    ws_chain,
    ws_clients,
    ws_fanout,
    ws_idle,
)
from tools.bench.child import Child
from tools.bench.orders_chain import Dealt
from tools.bench.quote_latency import Times
from tools.bench.quotes_chain import Heard
from tools.bench.registry import MEASUREMENTS
from tools.bench.result import Measurement, Result, Rounds, Run, Spoiled, in_turns

QUOTES = 10_000
ORDERS = 700


class LosingAggregator(quotes_chain.ReportingAggregator):
    """Forgets one frame of ticks, once all symbols have had some."""

    has_lost = False

    def on_receive(self, message: Inbox | Stop) -> Outbox:
        outbox = super().on_receive(message)
        ticks = [place for place, (_, (frame, *_)) in enumerate(outbox) if frame.startswith(topics.TICK_PREFIX)]
        if ticks and not self.has_lost and self.market.records["LP0"].quotes > 500:
            self.has_lost = True
            del outbox[ticks[0]]
        return outbox


def losing_aggregator(folder: Path) -> quotes_chain.Stood:
    quotes_chain.ReportingAggregator = LosingAggregator  # type: ignore[misc]
    return quotes_chain.aggregator(folder)


def one_short_client(folder: Path, count: int, window_orders: int) -> Dealt:
    """Believes that it had one more order filled than it sent."""
    dealt = orders_chain.client(folder, count - 1, window_orders)
    return dealt._replace(fills=count, latencies_ns=[*dealt.latencies_ns, 1])


def broken() -> None:
    raise Spoiled("on purpose")


def doubled(number: int) -> int:
    return 2 * number


def silent(_: str) -> None:
    pass


def test_quotes_all_arrive(tmp_path: Path) -> None:
    told = quotes.measure(tmp_path, silent, quotes=QUOTES, rounds=1).as_json()
    assert list(told)[:6] == ["name", "value", "unit", "peer", "peer_value", "ratio"]
    assert (told["name"], told["unit"], told["quotes"]) == ("quotes", "quotes/s", QUOTES)
    assert (told["lps"], told["symbols"]) == (5, 30)
    assert told["value"] > 0 < told["peer_value"]
    assert 0 < told["ticks"] < QUOTES
    assert told["aggregator_peak_rss_mib"] > 0
    assert list(tmp_path.iterdir()) == []


def test_a_lost_frame_of_ticks_spoils_quotes(tmp_path: Path) -> None:
    """The next frame of the symbol shows it; where there is none, the last price."""
    with pytest.raises(Spoiled, match=r"there are 1 breaks in a sequence of ticks|is not the best of the last quotes"):
        quotes.measure(tmp_path, silent, quotes=QUOTES, rounds=1, aggregator=losing_aggregator)


def test_what_the_subscriber_must_have_heard() -> None:
    """Each LP has quoted 16 symbols three times and the other 14 twice, after the opening."""
    tops = {}
    for number, symbol in enumerate(market.thirty()):
        turn = 3 if number < 16 else 2
        prices = [quotes_chain.prices_e8(place, symbol, turn) for place in range(5)]
        tops[symbol] = max(bid for bid, _ in prices), min(ask for _, ask in prices)
    heard, stood = Heard(end_ns=1, ticks=72, gaps=0, tops_e8=tops), quotes_chain.Stood(1, 1, 0)
    quotes.check(heard, stood, 76)
    for wrong in (heard._replace(gaps=1), heard._replace(tops_e8={**tops, "EURUSD": (1, 2)})):
        with pytest.raises(Spoiled):
            quotes.check(wrong, stood, 76)
    with pytest.raises(Spoiled):
        quotes.check(heard, quotes_chain.Stood(1, 1, 1), 76)


def test_each_quote_has_a_latency(tmp_path: Path) -> None:
    told = quote_latency.measure(tmp_path, silent, quotes=600, rounds=1).as_json()
    assert (told["name"], told["unit"], told["quotes_per_second"]) == ("quote_latency", "µs p99", 1_000)
    assert 0 < told["p50_us"] <= told["p99_us"]
    assert told["peer_value"] > 0
    with pytest.raises(Spoiled, match="1 of 100 quotes have not come through"):
        quote_latency.latencies_ns(Times({}), Times(dict.fromkeys(range(599), 1)), 600)


def test_orders_are_filled_and_recovered(tmp_path: Path) -> None:
    told = orders.measure(tmp_path, silent, orders=ORDERS, window_orders=64, rounds=1).as_json()
    assert list(told)[:6] == ["name", "value", "unit", "peer", "peer_value", "ratio"]
    assert (told["name"], told["unit"], told["orders"], told["window_orders"]) == ("orders", "orders/s", ORDERS, 64)
    assert 0 < told["p50_us"] <= told["p99_us"]
    assert told["commits"] >= ORDERS / 64
    assert told["peer_value"] > 0
    assert list(tmp_path.iterdir()) == []


def test_an_acknowledged_order_that_the_journal_lacks_spoils_orders(tmp_path: Path) -> None:
    with pytest.raises(Spoiled, match="of 210 fills that were acknowledged the journal has 209"):
        orders.measure(tmp_path, silent, orders=200, window_orders=64, rounds=1, client=one_short_client)


def test_what_the_journal_must_hold() -> None:
    state = State()
    state.last_fill_id = 12
    dealt = Dealt(1.0, fills=12, unlike=0, opening_fills=0, latencies_ns=[], holdings={})
    with pytest.raises(Spoiled, match="not a position for each of 12 fills"):
        orders.check(dealt, state, 12)
    with pytest.raises(Spoiled, match="of 12 orders 11 were filled, 1 had another answer"):
        orders.check(dealt._replace(fills=11, unlike=1), state, 12)
    with pytest.raises(Spoiled, match="what the journal says of the accounts"):
        orders.check(dealt._replace(holdings={1: orders_chain.Holding(1, 0, 0, 0)}), state, 12)
    state.ledger._balances[("client:1", "USD")] = 1
    with pytest.raises(Spoiled, match="the ledger does not sum to zero"):
        orders.check(dealt, state, 12)


def test_a_journal_is_done_again(tmp_path: Path) -> None:
    told = replay.measure(tmp_path, silent, orders=700, rounds=1).as_json()
    assert (told["name"], told["unit"], told["orders"]) == ("replay", "inputs/s", 700)
    assert told["inputs"] > 700
    assert told["value"] > 0 < told["peer_value"]
    assert list(tmp_path.iterdir()) == []


def test_a_journal_is_recovered(tmp_path: Path) -> None:
    told = recovery.measure(tmp_path, silent, orders=700, snapshot_at=500, rounds=1).as_json()
    assert (told["name"], told["unit"], told["orders"], told["snapshot_at"]) == ("recovery", "orders/s", 700, 500)
    assert 0 < told["hash_ms"] + 1 <= told["restart_ms"] + 1
    assert told["peer_value"] > 0
    assert list(tmp_path.iterdir()) == []


def test_a_recovered_state_that_is_another_spoils_recovery(tmp_path: Path) -> None:
    journal = tmp_path / "engine.sqlite"
    recovery.write(journal, 100, 50)
    with pytest.raises(Spoiled, match="another state was recovered"):
        recovery._ours(journal, 100, "another")


def test_ours_and_the_peer_take_turns_and_the_best_of_each_counts() -> None:
    calls: list[str] = []

    def run(name: str, speeds: Iterator[int]) -> Run:
        calls.append(name)
        return Run(next(speeds), 2.0, {f"{name}_extra": len(calls)})

    ours, peer = iter([20, 60, 40]), iter([200, 100, 300])
    runs = in_turns("x", 3, lambda: run("ours", ours), lambda: run("peer", peer), calls.append)
    assert calls[:4] == ["x: round 1 of 3, ours", "ours", "x: round 1 of 3, the peer", "peer"]
    assert runs.result("x", "x/s", "a peer", {"size": 1}).as_json() == {
        "name": "x",
        "value": 30,
        "unit": "x/s",
        "peer": "a peer",
        "peer_value": 150,
        "ratio": 0.2,
        "size": 1,
        "ours_extra": 6,
        "peer_extra": 12,
        "values": [10, 30, 20],
        "peer_values": [100, 50, 150],
    }
    middle = runs.middle("x", "x/s", "a peer", {})
    assert (middle.value, middle.peer_value, middle.extra["ours_extra"]) == (20, 100, 10)


def test_a_child_reports_what_its_function_returns() -> None:
    with Child(doubled, 21) as child:
        assert child.report(int, 30) == 42


def test_a_child_that_fails_spoils_the_result(capfd: pytest.CaptureFixture[str]) -> None:
    with Child(broken) as child, pytest.raises(Spoiled, match="broken failed"):
        child.report(object, 30)
    assert "on purpose" in capfd.readouterr().err


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """One quick measurement in the place of the real ones, and a run directory of its own."""

    def run(folder: Path, say: Any) -> Result:
        assert folder.parent == tmp_path
        say("working")
        return Rounds([Run(1500, 1.0, {"p50_us": 1200})], [Run(3000, 1.0, {})]).result("quick", "x/s", "a peer", {})

    def fail(folder: Path, say: Any) -> Result:
        raise Spoiled("one is missing")

    monkeypatch.setenv("HEDGEROW_RUN_DIR", str(tmp_path))
    monkeypatch.setitem(MEASUREMENTS, "quick", Measurement("What quick is.", run))
    monkeypatch.setitem(MEASUREMENTS, "bad", Measurement("What bad is.", fail))
    for name in [name for name in MEASUREMENTS if name not in ("quick", "bad")]:
        monkeypatch.delitem(MEASUREMENTS, name)
    return tmp_path


def test_the_command_prints_a_table_and_writes_json(registry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["quick", "--json", str(registry / "out.json")]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["measurement", "value", "peer", "ratio", "all", "rounds", "the", "peer's", "latency"]
    assert " ".join(table[1].split()) == "quick 1,500 x/s 3,000 x/s, a peer 0.500 2k 3k p50 1.2 ms"
    (told,) = json.loads((registry / "out.json").read_text(encoding="utf-8"))
    assert (told["name"], told["value"], told["peer_value"], told["ratio"]) == ("quick", 1500, 3000, 0.5)


def test_a_spoiled_result_fails_the_command_and_nothing_is_written(
    registry: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(["quick", "bad", "--json", str(registry / "out.json")]) == 1
    assert capsys.readouterr() == ("", "bench: bad does not count: one is missing\n")
    assert not (registry / "out.json").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["quick", "nope"], "bench: there is no measurement 'nope'; there are: quick, bad\n"),
        (["quick", "--markdown", "x"], "bench: --markdown writes the page of all measurements: give no names\n"),
    ],
)
def test_a_wrong_command_line_is_refused_in_one_line(
    registry: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    with pytest.raises(SystemExit) as end:
        bench.main(arguments)
    assert (end.value.code, capsys.readouterr().err) == (2, line)


def test_the_page_has_the_table_the_machine_and_what_each_measurement_is(registry: Path) -> None:
    result = MEASUREMENTS["quick"].run(registry / "x", silent)
    page = report.markdown([result], MEASUREMENTS, "a machine", date(2026, 1, 2)).splitlines()
    assert page[0] == "# Benchmarks"
    assert "2026-01-02, on a machine." in page
    assert "| quick | 1,500 x/s | 3,000 x/s, a peer | 0.500 | 2k | 3k | p50 1.2 ms |" in page
    assert page[-3:] == ["## quick", "", "What quick is."]
    assert report.machine().count(", ") >= 2


def test_frames_are_parsed_and_each_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SHARED", str(tmp_path))
    told = binance_parse.measure(tmp_path, silent, frames=1_500, rounds=1).as_json()
    assert (told["name"], told["unit"], told["frames"]) == ("binance_parse", "frames/s", 1_500)
    assert (told["recorded"], told["different_frames"]) == (False, binance_frames.MADE_FRAMES)
    assert told["peer"].startswith(("cryptofeed ", "a bare msgspec decode"))
    assert told["new_numbers_per_s"] > 0
    assert list(tmp_path.iterdir()) == []


def test_a_frame_that_gives_another_quote_spoils_binance_parse() -> None:
    frames = binance_frames.repeated(binance_frames.made()[:10], 20)
    binance_parse.check(frames)
    with pytest.raises(Spoiled, match="not the quote of the frame"):
        binance_parse.check([*frames, frames[-1]])


def test_renewed_frames_repeat_no_number() -> None:
    frames = binance_frames.renewed(binance_frames.made()[:1], 100)
    books = [json.loads(frame)["data"] for frame in frames]
    assert all(len({book[name] for book in books}) == 100 for name in "ubBaA")


def test_quotes_reach_many_clients_and_each_fill_its_account(tmp_path: Path) -> None:
    result = ws_fanout.measure(tmp_path, lambda _: None, clients=120, seconds=2, rounds=1, least_share=0.001)
    assert (result.name, result.unit, result.extra["clients"]) == ("ws_fanout", "frames/CPU s", 120)
    assert result.extra["account_fills"] > 0
    assert result.extra["p99_us"] >= result.extra["p50_us"] > 0


def test_frames_that_were_due_and_did_not_come_spoil_the_fan_out() -> None:
    due = ws_chain.FRAMES_PER_SECOND
    ws_fanout.check(ws_clients.Told(due, due, 1.0, 0.5, [], {}, 0, ""), ws_chain.Played({}), 1)
    with pytest.raises(Spoiled, match="frames of quotes came"):
        ws_fanout.check(ws_clients.Told(due, due // 2, 1.0, 0.5, [], {}, 0, ""), ws_chain.Played({}), 1)


@pytest.mark.parametrize("told", [{1: 2}, {1: 4}, {}])
def test_a_fill_that_was_not_told_spoils_the_fan_out(told: dict[int, int]) -> None:
    heard = ws_clients.Told(1_000, 1_000, 1.0, 0.5, [], told, 0, "")
    with pytest.raises(Spoiled, match="of 3 fills"):
        ws_fanout.check(heard, ws_chain.Played({1: 3}), 1)


def test_sockets_that_follow_nothing_cost_memory(tmp_path: Path) -> None:
    result = ws_idle.measure(tmp_path, lambda _: None, sockets=200)
    assert (result.extra["sockets"], result.unit) == (200, "bytes/socket")
