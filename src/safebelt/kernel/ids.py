"""Prefixed, time-ordered ids (`sys_0193…`): UUID version 7 of RFC 9562 with injected time and chance."""

from collections.abc import Callable
from typing import Protocol

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32, lower case: no i, l, o, u
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_SHIFTS = range(120, -10, -10)  # 26 characters, two at a time: their 130 bits hold the 128 of a UUID


class NewId(Protocol):
    """Mint an id with a prefix."""

    def __call__(self, prefix: str) -> str:
        """Return `<prefix>_<26 characters>`; ids of a later millisecond sort after those of an earlier one."""


def uuid7(millis: int, chance: bytes) -> int:
    """Return a UUIDv7 as an integer (RFC 9562 section 5.7).

    Args:
        millis: Milliseconds since 1970-01-01 UTC, 48 bits.
        chance: Ten random bytes.

    Raises:
        ValueError: `millis` does not fit 48 bits or `chance` is not ten bytes.
    """
    _check(millis, chance)
    random = int.from_bytes(chance)
    rand_a, rand_b = random >> 62 & 0xFFF, random & (1 << 62) - 1
    return millis << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b


def _check(millis: int, chance: bytes) -> None:
    if not 0 <= millis < 1 << 48 or len(chance) != 10:
        raise ValueError("uuid7 takes 48-bit milliseconds and ten random bytes")


def encode(value: int) -> str:
    """Write 128 bits as 26 sortable characters."""
    return "".join([_PAIRS[value >> shift & 1023] for shift in _SHIFTS])


def id_maker(millis: Callable[[], int], chance: Callable[[int], bytes]) -> NewId:
    """Build an id mint from a clock in milliseconds and a source of random bytes."""
    begun = -1, ""  # the last millisecond, and what its ids begin with: one value, so that threads see both or neither

    def new_id(prefix: str) -> str:
        nonlocal begun
        now, known, drawn = millis(), begun, chance(10)
        if known[0] != now:
            _check(now, drawn)
            known = begun = now, _time(now)
        return f"{prefix}_{known[1]}{_rest(int.from_bytes(drawn[:5]), int.from_bytes(drawn[5:]))}"

    return new_id


def _time(millis: int) -> str:
    """Return the first ten characters, those that are the time."""
    return (
        f"{_PAIRS[millis >> 40]}{_PAIRS[millis >> 30 & 1023]}{_PAIRS[millis >> 20 & 1023]}"
        f"{_PAIRS[millis >> 10 & 1023]}{_PAIRS[millis & 1023]}"
    )


def _rest(first: int, low: int) -> str:
    """Return the last sixteen characters, those that are not the time, in one step: each exchange has an id.

    Args:
        first: The first five random bytes; forty bits, so that compiled no integer of Python's is made of them.
        low: The other five.
    """
    high = 0x7 << 36 | (first >> 22 & 0xFFF) << 24 | 0b10 << 22 | first & 0x3FFFFF  # as `uuid7` puts them
    return (
        f"{_PAIRS[high >> 30]}{_PAIRS[high >> 20 & 1023]}{_PAIRS[high >> 10 & 1023]}{_PAIRS[high & 1023]}"
        f"{_PAIRS[low >> 30]}{_PAIRS[low >> 20 & 1023]}{_PAIRS[low >> 10 & 1023]}{_PAIRS[low & 1023]}"
    )
