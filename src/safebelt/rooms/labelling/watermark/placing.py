"""Where the pattern of the image mark is laid: at the shift where the picture itself speaks for the id.

A picture is noise to its own mark, and a rough one, such as a field of grass, drowns it.  But the reader finds any
shift, the writer is free to choose it, and knows the picture: of the thousands that differ, the best has some three
standard deviations of the picture's own content for the mark and none against it (dirty-paper coding in its simplest
form: Costa 1983).  It costs nothing that is seen.
"""

import math

import numpy as np
from numpy.typing import NDArray

from safebelt.rooms.labelling.watermark import locate
from safebelt.rooms.labelling.watermark.pattern import PERIOD, Pattern

_UNTOUCHED = np.eye(2)
"""The canonical picture lies on its own lattice."""


def shift_for(plain: NDArray[np.float32], marks: Pattern, ident: int, variant: int) -> tuple[int, int]:
    """Return by how many canonical pixels, down and right, the pattern is laid.

    Args:
        plain: What `locate.whitened` makes of the canonical picture that is to be marked, shape (rows, columns).
        marks: What the key makes.
        ident: 64 bits.
        variant: Which of the key's patterns.
    """
    spectrum, around = locate.lattice(plain, _UNTOUCHED)
    loudness = np.sqrt(around + 1e-9)
    heard = spectrum / loudness
    heard *= np.minimum(1.0, locate.CLIP / (np.abs(heard) + 1e-9))  # as the reader weighs it
    agreement = np.zeros_like(heard)
    u, v = marks.carriers.T
    agreement[u, v] = _alike(heard[u, v] / loudness[u, v] * np.conj(marks.chips(ident, variant)))
    u, v = marks.beacons.T
    agreement[u, v] = _alike(heard[u, v] * np.conj(marks.beacon_phases[variant]))  # found as well as read
    at = int(np.fft.ifft2(agreement).real.argmax())
    return at // PERIOD, at % PERIOD


def _alike(lines: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Scale lines so that the two kinds vary alike over all shifts."""
    return lines / np.float32(math.sqrt(float((np.abs(lines) ** 2).sum())) + 1e-12)
