"""Read one segment again and hold every line against its neighbours, its content, its heads."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from safebelt.kernel.conditions import Truth
from safebelt.kernel.merkle import Frontier, leaf_hash
from safebelt.rooms.belt.records.disk import path_of, raw_lines
from safebelt.rooms.belt.records.finding import Finding, finding
from safebelt.rooms.belt.records.head import Head
from safebelt.rooms.belt.records.limits import HEAD_EVERY_SECONDS
from safebelt.rooms.belt.records.line import Line, link, parse

_LATE = timedelta(seconds=HEAD_EVERY_SECONDS)


class SegmentCheck:
    """One pass over one segment.  Faults in what no head covers yet are *unknown*, if the segment may be torn.

    Attributes:
        lines: How many lines were read, and
        records: how many of them are records.
        erased: How many of these were erased.
        signed: How many lines the largest matching head covers.
        covered: How many the largest head claims to cover.
        heads_claimed: The largest number of heads that a record says existed before it.
        last: Link of the last record.
    """

    def __init__(
        self, name: str, *, last: str | None, heads: Sequence[Head], is_open: bool, report: Callable[[Finding], None]
    ) -> None:
        """Prepare.

        Args:
            name: The segment.
            last: Link of the last record before it; None where that is not known.
            heads: Its signed heads, sizes rising.
            is_open: Whether it may still be written to, or be torn.
            report: Takes each finding.
        """
        self.name, self.last, self._report_now = name, last, report
        self._heads, self._is_open = heads, is_open
        self.covered = heads[-1].size if heads else 0
        self.lines = self.records = self.erased = self.signed = self.heads_claimed = 0
        self._tree = Frontier()
        self._seq = self._unreadable = self._next = 0
        self._is_root_wrong = self._is_late = False
        self._unsigned_since: datetime | None = None
        self._record = ""

    @property
    def root(self) -> bytes:
        """Root over all lines read."""
        return self._tree.root()

    def run(self, folder: Path, end: int) -> None:
        """Read to `end`, and further to what the heads cover (they may be younger than `end`)."""
        with path_of(folder, self.name).open("rb") as file:
            for offset, raw in raw_lines(file):
                if offset >= end and self.lines >= self.covered:
                    break
                self._line(raw)
        if self.covered > self.lines:
            head = self._heads[-1]
            self._report("truncated", self.lines, head=head.number, size=head.size, lines=self.lines, holds=Truth.FALSE)
        elif not self._is_open and self.lines > self.covered:
            self._report("not_signed", self.covered + 1, last_line=self.lines)

    def _line(self, raw: bytes) -> None:
        self.lines += 1
        line = parse(raw)
        if line is None:
            self._unreadable += 1
            is_torn = not raw.endswith(b"\n") and self._may_be_torn(self.lines)
            self._report("torn" if is_torn else "unreadable", self.lines)
        else:
            self._judge(line)
        self._tree.append(leaf_hash(line.core_bytes if line else raw))
        if self._next < len(self._heads) and self._heads[self._next].size == self.lines:
            self._meet(self._heads[self._next])
            self._next += 1

    def _judge(self, line: Line) -> None:
        core = line.core
        self.records += 1
        self.erased += line.is_erased
        self.heads_claimed = max(self.heads_claimed, core.heads)
        if self._is_in_sequence(line) and self.last not in (None, core.prev):
            self._does_not_continue(core.id)
        if not line.is_bound():
            self._report("content_changed", self.lines, record=core.id)
        self._is_in_time(line)
        self.last, self._record, self._unreadable = link(line.core_bytes), core.id, 0

    def _is_in_sequence(self, line: Line) -> bool:
        """Whether the line has the number it should; whether its `prev` can be held against the line before."""
        seq, was_unreadable = line.core.seq, self._unreadable
        highest = self._seq + was_unreadable
        if seq > highest:
            self._report("records_missing", self.lines, record=line.core.id, count=seq - highest)
        elif seq < self._seq:
            self._report("out_of_place", self.lines, record=line.core.id, seq=seq)
        is_next = self._seq <= seq <= highest
        self._seq = max(self._seq, seq + 1)
        return is_next and not was_unreadable

    def _does_not_continue(self, record: str) -> None:
        if self.lines == 1:
            self._report("segment_not_continuing", 1, record=record)
        elif self.signed == self.lines - 1:
            self._report("not_continuing", self.lines, record=record)
        else:
            self._report("changed", self.lines - 1, last_line=self.lines, record=self._record)

    def _is_in_time(self, line: Line) -> None:
        """Hold the writer to its promise: before a record is written, all older than a second are signed."""
        try:
            at = datetime.fromisoformat(line.core.at)
            self._unsigned_since = self._unsigned_since or at
            is_late = not timedelta(0) <= at - self._unsigned_since < _LATE
        except (ValueError, TypeError):
            self._report("unreadable", self.lines, record=line.core.id)
            return
        if is_late and not self._is_late and not self._is_root_wrong:
            self._is_late = True
            self._report("head_overdue", self.lines, record=line.core.id, holds=Truth.FALSE)

    def _meet(self, head: Head) -> None:
        self._unsigned_since = None
        if self._tree.root() == head.root:
            self.signed = head.size
        elif not self._is_root_wrong:
            self._is_root_wrong = True
            self._report("root_differs", self.signed + 1, last_line=head.size, head=head.number, holds=Truth.FALSE)

    def _may_be_torn(self, line: int) -> bool:
        return self._is_open and line > self.covered

    def _report(
        self,
        kind: str,
        line: int,
        *,
        last_line: int = 0,
        record: str = "",
        holds: Truth | None = None,
        **facts: object,
    ) -> None:
        if holds is None:
            holds = Truth.UNKNOWN if self._may_be_torn(max(line, last_line)) else Truth.FALSE
        self._report_now(finding(kind, self.name, line, last_line=last_line, record=record, holds=holds, **facts))
