"""A visible notice in the corner of a picture: large enough, in contrast to what is behind it, over little detail.

Faces and other things that matter are busy, so that the corner with the least detail avoids them where one can; they
are not looked for as such.

GB 45438-2025 5.2: text with both elements, at an edge or corner, at least 5 % of the shortest side high.  What *high*
means is not said; the height of the glyphs' ink is the least any reading comes to, so that is measured, with a margin.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import Unwritable

LEASTHEIGHT = 0.05
"""Of the shortest side (GB 45438-2025 5.2)."""
LEAST_SIDE = 100
"""Shortest side in pixels for which a twentieth can be read at all."""
HEIGHT = 0.056  # with a margin for rounding and rendering
MARGIN, PADDING = 0.02, 0.35  # of the shortest side; of the text's height
WORDS = {"zh": "人工智能生成", "en": "AI generated"}
"""Both elements, in each language: 人工智能 or AI, and 生成 or *generated*."""
_LIGHT = 128
_PLATE = 0.6  # how much of the plate behind the text covers what was there
_DETAIL_STEP = 24.0  # grey levels: smaller differences do not move it from its usual corner
Pixels = NDArray[np.uint8]


def put(rgb: Pixels, lang: str, font: Path) -> tuple[Pixels, str]:
    """Return a picture with the notice in the corner where it covers least, and which corner that is.

    Args:
        rgb: Shape (height, width, 3).
        lang: `zh` or `en`.
        font: A font file that has the words' glyphs.

    Raises:
        Unwritable: The picture is too small.
    """
    corner = chosen(rgb, lang, font)
    return corner.drawn(rgb), corner.name


@dataclass(frozen=True, slots=True)
class Corner:
    """A notice and where it goes, so that it stands still in a film.

    Attributes:
        name: Which corner.
        top, left: Of its plate.
        mask: The words, 255 where there is ink.
        pad: Pixels of the plate around them.
        is_dark: Whether the ink is.
    """

    name: str
    top: int
    left: int
    mask: Pixels
    pad: int
    is_dark: bool

    def words(self) -> Pixels:
        """Return the words on their plate, from black to white, with nothing of what is behind."""
        plate = np.pad(self.mask, self.pad)
        return 255 - plate if self.is_dark else plate

    def drawn(self, picture: Pixels, levels: tuple[int, int] = (0, 255)) -> Pixels:
        """Return a picture with it.

        Args:
            picture: Shape (height, width, 3); or its brightness alone, shape (height, width).
            levels: What black and white are in it.
        """
        out = picture.copy()
        rows, columns = self.mask.shape[0] + 2 * self.pad, self.mask.shape[1] + 2 * self.pad
        region = out[self.top : self.top + rows, self.left : self.left + columns].astype(np.float32)
        ink, plate = levels if self.is_dark else levels[::-1]
        region = region * (1 - _PLATE) + plate * _PLATE
        alpha = self.mask.astype(np.float32) / 255
        alpha = alpha[..., None] if picture.ndim == 3 else alpha
        inner = region[self.pad : rows - self.pad, self.pad : columns - self.pad]
        region[self.pad : rows - self.pad, self.pad : columns - self.pad] = inner * (1 - alpha) + ink * alpha
        out[self.top : self.top + rows, self.left : self.left + columns] = np.rint(region).astype(np.uint8)
        return out


def chosen(rgb: Pixels, lang: str, font: Path) -> Corner:
    """Return the notice for a picture, in the corner where it covers least; arguments and errors as of `put`."""
    mask = inked(WORDS["zh" if lang == "zh" else "en"], round(HEIGHT * min(rgb.shape[:2]) + 0.5), font)
    pad = max(2, round(PADDING * mask.shape[0]))
    box = mask.shape[0] + 2 * pad, mask.shape[1] + 2 * pad
    if box[0] > rgb.shape[0] or box[1] > rgb.shape[1] or min(rgb.shape[:2]) < LEAST_SIDE:
        raise Unwritable(
            Text(
                zh="图片太小，放不下清晰可辨的提示；请在图片旁边显示。",
                en="The picture is too small for a notice that can be read: show it beside the picture.",
            )
        )
    name, (top, left) = _corner(rgb, box)
    region = rgb[top : top + box[0], left : left + box[1]]
    return Corner(name, top, left, mask, pad, is_dark=float(region.mean()) >= _LIGHT)


def inked(words: str, least: int, font: Path) -> Pixels:
    """Return the words as a mask whose every glyph's ink is at least so many pixels high, cut to the ink."""
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415  only where pictures are marked

    size = least
    while _ink(words, size, font) < least:
        size += 1
    face = ImageFont.truetype(str(font), size)
    left, top, right, bottom = face.getbbox(words)
    image = Image.new("L", (round(right - left) + 2, round(bottom - top) + 2), 0)
    ImageDraw.Draw(image).text((1 - left, 1 - top), words, fill=255, font=face)
    return np.asarray(image, dtype=np.uint8)


@lru_cache(maxsize=64)
def _ink(words: str, size: int, font: Path) -> int:
    """Return the height of the least high of the glyphs that have full height: capitals, or characters."""
    from PIL import ImageFont  # noqa: PLC0415  as above

    face = ImageFont.truetype(str(font), size)
    full = [char for char in words if char.isupper() or "\u4e00" <= char <= "\u9fff"]
    boxes = [face.getbbox(char) for char in full]
    return int(min(bottom - top for _, top, _, bottom in boxes))


def _corner(rgb: Pixels, box: tuple[int, int]) -> tuple[str, tuple[int, int]]:
    """Return the corner in which a box covers least detail; among equals, where readers look."""
    height, width = rgb.shape[:2]
    margin = round(MARGIN * min(height, width))
    bottom, right = max(0, height - box[0] - margin), max(0, width - box[1] - margin)
    top, left = min(margin, bottom), min(margin, right)
    corners = {
        "bottom right": (bottom, right),
        "bottom left": (bottom, left),
        "top right": (top, right),
        "top left": (top, left),
    }

    def covers(at: tuple[int, int]) -> int:
        part = rgb[at[0] : at[0] + box[0], at[1] : at[1] + box[1]].mean(axis=2)
        return round(float(part.std()) / _DETAIL_STEP)

    name = min(corners, key=lambda one: covers(corners[one]))
    return name, corners[name]
