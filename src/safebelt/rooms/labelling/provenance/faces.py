"""Where faces are in a picture, so that a notice is not put over one: where, never whose, and nothing of it is kept.

A cascade of local binary patterns over blocks (Zhang et al., "Face Detection Based on Multi-Block LBP Representation",
2007; boosted stages as of Viola and Jones), trained by the makers of OpenCV for faces seen from the front and upright.
OpenCV 5 reads such cascades no more, so they are read here.  Faces from the side, tilted, covered or smaller than a
twelfth of the picture's shortest side are mostly not found: none found does not mean that there is none.
"""

import hashlib
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CASCADE_SHA256 = "03097789a3dcbb0e40d20b9ef82537dbc3b670b6a7f2268d735470f22e003a91"
"""Of the cascade's file: what another one would find was never measured."""
SIDE = 480
"""Shortest side in pixels to which larger pictures are reduced: a window of the cascade is a twentieth of it."""
_WINDOW = 24  # the cascade's
_GROWTH = 1.2  # from one size of window to the next
_STEP = 2  # pixels of the reduced picture between windows
_AGREEING = 3
"""Windows that must agree on a face: OpenCV's own default, and what its samples use."""
_LIKE = 0.4
"""Least part of their union that two windows on one face have in common."""
_MORE = 0.2
"""By which part a face is larger than the window that finds it, on each side: chin, forehead and ears lie outside."""
_ROUNDING = 1e-5  # OpenCV's: its stages were trained with numbers of this precision
_SIGNS = (128, 64, 32, 1, 0, 16, 2, 4, 8)
"""What each block around the middle one adds to the pattern, row by row."""

Box = tuple[int, int, int, int]
"""Top, left, bottom, right, in pixels."""
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Stage:
    """Patterns that are looked at together.

    Attributes:
        least: Sum below which a window is no face.
        blocks: Left, top, width and height of each pattern's first block, shape (n, 4).
        sets: For each pattern which of 256 values speak for the first outcome, shape (n, 256).
        outcomes: What it adds: where the value is in the set, and where not; shape (n, 2).
    """

    least: float
    blocks: NDArray[np.int64]
    sets: NDArray[np.bool_]
    outcomes: NDArray[np.float64]


def reduced(picture: Pixels) -> tuple[Pixels, float]:
    """Return a picture's brightness, shape (height, width), no larger than is looked at, and how much it was reduced.

    Args:
        picture: Shape (height, width, 3); or its brightness alone, shape (height, width).
    """
    import cv2  # noqa: PLC0415  only where notices are drawn

    height, width = picture.shape[:2]
    ratio = max(1.0, min(height, width) / SIDE)
    if ratio > 1:
        size = max(1, round(width / ratio)), max(1, round(height / ratio))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    if picture.ndim == 3:
        picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    return picture, ratio


def found(picture: Pixels, near: Sequence[Box], cascade: Path) -> list[Box]:
    """Return the faces in a picture that reach into some places, or close to them.

    Args:
        picture: Shape (height, width, 3); or its brightness alone, shape (height, width).
        near: The places.
        cascade: The cascade's file.

    Raises:
        OSError: It is not there, or not the one that was measured.
    """
    import cv2  # noqa: PLC0415  as above

    stages, (grey, ratio) = _read(cascade), reduced(picture)
    windows, side = list[tuple[float, float, float]](), 1.0
    while min(grey.shape) / side >= _WINDOW:
        size = round(grey.shape[1] / side), round(grey.shape[0] / side)
        small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        scale, step = ratio * side, _STEP if side < _STEP else 1
        windows += [
            (top * scale, left * scale, _WINDOW * scale) for top, left in _hits(small, near, scale, stages, step)
        ]
        side *= _GROWTH
    return [_grown(one, *picture.shape[:2]) for one in _agreed(windows)]


def part_covered(place: Box, faces: Sequence[Box]) -> float:
    """Return which part of a place lies over faces."""
    top, left, bottom, right = place
    covered = np.zeros((bottom - top, right - left), dtype=np.bool_)
    for face in faces:
        covered[max(0, face[0] - top) : max(0, face[2] - top), max(0, face[1] - left) : max(0, face[3] - left)] = True
    return float(covered.mean())


@lru_cache(maxsize=1)
def _read(cascade: Path) -> tuple[_Stage, ...]:
    data = cascade.read_bytes()
    if hashlib.sha256(data).hexdigest() != CASCADE_SHA256:
        raise OSError(f"{cascade.name} is not the cascade that was measured")
    whole = ET.fromstring(data)[0]  # noqa: S314  the file is known byte by byte
    blocks = np.array([_numbers(one.findtext("rect")) for one in whole.iterfind("features/_")], dtype=np.int64)
    return tuple(_stage(one, blocks) for one in whole.iterfind("stages/_"))


def _stage(said: ET.Element, blocks: NDArray[np.int64]) -> _Stage:
    nodes = [_numbers(one.findtext("internalNodes")) for one in said.iterfind("weakClassifiers/_")]
    leaves = [_numbers(one.findtext("leafValues")) for one in said.iterfind("weakClassifiers/_")]
    words = np.array([one[3:] for one in nodes], dtype=np.int64).astype(np.uint32)
    bits = (words[:, :, None] >> np.arange(32, dtype=np.uint32)) & np.uint32(1)
    return _Stage(
        least=float(_numbers(said.findtext("stageThreshold"))[0]) - _ROUNDING,
        blocks=blocks[[int(one[2]) for one in nodes]],
        sets=bits.reshape(len(nodes), 256).astype(np.bool_),
        outcomes=np.array(leaves, dtype=np.float64),
    )


def _numbers(text: str | None) -> list[float]:
    return [float(one) for one in (text or "").split()]


def _hits(
    small: Pixels, near: Sequence[Box], scale: float, stages: Sequence[_Stage], step: int
) -> list[tuple[int, int]]:
    """Return top and left of every window of one size that all stages take for a face."""
    sums = np.zeros((small.shape[0] + 1, small.shape[1] + 1), dtype=np.int32)
    sums[1:, 1:] = small.cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32)
    flat, stride = sums.ravel(), sums.shape[1]
    at = _wanted(small.shape, near, scale, stride, step)
    for stage in stages:
        if not at.size:
            break
        score = np.zeros(at.size)
        for block, known, outcome in zip(stage.blocks, stage.sets, stage.outcomes, strict=True):
            score += np.where(known[_patterns(flat, stride, at, block)], outcome[0], outcome[1])
        at = at[score >= stage.least]
    return [(int(one) // stride, int(one) % stride) for one in at]


def _wanted(shape: tuple[int, ...], near: Sequence[Box], scale: float, stride: int, step: int) -> NDArray[np.int64]:
    """Return where windows stand that reach into a place, as positions in the picture of sums."""
    away = _WINDOW * (1 + _MORE)
    is_wanted = np.zeros((max(0, shape[0] - _WINDOW + 1), max(0, shape[1] - _WINDOW + 1)), dtype=np.bool_)
    for top, left, bottom, right in near:
        down = slice(max(0, int(top / scale - away)), int(bottom / scale + _WINDOW * _MORE) + 1)
        is_wanted[down, max(0, int(left / scale - away)) : int(right / scale + _WINDOW * _MORE) + 1] = True
    rows, columns = np.nonzero(is_wanted[::step, ::step])
    return (rows * stride + columns) * step


def _patterns(flat: NDArray[Any], stride: int, at: NDArray[np.int64], block: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the pattern of nine equal blocks at each position: which of eight are as bright as the middle one."""
    left, top, width, height = (int(one) for one in block)
    corners = [
        [flat[at + ((top + row * height) * stride + left + column * width)] for column in range(4)] for row in range(4)
    ]
    parts = [
        corners[row + 1][column + 1] - corners[row + 1][column] - corners[row][column + 1] + corners[row][column]
        for row in range(3)
        for column in range(3)
    ]
    made = np.zeros(at.size, dtype=np.int64)
    for part, sign in zip(parts, _SIGNS, strict=True):
        made += np.where(part >= parts[4], sign, 0)
    return made


def _agreed(windows: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Return the middle of every group of windows that lie on one face, where enough of them agree."""
    groups = list[list[tuple[float, float, float]]]()
    for one in sorted(windows, key=lambda window: -window[2]):
        group = next((group for group in groups if _common(np.mean(group, axis=0), one) >= _LIKE), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    return [tuple(float(part) for part in np.mean(one, axis=0)) for one in groups if len(one) >= _AGREEING]  # type: ignore[misc]


def _common(one: Sequence[float] | NDArray[Any], other: Sequence[float]) -> float:
    """Return which part of their union two windows have in common."""
    high = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    wide = min(one[1] + one[2], other[1] + other[2]) - max(one[1], other[1])
    shared = max(0.0, high) * max(0.0, wide)
    return float(shared / (one[2] ** 2 + other[2] ** 2 - shared))


def _grown(window: tuple[float, float, float], height: int, width: int) -> Box:
    top, left, side = window
    more = side * _MORE
    return (
        max(0, round(top - more)),
        max(0, round(left - more)),
        min(height, round(top + side + more)),
        min(width, round(left + side + more)),
    )
