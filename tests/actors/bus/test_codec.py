from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.bus import codec, topics
from actors.bus.answers import Refusal, Reply
from actors.bus.codec import MAX_FRAME_BYTES, BadFrame
from actors.bus.requests import AggregatorRequest, EngineRequest, GetTicks, HistoryRequest, Ping
from actors.bus.streams import EventBatch, FeedMessage, FeedStatus, QuoteBatch, StreamAlive
from actors.domain.broker import apply
from actors.domain.events.event import Event
from actors.domain.order import Side
from actors.domain.quote import Tick
from actors.domain.state import State
from tests.examples import START_NS, closing, order, quote, tick, trading_inputs

decode_request = codec.decoder(EngineRequest)


def test_a_frame_is_a_version_and_an_array() -> None:
    frame = codec.encode(EngineRequest(7, Ping()))
    assert frame[:1] == b"\x01"
    assert msgspec.msgpack.decode(frame[1:]) == [7, ["Ping"], 0, 0]


def all_events() -> list[Event]:
    told = [*trading_inputs(), order("EURUSD", Side.BUY, "10"), order("EURUSD", Side.BUY, "9999999", "no"), closing(1)]
    state = State()
    return [event for each in told for event in apply(state, each, START_NS)]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (EngineRequest, EngineRequest(2**64 - 1, order("EURUSD", Side.SELL, "10", stop_loss="1.2"))),
        (EngineRequest, EngineRequest(0, closing(5, "ä" * 64, "0.5"))),
        (FeedMessage, QuoteBatch("OANDA", [quote("EURUSD", "1.1", "1.2"), quote("BTCUSD", "1", "2")])),
        (FeedMessage, FeedStatus("OANDA", False, "down", START_NS, 5, {"zero": 942})),
        (StreamAlive, StreamAlive(START_NS, {"EURUSD": 5})),
        (EventBatch, EventBatch(1, START_NS, all_events())),
        (EventBatch, EventBatch(9, START_NS, [])),
        (Reply, Reply(1, Refusal("NO_PRICE", "there is none", "symbol"))),
        (AggregatorRequest, AggregatorRequest(1, GetTicks("EURUSD", 4))),
    ],
)
def test_what_is_encoded_decodes_to_the_same(kind: Any, message: Any) -> None:
    assert codec.decoder(kind)(codec.encode(message)) == message


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x01",
        b"\x00" + codec.encode(EngineRequest(1, Ping()))[1:],
        b"\x02" + codec.encode(EngineRequest(1, Ping()))[1:],
        codec.encode(EngineRequest(1, Ping()))[:-1],
        codec.encode(EngineRequest(1, Ping())) + b"\x00",
        codec.encode([1, ["Fire"]]),
        codec.encode([1, ["Ping"], 3, 4])[:-1],
        codec.encode(["one", ["Ping"]]),
        codec.encode([1]),
        codec.encode({"request_id": 1}),
        codec.encode([1, ["SubmitOrder", 1, "id", "EURUSD", "hold", "market", 1]]),
        codec.encode([1, ["SubmitOrder", 1, "id", "EURUSD", "buy", "market", 1.5]]),
        codec.encode([1, ["SubmitOrder", 1, "id", "EURUSD", "buy", "market", float("nan")]]),
        codec.encode([1, ["SubmitOrder", 1, "id", "EURUSD", "buy", "market", "1"]]),
        codec.encode([1, ["SubmitOrder", 1, "id", "EURUSD", "buy", "market"]]),
        codec.encode([1, ["SubmitOrder", True, "id", "EURUSD", "buy", "market", 1]]),
        b"\x01\x92\x01\x91\xa4\xff\xff\xff\xff",
        b"\x01" + b"\x91" * 100_000,
        b"\x01\xdd\xff\xff\xff\xff",
        b"\x01" + b"\x00" * MAX_FRAME_BYTES,
    ],
)
def test_what_is_no_message_of_the_kind_is_a_bad_frame(frame: bytes) -> None:
    with pytest.raises(BadFrame):
        decode_request(frame)


def test_the_largest_frame_is_taken() -> None:
    decode = codec.decoder(bytes)
    fitting = b"x" * (MAX_FRAME_BYTES - 6)
    assert len(codec.encode(fitting)) == MAX_FRAME_BYTES
    assert decode(codec.encode(fitting)) == fitting
    with pytest.raises(BadFrame):
        decode(codec.encode(fitting + b"x"))


DECODERS = [
    codec.decoder(kind)
    for kind in (EngineRequest, HistoryRequest, AggregatorRequest, FeedMessage, EventBatch, Reply, tuple[Tick, ...])
]


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_raise_anything_else(garbage: bytes, versioned: bool) -> None:
    for decode in DECODERS:
        try:
            decode(b"\x01" + garbage if versioned else garbage)
        except BadFrame:
            continue


FRAMES = [
    codec.encode(EventBatch(1, START_NS, all_events())),
    codec.encode(EngineRequest(1, order("A", Side.BUY, "1"))),
]


@given(st.sampled_from(FRAMES), st.data())
def test_no_damage_to_a_frame_raises_anything_else(frame: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(frame) - 1))
    damaged = frame[:at] + data.draw(st.binary(min_size=1, max_size=3)) + frame[at + 1 :]
    for decode in DECODERS:
        try:
            decode(damaged)
        except BadFrame:
            continue


def test_a_public_frame_begins_with_its_topic() -> None:
    frame = codec.encode([tick("EURUSD", "1.1", "1.2")], topics.tick("EURUSD"))
    topic, body = codec.topic_and_body(frame)
    assert topic == b"tick:EURUSD\0"
    assert codec.decoder(list[Tick])(body) == [tick("EURUSD", "1.1", "1.2")]


@pytest.mark.parametrize("frame", [b"", b"tick:EURUSD", b"x" * 64 + b"\0"])
def test_a_frame_without_a_topic_is_bad(frame: bytes) -> None:
    with pytest.raises(BadFrame):
        codec.topic_and_body(frame)


def test_no_topic_is_the_beginning_of_another() -> None:
    all_topics = [topics.tick("EUR"), topics.tick("EURUSD"), topics.ALIVE, topics.STATUS, topics.EVENTS]
    assert [one for one in all_topics for other in all_topics if other is not one and other.startswith(one)] == []
    assert all(topics.tick(symbol).startswith(topics.TICK_PREFIX) for symbol in ("EUR", "EURUSD"))
