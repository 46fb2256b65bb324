"""The broker's side of the state: dealing rules, what is held against clients and at venues, orders sent to venues.

Part of `State`; only events change it.
"""

from collections.abc import Mapping

import msgspec

from actors.domain.instrument import Instrument
from actors.domain.order import BUY, RoutedBy, Side, TimeInForce
from actors.domain.routing.child import Break, BreakReason, ChildOrder, VenueChange, VenueFill
from actors.domain.routing.execution import remember
from actors.domain.routing.hedge import Desk, HedgeTerms, SavedDesk, restored, saved
from actors.domain.routing.route import Router
from actors.domain.routing.rulebook import Book, RoutedSymbol, Rule, RuleBook

OVER_LIMIT = 10_000
"""Child orders that are over and still known, so that what a venue says of them later is seen to be late."""
CANCELLED = "CANCELLED"
"""The code of an order that its client has cancelled."""
B_BOOK_ONLY = RuleBook(0, (Rule(rule_id=1, name="default", book=Book.B_BOOK),))
"""Where no rules were ever defined, the broker deals everything itself."""


PAUSE_NS = 1_000_000_000
"""After venues have refused to close a position for its protection, the next try is made so much later; then after
twice as long, and so on."""
BREAKS_LIMIT = 1_000
"""Breaks that wait for a person; the oldest are then in the history of events alone."""
HEDGE_KEYS_LIMIT = 10_000
"""Of the last hedges that a person has sent: sent again under its key, one is not sent twice."""
REFUSALS_LIMIT = 5
"""After so many refusals (15 s) the broker closes the position itself, and what it holds at the venue is its own."""


class Refusals(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Of one position: how many closings venues have refused without filling anything, and when the last was sent."""

    count: int
    sent_ns: int


class SentChild(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A child order, whose it is, and how it goes on."""

    child: ChildOrder
    account_id: int
    """0: a hedge of the broker."""
    venues: tuple[str, ...]
    """Where what comes back is tried next."""
    time_in_force: TimeInForce
    """IOC or FOK; GTC where it rests at its venue."""
    markup_e8: int = 0
    """As much worse than the venue's is the client's price: as it was by the tick at which the order was sent, whatever
    prices do until it is filled. Below 0 where the group sees better prices than the market's."""

    @property
    def rests(self) -> bool:
        return self.time_in_force is TimeInForce.GTC


class SavedChild(msgspec.Struct, frozen=True, array_like=True):
    sent: SentChild
    known: list[tuple[str, int, int]]
    """exec_id, quantity and price of its fills."""


class FoundBreak(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A break that waits for a person."""

    event_seq: int
    found: Break


class SavedBooks(msgspec.Struct, frozen=True, array_like=True):
    """Books at rest."""

    rules: RuleBook = B_BOOK_ONLY
    venues: tuple[str, ...] = ()
    hedges: list[HedgeTerms] = []
    desks: list[SavedDesk] = []
    children: list[SavedChild] = []
    """Those that are over first, in the order in which they ended."""
    hedged_ns: dict[str, int] = {}
    refusals: dict[int, Refusals] = {}
    breaks: list[FoundBreak] = []
    hedge_keys: dict[str, str] = {}
    changes: list[VenueChange] = []
    cancel_refusals: dict[str, int] = {}


class Books:
    def __init__(self) -> None:
        self.rules = B_BOOK_ONLY
        self.routed_by: dict[int, RoutedBy] = {}
        """What an order says of the rule that it went by, by the rule's id."""
        self.venues: tuple[str, ...] = ()
        """Execution venues that exist."""
        self.hedges: dict[str, HedgeTerms] = {}
        self.hedged_ns: dict[str, int] = {}
        """By symbol, when the last hedge was sent."""
        self.desks: dict[str, Desk] = {}
        self.open: dict[str, SentChild] = {}
        """Child orders that are not over, oldest first."""
        self.over: dict[str, SentChild] = {}
        self.known: dict[str, dict[str, tuple[int, int]]] = {}
        """Fills of each child order, by exec_id."""
        self.refusals: dict[int, Refusals] = {}
        """By position, while it is open: of its protections, and of stop-outs."""
        self.breaks: dict[tuple[str, str], FoundBreak] = {}
        """By child order and reason, the last of each."""
        self.hedge_keys: dict[str, str] = {}
        """What was sent under each key."""
        self.changes: dict[str, VenueChange] = {}
        """By child order, what its venue is asked to make of it."""
        self.cancel_refusals: dict[str, int] = {}
        """By child order that may rest no longer, how often its venue has refused to cancel it."""
        self.is_plain = True
        """Nothing was ever sent to a venue, and the rules send nothing: the whole A-book can be passed over."""
        self._router: Router | None = None

    def router(self, instruments: Mapping[str, Instrument]) -> Router:
        if self._router is None:
            symbols = {name: routed(it) for name, it in instruments.items()}
            self._router = Router(self.rules, symbols)
        return self._router

    def forget_router(self) -> None:
        """An instrument has changed."""
        self._router = None

    def define_rules(self, rules: RuleBook, venues: tuple[str, ...]) -> None:
        self.rules, self.venues, self._router = rules, venues, None
        self.routed_by = {it.rule_id: RoutedBy(rules.version, it.rule_id, it.name) for it in rules.rules}
        if any(rule.book is not Book.B_BOOK for rule in rules.rules):
            self.is_plain = False

    def desk(self, symbol: str) -> Desk:
        found = self.desks.get(symbol)
        if found is None:
            found = self.desks[symbol] = Desk(symbol)
        return found

    def send(self, sent: SentChild) -> None:
        child = sent.child
        self.is_plain = False
        self.open[child.child_id] = sent
        self.known[child.child_id] = {}
        if not sent.account_id:
            self.desk(child.symbol).send_hedge(_signed(child.side, child.quantity_e8))
            self.hedged_ns[child.symbol] = child.sent_ns

    def ask(self, change: VenueChange) -> None:
        """The venue of a child order that rests is asked for a change, and should answer soon."""
        self.changes[change.child_id] = change
        sent = self.open[change.child_id]
        child = msgspec.structs.replace(sent.child, asked_ns=change.asked_ns, inquiries=0)
        self.open[change.child_id] = msgspec.structs.replace(sent, child=child)

    def keep(self, change: VenueChange) -> None:
        """The venue has refused it."""
        del self.changes[change.child_id]
        if change.terms is None and change.code != CANCELLED:
            self.cancel_refusals[change.child_id] = self.cancel_refusals.get(change.child_id, 0) + 1

    def change(self, child: ChildOrder, fill: VenueFill | None, unsent_e8: int) -> None:
        """A child order as it is now. `unsent_e8`: as much of the fill is neither a client's nor a hedge's."""
        name = child.child_id
        before = self.find(name)
        back_e8 = child.given_back_e8 - before.child.given_back_e8
        if child.is_over or child.sent_ns != before.child.sent_ns:
            self.changes.pop(name, None)
        # The next venue has a part now: what a person may give back later goes to the order.
        after = msgspec.structs.replace(before, child=child, venues=() if back_e8 else before.venues)
        if name in self.over:
            self.over[name] = after
        elif child.is_over:
            del self.open[name]
            self.cancel_refusals.pop(name, None)
            self._keep(after)
        else:
            self.open[name] = after
        if child.is_over or (before.rests and child.is_working):
            # It has become known: there is nothing for a person to settle any more.
            self.breaks.pop((name, BreakReason.STILL_UNKNOWN.value), None)
        desk = self.desk(child.symbol)
        if fill is not None:
            remember(self.known[name], (fill,))
            if not before.account_id and fill.quantity_e8 > unsent_e8:
                desk.deal_hedge(child.side, fill.quantity_e8 - unsent_e8, fill.price_e8, child.venue)
            if unsent_e8:
                desk.deal_unsent(child.side, unsent_e8, fill.price_e8, child.venue)
        if back_e8 and not before.account_id:
            desk.return_hedge(_signed(child.side, back_e8))

    def break_found(self, found: Break, event_seq: int) -> None:
        self.breaks.pop((found.child_id, found.reason.value), None)
        self.breaks[found.child_id, found.reason.value] = FoundBreak(event_seq, found)
        if len(self.breaks) > BREAKS_LIMIT:
            del self.breaks[next(iter(self.breaks))]
        known = self.known.get(found.child_id)
        if known is not None:
            remember(known, (found,))

    def break_ended(self, child_id: str) -> None:
        """A person has settled what was left of the child order, or dismissed the break."""
        self.breaks = {key: found for key, found in self.breaks.items() if key[0] != child_id}

    def order_hedge(self, key: str, what: str) -> None:
        self.hedge_keys[key] = what
        if len(self.hedge_keys) > HEDGE_KEYS_LIMIT:
            del self.hedge_keys[next(iter(self.hedge_keys))]

    def refuse(self, position_id: int, sent_ns: int) -> None:
        """Venues did not close anything of a position."""
        known = self.refusals.get(position_id)
        self.refusals[position_id] = Refusals(known.count + 1 if known else 1, sent_ns)

    def pauses(self, position_id: int, now_ns: int) -> bool:
        """Whether it is too early to close a position again after a refusal."""
        known = self.refusals.get(position_id)
        if known is None or known.count >= REFUSALS_LIMIT:
            return False
        return now_ns - known.sent_ns < PAUSE_NS << (known.count - 1)

    def has_given_up(self, position_id: int) -> bool:
        """Whether venues have refused too often."""
        known = self.refusals.get(position_id)
        return known is not None and known.count >= REFUSALS_LIMIT

    def find(self, child_id: str) -> SentChild:
        """Raises KeyError for a child order that was never sent, or is long forgotten."""
        return self.open.get(child_id) or self.over[child_id]

    def saved(self) -> SavedBooks:
        return SavedBooks(
            self.rules,
            self.venues,
            list(self.hedges.values()),
            [saved(desk) for desk in self.desks.values()],
            [
                SavedChild(sent, [(exec_id, *fill) for exec_id, fill in self.known[sent.child.child_id].items()])
                for sent in (*self.over.values(), *self.open.values())
            ],
            dict(self.hedged_ns),
            dict(self.refusals),
            list(self.breaks.values()),
            dict(self.hedge_keys),
            list(self.changes.values()),
            dict(self.cancel_refusals),
        )

    def restore(self, kept: SavedBooks) -> None:
        """Into new books, what `saved` gave."""
        self.define_rules(kept.rules, kept.venues)
        self.hedges = {terms.symbol: terms for terms in kept.hedges}
        self.hedged_ns = dict(kept.hedged_ns)
        self.refusals = dict(kept.refusals)
        self.breaks = {(it.found.child_id, it.found.reason.value): it for it in kept.breaks}
        self.hedge_keys = dict(kept.hedge_keys)
        self.changes = {change.child_id: change for change in kept.changes}
        self.cancel_refusals = dict(kept.cancel_refusals)
        self.desks = {desk.symbol: restored(desk) for desk in kept.desks}
        for part in kept.children:
            name = part.sent.child.child_id
            self.known[name] = {exec_id: (quantity_e8, price_e8) for exec_id, quantity_e8, price_e8 in part.known}
            if part.sent.child.is_over:
                self.over[name] = part.sent
            else:
                self.open[name] = part.sent
            self.is_plain = False

    def _keep(self, sent: SentChild) -> None:
        self.over[sent.child.child_id] = sent
        if len(self.over) > OVER_LIMIT:
            oldest = next(iter(self.over))
            del self.over[oldest], self.known[oldest]


def routed(instrument: Instrument) -> RoutedSymbol:
    """The instrument as rules look at it."""
    it = instrument
    return RoutedSymbol(it.symbol, it.asset_class.value, it.base, it.quote, it.quantity_step_e8)


def _signed(side: Side, quantity_e8: int) -> int:
    return quantity_e8 if side is BUY else -quantity_e8
