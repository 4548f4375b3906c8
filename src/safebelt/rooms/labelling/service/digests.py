"""The digest of a file in which another process is looking meanwhile, and whether both saw the same file."""

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from safebelt.rooms.labelling.formats.files import identity_of

_BLOCK = 1 << 20
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
"""A pipe that nobody writes to must not keep whoever opens it waiting."""


def digest_of(path: Path, hold_in_time: Callable[[], None]) -> tuple[str, tuple[int, ...]]:
    """Return a plain file's SHA-256, hexadecimal, and its identity; two empty ones where it changed meanwhile.

    Args:
        path: The file; of anything else (a pipe, a folder) there is none.
        hold_in_time: Is called before each block; what it raises ends this.

    Raises:
        OSError: It cannot be opened or read.
    """
    file = os.open(path, _FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return "", ()
        before, digest = identity_of(file), hashlib.sha256()
        while block := os.read(file, _BLOCK):
            digest.update(block)
            hold_in_time()
        return (digest.hexdigest(), before) if identity_of(file) == before else ("", ())
    finally:
        os.close(file)
