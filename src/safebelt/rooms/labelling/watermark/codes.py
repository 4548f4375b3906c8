"""Error correction of a 64-bit id: a tail-biting convolutional code of rate 1/6, decoded softly.

Constraint length 15, so that 64 bits without a checksum come within about a decibel of what any code of this length
can do; 384 code bits in a ring, no tail.  A checksum would spend signal to say what the correlation of the whole
code word with what was read says better: that number carries the decision (`chance_by_luck`).
"""

import functools
import math

import numpy as np
from numpy.typing import NDArray

ID_BITS = 64
"""Bits of an id."""
RATE = 6
"""Code bits for each bit of an id."""
CODE_BITS = ID_BITS * RATE
"""Length of a code word."""
_GENERATORS = (0o46321, 0o51271, 0o63667, 0o70535, 0o73277, 0o76513)
"""K = 15, rate 1/6: the polynomials that deep-space missions fly (Cassini; also in Karn's libfec, bit-reversed)."""
_MEMORY = 14
_STATES = 1 << _MEMORY
_RUN_UP, _RUN_OUT = 48, 56
"""Steps before and after the 64 that are kept: about four times the memory: paths have merged by then."""

_Soft = NDArray[np.float32]


@functools.cache
def _branches() -> NDArray[np.uint8]:
    """Return, for each register of 15 bits with its oldest bit 0, the six code bits as one number, shape (16384,).

    All generators tap the oldest bit, so that a register with the oldest bit 1 gives the complement.
    """
    register = np.arange(_STATES, dtype=np.uint32)
    out: NDArray[np.uint8] = np.zeros(_STATES, dtype=np.uint8)
    for generator in _GENERATORS:
        parity = register & np.uint32(generator)
        for shift in (8, 4, 2, 1):
            parity = parity ^ (parity >> np.uint32(shift))
        out = (out << np.uint8(1)) | (parity & 1).astype(np.uint8)
    return out


@functools.cache
def _signs() -> _Soft:
    """Return what each of the 64 branch labels is worth for each code bit: -1 for 1, +1 for 0, shape (6, 64)."""
    labels = np.arange(1 << RATE)
    return np.stack([1.0 - 2.0 * ((labels >> (RATE - 1 - i)) & 1) for i in range(RATE)]).astype(np.float32)


def _bits_of(ident: int) -> list[int]:
    return [(ident >> (ID_BITS - 1 - i)) & 1 for i in range(ID_BITS)]


def encode(ident: int) -> NDArray[np.int8]:
    """Return the code word of an id.

    Args:
        ident: 0 ≤ ident < 2⁶⁴.

    Returns:
        +1 for a 0 and -1 for a 1, shape (384,).

    Raises:
        ValueError: When the id is not of 64 bits.
    """
    if not 0 <= ident < 1 << ID_BITS:
        raise ValueError("an id has 64 bits")
    bits = _bits_of(ident)
    state = sum(bit << i for i, bit in enumerate(reversed(bits[-_MEMORY:])))
    branches, word = _branches(), np.empty((ID_BITS, RATE), dtype=np.int8)
    for i, bit in enumerate(bits):
        register = (state << 1) | bit
        label = int(branches[register & (_STATES - 1)]) ^ (((1 << RATE) - 1) if register >> _MEMORY else 0)
        word[i] = _signs()[:, label]
        state = register & (_STATES - 1)
    return word.reshape(-1)


def decode(soft: NDArray[np.float32]) -> int:
    """Return the id whose code word is (all but always) nearest to what was read.

    Args:
        soft: What was read of each code bit: positive where 0 is likelier, shape (384,), any unit.

    Returns:
        An id.  There is always one: whether it means anything is for `chance_by_luck`.

    Raises:
        ValueError: When the shape is another, or a value is not a number.
    """
    if soft.shape != (CODE_BITS,) or not np.isfinite(soft).all():
        raise ValueError("384 numbers, one for each code bit")
    steps = soft.reshape(ID_BITS, RATE).astype(np.float32) @ _signs()
    metrics = np.zeros(_STATES, dtype=np.float32)
    half, branches = _STATES // 2, _branches()
    from_upper = np.empty((_RUN_UP + ID_BITS + _RUN_OUT, _STATES), dtype=np.bool_)
    for i in range(len(from_upper)):
        gain = steps[(i - _RUN_UP) % ID_BITS].take(branches).reshape(half, 2)
        lower, upper = metrics[:half, None] + gain, metrics[half:, None] - gain
        np.greater(upper, lower, out=from_upper[i].reshape(half, 2))
        metrics = np.maximum(lower, upper).reshape(-1)
    return _traced(from_upper, int(metrics.argmax()))


def _traced(from_upper: NDArray[np.bool_], state: int) -> int:
    """Walk back from `state` and return the bits of the 64 steps in the middle."""
    ident = 0
    for i in range(_RUN_OUT + ID_BITS):
        if i >= _RUN_OUT:
            ident |= (state & 1) << (i - _RUN_OUT)
        state = (state >> 1) | (int(from_upper[-1 - i, state]) << (_MEMORY - 1))
    return ident


def chance_by_luck(score: float, tries: int) -> float:
    """Return a bound on the chance that content without this key's mark gives such a score for any id at all.

    `score` is z = Σ cᵢ rᵢ ÷ √Σ rᵢ², where r is what was read, each value times the sign that the key gives its carrier,
    and c the code word.  Over the key's signs, which owe nothing to the content, z of one fixed code word passes t
    with a chance of at most exp(-t²/2) (Hoeffding 1963, theorem 2, for sums of independent symmetric signs), whatever
    the content is; there are 2⁶⁴ code words and `tries` readings, and chances add at most (Boole).

    Args:
        score: z as above.
        tries: How many readings were or would have been decoded.
    """
    if score <= 0:
        return 1.0
    return min(1.0, math.exp(min(0.0, ID_BITS * math.log(2) + math.log(tries) - score * score / 2)))
