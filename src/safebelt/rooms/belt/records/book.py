"""The open segment with what belongs to it: signed heads, the next segment, seals.  One pen, two hands.

The writing thread holds the pen while it writes and syncs what somebody waits for.  Any other thread may write with it
for a moment and never waits for it (`Writer.hand_over`).  What nobody waits for is synced without the pen, so that
writing goes on meanwhile.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from safebelt.engines.clock import Chance, Clock
from safebelt.kernel.ids import NewId
from safebelt.rooms.belt.records.disk import FIRST, segment_name
from safebelt.rooms.belt.records.draft import Draft, Place, carried
from safebelt.rooms.belt.records.headlog import HeadLog
from safebelt.rooms.belt.records.limits import HEAD_EVERY_SECONDS, Limits
from safebelt.rooms.belt.records.recover import Recovered
from safebelt.rooms.belt.records.seals import Seal, Seals
from safebelt.rooms.belt.records.segment import Segment

NEVER = float("inf")
_NOTHING, _LATE = timedelta(0), timedelta(seconds=HEAD_EVERY_SECONDS)
_AHEAD_SECONDS = 0.1
"""A head is signed this long before it must be there, so that nobody who writes meanwhile has to wait for it."""


class Book:
    """What is being written, and everything that is due for it.

    Args:
        folder: Of the records.
        heads: The file of heads.
        seals: Tells the ledger.
        clock, ticks, chance, new_id, limits, log: As `Writer`.

    Attributes:
        pen: Held by whoever writes.
        is_slow: Whether its holder is at something that syncs.
        segment: The open one, if any.
        own: Notes that must still be written, whatever fails meanwhile.
        durable: Segment and offset behind the last durable record.
        last_sync_ms: How long the last sync took.
    """

    def __init__(
        self,
        folder: Path,
        *,
        heads: HeadLog,
        seals: Seals,
        clock: Clock,
        ticks: Callable[[], float],
        chance: Chance,
        new_id: NewId,
        limits: Limits,
        log: str = FIRST,
    ) -> None:
        self._log = log
        self._folder, self._heads, self._seals, self._limits = folder, heads, seals, limits
        self._clock, self._ticks, self._chance, self._new_id = clock, ticks, chance, new_id
        self.pen = threading.RLock()
        self.is_slow = False
        self.segment: Segment | None = None
        self.own: list[Draft] = []
        self.durable: Place | None = None
        self.last_sync_ms = 0.0
        self._intents: dict[str, Place] = {}
        self._last, self._next_number = "", 1
        self._head_due_at = self._seal_due_at = NEVER
        self._signed_size = 0
        self._unsigned_since = self._newest_at = datetime.max.replace(tzinfo=UTC)
        self._carried = False  # whether the open segment begins with a note of exchanges under way

    def go_on(self, found: Recovered) -> None:
        """Go on where recovery ended."""
        self._next_number, self._last, self._intents = found.next_number, found.last, found.intents
        self.own = found.drafts
        self.durable = (segment_name(found.next_number, self._log), 0)
        for seal in found.seals:
            self._seals.tell(seal)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the pen, as the writing thread does."""
        with self.pen:
            try:
                yield
            finally:
                self.is_slow = False

    @property
    def due_at(self) -> float:
        """When a head or a seal is due, by `ticks`."""
        return min(self._head_due_at, self._seal_due_at)

    @property
    def waiting(self) -> int:
        """Bytes that were written and no sync has confirmed."""
        segment = self.segment
        return segment.file.written - segment.file.durable if segment else 0

    def takes(self, count: int) -> datetime | None:
        """Return when so many records can be written: now, or None where a segment, head or note must come first."""
        segment = self.segment
        if segment is None or self.own or segment.size + count > self._limits.segment_records:
            return None
        now = self._clock()
        return None if self._is_overdue(now) else now

    def write(self, drafts: Sequence[Draft], now: datetime) -> None:
        """Write records that `takes` has room for; the pen is held.

        Raises:
            OSError: The disk refuses; nothing of them counts as written.
        """
        segment = self.segment
        if segment is not None:
            segment.write(drafts, at=now, heads=self._heads.count)
            self._written(segment, now)

    def write_some(self, drafts: Sequence[Draft], *, is_awaited: bool) -> int:
        """Write the own notes and as many records as the segment holds; return how many of them.  The pen is held.

        Args:
            drafts: What to write.
            is_awaited: Whether somebody waits until they are durable; else they are only written.

        Raises:
            OSError: The disk refuses; nothing of them counts as written.
        """
        if not drafts and not self.own and not self.waiting:
            return 0
        now = self._clock()
        is_overdue = self._is_overdue(now)
        self.is_slow |= is_awaited or is_overdue or self.segment is None
        if is_overdue:
            self.sign()
        segment = self.segment or self._open()
        room = max(1, self._limits.segment_records - segment.size)
        own = self.own[:room]
        batch = drafts[: room - len(own)]
        began = self._ticks()
        (segment.append if is_awaited else segment.write)([*own, *batch], at=now, heads=self._heads.count)
        self.last_sync_ms = (self._ticks() - began) * 1000
        del self.own[: len(own)]
        self._written(segment, now)
        return len(batch)

    def sync(self) -> None:
        """Make durable what was only written; others may write meanwhile.

        Raises:
            OSError: The disk refuses.
        """
        with self.pen:
            segment = self.segment
            if segment is None or not segment.waiting:
                return
            mark = segment.mark()
        began = self._ticks()
        segment.sync(mark)
        self.last_sync_ms = (self._ticks() - began) * 1000
        self.durable = (segment.name, segment.end)

    def sign_if_due(self, *, is_forced: bool = False) -> None:
        """Sign a head where one is due; raises as `sign`."""
        if self._head_due_at != NEVER and (is_forced or self._ticks() >= self._head_due_at):
            self.sign()

    def sign(self) -> None:
        """Sign what is written now, once it is durable; others may write meanwhile.

        Raises:
            OSError: The disk refuses.
            Problem: The key cannot sign.
        """
        with self.pen:
            segment, since, due = self.segment, self._newest_at, self._next_head()
            if segment is None or segment.size <= self._signed_size:
                self._head_due_at = NEVER
                return
            size, root = segment.size, segment.root
        self.sync()
        self._heads.append(segment.name, size, root)
        with self.pen:
            self._signed_size, self._unsigned_since = size, since
            self._head_due_at = due if segment.size > size else NEVER

    def seal_if_due(self, *, is_forced: bool = False) -> None:
        """Seal the segment where it is full or old; the pen is held.  Raises as `sign`."""
        segment, limits = self.segment, self._limits
        if segment is None or segment.size == 0:
            return
        is_full = segment.size >= limits.segment_records or segment.end >= limits.segment_bytes
        is_full = is_full and segment.size > self._carried  # else a large first note would beget the next for ever
        if not (is_forced or is_full or self._ticks() >= self._seal_due_at):
            return
        self.is_slow = True
        self.sign()
        segment.close()
        self.segment, self._next_number = None, self._next_number + 1
        self._seal_due_at = NEVER
        self._seals.tell(Seal(segment.name, segment.size, segment.root.hex()))

    def repair(self) -> None:
        """Cut off torn bytes, the pen held; if the disk still refuses, this raises and the next probe tries again."""
        self.is_slow = True
        self._heads.repair()
        if self.segment is not None:
            self.segment.repair()

    def _written(self, segment: Segment, now: datetime) -> None:
        self._last, self._intents = segment.last, segment.intents
        self.durable, self._newest_at = (segment.name, segment.end), now
        if self._head_due_at == NEVER:
            self._head_due_at, self._unsigned_since = self._next_head(), now

    def _next_head(self) -> float:
        return self._ticks() + HEAD_EVERY_SECONDS - _AHEAD_SECONDS

    def _open(self) -> Segment:
        """Begin a segment; exchanges under way are carried into it by its first record."""
        name = segment_name(self._next_number, self._log)
        segment = Segment(self._folder, name, last=self._last, intents=self._intents, chance=self._chance)
        if self._intents:
            self.own.insert(0, carried(self._new_id("rec"), self._intents))
        self.segment, self._signed_size, self._carried = segment, 0, len(self._intents) > 0
        self._seal_due_at = self._ticks() + self._limits.segment_seconds
        return segment

    def _is_overdue(self, now: datetime) -> bool:
        """Whether a head must come before the next record, so that no unsigned stretch spans more than a second."""
        return self._head_due_at != NEVER and not _NOTHING <= now - self._unsigned_since < _LATE
