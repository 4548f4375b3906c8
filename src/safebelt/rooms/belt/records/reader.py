"""Read records by their place, find them by id, and prove them to strangers."""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from safebelt.kernel.merkle import inclusion_proof, leaf_hash, root
from safebelt.rooms.belt.model import Record
from safebelt.rooms.belt.records import head as heads
from safebelt.rooms.belt.records import problems, proof
from safebelt.rooms.belt.records.disk import all_segments, path_of, raw_lines, segment_number
from safebelt.rooms.belt.records.draft import Place
from safebelt.rooms.belt.records.limits import MAX_LINE_BYTES
from safebelt.rooms.belt.records.line import Line, encode, parse


class Exchanged(NamedTuple):
    """Both halves of an exchange, as far as they are known."""

    intent: Record | None
    outcome: Record | None


class Reader:
    """Reads a folder of records; needs no writer and disturbs none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def segments(self) -> list[str]:
        """Return the names of all segments, log after log, each oldest first."""
        return all_segments(self._folder)

    def lines(self, segment: str, start: int = 0) -> Iterator[tuple[int, Line | None]]:
        """Yield offset and line from an offset on; None for what is no record.

        Raises:
            NotFound: There is no such segment.
        """
        segment_number(segment)
        path = path_of(self._folder, segment)
        if not path.exists():
            raise problems.no_record(segment, start)
        with path.open("rb") as file:
            file.seek(start)
            for offset, raw in raw_lines(file):
                yield offset, parse(raw)

    def line(self, segment: str, offset: int) -> Line:
        """Return the line at a place.

        Raises:
            NotFound: No record begins there.
            Unavailable: Its content is not what its core says: it was changed.
        """
        segment_number(segment)
        path = path_of(self._folder, segment)
        line = None
        if path.exists() and 0 <= offset < path.stat().st_size:
            with path.open("rb") as file:
                file.seek(max(0, offset - 1))
                is_start = offset == 0 or file.read(1) == b"\n"
                line = parse(file.readline(MAX_LINE_BYTES)) if is_start else None
        if line is None:
            raise problems.no_record(segment, offset)
        if not line.is_bound():
            raise problems.content_changed(segment, offset)
        return line

    def read(self, segment: str, offset: int) -> Record:
        """Return the record at a place; see `line` for what it raises."""
        return _record(self.line(segment, offset), (segment, offset))

    def exchange(self, segment: str, offset: int) -> Exchanged:
        """Return both halves of an exchange, from the place of either (as an `Exchange` row has it).

        Raises:
            NotFound: No record begins there.
            Unavailable: A content was changed.
        """
        line = self.line(segment, offset)
        if line.core.type != "outcome":
            return Exchanged(_record(line, (segment, offset)), None)
        return Exchanged(self.intent_of(line), _record(line, (segment, offset)))

    def intent_of(self, outcome: Line) -> Record | None:
        """Return the intent of an outcome; None where there is none, or its segment is no longer there.

        Whether the segment was removed by rule or is missing is for `verify` to say.

        Raises:
            NotFound: No record begins where it should.
            Unavailable: Its content was changed.
        """
        place = outcome.core.intent
        if place is None or not path_of(self._folder, place[0]).exists():
            return None
        return self.read(*place)

    def find(self, record_id: str) -> list[Place]:
        """Return where the lines of a record are, by searching every file; for when the index is not at hand."""
        needle = b'"id":' + encode({"": record_id})[4:-1]
        return [(name, offset) for name in self.segments() for offset in _occurrences(self._folder, name, needle)]

    def prove(self, segment: str, offset: int) -> str:
        """Return a C2SP tlog-proof of a record in the newest signed head of its segment.

        Raises:
            NotFound: No record begins there.
            Unavailable: No head covers it yet, or the segment does not match its head.
        """
        wanted = self.line(segment, offset)
        head = heads.last_of(self._folder, segment)
        if head is None or head.size <= wanted.core.seq:
            raise problems.no_head(segment, offset)
        leaves = list[bytes]()
        for _, line in self.lines(segment):
            if line is None or len(leaves) == head.size:
                break
            leaves.append(leaf_hash(line.core_bytes))
        index = wanted.core.seq
        if len(leaves) != head.size or root(leaves) != head.root or leaves[index] != leaf_hash(wanted.core_bytes):
            raise problems.does_not_prove(segment)
        return proof.render(wanted.core_bytes, index, inclusion_proof(index, leaves), head.note)


def _record(line: Line, place: Place) -> Record:
    try:
        return line.record()
    except ValueError as error:  # whole and signed, yet no object, or nested more deeply than can be read here
        raise problems.no_record(*place) from error


def _occurrences(folder: Path, segment: str, needle: bytes) -> list[int]:
    path, found = path_of(folder, segment), list[int]()
    if path.stat().st_size == 0:
        return found
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        at = view.find(needle)
        while at >= 0:
            start = view.rfind(b"\n", 0, at) + 1
            stop = view.find(b"\n", at) + 1 or len(view)
            line = parse(view[start:stop])
            if line is not None and needle == b'"id":' + encode({"": line.core.id})[4:-1]:
                found.append(start)
            at = view.find(needle, stop)
    return found
