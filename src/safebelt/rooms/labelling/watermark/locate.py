"""Finding and reading the image mark without knowing the original: scale, angle, shift, then the code word.

1. The picture is whitened: what is smooth goes, what is busy is turned down, so that no edge outshouts the mark.
2. One Fourier transform.  For every scale and angle on a grid, the power at the places where the key's constellation
   would stand is added up; the best places are looked at closely.
3. Close up: the picture is cut into cells, each demodulated once; small changes of scale, aspect and angle are then
   only turns of phase, and are searched for the most power.
4. The phases of the constellation give the shift and the variant, and then all of the place once more (`aligning`).
5. The picture is laid back on the canonical lattice, folded to one period, and each carrier is read with the weight
   its surroundings in the spectrum give it.  The code word is decoded, and the whole decides by `chance_by_luck`.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safebelt.rooms.labelling.watermark import codes
from safebelt.rooms.labelling.watermark.aligning import aligned
from safebelt.rooms.labelling.watermark.pattern import BEACONS, PERIOD, VARIANTS, Pattern

MAX_CHANCE = 1e-9
"""A reading is one when luck would give it to fewer than one scan in a billion (`codes.chance_by_luck`)."""
SCALES = 0.3, 2.8
"""Searched, received over embedded canonical pixels: half the size with the finest pattern of `image`, up to cut to a
fifth of the area with the coarsest."""
ANGLES = math.radians(3.5)
"""Searched to both sides."""
READINGS = 4
"""Code words decoded at most in a scan."""
_LOOKED_AT = 6
"""Places of the grid looked at closely."""
_PADDING = 1.5
"""The transform is over so many times the picture's sides: a tone between two lines then costs little."""
_STEP = 0.0034
"""Step of the grid in ln(scale) and radians: half a line of the spectrum at the constellation's outer edge."""
_CELL = 80
"""Side in pixels of the cells of step 3."""
_LOUDEST = 10.0
"""Power over its surroundings at which a line counts no more: a line of the picture, not of the mark."""
_MOST_SAID = 1.5
"""How many times the noise of its cells one tone of the constellation may say: no line of the picture decides alone."""
CLIP = 2.5
"""How many times its surroundings one carrier may say: more is a line of the picture."""
_MOST_PERIODS = 12
"""Periods laid out each way at most: a picture of 1 to 16 at half scale has about as many."""
_WORTH_DECODING = 1.5
"""Standard deviations of energy in the code bits over that of noise, below which nothing can be decoded.

A code word that passes `MAX_CHANCE` has z² of 134 or more, and adds that to 384 squares of which each has mean 1 and
variance 2: 4.8 standard deviations."""

_Plane = NDArray[np.float32]
_Matrix = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Reading:
    """A mark that was read.

    Attributes:
        ident: The 64-bit id.
        score: z of `codes.chance_by_luck`.
        chance_of_error: Bound on the chance that content without this key's mark gives as much.
        scale: Size of what was received over what was marked, both as canonical pictures: 1 where it was resized only,
            above 1 where it was cut (below, for small pictures that were resized); times 5/8 where the pattern is fine,
            and 5/4 where it is coarse.
        angle: Degrees by which it is turned.
    """

    ident: int
    score: float
    chance_of_error: float
    scale: float
    angle: float


def read(plain: _Plane, marks: Pattern) -> Reading | None:
    """Return the mark in a canonical picture.

    Args:
        plain: What `whitened` made of it, shape (rows, columns).
        marks: What the key makes.
    """
    if not plain.any():
        return None
    found = list[tuple[float, _Matrix, int, tuple[float, float]]]()
    for start in _places(plain, marks):
        found.append(_closely(plain, marks, start))
    found.sort(key=lambda one: -one[0])
    for _, matrix, variant, shift in found[:READINGS]:
        reading = _decoded(plain, marks, matrix, variant, shift)
        if reading is not None:
            return reading
    return None


def whitened(grey: _Plane) -> _Plane:
    """Return the picture without what is smooth, and with what is busy turned down.

    Args:
        grey: Luminance 0 … 255, shape (rows, columns).
    """
    detail = grey - cv2.GaussianBlur(grey, (0, 0), 4.0)
    local = cv2.blur(detail * detail, (9, 9))
    flat = detail / np.power(local + 4.0, 0.6)
    return np.asarray(flat, dtype=np.float32)


def _places(plain: _Plane, marks: Pattern) -> list[_Matrix]:
    """Return the likeliest scales and angles, best first, as matrices from canonical to received (row, column)."""
    rows = cv2.getOptimalDFTSize(int(plain.shape[0] * _PADDING))
    columns = cv2.getOptimalDFTSize(int(plain.shape[1] * _PADDING))
    padded = np.zeros((rows, columns), dtype=np.float32)
    padded[: plain.shape[0], : plain.shape[1]] = plain
    spectrum = cv2.dft(padded, flags=cv2.DFT_COMPLEX_OUTPUT)
    power = spectrum[..., 0] ** 2 + spectrum[..., 1] ** 2
    power = np.minimum(power / (cv2.blur(power, (25, 25)) + 1e-9), _LOUDEST)
    scales = np.exp(np.arange(math.log(SCALES[0]), math.log(SCALES[1]), _STEP))
    angles = np.arange(-ANGLES, ANGLES + _STEP, _STEP)
    scales, angles = np.append(scales, 1.0), np.append(angles, 0.0)
    u, v = (marks.beacons / PERIOD).T
    down = u[:, None] * np.cos(angles) - v[:, None] * np.sin(angles)
    right = u[:, None] * np.sin(angles) + v[:, None] * np.cos(angles)
    total = np.zeros((len(scales), len(angles)), dtype=np.float32)
    for i in range(BEACONS):
        y = np.rint(down[i] * rows / scales[:, None]).astype(np.int64) % rows
        x = np.rint(right[i] * columns / scales[:, None]).astype(np.int64) % columns
        total += power[y, x]
    best = [_matrix(1.0, 0.0)]
    for _ in range(_LOOKED_AT - 1):
        i, j = divmod(int(total.argmax()), total.shape[1])
        best.append(_matrix(float(scales[i]), float(angles[j])))
        near_scale = np.abs(np.log(scales / scales[i])) < 2.5 * _STEP
        total[np.ix_(near_scale, np.abs(angles - angles[j]) < 2.5 * _STEP)] = -1
    return best


def _matrix(scale: float, angle: float) -> _Matrix:
    return scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def _closely(plain: _Plane, marks: Pattern, start: _Matrix) -> tuple[float, _Matrix, int, tuple[float, float]]:
    """Return how well the constellation stands near a place: score, refined matrix, variant, shift."""
    inverse = np.linalg.inv(start).T
    heard, centres = _cells(plain, (marks.beacons / PERIOD) @ inverse.T)
    away = np.zeros((2, 2))
    turned = _tuned(heard, centres, marks, inverse, away)
    inverse = inverse + turned
    offset = (marks.beacons / PERIOD) @ turned.T
    heard = heard * np.exp(-2j * np.pi * (centres @ offset.T)).T
    tones = heard.sum(axis=1)
    noise = np.sqrt((np.abs(heard) ** 2).sum(axis=1)) + 1e-12
    weight = np.minimum(1.0, _MOST_SAID * noise / (np.abs(tones) + 1e-12)) / noise
    score, variant, shift = _shifted(tones * weight, marks)
    in_phase = heard * (weight * np.conj(marks.beacon_phases[variant]))[:, None]
    turned, shift = aligned(in_phase, centres, marks.beacons / PERIOD, shift)
    return score, np.linalg.inv((inverse + turned).T), variant, shift


def _cells(plain: _Plane, frequencies: _Matrix) -> tuple[NDArray[np.complex64], _Matrix]:
    """Demodulate each cell at each frequency: shape (BEACONS, cells); and the cells' centres, shape (cells, 2)."""
    down, right = -(-plain.shape[0] // _CELL), -(-plain.shape[1] // _CELL)
    padded = np.zeros((down * _CELL, right * _CELL), dtype=np.complex64)
    padded[: plain.shape[0], : plain.shape[1]] = plain
    along_rows = np.exp(-2j * np.pi * np.outer(np.arange(down * _CELL), frequencies[:, 0])).astype(np.complex64)
    along_columns = np.exp(-2j * np.pi * np.outer(np.arange(_CELL), frequencies[:, 1])).astype(np.complex64)
    narrow = padded.reshape(-1, _CELL) @ along_columns  # (rows * right, K)
    narrow = narrow.reshape(down, _CELL, right, BEACONS) * along_rows.reshape(down, _CELL, 1, BEACONS)
    heard = narrow.sum(axis=1)  # (down, right, K)
    heard = heard * np.exp(-2j * np.pi * np.outer(np.arange(right) * _CELL, frequencies[:, 1]))[None]
    y, x = np.mgrid[0:down, 0:right]
    centres = np.stack([y.ravel() * _CELL + _CELL / 2, x.ravel() * _CELL + _CELL / 2], axis=1)
    return heard.reshape(-1, BEACONS).T.astype(np.complex64), centres.astype(np.float64)


def _tuned(heard: NDArray[np.complex64], centres: _Matrix, marks: Pattern, inverse: _Matrix, away: _Matrix) -> _Matrix:
    """Return the change of the inverse matrix that gathers most power in the constellation."""
    lattice = marks.beacons / PERIOD
    shapes = [inverse, inverse @ np.array([[0.0, -1.0], [1.0, 0.0]])]
    shapes += [np.diag([1.0, -1.0]) @ inverse, np.array([[0.0, 1.0], [1.0, 0.0]]) @ inverse]
    down, right = np.unique(centres[:, 0]), np.unique(centres[:, 1])
    cells = heard.reshape(BEACONS, len(down), len(right))
    reach = 0.0025
    best = -1.0
    for _ in range(4):
        for shape in shapes:
            trials = away + np.linspace(-reach, reach, 7)[:, None, None] * shape
            power = _gathered(cells, down, right, lattice @ trials.transpose(0, 2, 1))
            if power.max() > best:
                best, away = float(power.max()), trials[int(power.argmax())]
        reach /= 2.2
    return away


def _gathered(cells: NDArray[np.complex64], down: _Matrix, right: _Matrix, offsets: _Matrix) -> _Matrix:
    """Return how much the constellation gathers at each trial.

    Args:
        cells: What the cells say, shape (BEACONS, rows, columns).
        down: Centres of their rows.
        right: Centres of their columns.
        offsets: By how much the frequencies differ, shape (trials, BEACONS, 2).
    """
    along_rows = _wave(-offsets[..., 0, None] * down)
    along_columns = _wave(-offsets[..., 1, None] * right)
    by_row = (cells * along_columns[:, :, None, :]).sum(axis=3)
    tones = np.abs((by_row * along_rows).sum(axis=2))
    return np.asarray((tones**1.5).sum(axis=1))  # between amplitude and power: no tone decides alone


def _wave(turns: _Matrix) -> NDArray[np.complex64]:
    return np.asarray(np.exp(np.complex64(2j * np.pi) * turns.astype(np.float32)))


def _shifted(tones: NDArray[np.complexfloating], marks: Pattern) -> tuple[float, int, tuple[float, float]]:
    """Return the best score, its variant, and its shift (row, column) in canonical pixels."""
    best = (-1.0, 0, (0.0, 0.0))
    norm = math.sqrt(float((np.abs(tones) ** 2).sum()) / 2 + 1e-12)
    down, right = (_wave(np.outer(np.arange(PERIOD), marks.beacons[:, axis]) / PERIOD) for axis in (0, 1))
    for variant in range(VARIANTS):
        said = down * (tones * np.conj(marks.beacon_phases[variant])).astype(np.complex64)
        surface = said.real @ right.real.T - said.imag @ right.imag.T  # whole-pixel shifts
        at = int(surface.argmax())
        score = float(surface.flat[at]) / norm
        if score > best[0]:
            best = (score, variant, (float(at // PERIOD), float(at % PERIOD)))
    return best


def _decoded(
    plain: _Plane, marks: Pattern, matrix: _Matrix, variant: int, shift: tuple[float, float]
) -> Reading | None:
    soft = carriers(*lattice(plain, matrix), marks, variant, shift)
    ident, score = decided(soft, marks)
    chance = codes.chance_by_luck(score, READINGS)
    if chance > MAX_CHANCE:
        return None
    scale = math.sqrt(abs(float(np.linalg.det(matrix))))
    angle = math.degrees(math.atan2(matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1]))
    return Reading(ident, score, chance, scale, angle)


def decided(soft: NDArray[np.float32], marks: Pattern) -> tuple[int, float]:
    """Return the likeliest id and its score; 0 and 0 where there is too little energy for any id to pass."""
    norm = math.sqrt(float((soft * soft).sum()))
    if not norm:
        return 0, 0.0
    summed = np.bincount(marks.bits, weights=soft, minlength=codes.CODE_BITS).astype(np.float32)
    energy = float(summed @ summed) / (norm * norm / codes.CODE_BITS)
    if energy - codes.CODE_BITS < _WORTH_DECODING * math.sqrt(2 * codes.CODE_BITS):
        return 0, 0.0
    ident = codes.decode(summed)
    return ident, float(summed @ codes.encode(ident)) / norm


def lattice(plain: _Plane, matrix: _Matrix) -> tuple[NDArray[np.complex64], NDArray[np.float32]]:
    """Lay the picture on the lattice and fold it to one period.

    Returns:
        Its spectrum, and the power around each of its lines, both of shape (PERIOD, PERIOD).
    """
    corners = np.array([[0, 0], [0, plain.shape[1]], [plain.shape[0], 0], plain.shape], dtype=np.float64)
    reach = corners @ np.linalg.inv(matrix).T
    low = np.floor(reach.min(axis=0) / PERIOD).astype(int) * PERIOD
    size = np.minimum(-(-(reach.max(axis=0) - low) // PERIOD).astype(int), _MOST_PERIODS) * PERIOD
    origin = matrix @ low
    place = np.array([[matrix[1, 1], matrix[1, 0], origin[1]], [matrix[0, 1], matrix[0, 0], origin[0]]])
    laid = cv2.warpAffine(
        plain, place, (int(size[1]), int(size[0])), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=0
    )
    folded = laid.reshape(size[0] // PERIOD, PERIOD, size[1] // PERIOD, PERIOD).sum(axis=(0, 2))
    spectrum = np.fft.fft2(folded).astype(np.complex64)
    around = cv2.blur(np.fft.fftshift(np.abs(spectrum) ** 2), (9, 9))
    return spectrum, np.asarray(np.fft.ifftshift(around), dtype=np.float32)


def carriers(
    spectrum: NDArray[np.complex64],
    around: NDArray[np.float32],
    marks: Pattern,
    variant: int,
    shift: tuple[float, float],
) -> NDArray[np.float32]:
    """Return what each part of each carrier says, signed and weighted by how quiet its surroundings are."""
    u, v = marks.carriers[:, 0], marks.carriers[:, 1]
    loudness = np.sqrt(around[u, v] + 1e-9)
    turned = spectrum[u, v] * np.exp(2j * np.pi * (u * shift[0] + v * shift[1]) / PERIOD) / loudness
    parts = np.concatenate([turned.real, turned.imag])
    weight = np.concatenate([1 / loudness] * 2)
    return np.asarray(np.clip(parts, -CLIP, CLIP) * weight * marks.signs[variant], dtype=np.float32)
