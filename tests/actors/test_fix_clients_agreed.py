"""What is agreed about a session, kept by the real process: certificates, hours, its account, its orders' end."""

import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from actors.domain.commands import Deposit, OpenAccount
from gateway.fix.tls import client_context
from tests.actors.clients.floor import PATIENCE_S, SESSIONS, Floor, Trader, picked
from tests.certificates import make

OPEN_S, CLOSED_S = 8, 5


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("certificates"), "localhost", "client", "other")


@pytest.fixture(scope="module")
def floor(private_folder: Path) -> Iterator[Floor]:
    folder = private_folder / "agreed"
    folder.mkdir()
    with Floor(folder) as floor:
        yield floor


def test_only_a_client_with_its_certificate_gets_in(floor: Floor, certificates: Path) -> None:
    files = {name: certificates / name for name in ("localhost.pem", "localhost.key", "client.pem")}
    floor.agree(
        SESSIONS.replace(
            "tls = false",
            f'certificate = "{files["localhost.pem"]}"\nkey = "{files["localhost.key"]}"\n'
            f'client_ca = "{files["client.pem"]}"',
        )
    )
    ca = certificates / "localhost.pem"
    known = Trader(floor, tls=client_context(ca, certificates / "client.pem", certificates / "client.key")).log_on()
    known.close()
    for tls in (client_context(ca, certificates / "other.pem", certificates / "other.key"), client_context(ca)):
        assert not gets_in(floor, tls)
    assert not gets_in(floor, None)
    with pytest.raises(ssl.SSLCertVerificationError):
        Trader(floor, "READER", tls=client_context(certificates / "other.pem")).tries()


def gets_in(floor: Floor, tls: ssl.SSLContext | None) -> bool:
    trader = Trader(floor, tls=tls)
    try:
        return trader.tries()
    except OSError:
        return False
    finally:
        trader.close()


def test_hours_end_with_a_logout_and_begin_with_both_numbers_at_one(floor: Floor) -> None:
    begun_s = time.monotonic()
    floor.agree(SESSIONS)
    Trader(floor).log_on().close()
    # A process needs a while to start again, and longer on a busy machine.
    taken_s = time.monotonic() - begun_s
    open_s, closed_s = max(OPEN_S, 4 * taken_s), max(CLOSED_S, taken_s)
    now = datetime.now(UTC)
    end, start = now + timedelta(seconds=open_s), now + timedelta(seconds=open_s + closed_s)
    hours = f'\nhours = {{start = {start:%H:%M:%S}, end = {end:%H:%M:%S}, zone = "UTC"}}\n'
    floor.agree(SESSIONS.replace('target = "TRADER"\n', f'target = "TRADER"{hours}'))
    trader = Trader(floor).log_on()
    assert trader.session.sequences.next_in > 2
    trader.until(lambda: trader.session.is_down)
    assert datetime.now(UTC) >= end.replace(microsecond=0)
    trader.renumber(1, 1)
    before_start = 0
    deadline = time.monotonic() + PATIENCE_S
    while not trader.tries():
        trader.cut()
        trader.renumber(1, 1)
        before_start += 1
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert before_start > 0
    assert datetime.now(UTC) >= start.replace(microsecond=0)
    assert trader.session.sequences[:2] == (2, 2)


def waiting(trader: Trader) -> dict[int, str]:
    """The report of a new order that waits: the desk takes one once it follows the engine."""
    while True:
        trader.order(f"waits-{time.time_ns()}", (40, b"2"), (44, b"1.05"), (59, b"1"))
        if (report := trader.report())[150] == "0":
            return report


def test_what_a_killed_process_can_not_see_lost_is_cancelled_when_it_is_back(floor: Floor) -> None:
    floor.agree(SESSIONS)
    careful = Trader(floor, "CAREFUL").log_on()
    name = waiting(careful)[11]
    floor.kill("fix_clients")
    careful.cut()
    floor.start("fix_clients")
    watcher = Trader(floor, "QUICK").log_on()
    status = {39: "0"}
    deadline = time.monotonic() + PATIENCE_S
    while status[39] == "0":
        watcher.send("H", (11, name.encode()), (55, b"EURUSD"), (54, b"1"))
        status = watcher.report()
        assert time.monotonic() < deadline
    assert picked(status, 11, 39) == {11: name, 39: "4"}
    watcher.close()


def test_a_session_sees_and_trades_its_own_account_alone(floor: Floor) -> None:
    second = SESSIONS[SESSIONS.index("[QUICK]") : SESSIONS.index("[READER]")]
    second = second.replace("QUICK", "SECOND").replace("quick", "second").replace("account = 1", "account = 2")
    floor.ask_engine(OpenAccount(2, "USD"))
    floor.ask_engine(Deposit(2, 1_000_00, "first", "test"))
    floor.agree(SESSIONS + second)
    other, copy = Trader(floor, "SECOND").log_on(), Trader(floor, "COPY").log_on()
    watcher = Trader(floor, "QUICK").log_on()
    order = waiting(other)
    assert order[1] == "2"
    other.order("theirs", (1, b"1"))
    assert other.report()[58].startswith("UNKNOWN_ACCOUNT: ")
    watcher.send("H", (11, order[11].encode()), (55, b"EURUSD"), (54, b"1"))
    assert picked(watcher.report(), 150, 11, 39) == {150: "I", 11: order[11], 39: "8"}
    watcher.change("F", "not-mine", order[11], (38, b"1000"))
    assert picked(watcher.report(), 11, 102) == {11: "not-mine", 102: "1"}
    seen = waiting(watcher)[11]
    while (report := copy.report())[11] != seen:
        assert report[1] == "1"
    assert [message for message in other.received if message.get(1) == b"1"] == []
