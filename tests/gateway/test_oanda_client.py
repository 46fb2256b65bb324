"""The client against servers that misbehave, on real sockets: what is tried again, and what the operator reads."""

import asyncio
import gzip
import logging
import random
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from gateway.venues.interface import ConnectionLost, Patience
from gateway.venues.oanda import client as client_module
from gateway.venues.oanda.client import TRIES_LIMIT, Client
from gateway.venues.oanda.rest import Account, Answer, Request, Unanswered
from tests.gateway.raw_server import RawServer, answer, raw_server

ACCOUNT = "101-001-1000001-001"
TOKEN = "token-of-the-test"
PATIENT = Patience(connect_timeout_ms=60_000, silence_timeout_ms=60_000, backoff_first_ms=1, backoff_cap_ms=2)
HASTY = replace(PATIENT, silence_timeout_ms=200)
GET = Request("GET", "/accounts/{account}/summary")
ORDER = Request("POST", "/accounts/{account}/orders", body=b'{"order":{}}', repeatable=False)
OK = answer(200, b'{"a":1}')


def asking(
    answers: list[bytes], request: Request, hang: bool = False, times: int = 1, patience: Patience = PATIENT
) -> tuple[Answer | ConnectionLost, RawServer]:
    """What came of asking a server with these answers, so many times, and the server."""

    async def main() -> tuple[Answer | ConnectionLost, RawServer]:
        async with raw_server(*answers, hang=hang) as server:
            account = Account(server.url, server.url, ACCOUNT, TOKEN)
            async with Client(account, HASTY if hang else patience, random.Random(1)) as client:
                try:
                    for _ in range(times - 1):
                        await client.ask(request)
                    return await client.ask(request), server
                except ConnectionLost as lost:
                    return lost, server

    return asyncio.run(main())


def lost(outcome: Answer | ConnectionLost) -> tuple[bool, bool, str]:
    """Whether it is unknown what became of the request, whether it was refused, and the words for the operator."""
    assert isinstance(outcome, ConnectionLost)
    return isinstance(outcome, Unanswered), outcome.refused, str(outcome)


def test_an_answer_and_what_was_asked() -> None:
    outcome, server = asking([OK], ORDER)
    assert outcome == Answer(200, b'{"a":1}')
    (asked,) = server.asked
    assert (asked.method, asked.target, asked.body) == ("POST", f"/v3/accounts/{ACCOUNT}/orders", b'{"order":{}}')
    headers = {name.lower(): value for name, value in asked.headers.items()}
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["accept-datetime-format"] == "RFC3339"
    assert (headers["accept-encoding"], headers["content-type"]) == ("gzip", "application/json")


def test_a_packed_answer() -> None:
    outcome, _ = asking([answer(200, gzip.compress(b"[1]"), "Content-Encoding: gzip")], GET)
    assert outcome == Answer(200, b"[1]")


@pytest.mark.parametrize("status", [400, 404, 405, 416])
def test_what_is_said_about_the_request_is_an_answer(status: int) -> None:
    outcome, server = asking([answer(status, b'{"errorMessage":"no"}')], GET)
    assert outcome == Answer(status, b'{"errorMessage":"no"}')
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "HTTP 401: the LP does not accept the token"),
        (403, "HTTP 403: the LP forbids it: is the token allowed to use this account?"),
    ],
)
def test_a_refused_token_is_not_tried_again(status: int, words: str) -> None:
    outcome, server = asking([answer(status)], GET)
    assert lost(outcome) == (False, True, words)
    assert len(server.asked) == 1


@pytest.mark.parametrize("request_", [GET, ORDER])
def test_too_many_requests_are_tried_again_when_the_lp_wants_it(request_: Request) -> None:
    outcome, server = asking([answer(429, b"{}", "Retry-After: 0"), OK], request_)
    assert outcome == Answer(200, b'{"a":1}')
    assert len(server.asked) == 2


def test_too_many_requests_again_and_again_are_a_refusal() -> None:
    outcome, server = asking([answer(429, b"{}", "Retry-After: 0")], ORDER)
    assert lost(outcome) == (False, True, "HTTP 429: too many requests or connections")
    assert len(server.asked) == TRIES_LIMIT


def test_a_long_retry_after_holds_everything_back_and_nobody_waits_for_it() -> None:
    outcome, server = asking([answer(429, b"{}", "Retry-After: 3600"), OK], GET)
    assert lost(outcome) == (False, False, "too many requests: this one was not sent")
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_lp_out_of_order_is_asked_again_only_where_that_is_safe(status: int) -> None:
    outcome, server = asking([answer(status), answer(status), OK], GET)
    assert (outcome, len(server.asked)) == (Answer(200, b'{"a":1}'), 3)
    outcome, server = asking([answer(status), OK], ORDER)
    assert lost(outcome) == (True, False, f"HTTP {status}: the LP is out of order")
    assert len(server.asked) == 1


def test_a_redirect_is_no_answer_and_is_not_followed() -> None:
    outcome, server = asking([answer(302, b"", "Location: http://127.0.0.1:9/")], ORDER)
    assert lost(outcome)[0]
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("broken", "hang", "words"),
    [
        (b"", False, "RemoteProtocolError: Server disconnected without sending a response."),
        (b"", True, "ReadTimeout: "),
        (OK[:-3], True, "ReadTimeout: "),
        (OK[:30], False, "RemoteProtocolError: "),
        (b"\0\xff no HTTP\r\n\r\n", False, "RemoteProtocolError: "),
        (answer(200, b"x" * 50, "Content-Encoding: gzip"), False, "the answer cannot be unpacked"),
        (answer(200, b"x", "Content-Encoding: br"), False, "the answer is packed in a way that was not asked for"),
    ],
)
def test_no_whole_answer_is_unknown_and_only_a_question_is_asked_again(broken: bytes, hang: bool, words: str) -> None:
    outcome, server = asking([broken], ORDER, hang)
    unknown, refused, text = lost(outcome)
    assert (unknown, refused, len(server.asked)) == (True, False, 1)
    assert text.startswith(words)
    outcome, server = asking([broken], GET, hang)
    assert (lost(outcome)[0], len(server.asked)) == (True, TRIES_LIMIT)


def test_an_answer_may_be_cut_anywhere() -> None:
    for cut in range(0, len(OK), 7):
        unknown, _, text = lost(asking([OK[:cut]], ORDER, patience=HASTY)[0])
        assert unknown
        assert text.isprintable()


def test_a_drip_of_an_answer_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "ANSWER_TIMEOUT_MS", 300)

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.02)

    assert asyncio.run(_with(drip, ORDER)) == (True, False, "no whole answer within the limit")


def test_an_endless_answer_ends_at_the_limit() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" " * 65_536)
            await writer.drain()

    assert asyncio.run(_with(flood, ORDER)) == (True, False, "the answer is longer than 8388608 bytes")


async def _with(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], request: Request
) -> tuple[bool, bool, str]:
    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except OSError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with Client(Account(url, url, ACCOUNT, TOKEN), PATIENT) as client:
            try:
                await client.ask(request)
            except ConnectionLost as error:
                await asyncio.sleep(0.05)
                return lost(error)
    raise AssertionError("it was answered")


def test_nobody_listening_is_no_unknown_outcome() -> None:
    async def main() -> None:
        async with Client(Account("http://127.0.0.1:9", "", ACCOUNT, TOKEN), PATIENT) as client:
            with pytest.raises(ConnectionLost, match="ConnectError: All connection attempts failed") as error:
                await client.ask(ORDER)
            assert lost(error.value)[:2] == (False, False)

    asyncio.run(main())


@pytest.mark.parametrize("request_", [GET, ORDER])
def test_a_client_that_is_closed_between_two_tries_has_not_sent_the_next(request_: Request) -> None:
    async def main() -> tuple[Answer | ConnectionLost, int]:
        throttled = answer(429, b"", "Retry-After: 1")
        async with raw_server(throttled) as server:
            client = Client(Account(server.url, server.url, ACCOUNT, TOKEN), PATIENT, random.Random(1))
            asked = asyncio.create_task(client.ask(request_))
            while client._pace._next_ns <= time.monotonic_ns():  # until it has heard how long it is to wait
                await asyncio.sleep(0.01)
            await client.close()
            with pytest.raises(ConnectionLost) as closed:
                await asked
            return closed.value, len(server.asked)

    outcome, sent = asyncio.run(main())
    assert (lost(outcome), sent) == ((False, False, "the connection was given up: this request was not sent"), 1)


def test_requests_beyond_the_pace_wait_their_turn() -> None:
    async def main() -> None:
        async with raw_server(OK) as server:
            loop = asyncio.get_running_loop()
            async with Client(Account(server.url, server.url, ACCOUNT, TOKEN), PATIENT) as client:
                began = loop.time()
                answers = await asyncio.gather(*(client.ask(GET) for _ in range(60)))
                assert loop.time() - began >= 0.4
        assert {entry.status for entry in answers} == {200}

    asyncio.run(main())


def test_account_and_token_reach_no_log_and_no_exception(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f"HTTP/1.1 200 {TOKEN} {ACCOUNT}\0\r\n\r\n".encode()
    for outcome, _ in (asking([echo], ORDER), asking([answer(401)], GET), asking([answer(500)], ORDER)):
        assert isinstance(outcome, ConnectionLost)
        seen = repr(outcome) + "".join(traceback.format_exception(outcome))
        assert TOKEN not in seen
        assert ACCOUNT not in seen
    logged = "".join(record.getMessage() for record in caplog.records if record.name.startswith(("httpx", "gateway")))
    assert TOKEN not in logged
    assert ACCOUNT not in logged
