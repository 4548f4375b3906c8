"""Fingerprints: what a record keeps of a picture or a text, to find it again when every mark was stripped.

Nothing is put into the content.  A fingerprint is 64 bits; like content has fingerprints that differ in few bits.  A
match says *looks like one we have on record*, never who made it: two pictures of one thing may match, and a text cut
to a third does not.  How often unlike content matches is measured by `bench/watermark.py`.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from safebelt.rooms.labelling.model.likeness import FINGERPRINT_BITS, WITHIN, Likeness

BITS = FINGERPRINT_BITS
"""Bits of a fingerprint."""
SAME_PICTURE = WITHIN[Likeness.PICTURE]
"""Most bits in which pictures that match differ.  By chance 1 in 4 billion pairs of fingerprints would."""
SAME_TEXT = WITHIN[Likeness.TEXT]
"""As above, of texts (by chance 1 in 100 million; texts on one subject share words, and come nearer to each other)."""
MIN_FEATURES = 24
"""Fewest different words or pairs of characters in a text that has a fingerprint: less is said by many."""
MAX_CHARACTERS = 200_000
"""Characters of a text that are read; what follows is left out on both sides of a comparison."""
_SIDE, _KEPT = 32, 8
"""The picture is looked at as 32 × 32; of its cosine transform the lowest 8 × 8 are kept (Zauner 2010, pHash)."""
_LEAST_CONTRAST = 1.0
"""Standard deviation, in grey levels, below which the coarse picture is flat: what is left is rounding and noise."""
_HAN = re.compile("[㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff]+")
_WORD = re.compile(r"[^\W_]+")


def of_picture(rgb: NDArray[np.uint8]) -> int:
    """Return the perceptual hash of a picture: which of its coarsest waves are stronger than their median.

    Args:
        rgb: 8 bits, shape (height, width, 3).

    Raises:
        ValueError: When the array is of another shape.
    """
    waves = cv2.dct(_small(rgb))[1 : _KEPT + 1, 1 : _KEPT + 1].ravel()
    return int.from_bytes(np.packbits(waves > np.median(waves)).tobytes(), "big")


def is_flat(rgb: NDArray[np.uint8]) -> bool:
    """Say whether a picture shows nothing coarse: its fingerprint would be that of every other such picture.

    Args:
        rgb: 8 bits, shape (height, width, 3).

    Raises:
        ValueError: When the array is of another shape.
    """
    return bool(_small(rgb).std() < _LEAST_CONTRAST)


def _small(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ValueError("a picture is an array of 8-bit numbers of shape (height, width, 3)")
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)


def of_text(text: str) -> int | None:
    """Return the SimHash of a text (Charikar 2002), or None where it is too short to have one.

    Features are pairs of neighbouring Han characters, and words and pairs of neighbouring words elsewhere; case,
    spacing, punctuation and width do not count, nor do characters that are not seen.
    """
    features = _features(text[:MAX_CHARACTERS])
    if len(features) < MIN_FEATURES:
        return None
    digests = b"".join(hashlib.blake2b(one.encode(), digest_size=BITS // 8).digest() for one in features)
    bits = np.unpackbits(np.frombuffer(digests, dtype=np.uint8)).reshape(len(features), BITS)
    weights = np.sqrt(np.fromiter(features.values(), dtype=np.float64, count=len(features)))
    return int.from_bytes(np.packbits(weights @ (2.0 * bits - 1.0) > 0).tobytes(), "big")


def _features(text: str) -> Counter[str]:
    seen = unicodedata.normalize("NFKC", text).casefold()[:MAX_CHARACTERS]  # one character may become eighteen
    seen = "".join(one for one in seen if unicodedata.category(one) not in ("Cf", "Mn"))
    found: Counter[str] = Counter()
    for run in _HAN.findall(re.sub(r"[\s\W]+", "", seen)):
        found.update(run[i : i + 2] for i in range(len(run) - 1))
    words = _WORD.findall(_HAN.sub(" ", seen))
    found.update(words)
    found.update(f"{one} {two}" for one, two in pairwise(words))
    return found


def distance(one: int, two: int) -> int:
    """Return in how many bits two fingerprints differ."""
    return (one ^ two).bit_count()
