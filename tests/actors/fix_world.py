"""As venue_world.py, with the simulated FIX LP behind a FIX session instead of OANDA; no sockets, time as told.

Our side may be killed at any commit, before it or just after it. Then the connection is gone with it.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from actors.bus import codec, topics
from actors.bus.answers import Reply
from actors.bus.streams import EventBatch
from actors.dispatch.dispatcher import Dispatcher
from actors.dispatch.venue_calls import Beat, BusHeard
from actors.domain.commands import ObserveStream
from actors.domain.events.venues import ChildChanged
from actors.domain.prices.lp_registry import FIX_ADAPTER, Lp
from actors.lp.orders import Orders
from config.lp_sessions import LpSession
from gateway.fix.events import Event
from gateway.fix.session import Session
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.store import SqliteStore
from gateway.fix.validation import Level
from tests.actors.venue_world import STEP_NS, FragileDispatch, Killed, World, decode_request
from tests.examples import SECOND_NS
from tools.venues.fix.book import Book
from tools.venues.fix.desk import Desk
from tools.venues.fix.faults import Faults
from tools.venues.fix.session import COMP_ID, Login
from tools.venues.fix.session import Session as LpSide
from tools.venues.fix.wire import Fields, Reader, text, utc_timestamp

US = "US"
LP_NAME = "OANDA"
"""As the rules of venue_world.py have it."""
NAMES = {"EURUSD": "EUR/USD"}
ROUNDS_PER_STEP = 6
FixFill = tuple[str, str, int, int]
"""ClOrdID, ExecID, signed quantity and price, on the 10^-8 scale."""


class FragileStore(SqliteStore):
    """Dies at its `at`-th commit from now: before it, or (`after`) when it is on the disk. 0: never."""

    commits = 0
    at = 0
    after = False

    @contextlib.contextmanager
    def transaction(self) -> Iterator[object]:  # type: ignore[override]
        cls = type(self)
        before = self.db.total_changes
        dies = False
        with super().transaction() as db:
            yield db
            if self.db.total_changes > before:
                cls.commits += 1
                dies = cls.commits == cls.at
            if dies and not cls.after:
                raise Killed
        if dies:
            raise Killed


class FixWorld(World):
    def __init__(self, path: Path, faults: Faults) -> None:
        self.lp_book = Book()
        self.lp_faults = faults
        self._logins = {US: Login("us", "secret")}
        self._due: list[tuple[int, Callable[[int], None]]] = []
        self.stale: list[str] = []
        """Orders of an earlier connection that were sent again."""
        self.beside: dict[str, tuple[str, str]] = {}
        """By MsgType what the LP was last told of Product and SettlDate, which are constants of the session."""
        self._lp: LpSide | None = None
        self._fix: FragileStore | None = None
        self._idle = LpSide(self.lp_book, self._logins, faults, self._hear_nothing)
        self._idle.peer = US
        chance = Random(1)
        self.desk = Desk(
            self.lp_book, ("EUR/USD",), faults, chance, self._say, self._do_later, lambda _: self._disconnect()
        )
        super().__init__(path, [])

    def step(self) -> None:
        self.now_ns += STEP_NS
        self.tell(ObserveStream(self.now_ns, ()))
        try:
            self._turn_bus()
            self._connect()
            for _ in range(ROUNDS_PER_STEP):
                self._exchange()
                self._deal_what_is_due()
            if self._lp is not None:
                self._lp.beat(self.now_ns)
                self._turn(self.session.tick)
        except Killed:
            self.kills += 1
            self._start()

    def cut(self) -> None:
        """The line is gone; neither side knows what the other has read."""
        self._disconnect()

    def register(self, names: dict[str, str] | None) -> None:
        """The registry has other names from now on; None: it has the LP disabled."""
        lp = None if names is None else Lp(LP_NAME, FIX_ADAPTER, names)
        with self._transaction():
            self.orders.follow(self.session, lp, self.now_ns)
            self.session.save()
        self._after_commit()

    def lp_fills(self) -> list[FixFill]:
        return sorted(
            (order.cl_ord_id, f"E{it.exec_id}", it.quantity_e8 if order.side == "1" else -it.quantity_e8, it.price_e8)
            for order, it in self.lp_book.executions()
        )

    def our_fills(self) -> list[FixFill]:
        found = []
        for event in self.events:
            if isinstance(event, ChildChanged) and event.fill is not None:
                child, fill = event.child, event.fill
                signed_e8 = fill.quantity_e8 if child.side.value == "buy" else -fill.quantity_e8
                found.append((f"{child.child_id}-{child.sent_ns}", fill.exec_id, signed_e8, fill.price_e8))
        return sorted(found)

    def close(self) -> None:
        self._actor.stop()
        if self._fix is not None:
            self._fix.close()

    def _start_once(self) -> None:
        self._drop_lp()
        self._wire = b""
        self._frames: list[bytes] = []
        if self._fix is not None:
            self._fix.close()
        self._fix = FragileStore(self._path)
        self._store = FragileDispatch(self._path, self.now_ns, self._fix.db)
        self._actor = Dispatcher.start(LP_NAME, NAMES, self._store, self.now_ns)
        beside, more = {"460": "4"}, {"64": "20260121"}
        terms = LpSession(
            *("s", LP_NAME, "orders", US, COMP_ID), trade_reports=True, instrument_fields=beside, order_fields=more
        )
        self.orders = Orders(self._actor, self._store, self._fix, terms, NAMES, self._frames_told)
        settings = SessionSettings(
            session_id="s",
            role=Role.INITIATOR,
            sender=US,
            target=COMP_ID,
            username="us",
            password="secret",
            validation=Level.LENIENT,
            replay=self.orders.may_replay,
        )
        self.session = Session(settings, self._fix)

    def _transaction(self) -> contextlib.AbstractContextManager[object]:
        assert self._fix is not None
        return self._fix.transaction()

    def _frames_told(self, frames: list[bytes]) -> None:
        self._frames += frames

    def _turn(self, step: Callable[[int], list[Event]]) -> None:
        """As gateway/fix/connection.py does it."""
        with self._transaction():
            for event in step(self.now_ns):
                self.orders.on_event(self.session, event, self.now_ns)
            self.session.save()
        self._after_commit()

    def _turn_bus(self) -> None:
        heartbeat = EventBatch(len(self.events) + 1, self.now_ns, [])
        (events, replies), self._inbox = self._inbox, ([], [])
        told = BusHeard(self.now_ns, [*events, codec.encode(heartbeat, topics.EVENTS)], replies)
        for message in (told, Beat(self.now_ns)):
            with self._transaction():
                self.orders.expire(self.session, self.now_ns)
                self.orders.tell(self.session, message)
                self.session.save()
            self._after_commit()

    def _after_commit(self) -> None:
        self._wire += self.session.data_to_send()
        frames, self._frames = self._frames, []
        for frame in frames:
            request = decode_request(frame)
            self._inbox[1].append(codec.encode(Reply(request.request_id, self._obeyed(request))))
        if self.session.must_close:
            self._disconnect()

    def _connect(self) -> None:
        self._see_end()
        if self._lp is None:
            self._lp, self._reader = LpSide(self.lp_book, self._logins, self.lp_faults, self.desk.receive), Reader()
            self._connected_at = utc_timestamp(self.now_ns)
            self._turn(self.session.open)

    def _exchange(self) -> None:
        if self._lp is None:
            return
        data, self._wire = self._wire, b""
        for message in self._reader.receive(data):
            self.beside[text(message, 35)] = text(message, 460), text(message, 64)
            if text(message, 35) == "D" and text(message, 43) == "Y" and text(message, 122) < self._connected_at:
                self.stale.append(text(message, 11))
            if self._lp is not None:
                self._lp.receive(message, self.now_ns)
        if self._lp is not None and (said := self._lp.take()):
            self._turn(lambda now_ns: self.session.receive_data(said, now_ns))
        if self._lp is not None and self._lp.closing:
            self._disconnect()

    def _disconnect(self) -> None:
        self._drop_lp()
        self._wire = b""
        if not self.session.is_down:
            self._due.append((self.now_ns, lambda _: self._see_end()))

    def _see_end(self) -> None:
        if self._lp is None and not self.session.is_down:
            self._turn(self.session.closed)

    def _drop_lp(self) -> None:
        if self._lp is not None:
            self._lp.is_up = False
            self._lp = None
            self.desk.forget(US)

    def _deal_what_is_due(self) -> None:
        for item in [item for item in self._due if item[0] <= self.now_ns]:
            self._due.remove(item)
            item[1](self.now_ns)

    def _do_later(self, delay_ms: int, call: Callable[[int], None]) -> None:
        self._due.append((self.now_ns + delay_ms * SECOND_NS // 1_000, call))

    def _say(self, peer: str, msg_type: str, body: Fields, now_ns: int) -> None:
        (self._lp if self._lp is not None and self._lp.is_up else self._idle).send(msg_type, body, now_ns)

    @staticmethod
    def _hear_nothing(*_: object) -> None:
        raise AssertionError("nobody is connected")
