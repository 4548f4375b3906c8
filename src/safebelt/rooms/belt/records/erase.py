"""Forget content for good: blanked in place, the proofs stay whole.

What a file system keeps elsewhere (copy-on-write snapshots, wear levelling, backups) is beyond this; whoever erases
on request must see to those as well.
"""

import os
from pathlib import Path
from typing import BinaryIO

from safebelt.rooms.belt.records.disk import path_of, raw_lines
from safebelt.rooms.belt.records.line import encode, parse
from safebelt.rooms.belt.records.reader import Reader


def erase(folder: Path, record_id: str) -> int:
    """Blank the content of every line of a record, also in what recovery cut off and kept.  Idempotent.

    Args:
        folder: Of the records.
        record_id: `rec_…`; intent and outcome share it.

    Returns:
        How many contents were blanked by this call; 0 where none is left.

    Raises:
        OSError: The disk refuses.
    """
    count = 0
    for segment, offset in Reader(folder).find(record_id):
        with path_of(folder, segment).open("r+b") as file:
            file.seek(offset)
            count += _blank(file, offset, file.readline())
    name = encode({"id": record_id})[1:-1]
    for path in folder.glob("*seg-*.log.torn"):
        with path.open("r+b") as file:
            places = [(offset, raw) for offset, raw in raw_lines(file) if name in raw]
            count += sum(_blank(file, offset, raw) for offset, raw in places)
    return count


def _blank(file: BinaryIO, offset: int, raw: bytes) -> bool:
    """Overwrite everything behind the core with as many spaces; durable on return."""
    core, tab, content = raw.partition(b"\t")
    line = parse(raw)
    content = content.removesuffix(b"\n")
    if not tab or not content.strip(b" ") or (line is not None and line.is_erased):
        return False
    file.seek(offset + len(core) + len(tab))
    file.write(b" " * len(content))
    file.flush()
    os.fsync(file.fileno())
    return True
