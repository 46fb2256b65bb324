"""What is garbled takes no message with it that follows, however the bytes are cut."""

import random

import pytest
import simplefix
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fix.codec import Framer, Message, checksum
from tests.gateway.fix.peers import ORDER, wire

INTACT = [wire(b"0", 7), wire(b"D", 8, *ORDER), wire(b"1", 9, (112, b"x" * 300))]
RAW = wire(b"0", 5, (95, b"%d" % len(INTACT[1])), (96, INTACT[1]))
LIMIT_BYTES = 2_048
PADDING = wire(b"0", 99) * (LIMIT_BYTES // 60)
NOISE = b"0189=\x01DFIX.\xff"


def framed(head: bytes, body: bytes) -> bytes:
    data = head + body
    return b"%b10=%03d\x01" % (data, checksum(data))


def with_length(message: bytes, by: int) -> bytes:
    """Its BodyLength wrong by so much, and its CheckSum right."""
    begin, length, body = message.split(b"\x01", 2)
    return framed(b"%b\x01%b\x01" % (begin, b"9=%d" % (int(length[2:]) + by)), body[:-7])


def kinds(messages: list[Message]) -> list[bytes]:
    return [message.msg_type + (message.get(34) or b"") for message in messages]


@pytest.mark.parametrize("by", [1, 2, 5, 6, 7, 8, 50, 1_500])
def test_a_length_that_is_too_long_holds_nothing_back(by: int) -> None:
    framer = Framer(LIMIT_BYTES)
    assert framer.receive_data(with_length(INTACT[1], by)) == []
    assert kinds(framer.receive_data(INTACT[0])) == [b"07"]
    assert framer.garbled == 1


@pytest.mark.parametrize("kept", range(1, len(INTACT[1])))
def test_a_message_without_its_end_holds_nothing_back(kept: int) -> None:
    cut = INTACT[1][:kept]
    framer = Framer(LIMIT_BYTES)
    assert framer.receive_data(cut) == []
    found = framer.receive_data(INTACT[0] + (b"" if cut.endswith(b"\x01") else INTACT[1]))
    assert kinds(found)[-1:] == [b"07" if cut.endswith(b"\x01") else b"D8"]


def test_a_message_in_a_data_field_is_no_message() -> None:
    for size in (1, 7, len(RAW)):
        framer, found = Framer(LIMIT_BYTES), list[Message]()
        for at in range(0, len(RAW), size):
            found += framer.receive_data(RAW[at : at + size])
        assert kinds(found) == [b"05"]
        assert found[0].get(96) == INTACT[1]
        assert framer.garbled == 0


def test_a_data_field_that_claims_too_much_ends_with_its_message() -> None:
    lying = wire(b"0", 5, (95, b"1800"), (96, b"abc"))
    framer = Framer(LIMIT_BYTES)
    found = framer.receive_data(lying + b"".join(INTACT))
    assert kinds(found) == [b"07", b"D8", b"19"]


def mutated(chance: random.Random, message: bytes) -> bytes:
    data = bytearray(message)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[at] = chance.choice(NOISE)
            case 1:
                del data[at : at + chance.randrange(1, 30)]
            case 2:
                data[at:at] = bytes(chance.choice(NOISE) for _ in range(chance.randrange(1, 9)))
            case _:
                data[at:at] = message[: chance.randrange(1, 40)]
        if not data:
            break
    return bytes(data)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**48))
def test_an_intact_message_is_never_lost_nor_another_believed(seed: int) -> None:
    chance = random.Random(seed)
    sent, stream = list[bytes](), b""
    for _ in range(chance.randrange(1, 8)):
        message = chance.choice((*INTACT, RAW))
        is_intact = chance.random() < 0.5
        garbage = mutated(chance, message) if chance.random() < 0.8 else chance.randbytes(chance.randrange(60))
        stream += message if is_intact else garbage
        sent += [message] if is_intact else []
    whole = Framer(LIMIT_BYTES).receive_data(stream + PADDING)
    told = [rebuilt(message) for message in whole if message.get(34) != b"99"]
    rest = iter(told)
    assert all(message in rest for message in sent), "an intact message is missing"
    assert all(is_whole_for_simplefix(message) for message in told)
    pieces, framer, at = list[Message](), Framer(LIMIT_BYTES), 0
    while at < len(stream + PADDING):
        size = chance.randrange(1, 50)
        pieces += framer.receive_data((stream + PADDING)[at : at + size])
        at += size
    assert [message.fields for message in pieces] == [message.fields for message in whole]


@pytest.mark.parametrize("seed", range(20))
def test_every_byte_boundary(seed: int) -> None:
    chance = random.Random(seed)
    stream = b"".join(mutated(chance, one) + one for one in (*INTACT, RAW)) + PADDING
    whole = [message.fields for message in Framer(LIMIT_BYTES).receive_data(stream)]
    for cut in range(1, len(stream) - len(PADDING)):
        framer = Framer(LIMIT_BYTES)
        found = framer.receive_data(stream[:cut]) + framer.receive_data(stream[cut:])
        assert [message.fields for message in found] == whole


def rebuilt(message: Message) -> bytes:
    body = b"".join(b"%d=%b\x01" % field for field in message.fields)
    return framed(b"8=%b\x019=%d\x01" % (message.begin_string, len(body)), body)


def is_whole_for_simplefix(data: bytes) -> bool:
    """simplefix, which believes neither length nor CheckSum, sees the same fields."""
    parser = simplefix.FixParser()
    parser.append_buffer(data)
    message = parser.get_message()
    return message is not None and message.encode() == data
