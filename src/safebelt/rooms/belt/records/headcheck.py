"""Read `heads.log` beside the segments: every head parsed, numbered without gaps, signed, and in its place."""

from collections.abc import Callable, Iterator
from pathlib import Path

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Problem
from safebelt.rooms.belt.records import head as heads
from safebelt.rooms.belt.records.disk import FIRST, heads_name, log_of, raw_lines, segment_number
from safebelt.rooms.belt.records.finding import Finding, finding
from safebelt.rooms.belt.records.head import Head, Open


class HeadCheck:
    """Hands out the heads of one segment after the other and reports what is wrong with them.

    Attributes:
        count: Number of the last head that was read.
        signed: How many signed heads were read.
    """

    def __init__(
        self, folder: Path, *, log_origin: str, open_note: Open, report: Callable[[Finding], None], log: str = FIRST
    ) -> None:
        self._name, self._log = heads_name(log), log
        self._path, self._origin, self._open, self._report = folder / self._name, log_origin, open_note, report
        self._end = self._path.stat().st_size if self._path.exists() else 0
        self.count = self.signed = self._line = 0
        self._heads = self._read()
        self._ahead = next(self._heads, None)

    def take(self, segment: str) -> list[Head]:
        """Return the heads of a segment, sizes rising; those of earlier segments are out of place here."""
        number, found = segment_number(segment), list[Head]()
        while (head := self._ahead) is not None and segment_number(head.segment) <= number:
            if head.segment == segment and (not found or head.size > found[-1].size):
                found.append(head)
            else:
                self._report(finding("head_out_of_place", self._name, head.number, head=head.number))
            self._ahead = next(self._heads, None)
        return found

    def rest(self) -> Iterator[Head]:
        """Yield the heads of segments that were not asked for."""
        while (head := self._ahead) is not None:
            yield head
            self._ahead = next(self._heads, None)

    def _read(self) -> Iterator[Head]:
        if not self._end:
            return
        with self._path.open("rb") as file:
            for _, raw in raw_lines(file, self._end):
                self._line += 1
                head = heads.parse(raw)
                if head is None or not _names_a_segment(head, self._log):
                    self._report_unreadable(raw)
                    self.count += 1
                    continue
                self._count(head.number)
                if heads.is_signed(head, self._origin, self._open):
                    self.signed += 1
                    yield head
                else:
                    self._report(finding("head_forged", self._name, self._line, head=head.number))

    def _report_unreadable(self, raw: bytes) -> None:
        if raw.endswith(b"\n"):
            self._report(finding("head_unreadable", self._name, self._line))
        else:
            self._report(finding("head_torn", self._name, self._line, holds=Truth.UNKNOWN))

    def _count(self, number: int) -> None:
        if number > self.count + 1:
            self._report(finding("heads_missing", self._name, self._line, first=self.count + 1, last=number - 1))
        elif number <= self.count:
            self._report(finding("head_out_of_place", self._name, self._line, head=number))
        self.count = max(self.count, number)


def _names_a_segment(head: Head, log: str) -> bool:
    """Whether a head is of a segment of this log: one of another worker's has nothing to say here."""
    try:
        return log_of(head.segment) == log
    except Problem:
        return False
