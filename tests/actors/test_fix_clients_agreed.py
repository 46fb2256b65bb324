"""What is agreed about a session, kept by the real process: certificates, hours."""

import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.fix.tls import client_context
from tests.actors.clients.floor import PATIENCE_S, SESSIONS, Floor, Trader
from tests.certificates import make

OPEN_S, CLOSED_S = 12, 3


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
    now = datetime.now(UTC)
    end, start = now + timedelta(seconds=OPEN_S), now + timedelta(seconds=OPEN_S + CLOSED_S)
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
