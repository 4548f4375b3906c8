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

_Plane = NDArray[np.float32]


def laid(
    plain: _Plane, marks: Pattern, ident: int, variant: int, period: int = PERIOD, *, is_shaped: bool = False
) -> _Plane:
    """Return one period of the pattern, laid where it suits the picture, shape (period, period).

    Args:
        plain: What `locate.whitened` makes of the canonical picture that is to be marked, shape (rows, columns).
        marks: What the key makes.
        ident: 64 bits.
        variant: Which of the key's patterns.
        period: As of `Pattern.tile`.
        is_shaped: Whether frequencies at which the picture is quiet get more of the mark: worth it where the picture
            drowns the mark, and not where compression does.
    """
    spectrum, around = locate.lattice(plain, np.eye(2) * (period / PERIOD))
    loudness = np.sqrt(around + 1e-9)
    tile = marks.tile(ident, variant, period, loudness if is_shaped else None)
    heard = spectrum / loudness
    heard *= np.minimum(1.0, locate.CLIP / (np.abs(heard) + 1e-9))  # as the reader weighs it
    agreement = np.zeros((period, period), dtype=np.complex64)
    u, v = marks.carriers.T
    agreement[u, v] = _alike(heard[u, v] / loudness[u, v] * np.conj(marks.chips(ident, variant)))
    u, v = marks.beacons.T
    agreement[u, v] = _alike(heard[u, v] * np.conj(marks.beacon_phases[variant]))  # found as well as read
    at = int(np.fft.ifft2(agreement).real.argmax())
    return np.roll(tile, (at // period, at % period), axis=(0, 1))


def _alike(lines: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Scale lines so that the two kinds vary alike over all shifts."""
    return lines / np.float32(math.sqrt(float((np.abs(lines) ** 2).sum())) + 1e-12)
