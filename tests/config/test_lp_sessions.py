"""Sessions with LPs, as an operator writes them down."""

from datetime import time
from pathlib import Path

import pytest

from actors.lp.route import route, session_settings
from config import lp_sessions
from config.lp_sessions import LpHours, LpProxy, LpSession, Unreadable
from config.settings import Settings
from gateway.fix.initiator import Host
from gateway.fix.proxy import ProxyKind
from gateway.fix.settings import always
from gateway.fix.validation import Level
from gateway.venues.interface import BadSettings

LEAST = '[s]\nlp = "LP"\npurpose = "both"\nsender = "US"\ntarget = "LP"\n'
FULL = """
[prime]
lp = "PRIME"
purpose = "orders"
sender = "US"
target = "PRIME"
hosts = ["fix1.example.com", "fix2.example.com"]
port = 4433
sender_sub = "desk"
username = "u"
password_env = "LP_PRIME_PASSWORD"
account = "A1"
validation = "strict"

[prime.tls]
server_name = "fix.example.com"

[prime.proxy]
kind = "socks5"
host = "proxy"
port = 1080

[prime.hours]
start = 17:05:00
end = 16:55:00
zone = "America/New_York"
start_weekday = 6
end_weekday = 4

[prime.custom_fields]
5001 = "LastLook CHAR Y N"

[prime.custom_messages]
8 = "5001"

[prime.instrument_fields]
460 = "4"

[prime.order_fields]
64 = "SP"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "lp_sessions.toml"
    path.write_text(text)
    return path


def test_the_sessions_of_make_run_are_with_the_simulated_lp(tmp_path: Path) -> None:
    quotes, orders = lp_sessions.read()
    assert (quotes.lp, orders.lp) == ("SIMLP", "SIMLP")
    assert (quotes.has_quotes, quotes.has_orders) == (True, False)
    assert (orders.has_quotes, orders.has_orders) == (False, True)
    settings = Settings(run_dir=tmp_path)
    assert session_settings(orders, settings, always).password == session_settings(quotes, settings, always).password
    way = route(orders, settings)
    with pytest.raises(OSError, match="not up yet"):
        way.host(0)
    settings.venues_file.write_text('{"fix": {"host": "127.0.0.1", "port": 99}}')
    assert way.host(7) == Host("127.0.0.1", 99)


def test_everything_that_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (session,) = lp_sessions.read(written(tmp_path, FULL))
    assert session == LpSession(
        id="prime",
        lp="PRIME",
        purpose="orders",
        sender="US",
        target="PRIME",
        hosts=("fix1.example.com", "fix2.example.com"),
        port=4433,
        sender_sub="desk",
        username="u",
        password_env="LP_PRIME_PASSWORD",
        account="A1",
        validation="strict",
        tls=lp_sessions.LpTls(server_name="fix.example.com"),
        proxy=LpProxy("socks5", "proxy", 1080),
        hours=LpHours(time(17, 5), time(16, 55), "America/New_York", 6, 4),
        custom_fields={"5001": "LastLook CHAR Y N"},
        custom_messages={"8": "5001"},
        instrument_fields={"460": "4"},
        order_fields={"64": "SP"},
    )
    assert (session.beside_symbol, session.beside_order) == ([(460, b"4")], [(460, b"4"), (64, b"SP")])
    settings = Settings(run_dir=tmp_path)
    with pytest.raises(BadSettings, match="LP_PRIME_PASSWORD is not set"):
        session_settings(session, settings, always)
    monkeypatch.setenv("LP_PRIME_PASSWORD", "hunter2")
    agreed = session_settings(session, settings, always)
    assert (agreed.password, agreed.validation) == ("hunter2", Level.STRICT)
    assert "hunter2" not in repr(agreed)
    assert 5001 in agreed.dictionary.messages[b"8"].groups
    assert agreed.schedule is not None
    way = route(session, settings)
    assert way.tls is not None
    assert way.proxy is not None
    assert way.proxy.kind is ProxyKind.SOCKS5
    assert [way.host(attempt).name for attempt in range(3)] == [*session.hosts, session.hosts[0]]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[s", "Expected"),
        ('[s]\nlp = "LP"\n', "missing required field `purpose`"),
        (LEAST + "hosst = []", "unknown field `hosst`"),
        (LEAST + 'purpose2 = "x"', "unknown field"),
        (LEAST + 'hosts = ["a"]', "hosts need a port"),
        (LEAST + "heartbeat_s = 0", "heartbeat_s is from 1 to 3600"),
        (LEAST + LEAST.replace("[s]", "[t]"), r"\[t\]: \[s\] has the .* of LP already"),
        (LEAST.replace('"US"', '""'), "needs sender and target"),
        (LEAST + '[s.tls]\ncertificate = "x"', "a certificate needs its key"),
        (LEAST.replace("[s]", '["../s"]'), "an id is letters"),
        (LEAST + '[s.order_fields]\n38 = "1"', "field 38 is said already, or empty"),
        (LEAST + '[s.order_fields]\n460 = ""', "field 460 is said already, or empty"),
        (LEAST + '[s.order_fields]\n460 = "4"\n[s.instrument_fields]\n460 = "4"', "field 460 is said already"),
        (LEAST + '[s.order_fields]\n460 = "\\u0001"', "order_fields are tags with printable values"),
        (LEAST + '[s.instrument_fields]\nx = "4"', "order_fields are tags with printable values"),
    ],
)
def test_a_slip_is_one_sentence(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(Unreadable, match=fault):
        lp_sessions.read(written(tmp_path, text))


def test_a_session_that_is_off_is_not_there(tmp_path: Path) -> None:
    assert lp_sessions.read(written(tmp_path, LEAST + "enabled = false\n")) == []


def test_tls_is_the_default_and_its_files_are_looked_at(tmp_path: Path) -> None:
    (session,) = lp_sessions.read(written(tmp_path, LEAST + '[s.tls]\nca = "nowhere.pem"'))
    with pytest.raises(BadSettings, match="certificates cannot be used"):
        route(session, Settings(run_dir=tmp_path))
