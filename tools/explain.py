"""Explains a fill: `python -m tools.explain FILL_ID` prints what led to it and came of it.

From the journal alone; but for the LPs' quotes behind its price, which are in the history.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy.engine import URL

from actors.bus.answers import Refusal
from actors.bus.desk_answers import Explanation
from actors.domain.account import AccountSummary
from actors.domain.commands import ObserveTicks
from actors.domain.group import NO_MARKUP
from actors.domain.money import SCALE, format_e8, format_minor
from actors.domain.prices.evidence import Source
from actors.domain.quote import Tick
from actors.store import sources
from actors.store.database import DatabaseAway, DatabaseRefused, database_url
from actors.store.explaining import explain
from actors.store.record import Damaged
from config import settings as config

Lines = list[str]


class Behind(NamedTuple):
    """What stood behind the tick that a fill was dealt on: none, and then why nothing is known of it."""

    sources: list[Source]
    unknown: str


def text(told: Explanation, behind: Behind) -> str:
    """Sections for a person to read. A further one is a function and its place in this list."""
    sections: list[Callable[[Explanation], Lines]] = [
        _fill,
        _order,
        _route,
        _price,
        partial(_sources, behind),
        _conversion,
        _margin,
        _postings,
        _place,
    ]
    return "\n\n".join("\n".join(section(told)) for section in sections)


def behind(told: Explanation, url: Callable[[], URL]) -> Behind:
    """From the history in PostgreSQL, which may be away. `url` raises DatabaseAway."""
    fill = told.fill
    try:
        found = sources.look_up(url(), fill.symbol, fill.tick_seq)
    except (DatabaseAway, DatabaseRefused) as error:
        return Behind([], f"the history cannot be read: {error}")
    return Behind(found, "the aggregator was started anew, or persistence was away, before it was kept")


def named(value: Any) -> Any:
    """Structs as objects with their fields' names, for JSON."""
    if isinstance(value, msgspec.Struct):
        kind = {"kind": type(value).__name__} if type(value).__struct_config__.tag else {}
        return kind | {name: named(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return [named(each) for each in value]
    return value


def _fill(told: Explanation) -> Lines:
    fill, symbol, position = told.fill, told.instrument, told.position
    return [
        f"Fill {fill.fill_id}: {fill.side.value} {format_e8(fill.quantity_e8)} {fill.symbol} at "
        f"{format_e8(fill.price_e8, symbol.price_digits)}, {_time(fill.time_ns)}",
        f"  realised  {_money(fill.profit_minor, told.currency)}",
        f"  charged   {_money(fill.commission_minor, told.currency)} commission",
        f"  account   {fill.account_id} ({told.currency})",
        f"  position  {fill.position_id}: {position.side.value}, {format_e8(position.quantity_e8)} open after it",
    ]


def _order(told: Explanation) -> Lines:
    order, terms, digits = told.order, told.order.terms, told.instrument.price_digits
    lines = [
        f"Order {order.order_id}: {terms.type.value}, {terms.side.value} {format_e8(terms.quantity_e8)} {terms.symbol}",
        f"  reason           {order.reason.value}",
        f"  told by          {_cause(told)}",
        f"  client_order_id  {order.client_order_id or '(none: the engine made it)'}",
        f"  status           {order.status.value}, {format_e8(order.filled_e8)} filled at "
        f"{format_e8(order.average_price_e8, digits)} on average",
    ]
    for name, price_e8 in (("stop loss", terms.stop_loss_e8), ("take profit", terms.take_profit_e8)):
        if price_e8:
            lines.append(f"  {name:<15}  {format_e8(price_e8, digits)}")
    return lines


def _route(told: Explanation) -> Lines:
    order, cover, digits = told.order, told.cover, told.instrument.price_digits
    rule = order.routed_by
    if rule is not None:
        lines = [f"Route: rule {rule.rule_id} {rule.name!r}, of version {rule.version} of the rules"]
    elif told.fill.side is not told.position.side:
        lines = ["Route: it closes, and goes where it was opened"]
    else:
        lines = ["Route: no rules were defined"]
    if cover is None:
        return [*lines, "  dealt on the broker's own book"]
    if cover.is_kept:
        return [
            *lines,
            f"  closed by the broker, who keeps what it has at {cover.venue}: {format_e8(cover.price_e8, digits)}",
        ]
    return [
        *lines,
        f"  dealt at {cover.venue} at {format_e8(cover.price_e8, digits)}, "
        f"markup {format_e8(cover.markup_e8, digits)} for the client",
    ]


def _price(told: Explanation) -> Lines:
    if told.tick is None:
        return [f"Price: tick {told.fill.tick_seq} of {told.fill.symbol}, which was followed by another"]
    markup, digits = told.markup, told.instrument.price_digits
    lines = [
        f"Price: {_tick(told.tick, digits)}",
        f"  markup: {format_e8(markup.bid_e8)} off the bid, {format_e8(markup.ask_e8)} on the ask",
    ]
    if markup.spread_min_e8 or markup.spread_max_e8 or markup.skew_e8:
        most = format_e8(markup.spread_max_e8) if markup.spread_max_e8 else "any"
        lines.append(
            f"  spread: {format_e8(markup.spread_min_e8)} to {most}, both sides moved by {format_e8(markup.skew_e8)}"
        )
    if markup != NO_MARKUP:
        seen = markup.tick(told.tick)
        lines.append(f"  seen by the group: bid {format_e8(seen.bid_e8, digits)}, ask {format_e8(seen.ask_e8, digits)}")
    return lines


def _sources(behind: Behind, told: Explanation) -> Lines:
    if not behind.sources:
        return [f"Quotes behind it: not known; {behind.unknown}"]
    digits = told.instrument.price_digits
    lines = [f"Quotes behind tick {told.fill.tick_seq} of {told.fill.symbol}"]
    for lp, quote, dropped, judged_ns in map(msgspec.structs.astuple, behind.sources):
        prices = f"bid {format_e8(quote.bid_e8, digits)}, ask {format_e8(quote.ask_e8, digits)}"
        lines.append(f"  {dropped or 'live':<14}{lp:<10}{prices}, received {_time(quote.received_ns)}")
        if dropped and judged_ns != quote.received_ns:
            lines[-1] += f", dropped {_time(judged_ns)}"
    return lines


def _conversion(told: Explanation) -> Lines:
    by, quote = told.fill.conversion, told.instrument.quote
    if not by.symbol:
        return [f"Conversion: none, {quote} is the account's currency"]
    way = f"times {format_e8(by.multiplier_e8)}" if by.divisor_e8 == SCALE else f"divided by {format_e8(by.divisor_e8)}"
    lines = [f"Conversion: {quote} to {told.currency} over {by.symbol}, {way}"]
    if told.conversion_tick is not None:
        lines.append(f"  {_tick(told.conversion_tick, 0)}")
    return lines


def _margin(told: Explanation) -> Lines:
    before, after, currency = told.before, told.after, told.currency
    figures: list[tuple[str, Callable[[AccountSummary], int]]] = [
        ("balance", lambda account: account.balance_minor),
        ("open profit", lambda account: account.open_profit_minor),
        ("equity", lambda account: account.equity_minor),
        ("margin", lambda account: account.margin_minor),
        ("free margin", lambda account: account.free_margin_minor),
    ]
    lines = [f"Account in {currency}{'before':>13}{'after':>17}{'change':>17}"]
    for name, figure in figures:
        numbers = figure(before), figure(after), figure(after) - figure(before)
        lines.append(f"  {name:<12}" + "".join(f"{format_minor(number, currency):>17}" for number in numbers))
    position, it = told.position, told.instrument
    if position.quantity_e8:
        lines.append(
            f"  margin of the position: {_money(position.margin_minor, currency)} for "
            f"{format_e8(position.quantity_e8)} x {format_e8(position.open_price_e8, it.price_digits)} {it.quote}, "
            f"initially at a rate of {format_e8(it.margin_rate_e8)}"
        )
    return lines


def _postings(told: Explanation) -> Lines:
    if not told.postings:
        return ["Postings: none, no money moved"]
    lines = ["Postings"]
    for posting in told.postings:
        lines.append(f"  {posting.posting_id}: {posting.kind.value}, {posting.reference}")
        lines += [
            f"    {entry.account:<20}{_money(entry.amount_minor, entry.currency):>20}" for entry in posting.entries
        ]
    return lines


def _place(told: Explanation) -> Lines:
    place = told.place
    since = f"the snapshot of batch {place.snapshot_batch_seq}" if place.snapshot_batch_seq else "the first record"
    return [
        f"Journal: event {place.event_seq} in batch {place.batch_seq}",
        f"  committed {_time(place.committed_ns)}, with events {place.first_event_seq} to {place.last_event_seq}",
        f"  figures worked out from {since} on",
    ]


def _cause(told: Explanation) -> str:
    cause = told.cause
    if isinstance(cause, ObserveTicks):
        return "the price: " + ", ".join(f"tick {tick.seq} of {tick.symbol}" for tick in cause.ticks)
    return f"{type(cause).__name__} of the client"


def _tick(tick: Tick, digits: int) -> str:
    return (
        f"tick {tick.seq} of {tick.symbol}, {_time(tick.time_ns)}: "
        f"bid {format_e8(tick.bid_e8, digits)} of {tick.lp_bid}, ask {format_e8(tick.ask_e8, digits)} of {tick.lp_ask}"
    )


def _money(amount_minor: int, currency: str) -> str:
    return f"{format_minor(amount_minor, currency)} {currency}"


def _time(time_ns: int) -> str:
    """UTC, to the nanosecond."""
    seconds, rest_ns = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest_ns:09} UTC"


def main(argv: Sequence[str]) -> int:
    """0, or 1 where there is no such fill or the journal cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m tools.explain", description="Explains a fill from the journal.")
    parser.add_argument("fill_id", type=int)
    parser.add_argument("--journal", type=Path, help="its first file (that of the run directory without it)")
    parser.add_argument("--json", action="store_true", help="numbers as they are kept, for a program")
    options = parser.parse_args(argv)
    settings = config.load()
    journal: Path = options.journal or settings.run_dir / "journal" / "engine.sqlite"
    try:
        answer = explain(journal, options.fill_id)
    except (Damaged, OSError) as fault:
        answer = Refusal("UNAVAILABLE", str(fault))
    if isinstance(answer, Refusal):
        print(f"explain: {answer.detail}", file=sys.stderr)
        return 1
    given = settings.database_url.get_secret_value() if settings.database_url else None
    found = behind(answer, lambda: database_url(settings.run_dir, given))
    whole = named(answer) | {"sources": named(found.sources)}
    print(msgspec.json.format(msgspec.json.encode(whole)).decode() if options.json else text(answer, found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
