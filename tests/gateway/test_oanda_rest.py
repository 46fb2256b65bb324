import gzip
from email.utils import formatdate

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.venues.interface import VenueInstrument
from gateway.venues.oanda.instruments import parse_instruments
from gateway.venues.oanda.rest import (
    ANSWER_LIMIT_BYTES,
    RETRY_AFTER_CAP_MS,
    Account,
    Answer,
    Body,
    Fault,
    Unanswered,
    fault_of,
    retry_after_ms,
)
from tools.venues.oanda.instruments import instrument

NOW_NS = 1_768_830_563 * 10**9
SECRETS = ("101-001-1000001-001", "s3cret-token")


def test_account_and_token_are_shown_nowhere() -> None:
    account = Account("https://api.example", "https://stream.example", *SECRETS)
    assert repr(account) == "Account(url='https://api.example', stream_url='https://stream.example')"
    assert account.without_secrets(f"no {SECRETS[1]} for {SECRETS[0]}") == "no … for …"
    assert account.path("/accounts/{account}/pricing") == f"/v3/accounts/{SECRETS[0]}/pricing"
    assert Account("u", "u", "../x", "t").path("/accounts/{account}") == "/v3/accounts/..%2Fx"


@pytest.mark.parametrize(
    ("account", "token"), [("", "s3cr"), ("1", ""), ("1", "s3cr\n"), ("1", "s3crét"), ("a b", "s")]
)
def test_secrets_that_cannot_be_sent_are_refused_without_their_values(account: str, token: str) -> None:
    with pytest.raises(ValueError, match=r"the OANDA (account|token) must be") as refusal:
        Account("u", "u", account, token)
    assert "s3cr" not in str(refusal.value)


@pytest.mark.parametrize(
    ("value", "expected_ms"),
    [
        (None, None),
        ("0", 0),
        (" 2 ", 2_000),
        ("99999999999999999999", RETRY_AFTER_CAP_MS),
        (formatdate(NOW_NS // 10**9 + 3, usegmt=True), 3_000),
        (formatdate(NOW_NS // 10**9 - 3, usegmt=True), 0),
        ("-1", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after(value: str | None, expected_ms: int | None) -> None:
    assert retry_after_ms(value, NOW_NS) == expected_ms


@given(st.text())
def test_whatever_retry_after_says_it_is_bounded(value: str) -> None:
    wait_ms = retry_after_ms(value, NOW_NS)
    assert wait_ms is None or 0 <= wait_ms <= RETRY_AFTER_CAP_MS


def whole(encoding: str, data: bytes, step: int) -> bytes:
    body = Body(encoding)
    for start in range(0, len(data), step):
        body.receive_data(data[start : start + step])
    return body.end()


@given(st.binary(max_size=300), st.integers(1, 50))
def test_a_body_comes_out_as_it_went_in_wherever_it_is_cut(data: bytes, step: int) -> None:
    assert whole("", data, step) == data
    assert whole("gzip", gzip.compress(data), step) == data


def test_a_small_answer_that_unpacks_to_much_is_stopped_at_the_limit() -> None:
    bomb = gzip.compress(bytes(ANSWER_LIMIT_BYTES + 1))
    assert len(bomb) < 20_000
    with pytest.raises(Unanswered, match="longer than 8388608 bytes"):
        whole("gzip", bomb, len(bomb))
    assert len(whole("gzip", gzip.compress(bytes(ANSWER_LIMIT_BYTES)), 1 << 16)) == ANSWER_LIMIT_BYTES


@pytest.mark.parametrize(
    ("encoding", "data", "words"),
    [
        ("br", b"", "not asked for"),
        ("gzip", b"plain text", "cannot be unpacked"),
        ("gzip", gzip.compress(b"whole")[:-3], "cut off"),
    ],
)
def test_a_damaged_body_is_no_answer(encoding: str, data: bytes, words: str) -> None:
    with pytest.raises(Unanswered, match=words):
        whole(encoding, data, 100)


@given(st.binary(max_size=100))
def test_whatever_an_answer_holds_only_unanswered_is_raised(body: bytes) -> None:
    answer = Answer(200, body)
    assert isinstance(fault_of(answer), Fault)
    try:
        assert isinstance(parse_instruments(answer), dict)
    except Unanswered:
        return


def test_a_fault_in_the_lps_words() -> None:
    body = b'{"errorMessage":"no","errorCode":"C","rejectReason":"R","lastTransactionID":"6"}'
    assert fault_of(Answer(400, body)) == Fault("no")
    assert fault_of(Answer(400, b"<html>")) == Fault()


def listing(**changes: object) -> Answer:
    return Answer(200, msgspec.json.encode({"instruments": [instrument("EUR_USD"), instrument("USD_JPY") | changes]}))


def listed(name: str, digits: int, pip_e8: int) -> VenueInstrument:
    return VenueInstrument(
        name,
        price_digits=digits,
        quantity_min_e8=10**8,
        quantity_max_e8=10**16,
        margin_rate_e8=3_330_000,
        price_step_e8=pip_e8 // 10,
        quantity_step_e8=10**8,
        pip_e8=pip_e8,
    )


EURUSD = listed("EUR_USD", 5, 10_000)


def test_instruments_are_read() -> None:
    assert parse_instruments(listing()) == {"EUR_USD": EURUSD, "USD_JPY": listed("USD_JPY", 3, 1_000_000)}
    coin = parse_instruments(Answer(200, msgspec.json.encode({"instruments": [instrument("BTC_USD")]})))["BTC_USD"]
    assert (coin.price_digits, coin.pip_e8, coin.margin_rate_e8) == (2, 10**8, 50_000_000)
    assert (coin.quantity_min_e8, coin.quantity_max_e8, coin.quantity_step_e8) == (10**6, 10**10, 10**6)


@pytest.mark.parametrize(
    "changes",
    [
        {"displayPrecision": 9},
        {"displayPrecision": None},
        {"pipLocation": -9},
        {"tradeUnitsPrecision": -1},
        {"name": "X" * 33},
        {"minimumTradeSize": "0.000000001"},
        {"maximumOrderUnits": "many"},
        {"marginRate": 0.05},
    ],
)
def test_an_instrument_that_cannot_be_held_is_left_out(changes: dict[str, object]) -> None:
    assert parse_instruments(listing(**changes)) == {"EUR_USD": EURUSD}
