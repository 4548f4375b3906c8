"""A keyed 64-bit id in moving pictures: the image mark, the same in every frame, read from the mean of many.

What moves averages out, what stays is the mark: so it is read from damage that no single frame survives.  What stands
still does not average out, and a still film is read no better than one picture.  Frames are decoded and encoded by the
caller; every frame is marked, so that any cut of the film carries the id.
"""

import functools
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from safebelt.rooms.labelling.watermark import image
from safebelt.rooms.labelling.watermark.locate import Reading, read, whitened
from safebelt.rooms.labelling.watermark.pattern import pattern

MAX_FRAMES = 512
"""Frames that are read at most: more than twenty seconds add little."""
_VARIANT = 0
"""Films use one variant: what content says changes with every scene, and the mark must not."""


def embed_frame(rgb: image.Picture, ident: int, key: bytes, *, psnr_db: float = 41.05) -> image.Picture:
    """Return a frame with the id in it: arguments and errors as of `image.embed`."""
    return image.embed_variant(rgb, _tile(ident, key), psnr_db=psnr_db)


def embed_luma(luma: NDArray[np.uint8], ident: int, key: bytes, *, psnr_db: float = 41.05) -> NDArray[np.uint8]:
    """Return the brightness of a frame with the id in it, shape (height, width): colour says nothing of the mark."""
    return embed_frame(_grey(luma), ident, key, psnr_db=psnr_db)[..., 0]


def scan_luma(frames: Iterable[NDArray[np.uint8]], key: bytes) -> Reading | None:
    """Return the id in a film of which brightness alone is given, each frame of shape (height, width); as `scan`."""
    return scan((_grey(one) for one in frames), key)


def _grey(luma: NDArray[np.uint8]) -> image.Picture:
    return np.repeat(luma[..., None], 3, axis=2)


def scan(frames: Iterable[image.Picture], key: bytes) -> Reading | None:
    """Return the id in a film, or None where no mark of this key is found.

    Args:
        frames: Of one size, each as in `image.embed`; those after the first 512 are not asked for.
        key: As in `image.embed`.

    Raises:
        ValueError: When frames differ in size or are no pictures.
        TooLarge: When they are beyond the bound of a picture.
        WeakKey: When the key is too short.
    """
    marks = pattern(key)
    total: NDArray[np.float32] | None = None
    for count, frame in enumerate(frames, start=1):
        plain = image.canonical(frame)
        if plain is None:
            return None
        if total is not None and total.shape != plain.shape:
            raise ValueError("the frames of a film are of one size")
        total = whitened(plain) if total is None else total + whitened(plain)
        if count == MAX_FRAMES:
            break
    return None if total is None else read(total, marks)


@functools.lru_cache(maxsize=8)
def _tile(ident: int, key: bytes) -> NDArray[np.float32]:
    return pattern(key).tile(ident, _VARIANT)
