"""Finding and reading the mark in sound without knowing the original: speed, place in the tile, then the code word.

1. How loud each band is, every 9 ms, in decibels; what the neighbours in time and frequency foretell is taken off, as
   least squares over this very sound have it.  What is left is what the sound itself says least about.
2. For each speed on a grid, with the pitch kept and with the pitch moved along: the slots that the tile would have are
   laid on each other, tile on tile.
3. For each place in the tile: the cells of each code bit are added up with the key's signs.  Where the tile lies as
   assumed, all bits are louder than chance makes them.
4. The loudest are decoded, and the whole decides by `codes.chance_by_luck`.
"""

import functools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from safebelt.rooms.labelling.watermark import codes
from safebelt.rooms.labelling.watermark.audio import BANDS, EDGES, MAX_RATE, MIN_RATE, SLOT_SECONDS, SLOTS, Tile, tile

MAX_CHANCE = 1e-9
"""A reading is one when luck would give it to fewer than one scan in a billion (`codes.chance_by_luck`)."""
WINDOW_SECONDS = 10.0
"""Sound that is read together: over more, a speed between two of the grid drifts too far from both."""
MIN_SECONDS = 1.5
"""Shortest sound that is looked at."""
MAX_WINDOWS = 12
"""Windows that are read of one sound: two minutes of it."""
_STEPS_OF_SLOT = 4
HOP_SECONDS = SLOT_SECONDS / _STEPS_OF_SLOT
"""Time between two measurements of loudness."""
_WINDOW = 0.032
SPEEDS = tuple(round(1 + 0.005 * i, 3) for i in sorted(range(-20, 21), key=abs))
"""Searched, the likeliest first: ±10 % in steps that drift 25 ms apart over ten seconds, 12 ms to either side."""
READINGS = 2 * len(SPEEDS) * _STEPS_OF_SLOT * SLOTS * MAX_WINDOWS
"""Hypotheses of a scan at most; each counts as a reading that might have been decoded."""
_DECODED = 2
"""Of them, those that are decoded in one window: the loudest."""
_WORTH_DECODING = 4.0
"""Standard deviations of energy in the code bits over that of noise, below which nothing is decoded: a mark that passes
`MAX_CHANCE` has z² of 155 or more, and adds that to 384 squares of which each has mean 1 and variance 2."""
_SURE = 7.0
"""As above, from which it is decoded at once: noise does not come to that, and the other speeds need not be tried."""
_FAR_SLOTS, _FAR_BANDS = 3, 2
"""Neighbours that foretell a cell: so many slots before and after, and bands above and below."""
_CLIP = 1.5
"""How many standard deviations one measurement may say: more is an event of the sound, not of the mark."""
_SILENT = 1e-9
"""Power over that of the loudest measurement below which nothing is said: digital silence and rounding."""

_Grid = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """A mark that was read.

    Attributes:
        ident: The 64-bit id.
        score: z of `codes.chance_by_luck`.
        chance_of_error: Bound on the chance that sound without this key's mark gives as much.
        speed: How much faster than when it was marked.
        second: Where the window begins in which it was read.
    """

    ident: int
    score: float
    chance_of_error: float
    speed: float
    second: float


def scan(samples: NDArray[np.float32], rate: int, key: bytes) -> Reading | None:
    """Return the id in a sound, or None where no mark of this key is found, which does not say that there is none.

    Args:
        samples: Between -1 and 1, shape (length, channels) or (length,).
        rate: Samples each second.
        key: At least 16 bytes.

    Raises:
        ValueError: When these are no samples, or the rate is beyond the bounds.
        WeakKey: When the key is too short.
    """
    size = round(WINDOW_SECONDS * rate)
    starts = range(0, max(1, len(samples) - size // 2), size)
    return scan_windows(((start / rate, samples[start : start + size]) for start in starts), rate, key)


def scan_windows(windows: Iterable[tuple[float, NDArray[np.float32]]], rate: int, key: bytes) -> Reading | None:
    """Return the id in the first window that has one; of the others no more are asked for.

    Args:
        windows: Where each begins, in seconds, and its samples as `scan` takes them; those after the first 12 are not
            asked for.
        rate: Samples each second.
        key: At least 16 bytes.

    Raises:
        ValueError, WeakKey: As `scan`.
    """
    if not MIN_RATE <= rate <= MAX_RATE:
        raise ValueError(f"a sample rate of {rate} Hz")
    marks = tile(key)
    for count, (second, samples) in enumerate(windows, start=1):
        reading = _read(_mono(samples), rate, marks, second)
        if reading is not None or count == MAX_WINDOWS:
            return reading
    return None


def _mono(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    if samples.ndim not in (1, 2) or not np.isfinite(samples).all():
        raise ValueError("samples are numbers, of shape (length,) or (length, channels)")
    return samples if samples.ndim == 1 else np.asarray(samples.mean(axis=1), dtype=np.float32)


def _read(mono: NDArray[np.float32], rate: int, marks: Tile, second: float) -> Reading | None:
    if len(mono) < MIN_SECONDS * rate or not mono.any():
        return None
    best = list[tuple[float, float, NDArray[np.float32], float]]()  # energy, speed, bits, norm
    for speed, grid in _heard(mono, rate):
        found = max(_loudest(grid, speed, marks), key=lambda one: one[0], default=None)
        if found is None:
            continue
        if found[0] > _SURE and (reading := _decoded(found[2], found[3], speed, second)) is not None:
            return reading
        best = sorted([*best, found], key=lambda one: -one[0])[:_DECODED]
    readings = [_decoded(bits, norm, speed, second) for energy, speed, bits, norm in best if energy > _WORTH_DECODING]
    return max((one for one in readings if one is not None), key=lambda one: one.score, default=None)


def _decoded(bits: NDArray[np.float32], norm: float, speed: float, second: float) -> Reading | None:
    ident = codes.decode(bits)
    score = float(bits @ codes.encode(ident)) / norm
    chance = codes.chance_by_luck(score, READINGS)
    return None if chance > MAX_CHANCE else Reading(ident, score, chance, speed, second)


def _heard(mono: NDArray[np.float32], rate: int) -> Iterator[tuple[float, _Grid]]:
    """Yield for each speed what the cells of each slot say, shape (measurements, BANDS); with the pitch kept, first."""
    spectra, hertz = _power(mono, rate)
    loud, weight = _loudness(spectra, hertz, 1.0)
    foretelling = _foretelling(loud, weight)
    kept = _surprise(loud, weight, foretelling)
    for speed in SPEEDS:
        yield speed, kept
        if speed != 1.0:
            yield speed, _surprise(*_loudness(spectra, hertz, speed), foretelling)


def _power(mono: NDArray[np.float32], rate: int) -> tuple[NDArray[np.float64], float]:
    """Return the power below each line of the spectrum, every hop, and how far lines are apart in hertz."""
    size = cv2.getOptimalDFTSize(round(_WINDOW * rate))
    count = int(len(mono) / rate / HOP_SECONDS)
    starts = np.rint((np.arange(count) + 0.5) * HOP_SECONDS * rate).astype(np.int64)  # of the padded sound
    padded = np.pad(mono, (size // 2, size))
    frames = padded[starts[:, None] + np.arange(size)] * np.hanning(size + 2)[1:-1].astype(np.float32)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    return np.pad(np.cumsum(power, axis=1, dtype=np.float64), ((0, 0), (1, 0))), rate / size


def _loudness(below: NDArray[np.float64], hertz: float, pitch: float) -> tuple[_Grid, _Grid]:
    """Return how loud each band is over a slot that begins at each measurement, and how much of that is sound.

    Args:
        below: Power below each line, shape (measurements, lines + 1).
        hertz: How far lines are apart.
        pitch: How much higher everything is.
    """
    at = np.clip(EDGES * pitch / hertz + 0.5, 0, below.shape[1] - 1)
    line = np.minimum(at.astype(np.int64), below.shape[1] - 2)
    part = at - line
    edges = below[:, line] * (1 - part) + below[:, line + 1] * part
    energy = np.maximum(np.diff(edges, axis=1), 0)
    silence = _SILENT * float(energy.max()) + 1e-20
    grids = np.log(energy + silence), energy > 2 * silence
    over = {"ddepth": -1, "ksize": (1, _STEPS_OF_SLOT), "anchor": (0, 0)}
    loud, weight = (cv2.boxFilter(one.astype(np.float32), **over) for one in grids)  # type: ignore[call-overload]
    return loud, weight


def _foretelling(loud: _Grid, weight: _Grid) -> _Grid:
    """Return the weights with which neighbours foretell a cell, as least squares find them; shape of a kernel."""
    reach = _FAR_SLOTS * _STEPS_OF_SLOT
    centred = loud - np.average(loud, axis=0, weights=weight + 1e-6)
    padded = np.pad(
        centred, ((reach, reach), (_FAR_BANDS, _FAR_BANDS)), mode="reflect" if len(loud) > reach else "edge"
    )
    rows = np.arange(0, len(loud), 2)
    offsets = _offsets()
    columns = [padded[rows + reach + i * _STEPS_OF_SLOT, _FAR_BANDS + j :][:, :BANDS].ravel() for i, j in offsets]
    told, wanted, counts = np.stack(columns, axis=1), centred[rows].ravel(), weight[rows].ravel()
    weighted = told * counts[:, None]
    square = (weighted.T @ told).astype(np.float64)
    square += np.eye(len(offsets)) * (1e-3 * np.trace(square) / len(offsets) + 1e-9)
    found = np.linalg.solve(square, (weighted.T @ wanted).astype(np.float64))
    kernel = np.zeros((2 * reach + 1, 2 * _FAR_BANDS + 1), dtype=np.float32)
    for (i, j), value in zip(offsets, found, strict=True):
        kernel[reach + i * _STEPS_OF_SLOT, _FAR_BANDS + j] = value
    return kernel


@functools.cache
def _offsets() -> tuple[tuple[int, int], ...]:
    slots, bands = range(-_FAR_SLOTS, _FAR_SLOTS + 1), range(-_FAR_BANDS, _FAR_BANDS + 1)
    return tuple((i, j) for i in slots for j in bands if (i, j) != (0, 0))


def _surprise(loud: _Grid, weight: _Grid, kernel: _Grid) -> _Grid:
    """Return what each cell says beyond its neighbours, in standard deviations, bounded and weighted."""
    centred = (loud - np.average(loud, axis=0, weights=weight + 1e-6)).astype(np.float32)
    left = centred - cv2.filter2D(centred, -1, kernel)
    spread = np.sqrt((weight * left * left).sum(axis=0) / (weight.sum(axis=0) + 1e-9) + 1e-9)
    return np.asarray(np.clip(left / spread, -_CLIP, _CLIP) * weight, dtype=np.float32)


def _loudest(grid: _Grid, speed: float, marks: Tile) -> list[tuple[float, float, NDArray[np.float32], float]]:
    """Return the hypotheses of one speed whose code bits are loudest: energy over noise, speed, bits, norm."""
    step = _STEPS_OF_SLOT / speed
    count = int((len(grid) - _STEPS_OF_SLOT) / step)
    found = list[tuple[float, float, NDArray[np.float32], float]]()
    for phase in range(_STEPS_OF_SLOT):
        rows = np.rint(np.arange(count) * step + phase).astype(np.int64)
        slots = np.zeros((-(-count // SLOTS) * SLOTS, BANDS), dtype=np.float32)
        slots[:count] = grid[np.minimum(rows, len(grid) - 1)]
        folded = slots.reshape(-1, SLOTS * BANDS).sum(axis=0)
        norm = math.sqrt(float(folded @ folded))
        if not norm:
            continue
        bits = _at_all_places(folded, marks)
        energies = np.einsum("ij,ij->i", bits, bits) * (codes.CODE_BITS / (norm * norm))
        at = int(energies.argmax())
        over = (float(energies[at]) - codes.CODE_BITS) / math.sqrt(2 * codes.CODE_BITS)
        found.append((over, speed, bits[at], norm))
    return found


def _at_all_places(folded: NDArray[np.float32], marks: Tile) -> NDArray[np.float32]:
    """Return what the code bits say for each place of the tile's beginning, shape (SLOTS, CODE_BITS)."""
    bands = folded.reshape(SLOTS, BANDS).T
    turned = sliding_window_view(np.concatenate([bands, bands], axis=1), SLOTS, axis=1)
    cells = turned[marks.cells % BANDS, marks.cells // BANDS]  # (cells, SLOTS), each a copy of one run
    signs = marks.signs.reshape(codes.CODE_BITS, 1, marks.each)
    summed = np.matmul(signs, cells.reshape(codes.CODE_BITS, marks.each, SLOTS))
    return np.ascontiguousarray(summed[:, 0].T)
