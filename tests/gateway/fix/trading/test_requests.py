"""Clients' messages as plain values."""

import random
from dataclasses import asdict

import pytest

from actors.domain.money import parse_e8
from gateway.fix.codec import Field, Message
from gateway.fix.trading import requests
from gateway.fix.trading.requests import Close, Named, Terms, Unfit

ORDER: list[Field] = [(35, b"D"), (11, b"a"), (55, b"EURUSD"), (54, b"1"), (38, b"1000"), (40, b"1")]
PLAIN = Terms("EURUSD", "buy", "market", parse_e8("1000"), "day", 0, 0, 0, 0, 0, 0, 0, 0, False, "")
SEED = 20260119


def message(*fields: Field) -> Message:
    return Message(b"FIX.4.4", [*ORDER, *fields])


@pytest.mark.parametrize(
    ("fields", "differs"),
    [
        ((), {}),
        (((54, b"2"), (38, b".5")), {"side": "sell", "quantity_e8": 50_000_000}),
        (((38, b"7."),), {"quantity_e8": 700_000_000}),
        (((40, b"2"), (44, b"1.05"), (59, b"1")), {"kind": "limit", "limit_e8": 105_000_000, "time_in_force": "gtc"}),
        (((40, b"4"), (99, b"2"), (44, b"3")), {"kind": "stop_limit", "stop_e8": 2 * 10**8, "limit_e8": 3 * 10**8}),
        (((40, b"P"), (18, b"a"), (211, b"0.01")), {"kind": "trailing_stop", "trail_e8": 1_000_000}),
        (((59, b"6"), (126, b"19700101-00:00:01")), {"time_in_force": "gtd", "expires_ns": 10**9}),
        (((59, b"4"), (110, b"1000")), {"time_in_force": "fok"}),
        (((77, b"O"),), {}),
        (((18, b"1 5"), (63, b"0"), (423, b"2")), {}),
        (((77, b"C"),), {"reduce_only": True}),
        (
            ((7001, b"1"), (7002, b"2"), (7003, b"3"), (7004, b"Y"), (7005, b"m"), (7006, b"4")),
            {
                "stop_loss_e8": 10**8,
                "take_profit_e8": 2 * 10**8,
                "trailing_stop_e8": 3 * 10**8,
                "reduce_only": True,
                "oco": "m",
                "bound_e8": 4 * 10**8,
            },
        ),
    ],
)
def test_terms_of_an_order(fields: tuple[Field, ...], differs: dict[str, object]) -> None:
    assert asdict(requests.terms(message(*fields))) == asdict(PLAIN) | differs


@pytest.mark.parametrize(
    ("fields", "tag"),
    [
        (((38, b"0"),), 38),
        (((38, b"-1"),), 38),
        (((38, b"1.000000001"),), 38),
        (((40, b"E"),), 40),
        (((54, b"5"),), 54),
        (((59, b"2"),), 59),
        (((110, b"1"), (59, b"4")), 110),
        (((110, b"1000"),), 110),
        (((211, b"1"),), 211),
        (((40, b"P"), (211, b"1")), 18),
        (((40, b"P"), (18, b"a"), (836, b"2"), (211, b"1")), 836),
        (((432, b"20260101"),), 432),
        (((77, b"F"),), 77),
        (((18, b"6"),), 18),
        (((18, b"5 G"),), 18),
        (((18, b"a"),), 18),
        (((63, b"6"),), 63),
        (((168, b"20990101-00:00:00"),), 168),
        (((152, b"5"),), 152),
        (((423, b"1"),), 423),
    ],
)
def test_what_cannot_be_names_its_field(fields: tuple[Field, ...], tag: int) -> None:
    with pytest.raises(Unfit) as caught:
        requests.terms(message(*fields))
    assert (caught.value.code, caught.value.tag) == ("BAD_TERMS", tag)


@pytest.mark.parametrize("tags", [(2618,), (7007,), (2618, 7007)])
def test_the_closing_of_a_position(tags: tuple[int, ...]) -> None:
    named = [(tag, b"12") for tag in tags]
    assert requests.close(message((77, b"C"))) is None
    assert requests.close(message((77, b"C"), *named)) == Close(12, "EURUSD", "buy", parse_e8("1000"))
    without = Message(b"FIX.4.4", [field for field in ORDER if field[0] != 38] + [(77, b"C"), *named])
    assert requests.close(without) == Close(12, "EURUSD", "buy", 0)


@pytest.mark.parametrize(
    ("fields", "code", "tag"),
    [
        (((2618, b"12"),), "BAD_TERMS", 77),
        (((2618, b"12"), (77, b"O")), "BAD_TERMS", 77),
        (((2618, b"0"), (77, b"C")), "UNKNOWN_POSITION", 7007),
        (((2618, b"x"), (77, b"C")), "UNKNOWN_POSITION", 7007),
        (((2618, b"12"), (7007, b"13"), (77, b"C")), "UNKNOWN_POSITION", 7007),
        (((2618, b"12"), (77, b"C"), (40, b"2"), (44, b"1")), "BAD_TERMS", 40),
        (((2618, b"12"), (77, b"C"), (59, b"6"), (126, b"20990101-00:00:00")), "BAD_TERMS", 40),
        (((2618, b"12"), (77, b"C"), (7006, b"1.1")), "BAD_TERMS", 7006),
        (((2618, b"12"), (77, b"C"), (38, b"0")), "BAD_TERMS", 38),
        (((2618, b"12"), (77, b"C"), (168, b"20990101-00:00:00")), "BAD_TERMS", 168),
    ],
)
def test_a_closing_that_cannot_be_names_its_field(fields: tuple[Field, ...], code: str, tag: int) -> None:
    with pytest.raises(Unfit) as caught:
        requests.close(message(*fields))
    assert (caught.value.code, caught.value.tag) == (code, tag)


def test_names_are_ascii() -> None:
    assert requests.named(message((41, b"b"), (37, b"5"), (1, b"7"))) == Named("a", "b", "5", "7")
    with pytest.raises(Unfit, match="BAD_CLIENT_ORDER_ID"):
        requests.named(message((11, b"\xff")))


def test_no_field_raises_anything_but_unfit() -> None:
    chance = random.Random(SEED)
    tags = [*range(1, 60), 99, 110, 126, 146, 211, 262, 263, 264, 265, 267, 269, 432, 836, 77, 2618, *range(7001, 7008)]
    values = [
        b"",
        b"1",
        b"a",
        b"-",
        b".",
        b"1e5",
        b"\xff\xfe",
        b"9" * 40,
        b"0.1" * 9,
        "²".encode(),
        b"19700101-00:00:00",
    ]
    refused = 0
    for _ in range(5_000):
        fields = [(chance.choice(tags), chance.choice(values)) for _ in range(chance.randrange(12))]
        for read in (requests.terms, requests.close, requests.market_data, requests.named):
            try:
                read(message(*fields))
            except Unfit:
                refused += 1
    assert refused > 1_000
