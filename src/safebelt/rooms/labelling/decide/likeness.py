"""Finding fingerprints that are near another one without looking at all of them.  Pure.

64 bits are cut into four pieces of 16.  If two fingerprints differ in at most r bits, some piece i differs in at most
tᵢ, whenever the tᵢ add up to r - 3: otherwise all pieces together would differ in (t₁+1) + … + (t₄+1) > r (the general
pigeonhole principle; Qin et al., "GPH: Similarity Search in Hamming Space", ICDE 2018).  So it is enough to look up,
for every piece, the values within tᵢ of it: 188 for pictures and 428 for texts, in all, each of which one remembered
fingerprint in 65,536 has.
"""

import math
from functools import cache
from itertools import combinations

from safebelt.rooms.labelling.model.likeness import FINGERPRINT_BITS, WITHIN, Fingerprint, Likeness

PIECES, PIECE_BITS = 4, 16
_KINDS = {Likeness.PICTURE: 0, Likeness.TEXT: 1}


def slots(one: Fingerprint) -> tuple[int, ...]:
    """Return the numbers under which a fingerprint is kept: kind, piece and the piece's value in one."""
    return tuple(_slot(one.of, piece, _piece(one.bits, piece)) for piece in range(PIECES))


def slots_near(one: Fingerprint) -> tuple[int, ...]:
    """Return the numbers under which at least one piece of every fingerprint that matches is kept."""
    radii = _radii(WITHIN[one.of])
    return tuple(
        _slot(one.of, piece, _piece(one.bits, piece) ^ flipped)
        for piece, radius in enumerate(radii)
        for flipped in _flips(radius)
    )


def distance(one: int, two: int) -> int:
    """Return in how many bits two fingerprints differ."""
    return (one ^ two).bit_count()


def chance(of: Likeness) -> float:
    """Return how likely a fingerprint drawn by chance is to match a given one."""
    near = sum(math.comb(FINGERPRINT_BITS, bits) for bits in range(WITHIN[of] + 1))
    return near / 2.0**FINGERPRINT_BITS


def _slot(of: Likeness, piece: int, value: int) -> int:
    return (_KINDS[of] * PIECES + piece) << PIECE_BITS | value


def _piece(bits: int, piece: int) -> int:
    return bits >> (piece * PIECE_BITS) & ((1 << PIECE_BITS) - 1)


def _radii(within: int) -> tuple[int, ...]:
    """Share out within - 3 as evenly as can be: a step further costs eight times as many values."""
    total = within - PIECES + 1
    return tuple(total // PIECES + (piece < total % PIECES) for piece in range(PIECES))


@cache
def _flips(radius: int) -> tuple[int, ...]:
    chosen = (bits for count in range(radius + 1) for bits in combinations(range(PIECE_BITS), count))
    return tuple(sum(1 << bit for bit in bits) for bits in chosen)
