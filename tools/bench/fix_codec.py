"""`fix_codec`: FIX messages encoded and parsed a second, beside simplefix."""

import time
from collections.abc import Callable
from pathlib import Path

import simplefix

from gateway.fix.codec import Field, Framer, encode, join
from tools.bench.result import Measurement, Result, Run, Say, Spoiled, in_turns

NAME = "fix_codec"
MESSAGES = 10_000
ROUNDS = 5
HEADER: list[Field] = [
    (35, b"8"), (34, b"1234"), (49, b"BROKER"), (52, b"20260119-12:00:00.123"), (56, b"CLIENT"),
]  # fmt: skip
BODY: list[Field] = [
    (37, b"4711"), (11, b"order-000001"), (17, b"90210"), (150, b"F"), (39, b"2"), (55, b"EUR/USD"), (54, b"1"),
    (38, b"100000"), (32, b"100000"), (31, b"1.07123"), (151, b"0"), (14, b"100000"), (6, b"1.07123"),
    (60, b"20260119-12:00:00.120"),
]  # fmt: skip


def _ours_encoded() -> bytes:
    return encode(b"FIX.4.4", join(HEADER) + join(BODY))


def _ours_parsed(data: bytes) -> list[Field]:
    (message,) = Framer().receive_data(data)
    return message.fields


def _peer_encoded() -> bytes:
    message = simplefix.FixMessage()
    message.append_pair(8, b"FIX.4.4")
    for tag, value in (*HEADER, *BODY):
        message.append_pair(tag, value)
    data: bytes = message.encode()
    return data


def _peer_parsed(data: bytes) -> list[tuple[bytes, bytes]]:
    parser = simplefix.FixParser()
    parser.append_buffer(data)
    pairs: list[tuple[bytes, bytes]] = parser.get_message().pairs
    return pairs


def measure(_folder: Path, say: Say, *, messages: int = MESSAGES, rounds: int = ROUNDS) -> Result:
    """Raises Spoiled where the two disagree."""
    data = _ours_encoded()
    theirs = [(int(tag), value) for tag, value in _peer_parsed(data)[2:-1]]  # Without what frames a message.
    if data != _peer_encoded() or _ours_parsed(data) != theirs:
        raise Spoiled("the two do not make the same of a message")

    def run(prefix: str, encoded: Callable[[], bytes], parsed: Callable[[bytes], object]) -> Run:
        begin_ns = time.perf_counter_ns()
        for _ in range(messages):
            encoded()
        middle_ns = time.perf_counter_ns()
        for _ in range(messages):
            parsed(data)
        end_ns = time.perf_counter_ns()
        each = {
            f"{prefix}encode_ns": (middle_ns - begin_ns) // messages,
            f"{prefix}parse_ns": (end_ns - middle_ns) // messages,
        }
        return Run(messages, (end_ns - begin_ns) / 1e9, each)

    runs = in_turns(
        NAME,
        rounds,
        lambda: run("", _ours_encoded, _ours_parsed),
        lambda: run("peer_", _peer_encoded, _peer_parsed),
        say,
    )
    shape = {"messages": messages, "message_bytes": len(data)}
    return runs.result(NAME, "messages/s", "simplefix, which checks neither length nor checksum", shape)


MEASUREMENT = Measurement(
    "An ExecutionReport of 19 fields, encoded and parsed again in one process; ours checks BodyLength and CheckSum. "
    "The JSON has the nanoseconds of each direction.",
    measure,
)
