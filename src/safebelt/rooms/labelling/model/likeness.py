"""Words of likeness: a fingerprint of a content, and what this house remembers that looks like it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

FINGERPRINT_BITS = 64
"""Bits of a fingerprint."""


class Likeness(StrEnum):
    """What kind of fingerprint it is: those of two kinds are never compared."""

    PICTURE = "picture"
    TEXT = "text"


WITHIN = {Likeness.PICTURE: 8, Likeness.TEXT: 10}
"""Most bits in which fingerprints of like contents differ.  Texts on one subject share words and come nearer to each
other than unlike pictures do; how often unlike contents match is measured by `bench/watermark.py`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What is kept of a content to find it again: 64 bits, from which it cannot be restored.

    Attributes:
        of: Its kind.
        bits: 0 ≤ bits < 2⁶⁴.
    """

    of: Likeness
    bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """A remembered mark whose content looks like the one at hand.

    Attributes:
        mark_id: The mark.
        system_id: What made that content, as it was said; empty where nobody said.
        at: When it was marked.
        bits: In how many bits the fingerprints differ.
    """

    mark_id: str
    system_id: str
    at: datetime
    bits: int
