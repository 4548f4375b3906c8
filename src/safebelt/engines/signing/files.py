"""Key files: written whole or not at all, and used only where nobody else could have read them."""

import os
import tempfile
from pathlib import Path

from safebelt.kernel.errors import Problem, Refused, Unavailable
from safebelt.kernel.text import Text


def guard(path: Path, remedy: Text) -> None:
    """Refuse a key that others could have read or put there.

    Args:
        path: The key file.
        remedy: What to do where the key may have been read.

    Raises:
        Refused: Others than the owner may read it, or write to its directory.
    """
    for place, forbidden, mode in ((path, 0o077, "600"), (path.parent, 0o022, "700")):
        if place.stat().st_mode & forbidden:
            raise Refused(
                what=Text(
                    zh=f"{place} 对他人开放（权限过宽），其中的签名密钥不可信。",
                    en=f"{place} is open to other users, so the signing key there cannot be trusted.",
                ),
                hint=Text(
                    zh=f"请执行 `chmod {mode} {place}`。{remedy.zh}",
                    en=f"Run `chmod {mode} {place}`. {remedy.en}",
                ),
            )


def unavailable(path: Path, why: str, *, zh: str = "") -> Problem:
    """Return the problem of a key file that cannot be used."""
    return Unavailable(
        what=Text(zh=f"签名密钥 {path} 无法使用：{zh or why}。", en=f"The signing key {path} cannot be used: {why}."),
        hint=Text(
            zh="请检查该文件及其目录的权限和磁盘空间，或从备份恢复。",
            en="Check the file, its directory's permissions and the disk's free space, or restore it from a backup.",
        ),
    )


def write(path: Path, text: str, *, mode: int, is_new: bool = False) -> None:
    """Write a whole file or none of it, durably; with `is_new`, fail where it exists already."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600 from the start
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        if is_new:
            os.link(draft, path)  # unlike a rename it never replaces a key
        else:
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make what was done to a directory durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
