"""A journal as one row after the other, whatever files they lie in. Read-only, also beside an engine that writes."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from actors.bus import codec
from actors.bus.streams import EventBatch
from actors.store import segments
from actors.store.record import SQLITE_INTEGER_MAX, Damaged, Row, row_batch
from actors.store.segments import Reading, Segment

READ_ROWS = 128
"""Rows that are read at once: between two reads the engine's log may be emptied."""
PAGE_BATCHES = 64
"""How many batches one answer of `events_from` holds at most."""
PAGE_BYTES = codec.MAX_FRAME_BYTES // 2
PLACES_KEPT = 64
"""Of so many last pages it is known where the next one begins: as many followers may catch up at once."""


T = TypeVar("T")


class Reader:
    """Raises Damaged, with the name of the file, wherever the journal is not what was written."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._open: tuple[Segment, Reading] | None = None
        self._places: dict[int, int] = {}
        """By the number of the event that a page ended before: the batch that it should be in."""

    def first_batch_seq(self) -> int:
        """1, unless older files were taken away."""
        files = segments.listed(self._journal)
        return files[0].first_batch_seq if files else 1

    def last_batch_seq(self) -> int:
        """0 where there is none."""
        for segment in reversed(segments.listed(self._journal)):
            if last := self._in(segment, lambda reading: reading.last_batch_seq()):
                return last
        return 0

    def row(self, batch_seq: int) -> Row:
        """Raises Damaged where there is none of this number."""
        rows = self._rows_from(batch_seq, 1)
        if not rows or rows[0].batch_seq != batch_seq:
            raise Damaged(f"{self._journal}: batch {batch_seq} is missing")
        return rows[0]

    def rows(self, after: int, upto: int) -> Iterator[Row]:
        """The rows numbered `after` + 1 to `upto`, without a gap."""
        while after < upto:
            rows = self._rows_from(after + 1, min(READ_ROWS, upto - after))
            for row in rows:
                if row.batch_seq != after + 1:
                    break
                after += 1
                yield row
            else:
                if rows:
                    continue
            raise Damaged(f"{self._journal}: batch {after + 1} is missing")

    def first(self, reaches: Callable[[Row], bool]) -> Row | None:
        """The first row of which it is true; it must be true of all after that. None: of no row."""
        return self._first(reaches, self.first_batch_seq(), self.last_batch_seq())

    def _first(self, reaches: Callable[[Row], bool], low: int, last: int) -> Row | None:
        """The same among the rows from `low` to `last`."""
        high = last + 1
        while low < high:
            middle = (low + high) // 2
            if reaches(self.row(middle)):
                high = middle
            else:
                low = middle + 1
        return self.row(low) if low <= last else None

    def events_from(self, first_seq: int) -> list[EventBatch]:
        """Batches that hold the event numbered so and later ones: a page of them, oldest first."""
        batches: list[EventBatch] = []
        wanted, size = max(1, min(first_seq, SQLITE_INTEGER_MAX)), 0
        last_batch_seq = self.last_batch_seq()
        likely = self._places.pop(wanted, last_batch_seq)
        row = self._holding(wanted, likely, last_batch_seq)
        while row is not None and len(batches) < PAGE_BATCHES:
            batch = row_batch(row)
            size += len(row.events)
            if batch is None or (batches and size > PAGE_BYTES):
                break
            batches.append(batch)
            wanted = row.last_event_seq + 1
            likely = row.batch_seq + 1
            row = self._holding(wanted, likely, last_batch_seq)
        if batches:
            self._places[wanted] = likely
            if len(self._places) > PLACES_KEPT:
                del self._places[next(iter(self._places))]
        return batches

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _holding(self, event_seq: int, likely: int, last_batch_seq: int) -> Row | None:
        """The row that holds an event: probably the one numbered `likely`."""
        if likely > last_batch_seq or not last_batch_seq:
            return None
        row = self.row(likely)
        if row.event_count and row.first_event_seq <= event_seq <= row.last_event_seq:
            return row
        if event_seq > self.row(last_batch_seq).last_event_seq:
            return None
        if row.last_event_seq >= event_seq:
            return self.first(lambda row: row.last_event_seq >= event_seq)
        # Behind batches of prices that caused nothing: further on, most often not far.
        step = 1
        while self.row(min(likely + step, last_batch_seq)).last_event_seq < event_seq:
            likely += step
            step *= 2
        upto = min(likely + step, last_batch_seq)
        return self._first(lambda row: row.last_event_seq >= event_seq, likely + 1, upto)

    def _rows_from(self, batch_seq: int, limit: int) -> list[Row]:
        """Of the one file that holds this batch."""
        found = self._open
        if found is not None and found[0].first_batch_seq <= batch_seq:
            rows = self._in(found[0], lambda reading: reading.read(batch_seq, limit))
            if rows:
                return rows
        holding = [segment for segment in segments.listed(self._journal) if segment.first_batch_seq <= batch_seq]
        if not holding:
            return []
        return self._in(holding[-1], lambda reading: reading.read(batch_seq, limit))

    def _in(self, segment: Segment, ask: Callable[[Reading], T]) -> T:
        """Asks one file. What seems wrong with it is looked at again: it may just have been closed or compressed."""
        try:
            return self._at_once(segment, ask)
        except (Damaged, sqlite3.DatabaseError):
            self.close()
        if not segment.path.exists():
            segment = segment._replace(path=segment.path.with_suffix(segments.ARCHIVE))
        try:
            return self._at_once(segment, ask)
        except sqlite3.ProgrammingError:
            raise
        except (Damaged, sqlite3.DatabaseError) as fault:
            raise Damaged(f"{segment.path}: {fault}") from None

    def _at_once(self, segment: Segment, ask: Callable[[Reading], T]) -> T:
        if self._open is None or self._open[0] != segment:
            self.close()
            self._open = segment, segments.opened(segment.path)
        return ask(self._open[1])
