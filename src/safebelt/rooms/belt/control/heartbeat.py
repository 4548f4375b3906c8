"""The pulse that the supervisor feels: a 64-byte page shared by file, written without locks or calls.

Fields are 64-bit little-endian nanoseconds of the machine's monotonic clock (the same for all processes on Linux):
loop beat, when the watcher last had carried out all that was ordered, when the last order was seen and carried out, and
when a supervisor last looked after this belt; then the id of the process that is at work.
"""

import mmap
import struct
import time
from pathlib import Path

_SIZE = 64
LOOP, WATCHER, SEEN, EFFECTIVE, KEEPER = 0, 8, 16, 24, 32
_PID = 40


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

    def enter(self, pid: int) -> None:
        """Say which process is at work; 0 where none is.  From now on an order waits for its confirmation."""
        struct.pack_into("<Q", self._page, _PID, pid)

    @property
    def pid(self) -> int:
        """The process that said it is at work, or 0."""
        found: int = struct.unpack_from("<Q", self._page, _PID)[0]
        return found

    def clear(self) -> None:
        """Forget an earlier worker's pulse; its keeper's goes on, or who waits for the next worker would give it up."""
        self._page[:KEEPER] = bytes(KEEPER)
        self.enter(0)

    def close(self) -> None:
        """Let the page go."""
        self._page.close()
