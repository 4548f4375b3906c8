"""The notice in GIF: every picture of it is drawn anew, with its own colours and a few greys for the words.

A picture of a GIF has at most 256 colours.  Where it uses fewer, all stay as they are; where it uses all, a few of the
rarest give way.  Times, repetition, comments and other applications' data stay.  Decoding is Pillow's.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats import gif
from safebelt.rooms.labelling.formats.carrier import Broken, Buffer, Unwritable
from safebelt.rooms.labelling.provenance import corners

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 200_000_000
"""Of all pictures of one file together: half a minute of animation of 0.5 million pixels."""
_GREYS = np.array([0, 85, 170, 255], dtype=np.uint8)
"""Ink, plate, and two steps between for smooth edges."""
_COLOURS = 256
_LOOKED_AT = 6
"""Pictures in which faces are looked for, beside the first: each takes a quarter of a second."""
_CLEARED, _KEPT = 2, 1  # GIF89a, 23: what becomes of a picture before the next is shown
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Shown:
    """One picture as it is seen: red, green and blue, where it is transparent, and for how many milliseconds."""

    rgb: Pixels
    is_clear: NDArray[np.bool_]
    duration: int


def put(data: Buffer, lang: str, font: Path) -> tuple[bytes, str]:
    """Return a GIF with the notice in a corner of all its pictures, and in which corner.

    Args:
        data: The file.
        lang: `zh` or `en`.
        font: A font file that has the words' glyphs.

    Raises:
        Unwritable: It is too large or too small, or holds what would be lost.
        Broken: It cannot be decoded.
    """
    kept = gif.kept(data)
    shown, loop = _decoded(data)
    others = [one.rgb for one in shown[1 :: max(1, len(shown) // _LOOKED_AT)]]
    corner = corners.chosen(shown[0].rgb, lang, font, others)
    frames = [_drawn(one, corner) for one in shown]
    disposal = _CLEARED if any(one.is_clear.any() for one in shown) else _KEPT
    out = io.BytesIO()
    times = [one.duration for one in shown]
    again = {} if loop is None else {"loop": loop}
    frames[0].save(
        out, "GIF", save_all=True, append_images=frames[1:], duration=times, disposal=disposal, optimize=False, **again
    )
    return gif.with_kept(out.getvalue(), kept), corner.name


def first(data: Buffer) -> Pixels:
    """Return the first picture as it is seen, shape (height, width, 3); raises as `put`."""
    return _decoded(data, most=1)[0][0].rgb


def _decoded(data: Buffer, most: int | None = None) -> tuple[list[_Shown], int | None]:
    """Return the pictures one after the other, and how often they are shown again; None for not at all."""
    from PIL import Image  # noqa: PLC0415  only where pictures are marked or looked into

    shown = list[_Shown]()
    try:
        image = Image.open(io.BytesIO(data), formats=["GIF"])
        each = image.width * image.height
        while True:
            if (len(shown) + 1) * each > MAX_PIXELS:
                raise Unwritable(Text(zh="动画过大。", en="The animation is too large."))
            whole = np.asarray(image.convert("RGBA"), dtype=np.uint8)
            duration = int(image.info.get("duration", 0))
            shown.append(_Shown(np.ascontiguousarray(whole[..., :3]), whole[..., 3] < 128, duration))
            if len(shown) == most:
                break
            try:
                image.seek(len(shown))
            except EOFError:
                break
    except Unwritable:
        raise
    except Exception as error:  # Pillow's decoders raise whatever their bytes lead to
        raise Broken(f"a picture that cannot be decoded: {type(error).__name__}") from error
    loop = image.info.get("loop")
    return shown, loop if isinstance(loop, int) else None


def _drawn(one: _Shown, corner: corners.Corner) -> "Image.Image":
    """Return a picture of 256 colours with the notice."""
    from PIL import Image  # noqa: PLC0415  as above

    words = corner.words()
    has_clear = bool(one.is_clear.any())
    indices, palette = _indexed(one.rgb, _COLOURS - len(_GREYS) - has_clear)
    count = len(palette)
    palette = np.concatenate([palette, np.repeat(_GREYS[:, None], 3, axis=1)])
    if has_clear:
        indices[one.is_clear] = len(palette)
        palette = np.concatenate([palette, np.zeros((1, 3), dtype=np.uint8)])
    rows, columns = words.shape
    levels = np.rint(words.astype(np.float32) / 255 * (len(_GREYS) - 1)).astype(np.uint8)
    indices[corner.top : corner.top + rows, corner.left : corner.left + columns] = count + levels
    image = Image.fromarray(indices)  # of bytes, one a pixel
    image.putpalette(palette.tobytes())
    if has_clear:
        image.info["transparency"] = len(palette) - 1
    return image


def _indexed(rgb: Pixels, most: int) -> tuple[Pixels, Pixels]:
    """Return a picture as numbers of colours, and these: its own, where they are not too many."""
    from PIL import Image  # noqa: PLC0415  as above

    packed = rgb.astype(np.uint32) @ np.array([65536, 256, 1], dtype=np.uint32)
    colours, indices = np.unique(packed, return_inverse=True)
    if len(colours) <= most:
        palette = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.uint8)
        return indices.reshape(packed.shape).astype(np.uint8), palette
    reduced = Image.fromarray(rgb).quantize(most, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette = np.array(reduced.getpalette(), dtype=np.uint8).reshape(-1, 3)[:most]
    return np.array(reduced, dtype=np.uint8), palette
