"""After a crash: cut a torn tail (and keep the bytes), seal what was left open, end what never ended."""

import os
from collections.abc import Container
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from safebelt.kernel.ids import NewId
from safebelt.kernel.merkle import Frontier, leaf_hash
from safebelt.rooms.belt.records import head as heads
from safebelt.rooms.belt.records.disk import (
    FIRST,
    heads_name,
    path_of,
    raw_lines,
    segment_number,
    segments,
    sync_folder,
)
from safebelt.rooms.belt.records.draft import Draft, Place
from safebelt.rooms.belt.records.line import GENESIS, Line, encode_facts, link, parse
from safebelt.rooms.belt.records.seals import Seal


@dataclass(kw_only=True)
class Scan:
    """What stands in one segment.

    Attributes:
        signed: How many records its newest head covers.
        good: How many records from the start are whole and chained.
        end: Offset behind the last of them.
        root: Their root.
        last: Link of the last readable record, whether chained or not; empty where none is.
        is_whole: Whether nothing stands behind `end`.
        is_signed_so: Whether the records are those that the newest head covers.
        intents: Where intents without an outcome stand, among the good records, and
        readable_intents: among all readable ones.
    """

    signed: int = 0
    good: int = 0
    end: int = 0
    root: bytes = b""
    last: str = ""
    is_whole: bool = True
    is_signed_so: bool = True
    intents: dict[str, Place] = field(default_factory=dict)
    readable_intents: dict[str, Place] = field(default_factory=dict)


@dataclass(kw_only=True)
class Recovered:
    """Where the writer goes on.

    Attributes:
        next_number: Number of the next segment.
        last: Link of the last record.
        head_count: Number of the last signed head.
        intents: Exchanges that began and never ended.
        drafts: Records to write first: notes of what was cut, and an outcome `lost` for each of those exchanges.
        unsigned: Segment, size and root of heads still to be signed, and
        seals: segments that the ledger does not have.
    """

    next_number: int = 1
    last: str = ""
    head_count: int = 0
    intents: dict[str, Place] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)
    unsigned: list[tuple[str, int, bytes]] = field(default_factory=list)
    seals: list[Seal] = field(default_factory=list)


def recover(folder: Path, *, sealed: Container[str], new_id: NewId, log: str = FIRST) -> Recovered:
    """Make a log ready to be written to.

    Only what no signed head covers is ever cut.  Damage before that is no crash: it is left as it is for `verify`
    to name, and the segment is not sealed as if it were sound.

    Args:
        folder: Of the records.
        sealed: Names of the segments whose root the ledger has.
        new_id: Mints ids for notes.
        log: Which log of the folder.

    Raises:
        OSError: The disk refuses.
    """
    found = Recovered()
    if cut := _cut_heads(folder, log):
        found.drafts.append(_note(new_id, what="torn_heads", file=heads_name(log), **cut))
    newest = heads.last_of(folder, log=log)
    found.head_count = 0 if newest is None else newest.number
    for name in reversed(segments(folder, log)):
        if name not in sealed or not found.last:
            _settle(folder, name, found=found, is_sealed=name in sealed, new_id=new_id)
    found.last = found.last or GENESIS
    found.seals.reverse()
    found.unsigned.reverse()
    found.drafts += [
        Draft("outcome", id_, encode_facts({"finish": "lost", "status": 0}), None) for id_ in found.intents
    ]
    return found


def _settle(folder: Path, name: str, *, found: Recovered, is_sealed: bool, new_id: NewId) -> None:
    """Cut, or complain, or seal one segment; the newest that holds a record says where to go on."""
    scan, is_newest = _scan(folder, name), found.next_number == 1
    is_torn = is_newest and not is_sealed and scan.is_signed_so and not scan.is_whole
    if is_torn:
        cut = _cut(folder, path_of(folder, name), scan.end)
        found.drafts.append(_note(new_id, what="torn_tail", segment=name, kept_records=scan.good, **cut))
    is_sound = scan.is_signed_so and (scan.is_whole or is_torn)
    if is_sound and scan.good == 0:
        path_of(folder, name).unlink()
        sync_folder(folder)
        return
    if is_newest:
        found.next_number = segment_number(name) + 1
        found.intents = scan.intents if is_sound else scan.readable_intents
    found.last = found.last or scan.last
    if not is_sound:
        found.drafts.append(
            _note(new_id, what="damaged", segment=name, good_records=scan.good, signed_records=scan.signed)
        )
    elif not is_sealed:
        if scan.signed < scan.good:
            found.unsigned.append((name, scan.good, scan.root))
        found.seals.append(Seal(name, scan.good, scan.root.hex()))


def _scan(folder: Path, name: str) -> Scan:
    newest = heads.last_of(folder, name)
    scan, tree, chain = Scan(signed=0 if newest is None else newest.size), Frontier(), ""
    with path_of(folder, name).open("rb") as file:
        for offset, raw in raw_lines(file):
            line = parse(raw)
            if line is not None:
                scan.last = link(line.core_bytes)
                _follow(scan.readable_intents, line, (name, offset))
            if line is None or not scan.is_whole or not _continues(line, scan.good, chain):
                scan.is_whole = False
                continue
            chain = scan.last
            tree.append(leaf_hash(line.core_bytes))
            scan.good, scan.end = scan.good + 1, offset + len(raw)
            _follow(scan.intents, line, (name, offset))
            if newest is not None and scan.good == newest.size:
                scan.is_signed_so = tree.root() == newest.root
    scan.root = tree.root()
    scan.is_signed_so = scan.is_signed_so and scan.good >= scan.signed
    return scan


def _continues(line: Line, seq: int, chain: str) -> bool:
    return line.core.seq == seq and chain in ("", line.core.prev) and line.is_bound()


def _follow(intents: dict[str, Place], line: Line, place: Place) -> None:
    """Keep account of exchanges under way: an intent opens one, an outcome closes it, a carried note brings them in."""
    if line.core.type == "intent":
        intents[line.core.id] = place
    elif line.core.type == "outcome":
        intents.pop(line.core.id, None)
    elif line.core.seq == 0 and b'"carried"' in bytes(line.core.facts):
        try:
            intents |= msgspec.json.decode(line.core.facts, type=_Carried).open
        except msgspec.MsgspecError:
            return  # a note that only happens to hold the word


class _Carried(msgspec.Struct):
    what: str
    open: dict[str, Place]


def _cut_heads(folder: Path, log: str) -> dict[str, Any]:
    """Cut a torn last line off a log's heads; nothing where they end well."""
    path = folder / heads_name(log)
    data_end, good_end = 0, 0
    for offset, raw in heads.lines(folder, log):
        data_end = offset + len(raw)
        good_end = data_end if raw.endswith(b"\n") else good_end
    return _cut(folder, path, good_end) if good_end < data_end else {}


def _cut(folder: Path, path: Path, end: int) -> dict[str, Any]:
    """Move everything behind `end` to `<name>.torn`; the copy is durable before the original is cut."""
    torn = path.with_name(f"{path.name}.torn")
    with path.open("r+b") as file:
        file.seek(end)
        data = file.read()
        with torn.open("ab") as copy:
            copy.write(data)
            copy.flush()
            os.fsync(copy.fileno())
        sync_folder(folder)
        file.truncate(end)
        os.fsync(file.fileno())
    return {"bytes": len(data), "sha256": sha256(data).hexdigest(), "kept_in": torn.name}


def _note(new_id: NewId, **facts: Any) -> Draft:
    return Draft("note", new_id("rec"), encode_facts(facts), None)
