"""The last step of finding the image mark: scale, angle and shift together, by all that the constellation says.

Power alone finds a scale; but a pattern that the picture nearly drowns is found a few parts in a thousand off, and
its carriers, laid that much askew, lose a tenth of the score.  Once the shift is known, so is the phase that every cell
of the picture should have at every frequency, and the likeliest place is where most of it is in phase (maximum
likelihood for tones of known phase in noise: Kay 1993, chapter 7), by Fisher's scoring.

The carriers are not asked: what they say decides whether there is a mark, and must owe nothing to the place.
"""

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 6
"""Steps at most: from where the search ends, three suffice."""
_LEAST_STEP = 0.05
"""Part of a step below which it is not worth while."""
_LEAST_CURVED = 1e-9
"""Curvature against the greatest below which a direction is not known: angles count in hundreds of pixels, shifts in
one."""

_Matrix = NDArray[np.floating]


def aligned(
    heard: NDArray[np.complexfloating], centres: _Matrix, lattice: _Matrix, shift: tuple[float, float]
) -> tuple[_Matrix, tuple[float, float]]:
    """Return the change of the inverse matrix, and the shift, that bring most of the constellation into phase.

    Args:
        heard: What each cell says at each frequency, weighted, its expected phase taken off, shape (K, cells).
        centres: Of the cells, in received pixels, shape (cells, 2).
        lattice: The frequencies, in cycles per canonical pixel, shape (K, 2).
        shift: Of the pattern, down and right in canonical pixels, where to start.
    """
    turns = _turns(centres, lattice)
    said = heard.reshape(-1)
    place = np.array([0.0, 0.0, 0.0, 0.0, *shift])
    in_phase = _said(said, turns, place)
    uncurved = np.linalg.pinv(turns @ turns.T, rcond=_LEAST_CURVED, hermitian=True)  # one cell tells no angle
    for _ in range(_ROUNDS):
        if in_phase.real.sum() <= 0:
            break
        step = -uncurved @ (turns @ in_phase.imag) * (len(said) / in_phase.real.sum())
        part = 1.0
        while part > _LEAST_STEP and _said(said, turns, place + part * step).real.sum() <= in_phase.real.sum():
            part /= 2
        if part <= _LEAST_STEP:
            break
        place = place + part * step
        in_phase = _said(said, turns, place)
    return place[:4].reshape(2, 2), (float(place[4]), float(place[5]))


def _turns(centres: _Matrix, lattice: _Matrix) -> _Matrix:
    """Return how each number of the place turns the phase of each cell at each frequency, shape (6, K * cells)."""
    by_matrix = [-np.outer(lattice[:, column], centres[:, row]) for row in range(2) for column in range(2)]
    by_shift = [np.repeat(lattice[:, row, None], len(centres), axis=1) for row in range(2)]
    return 2 * np.pi * np.stack(by_matrix + by_shift).reshape(6, -1)


def _said(said: NDArray[np.complexfloating], turns: _Matrix, place: _Matrix) -> NDArray[np.complexfloating]:
    return np.asarray(said * np.exp(1j * (place @ turns)))
