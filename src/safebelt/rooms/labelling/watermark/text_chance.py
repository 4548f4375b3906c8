"""How likely a text without this key's watermark is to look as if it had it: computed, not tuned.

Without the watermark the bits read are independent fair coins, whatever the text is: they come from a keyed function
of contexts that all differ.  So the sum of bits, each with its round's weight, has a distribution that is known, and
its tail is the chance that is asked for.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from safebelt.rooms.labelling.watermark.text import LAYERS, Words

WEIGHTS = tuple(round(10 - 9 * layer / (LAYERS - 1)) for layer in range(LAYERS))
"""Weights of the rounds, from 10 to 1 in whole numbers: what early rounds leave of the choice is less for later ones
(the paper's weighted mean, with weights rounded so that the sum is a whole number)."""
EVEN = (1,) * LAYERS
"""Weights of the plain mean."""
_MOST_EXACT = 4096
"""Most tokens whose tail is worked out exactly; beyond, the bound alone is far below any rate."""
_ROUNDING = 1e-12
"""What is added to an exact tail, for the rounding of its transform: a hundred times what is seen."""


def mean(read: Words, weights: Sequence[int] = WEIGHTS) -> float:
    """Return the mean of the bits that were read, each with its round's weight: a half where there is no watermark.

    Args:
        read: Words, shape (n,), n > 0.
        weights: One a round.
    """
    return _score(read, weights) / (len(read) * sum(weights))


def chance(read: Words, weights: Sequence[int] = WEIGHTS) -> float:
    """Return the chance that a text without the watermark gives such a mean, or a higher one.

    Args:
        read: Words, shape (n,).
        weights: One a round.

    Returns:
        A p-value: it is at most so likely, for any text that owes nothing to the key.
    """
    if not len(read):
        return 1.0
    score = _score(read, weights)
    bound = _bound(score, len(read), weights)
    if len(read) > _MOST_EXACT:
        return bound
    return min(bound, _tail(score, len(read), weights) + _ROUNDING)


def _score(read: Words, weights: Sequence[int]) -> int:
    ones = (int(((read >> np.uint32(layer)) & np.uint32(1)).sum()) for layer in range(LAYERS))
    return sum(weight * count for weight, count in zip(weights, ones, strict=True))


def _bound(score: int, count: int, weights: Sequence[int]) -> float:
    """Return Chernoff's bound on the tail: the least of e^(-ts) Π cosh(t·wᵢ/2)^n over t, above the mean."""
    above = score - count * sum(weights) / 2
    if above <= 0:
        return 1.0
    steps = np.geomspace(1e-4, 20.0, 500)  # each gives a bound; the least of them is taken
    half = steps[:, None] * np.asarray(weights, dtype=np.float64)[None, :] / 2
    logs = np.logaddexp(half, -half) - math.log(2)
    return float(math.exp(min(0.0, float((count * logs.sum(axis=1) - steps * above).min()))))


def _tail(score: int, count: int, weights: Sequence[int]) -> float:
    """Return the tail exactly: the distribution is the inverse transform of a product of cosines."""
    size = count * sum(weights) + 1
    angles: NDArray[np.float64] = np.pi * np.arange(size // 2 + 1) / size
    found = np.exp(-1j * angles * (size - 1))
    for weight in sorted(set(weights)):
        found = found * np.cos(angles * weight) ** (count * weights.count(weight))
    masses = np.fft.irfft(found, n=size)
    return float(np.clip(masses[score:].sum(), 0.0, 1.0))
