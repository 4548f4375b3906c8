"""Files that only grow, and are believed only as far as a sync has reached."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from safebelt.kernel.errors import Invalid, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.belt.records.limits import MAX_LINE_BYTES, ROOM_BYTES

HEADS = "heads.log"
FIRST = ""
"""The log of the first worker; those of further workers are called `w2`, `w3` …"""
MOST_WORKERS = 64
_LOG = r"(?:(w[1-9]\d?)-)?"
_SEGMENT = re.compile(_LOG + r"seg-(\d{8,})")
_HEADS = re.compile(_LOG + re.escape(HEADS))
_sync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


def _seek_and_write(handle: int, data: memoryview, at: int) -> int:
    os.lseek(handle, at, os.SEEK_SET)
    return os.write(handle, data)


_write_at = getattr(os, "pwrite", _seek_and_write)  # Windows has no pwrite


def log_name(worker: int) -> str:
    """Return the log a worker writes; workers count from one."""
    return FIRST if worker <= 1 else f"w{worker}"


def segment_name(number: int, log: str = FIRST) -> str:
    """Return a segment's name, `seg-00000001`, or in the log of a second worker `w2-seg-00000001`."""
    return f"{_of(log)}seg-{number:08d}"


def heads_name(log: str = FIRST) -> str:
    """Return the name of a log's file of heads."""
    return f"{_of(log)}{HEADS}"


def _of(log: str) -> str:
    return f"{log}-" if log else ""


def log_of(segment: str) -> str:
    """Return which log a segment is of; raises as `segment_number`."""
    return _parts(segment)[0]


def segment_number(name: str) -> int:
    """Return the number in a segment's name.

    Raises:
        Invalid: It is no segment's name (which also keeps a caller from naming other files).
    """
    return _parts(name)[1]


def _parts(name: str) -> tuple[str, int]:
    found = _SEGMENT.fullmatch(name)
    if found is None or segment_name(int(found[2]), found[1] or FIRST) != name:
        raise Invalid(
            what=Text(zh=f"“{name}”不是记录段的名称。", en=f"“{name}” is not the name of a segment."),
            hint=Text(zh="名称形如 seg-00000001。", en="A name looks like seg-00000001."),
        )
    return found[1] or FIRST, int(found[2])


def logs(folder: Path) -> list[str]:
    """Return the logs that have a segment or a head in a folder, the first worker's first."""
    if not folder.is_dir():
        return []
    names = [path.name for path in folder.iterdir()]
    found = (_HEADS.fullmatch(name) or _SEGMENT.fullmatch(name.removesuffix(".log")) for name in names)
    return sorted({match[1] or FIRST for match in found if match}, key=lambda log: (len(log), log))


def segments(folder: Path, log: str = FIRST) -> list[str]:
    """Return the names of the segments of a log, oldest first; none where there is no folder."""
    if not folder.is_dir():
        return []
    found = (_SEGMENT.fullmatch(path.stem) for path in folder.iterdir() if path.suffix == ".log")
    return [segment_name(number, log) for number in sorted(int(m[2]) for m in found if m and (m[1] or FIRST) == log)]


def all_segments(folder: Path) -> list[str]:
    """Return the names of the segments of all logs, log after log, each oldest first."""
    return [name for log in logs(folder) for name in segments(folder, log)]


def path_of(folder: Path, segment: str) -> Path:
    """Return where a segment stands."""
    return folder / f"{segment}.log"


def raw_lines(file: BinaryIO, end: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield each line's offset and bytes (with its LF, if it has one) from the file's position on.

    A line longer than `MAX_LINE_BYTES` comes in pieces, none of which is a line: memory stays bounded.

    Args:
        file: Opened for reading.
        end: Offset to stop at; None for the end of the file.
    """
    offset = file.tell()
    while end is None or offset < end:
        raw = file.readline(MAX_LINE_BYTES)
        if not raw:
            return
        yield offset, raw
        offset += len(raw)


def sync_folder(folder: Path) -> None:
    """Make a new or removed name in a folder durable (a file's own sync does not)."""
    if os.name == "nt":  # Windows cannot open folders; NTFS journals names itself
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class AppendFile:
    """A file that grows at its end; what a failed write left is cut off, what a failed sync may have lost is rewritten.

    Attributes:
        durable: Bytes that a sync has confirmed.
        written: Bytes that the system has: a killed process loses none of them, a loss of power those beyond `durable`.
    """

    def __init__(self, path: Path) -> None:
        """Open or create a file, its name made durable.

        Raises:
            OSError: The file or its folder cannot be written.
        """
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        self._handle = os.open(path, flags, 0o600)
        self._tail: list[bytes] = []
        try:
            self.durable = self.written = os.fstat(self._handle).st_size
            if self.durable == 0:  # perhaps new, perhaps left by an opening that failed here
                sync_folder(path.parent)
        except OSError:
            os.close(self._handle)
            raise

    def append(self, data: bytes) -> None:
        """Write at the end and sync, all or nothing.  After an error call `repair` before the next append.

        Raises:
            OSError: Disk full, file too large, input or output error: nothing counts as written.
        """
        self._put(data, self.written)
        _sync(self._handle)
        self.written += len(data)
        self.durable = self.written
        self._tail.clear()

    def write(self, data: bytes) -> None:
        """Write at the end and leave the sync to whoever comes next; kept in memory until then.

        Raises:
            OSError: As `append`; what was written before still counts.
        """
        self._put(data, self.written)
        self._tail.append(data)
        self.written += len(data)

    def mark(self) -> tuple[int, int]:
        """Return what the next `sync` confirms.  Not while another thread writes."""
        return self.written, len(self._tail)

    def sync(self, mark: tuple[int, int]) -> None:
        """Make durable what was written up to a mark; another thread may go on writing meanwhile.

        Raises:
            OSError: The disk refuses; call `repair`.
        """
        _sync(self._handle)
        self.durable = mark[0]
        del self._tail[: mark[1]]

    def _put(self, data: bytes, at: int) -> None:
        view = memoryview(data)
        while view:
            count = _write_at(self._handle, view, at)
            view, at = view[count:], at + count

    def repair(self) -> None:
        """Cut off what a failed append left, see whether there is room again, and write anew what no sync confirmed.

        Without asking for room, a nearly full disk would take a small note, be called healthy, and fail the next
        record: accepting and refusing by turns.

        After a failed sync the kernel may drop dirty pages and call them clean; everything beyond `durable` is
        therefore written anew, never only synced again.

        Raises:
            OSError: The disk still refuses.
        """
        os.ftruncate(self._handle, self.written)
        if hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(self._handle, self.written, ROOM_BYTES)
            finally:
                os.ftruncate(self._handle, self.written)
        self._put(b"".join(self._tail), self.durable)
        os.fsync(self._handle)
        self.durable = self.written
        self._tail.clear()

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)


class FolderLock:
    """Only one writer per log: two would tear each other's chain.  Held until closed or the process dies."""

    def __init__(self, folder: Path, log: str = FIRST) -> None:
        """Take the lock.

        Raises:
            Unavailable: Another process holds it.
        """
        self._file = (folder / f"{_of(log)}writer.lock").open("ab")
        try:
            _lock(self._file)
        except OSError as error:
            self._file.close()
            raise Unavailable(
                what=Text(zh="另一个进程正在写入记录。", en="Another process is writing the records."),
                hint=Text(
                    zh="请先停止另一个安全带进程，再启动本进程。",
                    en="Stop the other belt process first, then start this one.",
                ),
                details={"folder": str(folder)},
            ) from error

    def close(self) -> None:
        """Give the lock back."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _lock(file: BinaryIO) -> None:
    if os.name == "nt":
        import msvcrt  # noqa: PLC0415  only there on Windows

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl  # noqa: PLC0415  only there on POSIX

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
