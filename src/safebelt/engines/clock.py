"""Time, chance and ids of the real world.  Rooms get them injected, so that tests can hold them still."""

import os
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


def real_ids() -> NewId:
    """Return the id mint of production: wall-clock milliseconds and the system's randomness."""
    return id_maker(lambda: time.time_ns() // 1_000_000, real_chance)
