"""The processes that `orders` measures: the engine and a client, each a function for a Child.

The engine process is the product's own (Engine, Journal and Pump on the product's sockets); only the instruments and
accounts are made up. The client keeps a window of orders in flight on one DEALER and reads every answer.
"""

import time
from pathlib import Path
from typing import Any, NamedTuple

import pykka
import zmq

from actors import process
from actors.bus import codec, endpoints, sockets, topics
from actors.bus.answers import AccountReport, OrderReport, Reply
from actors.bus.requests import EngineRequest, GetAccount
from actors.domain.commands import Command, DefineInstrument, Deposit, OpenAccount, SubmitOrder
from actors.domain.money import SCALE
from actors.domain.order import OrderStatus, OrderTerms, OrderType, Side
from actors.engine import INTERVAL_MS, Engine
from actors.store.journal import Journal
from tools.bench import market
from tools.bench.result import Spoiled

ACCOUNTS = 100
SYMBOLS = ("EURUSD", "GBPUSD", "AUDUSD", "NZDUSD", "USDCAD", "USDCHF", "USDJPY", "EURGBP", "EURJPY", "GBPCHF")
"""Four quoted in the accounts' currency, six whose amounts must be converted to it."""
CURRENCY = "USD"
DEPOSIT_MINOR = 1_000_000_000_00
QUANTITY_E8 = 1_000 * SCALE
ANSWER_TIMEOUT_MS = 10_000
OPENING_TRIES = 500
OPENING_PAUSE_S = 0.02


class Holding(NamedTuple):
    """What there is of an account: as the engine says, or as its journal does."""

    balance_minor: int
    margin_minor: int
    positions: int
    net_e8: int
    """All quantities together, the short ones negative."""


class Dealt(NamedTuple):
    """What a client saw. Orders that were answered otherwise than by their one fill are `unlike`."""

    seconds: float
    fills: int
    unlike: int
    opening_fills: int
    """Fills of before the time ran."""
    latencies_ns: list[int]
    """From sending an order to having its answer, sorted."""
    holdings: dict[int, Holding]


def journal_file(folder: Path) -> Path:
    return folder / "engine.sqlite"


def definitions() -> list[Command]:
    instruments = market.instruments()
    commands: list[Command] = [DefineInstrument(instruments[symbol]) for symbol in SYMBOLS]
    for account_id in range(1, ACCOUNTS + 1):
        commands.append(OpenAccount(account_id, CURRENCY))
        commands.append(Deposit(account_id, DEPOSIT_MINOR, f"opening-{account_id}", "bench"))
    return commands


def order(number: int) -> SubmitOrder:
    """Order so and so: the next account each time, the next symbol after each round of the accounts, buy and sell."""
    turn, account = divmod(number, ACCOUNTS)
    rounds, place = divmod(turn, len(SYMBOLS))
    side = Side.SELL if rounds % 3 == 2 else Side.BUY
    return SubmitOrder(account + 1, f"order-{number}", OrderTerms(SYMBOLS[place], side, OrderType.MARKET, QUANTITY_E8))


def engine(folder: Path) -> None:
    """The engine process; runs until it is killed or SIGTERM."""
    serve(folder, definitions())


def serve(folder: Path, told: list[Command]) -> None:
    """An engine process that is first told these commands."""
    stopping = process.Stopping()
    context: process.Context = zmq.Context()
    at = endpoints.local(folder)
    journal = Journal(journal_file(folder))
    recovered = journal.recover()
    actor = Engine.start(journal, recovered, told)
    opened = {
        "ticks": sockets.subscriber(context, at.ticks, topics.TICK_PREFIX, topics.ALIVE),
        "requests": sockets.router(context, at.engine),
        "events": sockets.publisher(context, at.events),
    }
    process.Running(actor, opened, INTERVAL_MS).run(stopping)
    pykka.ActorRegistry.stop_all()
    context.destroy(linger=sockets.LINGER_MS)


def client(folder: Path, orders: int, window_orders: int) -> Dealt:
    """The client process: sends `orders` orders, at most so many unanswered, then asks after each account."""
    return dealt_by(Desk, folder, orders, window_orders)


def dealt_by(kind: "type[Desk]", folder: Path, orders: int, pace: int) -> Dealt:
    """What a desk sees that deals `orders` orders at its kind of pace."""
    context: process.Context = zmq.Context()
    desk = kind(sockets.dealer(context, endpoints.local(folder).engine))
    opening_fills = desk.open()
    start_ns = time.monotonic_ns()
    desk.deal(orders, pace)
    seconds = (time.monotonic_ns() - start_ns) / 1e9
    holdings = {account_id: desk.holding(account_id) for account_id in range(1, ACCOUNTS + 1)}
    context.destroy(linger=0)
    latencies = sorted(desk.latencies_ns)
    return Dealt(seconds, desk.fills, desk.unlike, opening_fills, latencies, holdings)


class Desk:
    """A client's side of the engine's ROUTER."""

    def __init__(self, socket: zmq.Socket[bytes]) -> None:
        self.fills = self.unlike = 0
        self.latencies_ns: list[int] = []
        self._socket = socket
        self._socket.setsockopt(zmq.RCVTIMEO, ANSWER_TIMEOUT_MS)
        self._decode = codec.decoder(Reply)

    def open(self) -> int:
        """Deals one order in each symbol, again and again until there is a price; gives the number of fills."""
        for symbol in SYMBOLS:
            for attempt in range(OPENING_TRIES):
                told = SubmitOrder(
                    1, f"opening-{symbol}-{attempt}", OrderTerms(symbol, Side.BUY, OrderType.MARKET, QUANTITY_E8)
                )
                if self._ask(told, OrderReport).outcome.order.status is OrderStatus.FILLED:
                    break
                time.sleep(OPENING_PAUSE_S)
            else:
                raise Spoiled(f"the engine never got a price of {symbol}")
        return len(SYMBOLS)

    def deal(self, orders: int, pace: int) -> None:
        """Ends when each order has its answer; counts the fills and what is no fill. `pace`: how many are in flight."""
        sent_ns: list[int] = []
        answered = 0
        while answered < orders:
            asked: list[bytes] = []
            while len(sent_ns) < orders and len(sent_ns) - answered < pace:
                number = len(sent_ns)
                sent_ns.append(time.monotonic_ns())
                asked.append(codec.encode(EngineRequest(number, order(number))))
            if asked:
                self._socket.send_multipart(asked)
            for frame in self._socket.recv_multipart():
                self._take(self._decode(frame), sent_ns)
                answered += 1

    def holding(self, account_id: int) -> Holding:
        report = self._ask(GetAccount(account_id), AccountReport)
        held = [told.position for told in report.positions]
        net_e8 = sum(one.quantity_e8 if one.side is Side.BUY else -one.quantity_e8 for one in held)
        return Holding(report.summary.balance_minor, report.summary.margin_minor, len(held), net_e8)

    def _take(self, reply: Reply, sent_ns: list[int]) -> None:
        number, answer = reply.request_id, reply.body
        self.latencies_ns.append(time.monotonic_ns() - sent_ns[number])
        if (
            isinstance(answer, OrderReport)
            and not answer.repeated
            and answer.outcome.order.client_order_id == f"order-{number}"
            and answer.outcome.order.status is OrderStatus.FILLED
            and len(answer.outcome.fills) == 1
        ):
            self.fills += 1
        else:
            self.unlike += 1

    def _ask(self, body: Any, kind: type[Any]) -> Any:
        self._socket.send(codec.encode(EngineRequest(0, body)))
        answer = self._decode(self._socket.recv()).body
        if not isinstance(answer, kind):
            raise Spoiled(f"the engine answered {answer}")
        return answer
