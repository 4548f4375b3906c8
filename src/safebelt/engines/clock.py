"""Time, chance and ids of the real world.  Rooms get them injected, so that tests can hold them still."""

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from safebelt.kernel.ids import NewId, id_maker

Clock = Callable[[], datetime]
"""Returns now, always UTC-aware."""

Chance = Callable[[int], bytes]
"""Returns that many random bytes."""


def wall_clock() -> datetime:
    """Return now, in UTC."""
    return datetime.now(UTC)


def real_chance(count: int) -> bytes:
    """Return `count` bytes from the operating system's generator."""
    return os.urandom(count)


def in_blocks(chance: Chance, block: int = 4096) -> Chance:
    """Draw from a source in blocks: asking the system lets go of the interpreter's lock, which costs more than bytes.

    Each byte is given out once.  Not for a process that forks: both would give out the same bytes.
    """
    lock, known, at = threading.Lock(), b"", 0

    def drawn(count: int) -> bytes:
        nonlocal known, at
        with lock:
            begin, at = at, at + count
            if at > len(known):
                known, begin, at = chance(max(block, count)), 0, count
            return known[begin:at]

    return drawn


def wall_millis() -> int:
    """Return the milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


def real_ids(chance: Chance = real_chance) -> NewId:
    """Return the id mint of production: wall-clock milliseconds and, unless said otherwise, the system's randomness."""
    return id_maker(wall_millis, chance)
