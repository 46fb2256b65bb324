"""PROTOCOL.md is what strangers build on: its bytes and its tables are those of the code."""

import re
from typing import Any

import msgspec
import pytest

from actors.bus import codec, topics
from actors.bus.endpoints import Endpoints
from actors.bus.streams import EventBatch, FeedStatus, StreamAlive, StreamDepth, StreamState, StreamStatus
from actors.domain.events.accounts import AccountOpened
from actors.domain.money import parse_e8
from actors.domain.prices.book import Depth
from actors.domain.prices.lp_status import LpStatus
from actors.domain.quote import Level, Quote, Tick
from tests.docs import documents

PROTOCOL = documents.read("actors/bus/PROTOCOL.md")
TIME_NS = 1_768_833_000_123_456_789
SEQ = 1_768_832_999_000_000
TICK = Tick("EURUSD", SEQ, TIME_NS, parse_e8("1.0845"), parse_e8("1.08462"), "BINANCE", "OANDA", live=True)

FEED = FeedStatus(
    "OANDA",
    True,
    "connected",
    TIME_NS,
    6364,
    {"zero": 940},
    TIME_NS,
    (StreamState(True, "connected", 1, TIME_NS, 2),),
    {"EURUSD": TIME_NS},
    {"XAUUSD": "silent"},
)


def in_the_document(topic: str) -> tuple[Any, bytes]:
    """The body, from its JSON, and the whole frame that the document gives for a topic."""
    (text,) = [text for _, text in documents.fences(PROTOCOL) if text.startswith(f"{topic} ")]
    heading, *lines = text.splitlines()
    frame = "".join(line.partition("  ")[0] for line in lines)
    return msgspec.json.decode(heading.removeprefix(topic)), bytes.fromhex(frame)


@pytest.mark.parametrize(
    ("name", "topic", "kind", "message"),
    [
        ("tick:EURUSD", topics.tick("EURUSD"), list[Tick], [TICK]),
        ("alive", topics.ALIVE, StreamAlive, StreamAlive(TIME_NS, {"EURUSD": SEQ})),
        (
            "status",
            topics.STATUS,
            StreamStatus,
            StreamStatus(TIME_NS, [FEED]),
        ),
        (
            "depth:EURUSD",
            topics.depth("EURUSD"),
            StreamDepth,
            StreamDepth(
                "EURUSD",
                7,
                TIME_NS,
                SEQ,
                Depth([Level(TICK.bid_e8, 10**14, "BINANCE")], [Level(TICK.ask_e8, 10**14, "OANDA")]),
            ),
        ),
        ("events", topics.EVENTS, EventBatch, EventBatch(21, TIME_NS, [AccountOpened(1, "USD")])),
    ],
)
def test_bytes_of_the_public_topics(name: str, topic: bytes, kind: Any, message: Any) -> None:
    body, frame = in_the_document(name)
    assert codec.encode(message, topic) == frame
    assert codec.topic_and_body(frame)[0] == topic == name.encode() + b"\0"
    assert codec.decoder(kind)(frame[len(topic) :]) == message
    assert msgspec.msgpack.decode(frame[len(topic) + len(codec.VERSION) :]) == body


def test_how_another_language_reads_a_tick() -> None:
    """The recipe of the document, step by step."""
    _, frame = in_the_document("tick:EURUSD")
    end = frame.index(b"\0")
    assert frame[end + 1] == 1
    (tick,) = msgspec.msgpack.decode(frame[end + 2 :])
    assert (tick[0], tick[3] / 100_000_000, tick[4] / 100_000_000) == ("EURUSD", 1.0845, 1.08462)


def test_a_newer_sender_may_add_fields_at_the_end() -> None:
    newer = codec.encode([TIME_NS, {"EURUSD": SEQ}, "more"])
    assert codec.decoder(StreamAlive)(newer) == StreamAlive(TIME_NS, {"EURUSD": SEQ})


def test_fields_of_a_tick_a_quote_a_feed_and_an_lp() -> None:
    said = [re.findall(r"\w+", code) for code in documents.code(PROTOCOL) if code.startswith("[")]
    assert list(Tick.__struct_fields__) in said
    assert list(Quote.__struct_fields__) in said
    lp = ", ".join(LpStatus.__struct_fields__).replace("dropped", "{reason: dropped}")
    assert f"`[{lp}]`" in " ".join(PROTOCOL.split())
    assert ["FeedStatus", "lp", *FeedStatus.__struct_fields__[1:]] in said
    assert list(StreamState.__struct_fields__) in said
    assert [name for code in said if code[:2] == ["started_ns", "version"] for name in code[1:]] == [
        "version",
        "lps",
        "name",
        "lp",
        "time_ns",
        "by",
        "change",
    ]


def test_addresses() -> None:
    rows = documents.tables(PROTOCOL, "address", "who binds", "pattern", "what")
    assert [documents.words(address)[0] for address, *_ in rows] == list(Endpoints.__struct_fields__)
