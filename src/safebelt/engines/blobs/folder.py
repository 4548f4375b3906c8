"""Blobs in a folder, each named by the SHA-256 of its bytes: written once, whole or not at all, checked when read."""

import os
import re
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from safebelt.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from safebelt.kernel.text import Text

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Folder:
    """A content-addressed store.

    Args:
        root: Where the files live; created with mode 0700, because blobs may hold personal data.
        max_bytes: Largest blob taken.
    """

    def __init__(self, root: Path, *, max_bytes: int) -> None:
        self._root, self._max = root, max_bytes

    def put(self, chunks: Iterable[bytes]) -> str:
        """Store the chunks' bytes and return their SHA-256, 64 hex digits.

        When this returns, the blob outlives a power cut; when it raises, nothing of it is left.

        Raises:
            Invalid: It is larger than `max_bytes`.
            Unavailable: The disk does not take it.
        """
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._root, prefix=".new-")
            fresh = Path(name)
            try:
                digest = self._write(handle, chunks)
                home = self._path(digest)
                home.parent.mkdir(mode=0o700, exist_ok=True)
                fresh.replace(home)
                _sync_folder(home.parent)
                _sync_folder(self._root)
            finally:
                with suppress(FileNotFoundError):
                    fresh.unlink()
        except OSError as error:
            raise _disk(error) from error
        return digest

    def get(self, digest: str) -> bytes:
        """Return a blob's bytes, proven to be those that were put.

        Raises:
            Invalid: `digest` is not 64 lower-case hex digits.
            NotFound: No such blob.
            Conflict: The file was changed since it was put.
            Unavailable: The disk does not give it.
        """
        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(
                what=Text(zh=f"没有摘要为 {digest} 的文件。", en=f"There is no file with the digest {digest}."),
                hint=Text(zh="请检查摘要，或从备份恢复。", en="Check the digest, or restore the file from a backup."),
            ) from error
        except OSError as error:
            raise _disk(error) from error
        if sha256(data).hexdigest() != digest:
            raise Conflict(
                what=Text(
                    zh=f"文件 {digest} 存入后已被改动。", en=f"The file {digest} was changed after it was stored."
                ),
                hint=Text(
                    zh="请勿采信其内容；请从备份恢复并查明原因。",
                    en="Do not rely on it; restore it from a backup and find out who changed it.",
                ),
            )
        return data

    def has(self, digest: str) -> bool:
        """Say whether a blob is there, without reading it."""
        return self._path(digest).is_file()

    def erase(self, digest: str) -> None:
        """Remove a blob for good; one that is not there is already erased."""
        try:
            path = self._path(digest)
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                _sync_folder(path.parent)
        except OSError as error:
            raise _disk(error) from error

    def _write(self, handle: int, chunks: Iterable[bytes]) -> str:
        digest, size = sha256(), 0
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > self._max:
                    raise _too_large(self._max)
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        return digest.hexdigest()

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):  # also keeps `../` out of the path
            raise Invalid(
                what=Text(zh=f"{digest!r} 不是 SHA-256 摘要。", en=f"{digest!r} is not a SHA-256 digest."),
                hint=Text(zh="请使用 64 位小写十六进制字符。", en="Use 64 lower-case hexadecimal digits."),
            )
        return self._root / digest[:2] / digest[2:]


def _sync_folder(folder: Path) -> None:
    """Make a new name durable: without it a power cut may keep the bytes and forget the file."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk(error: OSError) -> Unavailable:
    return Unavailable(
        what=Text(zh=f"文件存储无法使用：{error.strerror}。", en=f"The file store cannot be used: {error.strerror}."),
        hint=Text(
            zh="请检查磁盘空间和 SAFEBELT_HOME 的访问权限。",
            en="Check free disk space and the permissions of SAFEBELT_HOME.",
        ),
    )


def _too_large(limit: int) -> Invalid:
    return Invalid(
        what=Text(zh=f"文件超过 {limit} 字节的上限。", en=f"The file is larger than the {limit} bytes allowed."),
        hint=Text(zh="请缩小或拆分文件。", en="Make it smaller or split it."),
    )
