"""A keyed 64-bit id in a picture, which the eye does not see and copying, cutting and compressing do not take out.

The id names an AI system or a record of one, never a person who used it.

The mark lives on a *canonical* picture: the same picture, resized so that its area is 640² (smaller pictures are
left as they are).  So it is as coarse as the picture is large, survives every resizing that leaves the
picture recognisable, and costs the reader the same time for every picture.  Pattern and code: `pattern` and `codes`.
The pattern itself comes in three sizes, which the reader finds as it finds any other size: a rough picture is quieter
where the pattern is fine, and a smooth one, which takes only a weak mark, keeps a coarse one through compression.

Where the mark goes, and how strong: its energy follows the local activity of the picture, because the eye and SSIM
both forgive noise in texture; how closely, and how strong the whole is, is chosen for each picture so that neither the
PSNR nor the SSIM asked for is undercut.

What it does not give: the pattern repeats, so who has many pictures marked with one key, or a few large ones, can
estimate it and subtract it, or add it to another picture.  That content picks one of four variants, and where the
pattern begins (`placing`), makes this more work and no more.  A reading says that this mark is in the picture; no
reading says nothing.
"""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safebelt.rooms.labelling.watermark.locate import Reading, read, whitened
from safebelt.rooms.labelling.watermark.pattern import PERIOD, pattern
from safebelt.rooms.labelling.watermark.placing import laid

SIDE = 640
"""√area of the canonical picture in pixels."""
MIN_SHORTEST = 256
"""Shortest side that is marked: with fewer pixels 64 bits do not survive a compression at this quality."""
_LEAST_READ = 64
"""Shortest side that is looked at: below, no 64 bits can be there."""
MIN_FACTOR = 1.0
"""Least picture pixels for each canonical pixel."""
MAX_PIXELS = 120_000_000
"""Largest picture that is looked at."""
MAX_ASPECT = 16
"""Longest side over shortest."""
SSIM_FLOOR, SSIM_FLOOR_SMALL = 0.984, 0.979
"""SSIM that is not undercut, by the estimate below (the measured one is .003 to .01 higher); and of small pictures,
which have too few pixels for more."""
SMALL = 700 * 700
"""Pixels below which a picture is small in this sense."""
_C2 = (0.03 * 255) ** 2
"""The constant of SSIM that keeps flat regions from dividing by zero (Wang et al. 2004)."""
_USUAL_PSNR = 41.05
"""PSNR in dB that is kept when no other is asked."""
_ACTIVITY_POWERS = (-0.3, -0.15, 0.0, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.1)
"""How the mark's variance may follow the picture's local variance (0: not at all; 1: constant loss of SSIM).

The least that keeps SSIM is taken: what is spread evenly is read best, because flat regions are quiet themselves.
"""
FINE, COARSE = 160, 320
"""Canonical pixels after which the pattern repeats in rough and in smooth pictures; in all others `PERIOD`.

A pattern of 192 leaves a field of grass without reserve, and one of 128 does not survive half the size and JPEG 50."""
_ROUGH = 0.0
"""Power of activity up to which a picture counts as rough: SSIM hardly sees a mark in it, wherever it lies."""
_SMOOTH = 0.5
"""Part of the energy the PSNR allows that SSIM leaves; below, a picture counts as smooth."""
_COARSE_LOSS = 0.87
"""Part of the loss of SSIM by estimate that is taken with the coarse pattern: it varies less within SSIM's window of
7 pixels, outlives compression with energy to spare, and gives that back to the eye (an SSIM of .99)."""
_NEARLY_WHITE = 215.0
"""Local mean in grey levels above which a fifth more contrast makes all white."""
_WORTH_NEAR_WHITE = 0.25
"""How much of the mark's variance, against elsewhere, is put where brightening would erase it."""
_ACTIVITY_FLOOR = 12.0
"""Variance in grey levels² below which regions count as equally flat."""
_ACTIVITY_CEILING = 1200.0
"""Variance above which more activity hides no more."""
_WINDOW = 5
"""Canonical pixels over which activity is taken: about SSIM's own window in a picture of one megapixel."""
_MOST_REGAINED = math.sqrt(2 / (1 - 1 / math.pi))
"""How much stronger the mark may become for what black and white swallow: half of a normal variable that is cut at
its mean has the variance 1/2 - 1/2π."""
_BAND_PIXELS = 1 << 21
"""Pixels worked on at a time when the mark is added, so that memory does not grow with the picture."""

Picture = NDArray[np.uint8]
_Plane = NDArray[np.float32]


class TooSmall(ValueError):  # noqa: N818  it says what the picture is
    """The picture has a side below 256 pixels, or is so long and thin that it has as little room."""


class TooLarge(ValueError):  # noqa: N818  as above
    """The picture has more than 120 million pixels."""


def embed(rgb: Picture, ident: int, key: bytes, *, psnr_db: float = _USUAL_PSNR) -> Picture:
    """Return the picture with the id in it.

    Args:
        rgb: Red, green, blue of 8 bits, shape (height, width, 3).  Grey pictures are passed with three equal planes,
            and come out with three equal planes; an alpha plane is the caller's to keep.
        ident: 64 bits.
        key: At least 16 bytes.
        psnr_db: Least peak signal to noise ratio in dB.

    Raises:
        TooSmall: When the mark would not survive anything.
        TooLarge: When the picture is beyond the bound.
        ValueError: When the array or the id is of another shape.
        WeakKey: When the key is too short.
    """
    rows, columns = canonical_size(*_roomy(rgb))
    marks, grey = pattern(key), _grey(rgb)
    plain = cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    canvas, usual = _canvas(grey), _budget(_USUAL_PSNR)
    power, budget = _fitted(canvas, usual, canvas.loss)
    period = _period(power, budget / usual)
    tile = laid(whitened(plain), marks, ident, variant_of(grey), period, is_shaped=period == FINE)
    loss = canvas.loss * (_COARSE_LOSS if period == COARSE else 1.0)
    least = power if psnr_db <= _USUAL_PSNR else _ACTIVITY_POWERS[0]  # no less keeps what is asked as strictly
    return _marked(rgb, canvas, tile, _fitted(canvas, _budget(psnr_db), loss, least), psnr_db)


def embed_variant(rgb: Picture, tile: NDArray[np.float32], *, psnr_db: float) -> Picture:
    """Return the picture with one period of a pattern repeated over it; errors as of `embed`."""
    _roomy(rgb)
    canvas = _canvas(_grey(rgb))
    return _marked(rgb, canvas, tile, _fitted(canvas, _budget(psnr_db), canvas.loss), psnr_db)


def scan(rgb: Picture, key: bytes) -> Reading | None:
    """Return the id in a picture, or None where no mark of this key is found, which does not say that there is none.

    Args:
        rgb: As in `embed`, of any size up to the bound.
        key: As in `embed`.

    Raises:
        TooLarge: When the picture is beyond the bound.
        ValueError: When the array is of another shape.
        WeakKey: When the key is too short.
    """
    marks = pattern(key)
    plain = canonical(rgb)
    return None if plain is None else read(whitened(plain), marks)


def canonical(rgb: Picture) -> NDArray[np.float32] | None:
    """Return the luminance of the canonical picture, or None where it is too small or too thin to read anything."""
    height, width = _measured(rgb)
    if min(height, width) < _LEAST_READ or max(height, width) > MAX_ASPECT * min(height, width):
        return None
    rows, columns = canonical_size(height, width)
    return cv2.resize(_grey(rgb), (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)


def canonical_size(height: int, width: int) -> tuple[int, int]:
    """Return rows and columns of the canonical picture."""
    factor = max(MIN_FACTOR, math.sqrt(height * width) / SIDE)
    return max(1, round(height / factor)), max(1, round(width / factor))


def variant_of(grey: NDArray[Any]) -> int:
    """Return which of the four variants of the pattern this picture gets: which half is lighter, both ways."""
    small = cv2.resize(grey, (2, 2), interpolation=cv2.INTER_AREA).astype(np.int64)
    return 2 * int(small[0].sum() > small[1].sum()) + int(small[:, 0].sum() > small[:, 1].sum())


def _grey(rgb: Picture) -> NDArray[Any]:
    _measured(rgb)
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)


def _roomy(rgb: Picture) -> tuple[int, int]:
    """Return height and width of a picture that has room for a mark."""
    height, width = _measured(rgb)
    if min(height, width) < MIN_SHORTEST or max(height, width) > MAX_ASPECT * min(height, width):
        raise TooSmall("a picture to be marked has sides of 256 pixels or more, one at most 16 times the other")
    return height, width


def _measured(rgb: Picture) -> tuple[int, int]:
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ValueError("a picture is an array of 8-bit numbers of shape (height, width, 3)")
    height, width = int(rgb.shape[0]), int(rgb.shape[1])
    if height * width > MAX_PIXELS:
        raise TooLarge("a picture has at most 120 million pixels")
    return height, width


@dataclass(frozen=True, slots=True)
class _Canvas:
    """What of a picture decides how strong its mark may be, in canonical pixels, shape (rows, columns).

    Attributes:
        grey: Brightness, sampled and not averaged: detail hides the mark.
        variance: Its local variance.
        activity: Logarithm of that, within bounds.
        worth: How much variance of the mark is put there, as far as brightness decides.
        loss: How much SSIM may be lost, by estimate.
    """

    grey: _Plane
    variance: _Plane
    activity: _Plane
    worth: _Plane
    loss: float

    def spread(self, power: float, every: int = 1) -> _Plane:
        """Return how the mark's variance is spread, in any unit, at every so many-th pixel both ways."""
        followed = np.exp(np.float32(power) * self.activity[::every, ::every])
        return np.asarray(self.worth[::every, ::every] * followed, dtype=np.float32)


def _canvas(grey: NDArray[Any]) -> _Canvas:
    height, width = grey.shape
    rows, columns = canonical_size(height, width)
    sampled = cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_NEAREST).astype(np.float32)
    mean = cv2.blur(sampled, (_WINDOW, _WINDOW))
    variance = np.maximum(cv2.blur(sampled * sampled, (_WINDOW, _WINDOW)) - mean * mean, 0)
    activity = np.log(np.minimum(variance, _ACTIVITY_CEILING) + _ACTIVITY_FLOOR)
    white: _Plane = (mean > _NEARLY_WHITE).astype(np.float32)
    if white.any():
        white = cv2.blur(white, (2 * _WINDOW - 1, 2 * _WINDOW - 1)).astype(
            np.float32, copy=False
        )  # no step where it begins
    floor = SSIM_FLOOR if height * width >= SMALL else SSIM_FLOOR_SMALL
    return _Canvas(sampled, variance, activity, 1 - np.float32(1 - _WORTH_NEAR_WHITE) * white, 1 - floor)


def _fitted(canvas: _Canvas, budget: float, loss: float, least: float = _ACTIVITY_POWERS[0]) -> tuple[float, float]:
    """Return the power of activity, no less than `least`, and the mean square of the mark: PSNR and SSIM are kept.

    An independent noise of variance n on a window of variance v takes n / (2v + n + C2) off the SSIM of that window
    (from its definition: the covariance stays v, the variances are v and v + n).
    """
    yielding = 2 * canvas.variance[::3, ::3] + np.float32(_C2)  # a ninth is enough to choose by
    power, spread, lost = least, yielding, 0.0
    for power in (one for one in _ACTIVITY_POWERS if one >= least):
        spread = canvas.spread(power, 3)
        spread /= spread.mean()
        lost = _lost(spread, yielding, budget)
        if lost <= loss:
            break
    for _ in range(8):
        if lost <= loss:
            break
        budget *= loss / lost
        lost = _lost(spread, yielding, budget)
    return power, budget


def _period(power: float, part: float) -> int:
    """Return the size of the pattern that suits a picture, from what `_fitted` says of it at the usual PSNR.

    Args:
        power: How closely the mark has to follow activity.
        part: How much of the energy that the PSNR allows is left by SSIM.
    """
    if power <= _ROUGH:
        return FINE
    return COARSE if part < _SMOOTH else PERIOD


def _marked(rgb: Picture, canvas: _Canvas, tile: _Plane, fit: tuple[float, float], psnr_db: float) -> Picture:
    """Return the picture with a tile repeated over it, spread and as strong as `_fitted` says."""
    power, budget = fit
    (rows, columns), period = canvas.grey.shape, len(tile)
    tiled = np.tile(tile, (-(-rows // period), -(-columns // period)))[:rows, :columns]
    delta = tiled * np.sqrt(canvas.spread(power))
    delta *= np.float32(math.sqrt(budget / (float((delta * delta).mean()) + 1e-12)))
    return _added(rgb, delta * np.float32(max(1.0, _swallowed(canvas.grey, delta, _budget(psnr_db)))))


def _swallowed(grey: _Plane, delta: _Plane, budget: float) -> float:
    """Return the factor that gives the rest of the mark what black and white swallow of it.

    No pixel can be brighter than white, so that an overexposed picture keeps half of its mark, and that half partly as
    a change of brightness, which SSIM hardly counts.  A clipped change grows by no more than the factor: so what is
    spent stays within what SSIM was estimated to allow, and within the budget of the PSNR.
    """
    some, wished = grey[::3, ::3], delta[::3, ::3]  # enough to know
    kept = np.clip(some + wished, 0, 255) - some
    energy = float((kept * kept).mean()) + 1e-12
    varied = energy - float(kept.mean()) ** 2
    return min(_MOST_REGAINED, math.sqrt(float((wished * wished).mean()) / varied), math.sqrt(budget / energy))


def _budget(psnr_db: float) -> float:
    """Return the mean square of a change that leaves a PSNR; rounding to whole grey levels adds a twelfth."""
    return max(255.0**2 / 10 ** (psnr_db / 10) - 1 / 12, 0.0)


def _lost(spread: _Plane, yielding: _Plane, budget: float) -> float:
    noise = spread * np.float32(budget)
    return float((noise / (yielding + noise)).mean())


def _added(rgb: Picture, delta: _Plane) -> Picture:
    """Return the picture with the canonical difference enlarged and added to all three colours, in bands of rows."""
    height, width = rgb.shape[:2]
    out = np.empty((height, width, 3), dtype=np.uint8)
    down, right = height / delta.shape[0], width / delta.shape[1]
    step = max(1, _BAND_PIXELS // width)
    for top in range(0, height, step):
        bottom = min(height, top + step)
        # Pixel centres of the band, looked up in the canonical picture: a linear enlargement, whatever the band.
        place = np.array([[1 / right, 0, 0.5 / right - 0.5], [0, 1 / down, (top + 0.5) / down - 0.5]])
        band = cv2.warpAffine(
            delta,
            place,
            (width, bottom - top),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        change = cv2.merge([np.rint(band).astype(np.int16)] * 3)
        out[top:bottom] = cv2.add(rgb[top:bottom], change, dtype=cv2.CV_8U)
    return out
