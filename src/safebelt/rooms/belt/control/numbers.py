"""The numbers of orders: given once, in one order, whoever gives them.

Two people may order opposite things in the same millisecond, through different processes.  Which one holds must be the
same for every worker, and neither clocks nor the order in which a folder is listed say that.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

_PATIENCE_SECONDS = 0.5
"""Whoever holds the lock writes one small file.  One that hangs must not hold off a stop: then the number may be given
twice, and of those two orders the one seen last holds."""
_LOOK_SECONDS = 0.002


class Numbers:
    """Counts orders in a file.

    Args:
        path: Of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextlib.contextmanager
    def next(self) -> Iterator[int]:
        """Yield the next number; nobody gets one meanwhile."""
        with self._path.open("a+b") as file:
            _lock(file.fileno())
            file.seek(0)
            text = file.read(32)
            number = (
                int(text) + 1 if text.strip().isdigit() else time.time_ns() // 1000
            )  # never below what was given before
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), b"%d\n" % number)
            yield number


def _lock(handle: int) -> None:
    if os.name == "nt":
        return  # one worker there: no SO_REUSEPORT
    import fcntl  # noqa: PLC0415  only there on POSIX

    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(_LOOK_SECONDS)
        else:
            return
