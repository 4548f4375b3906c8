"""The lease of a node that obeys orders from elsewhere: who hears nothing for too long stops by itself.

A 64-byte page shared by file.  The process that listens to the bus marks when it heard a true message; every worker
looks at the page beside its orders, which needs no call into the system.  Times are of the machine's monotonic clock,
which starts anew with the machine: then nothing was heard yet.
"""

import mmap
import struct
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from safebelt.kernel.ids import encode, uuid7

_SIZE = 64
_HEARD, _SINCE, _WALL = 0, 8, 16
PREFIX = "lse"
"""Of the ids of such orders: a refused caller is told that nobody ordered this."""
LAPSED = "与命令总线失联超过 {seconds:g} 秒，自动停止 · no word from the command bus for {seconds:g} s: stopped itself"
REGAINED = "与命令总线恢复联系 · the command bus is heard again"


class Lease:
    """The page at `<home>/belt/lease`.

    Args:
        path: Where the page is.
        seconds: How long a message keeps the node going.
        ticks: The machine's monotonic clock, in nanoseconds.
    """

    def __init__(self, path: Path, seconds: float, *, ticks: Callable[[], int] = time.monotonic_ns) -> None:
        self.seconds, self._ticks = seconds, ticks
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists() or path.stat().st_size != _SIZE:
            path.write_bytes(bytes(_SIZE))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _SIZE)

    def hear(self, wall_ms: int) -> None:
        """Mark that a true message came; the first after a silence begins a new time of hearing.

        Args:
            wall_ms: The time of day, milliseconds since 1970.
        """
        now = self._ticks()
        if self.is_lapsed():
            self._put(_SINCE, now)
        self._put(_WALL, wall_ms)
        self._put(_HEARD, now)  # last: whoever reads this finds the others in place

    def age_seconds(self) -> float:
        """Return how long ago a true message came; infinity where none came since the machine started."""
        heard, now = self._get(_HEARD), self._ticks()
        return (now - heard) / 1e9 if 0 < heard <= now else float("inf")

    def is_lapsed(self) -> bool:
        """Whether nothing was heard for too long."""
        return self.age_seconds() > self.seconds

    def order_id(self, *, is_lapsed: bool) -> str:
        """Return the id of the order that this silence, or its end, is: the same for every worker."""
        mark = self._get(_HEARD if is_lapsed else _SINCE)
        name = f"{'lapsed' if is_lapsed else 'heard'} {mark} {_boot()}"
        return f"{PREFIX}_{encode(uuid7(self._get(_WALL) % (1 << 48), sha256(name.encode()).digest()[:10]))}"

    def close(self) -> None:
        """Let the page go."""
        self._page.close()

    def _get(self, field: int) -> int:
        found: int = struct.unpack_from("<Q", self._page, field)[0]
        return found

    def _put(self, field: int, value: int) -> None:
        struct.pack_into("<Q", self._page, field, value)


def _boot() -> str:
    """Return what tells this start of the machine from others; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
