"""From a key to everything it decides: one stream of bytes for each purpose, the same on every machine.

Only SHAKE-256 is used, never a generator of a library that may change between versions.  Streams of two purposes owe
nothing to each other: what locates a mark tells nothing about what it says, which is what the bound on false
readings rests on.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

MIN_KEY_BYTES = 16
"""Shortest key: 128 bits, below which keys can be tried one after the other."""


class WeakKey(ValueError):  # noqa: N818  it says what the key is
    """The key is shorter than 16 bytes."""


def stream(key: bytes, purpose: str, length: int) -> bytes:
    """Return `length` bytes that only the key and the purpose decide.

    Args:
        key: At least 16 bytes.
        purpose: What the bytes are for: `image/1/signs/3`.
        length: How many bytes.

    Raises:
        WeakKey: When the key is too short.
    """
    if len(key) < MIN_KEY_BYTES:
        raise WeakKey("a watermark key has at least 16 bytes")
    head = b"safebelt watermark\0" + len(key).to_bytes(8, "big") + key + purpose.encode()
    return hashlib.shake_256(head).digest(length)


def signs(key: bytes, purpose: str, count: int) -> NDArray[np.float32]:
    """Return `count` signs, each +1 or -1 with the same chance."""
    raw = np.frombuffer(stream(key, purpose, -(-count // 8)), dtype=np.uint8)
    return (1.0 - 2.0 * np.unpackbits(raw)[:count]).astype(np.float32)


def fractions(key: bytes, purpose: str, count: int) -> NDArray[np.float64]:
    """Return `count` numbers, uniform in [0, 1), in steps of 2⁻³²."""
    return np.frombuffer(stream(key, purpose, 4 * count), dtype=">u4").astype(np.float64) / 2.0**32


def order(key: bytes, purpose: str, count: int) -> NDArray[np.int64]:
    """Return the numbers 0 … count - 1 in an order the key decides."""
    drawn = np.frombuffer(stream(key, purpose, 8 * count), dtype=">u8")
    return np.argsort(drawn, kind="stable").astype(np.int64)
