"""fix-lp, the real process, on the ways to an LP that a broker has: TLS, proxies, hours, hosts, and operators."""

import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from actors.bus.fix_sessions import ConnectFixSession, DisconnectFixSession, FixSession, SetFixSequence
from gateway.fix.tls import server_context
from tests.system.fix_lines import NAME, FixLp, Lines, certificates
from tests.system.running import ROOT, eventually

PLAIN = 'plain = true\nhosts = ["127.0.0.1"]\n'


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("papers"))


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Lines]:
    with Lines(tmp_path) as lines:
        yield lines


def plain(lines: Lines) -> str:
    return f"{PLAIN}port = {lines.port}\n"


def secured(lines: Lines, papers: Path, *tls: str) -> str:
    """By address, so that only `server_name` says what the certificate must have."""
    named = f'server_name = "{NAME}"\nca = "{papers / NAME}.pem"\n'
    return f'hosts = ["127.0.0.1"]\nport = {lines.port}\n[line.tls]\n' + "".join(tls or (named,))


def shown(papers: Path, name: str) -> str:
    return f'certificate = "{papers / name}.pem"\nkey = "{papers / name}.key"\n'


def asked(papers: Path) -> ssl.SSLContext:
    """Of an LP that lets in who shows the client's certificate."""
    return server_context(papers / f"{NAME}.pem", papers / f"{NAME}.key", papers / "client.pem")


def test_tls_with_a_clients_certificate_and_the_servers_name(tmp_path: Path, lines: Lines, papers: Path) -> None:
    lines.lp(asked(papers))
    named = f'server_name = "{NAME}"\nca = "{papers / NAME}.pem"\n'
    with FixLp(tmp_path, secured(lines, papers, named, shown(papers, "client"))) as process:
        process.until_logged_on()
        assert set(lines.names) == {NAME}


@pytest.mark.parametrize("fault", ["nobody vouches for it", "another name", "no certificate of ours"])
def test_tls_that_cannot_be_trusted_is_no_connection(tmp_path: Path, lines: Lines, papers: Path, fault: str) -> None:
    lines.lp(asked(papers))
    ours, ca, name = shown(papers, "client"), f'ca = "{papers / NAME}.pem"\n', f'server_name = "{NAME}"\n'
    tls, why = {
        "nobody vouches for it": ((ours, name), "unable to get local issuer certificate|self-signed certificate"),
        "another name": ((ours, ca, 'server_name = "other.example"\n'), "Hostname mismatch"),
        "no certificate of ours": ((ca, name), "certificate required|the connection was lost"),
    }[fault]
    with FixLp(tmp_path, secured(lines, papers, *tls)) as process:
        eventually(lambda: any(words in process.log() for words in why.split("|")))
        session = process.seen()
        assert (session.state in ("down", "connected"), session.next_in, session.logged_on_ns) == (True, 1, 0)


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_a_proxy_that_alone_knows_the_lps_name(tmp_path: Path, lines: Lines, papers: Path, kind: str) -> None:
    """With TLS to the LP through it, whose certificate has that name."""
    lines.lp(asked(papers))
    proxy = f'kind = "{kind}"\nhost = "127.0.0.1"\nport = {lines.proxy(kind)}\n'
    login = 'username = "u"\npassword_env = "LP_PROXY_PASSWORD"\n'
    tls = f'[line.tls]\nca = "{papers / NAME}.pem"\n' + shown(papers, "client")
    hosts = f'hosts = ["{NAME}"]\nport = {lines.port}\n'
    with FixLp(tmp_path, f"{hosts}{tls}[line.proxy]\n{proxy}{login}") as process:
        process.until_logged_on()
        assert (len(set(lines.asked)), set(lines.names)) == (1, {NAME})


def test_a_proxy_that_refuses_is_tried_again(tmp_path: Path, lines: Lines) -> None:
    lines.lp()
    proxy = f'[line.proxy]\nkind = "http"\nhost = "127.0.0.1"\nport = {lines.proxy("http")}\n'
    with FixLp(tmp_path, plain(lines) + proxy) as process:
        eventually(lambda: len(lines.asked) > 1)
        assert "ProxyRefused" in process.log()
        assert process.seen().logged_on_ns == 0


def test_the_next_host_takes_over(tmp_path: Path, lines: Lines) -> None:
    lines.lp(host="127.0.0.2")
    hosts = f'plain = true\nhosts = ["127.0.0.1", "127.0.0.2"]\nport = {lines.port}\n'
    with FixLp(tmp_path, hosts) as process:
        first = process.until_logged_on()
        assert first.peer == f"127.0.0.2:{lines.port}"
        lines.close("127.0.0.2")
        lines.lp(host="127.0.0.1")
        eventually(lambda: process.seen().logged_on_ns > first.logged_on_ns)
        after = process.until_logged_on()
        assert after.peer == f"127.0.0.1:{lines.port}"
        assert after.next_out > first.next_out


def test_hours_begin_with_new_numbers_and_end_with_a_logout(tmp_path: Path, lines: Lines) -> None:
    lines.lp()
    begun_s = time.monotonic()
    with FixLp(tmp_path, plain(lines)) as process:
        before = process.until_logged_on()
        assert before.next_in > 2
        lines.close("127.0.0.1")
        (tmp_path / "lp.sqlite").unlink()  # The LP begins its day too.
        pause = timedelta(seconds=max(4, 3 * (time.monotonic() - begun_s)))
        start, seen = closed_until(process, lines, pause)
        while datetime.now(UTC) >= start:  # The machine has become busier than it was at the first start.
            pause *= 2
            start, seen = closed_until(process, lines, pause)
        assert seen.state == "down"
        lines.lp()
        within = process.until_logged_on()
        assert within.began_ns >= int(start.timestamp()) * 10**9
        assert within.next_in < before.next_in + 3
        eventually(lambda: process.seen().state == "down")
        assert "end of session hours" in (process.broker.run_dir / "fix" / "log" / "line.log").read_text()


def closed_until(process: FixLp, lines: Lines, pause: timedelta) -> tuple[datetime, FixSession]:
    """Starts the process anew, with hours that begin after the pause; what is seen of it then."""
    start = (datetime.now(UTC) + pause).replace(microsecond=0)
    hours = f"start = {start:%H:%M:%S}\nend = {start + 2 * pause:%H:%M:%S}\n"
    process.write(f'{plain(lines)}[line.hours]\n{hours}zone = "Etc/UTC"\n')
    process.restart()
    return start, process.seen()


def test_what_an_operator_holds_stays_down_when_the_process_is_killed(tmp_path: Path, lines: Lines) -> None:
    lines.lp()
    with FixLp(tmp_path, plain(lines)) as process:
        process.until_logged_on()
        process.ask(DisconnectFixSession("line"))
        eventually(lambda: process.seen().state == "held")
        process.restart()
        assert process.seen().state == "held"
        assert process.seen().logged_on_ns == 0
        numbers = process.seen()
        repaired = process.ask(SetFixSequence("line", numbers.next_out + 10, 0, "test", "as agreed"))
        assert (repaired.next_out, repaired.next_in) == (numbers.next_out + 10, numbers.next_in)
        process.ask(ConnectFixSession("line"))
        assert process.until_logged_on().next_out > numbers.next_out + 10
        process.restart()
        process.until_logged_on()


def test_symbols_follow_the_registry_while_it_runs(tmp_path: Path, lines: Lines) -> None:
    lines.lp()
    with FixLp(tmp_path, plain(lines)) as process:
        process.until_logged_on()

        def misfits(symbols: dict[str, str]) -> dict[str, str]:
            process.announce(symbols)
            survey = process.seen().survey
            assert survey is not None
            return survey.misfits

        eventually(lambda: misfits({"EURUSD": "EURUSD.x"}) == {"EURUSD": "unlisted"})
        eventually(lambda: misfits({"EURUSD": "EUR/USD"}) == {})
        eventually(lambda: misfits({"EURUSD": "EUR/USD", "XAUUSD": "XAU/USD"}) == {"XAUUSD": "unlisted"})


@pytest.mark.parametrize("module", ["actors.fix_lp", "actors.fix_clients"])
def test_two_sessions_of_one_id_are_refused_at_the_start(tmp_path: Path, lines: Lines, module: str) -> None:
    clients = (ROOT / "config" / "client_sessions.toml").read_text().replace("[DEMO]", "[line]")
    (tmp_path / "clients.toml").write_text(clients)
    process = FixLp(tmp_path, plain(lines))
    environment = {**process.broker.environment, "HEDGEROW_FIX_SESSIONS": str(tmp_path / "clients.toml")}
    ended = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "[line] is one with a client and one with an LP; each session needs its own id" in ended.stderr
