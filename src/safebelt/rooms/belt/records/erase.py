"""Forget content for good: blanked in place, the proofs stay whole.

What a file system keeps elsewhere (copy-on-write snapshots, wear levelling, backups) is beyond this; whoever erases
on request must see to those as well.
"""

import os
from pathlib import Path
from typing import BinaryIO

from safebelt.kernel.errors import Unavailable
from safebelt.rooms.belt.records.disk import FolderLock, logs, path_of, raw_lines, segments
from safebelt.rooms.belt.records.line import encode, parse
from safebelt.rooms.belt.records.reader import Reader

_PIECE = 64 * 1024


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
    return count + sum(_blank_tail(folder, log, name) for log in logs(folder))


def _blank_tail(folder: Path, log: str, name: bytes) -> int:
    """Blank what a killed belt left of a last line, before the next one cuts it off; a living one is left alone."""
    newest = segments(folder, log)[-1:]
    if not newest:
        return 0
    try:
        lock = FolderLock(folder, log)
    except Unavailable:
        return 0  # somebody writes: what is not ended yet is no line, and ends within a moment
    with lock, path_of(folder, newest[0]).open("r+b") as file:
        end = _last_break(file)
        file.seek(end)
        raw = file.read()
        return _blank(file, end, raw) if name in raw else 0


def _last_break(file: BinaryIO) -> int:
    """Return the offset behind a file's last line break."""
    at = file.seek(0, os.SEEK_END)
    while at:
        start = max(0, at - _PIECE)
        file.seek(start)
        if (found := file.read(at - start).rfind(b"\n")) >= 0:
            return start + found + 1
        at = start
    return 0


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
