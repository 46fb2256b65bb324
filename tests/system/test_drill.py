"""The fault drill. Whatever an LP, a wire or a process does, no published price is crossed, older than the limit, or of
an LP in quarantine: tests/system/drill.py checks each tick. Here is what the operator sees of it.

The names of the tests are the faults in docs/operations.md.
"""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actors.domain.prices.lp_registry import DisableLp, EnableLp
from tests.system.drill import BEST, Drill
from tests.system.drill_aggregator import HOLD_MS
from tests.system.lps import QUIET, Lps
from tools.venues.oanda.price_faults import PriceFaults

HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def running(private_folder: Path) -> Iterator[Drill]:
    folder = private_folder / "drill"
    folder.mkdir()
    with Lps() as lps, Drill(folder, lps) as drill:
        yield drill


@pytest.fixture
def drill(running: Drill) -> Iterator[Drill]:
    """With all well before the fault, and again after it."""
    running.lps.quote_quietly()
    running.until(running.well)
    running.ticks.clear()
    yield running
    for lp in running.lps.lps.values():
        lp.wire.cut, lp.wire.lag_s = None, 0.0
        lp.shifts.clear()
        if lp.name != "COIN":
            lp.venue.price_faults = PriceFaults()
    running.lps["COIN"].venue.faults.silent = False
    running.until(running.well)


def more(drill: Drill, lp: str, *reasons: str, count: int = 1) -> Callable[[], bool]:
    """Whether the LP's counters of all of these reasons have risen by so much since now."""
    before = drill.dropped(lp)
    return lambda: all(drill.dropped(lp).get(it, 0) >= before.get(it, 0) + count for it in reasons)


def disconnected(drill: Drill, lp: str, why: str) -> Callable[[], bool]:
    return lambda: not drill.told(lp).connected and why in drill.told(lp).detail and not drill.lp(lp).connected


def test_half_open_connection(drill: Drill) -> None:
    for name, why in (("FIRST", "silent for longer than the limit"), ("COIN", "keepalive ping timeout")):
        drill.lps[name].wire.cut = b""
        drill.until(disconnected(drill, name, why))
        drill.until(lambda why=why: why in drill.log("feeds"))  # type: ignore[misc]
    assert (drill.source("EURUSD"), drill.source("AUDUSD"), drill.source("BTCUSD")) == ("SECOND", "", "")
    for name in ("FIRST", "COIN"):
        drill.lps[name].wire.cut = None
        drill.renew(name)


def test_silent_stream(drill: Drill) -> None:
    """OANDA's heartbeats show it; Binance has none, and its prices become stale."""
    stale = more(drill, "COIN", "stale")
    drill.lps["COIN"].venue.faults.silent = True
    drill.lps["FIRST"].venue.price_faults.silent = True
    drill.until(disconnected(drill, "FIRST", "silent for longer than the limit"))
    drill.until(stale)
    assert (drill.told("COIN").connected, drill.source("BTCUSD"), drill.source("EURUSD")) == (True, "", "SECOND")
    drill.renew("FIRST")


def test_silent_symbol(drill: Drill) -> None:
    stale = more(drill, "FIRST", "stale")
    drill.lps["FIRST"].venue.price_faults.unpriced = {"AUD_USD"}
    drill.until(stale)
    drill.until(lambda: drill.source("AUDUSD") == "")
    assert (drill.told("FIRST").connected, drill.source("EURUSD")) == (True, "FIRST")


def test_slow_stream(drill: Drill) -> None:
    """OANDA dates its prices; Binance does not, and its pongs are late."""
    old = more(drill, "FIRST", "old", "quarantined")
    drill.lps["FIRST"].wire.lag_s = drill.lps["COIN"].wire.lag_s = 1.4
    drill.until(disconnected(drill, "COIN", "keepalive ping timeout"))
    drill.until(lambda: {"EURUSD", "AUDUSD"} <= set(drill.lp("FIRST").quarantined))
    assert (drill.source("EURUSD"), drill.source("AUDUSD")) == ("SECOND", "")
    drill.lps["FIRST"].wire.lag_s = drill.lps["COIN"].wire.lag_s = 0.0
    drill.until(old)
    drill.renew("COIN")


def test_reconnect_storm(drill: Drill) -> None:
    faults = drill.lps["FIRST"].venue.price_faults
    begun = time.monotonic()
    faults.cut_streams, faults.refused_streams = 1_000, 4
    drill.lps.cut("FIRST")
    drill.until(disconnected(drill, "FIRST", "HTTP 503: the LP is out of order"))
    drill.until(lambda: faults.connections["cut"] >= 3)
    passed_s = time.monotonic() - begun
    assert faults.connections.total() <= 2 + 2 * passed_s
    assert drill.source("EURUSD") == "SECOND"
    faults.cut_streams = 0
    drill.renew("FIRST")


def test_garbage_frames(drill: Drill) -> None:
    seen = [more(drill, name, "bad_json", count=20) for name in ("FIRST", "COIN")]
    connections = drill.told("FIRST").streams[0].connections
    drill.lps["FIRST"].venue.price_faults.garbage_lines = drill.lps["COIN"].venue.faults.garbage_frames = 20
    drill.until(lambda: all(it() for it in seen))
    assert (drill.source("EURUSD"), drill.told("FIRST").streams[0].connections) == ("FIRST", connections)


def test_wrong_symbol(drill: Drill) -> None:
    """Under a name that was not asked for, and one symbol's prices under another's name."""
    unknown = more(drill, "FIRST", "unknown_symbol")
    faults = drill.lps["FIRST"].venue.price_faults
    faults.names = {"AUD_USD": "XAU_USD"}
    drill.until(unknown)
    drill.until(lambda: drill.source("AUDUSD") == "")
    off_market = more(drill, "FIRST", "off_market")
    faults.names = {"EUR_USD": "GBP_USD"}
    drill.until(off_market)
    drill.until(lambda: "GBPUSD" in drill.lp("FIRST").quarantined and drill.source("GBPUSD") == "SECOND")


def test_price_in_a_new_precision(drill: Drill) -> None:
    seen = more(drill, "FIRST", "precision")
    drill.lps["FIRST"].venue.price_faults.more_digits = "5"
    drill.until(seen)
    drill.until(lambda: sorted(drill.lp("FIRST").quarantined) == ["AUDUSD", "EURUSD", "GBPUSD"])
    assert (drill.source("EURUSD"), drill.source("AUDUSD")) == ("SECOND", "")


@pytest.mark.parametrize(("ahead_ms", "reason"), [(HOUR_MS, "future"), (-HOUR_MS, "old")])
def test_clock_an_hour_off(drill: Drill, ahead_ms: int, reason: str) -> None:
    seen = more(drill, "FIRST", reason)
    drill.lps["FIRST"].venue.price_faults.clock_ahead_ms = ahead_ms
    drill.until(seen)
    drill.until(lambda: {"EURUSD", "AUDUSD"} <= set(drill.lp("FIRST").quarantined))
    ahead_ns = drill.lp("FIRST").clock_ahead_ns
    assert ahead_ns is not None
    if ahead_ms > 0:
        assert round(ahead_ns / 3.6e12, 2) == 1
    assert (drill.source("EURUSD"), drill.source("AUDUSD")) == ("SECOND", "")


def test_flapping_priority_lp(drill: Drill) -> None:
    connections = drill.told("FIRST").streams[0].connections
    for flap in range(1, 4):
        drill.lps.cut("FIRST")
        drill.until(lambda flap=flap: drill.told("FIRST").streams[0].connections >= connections + flap)  # type: ignore[misc]
    leaders = [tick.lp_bid for tick in drill.ticks if tick.symbol == "GBPUSD" and tick.live]
    first_loss = leaders.index("SECOND")
    back = leaders.index("FIRST", first_loss) if "FIRST" in leaders[first_loss:] else len(leaders)
    held = [tick for tick in drill.ticks if tick.symbol == "GBPUSD" and tick.live][first_loss:back]
    assert held[-1].time_ns - held[0].time_ns >= min(HOLD_MS, 500) * 1_000_000
    drill.renew("FIRST")
    drill.until(drill.well)


def test_dead_stream_beside_a_living_one(drill: Drill) -> None:
    drill.lps["FIRST"].venue.price_faults.unpriced = {"GBP_USD"}
    drill.until(lambda: drill.source("GBPUSD") == "SECOND")
    drill.lps["SECOND"].wire.cut = b"GBP_USD"
    drill.until(lambda: drill.told("SECOND").detail.startswith("1 of 3 streams: silent for longer than the limit"))
    drill.until(lambda: drill.source("GBPUSD") == "")
    assert drill.told("SECOND").connected
    assert (drill.source(QUIET), drill.lp("SECOND").connected) == ("SECOND", True)
    drill.lps["SECOND"].wire.cut = None
    drill.renew("SECOND")


def test_lp_that_returns_after_quarantine(drill: Drill) -> None:
    spiked, quarantined = more(drill, "FIRST", "spike", count=3), more(drill, "FIRST", "quarantined", count=2)
    drill.lps["FIRST"].shifts["AUDUSD"] = 5
    drill.until(lambda: drill.lp("FIRST").quarantined == ["AUDUSD"] and drill.source("AUDUSD") == "")
    drill.until(spiked)
    drill.lps["FIRST"].shifts.clear()
    drill.until(quarantined)
    drill.until(lambda: drill.source("AUDUSD") == "FIRST" and drill.lp("FIRST").quarantined == [])


def test_stalled_feed(drill: Drill) -> None:
    """What Binance said meanwhile has no date, and waits in the socket."""
    stalled = more(drill, "COIN", "stalled")
    feed = drill.feed("COIN")
    feed.send_signal(signal.SIGSTOP)
    drill.until(lambda: drill.source("BTCUSD") == "" and not drill.lp("COIN").connected)
    drill.watch(1.5)
    feed.send_signal(signal.SIGCONT)
    drill.until(stalled)
    drill.until(lambda: "event=stalled" in drill.log("feeds"))


def test_stalled_aggregator(drill: Drill) -> None:
    """Quotes waited for it; the quiet symbol, which nobody quotes anew, has its price again all the same."""
    aggregator = drill.aggregator()
    aggregator.send_signal(signal.SIGSTOP)
    time.sleep(4)
    aggregator.send_signal(signal.SIGCONT)
    drill.until(lambda: [tick for tick in drill.ticks if tick.symbol == QUIET and tick.live])
    assert [tick.live for tick in drill.ticks if tick.symbol == QUIET] == [False, True]
    drill.until(lambda: "stalled=1" in drill.log("aggregator") or '"stalled": 1' in drill.log("aggregator"))


def test_restarted_aggregator(drill: Drill) -> None:
    """Its clock was set back: tick numbers rise all the same, and the quiet symbol is priced again."""
    for ahead_ms in (-2_000, 0):
        drill.restart_aggregator(ahead_ms)
        drill.ticks.clear()
        drill.until(lambda: {tick.symbol for tick in drill.ticks if tick.live} == BEST.keys())
        drill.may_skip = False
        drill.until(drill.well)


def test_registry_change_in_mid_flow(drill: Drill) -> None:
    """An LP leaves and comes back; the others' prices go on, number by number."""
    drill.change(DisableLp(by="drill", name="FIRST"))
    drill.until(lambda: drill.source("EURUSD") == "SECOND")
    drill.ticks.clear()
    drill.until(lambda: sum(tick.symbol == "EURUSD" for tick in drill.ticks) >= 10)
    assert {tick.lp_bid for tick in drill.ticks if tick.symbol == "EURUSD"} == {"SECOND"}
    drill.change(EnableLp(by="drill", name="FIRST"))
    drill.until(lambda: drill.source("EURUSD") == "FIRST")
