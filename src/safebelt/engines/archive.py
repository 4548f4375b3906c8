"""One file that holds many: a gzipped tar of parts, their SHA-256 sums, and a manifest at the end.

Anybody's tools open it (`tar -xzf`, then `sha256sum -c SHA256SUMS`).  It is written and read as a stream, whatever its
length: neither a part nor the list of parts is ever held in memory.

* the parts, in the order they were added
* `SHA256SUMS`      one line for each part, in that order
* `manifest.json`   what the writer says of the whole, and the SHA-256 of `SHA256SUMS`
"""

import gzip
import io
import json
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Self, cast

from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Text

SUMS, MANIFEST = "SHA256SUMS", "manifest.json"
_LEVEL = 3
"""Rows shrink well at any level; the higher ones take several times as long for little."""
_CHUNK_BYTES = 256 * 1024
_IN_MEMORY_BYTES = 4 * 1024 * 1024  # of the list of sums; beyond it a file of the system's takes them
_MANIFEST_BYTES = 4 * 1024 * 1024  # a hundred tables and some settings need a few kilobytes
_NAME_CHARS = 1000
_ONLY_MINE = 0o600


class Writer:
    """Writes such a file; a block of `with` that ends before `finish` leaves what is no such file.

    Args:
        out: Where to; stays open.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._gz = gzip.GzipFile(filename="", fileobj=out, mode="wb", compresslevel=_LEVEL, mtime=0)
        self._tar = tarfile.open(fileobj=self._gz, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115  see `__exit__`
        self._sums = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sums.close()
        self._gz.fileobj = None  # type: ignore[assignment]  # given up, it must not write its end when nobody holds it any more

    def add(self, name: str, data: bytes, *, mtime: int = 0) -> None:
        """Add a part that is at hand."""
        self.add_file(name, io.BytesIO(data), len(data), mtime=mtime)

    def add_file(self, name: str, file: BinaryIO, size: int, *, mode: int = _ONLY_MINE, mtime: int = 0) -> None:
        """Add the next `size` bytes of a file as a part.

        Args:
            name: Its name, a relative path with slashes.
            file: Where it is read from.
            size: Bytes.
            mode: Permission bits.
            mtime: When it was changed last, seconds since the epoch.

        Raises:
            Invalid: The name cannot be one in an archive.
            Conflict: The file has fewer bytes.
        """
        if not is_name(name) or name in (SUMS, MANIFEST):
            raise _no_name(name)
        hashed = _Hashed(file)
        try:
            self._member(name, cast("BinaryIO", hashed), size, mode=mode, mtime=mtime)
        except OSError as error:
            if hashed.count < size and error.errno is None:  # tarfile's own complaint, not the disk's
                raise _shorter(name) from error
            raise
        self._sums.write(_line(hashed.hexdigest(), name))

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Write the sums and the manifest, and end the file.

        Args:
            manifest: JSON-ready values.
        """
        size, digest = self._sums.tell(), sha256()
        self._sums.seek(0)
        while chunk := self._sums.read(_CHUNK_BYTES):
            digest.update(chunk)
        self._sums.seek(0)
        self._member(SUMS, cast("BinaryIO", self._sums), size)
        data = json.dumps({**manifest, "sums": digest.hexdigest()}, ensure_ascii=False, indent=1).encode() + b"\n"
        self._member(MANIFEST, io.BytesIO(data), len(data))
        self._tar.close()
        self._gz.close()

    def _member(self, name: str, file: BinaryIO, size: int, *, mode: int = _ONLY_MINE, mtime: int = 0) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, mode, mtime
        self._tar.addfile(member, file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part, while it is being read.

    Attributes:
        name: Its name: a relative path that leads nowhere outside.
        size: Bytes.
        mode: Permission bits.
        mtime: When it was changed last, seconds since the epoch.
        file: Its bytes; what is not read is skipped.
    """

    name: str
    size: int
    mode: int
    mtime: int
    file: BinaryIO


class Reader:
    """Reads such a file once, from its beginning to its end.

    Args:
        file: Where from.

    Attributes:
        manifest: What the writer said of the whole; empty until all parts were read.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.manifest: Mapping[str, Any] = {}

    def parts(self) -> Iterator[Part]:
        """Yield every part, and hold each against its sum.

        Only when this ends by itself is the file known to be whole.

        Raises:
            Invalid: It is no such file, was changed, or breaks off.
        """
        with (
            _as_damage(),
            gzip.GzipFile(fileobj=self._file, mode="rb") as gz,
            tarfile.open(fileobj=gz, mode="r|") as tar,
            SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as seen,
        ):
            yield from self._read(tar, cast("BinaryIO", seen))
            while gz.read(_CHUNK_BYTES):  # its own check sum stands at the end
                pass
        if not self.manifest:
            raise damaged("it breaks off before its manifest", "在清单之前中断")

    def _read(self, tar: tarfile.TarFile, seen: BinaryIO) -> Iterator[Part]:
        sums = ""
        for member in tar:
            file = tar.extractfile(member) if member.isreg() else None
            if file is None or not is_name(member.name) or self.manifest:
                raise damaged(f"{member.name[:200]!r} does not belong there", f"“{member.name[:200]}”不应在其中")
            if member.name == SUMS:
                sums = _compare(cast("BinaryIO", file), seen)
            elif member.name == MANIFEST:
                self.manifest = _manifest(file.read(_MANIFEST_BYTES), sums)
            else:
                yield from _part(member, cast("BinaryIO", file), seen)


def is_name(name: str) -> bool:
    """Say whether a part may be called so: a plain relative path, which leads nowhere outside."""
    steps = name.split("/")
    is_plain = name.isprintable() and "\\" not in name and len(name) <= _NAME_CHARS
    return is_plain and all(step not in ("", ".", "..") for step in steps)


def damaged(why: str, zh: str = "") -> Invalid:
    """Return the problem of an archive that is not whole."""
    return Invalid(
        what=Text(zh=f"备份文件不完整或已被改动：{zh or why}。", en=f"The backup is damaged or was changed: {why}."),
        hint=Text(zh="请勿使用它；请取另一份备份。", en="Do not use it; take another backup."),
    )


@contextmanager
def _as_damage() -> Iterator[None]:
    """Say of an archive that cannot be taken apart that it is damaged."""
    try:
        yield
    except (tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError, UnicodeDecodeError) as error:
        raise damaged(str(error) or "it breaks off") from error


class _Hashed:
    """A file that is hashed while it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._digest, self.count = file, sha256(), 0

    def read(self, count: int = -1) -> bytes:
        with _as_damage():
            data = self._file.read(count)
        self._digest.update(data)
        self.count += len(data)
        return data

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def _part(member: tarfile.TarInfo, file: BinaryIO, seen: BinaryIO) -> Iterator[Part]:
    hashed = _Hashed(file)
    mode, mtime = member.mode & 0o777, max(0, int(member.mtime))
    yield Part(name=member.name, size=member.size, mode=mode, mtime=mtime, file=cast("BinaryIO", hashed))
    while hashed.read(_CHUNK_BYTES):
        pass
    if hashed.count != member.size:
        raise damaged(f"{member.name!r} breaks off", f"“{member.name}”中断")
    seen.write(_line(hashed.hexdigest(), member.name))


def _line(digest: str, name: str) -> bytes:
    return f"{digest}  {name}\n".encode()


def _compare(said: BinaryIO, seen: BinaryIO) -> str:
    """Hold the sums that the file carries against those of the parts as they were read; return the sums' own."""
    seen.seek(0)
    digest = sha256()
    while True:
        theirs, ours = said.readline(), seen.readline()
        if theirs != ours:
            name = (ours or theirs).decode("utf-8", "replace").strip().partition("  ")[2]
            raise damaged(f"{name!r} is not as it was written", f"“{name}”与写入时不同")
        if not ours:
            return digest.hexdigest()
        digest.update(theirs)


def _manifest(data: bytes, sums: str) -> Mapping[str, Any]:
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise damaged("its manifest cannot be read", "清单无法读取") from error
    if not isinstance(said, dict) or not sums or said.get("sums") != sums:
        raise damaged("its manifest belongs to another", "清单与内容不符")
    return said


def _no_name(name: str) -> Invalid:
    return Invalid(
        what=Text(
            zh=f"文件名“{name[:200]}”不能放入备份。", en=f"A file called {name[:200]!r} cannot go into a backup."
        ),
        hint=Text(
            zh="请改为不含反斜杠和控制字符的名称。", en="Give it a name without backslashes and control characters."
        ),
    )


def _shorter(name: str) -> Conflict:
    return Conflict(
        what=Text(zh=f"“{name}”在读取时变短了。", en=f"{name!r} became shorter while it was being read."),
        hint=Text(zh="请重新备份。", en="Make the backup again."),
    )
