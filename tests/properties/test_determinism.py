"""The same inputs give the same bytes."""

import hashlib
import os
import random
import subprocess
import sys
from collections import Counter

import msgspec

from actors.domain.broker import apply
from actors.domain.commands import (
    ClosePosition,
    Input,
    Mode,
    ObserveTicks,
    SubmitOrder,
)
from actors.domain.events.orders import OrderFilled
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderReason, OrderTerms, OrderType, Side
from actors.domain.quote import Tick
from actors.domain.refusal import Refused
from actors.domain.state import State
from tests.conftest import ROOT
from tests.examples import INSTRUMENTS, START_NS, encoded, opening, price_near_e8, trading_inputs


def random_inputs(seed: int, count: int) -> list[Input]:
    """A long day of several accounts, the same on every machine."""
    chance = random.Random(seed)
    names = sorted(INSTRUMENTS)
    inputs: list[Input] = [*trading_inputs("50000"), *opening("9000000", "JPY", 2, Mode.NETTING)]
    seq = 1
    for number in range(count):
        symbol = chance.choice(names)
        draw = chance.random()
        if draw < 0.5:
            seq += 1
            bid_e8 = price_near_e8(symbol, chance.randint(-30, 30))
            inputs.append(ObserveTicks((Tick(symbol, seq, START_NS, bid_e8, bid_e8 + 1_000, "A", "B", True),)))
        elif draw < 0.8:
            side = chance.choice(list(Side))
            quantity_e8 = e8("0.01") if symbol == "BTCUSD" else chance.randint(1, 5_000) * e8("1")
            stop_e8 = price_near_e8(symbol, chance.randint(-25, 25)) if chance.random() < 0.3 else 0
            kind = chance.choice([OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.TRAILING_STOP])
            price_e8 = price_near_e8(symbol, chance.randint(-25, 25))
            terms = OrderTerms(
                symbol,
                side,
                kind,
                quantity_e8,
                limit_e8=price_e8 if kind is OrderType.LIMIT else 0,
                stop_e8=price_e8 if kind is OrderType.STOP else 0,
                trail_e8=price_e8 // 100_000_000 * 1_000_000 if kind is OrderType.TRAILING_STOP else 0,
                stop_loss_e8=stop_e8,
            )
            inputs.append(SubmitOrder(chance.randint(1, 2), f"{number}", terms))
        else:
            inputs.append(ClosePosition(chance.randint(1, 2), f"{number}", chance.randint(1, number // 12 + 1)))
    return inputs


def day_digest(seed: int, count: int) -> tuple[str, Counter[OrderReason]]:
    """Of every event and the state at the end; and what the fills were made for."""
    state, digest, reasons = State(), hashlib.sha256(), Counter[OrderReason]()
    for told in random_inputs(seed, count):
        try:
            events = apply(state, told, START_NS)
        except Refused as refused:
            digest.update(str(refused).encode())
            continue
        digest.update(msgspec.msgpack.encode(events))
        reasons.update(event.order.reason for event in events if isinstance(event, OrderFilled))
    digest.update(encoded(state))
    return digest.hexdigest(), reasons


def test_the_same_inputs_give_the_same_bytes_whatever_the_hashes_are() -> None:
    """String hashes, and with them the order of sets, differ by PYTHONHASHSEED."""
    digest, reasons = day_digest(7, 6_000)
    assert min(reasons[reason] for reason in (OrderReason.CLIENT, OrderReason.CLOSE, OrderReason.STOP_LOSS)) > 10
    script = "from tests.properties.test_determinism import day_digest; print(day_digest(7, 6_000)[0])"
    for hash_seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", script]
        assert subprocess.check_output(command, cwd=ROOT, env=environment, text=True).strip() == digest
