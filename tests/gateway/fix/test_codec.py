"""The codec against simplefix, at every cut, and on what is no FIX."""

import random

import pytest
import simplefix
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fix.codec import Field, Framer, Unencodable, checksum, encode, join, split
from gateway.fix.framing import DATA_TAGS

HEAD: list[Field] = [(35, b"D"), (34, b"2"), (49, b"THEM"), (52, b"20260119-12:00:00.000"), (56, b"US")]
BODY: list[Field] = [(11, b"a=b"), (55, b"EUR/USD"), (38, b"100000"), (44, b"1.08123"), (58, b"8=FIX.4.4")]
ORDER = encode(b"FIX.4.4", join(HEAD + BODY))
HEARTBEAT = encode(b"FIX.4.4", join([(35, b"0"), *HEAD[1:]]))

values = st.binary(min_size=1, max_size=40).filter(lambda value: b"\x01" not in value)
tags = (st.integers(1, 956) | st.integers(5_000, 9_999)).filter(
    lambda tag: tag not in (8, 9, 10, 35) and tag not in DATA_TAGS and tag not in DATA_TAGS.values()
)
bodies = st.lists(st.tuples(tags, values), max_size=30)


def simplefix_encoded(fields: list[Field]) -> bytes:
    message = simplefix.FixMessage()
    message.append_pair(8, b"FIX.4.4")
    for tag, value in fields:
        message.append_pair(tag, value)
    data: bytes = message.encode()
    return data


@given(bodies)
def test_encodes_as_simplefix_does(body: list[Field]) -> None:
    fields = [(35, b"D"), *body]
    assert encode(b"FIX.4.4", join(fields)) == simplefix_encoded(fields)


@given(bodies)
def test_parses_what_simplefix_encodes(body: list[Field]) -> None:
    fields = [(35, b"D"), *body]
    (message,) = Framer().receive_data(simplefix_encoded(fields))
    assert (message.begin_string, message.msg_type, message.fields) == (b"FIX.4.4", b"D", fields)


@given(bodies)
def test_simplefix_parses_what_we_encode(body: list[Field]) -> None:
    parser = simplefix.FixParser()
    parser.append_buffer(encode(b"FIX.4.4", join([(35, b"D"), *body])))
    pairs = parser.get_message().pairs
    assert [(int(tag), value) for tag, value in pairs[2:-1]] == [(35, b"D"), *body]


@pytest.mark.parametrize("size", range(1, len(ORDER) + 1))
def test_pieces_of_any_size(size: int) -> None:
    framer, stream, messages = Framer(), ORDER + HEARTBEAT + ORDER, []
    for at in range(0, len(stream), size):
        messages += framer.receive_data(stream[at : at + size])
    assert [message.fields for message in messages] == [HEAD + BODY, [(35, b"0"), *HEAD[1:]], HEAD + BODY]
    assert framer.garbled == 0


@pytest.mark.parametrize(
    "garbage",
    [
        ORDER.replace(b"EUR", b"EUX"),
        ORDER.replace(b"10=", b"10=x"),
        ORDER.replace(b"\x019=", b"\x019=1"),
        encode(b"FIX.4.4", join([(34, b"2"), (35, b"D")])),
        b"8=FIX.4.4\x0135=0\x019=5\x0110=000\x01",
        b"8=FIX.4.4\x019=999999999\x01",
        b"no FIX at all 8=FI",
        encode(b"FIX.4.4", b"35=D\x01x1=y\x01"),
        encode(b"FIX.4.4", b"35=D\x0111\x01"),
        encode(b"FIX.4.4", b"35=D\x0101=5\x01"),
        encode(b"FIX.4.4", b"35=D\x011_0=5\x01"),
        encode(b"FIX.4.4", b"35=D\x0195=3\x0196=abcd\x01"),
        encode(b"FIX.4.4", b""),
    ],
)
def test_garbage_is_skipped_and_the_next_message_found(garbage: bytes) -> None:
    framer = Framer()
    messages = framer.receive_data(garbage + HEARTBEAT * 20)
    assert [message.msg_type for message in messages] == [b"0"] * 20
    assert framer.garbled >= 1


def test_a_length_that_is_too_long_waits_and_loses_nothing_else() -> None:
    framer = Framer()
    longer = ORDER.replace(b"\x019=%d" % (len(ORDER) - 23), b"\x019=%d" % (len(ORDER) - 3))
    assert longer != ORDER
    assert framer.receive_data(longer) == []
    assert [message.msg_type for message in framer.receive_data(HEARTBEAT)] == [b"0"]


def test_a_message_above_the_limit_is_garbage() -> None:
    framer = Framer(limit_bytes=len(ORDER) - 8)
    assert [message.msg_type for message in framer.receive_data(ORDER + HEARTBEAT)] == [b"0"]


def test_data_fields_hold_any_byte() -> None:
    fields: list[Field] = [(35, b"A"), (95, b"8"), (96, b"a\x0110=0\x01\x00"), (98, b"0")]
    (message,) = Framer().receive_data(encode(b"FIX.4.4", join(fields)))
    assert message.fields == fields


@pytest.mark.parametrize("field", [(58, b""), (58, b"a\x01b"), (96, b"a\x01b")])
def test_what_fix_cannot_carry_is_not_encoded(field: Field) -> None:
    with pytest.raises(Unencodable):
        join([(35, b"D"), field])


def test_a_repeating_group() -> None:
    data = b"35=W\x01268=2\x01269=0\x01270=1.1\x01269=1\x01270=1.2\x01271=5\x0158=x\x01"
    (message,) = Framer().receive_data(encode(b"FIX.4.4", data))
    assert message.group(268, {269, 270, 271}) == [{269: b"0", 270: b"1.1"}, {269: b"1", 270: b"1.2", 271: b"5"}]
    assert message.group(999, {269}) == []


@given(st.binary(max_size=2_000))
def test_the_checksum_is_the_sum(data: bytes) -> None:
    assert checksum(data) == sum(data) % 256


@given(st.binary(max_size=300))
def test_any_bytes_are_fields_or_not(data: bytes) -> None:
    fields = split(data)
    assert fields is None or join([(tag, value or b"-") for tag, value in fields if b"\x01" not in value]) is not None


@settings(max_examples=300)
@given(st.integers(0, 2**32), st.integers(1, 8))
def test_mutated_messages_never_raise_nor_hide_what_follows(seed: int, changes: int) -> None:
    chance = random.Random(seed)
    data = bytearray(ORDER)
    for _ in range(changes):
        data[chance.randrange(len(data))] = chance.choice(b"0189=\x01DFIX.\xff")
    framer = Framer(limit_bytes=512)
    messages = framer.receive_data(bytes(data) + HEARTBEAT * 12)
    assert [message.msg_type for message in messages[-3:]] == [b"0"] * 3
