"""Looking for the notice that this house draws (`corners`): its own words, in its own letters, where it draws them.

A notice of others, in other letters or another place, is not found; so *not seen* says nothing.
"""

from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safebelt.rooms.labelling.provenance.corners import HEIGHT, LEAST_SIDE, MARGIN, PADDING, WORDS, inked

SIDE = 480
"""Shortest side in pixels to which larger pictures are reduced: letters are 28 high then."""
_LIKE = 0.6
"""Least correlation with the words, of either sign.  Measured on 273 photographs, scans and drawings (each in all four
corners): without a notice at most 0.37; with one at least 0.67, and after JPEG 30 as well.
With the middle of the edges too, on 19 photographs, each in four turns: without one at most 0.42."""
_SLACK = 0.012
"""How far from its place it may be, as a part of the shortest side: rounding, and a picture that was resized."""
_SIZES = (-1, 0, 1, 2)
"""By how many pixels letters may be higher: rounding, as above."""
Pixels = NDArray[np.uint8]


def is_seen(picture: Pixels, font: Path) -> bool:
    """Return whether a picture carries the notice in a corner.

    Args:
        picture: Red, green and blue, shape (height, width, 3); or brightness alone, shape (height, width).
        font: The font file that it is drawn with.
    """
    grey: NDArray[Any] = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    least = min(grey.shape)
    if least < LEAST_SIDE:
        return False
    if least > SIDE:
        size = round(grey.shape[1] * SIDE / least), round(grey.shape[0] * SIDE / least)
        grey, least = cv2.resize(grey, size, interpolation=cv2.INTER_AREA), SIDE
    letters = round(HEIGHT * least + 0.5)
    return any(
        _is_in_a_corner(grey, _words(words, letters + more, font)) for words in WORDS.values() for more in _SIZES
    )


def _is_in_a_corner(grey: NDArray[Any], words: NDArray[np.uint8]) -> bool:
    """Return whether one of the places where the words may stand looks like them: corners, and the middle of edges."""
    height, width = grey.shape
    slack = max(2, round(_SLACK * min(height, width)))
    rows, columns = words.shape[0] + 2 * slack, words.shape[1] + 2 * slack
    if rows > height or columns > width:
        return False
    away = round(MARGIN * min(height, width)) + max(2, round(PADDING * words.shape[0])) - slack
    away = max(0, min(away, height - rows, width - columns))
    down, across = (height - rows) // 2, (width - columns) // 2
    tops, lefts = (away, down, height - rows - away), (away, across, width - columns - away)
    for top, left in product(tops, lefts):
        if (top, left) == (down, across):  # in the middle of a picture none is put
            continue
        place = grey[top : top + rows, left : left + columns]
        if np.abs(np.nan_to_num(cv2.matchTemplate(place, words, cv2.TM_CCOEFF_NORMED))).max() >= _LIKE:
            return True
    return False


@lru_cache(maxsize=128)
def _words(words: str, letters: int, font: Path) -> NDArray[np.uint8]:
    return inked(words, letters, font)
