"""A stretch of the log held against everything that is stored of it: what the audit is put together from.

A stretch begins where a tile begins, so that stretches can be examined apart, by several processes at once.  Of each
only what the whole needs comes back: the roots of its tiles, and what its checkpoints' roots end in.
"""

import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from safebelt.kernel import merkle
from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.decide.entries import commitment, parse_body, words
from safebelt.rooms.ledger.model import MAX_FAULTS, Canonical, Fault, KeyRotated, PersonalErased, Row

WIDTH = 256
"""Leaves in a tile (C2SP tlog-tiles)."""

_HEIGHT = 8
_HASH = merkle.HASH_BYTES
_ROTATED = f'"kind":"{KeyRotated.kind}"'.encode()
_BEYOND = re.compile(rb"[\xf0-\xff]")  # the first byte of a character beyond the basic plane, in UTF-8
_HARD = re.compile(rb"[,:\[](?:(?<=\":)|(?<!:))-?(?:[0-9]+[.eE]|[0-9]{16}|[NI])")  # a number that is no short whole one
LOST = bytes(_HASH)
"""Stands for an entry that is not there: no SHA-256 is known to be zero."""


class Files(Protocol):
    """The log's files; None stands for one that is not there, or not of its form."""

    def tile(self, level: int, index: int, width: int) -> bytes | None:
        """Return the first `width` hashes of a tile, one after the other."""

    def bundle(self, index: int, width: int) -> Sequence[bytes] | None:
        """Return the first `width` entries of a bundle."""

    def height(self, level: int, start: int, end: int) -> bytes | None:
        """Return hashes `[start, end)` of the tree's file for a height, one after the other."""


@dataclass(slots=True, kw_only=True)
class Faults:
    """Faults found so far, the first of them by name.

    Attributes:
        named: At most `MAX_FAULTS`.
        more: How many others there are.
        bad: Indexes with a fault of their own, which explains others.
    """

    named: list[Fault] = field(default_factory=list)
    more: int = 0
    bad: set[int] = field(default_factory=set)

    def add(self, code: str, where: str, says: Text, index: int | None = None) -> None:
        """Note a fault."""
        if index is not None:
            self.bad.add(index)
        if len(self.named) < MAX_FAULTS:
            self.named.append(Fault(code=code, where=where, says=says, index=index))
        else:
            self.more += 1

    def extend(self, others: "Faults") -> None:
        """Note what was found elsewhere."""
        room = MAX_FAULTS - len(self.named)
        self.named += others.named[:room]
        self.more += others.more + max(0, len(others.named) - room)


@dataclass(slots=True, kw_only=True)
class Stretch:
    """What a stretch came to.

    Attributes:
        start: Its first index, a multiple of `WIDTH`.
        end: One past its last.
        nodes: Roots of its full tiles, one after the other.
        heads: For every checkpoint that ends in it the root over what lies in its last, unfinished tile; None where
            it ends with a full one.
        faults: What is wrong in it.
        entries: How many rows were there.
        erased: Id, index and moment of those whose personal data was erased.
        erasing: Whose personal data entries say was erased, and when.
        rotations: Index and data of the key rotations in it.
    """

    start: int
    end: int
    nodes: bytes = b""
    heads: dict[int, bytes | None] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    entries: int = 0
    erased: list[tuple[str, int | None, datetime]] = field(default_factory=list)
    erasing: list[tuple[str, datetime]] = field(default_factory=list)
    rotations: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list)


def examine_rows(
    stretch: Stretch, rows: Sequence[Row], stops: Sequence[int], *, canonical: Canonical, files: Files
) -> Stretch:
    """Hold the rows of a stretch against themselves, and the stretch's files against the rows.

    Args:
        stretch: To be filled; all of it is published.
        rows: Those with a place in it, in order.
        stops: Sizes of checkpoints that end in it.
        canonical: RFC 8785 encoder.
        files: The log's files.
    """
    for row in rows:
        examine_row(stretch, row, canonical)
    placed = {row.index: row.body for row in rows}
    bodies = [placed.get(index) for index in range(stretch.start, stretch.end)]
    for index, body in enumerate(bodies, stretch.start):
        if body is None:
            says = Text(zh="该序号的条目缺失。", en="The entry at this index is missing.")
            stretch.faults.add("gap", f"index {index}", says, index)
    leaves = [LOST if body is None else merkle.leaf_hash(body) for body in bodies]
    _examine_tree(stretch, b"".join(leaves), stops, files)
    for index, width in _published(stretch, stops):
        at = index * WIDTH - stretch.start
        expected = [body or b"" for body in bodies[at : at + width]]
        _compare_bundle(stretch.faults, index, expected, files.bundle(index, width))
    return stretch


def examine_bundles(stretch: Stretch, stops: Sequence[int], *, files: Files) -> Stretch:
    """Hold the tree's files of a stretch against its bundles, without the rows.

    Args:
        stretch: To be filled; all of it is published.
        stops: Sizes of checkpoints that end in it.
        files: The log's files.
    """
    leaves = list[bytes]()
    for first in range(stretch.start, stretch.end, WIDTH):
        width, index = min(WIDTH, stretch.end - first), first // WIDTH
        bodies = files.bundle(index, width)
        if bodies is None:
            stretch.faults.add("bundle", _bundle(index, width), _UNREADABLE)
            stretch.faults.bad.update(range(first, first + width))
            leaves += [LOST] * width
            continue
        leaves += merkle.leaf_hashes(bodies)
        _note_rotations(stretch, first, bodies)
        for stop in (stop - first for stop in stops if first < stop < first + width < first + WIDTH):
            _compare_bundle(stretch.faults, index, bodies[:stop], files.bundle(index, stop))
    stretch.entries = len(leaves)
    _examine_tree(stretch, b"".join(leaves), stops, files)
    return stretch


def _note_rotations(stretch: Stretch, first: int, bodies: Sequence[bytes]) -> None:
    """Take along the key rotations among entries, which checkpoints' signatures are judged by."""
    for index, body in enumerate(bodies, first):
        if _ROTATED in body:
            with suppress(ValueError):  # no entry: its leaf is held against the tree like any other
                entry = parse_body(body)
                if entry["kind"] == KeyRotated.kind:
                    stretch.rotations.append((index, entry["data"]))


def examine_row(stretch: Stretch, row: Row, canonical: Canonical) -> None:
    """Hold one row against itself."""
    stretch.entries += row.index is not None
    body = _check_row(stretch.faults, row, canonical)
    if body is None:
        return
    _check_personal(stretch, row, body, canonical)
    if row.kind == KeyRotated.kind and row.index is not None:
        stretch.rotations.append((row.index, body["data"]))
    elif row.kind == PersonalErased.kind:
        stretch.erasing.append((row.subject, row.at))


def _check_row(faults: Faults, row: Row, canonical: Canonical) -> Mapping[str, Any] | None:
    """Hold a row's columns and leaf against its bytes; return the bytes as read, if they can be."""
    if merkle.leaf_hash(row.body) != row.leaf:
        says = Text(zh="条目内容与其叶哈希不符。", en="Its content does not hash to its leaf.")
        faults.add("leaf", _row(row), says, row.index)
    try:
        body = parse_body(row.body)
        is_canonical = _is_canonical(row.body, body) or canonical(body) == row.body
    except (ValueError, Problem):
        body, is_canonical = None, False
    if body is None or not is_canonical:
        says = Text(zh="条目内容不是规范的账本条目。", en="Its content is not a canonical ledger entry.")
        faults.add("body", _row(row), says, row.index)
        return None
    stored = (
        ("id", body["id"] == row.id),
        ("actor", body["actor"] == row.actor),
        ("kind", body["kind"] == row.kind),
        ("subject", body["subject"] == row.subject),
        ("at", body["at"] == row.at.isoformat(timespec="microseconds")),
        ("words", words(body["data"]) == row.words),
    )
    for name, agrees in stored:
        if not agrees:
            says = Text(zh=f"列 {name} 与条目内容不一致。", en=f"The column {name} does not agree with its content.")
            faults.add("column", _row(row), says, row.index)
    return body


def _is_canonical(written: bytes, body: Mapping[str, Any]) -> bool:
    """Whether bytes are surely the RFC 8785 form of what they say, by the quick encoder; False where it cannot tell.

    The two encoders agree on everything but numbers beyond whole ones of fifteen digits, and the order of keys beyond
    the basic plane.
    """
    if _HARD.search(written) or (not written.isascii() and _BEYOND.search(written)):
        return False
    try:
        return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() == written
    except (UnicodeEncodeError, RecursionError):  # half a surrogate
        return False


def _check_personal(stretch: Stretch, row: Row, body: Mapping[str, Any], canonical: Canonical) -> None:
    """Hold personal data against the commitment in the leaf; erased data leaves the commitment standing."""
    bound = body.get("personal")
    if row.erased_at is not None and bound is not None:
        if row.salt is None and row.personal is None:
            stretch.erased.append((row.id, row.index, row.erased_at))
            return
        says = Text(zh="标记为已删除的个人信息仍然存在。", en="Personal data marked as erased is still there.")
    elif (bound is None) != (not row.has_personal):
        says = Text(
            zh="个人信息缺失，或并非由条目所承诺。",
            en="Personal data is missing, or the entry does not commit to it.",
        )
    elif bound is None or _commits(row, bound, canonical):
        return
    else:
        says = Text(zh="个人信息与条目中的承诺不符。", en="Personal data does not match the commitment in the entry.")
    stretch.faults.add("personal", _row(row), says, row.index)


def _commits(row: Row, bound: str, canonical: Canonical) -> bool:
    if row.salt is None or row.personal is None:
        return False
    try:
        return commitment(row.salt, canonical(row.personal)) == bound
    except Problem:
        return False


def _examine_tree(stretch: Stretch, leaves: bytes, stops: Sequence[int], files: Files) -> None:
    """Hold tiles of level 0 and the tree up to the tiles' roots against the leaves; take along what the whole needs."""
    levels = [leaves]
    for _ in range(_HEIGHT):
        levels.append(merkle.parents(levels[-1]))
    faults = stretch.faults
    for index, width in _published(stretch, stops):
        at = (index * WIDTH - stretch.start) * _HASH
        expected, found = leaves[at : at + width * _HASH], files.tile(0, index, width)
        if found != expected:
            compare(faults, "tile", 0, index * WIDTH, expected, found=found, bad=sorted(faults.bad))
    for level, hashes in enumerate(levels):
        start = stretch.start >> level
        found = files.height(level, start, start + len(hashes) // _HASH)
        if found != hashes:
            compare(faults, "tree", level, start, hashes, found=found, bad=sorted(faults.bad))
    for stop in stops:
        ends = stop % WIDTH
        tail = leaves[(stop - ends - stretch.start) * _HASH : (stop - stretch.start) * _HASH]
        stretch.heads[stop] = merkle.root(_split(tail)) if ends else None
    stretch.nodes = levels[_HEIGHT]


def _published(stretch: Stretch, stops: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield index and width of every tile of a stretch that is promised: full ones, and the last as of every stop."""
    full = stretch.end // WIDTH
    yield from ((index, WIDTH) for index in range(stretch.start // WIDTH, full))
    yield from ((full, stop - full * WIDTH) for stop in stops if stop > full * WIDTH)


def compare(
    faults: Faults, code: str, height: int, start: int, expected: bytes, *, found: bytes | None, bad: Sequence[int]
) -> None:
    """Hold hashes of one height, from a tile or from the tree's own file, against what they should be.

    Args:
        faults: Where faults are noted.
        code: `tile` or `tree`.
        height: Of the hashes over the leaves.
        start: Index of the first within its height.
        expected: What the entries come to.
        found: What the file has.
        bad: Entries with faults of their own, in order: a hash above one of them differs because of it.
    """
    if found == expected:
        return
    count = len(expected) // _HASH
    if code == "tile":
        where = f"tile/{height // _HEIGHT}/{start // WIDTH} (width {count})"
    else:
        where = f"tree/{height:02d} (from {start})"
    if found is None or len(found) != len(expected):
        faults.add(code, where, _UNREADABLE)
        return
    pairs = enumerate(zip(_split(found), _split(expected), strict=True), start)
    for at in [at for at, (one, other) in pairs if one != other]:
        if not _is_above(bad, at, height):
            says, index = (_DIFFERENT, None) if height else (_differ(at), at)
            faults.add(code, f"{where}, index {at}", says, index)


def _is_above(bad: Sequence[int], at: int, height: int) -> bool:
    """Whether a node covers one of some entries, given in order."""
    first = bisect_left(bad, at << height)
    return first < len(bad) and bad[first] < (at + 1) << height


def _compare_bundle(faults: Faults, index: int, expected: Sequence[bytes], found: Sequence[bytes] | None) -> None:
    if found is None:
        faults.add("bundle", _bundle(index, len(expected)), _UNREADABLE)
        return
    if found == expected:
        return
    pairs = enumerate(zip(found, expected, strict=True), index * WIDTH)
    for at in [at for at, (one, other) in pairs if one != other]:
        if at not in faults.bad:
            faults.add("bundle", f"{_bundle(index, len(expected))}, index {at}", _differ(at), at)


def _row(row: Row) -> str:
    return row.id if row.index is None else f"{row.id} (index {row.index})"


def _bundle(index: int, width: int) -> str:
    return f"tile/entries/{index} (width {width})"


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + _HASH] for at in range(0, len(hashes), _HASH)]


def _differ(at: int) -> Text:
    return Text(
        zh=f"文件与序号 {at} 的条目不一致：二者之一被改动。",
        en=f"The file and the entry at index {at} differ: one of them was changed.",
    )


_UNREADABLE = Text(zh="文件缺失或不可读。", en="The file is missing or cannot be read.")
_DIFFERENT = Text(zh="文件与条目不符。", en="The file does not fit the entries.")
