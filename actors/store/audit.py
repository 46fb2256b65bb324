"""The audit log: privileged acts, one line after the other, each with the hash of the one before it.

`hash` is SHA-256 of the line's other fields, in the order of `Act`, as a JSON array. A line that is changed, taken out
or put in breaks the chain from there on. Lines that are cut off at the end are seen by whoever has kept a later `hash`:
the process's log has it with each line, and `python -m tools.audit` compares.
"""

import hashlib
from collections.abc import Iterable, Iterator

import msgspec
import sqlalchemy
import structlog
from sqlalchemy import insert, select

from actors.bus.answers import Answer
from actors.bus.users import Act, Actor, Acts, GetActs, RecordAct, Recorded, RecordOutcome
from actors.store.people_schema import AUDIT

_log = structlog.get_logger("audit")

ROWS_MAX = 501
"""A page of 500, and one that shows that there are more."""
FIRST_HASH = "0" * 64
"""Before the first line."""
OUTCOME = "Outcome"
"""The action of a line that says what came of an earlier one, which is its subject."""


class Broken(Exception):
    """The chain does not hold. The sentence says where."""


def line_hash(act: Act) -> str:
    actor = act.actor
    fields = [act.seq, act.time_ns, actor.user_id, actor.username, actor.role, actor.address]
    fields += [act.action, act.subject, act.before, act.after, act.reason, act.outcome, act.previous_hash]
    return hashlib.sha256(msgspec.json.encode(fields)).hexdigest()


def checked(acts: Iterable[Act]) -> Iterator[Act]:
    """The lines, oldest first, each after its hash was found right; raises Broken."""
    seq, previous_hash = 0, FIRST_HASH
    for act in acts:
        if act.seq != seq + 1:
            raise Broken(f"line {seq + 1} is missing: {act.seq} follows {seq}")
        if act.previous_hash != previous_hash:
            raise Broken(f"line {act.seq} does not follow line {seq}: that one was changed, or this")
        if act.hash != line_hash(act):
            raise Broken(f"line {act.seq} was changed")
        yield act
        seq, previous_hash = act.seq, act.hash


def record(
    connection: sqlalchemy.Connection,
    now_ns: int,
    actor: Actor,
    action: str,
    subject: str,
    *,
    before: str = "",
    after: str = "",
    reason: str = "",
    outcome: str = "",
) -> int:
    """Adds a line, in the transaction that is open; gives its number."""
    last = connection.execute(select(AUDIT.c.seq, AUDIT.c.hash).order_by(AUDIT.c.seq.desc()).limit(1)).first()
    seq, previous_hash = (last.seq + 1, last.hash) if last else (1, FIRST_HASH)
    act = Act(seq, now_ns, actor, action, subject, before, after, reason, outcome, previous_hash, "")
    act = msgspec.structs.replace(act, hash=line_hash(act))
    row = {**msgspec.structs.asdict(actor), **msgspec.structs.asdict(act)}
    del row["actor"]
    connection.execute(insert(AUDIT), row)
    _log.info("audit", seq=seq, action=action, subject=subject, user=actor.username, hash=act.hash)
    return seq


def lines(connection: sqlalchemy.Connection) -> Iterator[Act]:
    """All of them, oldest first."""
    seq = 0
    page = select(AUDIT).order_by(AUDIT.c.seq).limit(ROWS_MAX)
    while rows := connection.execute(page.where(AUDIT.c.seq > seq)).all():
        yield from map(_act, rows)
        seq = rows[-1].seq


def record_act(connection: sqlalchemy.Connection, told: RecordAct, now_ns: int) -> Answer:
    seq = record(
        connection,
        now_ns,
        told.actor,
        told.action,
        told.subject,
        before=told.before,
        after=told.after,
        reason=told.reason,
    )
    return Recorded(seq)


def record_outcome(connection: sqlalchemy.Connection, told: RecordOutcome, now_ns: int) -> Answer:
    return Recorded(record(connection, now_ns, told.actor, OUTCOME, f"act {told.act_seq}", outcome=told.outcome))


def acts(connection: sqlalchemy.Connection, asked: GetActs, _: int) -> Answer:
    newest = select(AUDIT).order_by(AUDIT.c.seq.desc()).limit(min(max(asked.limit, 1), ROWS_MAX))
    if asked.before_seq:
        newest = newest.where(AUDIT.c.seq < asked.before_seq)
    if asked.username:
        newest = newest.where(AUDIT.c.username == asked.username)
    if asked.subject:
        newest = newest.where(AUDIT.c.subject == asked.subject)
    return Acts([_act(row) for row in connection.execute(newest)])


def _act(row: sqlalchemy.Row[tuple[object, ...]]) -> Act:
    fields = dict(row._mapping)
    actor = Actor(**{name: fields.pop(name) for name in Actor.__struct_fields__})
    return Act(actor=actor, **fields)
