"""Files as the carriers see them: mapped, not read; and edits written by copying what stays in the kernel."""

import mmap
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safebelt.rooms.labelling.formats.carrier import Buffer, Edit, Span

_COPY_BYTES = 1 << 30  # at most what one call of the kernel takes


@contextmanager
def opened(path: Path) -> Iterator[tuple[int, Buffer]]:
    """Give a file's descriptor and its bytes, mapped; of an empty file, none.

    Raises:
        OSError: It cannot be opened.
    """
    file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        if not os.fstat(file).st_size:
            yield file, b""
            return
        with mmap.mmap(file, 0, access=mmap.ACCESS_READ) as data:
            yield file, data
    finally:
        os.close(file)


def identity_of(file: int) -> tuple[int, ...]:
    """Return what tells an open file from every other, and from itself after somebody wrote to it.

    Device, inode, length, and the moments of its last writing and change in nanoseconds.  A file system gives moments
    in steps (some milliseconds): two writings within one step have the same.
    """
    found = os.fstat(file)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


@contextmanager
def draft_of(out: Path) -> Iterator[Path]:
    """Give the path of a draft beside a file, which takes its place when the block ends well, and is gone if not.

    The old file's permissions are kept.

    Raises:
        OSError: It cannot be written, or put in its place.
    """
    draft = out.with_name(f".{out.name}.{os.getpid()}.{threading.get_ident()}.new")
    try:
        yield draft
        with suppress(FileNotFoundError):
            draft.chmod(out.stat().st_mode & 0o7777)
        draft.replace(out)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def write(source: int, edit: Edit, out: Path) -> None:
    """Write an edited file.

    Args:
        source: Descriptor of the old file.
        edit: What the new one is made of.
        out: Where it goes.

    Raises:
        OSError: It cannot be written.
    """
    file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        for piece in edit:
            if isinstance(piece, Span):
                _copy(source, piece, file)
            else:
                _put(piece, file)
    finally:
        os.close(file)


def _put(piece: bytes, file: int) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(file, view) :]


def _copy(source: int, span: Span, file: int) -> None:
    at = span.start
    while at < span.end:
        moved = _copied(source, file, at, min(span.end - at, _COPY_BYTES))
        if not moved:
            raise OSError("the file became shorter while it was copied")
        at += moved


def _copied(source: int, file: int, at: int, count: int) -> int:
    """Copy within the kernel where it can; some filesystems, and pairs of them, cannot."""
    try:
        return os.copy_file_range(source, file, count, offset_src=at)
    except (OSError, AttributeError):
        return os.sendfile(file, source, at, count)
