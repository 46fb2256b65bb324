import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.venues.binance.subscriptions import (
    NAMES_PER_REQUEST,
    STREAMS_LIMIT,
    Reply,
    Request,
    Shutdown,
    Subscriptions,
    notice,
    stream_names,
)
from gateway.venues.interface import ConnectionLost

AB = frozenset({"a@bookTicker", "b@bookTicker"})


def accepted(request_id: int, *listed: str) -> Reply:
    return Reply(request_id, list(listed) if listed else None, None)


def settled(wanted: frozenset[str]) -> Subscriptions:
    made = Subscriptions(wanted)
    while request := made.next_request():
        made.receive_reply(accepted(request.id, *(wanted if request.method == "LIST_SUBSCRIPTIONS" else ())))
    assert made.settled
    return made


def test_subscribed_then_listed() -> None:
    made = Subscriptions(AB)
    assert made.next_request() == Request(1, "SUBSCRIBE", sorted(AB))
    assert made.next_request() is None or made.awaits(Request(1, "SUBSCRIBE", sorted(AB)))
    made.receive_reply(accepted(1))
    assert made.next_request() == Request(2, "LIST_SUBSCRIPTIONS", [])
    assert not made.settled
    made.receive_reply(accepted(2, *AB))
    assert made.settled
    assert made.next_request() is None


def test_a_change_withdraws_first_and_then_asks_in_pieces() -> None:
    made = settled(AB)
    many = stream_names([f"X{number}" for number in range(NAMES_PER_REQUEST + 1)], depth=False)
    made.want(many)
    asked = []
    while request := made.next_request():
        asked.append((request.method, len(request.params)))
        made.receive_reply(accepted(request.id, *(many if request.method == "LIST_SUBSCRIPTIONS" else ())))
    assert asked == [("UNSUBSCRIBE", 2), ("SUBSCRIBE", NAMES_PER_REQUEST), ("SUBSCRIBE", 1), ("LIST_SUBSCRIPTIONS", 0)]


def test_a_list_that_was_asked_for_earlier_says_nothing() -> None:
    made = settled(AB)
    made.verify()
    request = made.next_request()
    assert request
    made.verify()
    made.receive_reply(accepted(request.id, *AB))
    assert not made.settled
    later = made.next_request()
    assert later
    assert later.id == request.id + 1


@pytest.mark.parametrize("reply", [accepted(7), Reply(None, None, None), Reply(7, None, "no")])
def test_an_answer_to_nothing_that_was_asked_changes_nothing(reply: Reply) -> None:
    made = Subscriptions(AB)
    made.next_request()
    made.receive_reply(reply)
    assert made.next_request() is None


def test_an_error_without_an_id_is_the_answer() -> None:
    made = Subscriptions(AB)
    made.next_request()
    with pytest.raises(ConnectionLost, match="Binance refuses SUBSCRIBE: no"):
        made.receive_reply(Reply(None, None, "no"))


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (b'{"result":null,"id":3}', Reply(3, None, None)),
        (b'{"result":["a","b"],"id":3}', Reply(3, ["a", "b"], None)),
        (b'{"result":true,"id":3}', Reply(3, None, "not the answer to a subscription")),
        (b'{"error":{"code":2,"msg":"no"},"id":3}', Reply(3, None, "no")),
        (b'{"code":2,"msg":"no","id":3}', Reply(3, None, "no")),
        (b'{"code":3,"msg":"no"}', Reply(None, None, "no")),
        (b'{"e":"serverShutdown","E":1770123456789}', Shutdown()),
        (b'{"event":{"e":"serverShutdown","E":1770123456789}}', Shutdown()),
        (b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}', Shutdown()),
        (b'{"stream":"a@bookTicker","data":{}}', None),
        (b"[]", None),
        (b"{", None),
    ],
)
def test_what_is_said_of_the_connection(message: bytes, said: Reply | Shutdown | None) -> None:
    assert notice(message) == said


@given(
    st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["id", "result", "error", "code", "msg", "e", "data", "event"]), inner)
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_whatever_is_said_of_the_connection_only_a_loss_is_raised(message: bytes) -> None:
    made = Subscriptions(AB)
    made.next_request()
    said = notice(message)
    if isinstance(said, Reply):
        with suppress(ConnectionLost):
            made.receive_reply(said)


def test_the_names_of_streams() -> None:
    assert stream_names(["BTCUSDT"], depth=False) == {"btcusdt@bookTicker"}
    assert stream_names(["BTCUSDT"], depth=True) == {"btcusdt@bookTicker", "btcusdt@depth@100ms"}


@pytest.mark.parametrize(
    "instruments", [[], ["BTC/USDT"], [""], ["X" * 33], [f"A{n}" for n in range(STREAMS_LIMIT + 1)]]
)
def test_what_cannot_be_subscribed_to(instruments: list[str]) -> None:
    with pytest.raises(ValueError, match=r"streams|symbol"):
        stream_names(instruments, depth=False)
