"""The pulse that the supervisor feels: a 64-byte page shared by file, written without locks or calls.

Fields are 64-bit little-endian nanoseconds of the machine's monotonic clock (the same for all processes on Linux):
loop beat, when the watcher last had carried out all that was ordered, when the last order was seen and carried out, and
when a supervisor last looked after this belt.
"""

import mmap
import struct
import time
from pathlib import Path

_SIZE = 64
LOOP, WATCHER, SEEN, EFFECTIVE, KEEPER = 0, 8, 16, 24, 32


class Heartbeat:
    """The pulse page at `<home>/belt/pulse`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists() or path.stat().st_size != _SIZE:
            path.write_bytes(bytes(_SIZE))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _SIZE)

    def beat(self, field: int) -> None:
        """Mark now."""
        struct.pack_into("<Q", self._page, field, time.monotonic_ns())

    def age_seconds(self, field: int) -> float:
        """Return how long ago a field was marked; infinity where it never was."""
        at: int = struct.unpack_from("<Q", self._page, field)[0]
        return (time.monotonic_ns() - at) / 1e9 if at else float("inf")

    def clear(self) -> None:
        """Forget an earlier worker's pulse."""
        self._page[:] = bytes(_SIZE)

    def close(self) -> None:
        """Let the page go."""
        self._page.close()
